import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createClient, email, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  createSignInPool,
  createUser,
  discreet,
  failureOf,
  password,
  refresh,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

/** Begins a sign-in of the user and returns its next step, which is right in itself. */
type Begun = (app: TestApp, pool: TestPool, name: string) => Promise<() => Promise<object>>

const answerNewPassword =
  (app: TestApp, { clientId }: TestPool, name: string, session: string | undefined) =>
  () =>
    app.aws.respondToAuthChallenge({
      ClientId: clientId,
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      ...(session !== undefined && { Session: session }),
      ChallengeResponses: { USERNAME: name, NEW_PASSWORD: 'N3w-Passw0rd' },
    })

const createInvited = (app: TestApp, { poolId }: TestPool, name: string) =>
  app.aws.adminCreateUser({
    UserPoolId: poolId,
    Username: name,
    TemporaryPassword: password,
    MessageAction: 'SUPPRESS',
    UserAttributes: [email(`${name}@example.com`), { Name: 'email_verified', Value: 'true' }],
  })

const createConfirmed = (app: TestApp, { poolId }: TestPool, name: string) =>
  createUser(app, poolId, name, [email(`${name}@example.com`), { Name: 'email_verified', Value: 'true' }])

const steps: Record<string, Begun> = {
  'the proof of SRP': async (app, pool, name) => {
    await createConfirmed(app, pool, name)
    return (await beginSrp(app, pool, name)).answer
  },
  'the proof of SRP with a temporary password': async (app, pool, name) => {
    await createInvited(app, pool, name)
    return (await beginSrp(app, pool, name)).answer
  },
  'a new password after SRP': async (app, pool, name) => {
    await createInvited(app, pool, name)
    const { Session } = await (await beginSrp(app, pool, name)).answer()
    return answerNewPassword(app, pool, name, Session)
  },
  'a new password after a password': async (app, pool, name) => {
    await createInvited(app, pool, name)
    const { Session } = await beginWithPassword(app, pool.clientId, name)
    return answerNewPassword(app, pool, name, Session)
  },
  'a refresh': async (app, pool, name) => {
    await createConfirmed(app, pool, name)
    const tokens = await signIn(app, pool.clientId, name)
    return () => refresh(app, pool.clientId, tokens.refresh)
  },
  'a rotation': async (app, pool, name) => {
    await createConfirmed(app, pool, name)
    const tokens = await signIn(app, pool.clientId, name)
    return () => app.aws.getTokensFromRefreshToken({ ClientId: pool.clientId, RefreshToken: tokens.refresh })
  },
  'the use of an access token': async (app, pool, name) => {
    await createConfirmed(app, pool, name)
    const tokens = await signIn(app, pool.clientId, name)
    return () => app.aws.getUser({ AccessToken: tokens.access })
  },
}

const tokenSteps = ['a refresh', 'a rotation', 'the use of an access token']
const invitedSteps = Object.keys(steps).filter(step => /new|temporary/.test(step))

interface Interruption {
  by: (app: TestApp, pool: TestPool, name: string) => Promise<unknown>
  /** Steps that the interruption leaves alone, or to which it cannot happen. */
  except?: string[]
}

const interruptions: Record<string, Interruption> = {
  AdminDisableUser: {
    by: (app, { poolId }, name) => app.aws.adminDisableUser({ UserPoolId: poolId, Username: name }),
  },
  'AdminDisableUser and AdminEnableUser': {
    by: async (app, { poolId }, name) => {
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: name })
      await app.aws.adminEnableUser({ UserPoolId: poolId, Username: name })
    },
  },
  AdminDeleteUser: {
    by: (app, { poolId }, name) => app.aws.adminDeleteUser({ UserPoolId: poolId, Username: name }),
  },
  'deletion and a new user of the same name': {
    by: async (app, pool, name) => {
      await app.aws.adminDeleteUser({ UserPoolId: pool.poolId, Username: name })
      await createInvited(app, pool, name)
    },
  },
  AdminSetUserPassword: {
    by: (app, { poolId }, name) =>
      app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: name, Password: password, Permanent: true }),
    except: tokenSteps,
  },
  'AdminSetUserPassword, temporary': {
    by: (app, { poolId }, name) =>
      app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: name, Password: password, Permanent: false }),
    except: tokenSteps,
  },
  AdminResetUserPassword: {
    by: (app, { poolId }, name) => app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: name }),
    except: invitedSteps,
  },
  AdminUserGlobalSignOut: {
    by: (app, { poolId }, name) => app.aws.adminUserGlobalSignOut({ UserPoolId: poolId, Username: name }),
  },
  DeleteUserPoolClient: {
    by: (app, { poolId, clientId }) => app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId }),
  },
  DeleteUserPool: {
    by: (app, { poolId }) => app.aws.deleteUserPool({ UserPoolId: poolId }),
  },
  'a second factor that the pool demands': {
    by: (app, { poolId }) =>
      app.aws.setUserPoolMfaConfig({
        UserPoolId: poolId,
        MfaConfiguration: 'ON',
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    except: [...tokenSteps, 'the proof of SRP with a temporary password'],
  },
  'a lockout': {
    by: async (app, { poolId }, name) => {
      const clientId = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
      for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, clientId, name, 'wrong'))
    },
    except: tokenSteps,
  },
}

onEachDatabase(testApp => {
  let shared: Promise<TestApp> | undefined
  const oneApp = (): Promise<TestApp> => (shared ??= testApp())

  for (const [title, { by, except = [] }] of Object.entries(interruptions)) {
    test(`${title} between two steps refuses the next one`, async () => {
      const app = await oneApp()
      for (const [index, [step, begin]] of Object.entries(steps).entries()) {
        if (except.includes(step)) continue
        const pool = await createSignInPool(app, index % 2 === 0 ? {} : discreet)
        const next = await begin(app, pool, 'ann')
        await by(app, pool, 'ann')
        const outcome = await next().catch((error: Error) => error)
        if (outcome instanceof Error) {
          assert.match(
            outcome.name,
            /^(NotAuthorized|UserNotFound|PasswordResetRequired|ResourceNotFound|OperationNotEnabled)Exception$/,
            step,
          )
        } else {
          // Only a second factor leads to another step instead of a refusal.
          assert.equal(title, 'a second factor that the pool demands', step)
          assert.equal('AuthenticationResult' in outcome && outcome.AuthenticationResult !== undefined, false, step)
        }
      }
      assert.deepEqual(app.logged, [])
    })
  }

  test('every step succeeds when nothing happens that concerns it', async () => {
    const app = await oneApp()
    for (const begin of Object.values(steps)) {
      const pool = await createSignInPool(app)
      const next = await begin(app, pool, 'ann')
      await app.aws.adminUpdateUserAttributes({
        UserPoolId: pool.poolId,
        Username: 'ann',
        UserAttributes: [{ Name: 'nickname', Value: 'annie' }],
      })
      await app.aws.updateUserPoolClient({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        ExplicitAuthFlows: allFlows,
      })
      await next()
    }
  })

  test('a sign-in with the old password fails once a change of it has been answered', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const { access } = await signIn(app, pool.clientId, 'ann')
    const exchange = await beginSrp(app, pool, 'ann')
    const racing = Array.from({ length: 8 }, () => failureOf(beginWithPassword(app, pool.clientId, 'ann')))
    await app.aws.changePassword({ AccessToken: access, PreviousPassword: password, ProposedPassword: 'N3w-Passw0rd' })
    assert.ok(await failureOf(beginWithPassword(app, pool.clientId, 'ann')))
    assert.ok(await failureOf(exchange.answer()))
    await Promise.all(racing)
    await signIn(app, pool.clientId, 'ann', 'N3w-Passw0rd')
    tokensOf(await (await beginSrp(app, pool, 'ann')).answer('N3w-Passw0rd'))
  })
})
