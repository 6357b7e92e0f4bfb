import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createMfaPool, tokenFactor } from '../../../test/support/mfa.ts'
import { contextOfTest } from '../../../test/support/oauth.ts'
import type { TestPool } from '../../../test/support/pools.ts'
import { beginWithPassword, createUser, password } from '../../../test/support/sign-in.ts'
import { getClientAndPool } from '../app-clients/client.ts'
import { associateInSignIn, verifyInSignIn } from './challenges/mfa-setup.ts'
import { answer, begin } from './sign-in.ts'

const invalid = { name: 'NotAuthorizedException', message: 'Invalid session for the user.' }

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool
  before(async () => {
    app = await testApp()
    pool = await createMfaPool(app, { MfaConfiguration: 'ON', ...tokenFactor })
    await createUser(app, pool.poolId, 'ann')
  })

  const sessionOfPages = async (): Promise<string> => {
    const ctx = contextOfTest(app)
    const outcome = await begin(ctx, {
      ...(await getClientAndPool(ctx, pool.clientId)),
      operation: 'ManagedLogin',
      flow: 'USER_PASSWORD_AUTH',
      parameters: { USERNAME: 'ann', PASSWORD: password },
    })
    assert.ok('challenge' in outcome)
    return outcome.session
  }

  test('a sign-in that began on the pages is not taken up in the API', async () => {
    const Session = await sessionOfPages()
    await assert.rejects(app.aws.associateSoftwareToken({ Session }), invalid)
    await assert.rejects(app.aws.verifySoftwareToken({ Session, UserCode: '123456' }), invalid)
    const ChallengeResponses = { USERNAME: 'ann' }
    for (const ChallengeName of ['MFA_SETUP', 'SOFTWARE_TOKEN_MFA'] as const) {
      await assert.rejects(
        app.aws.respondToAuthChallenge({ ClientId: pool.clientId, ChallengeName, Session, ChallengeResponses }),
        invalid,
      )
    }
  })

  test('a sign-in that began in the API is not taken up on the pages', async () => {
    const { Session: session = '' } = await beginWithPassword(app, pool.clientId, 'ann')
    const ctx = contextOfTest(app)
    await assert.rejects(associateInSignIn(ctx, session, 'pages'), invalid)
    await assert.rejects(verifyInSignIn(ctx, session, '123456', undefined, 'pages'), invalid)
    const request = { ...(await getClientAndPool(ctx, pool.clientId)), face: 'pages', session } as const
    await assert.rejects(answer(ctx, { ...request, challenge: 'MFA_SETUP', responses: { USERNAME: 'ann' } }), invalid)
  })
})
