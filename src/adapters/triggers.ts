/** The triggers port: what the configuration says of a function decides how it is run. */
import { type Clock, TriggerFailure, type Triggers } from '../core/ports.ts'
import type { Credentials } from '../core/sigv4-sign.ts'
import { fetchFrom } from './aws-call.ts'
import { lambdaTriggers } from './lambda.ts'
import { localModuleTriggers } from './local-module.ts'
import { webhookTriggers } from './webhook.ts'

/** A function that is not run by Lambda: a webhook, or the path of a module. */
export type Target = { url: string; secret: string } | { module: string }

export interface TriggersOptions {
  /** By ARN or by the name of the function. */
  targets: ReadonlyMap<string, Target>
  lambdaEndpoint?: string | undefined
  lambdaCredentials?: Credentials | undefined
  clock: Clock
}

export interface ConfiguredTriggers extends Triggers {
  /** Stops the threads of modules. */
  close(): Promise<void>
}

/**
 * Runs a function where the configuration says: by webhook or module when its ARN or name stands there, else at the Lambda
 * endpoint. Without either there is no such function.
 */
export const createTriggers = ({
  targets,
  lambdaEndpoint,
  lambdaCredentials,
  clock,
}: TriggersOptions): ConfiguredTriggers => {
  const byTarget = new Map<string, Triggers>()
  const modules: { close(): Promise<void> }[] = []
  for (const [name, target] of targets) {
    if ('module' in target) {
      const local = localModuleTriggers(target.module)
      modules.push(local)
      byTarget.set(name, local)
    } else byTarget.set(name, webhookTriggers({ ...target, clock, fetch: fetchFrom(target.url) }))
  }
  const lambda =
    lambdaEndpoint === undefined
      ? undefined
      : lambdaTriggers({
          endpoint: lambdaEndpoint,
          credentials: lambdaCredentials,
          clock,
          fetch: fetchFrom(lambdaEndpoint),
        })
  return {
    invoke: call => {
      const runner = byTarget.get(call.target) ?? byTarget.get(functionNameOf(call.target)) ?? lambda
      if (runner === undefined) {
        return Promise.reject(
          new TriggerFailure('refused', 'ResourceNotFoundException', `Nothing is configured for ${call.target}.`),
        )
      }
      return runner.invoke(call)
    },
    close: async () => {
      await Promise.all(modules.map(local => local.close()))
    },
  }
}

/** `arn:aws:lambda:region:account:function:NAME`, with or without an alias after it. */
const functionNameOf = (arn: string): string => arn.split(':')[6] ?? ''
