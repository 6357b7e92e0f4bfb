import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { onEachDatabase, type TestApp, type TestFunction, type TriggerEvent } from '../../../test/support/app.ts'
import { createPool } from '../../../test/support/pools.ts'
import { TriggerFailure } from '../../core/ports.ts'
import type { Context } from '../context.ts'
import { findPool } from '../user-pools/pool.ts'
import { type InboundFederationRequest, runInboundFederation } from './inbound-federation.ts'

const fromOidc: InboundFederationRequest = {
  username: 'Acme_7',
  providerName: 'Acme',
  providerType: 'OIDC',
  answer: {
    tokenResponse: { access_token: 'a', token_type: 'Bearer', expires_in: 3_600, scope: 'openid' },
    idToken: { sub: '7', email: 'ann@acme.example' },
    userInfo: { sub: '7', name: 'Ann' },
  },
}
const fromSaml: InboundFederationRequest = {
  username: 'Corp_ann',
  providerName: 'Corp',
  providerType: 'SAML',
  answer: { samlResponse: { mail: 'ann@corp.example' } },
}

let functions = 0
/** Runs the trigger as a sign-in through a provider does; the function keeps its events. */
const run = async (app: TestApp, request: InboundFederationRequest, answer?: TestFunction) => {
  functions += 1
  const events: TriggerEvent[] = []
  const LambdaConfig =
    answer === undefined
      ? {}
      : {
          InboundFederation: {
            LambdaVersion: 'V1_0',
            LambdaArn: app.lambda(`inbound-${functions}`, event => {
              events.push(structuredClone(event))
              return answer(event)
            }),
          } as const,
        }
  const { poolId, clientId } = await createPool(app, { LambdaConfig })
  const ctx: Context = {
    ...app.app.services,
    requestId: randomUUID(),
    region: 'us-east-1',
    publicUrl: app.url,
    sourceIp: undefined,
    userAgent: undefined,
    caller: { clientId },
  }
  const pool = (await findPool(ctx, poolId)) ?? assert.fail()
  return { mapped: await runInboundFederation(ctx, pool, request), events, poolId, clientId }
}
const answering = (response: unknown) => (event: TriggerEvent) => ({ ...event, response })

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }

  test('the function is told what the provider said, and what it returns is all that is mapped', async () => {
    const app = await sharedApp()
    const { mapped, events, poolId, clientId } = await run(
      app,
      fromOidc,
      answering({ userAttributesToMap: { email: 'other@acme.example' } }),
    )
    assert.deepEqual([...(mapped ?? [])], [['email', 'other@acme.example']])
    assert.deepEqual(events, [
      {
        version: '1',
        triggerSource: 'InboundFederation_ExternalProvider',
        region: 'us-east-1',
        userPoolId: poolId,
        userName: 'Acme_7',
        callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
        request: { providerName: 'Acme', providerType: 'OIDC', attributes: fromOidc.answer },
        response: { userAttributesToMap: {} },
      },
    ])
  })

  test('of a SAML provider it is told the attributes only', async () => {
    const { events } = await run(await sharedApp(), fromSaml, event => event)
    assert.deepEqual(events[0]?.request['attributes'], { samlResponse: { mail: 'ann@corp.example' } })
  })

  test('without a function, and with nothing to map in its answer, all stays as the provider said', async () => {
    const app = await sharedApp()
    assert.equal((await run(app, fromOidc)).mapped, undefined)
    assert.equal((await run(app, fromOidc, event => event)).mapped, undefined)
    assert.equal((await run(app, fromOidc, answering({ userAttributesToMap: {} }))).mapped, undefined)
  })

  for (const [title, answer] of [
    ['nothing', () => undefined],
    ['null', () => null],
    ['a list', () => []],
    ['an event without response', ({ response: _, ...event }: TriggerEvent) => event],
    ['a response that is a text', answering('yes')],
    ['a response without attributes', answering({})],
    ['null in the place of attributes', answering({ userAttributesToMap: null })],
    ['a list of attributes', answering({ userAttributesToMap: [{ email: 'x@example.com' }] })],
    ['a number as a value', answering({ userAttributesToMap: { age: 7 } })],
    ['an object as a value', answering({ userAttributesToMap: { address: { formatted: 'x' } } })],
    ['null as a value', answering({ userAttributesToMap: { email: null } })],
    ['text that cannot be stored', answering({ userAttributesToMap: { name: 'a\u0000b' } })],
    ['half of a character', answering({ userAttributesToMap: { name: '\ud800' } })],
  ] as const) {
    test(`${title} ends the sign-in`, async () => {
      await assert.rejects(run(await sharedApp(), fromOidc, answer), {
        name: 'InvalidLambdaResponseException',
        message: 'Unrecognizable lambda output',
      })
    })
  }

  test('a function that throws or cannot be run ends the sign-in', async () => {
    const app = await sharedApp()
    const refusing = () => {
      throw new Error('Not you')
    }
    await assert.rejects(run(app, fromOidc, refusing), {
      name: 'UserLambdaValidationException',
      message: 'InboundFederation failed with error Not you.',
    })
    const absent = () => {
      throw new TriggerFailure('refused', 'ResourceNotFoundException')
    }
    await assert.rejects(run(app, fromOidc, absent), { name: 'UnexpectedLambdaException' })
  })
})
