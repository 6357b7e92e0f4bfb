import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  minutes,
  onEachDatabase,
  type TestApp,
  type TestFunction,
  type TriggerEvent,
} from '../../../test/support/app.ts'
import { smsFactor } from '../../../test/support/mfa.ts'
import { phone, verified } from '../../../test/support/pools.ts'
import {
  allFlows,
  createSignInPool,
  createUser,
  discreet,
  incorrect,
  invalidParameter,
  password,
} from '../../../test/support/sign-in.ts'
import { createSrpClient, srpTimestamp } from '../../../test/support/srp-client.ts'

type Functions = Partial<Record<'define' | 'create' | 'verify', TestFunction>>
const reply = (event: TriggerEvent, response: object) => ({ ...event, response })

/** A riddle with two tries. */
const riddle: Required<Functions> = {
  define: event => {
    const session = event.request['session'] as { challengeResult: boolean }[]
    if (session.at(-1)?.challengeResult) return reply(event, { issueTokens: true, failAuthentication: false })
    if (session.length >= 2) return reply(event, { issueTokens: false, failAuthentication: true })
    return reply(event, { challengeName: 'CUSTOM_CHALLENGE', issueTokens: false, failAuthentication: false })
  },
  create: event =>
    reply(event, {
      publicChallengeParameters: { question: 'What is 6 times 7?' },
      privateChallengeParameters: { answer: '42' },
      challengeMetadata: 'RIDDLE',
    }),
  verify: event => {
    const { privateChallengeParameters, challengeAnswer } = event.request
    return reply(event, { answerCorrect: Object(privateChallengeParameters).answer === challengeAnswer })
  },
}
const legacy = { ExplicitAuthFlows: allFlows, PreventUserExistenceErrors: 'LEGACY' } as const

let pools = 0
const customPool = async (
  app: TestApp,
  functions: Functions = {},
  client: Parameters<typeof createSignInPool>[1] = legacy,
) => {
  const events: TriggerEvent[] = []
  pools += 1
  const lambda = (name: keyof Functions) =>
    app.lambda(`${name}-${pools}`, event => {
      events.push(structuredClone(event))
      return (functions[name] ?? riddle[name])(event)
    })
  const pool = await createSignInPool(app, client, {
    LambdaConfig: {
      DefineAuthChallenge: lambda('define'),
      CreateAuthChallenge: lambda('create'),
      VerifyAuthChallengeResponse: lambda('verify'),
    },
  })
  await createUser(app, pool.poolId, 'ann')
  const begin = (USERNAME = 'ann', more = {}) =>
    app.aws.initiateAuth({
      ClientId: pool.clientId,
      AuthFlow: 'CUSTOM_AUTH',
      AuthParameters: { USERNAME, ...more },
      ClientMetadata: { at: 'begin' },
    })
  const answer = (Session: string | undefined, ANSWER: string, USERNAME = 'ann') =>
    app.aws.respondToAuthChallenge({
      ClientId: pool.clientId,
      ChallengeName: 'CUSTOM_CHALLENGE',
      Session,
      ChallengeResponses: { USERNAME, ANSWER },
      ClientMetadata: { at: 'answer' },
    })
  return { ...pool, events, begin, answer }
}
const unusable = { name: 'InvalidLambdaResponseException', message: 'Unrecognizable lambda output' }

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }

  test('the functions ask, judge and let in; the private parameters stay here', async () => {
    const app = await sharedApp()
    const { begin, answer, events } = await customPool(app)
    const first = await begin()
    assert.equal(first.ChallengeName, 'CUSTOM_CHALLENGE')
    assert.deepEqual(first.ChallengeParameters, { question: 'What is 6 times 7?', USERNAME: 'ann' })
    const second = await answer(first.Session, '41')
    assert.equal(second.ChallengeName, 'CUSTOM_CHALLENGE')
    assert.ok((await answer(second.Session, '42')).AuthenticationResult?.AccessToken)
    assert.deepEqual(
      events.map(event => event.triggerSource.split('_')[0]),
      [
        'DefineAuthChallenge',
        'CreateAuthChallenge',
        'VerifyAuthChallengeResponse',
        'DefineAuthChallenge',
        'CreateAuthChallenge',
        'VerifyAuthChallengeResponse',
        'DefineAuthChallenge',
      ],
    )
    const [define, create, verify] = events
    assert.deepEqual([define?.request['session'], define?.request['userNotFound']], [[], false])
    // The metadata of the beginning is for other triggers.
    assert.equal(define?.request['clientMetadata'], undefined)
    assert.equal(create?.request['challengeName'], 'CUSTOM_CHALLENGE')
    assert.deepEqual(verify?.request['clientMetadata'], { at: 'answer' })
    assert.deepEqual(
      [verify?.request['privateChallengeParameters'], verify?.request['challengeAnswer']],
      [{ answer: '42' }, '41'],
    )
    const entry = { challengeName: 'CUSTOM_CHALLENGE', challengeMetadata: 'RIDDLE' }
    assert.deepEqual(events.at(-1)?.request['session'], [
      { ...entry, challengeResult: false },
      { ...entry, challengeResult: true },
    ])
  })

  test('the functions end a sign-in', async () => {
    const app = await sharedApp()
    const { begin, answer } = await customPool(app)
    const second = await answer((await begin()).Session, 'no')
    await assert.rejects(answer(second.Session, 'no'), incorrect)
  })

  test('a Session is good for one answer, for its user and for its time', async () => {
    const app = await sharedApp()
    const { poolId, begin, answer } = await customPool(app)
    await createUser(app, poolId, 'bob')
    const { Session } = await begin()
    await assert.rejects(answer(Session, '42', 'bob'), { name: 'NotAuthorizedException' })
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => answer(Session, '42')))
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    const late = await begin()
    app.advance(minutes(3))
    await assert.rejects(answer(late.Session, '42'), { name: 'NotAuthorizedException' })
  })

  test('what happens to the user between two steps ends the sign-in', async () => {
    const app = await sharedApp()
    for (const act of [
      (UserPoolId: string) => app.aws.adminDisableUser({ UserPoolId, Username: 'ann' }),
      (UserPoolId: string) => app.aws.adminDeleteUser({ UserPoolId, Username: 'ann' }),
      (UserPoolId: string) => app.aws.adminUserGlobalSignOut({ UserPoolId, Username: 'ann' }),
    ]) {
      const { poolId, begin, answer } = await customPool(app)
      const { Session } = await begin()
      await act(poolId)
      await assert.rejects(answer(Session, '42'), { name: 'NotAuthorizedException' })
      const during = await customPool(app, {
        verify: async event => {
          await act(event.userPoolId)
          return reply(event, { answerCorrect: true })
        },
      })
      await assert.rejects(during.answer((await during.begin()).Session, '42'), { name: 'NotAuthorizedException' })
    }
  })

  test('nobody is asked like a user where users are hidden, and never let in', async () => {
    const app = await sharedApp()
    const open = await customPool(app)
    await assert.rejects(open.begin('nobody'), { name: 'UserNotFoundException' })
    const hidden = await customPool(app, {}, discreet)
    const { Session, ChallengeParameters } = await hidden.begin('nobody')
    assert.deepEqual(ChallengeParameters, { question: 'What is 6 times 7?', USERNAME: 'nobody' })
    assert.equal(hidden.events[0]?.request['userNotFound'], true)
    await assert.rejects(hidden.answer(Session, '42', 'nobody'), incorrect)
  })

  for (const [title, functions, atAnswer] of [
    ['no decision', { define: event => event }, false],
    ['another challenge', { define: event => reply(event, { challengeName: 'SMS_MFA' }) }, false],
    ['a password that was not begun', { define: event => reply(event, { challengeName: 'PASSWORD_VERIFIER' }) }, false],
    ['a text for the decision', { define: event => reply(event, { issueTokens: 'true' }) }, false],
    ['a number as parameter', { create: event => reply(event, { publicChallengeParameters: { a: 1 } }) }, false],
    ['no judgement', { verify: event => event }, true],
    ['a text as judgement', { verify: event => reply(event, { answerCorrect: 'true' }) }, true],
  ] satisfies [string, Functions, boolean][]) {
    test(`${title} ends the sign-in`, async () => {
      const app = await sharedApp()
      const { begin, answer } = await customPool(app, functions)
      if (!atAnswer) return assert.rejects(begin(), unusable)
      const { Session } = await begin()
      await assert.rejects(answer(Session, '42'), unusable)
      await assert.rejects(answer(Session, '42'), { name: 'NotAuthorizedException' })
    })
  }

  test('tokens and failure together are failure', async () => {
    const app = await sharedApp()
    const both = await customPool(app, {
      define: event => reply(event, { issueTokens: true, failAuthentication: true }),
    })
    await assert.rejects(both.begin(), incorrect)
  })

  test('what does not fit into a Session is refused', async () => {
    const app = await sharedApp()
    const { begin } = await customPool(app, {
      create: event => reply(event, { privateChallengeParameters: { a: 'x'.repeat(2_000) } }),
    })
    await assert.rejects(begin(), { name: 'InvalidLambdaResponseException' })
  })

  test('a password comes first where the client offers one and the functions want it', async () => {
    const app = await sharedApp()
    const pool = await customPool(app, {
      define: event => {
        const session = event.request['session'] as { challengeName: string }[]
        return session.length === 1
          ? reply(event, { challengeName: 'PASSWORD_VERIFIER', issueTokens: false, failAuthentication: false })
          : session.at(-1)?.challengeName === 'CUSTOM_CHALLENGE'
            ? reply(event, { issueTokens: true })
            : reply(event, { challengeName: 'CUSTOM_CHALLENGE' })
      },
    })
    const client = createSrpClient(pool.poolId)
    const begun = await pool.begin('ann', { CHALLENGE_NAME: 'SRP_A', SRP_A: client.srpA })
    assert.equal(begun.ChallengeName, 'PASSWORD_VERIFIER')
    const prove = (text: string) =>
      app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        Session: begun.Session,
        ChallengeResponses: client.answer(begun.ChallengeParameters ?? {}, text, srpTimestamp(app.now())),
      })
    await assert.rejects(prove('wrong'), incorrect)
    const { ChallengeName, Session } = await prove(password)
    assert.equal(ChallengeName, 'CUSTOM_CHALLENGE')
    assert.ok((await pool.answer(Session, '42')).AuthenticationResult)
    const passed = { challengeResult: true, challengeMetadata: null }
    assert.deepEqual(pool.events.at(-1)?.request['session'], [
      { challengeName: 'SRP_A', ...passed },
      { challengeName: 'PASSWORD_VERIFIER', ...passed },
      { challengeName: 'CUSTOM_CHALLENGE', challengeResult: true, challengeMetadata: 'RIDDLE' },
    ])
  })

  test('a second factor comes after the password and before what the functions ask', async () => {
    const app = await sharedApp()
    const pool = await customPool(app, {
      define: event => {
        const session = event.request['session'] as { challengeName: string }[]
        return reply(event, session.length === 1 ? { challengeName: 'PASSWORD_VERIFIER' } : { issueTokens: true })
      },
    })
    await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, MfaConfiguration: 'OPTIONAL', ...smsFactor })
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: pool.poolId,
      Username: 'ann',
      UserAttributes: [phone('+12025550101'), verified('phone_number')],
    })
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SMSMfaSettings: { Enabled: true, PreferredMfa: true },
    })
    const client = createSrpClient(pool.poolId)
    const begun = await pool.begin('ann', { CHALLENGE_NAME: 'SRP_A', SRP_A: client.srpA })
    const proven = await app.aws.respondToAuthChallenge({
      ClientId: pool.clientId,
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeResponses: client.answer(begun.ChallengeParameters ?? {}, password, srpTimestamp(app.now())),
    })
    assert.equal(proven.ChallengeName, 'SMS_MFA')
    assert.equal(pool.events.length, 1)
    const { AuthenticationResult } = await app.aws.respondToAuthChallenge({
      ClientId: pool.clientId,
      ChallengeName: 'SMS_MFA',
      Session: proven.Session,
      ChallengeResponses: { USERNAME: 'ann', SMS_MFA_CODE: await app.lastCode('+12025550101') },
    })
    assert.ok(AuthenticationResult)
    const session = (pool.events.at(-1)?.request['session'] ?? []) as { challengeName: string }[]
    assert.deepEqual(
      session.map(entry => entry.challengeName),
      ['SRP_A', 'PASSWORD_VERIFIER', 'SMS_MFA'],
    )
  })

  test('a password that is offered cannot be passed by', async () => {
    const app = await sharedApp()
    for (const response of [{ issueTokens: true }, { challengeName: 'CUSTOM_CHALLENGE' }]) {
      const pool = await customPool(app, { define: event => reply(event, response) })
      const { srpA } = createSrpClient(pool.poolId)
      await assert.rejects(pool.begin('ann', { CHALLENGE_NAME: 'SRP_A', SRP_A: srpA }), unusable)
    }
  })

  test('without all three functions there is no such flow', async () => {
    const app = await sharedApp()
    const { clientId } = await createSignInPool(app, legacy, {
      LambdaConfig: { DefineAuthChallenge: app.lambda('alone', event => event) },
    })
    await assert.rejects(
      app.aws.initiateAuth({ ClientId: clientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { USERNAME: 'ann' } }),
      invalidParameter('Custom auth lambda trigger is not configured for the user pool.'),
    )
  })
})
