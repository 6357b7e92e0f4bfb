import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { challengeNames, everyResponse } from '../../../test/support/challenges.ts'
import {
  type Authenticator,
  authenticator,
  createMfaPool,
  mailFactor,
  registerAuthenticator,
  respond,
  smsFactor,
  tokenFactor,
} from '../../../test/support/mfa.ts'
import { createClient, email, phone, type TestPool, verified } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginWithPassword,
  createUser,
  failureOf,
  notAuthorized,
  password,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

/** The next request of a sign-in, right in itself, and the session that it stands on. */
interface Begun {
  pool: TestPool
  session: string
  next: () => Promise<unknown>
}

type Factor = 'SMSMfaSettings' | 'SoftwareTokenMfaSettings' | 'EmailMfaSettings'

const addresses = [phone('+12065551234'), verified('phone_number'), email('ann@example.com'), verified('email')]

const holder = async (app: TestApp, ...factors: Factor[]): Promise<{ pool: TestPool; device: Authenticator }> => {
  const pool = await createMfaPool(app, { MfaConfiguration: 'OPTIONAL', ...smsFactor, ...tokenFactor, ...mailFactor })
  await createUser(app, pool.poolId, 'ann', addresses)
  const { access } = await signIn(app, pool.clientId, 'ann')
  const device = await registerAuthenticator(app, access)
  await app.aws.setUserMFAPreference({
    AccessToken: access,
    ...Object.fromEntries(factors.map(factor => [factor, { Enabled: true }])),
  })
  return { pool, device }
}

const begin = async (app: TestApp, pool: TestPool, expected: ChallengeNameType) => {
  const challenge = await beginWithPassword(app, pool.clientId, 'ann')
  assert.equal(challenge.ChallengeName, expected)
  return challenge
}

const setUp = async (app: TestApp) => {
  const pool = await createMfaPool(app, { MfaConfiguration: 'ON', ...tokenFactor })
  await createUser(app, pool.poolId, 'ann', addresses)
  const { Session } = await begin(app, pool, 'MFA_SETUP')
  return { pool, session: Session ?? '' }
}

const associated = async (app: TestApp) => {
  const { pool, session: first } = await setUp(app)
  const { Session: session = '', SecretCode } = await app.aws.associateSoftwareToken({ Session: first })
  const UserCode = authenticator(app, SecretCode).code()
  return { pool, session, verify: () => app.aws.verifySoftwareToken({ Session: session, UserCode }) }
}

const steps: Record<string, (app: TestApp) => Promise<Begun>> = {
  SOFTWARE_TOKEN_MFA: async app => {
    const { pool, device } = await holder(app, 'SoftwareTokenMfaSettings')
    const challenge = await begin(app, pool, 'SOFTWARE_TOKEN_MFA')
    const code = { SOFTWARE_TOKEN_MFA_CODE: device.code(1) }
    return { pool, session: challenge.Session ?? '', next: () => respond(app, pool.clientId, 'ann', challenge, code) }
  },
  SMS_MFA: async app => {
    const { pool } = await holder(app, 'SMSMfaSettings')
    const challenge = await begin(app, pool, 'SMS_MFA')
    const code = { SMS_MFA_CODE: await app.lastCode() }
    return { pool, session: challenge.Session ?? '', next: () => respond(app, pool.clientId, 'ann', challenge, code) }
  },
  EMAIL_OTP: async app => {
    const { pool } = await holder(app, 'EmailMfaSettings')
    const challenge = await begin(app, pool, 'EMAIL_OTP')
    const code = { EMAIL_OTP_CODE: await app.lastCode() }
    return { pool, session: challenge.Session ?? '', next: () => respond(app, pool.clientId, 'ann', challenge, code) }
  },
  SELECT_MFA_TYPE: async app => {
    const { pool } = await holder(app, 'SMSMfaSettings', 'SoftwareTokenMfaSettings')
    const challenge = await begin(app, pool, 'SELECT_MFA_TYPE')
    const next = () => respond(app, pool.clientId, 'ann', challenge, { ANSWER: 'SMS_MFA' })
    return { pool, session: challenge.Session ?? '', next }
  },
  'MFA_SETUP, before the secret': async app => {
    const { pool, session } = await setUp(app)
    return { pool, session, next: () => app.aws.associateSoftwareToken({ Session: session }) }
  },
  'MFA_SETUP, before the code': async app => {
    const { pool, session, verify } = await associated(app)
    return { pool, session, next: verify }
  },
  'MFA_SETUP, before the answer': async app => {
    const { pool, verify } = await associated(app)
    const { Session = '' } = await verify()
    const challenge = { ChallengeName: 'MFA_SETUP', Session }
    return { pool, session: Session, next: () => respond(app, pool.clientId, 'ann', challenge) }
  },
}

const ann = ({ poolId }: TestPool) => ({ UserPoolId: poolId, Username: 'ann' })

const interruptions: Record<string, (app: TestApp, pool: TestPool) => Promise<unknown>> = {
  AdminDisableUser: (app, pool) => app.aws.adminDisableUser(ann(pool)),
  'AdminDisableUser and AdminEnableUser': async (app, pool) => {
    await app.aws.adminDisableUser(ann(pool))
    await app.aws.adminEnableUser(ann(pool))
  },
  'deletion and a new user of the same name': async (app, pool) => {
    await app.aws.adminDeleteUser(ann(pool))
    await createUser(app, pool.poolId, 'ann', addresses)
  },
  AdminDeleteUser: (app, pool) => app.aws.adminDeleteUser(ann(pool)),
  AdminSetUserPassword: (app, pool) =>
    app.aws.adminSetUserPassword({ ...ann(pool), Password: password, Permanent: true }),
  AdminResetUserPassword: (app, pool) => app.aws.adminResetUserPassword(ann(pool)),
  AdminUserGlobalSignOut: (app, pool) => app.aws.adminUserGlobalSignOut(ann(pool)),
  AdminDeleteSoftwareToken: (app, pool) => app.aws.adminDeleteSoftwareToken(ann(pool)),
  AdminSetUserMFAPreference: (app, pool) =>
    app.aws.adminSetUserMFAPreference({ ...ann(pool), SMSMfaSettings: { Enabled: true, PreferredMfa: true } }),
  DeleteUserPoolClient: (app, { poolId, clientId }) =>
    app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId }),
  DeleteUserPool: (app, { poolId }) => app.aws.deleteUserPool({ UserPoolId: poolId }),
  'a lockout': async (app, { poolId }) => {
    const clientId = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong'))
  },
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  for (const [title, interrupt] of Object.entries(interruptions)) {
    test(`${title} between two steps refuses the next one`, async () => {
      for (const [step, make] of Object.entries(steps)) {
        const { pool, next } = await make(app)
        await interrupt(app, pool)
        const failure = await failureOf(next())
        assert.match(failure?.name ?? 'none', /^(NotAuthorized|ResourceNotFound)Exception$/, step)
      }
      assert.deepEqual(app.logged, [])
    })
  }

  test('every step succeeds when nothing happens that concerns it', async () => {
    for (const make of Object.values(steps)) {
      const { pool, next } = await make(app)
      await app.aws.adminUpdateUserAttributes({ ...ann(pool), UserAttributes: [{ Name: 'nickname', Value: 'annie' }] })
      await next()
    }
  })

  test('a pending challenge is answered as what it is and as nothing else', async () => {
    for (const [step, make] of Object.entries(steps)) {
      const { pool, session, next } = await make(app)
      for (const name of challengeNames) {
        if (step.startsWith(name)) continue
        const failure = await failureOf(
          respond(app, pool.clientId, 'ann', { ChallengeName: name, Session: session }, everyResponse(session)),
        )
        assert.equal(failure?.name, 'NotAuthorizedException', `${step} answered by ${name}`)
      }
      await next()
    }
  })

  test('a changed session, and one of another user, is refused', async () => {
    const { pool, session, next } = await (steps['SOFTWARE_TOKEN_MFA'] as (app: TestApp) => Promise<Begun>)(app)
    await createUser(app, pool.poolId, 'bob')
    const refused = notAuthorized('Invalid session for the user.')
    const answer = (Session: string, name = 'ann') =>
      respond(
        app,
        pool.clientId,
        name,
        { ChallengeName: 'SOFTWARE_TOKEN_MFA', Session },
        { SOFTWARE_TOKEN_MFA_CODE: '1' },
      )
    assert.deepEqual(await failureOf(answer(session, 'bob')), refused)
    for (let index = 0; index < session.length; index += 5) {
      const changed = `${session.slice(0, index)}${session[index] === 'A' ? 'B' : 'A'}${session.slice(index + 1)}`
      assert.deepEqual(await failureOf(answer(changed)), refused, String(index))
      assert.deepEqual(await failureOf(app.aws.associateSoftwareToken({ Session: changed })), refused, String(index))
    }
    tokensOf((await next()) as Parameters<typeof tokensOf>[0])
    assert.deepEqual(app.logged, [])
  })
})
