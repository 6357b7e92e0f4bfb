/**
 * Triggers: the functions that a pool has assigned are run at their places in sign-up, sign-in and messages.
 *
 * Owned here: the table of triggers, the event around what each of them is told, time limit and repetition, and the
 * errors that callers see. Not owned: when a trigger fires and what its answer does; that is decided where it fires. How
 * a function is reached is the port's business.
 */
import type { LambdaConfigType } from '../../contract/types.ts'
import { triggerFailed, triggerNotInvoked, triggerOutputNotJson, triggerTimedOut } from '../../core/errors.ts'
import { TriggerFailure } from '../../core/ports.ts'
import { type Members, responseOf } from '../../core/trigger-response.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { inTurn } from './turns.ts'

const timeoutMs = 5_000
/** How often a function is called that does not answer in time. What it answered is final. */
const triesMax = 3
const noClient = 'CLIENT_ID_NOT_APPLICABLE'

interface Trigger {
  target: (config: LambdaConfigType) => string | undefined
  /** What may follow the name in `triggerSource`. */
  sources: readonly string[]
  /** What `response` holds before the function has seen it; absent where nothing is read from its answer. */
  response?: Readonly<Record<string, null | false | object>>
}

/** The occasions of messages. */
const messageSources = [
  'SignUp',
  'AdminCreateUser',
  'ResendCode',
  'ForgotPassword',
  'UpdateUserAttribute',
  'VerifyUserAttribute',
  'Authentication',
] as const

/** All triggers that are run, by the name that errors give them. */
const triggers = {
  PreSignUp: {
    target: config => config.PreSignUp,
    sources: ['SignUp', 'AdminCreateUser', 'ExternalProvider'],
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  },
  PostConfirmation: {
    target: config => config.PostConfirmation,
    sources: ['ConfirmSignUp', 'ConfirmForgotPassword'],
    response: {},
  },
  PreAuthentication: { target: config => config.PreAuthentication, sources: ['Authentication'], response: {} },
  PostAuthentication: { target: config => config.PostAuthentication, sources: ['Authentication'], response: {} },
  DefineAuthChallenge: {
    target: config => config.DefineAuthChallenge,
    sources: ['Authentication'],
    response: { challengeName: null, issueTokens: null, failAuthentication: null },
  },
  CreateAuthChallenge: {
    target: config => config.CreateAuthChallenge,
    sources: ['Authentication'],
    response: { publicChallengeParameters: null, privateChallengeParameters: null, challengeMetadata: null },
  },
  VerifyAuthChallengeResponse: {
    target: config => config.VerifyAuthChallengeResponse,
    sources: ['Authentication'],
    response: { answerCorrect: null },
  },
  UserMigration: {
    target: config => config.UserMigration,
    sources: ['Authentication', 'ForgotPassword'],
    response: {
      userAttributes: null,
      forceAliasCreation: null,
      finalUserStatus: null,
      messageAction: null,
      desiredDeliveryMediums: null,
      enableSMSMFA: null,
    },
  },
  CustomMessage: {
    target: config => config.CustomMessage,
    sources: messageSources,
    response: { smsMessage: null, emailMessage: null, emailSubject: null },
  },
  CustomEmailSender: {
    target: config => config.CustomEmailSender?.LambdaArn,
    sources: [...messageSources, 'AccountTakeOverNotification'],
  },
  CustomSMSSender: { target: config => config.CustomSMSSender?.LambdaArn, sources: messageSources },
  PreTokenGeneration: {
    // Both slots hold the same ARN.
    target: config => config.PreTokenGenerationConfig?.LambdaArn,
    sources: [
      'HostedAuth',
      'Authentication',
      'NewPasswordChallenge',
      'ClientCredentials',
      'AuthenticateDevice',
      'RefreshTokens',
    ],
    response: { claimsOverrideDetails: null },
  },
  InboundFederation: {
    target: config => config.InboundFederation?.LambdaArn,
    sources: ['ExternalProvider'],
    response: { userAttributesToMap: {} },
  },
} as const satisfies Record<string, Trigger>

export type TriggerName = keyof typeof triggers
export type TriggerSource<Name extends TriggerName> = (typeof triggers)[Name]['sources'][number]

/** Whether the pool has assigned a function to the trigger. */
export const hasTrigger = (pool: Pool, name: TriggerName): boolean => targetOf(pool, name) !== undefined

/** The function that the pool has assigned to the trigger. */
export const targetOf = (pool: Pool, name: TriggerName): string | undefined =>
  triggers[name].target(pool.settings.LambdaConfig ?? {})

export interface Firing<Name extends TriggerName> {
  source: TriggerSource<Name>
  username: string
  request: object
  /** Version of the event; 1 when absent. */
  version?: '1' | '2' | '3'
  /** What `response` holds before the function has seen it, where that depends on the version. */
  response?: object
}

/**
 * Runs the function that the pool has assigned to the trigger and returns its `response`, whose members are unread;
 * undefined when none is assigned. Nothing is locked meanwhile, so the function may call back.
 * @throws UserLambdaValidationException when the function throws, UnexpectedLambdaException when it cannot be run or
 * does not answer in time, InvalidLambdaResponseException when it returns no event, TooManyRequestsException when very
 * many calls of the pool are waiting.
 */
export const runTrigger = async <Name extends TriggerName>(
  ctx: Context,
  pool: Pool,
  name: Name,
  firing: Firing<Name>,
): Promise<Members | undefined> => {
  const target = targetOf(pool, name)
  if (target === undefined) return undefined
  const event = eventOf(ctx, pool, name, firing)
  return responseOf(await inTurn(ctx.triggers, pool.id, () => invoke(ctx, pool, name, target, event)))
}

const invoke = async (ctx: Context, pool: Pool, name: TriggerName, target: string, event: object): Promise<unknown> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ctx.triggers.invoke({ target, event, timeoutMs })
    } catch (error) {
      if (!(error instanceof TriggerFailure)) throw error
      const { reason, message, cause } = error
      // What a function says is for the caller and may name the user; the log tells no more than that it failed.
      const details = { requestId: ctx.requestId, userPoolId: pool.id, trigger: name, reason, tries }
      ctx.log.warn(reason === 'refused' ? { ...details, error: message, cause } : details, 'trigger failed')
      switch (reason) {
        case 'function':
          throw triggerFailed(name, message)
        case 'refused':
          throw triggerNotInvoked(name, message)
        case 'not-json':
          throw triggerOutputNotJson()
        case 'timeout':
          if (tries === triesMax) throw triggerTimedOut(name)
      }
    }
  }
}

/** The event as the function is given it. */
export const eventOf = <Name extends TriggerName>(
  ctx: Context,
  pool: Pool,
  name: Name,
  { source, username, request, version = '1', response }: Firing<Name>,
): object => ({
  version,
  triggerSource: `${sourcePrefix(name)}_${source}`,
  region: pool.region,
  userPoolId: pool.id,
  userName: username,
  callerContext: { awsSdkVersion: sdkVersionOf(ctx.userAgent), clientId: ctx.caller?.clientId ?? noClient },
  request,
  ...responseBefore(response ?? (triggers[name] as Trigger).response),
})

const responseBefore = (response: object | undefined): { response?: object } =>
  response === undefined ? {} : { response }

/** The one trigger whose sources begin with another word than its name. */
const sourcePrefix = (name: string): string => (name === 'PreTokenGeneration' ? 'TokenGeneration' : name)

/** The SDK that the User-Agent names, for example `aws-sdk-js-3.1.0`. */
const sdkVersionOf = (userAgent = ''): string => {
  const [, name, version] = /\b(aws-sdk-[a-z\d-]{1,32})\/(\d[\w.+-]{0,32})/i.exec(userAgent.slice(0, 512)) ?? []
  return name === undefined ? 'aws-sdk-unknown-unknown' : `${name}-${version}`
}

// ---------------------------------------------------------------------------------------------- what events tell

/** The attributes of a stored user as events tell them: all of them text. */
export const userAttributesOf = ({
  id,
  status,
  attributes,
}: Pick<User, 'id' | 'status' | 'attributes'>): Record<string, string> => ({
  sub: id,
  'cognito:user_status': status,
  ...Object.fromEntries(attributes),
})

/** `clientMetadata` as a member of a request, which it is only when something was sent. */
export const clientMetadataOf = ({ caller }: Context): { clientMetadata?: Readonly<Record<string, string>> } =>
  caller?.clientMetadata === undefined ? {} : { clientMetadata: caller.clientMetadata }
