import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { days, hours, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createPool, email, passwordFlow, signIn, type TestPool } from '../../../test/support/pools.ts'
import { claimsOf, incorrect } from '../../../test/support/sign-in.ts'
import { chrome, eventsOf, home, Password, signInFrom, watchedPool } from '../../../test/support/threat-protection.ts'

const notEnabled = { name: 'UserPoolAddOnNotEnabledException', message: 'User pool add-ons are not enabled.' }
const hiding = { PreventUserExistenceErrors: 'ENABLED' } as const

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const list = ({ poolId }: TestPool, more: { Username?: string; MaxResults?: number; NextToken?: string } = {}) =>
    app.aws.adminListUserAuthEvents({ UserPoolId: poolId, Username: 'ann', ...more })

  describe('the history of a user', () => {
    test('shows a sign-in with the challenges that were passed, and the tokens name its event', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      const { AuthenticationResult } = await signInFrom(app, pool, home)
      const events = await eventsOf(app, pool)
      assert.equal(events.length, 1)
      const [event] = events
      assert.match(event?.EventId ?? '', /^[\w+-]{1,50}$/)
      assert.deepEqual(event, {
        EventId: event?.EventId,
        EventType: 'SignIn',
        CreationDate: new Date(app.now()),
        EventResponse: 'Pass',
        EventRisk: { RiskDecision: 'NoRisk', CompromisedCredentialsDetected: false },
        ChallengeResponses: [{ ChallengeName: 'Password', ChallengeResponse: 'Success' }],
        EventContextData: { IpAddress: '198.51.100.7', DeviceName: 'Chrome 126, Windows 10' },
      })
      for (const token of [AuthenticationResult?.AccessToken, AuthenticationResult?.IdToken]) {
        assert.equal(claimsOf(token ?? '')['event_id'], event?.EventId)
      }
    })

    test('refreshed tokens keep the event of their sign-in, and a refresh leaves none', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      const { AuthenticationResult } = await signInFrom(app, pool, home)
      const refreshed = await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: AuthenticationResult?.RefreshToken ?? '' },
      })
      const [event, ...others] = await eventsOf(app, pool)
      assert.deepEqual(others, [])
      const { AccessToken = '' } = refreshed.AuthenticationResult ?? {}
      assert.equal(claimsOf(AccessToken)['event_id'], event?.EventId)
      assert.equal((await app.aws.getUser({ AccessToken })).Username, 'ann')
      await app.aws.adminUserGlobalSignOut({ UserPoolId: pool.poolId, Username: 'ann' })
      await assert.rejects(app.aws.getUser({ AccessToken }), { message: 'Access Token has been revoked' })
    })

    test('shows a wrong password, with the address that a public client calls from', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      await assert.rejects(signIn(app, pool.clientId, 'ann', 'wrong'), incorrect)
      const [event] = await eventsOf(app, pool)
      assert.equal(event?.EventResponse, 'Fail')
      assert.deepEqual(event?.ChallengeResponses, [{ ChallengeName: 'Password', ChallengeResponse: 'Failure' }])
      assert.equal(event?.EventContextData?.IpAddress, '127.0.0.1')
    })

    test('shows sign-up, codes, recovery and password changes', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      const named = { ClientId: pool.clientId, Username: 'bob' }
      await app.aws.signUp({ ...named, Password, UserAttributes: [email('bob@example.com')] })
      app.advance(seconds(1))
      await app.aws.resendConfirmationCode(named)
      await app.aws.confirmSignUp({ ...named, ConfirmationCode: await app.lastCode('bob@example.com') })
      app.advance(seconds(1))
      await app.aws.forgotPassword(named)
      app.advance(seconds(1))
      const change = { ...named, Password: `${Password}-2` }
      await assert.rejects(app.aws.confirmForgotPassword({ ...change, ConfirmationCode: '000000' }), {
        name: 'CodeMismatchException',
      })
      app.advance(seconds(1))
      await app.aws.confirmForgotPassword({ ...change, ConfirmationCode: await app.lastCode('bob@example.com') })
      app.advance(seconds(1))
      const { AuthenticationResult } = await signIn(app, pool.clientId, 'bob', change.Password)
      app.advance(seconds(1))
      const { AccessToken = '' } = AuthenticationResult ?? {}
      const proposed = { AccessToken, ProposedPassword: `${Password}-3` }
      await assert.rejects(app.aws.changePassword({ ...proposed, PreviousPassword: 'wrong' }), incorrect)
      app.advance(seconds(1))
      await app.aws.changePassword({ ...proposed, PreviousPassword: change.Password })
      assert.deepEqual(
        (await eventsOf(app, pool, 'bob')).map(event => `${event.EventType} ${event.EventResponse}`).reverse(),
        [
          'SignUp Pass',
          'ResendCode InProgress',
          'ForgotPassword InProgress',
          'PasswordChange Fail',
          'PasswordChange Pass',
          'SignIn Pass',
          'PasswordChange Fail',
          'PasswordChange Pass',
        ],
      )
    })

    test('shows that a temporary password was replaced, in a sign-in that was in progress until then', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      const named = { UserPoolId: pool.poolId, Username: 'bob' }
      await app.aws.adminCreateUser({ ...named, TemporaryPassword: Password, MessageAction: 'SUPPRESS' })
      const begun = await signIn(app, pool.clientId, 'bob', Password)
      assert.deepEqual((await eventsOf(app, pool, 'bob'))[0]?.EventResponse, 'InProgress')
      app.advance(seconds(1))
      const answered = await app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        Session: begun.Session,
        ChallengeResponses: { USERNAME: 'bob', NEW_PASSWORD: `${Password}-2` },
      })
      const events = await eventsOf(app, pool, 'bob')
      assert.deepEqual(
        events.map(event => `${event.EventType} ${event.EventResponse}`),
        ['PasswordChange Pass', 'SignIn Pass'],
      )
      const claims = claimsOf(answered.AuthenticationResult?.AccessToken ?? '')
      assert.equal(claims['event_id'], events[1]?.EventId)
    })

    test('comes in pages, each event once, the newest first', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      for (let count = 0; count < 7; count += 1) {
        await signInFrom(app, pool, home)
        if (count % 2 === 0) app.advance(seconds(1))
      }
      const found: { id: string | undefined; at: number }[] = []
      let NextToken: string | undefined
      do {
        const page = await list(pool, { MaxResults: 3, ...(NextToken !== undefined && { NextToken }) })
        found.push(...(page.AuthEvents ?? []).map(event => ({ id: event.EventId, at: Number(event.CreationDate) })))
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      assert.equal(new Set(found.map(({ id }) => id)).size, 7)
      assert.deepEqual(
        found.map(({ at }) => at),
        found.map(({ at }) => at).toSorted((one, other) => other - one),
      )
      assert.equal((await list(pool, { MaxResults: 0 })).AuthEvents?.length, 7)
    })

    test('a token of one list opens no other', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      for (let count = 0; count < 3; count += 1) await signInFrom(app, pool, home)
      const { NextToken = '' } = await list(pool, { MaxResults: 1 })
      const other = await watchedPool(app, 'AUDIT')
      const refused = { name: 'InvalidParameterException', message: 'Invalid pagination token.' }
      await assert.rejects(list(other, { NextToken }), refused)
      await assert.rejects(list(pool, { NextToken: `x${NextToken}` }), refused)
      await assert.rejects(list(pool, { MaxResults: 61 }), { name: 'InvalidParameterException' })
    })

    test('is refused where threat protection is off, and for users and pools that do not exist', async () => {
      const pool = await createPool(app, { UserPoolTier: 'PLUS' }, passwordFlow)
      await assert.rejects(list(pool), notEnabled)
      await assert.rejects(list({ ...pool, poolId: 'us-east-1_nobody' }), { name: 'ResourceNotFoundException' })
      const watched = await watchedPool(app, 'AUDIT')
      await assert.rejects(list(watched, { Username: 'nobody' }), { name: 'UserNotFoundException' })
    })
  })

  describe('recording', () => {
    const count = async (poolId: string) => {
      const rows = await app.database.db
        .selectFrom('auth_events')
        .selectAll()
        .where('pool_id', '=', poolId)
        .orderBy('created_at')
        .execute()
      return rows
    }

    test('begins and ends with the mode of the pool', async () => {
      const pool = await createPool(app, { UserPoolTier: 'PLUS' }, passwordFlow)
      const named = { ClientId: pool.clientId, Username: 'ann' }
      await app.aws.signUp({ ...named, Password, UserAttributes: [email('ann@example.com')] })
      await app.aws.adminConfirmSignUp({ UserPoolId: pool.poolId, Username: 'ann' })
      await signIn(app, pool.clientId, 'ann', Password)
      assert.deepEqual(await count(pool.poolId), [])
      const update = { UserPoolId: pool.poolId, UserPoolTier: 'PLUS' as const }
      await app.aws.updateUserPool({ ...update, UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } })
      await signIn(app, pool.clientId, 'ann', Password)
      await app.aws.updateUserPool(update)
      await signIn(app, pool.clientId, 'ann', Password)
      assert.equal((await count(pool.poolId)).length, 1)
    })

    test('does the same work for a name that nobody has, and shows the event to nobody', async () => {
      const pool = await watchedPool(app, 'AUDIT', {}, hiding)
      await assert.rejects(signIn(app, pool.clientId, 'ann', 'wrong'), incorrect)
      await assert.rejects(signIn(app, pool.clientId, 'nobody', 'wrong'), incorrect)
      await app.aws.forgotPassword({ ClientId: pool.clientId, Username: 'nobody' })
      const rows = await count(pool.poolId)
      assert.deepEqual(rows.map(row => [row.type, row.response, row.user_id !== null]).toSorted(), [
        ['ForgotPassword', 'InProgress', false],
        ['SignIn', 'Fail', false],
        ['SignIn', 'Fail', true],
      ])
      assert.ok(rows.every(row => !JSON.stringify(row).includes('nobody')))
      app.advance(days(1))
      await app.app.tick()
      assert.deepEqual(
        (await count(pool.poolId)).map(row => row.user_id !== null),
        [true],
      )
    })

    test('forgets events after two years', async () => {
      const own = await testApp()
      const pool = await watchedPool(own, 'AUDIT')
      await signInFrom(own, pool, home)
      own.advance(days(730) - 1)
      await own.app.tick()
      assert.equal((await eventsOf(own, pool)).length, 1)
      own.advance(1)
      assert.deepEqual(await eventsOf(own, pool), [])
      await own.app.tick()
      const { left } = await own.database.db
        .selectFrom('auth_events')
        .select(({ fn }) => fn.countAll<number>().as('left'))
        .executeTakeFirstOrThrow()
      assert.equal(left, 0)
    })

    test('keeps a thousand events of each response, so that failures push no sign-in out', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      await signInFrom(app, pool, home)
      app.advance(hours(1))
      await assert.rejects(signInFrom(app, pool, home, { password: 'wrong' }), incorrect)
      const [first] = (await count(pool.poolId)).filter(row => row.response === 'Fail')
      assert.ok(first)
      const copies = Array.from({ length: 1_200 }, (_, index) => ({
        ...first,
        id: `copy-${index}-${pool.poolId}`,
        created_at: first.created_at + index,
      }))
      for (let start = 0; start < copies.length; start += 400) {
        await app.database.db
          .insertInto('auth_events')
          .values(copies.slice(start, start + 400))
          .execute()
      }
      app.advance(hours(1))
      await assert.rejects(signInFrom(app, pool, home, { password: 'wrong' }), incorrect)
      const kept = await count(pool.poolId)
      assert.equal(kept.filter(row => row.response === 'Fail').length, 1_000)
      assert.equal(kept.filter(row => row.response === 'Pass').length, 1)
      assert.equal(kept.at(-1)?.created_at, app.now())
    })

    test('goes with the user and with the pool', async () => {
      const pool = await watchedPool(app, 'AUDIT', {}, hiding)
      await signInFrom(app, pool, home)
      await assert.rejects(signIn(app, pool.clientId, 'nobody', 'wrong'), incorrect)
      await app.aws.adminDeleteUser({ UserPoolId: pool.poolId, Username: 'ann' })
      assert.equal((await count(pool.poolId)).length, 1)
      await app.aws.deleteUserPool({ UserPoolId: pool.poolId })
      await app.app.tick()
      assert.deepEqual(await count(pool.poolId), [])
    })
  })

  describe('where a request comes from', () => {
    const encoded = (poolId: string, data: object) =>
      Buffer.from(
        JSON.stringify({
          payload: JSON.stringify({ contextData: data, userPoolId: poolId, username: 'ann', timestamp: '0' }),
          signature: 'x',
          version: 'JS20171115',
        }),
      ).toString('base64')

    const signInWith = (pool: TestPool, UserContextData: { IpAddress?: string; EncodedData?: string }) =>
      app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: Password },
        UserContextData,
      })

    test('the data of the context library tell device and time zone', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      const EncodedData = encoded(pool.poolId, { UserAgent: chrome, DeviceId: '1', ClientTimezone: '-07:00' })
      await signInWith(pool, { EncodedData })
      assert.deepEqual((await eventsOf(app, pool))[0]?.EventContextData, {
        IpAddress: '127.0.0.1',
        DeviceName: 'Chrome 126, Windows 10',
        Timezone: '-07:00',
      })
    })

    test('a public client cannot tell an address', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      for (const IpAddress of ['203.0.113.9', 'nonsense']) {
        await signInWith(pool, { IpAddress, EncodedData: 'nonsense' })
        assert.equal((await eventsOf(app, pool))[0]?.EventContextData?.IpAddress, '127.0.0.1')
      }
    })

    test('a client with a secret can, where it propagates additional data', async () => {
      const { createHmac } = await import('node:crypto')
      for (const [EnablePropagateAdditionalUserContextData, expected] of [
        [true, '203.0.113.9'],
        [false, '127.0.0.1'],
      ] as const) {
        const pool = await watchedPool(
          app,
          'AUDIT',
          {},
          { GenerateSecret: true, EnablePropagateAdditionalUserContextData },
        )
        const { UserPoolClient } = await app.aws.describeUserPoolClient({
          UserPoolId: pool.poolId,
          ClientId: pool.clientId,
        })
        const hmac = createHmac('sha256', UserPoolClient?.ClientSecret ?? '').update(`ann${pool.clientId}`)
        const SECRET_HASH = hmac.digest('base64')
        const signInAt = (IpAddress: string) =>
          app.aws.initiateAuth({
            ClientId: pool.clientId,
            AuthFlow: 'USER_PASSWORD_AUTH',
            AuthParameters: { USERNAME: 'ann', PASSWORD: Password, SECRET_HASH },
            UserContextData: { IpAddress },
          })
        await signInAt('203.0.113.9')
        assert.equal((await eventsOf(app, pool))[0]?.EventContextData?.IpAddress, expected)
        if (EnablePropagateAdditionalUserContextData) {
          await assert.rejects(signInAt('203.0.113.999'), {
            name: 'InvalidParameterException',
            message: 'IpAddress must be an IPv4 or IPv6 address.',
          })
        }
      }
    })

    test('a server without ContextData tells neither address nor device', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      await app.aws.adminInitiateAuth({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: Password },
      })
      assert.deepEqual((await eventsOf(app, pool))[0]?.EventContextData, {})
    })
  })
})
