import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  beginPasskey,
  choiceClient,
  createPasskeyPool,
  createPasskeyUser,
  newPasskey,
  offeredTo,
  passkeyRefused as refused,
  registerPasskey,
  type Saying,
  type TestPasskey,
} from '../../../test/support/passkeys.ts'
import { createClient, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  claimsOf,
  failureOf,
  notAuthorized,
  password,
  refresh,
  secretHash,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const noSession = notAuthorized('Invalid session for the user.')
const malformed = { name: 'InvalidParameterException', message: 'The passkey credential is not well formed.' }

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

  describe('the challenge', () => {
    test('asks for one of the passkeys of the user', async () => {
      const { username, access, passkey } = await newUser()
      app.advance(1)
      const roaming = await registerPasskey(app, access, newPasskey(), {
        attachment: 'cross-platform',
        transports: ['usb'],
      })
      const begun = await beginPasskey(app, pool, username)
      assert.equal(begun.challengeName, 'WEB_AUTHN')
      assert.deepEqual(Object.keys(begun.parameters ?? {}), ['CREDENTIAL_REQUEST_OPTIONS'])
      assert.match(begun.options.challenge, /^[\w-]{22}$/)
      assert.deepEqual(begun.options, {
        challenge: begun.options.challenge,
        rpId: 'example.com',
        timeout: 60_000,
        allowCredentials: [
          { type: 'public-key', id: passkey.id, transports: ['hybrid', 'internal'] },
          { type: 'public-key', id: roaming.id, transports: ['usb'] },
        ],
        userVerification: 'preferred',
      })
      assert.notEqual((await beginPasskey(app, pool, username)).options.challenge, begun.options.challenge)
    })

    test('comes with the list of what could be chosen, and by choice as well', async () => {
      const { username, passkey } = await newUser()
      const offered = ['PASSWORD', 'PASSWORD_SRP', 'WEB_AUTHN']
      assert.deepEqual((await beginPasskey(app, pool, username)).available, offered)
      const selection = await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: username },
      })
      assert.equal(selection.ChallengeName, 'SELECT_CHALLENGE')
      assert.deepEqual(selection.AvailableChallenges, offered)
      const chosen = await app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'SELECT_CHALLENGE',
        Session: selection.Session,
        ChallengeResponses: { USERNAME: username, ANSWER: 'WEB_AUTHN' },
      })
      assert.equal(chosen.ChallengeName, 'WEB_AUTHN')
      const options = JSON.parse(chosen.ChallengeParameters?.['CREDENTIAL_REQUEST_OPTIONS'] ?? '')
      const end = await app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'WEB_AUTHN',
        Session: chosen.Session,
        ChallengeResponses: { USERNAME: username, CREDENTIAL: passkey.assert(options) },
      })
      assert.equal(claimsOf(tokensOf(end).access)['username'], username)
    })

    test('cannot be left out: a credential that comes with the choice answers nothing', async () => {
      const { username, passkey } = await newUser()
      const { Session } = await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: username },
      })
      const CREDENTIAL = passkey.assert({ challenge: randomBytes(16).toString('base64url') })
      const chosen = await app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'SELECT_CHALLENGE',
        Session,
        ChallengeResponses: { USERNAME: username, ANSWER: 'WEB_AUTHN', CREDENTIAL },
      })
      assert.equal(chosen.ChallengeName, 'WEB_AUTHN')
      const direct = await beginPasskey(app, pool, username)
      const at = (Session: string | undefined) =>
        failureOf(
          app.aws.respondToAuthChallenge({
            ClientId: pool.clientId,
            ChallengeName: 'WEB_AUTHN',
            Session,
            ChallengeResponses: { USERNAME: username, CREDENTIAL: passkey.assert(direct.options) },
          }),
        )
      assert.deepEqual(await at(Session), noSession)
    })

    test('is there for administrators as well', async () => {
      const { username, passkey } = await newUser()
      const ids = { UserPoolId: pool.poolId, ClientId: pool.clientId }
      const begun = await app.aws.adminInitiateAuth({
        ...ids,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: username, PREFERRED_CHALLENGE: 'WEB_AUTHN' },
      })
      assert.equal(begun.ChallengeName, 'WEB_AUTHN')
      const options = JSON.parse(begun.ChallengeParameters?.['CREDENTIAL_REQUEST_OPTIONS'] ?? '')
      const end = await app.aws.adminRespondToAuthChallenge({
        ...ids,
        ChallengeName: 'WEB_AUTHN',
        Session: begun.Session,
        ChallengeResponses: { USERNAME: username, CREDENTIAL: passkey.assert(options) },
      })
      assert.equal(claimsOf(tokensOf(end).access)['username'], username)
    })

    test('is a choice of something else for a user without a passkey of the relying party', async () => {
      const own = await createPasskeyPool(app)
      const { username, access, passkey } = await newUser(own)
      await app.aws.setUserPoolMfaConfig({
        UserPoolId: own.poolId,
        WebAuthnConfiguration: { RelyingPartyId: 'app.example.com' },
      })
      assert.equal((await beginPasskey(app, own, username)).challengeName, 'SELECT_CHALLENGE')
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP'])
      await app.aws.setUserPoolMfaConfig({
        UserPoolId: own.poolId,
        WebAuthnConfiguration: { RelyingPartyId: 'example.com' },
      })
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP', 'WEB_AUTHN'])
      await app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: passkey.id })
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP'])
    })

    test('is not offered where the pool, the client or the status of the user leaves no passkeys', async () => {
      const own = await createPasskeyPool(app)
      const { username } = await newUser(own)
      const ids = { UserPoolId: own.poolId, Username: username }
      await app.aws.adminSetUserPassword({ ...ids, Password: password, Permanent: false })
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP'])
      await app.aws.adminSetUserPassword({ ...ids, Password: password, Permanent: true })
      assert.ok((await offeredTo(app, own, username))?.includes('WEB_AUTHN'))
      await app.aws.updateUserPool({
        UserPoolId: own.poolId,
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
      })
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP'])
      const other = await createClient(app, own.poolId, { ExplicitAuthFlows: allFlows })
      const failure = await failureOf(beginPasskey(app, { clientId: other }, username))
      assert.deepEqual(failure?.message, 'USER_AUTH flow not enabled for this client')
    })
  })

  describe('the answer', () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      test(`signed with ${algorithm} ends the sign-in with tokens`, async () => {
        const { username, passkey, sub } = await newUser(pool, newPasskey(algorithm))
        const begun = await beginPasskey(app, pool, username)
        const userHandle = Buffer.from(sub).toString('base64url')
        const tokens = tokensOf(await begun.answer(passkey.assert(begun.options, { userHandle })))
        assert.equal(claimsOf(tokens.id)['sub'], sub)
        for (const token of [tokens.id, tokens.access]) {
          const { acr, amr } = claimsOf(token)
          assert.deepEqual({ acr, amr }, { acr: 'urn:cognito:loa:3', amr: ['swk'] })
        }
        const renewed = await refresh(app, pool.clientId, tokens.refresh)
        assert.deepEqual(claimsOf(renewed.AuthenticationResult?.AccessToken ?? '')['amr'], ['swk'])
      })
    }

    test('of an authenticator that is plugged in says so in the tokens', async () => {
      const { username, passkey } = await newUser(pool, newPasskey(), { attachment: 'cross-platform' })
      const begun = await beginPasskey(app, pool, username)
      const { access } = tokensOf(await begun.answer(passkey.assert(begun.options)))
      assert.deepEqual(claimsOf(access)['amr'], ['hwk'])
      assert.equal(claimsOf(access)['acr'], 'urn:cognito:loa:3')
    })

    for (const [title, saying] of [
      ['from below the relying party', { origin: 'https://app.example.com' }],
      ['without verification of the user where that is only preferred', { userVerified: false }],
      ['with an empty handle of the user', { userHandle: '' }],
    ] as [string, Saying][]) {
      test(`is taken ${title}`, async () => {
        const { username, passkey } = await newUser()
        const begun = await beginPasskey(app, pool, username)
        assert.ok(tokensOf(await begun.answer(passkey.assert(begun.options, saying))).access)
      })
    }

    test('needs the secret hash of a client that has a secret', async () => {
      const { username, passkey } = await newUser()
      const { UserPoolClient } = await app.aws.createUserPoolClient({
        UserPoolId: pool.poolId,
        ClientName: 'secret',
        GenerateSecret: true,
        ...choiceClient,
      })
      const [clientId, secret] = [UserPoolClient?.ClientId ?? '', UserPoolClient?.ClientSecret ?? '']
      const SECRET_HASH = secretHash(username, clientId, secret)
      const begun = await beginPasskey(app, { clientId }, username, { SECRET_HASH })
      const credential = passkey.assert(begun.options)
      assert.equal((await failureOf(begun.answer(credential)))?.name, 'NotAuthorizedException')
      assert.equal(
        (await failureOf(begun.answer(credential, { SECRET_HASH: `${SECRET_HASH}A` })))?.name,
        'NotAuthorizedException',
      )
      assert.ok(tokensOf(await begun.answer(credential, { SECRET_HASH })).access)
    })
  })

  describe('an answer is refused', () => {
    for (const [title, saying] of [
      ['from another origin', { origin: 'https://example.org' }],
      ['over HTTP', { origin: 'http://example.com' }],
      ['from another port', { origin: 'https://example.com:8443' }],
      ['from inside of another page', { clientData: { crossOrigin: true } }],
      ['from below another page', { clientData: { topOrigin: 'https://example.com' } }],
      ['for another relying party', { relyingPartyId: 'example.org' }],
      ['as the proof of a registration', { type: 'webauthn.create' }],
      ['to another challenge', { challenge: randomBytes(16).toString('base64url') }],
      ['to an empty challenge', { challenge: '' }],
      ['without the user', { userPresent: false }],
      ['as a copy of what cannot be copied', { backedUp: true }],
      ['of a passkey that has become another kind', { backupEligible: true }],
      ['with the handle of another user', { userHandle: Buffer.from('another').toString('base64url') }],
      ['with bytes behind the data', { data: data => Buffer.concat([data, Buffer.alloc(1)]) }],
      ['with data that is too short', { data: data => data.subarray(0, 36) }],
      [
        'with extensions that are not there',
        { data: data => Buffer.concat([data.subarray(0, 32), Buffer.from([0x85]), data.subarray(33)]) },
      ],
      ['with a signature of nothing', { signature: () => Buffer.alloc(1) }],
      ['with bytes behind the signature', { signature: bytes => Buffer.concat([bytes, Buffer.alloc(1)]) }],
      [
        'with a signature in another spelling',
        { signature: bytes => Buffer.concat([Buffer.from([0x30, 0x81]), bytes.subarray(1)]) },
      ],
    ] as [string, Saying][]) {
      test(title, async () => {
        const { username, passkey } = await newUser()
        const begun = await beginPasskey(app, pool, username)
        assert.deepEqual(await failureOf(begun.answer(passkey.assert(begun.options, saying))), refused)
        assert.ok(tokensOf(await begun.answer(passkey.assert(begun.options))).access, 'the session is still good')
      })
    }

    test('of another user, of another pool, or of a passkey that was deleted', async () => {
      const [ann, bob] = [await newUser(), await newUser()]
      const begun = await beginPasskey(app, pool, ann.username)
      assert.deepEqual(await failureOf(begun.answer(bob.passkey.assert(begun.options))), refused)
      const stolen = newPasskey('ES256', { id: ann.passkey.id })
      assert.deepEqual(await failureOf(begun.answer(stolen.assert(begun.options))), refused)
      const elsewhere = await newUser(await createPasskeyPool(app), newPasskey('ES256', { id: ann.passkey.id }))
      assert.deepEqual(await failureOf(begun.answer(elsewhere.passkey.assert(begun.options))), refused)
      const spare = await registerPasskey(app, ann.access)
      await app.aws.deleteWebAuthnCredential({ AccessToken: ann.access, CredentialId: ann.passkey.id })
      assert.deepEqual(await failureOf(begun.answer(ann.passkey.assert(begun.options))), refused)
      assert.ok(tokensOf(await begun.answer(spare.assert(begun.options))).access)
    })

    test('without verification of the user where the pool requires it', async () => {
      const own = await createPasskeyPool(app, {
        webAuthn: { RelyingPartyId: 'example.com', UserVerification: 'required' },
      })
      const { username, passkey } = await newUser(own)
      const begun = await beginPasskey(app, own, username)
      assert.equal(begun.options.userVerification, 'required')
      const unverified = passkey.assert(begun.options, { userVerified: false })
      assert.deepEqual(await failureOf(begun.answer(unverified)), refused)
      assert.ok(tokensOf(await begun.answer(passkey.assert(begun.options))).access)
    })

    test('when it is no credential', async () => {
      const { username, passkey } = await newUser()
      const begun = await beginPasskey(app, pool, username)
      const good = JSON.parse(passkey.assert(begun.options)) as { response: Record<string, unknown> }
      const response = (change: Record<string, unknown>) =>
        JSON.stringify({ ...good, response: { ...good.response, ...change } })
      for (const text of [
        '{',
        'null',
        '[]',
        '"text"',
        '{}',
        ' '.repeat(40_000),
        JSON.stringify({ ...good, id: undefined }),
        JSON.stringify({ ...good, rawId: 'AAAA' }),
        JSON.stringify({ ...good, type: 'password' }),
        JSON.stringify({ ...good, id: 'a b', rawId: 'a b' }),
        JSON.stringify({ ...good, response: undefined }),
        response({ clientDataJSON: 1 }),
        response({ authenticatorData: undefined }),
        response({ authenticatorData: 'A'.repeat(6_000) }),
        response({ signature: 'a+b=' }),
        response({ signature: 'A'.repeat(1_000) }),
        response({ userHandle: 1 }),
        response({ userHandle: 'A'.repeat(200) }),
      ]) {
        assert.deepEqual(await failureOf(begun.answer(text)), malformed, text.slice(0, 100))
      }
      const missing = await failureOf(begun.answer(''))
      assert.equal(missing?.message, 'Missing required parameter CREDENTIAL')
      for (const clientDataJSON of ['{', 'null', '[]', '"text"', '{"type":"webauthn.get"}']) {
        const encoded = Buffer.from(clientDataJSON).toString('base64url')
        assert.deepEqual(await failureOf(begun.answer(response({ clientDataJSON: encoded }))), refused)
        app.advance(seconds(2))
      }
    })
  })

  describe('the counter of an authenticator', () => {
    const counted = async () => newUser(pool, newPasskey(), { signCount: 5 })
    const answer = async (user: Awaited<ReturnType<typeof counted>>, signCount: number) => {
      const begun = await beginPasskey(app, pool, user.username)
      return failureOf(begun.answer(user.passkey.assert(begun.options, { signCount })))
    }

    test('moves on', async () => {
      const user = await counted()
      for (const signCount of [6, 7, 4_294_967_295]) assert.equal(await answer(user, signCount), undefined)
    })

    test('that stands still or goes back is that of a copy, which is refused and recorded', async () => {
      const user = await counted()
      assert.equal(await answer(user, 9), undefined)
      for (const signCount of [9, 8, 0]) assert.deepEqual(await answer(user, signCount), refused)
      const events = app.events.filter(({ name }) => name === 'PasskeyCounter')
      assert.deepEqual(events.slice(-1)[0], {
        name: 'PasskeyCounter',
        result: 'Fail',
        userPoolId: pool.poolId,
        clientId: pool.clientId,
        userId: user.sub,
        credentialId: user.passkey.id,
      })
      assert.equal(await answer(user, 10), undefined)
    })

    test('may begin late, and may stay at zero', async () => {
      const user = await newUser()
      for (const signCount of [0, 0, 1, 2]) assert.equal(await answer(user, signCount), undefined)
      assert.deepEqual(await answer(user, 0), refused)
    })

    test('lets one of two sign-ins through that bring the same count', async () => {
      const user = await counted()
      const begun = await Promise.all(Array.from({ length: 8 }, () => beginPasskey(app, pool, user.username)))
      const failures = await Promise.all(
        begun.map(({ answer, options }) => failureOf(answer(user.passkey.assert(options, { signCount: 6 })))),
      )
      assert.equal(failures.filter(failure => failure === undefined).length, 1)
    })
  })
})
