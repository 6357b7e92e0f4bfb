import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { smsFactor, tokenFactor } from '../../../test/support/mfa.ts'
import { answerPending, pendingChallenges } from '../../../test/support/pending.ts'
import { createClient, email, type TestPool } from '../../../test/support/pools.ts'
import { beginWithPassword, createUser, failureOf, password } from '../../../test/support/sign-in.ts'
import { beginChoice, choiceFlows, createChoicePool } from '../../../test/support/user-auth.ts'

const name = 'ann'

type Client = Parameters<typeof createClient>[2]
type Step = (app: TestApp, client: Client) => Promise<{ pool: TestPool; next: () => Promise<object> }>

const pending =
  (title: string): Step =>
  async (app, client) => {
    const begun = await pendingChallenges[title]?.lead(app, client)
    if (begun === undefined) throw new Error(`Nothing leads to ${title}.`)
    return { pool: begun.pool, next: () => answerPending(app, begun) }
  }

/** Each step of a sign-in in which the user chooses the first factor; the next one is right in itself. */
const steps: Record<string, Step> = {
  ...Object.fromEntries(
    [
      'the choice of a first factor',
      'the choice of a password',
      'a mailed code as first factor',
      'a code by text message as first factor',
      'a passkey',
      'the proof of SRP after a choice',
    ].map(title => [title, pending(title)]),
  ),
  'the session of a sign-up': async (app, client) => {
    const pool = await createChoicePool(app, { client: client ?? {} })
    const user = { ClientId: pool.clientId, Username: name }
    await app.aws.signUp({ ...user, Password: password, UserAttributes: [email('ann@example.com')] })
    const { Session } = await app.aws.confirmSignUp({ ...user, ConfirmationCode: await app.lastCode() })
    return { pool, next: () => beginChoice(app, pool, name, {}, { Session }) }
  },
}

const passwords = ['the choice of a password', 'the proof of SRP after a choice']

interface Interruption {
  by: (app: TestApp, pool: TestPool) => Promise<unknown>
  /** Steps that the interruption leaves alone. */
  except?: string[]
}

const ofUser = (pool: TestPool) => ({ UserPoolId: pool.poolId, Username: name })

const interruptions: Record<string, Interruption> = {
  'disabling the user': { by: (app, pool) => app.aws.adminDisableUser(ofUser(pool)) },
  'disabling and enabling the user': {
    by: async (app, pool) => {
      await app.aws.adminDisableUser(ofUser(pool))
      await app.aws.adminEnableUser(ofUser(pool))
    },
  },
  'deleting the user': { by: (app, pool) => app.aws.adminDeleteUser(ofUser(pool)) },
  'another user of the same name': {
    by: async (app, pool) => {
      await app.aws.adminDeleteUser(ofUser(pool))
      await createUser(app, pool.poolId, name, [email('ann@example.com')])
    },
  },
  'another password': {
    by: (app, pool) => app.aws.adminSetUserPassword({ ...ofUser(pool), Password: password, Permanent: true }),
  },
  'a reset of the password': { by: (app, pool) => app.aws.adminResetUserPassword(ofUser(pool)) },
  'signing out everywhere': { by: (app, pool) => app.aws.adminUserGlobalSignOut(ofUser(pool)) },
  'deleting the client': {
    by: (app, { poolId, clientId }) => app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId }),
  },
  'deleting the pool': { by: (app, { poolId }) => app.aws.deleteUserPool({ UserPoolId: poolId }) },
  'a lock after wrong passwords': {
    by: async (app, { poolId }) => {
      const clientId = await createClient(app, poolId, choiceFlows)
      for (let count = 1; count <= 5; count++) await failureOf(beginWithPassword(app, clientId, name, 'wrong'))
    },
  },
  'a second factor of the user': {
    by: async (app, pool) => {
      await app.aws.setUserPoolMfaConfig({
        UserPoolId: pool.poolId,
        MfaConfiguration: 'OPTIONAL',
        ...smsFactor,
        ...tokenFactor,
      })
      await app.aws.adminUpdateUserAttributes({
        ...ofUser(pool),
        UserAttributes: [{ Name: 'phone_number', Value: '+12065551234' }],
      })
      await app.aws.adminSetUserMFAPreference({ ...ofUser(pool), SMSMfaSettings: { Enabled: true } })
    },
    except: passwords,
  },
  'a pool that takes passwords only': {
    by: (app, { poolId }) =>
      app.aws.updateUserPool({
        UserPoolId: poolId,
        AutoVerifiedAttributes: ['email'],
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] } },
      }),
    except: passwords,
  },
  'a client without the choice': {
    by: (app, { poolId, clientId }) =>
      app.aws.updateUserPoolClient({
        UserPoolId: poolId,
        ClientId: clientId,
        ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      }),
    except: passwords,
  },
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  for (const [title, { by, except = [] }] of Object.entries(interruptions)) {
    test(`${title} between two steps refuses the next one`, async () => {
      for (const [index, [step, begin]] of Object.entries(steps).entries()) {
        if (except.includes(step)) continue
        const client: Client = index % 2 === 0 ? {} : { PreventUserExistenceErrors: 'ENABLED' }
        const { pool, next } = await begin(app, client)
        await by(app, pool)
        const sent = (await app.messages()).length
        const outcome = await next().then(
          () => 'no refusal',
          (error: Error) => error.name,
        )
        assert.match(
          outcome,
          /^(NotAuthorized|UserNotFound|PasswordResetRequired|ResourceNotFound|InvalidParameter)Exception$/,
          step,
        )
        assert.equal((await app.messages()).length, sent, step)
      }
      assert.deepEqual(app.logged, [])
    })
  }

  test('every step succeeds when nothing happens that concerns it', async () => {
    for (const begin of Object.values(steps)) {
      const { pool, next } = await begin(app, {})
      await app.aws.adminUpdateUserAttributes({
        ...ofUser(pool),
        UserAttributes: [{ Name: 'nickname', Value: 'annie' }],
      })
      await next()
    }
  })

  test('a code is no good for an address that has changed since', async () => {
    const { pool, next } = (await steps['a mailed code as first factor']?.(app, {})) ?? assert.fail()
    await app.aws.adminUpdateUserAttributes({ ...ofUser(pool), UserAttributes: [email('eve@example.com')] })
    assert.equal((await failureOf(next()))?.name, 'CodeMismatchException')
  })

  for (const [title, begin] of Object.entries(steps)) {
    test(`of 32 answers at once to ${title} one succeeds`, async () => {
      const { next } = await begin(app, {})
      const sent = (await app.messages()).length
      const failures = await Promise.all(Array.from({ length: 32 }, () => failureOf(next())))
      assert.equal(failures.filter(failure => failure === undefined).length, 1)
      for (const failure of failures) {
        assert.match(failure?.name ?? 'CodeMismatchException', /^(NotAuthorized|CodeMismatch)Exception$/)
      }
      const expected = title === 'the choice of a first factor' ? 1 : 0
      assert.equal((await app.messages()).length, sent + expected)
    })
  }
})
