import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  beginPasskey,
  choiceClient,
  createPasskeyPool,
  createPasskeyUser,
  newPasskey,
  offeredTo,
  passkeyRefused as refused,
  type Saying,
  type TestPasskey,
} from '../../../test/support/passkeys.ts'
import { createClient, email, type TestPool } from '../../../test/support/pools.ts'
import { beginWithPassword, exceeded, failureOf, notAuthorized, password } from '../../../test/support/sign-in.ts'

const noSession = notAuthorized('Invalid session for the user.')
const used = notAuthorized('Invalid session for the user, session can only be used once.')

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool
  let users = 0

  before(async () => {
    app = await testApp()
    pool = await createPasskeyPool(app, { client: { PreventUserExistenceErrors: 'ENABLED' } })
  })

  const newUser = (in_: TestPool = pool, passkey?: TestPasskey, saying?: Saying) => {
    users += 1
    return createPasskeyUser(app, in_, `user-${users}`, passkey, saying)
  }

  describe('a session', () => {
    test('is good for one of 32 answers at the same time', async () => {
      const { username, passkey } = await newUser()
      const begun = await beginPasskey(app, pool, username)
      const same = passkey.assert(begun.options)
      const failures = await Promise.all(
        Array.from({ length: 32 }, (_, index) =>
          failureOf(begun.answer(index % 2 === 0 ? same : passkey.assert(begun.options))),
        ),
      )
      assert.equal(failures.filter(failure => failure === undefined).length, 1)
      for (const failure of failures) if (failure !== undefined) assert.deepEqual(failure, used)
      assert.deepEqual(await failureOf(begun.answer(same)), used)
    })

    test('is for the user, the client and the challenge that it was made for', async () => {
      const [ann, bob] = [await newUser(), await newUser()]
      const [forAnn, forBob] = [
        await beginPasskey(app, pool, ann.username),
        await beginPasskey(app, pool, bob.username),
      ]
      const credential = ann.passkey.assert(forAnn.options)
      assert.deepEqual(await failureOf(forBob.answer(credential)), refused)
      assert.deepEqual(await failureOf(forBob.answer(credential, { USERNAME: ann.username })), noSession)
      assert.deepEqual(await failureOf(forAnn.answer(credential, { USERNAME: bob.username })), noSession)
      const respond = (change: object) =>
        failureOf(
          app.aws.respondToAuthChallenge({
            ClientId: pool.clientId,
            ChallengeName: 'WEB_AUTHN',
            Session: forAnn.session,
            ChallengeResponses: { USERNAME: ann.username, CREDENTIAL: credential },
            ...change,
          }),
        )
      const otherClient = await createClient(app, pool.poolId, choiceClient)
      assert.deepEqual(await respond({ ClientId: otherClient }), noSession)
      for (const ChallengeName of [
        'SOFTWARE_TOKEN_MFA',
        'SELECT_CHALLENGE',
        'PASSWORD',
        'EMAIL_OTP',
        'SMS_OTP',
      ] as const) {
        const ChallengeResponses = {
          USERNAME: ann.username,
          CREDENTIAL: credential,
          ANSWER: 'WEB_AUTHN',
          PASSWORD: password,
          SOFTWARE_TOKEN_MFA_CODE: '123456',
          EMAIL_OTP_CODE: '12345678',
          SMS_OTP_CODE: '12345678',
        }
        assert.deepEqual(await respond({ ChallengeName, ChallengeResponses }), noSession, ChallengeName)
      }
      assert.equal((await respond({ Session: undefined }))?.name, 'InvalidParameterException')
      assert.equal(await respond({}), undefined)
    })

    test('lasts as long as the client says', async () => {
      const { username, passkey } = await newUser()
      const begun = await beginPasskey(app, pool, username)
      app.advance(minutes(3))
      const failure = await failureOf(begun.answer(passkey.assert(begun.options)))
      assert.deepEqual(failure, notAuthorized('Invalid session for the user, session is expired.'))
    })

    for (const [title, interrupt, error] of [
      ['disabling', ids => app.aws.adminDisableUser(ids), notAuthorized('User is disabled.')],
      ['deletion', ids => app.aws.adminDeleteUser(ids), noSession],
      [
        'another password',
        ids => app.aws.adminSetUserPassword({ ...ids, Password: `${password}2`, Permanent: true }),
        noSession,
      ],
      [
        'a reset',
        async ids => {
          await app.aws.adminUpdateUserAttributes({
            ...ids,
            UserAttributes: [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }],
          })
          await app.aws.adminResetUserPassword(ids)
        },
        noSession,
      ],
      ['signing out everywhere', ids => app.aws.adminUserGlobalSignOut(ids), noSession],
      [
        'the end of passkeys',
        ({ UserPoolId }) =>
          app.aws.updateUserPool({ UserPoolId, Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] } } }),
        noSession,
      ],
      [
        'another relying party',
        ({ UserPoolId }) =>
          app.aws.setUserPoolMfaConfig({ UserPoolId, WebAuthnConfiguration: { RelyingPartyId: 'app.example.com' } }),
        noSession,
      ],
      [
        'deletion of the passkey',
        async (_, access, CredentialId) => app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId }),
        noSession,
      ],
      [
        'deletion of the client',
        ({ UserPoolId }, _, __, ClientId) => app.aws.deleteUserPoolClient({ UserPoolId, ClientId }),
        undefined,
      ],
    ] as [
      string,
      (
        ids: { UserPoolId: string; Username: string },
        access: string,
        credentialId: string,
        clientId: string,
      ) => Promise<unknown>,
      object | undefined,
    ][]) {
      test(`is not answered after ${title}`, async () => {
        const own = await createPasskeyPool(app)
        const { username, access, passkey } = await newUser(own)
        const begun = await beginPasskey(app, own, username)
        await interrupt({ UserPoolId: own.poolId, Username: username }, access, passkey.id, own.clientId)
        const failure = await failureOf(begun.answer(passkey.assert(begun.options)))
        if (error === undefined) assert.equal(failure?.name, 'ResourceNotFoundException')
        else assert.deepEqual(failure, error)
      })
    }
  })

  describe('wrong answers', () => {
    test('lock the user out as wrong passwords do', async () => {
      const { username, passkey } = await newUser()
      const begun = await beginPasskey(app, pool, username)
      const wrong = () => failureOf(begun.answer(passkey.assert(begun.options, { challenge: 'AAAA' })))
      for (let count = 0; count < 5; count += 1) assert.deepEqual(await wrong(), refused)
      assert.deepEqual(await wrong(), exceeded)
      assert.deepEqual(await failureOf(begun.answer(passkey.assert(begun.options))), exceeded)
      assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, username)), exceeded)
      assert.deepEqual(await failureOf(beginPasskey(app, pool, username)), exceeded)
      app.advance(seconds(1))
      assert.equal(await failureOf(begun.answer(passkey.assert(begun.options))), undefined)
    })

    test('are recorded', async () => {
      const { username, passkey, sub } = await newUser()
      const begun = await beginPasskey(app, pool, username)
      await failureOf(begun.answer(passkey.assert(begun.options, { challenge: 'AAAA' })))
      await begun.answer(passkey.assert(begun.options))
      const own = app.events.filter(event => event.name === 'SignIn' && event['userId'] === sub)
      assert.deepEqual(
        own.slice(-2).map(({ result, flow }) => [result, flow]),
        [
          ['Fail', 'USER_AUTH'],
          ['Pass', 'USER_AUTH'],
        ],
      )
    })
  })

  describe('a name that nobody has', () => {
    /** A name for which the pool pretends that it has a passkey, or not. */
    const nobody = async (in_: TestPool, seems: boolean): Promise<string> => {
      for (;;) {
        const name = `nobody-${randomBytes(6).toString('hex')}`
        if (((await beginPasskey(app, in_, name)).challengeName === 'WEB_AUTHN') === seems) return name
      }
    }

    test('is as likely to have a passkey as not, and always answers alike', async () => {
      const names = [await nobody(pool, true), await nobody(pool, false)]
      for (const name of names) {
        const [one, other] = [await beginPasskey(app, pool, name), await beginPasskey(app, pool, name)]
        assert.equal(one.challengeName, other.challengeName)
        assert.deepEqual(one.available, other.available)
        assert.deepEqual(one.options.allowCredentials, other.options.allowCredentials)
        assert.deepEqual((await offeredTo(app, pool, name))?.includes('WEB_AUTHN'), name === names[0])
      }
    })

    test('is asked like a user', async () => {
      const { username } = await newUser()
      const name = await nobody(pool, true)
      const [known, unknown] = [await beginPasskey(app, pool, username), await beginPasskey(app, pool, name)]
      assert.deepEqual(Object.keys(unknown.options), Object.keys(known.options))
      assert.deepEqual(
        { ...unknown.options, challenge: '', allowCredentials: [] },
        { ...known.options, challenge: '', allowCredentials: [] },
      )
      assert.equal(unknown.options.allowCredentials.length, 1)
      assert.deepEqual(
        Object.keys(unknown.options.allowCredentials[0] ?? {}),
        Object.keys(known.options.allowCredentials[0] ?? {}),
      )
      assert.match(unknown.options.allowCredentials[0]?.id ?? '', /^[\w-]{22,43}$/)
      assert.equal(unknown.session?.length, known.session?.length)
      assert.deepEqual(Object.keys(unknown.parameters ?? {}), Object.keys(known.parameters ?? {}))
      assert.deepEqual(unknown.available, known.available)
      const other = await beginPasskey(app, pool, await nobody(pool, true))
      assert.notDeepEqual(other.options.allowCredentials, unknown.options.allowCredentials)
    })

    test('is refused like a user, and locked out like one', async () => {
      const name = await nobody(pool, true)
      const begun = await beginPasskey(app, pool, name)
      const forged = newPasskey('ES256', { id: begun.options.allowCredentials[0]?.id ?? '' })
      const wrong = () => failureOf(begun.answer(forged.assert(begun.options)))
      for (let count = 0; count < 5; count += 1) assert.deepEqual(await wrong(), refused)
      assert.deepEqual(await wrong(), exceeded)
      assert.deepEqual(await failureOf(begun.answer('{}')), exceeded)
      assert.deepEqual(await failureOf(beginPasskey(app, pool, name)), exceeded)
    })

    test('is told from a user by a client that tells', async () => {
      const own = await createPasskeyPool(app, { client: { ...choiceClient, PreventUserExistenceErrors: 'LEGACY' } })
      assert.equal((await failureOf(beginPasskey(app, own, 'nobody')))?.name, 'UserNotFoundException')
    })
  })

  test('a disabled user of a client that tells nothing is asked as ever and told at the end', async () => {
    const { username, passkey } = await newUser()
    await app.aws.adminDisableUser({ UserPoolId: pool.poolId, Username: username })
    const begun = await beginPasskey(app, pool, username)
    assert.equal(begun.challengeName, 'WEB_AUTHN')
    assert.deepEqual(await failureOf(begun.answer(passkey.assert(begun.options, { challenge: 'AAAA' }))), refused)
    assert.deepEqual(await failureOf(begun.answer(passkey.assert(begun.options))), notAuthorized('User is disabled.'))
  })
})
