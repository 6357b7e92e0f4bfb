import assert from 'node:assert/strict'
import { createHash, sign } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { hours, minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  attestationOf,
  completeRegistration,
  createPasskeyPool,
  newPasskey,
  registerPasskey,
  type Saying,
  startRegistration,
  type TestPasskey,
} from '../../../test/support/passkeys.ts'
import { createClient, email, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  claimsOf,
  createUser,
  failureOf,
  notAuthorized,
  password,
  refresh,
  signIn,
} from '../../../test/support/sign-in.ts'

const noChallenge = {
  name: 'WebAuthnChallengeNotFoundException',
  message: 'The passkey challenge does not exist or has expired.',
}
const otherOrigin = {
  name: 'WebAuthnOriginNotAllowedException',
  message: 'The origin of the passkey is not allowed.',
}
const notSupported = (message: string) => ({ name: 'WebAuthnCredentialNotSupportedException', message })
const _format = notSupported('The attestation format of the passkey is not supported.')
const notEnabled = { name: 'WebAuthnNotEnabledException', message: 'Passkeys are not enabled for the user pool.' }

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool
  let users = 0

  before(async () => {
    app = await testApp()
    pool = await createPasskeyPool(app)
  })

  const newUser = async (in_: TestPool = pool, attributes = [email('ann@example.com')]) => {
    users += 1
    const username = `user-${users}`
    await createUser(app, in_.poolId, username, attributes)
    return { username, ...(await signIn(app, in_.clientId, username)) }
  }

  const list = async (AccessToken: string) => (await app.aws.listWebAuthnCredentials({ AccessToken })).Credentials ?? []

  /** What becomes of a registration in which the authenticator or the browser says this. */
  const outcome = async (saying: Saying, passkey: TestPasskey = newPasskey(), in_: TestPool = pool) => {
    const { access } = await newUser(in_)
    const options = await startRegistration(app, access)
    const failure = await failureOf(completeRegistration(app, access, passkey.register(options, saying)))
    assert.equal((await list(access)).length, failure === undefined ? 1 : 0)
    return failure
  }

  describe('what the authenticator is asked for', () => {
    test('has the members that Cognito gives it, and no other', async () => {
      const { access, username } = await newUser(pool, [email('ann@example.com'), { Name: 'name', Value: 'Ann' }])
      const options = await startRegistration(app, access)
      assert.match(options.challenge, /^[\w-]{22}$/)
      assert.deepEqual(options, {
        rp: { id: 'example.com', name: 'example.com' },
        user: {
          id: Buffer.from(claimsOf(access)['sub'] as string).toString('base64url'),
          name: username,
          displayName: 'Ann',
        },
        challenge: options.challenge,
        pubKeyCredParams: [
          { type: 'public-key', alg: -7 },
          { type: 'public-key', alg: -257 },
        ],
        timeout: 60_000,
        excludeCredentials: [],
        authenticatorSelection: {
          requireResidentKey: true,
          residentKey: 'required',
          userVerification: 'preferred',
        },
      })
    })

    test('names the passkeys that the user has, for the relying party of now', async () => {
      const own = await createPasskeyPool(app)
      const { access } = await newUser(own)
      const passkey = await registerPasskey(app, access)
      assert.deepEqual((await startRegistration(app, access)).excludeCredentials, [
        { type: 'public-key', id: passkey.id },
      ])
      const WebAuthnConfiguration = { RelyingPartyId: 'example.org', UserVerification: 'required' as const }
      await app.aws.setUserPoolMfaConfig({ UserPoolId: own.poolId, WebAuthnConfiguration })
      const options = await startRegistration(app, access)
      assert.deepEqual(options.excludeCredentials, [])
      assert.equal(options.rp.id, 'example.org')
      assert.equal(
        (options as unknown as { authenticatorSelection: { userVerification: string } }).authenticatorSelection
          .userVerification,
        'required',
      )
    })

    test('calls the user by the address in a pool that signs in with addresses', async () => {
      const own = await createPasskeyPool(app, { pool: { UsernameAttributes: ['email'] } })
      await createUser(app, own.poolId, 'ann@example.com')
      const { access } = await signIn(app, own.clientId, 'ann@example.com')
      const { user } = await startRegistration(app, access)
      assert.equal(user.name, 'ann@example.com')
      assert.equal(user.displayName, 'ann@example.com')
    })

    test('is for the custom domain of the pool, else for its prefix, when no relying party is named', async () => {
      const own = await createPasskeyPool(app, { webAuthn: {} })
      const { access } = await newUser(own)
      assert.deepEqual(await failureOf(startRegistration(app, access)), {
        name: 'WebAuthnConfigurationMissingException',
        message: 'The user pool has neither a relying party ID nor a domain, and one of them is needed for passkeys.',
      })
      const prefix = `prefix-${users}`
      await app.aws.createUserPoolDomain({ UserPoolId: own.poolId, Domain: prefix })
      assert.equal((await startRegistration(app, access)).rp.id, `${prefix}.localhost`)
      const custom = `auth${users}.example.com`
      await app.aws.createUserPoolDomain({
        UserPoolId: own.poolId,
        Domain: custom,
        CustomDomainConfig: {
          CertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012',
        },
      })
      assert.equal((await startRegistration(app, access)).rp.id, custom)
    })

    test('is refused in a pool without passkeys, and so is an answer', async () => {
      const own = await createPasskeyPool(app)
      const { access } = await newUser(own)
      const options = await startRegistration(app, access)
      await app.aws.updateUserPool({
        UserPoolId: own.poolId,
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] } },
      })
      assert.deepEqual(await failureOf(startRegistration(app, access)), notEnabled)
      assert.deepEqual(await failureOf(completeRegistration(app, access, newPasskey().register(options))), notEnabled)
    })

    test('is refused to a user of an identity provider, who signs in there', async () => {
      const { access, username } = await newUser()
      await app.database.db
        .updateTable('users')
        .set({ status: 'EXTERNAL_PROVIDER' })
        .where('username', '=', username)
        .execute()
      assert.deepEqual(await failureOf(startRegistration(app, access)), {
        name: 'WebAuthnNotEnabledException',
        message: 'Users of an identity provider cannot have passkeys.',
      })
    })

    test('is offered in a pool where passkeys are no first factor and count for two', async () => {
      const own = await createPasskeyPool(app, {
        webAuthn: { RelyingPartyId: 'example.com', FactorConfiguration: 'MULTI_FACTOR_WITH_USER_VERIFICATION' },
        pool: { Policies: {} },
      })
      const { access } = await newUser(own)
      await registerPasskey(app, access)
    })
  })

  describe('a passkey is registered', () => {
    test('with a key of either kind, and is listed', async () => {
      const { access } = await newUser()
      const [first, second] = [newPasskey('ES256'), newPasskey('RS256')]
      await registerPasskey(app, access, first)
      app.advance(seconds(1))
      await registerPasskey(app, access, second, {
        attachment: 'cross-platform',
        transports: ['usb', 'nfc', 'telepathy', 'usb'],
      })
      const credentials = await list(access)
      assert.deepEqual(
        credentials.map(({ CreatedAt: _, ...credential }) => credential),
        [
          {
            CredentialId: first.id,
            FriendlyCredentialName: 'Passkey',
            RelyingPartyId: 'example.com',
            AuthenticatorAttachment: 'platform',
            AuthenticatorTransports: ['hybrid', 'internal'],
          },
          {
            CredentialId: second.id,
            FriendlyCredentialName: 'Security key',
            RelyingPartyId: 'example.com',
            AuthenticatorAttachment: 'cross-platform',
            AuthenticatorTransports: ['nfc', 'usb'],
          },
        ],
      )
      assert.equal(credentials[1]?.CreatedAt?.getTime(), Math.floor(app.now()))
    })

    test('and is among the factors of the user', async () => {
      const { access, username } = await newUser()
      const factors = async () => {
        const own = await app.aws.getUserAuthFactors({ AccessToken: access })
        const admin = await app.aws.adminGetUserAuthFactors({ UserPoolId: pool.poolId, Username: username })
        assert.deepEqual(own.ConfiguredUserAuthFactors, admin.ConfiguredUserAuthFactors)
        return own.ConfiguredUserAuthFactors
      }
      assert.deepEqual(await factors(), ['PASSWORD'])
      const { id } = await registerPasskey(app, access)
      assert.deepEqual(await factors(), ['PASSWORD', 'WEB_AUTHN'])
      await app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: id })
      assert.deepEqual(await factors(), ['PASSWORD'])
    })

    for (const [title, saying] of [
      ['from a page below the relying party', { origin: 'https://app.example.com' }],
      ['without verification of the user where that is only preferred', { userVerified: false }],
      ['by an authenticator that counts', { signCount: 7 }],
      ['by one that keeps copies elsewhere', { backupEligible: true, backedUp: true }],
      ['by one that could keep copies elsewhere', { backupEligible: true, backedUp: false }],
      [
        'with client data that says more',
        { clientData: { other_keys_can_be_added_here: 'x', crossOrigin: undefined } },
      ],
      ['with members that decide nothing', { members: { clientExtensionResults: { credProps: { rk: true } } } }],
      ['without an attachment', { attachment: 'none' }],
    ] as [string, Saying][]) {
      test(title, async () => assert.equal(await outcome(saying), undefined))
    }

    test('with an attestation of its own key', async () => {
      const passkey = newPasskey()
      const attestation = (data: Buffer, hash: Buffer) => {
        const sig = sign('sha256', Buffer.concat([data, hash]), passkey.privateKey)
        return attestationOf(
          data,
          'packed',
          new Map<string, unknown>([
            ['alg', -7],
            ['sig', sig],
          ]),
        )
      }
      assert.equal(await outcome({ attestation }, passkey), undefined)
    })

    test('under the name of its authenticator where that is known', async () => {
      const { access } = await newUser()
      const aaguid = Buffer.from('d548826e79b4db40a3d811116f7e8349', 'hex')
      await registerPasskey(app, access, newPasskey(), { aaguid })
      assert.equal((await list(access))[0]?.FriendlyCredentialName, 'Bitwarden')
    })
  })

  describe('a challenge', () => {
    test('is good once', async () => {
      const { access } = await newUser()
      const options = await startRegistration(app, access)
      await completeRegistration(app, access, newPasskey().register(options))
      assert.deepEqual(await failureOf(completeRegistration(app, access, newPasskey().register(options))), noChallenge)
    })

    test('is used by one of 32 who bring an answer at the same time', async () => {
      const { access } = await newUser()
      const options = await startRegistration(app, access)
      const same = newPasskey().register(options)
      const tries = Array.from({ length: 32 }, (_, index) =>
        failureOf(completeRegistration(app, access, index % 2 === 0 ? same : newPasskey().register(options))),
      )
      const failures = (await Promise.all(tries)).filter(failure => failure !== undefined)
      assert.equal(failures.length, 31)
      for (const failure of failures) assert.deepEqual(failure, noChallenge)
      assert.equal((await list(access)).length, 1)
    })

    test('replaces the one before', async () => {
      const { access } = await newUser()
      const [older, newer] = [await startRegistration(app, access), await startRegistration(app, access)]
      assert.notEqual(older.challenge, newer.challenge)
      assert.deepEqual(await failureOf(completeRegistration(app, access, newPasskey().register(older))), noChallenge)
      await completeRegistration(app, access, newPasskey().register(newer))
    })

    test('lasts for five minutes', async () => {
      const { access } = await newUser()
      const options = await startRegistration(app, access)
      app.advance(minutes(5) - 1)
      const last = await startRegistration(app, (await newUser()).access)
      assert.deepEqual(await failureOf(completeRegistration(app, access, newPasskey().register(last))), noChallenge)
      await completeRegistration(app, access, newPasskey().register(options))
      const late = await startRegistration(app, access)
      app.advance(minutes(5))
      assert.deepEqual(await failureOf(completeRegistration(app, access, newPasskey().register(late))), noChallenge)
    })

    test('belongs to the user, the pool, the client and the session that asked for it', async () => {
      const { access, username, refresh: token } = await newUser()
      const options = await startRegistration(app, access)
      const answer = newPasskey().register(options)
      const bob = await newUser()
      assert.deepEqual(await failureOf(completeRegistration(app, bob.access, answer)), noChallenge)
      const elsewhere = await createPasskeyPool(app)
      const stranger = await newUser(elsewhere)
      assert.deepEqual(await failureOf(completeRegistration(app, stranger.access, answer)), noChallenge)
      const otherSession = await signIn(app, pool.clientId, username)
      assert.deepEqual(await failureOf(completeRegistration(app, otherSession.access, answer)), noChallenge)
      const otherClient = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
      const { access: viaOther } = await signIn(app, otherClient, username)
      assert.deepEqual(await failureOf(completeRegistration(app, viaOther, answer)), {
        name: 'WebAuthnClientMismatchException',
        message: 'The passkey registration was started by another app client.',
      })
      const renewed = await refresh(app, pool.clientId, token)
      await completeRegistration(app, renewed.AuthenticationResult?.AccessToken ?? '', answer)
    })

    for (const [title, interrupt, error] of [
      [
        'signing out everywhere',
        ({ access }) => app.aws.globalSignOut({ AccessToken: access }),
        notAuthorized('Access Token has been revoked'),
      ],
      [
        'signing out',
        ({ refresh: Token }, { clientId }) => app.aws.revokeToken({ ClientId: clientId, Token }),
        notAuthorized('Access Token has been revoked'),
      ],
      [
        'disabling',
        ({ username }, { poolId }) => app.aws.adminDisableUser({ UserPoolId: poolId, Username: username }),
        notAuthorized('Access Token has been revoked'),
      ],
      [
        'deletion',
        ({ username }, { poolId }) => app.aws.adminDeleteUser({ UserPoolId: poolId, Username: username }),
        { name: 'UserNotFoundException', message: 'User does not exist.' },
      ],
      [
        'another password',
        ({ access }) =>
          app.aws.changePassword({ AccessToken: access, PreviousPassword: password, ProposedPassword: `${password}2` }),
        noChallenge,
      ],
      [
        'another password by an administrator',
        ({ username }, { poolId }) =>
          app.aws.adminSetUserPassword({
            UserPoolId: poolId,
            Username: username,
            Password: `${password}2`,
            Permanent: true,
          }),
        noChallenge,
      ],
      [
        'deletion of the client',
        (_, { poolId, clientId }) => app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId }),
        notAuthorized('Invalid Access Token'),
      ],
      ['expiry of the token', async () => app.advance(hours(2)), notAuthorized('Access Token has expired')],
      [
        'another relying party',
        (_, { poolId }) =>
          app.aws.setUserPoolMfaConfig({
            UserPoolId: poolId,
            WebAuthnConfiguration: { RelyingPartyId: 'app.example.com' },
          }),
        otherOrigin,
      ],
    ] as [
      string,
      (user: { username: string; access: string; refresh: string }, pool: TestPool) => Promise<unknown>,
      object,
    ][]) {
      test(`is not answered after ${title}`, async () => {
        const own = await createPasskeyPool(app)
        const user = await newUser(own)
        const options = await startRegistration(app, user.access)
        await interrupt(user, own)
        assert.deepEqual(await failureOf(completeRegistration(app, user.access, newPasskey().register(options))), error)
        assert.equal(await countPasskeys(own), 0)
      })
    }

    test('and a passkey are nowhere in clear but for what is public', async () => {
      const { access } = await newUser()
      const { challenge } = await startRegistration(app, access)
      const rows = JSON.stringify(await app.database.db.selectFrom('passkey_registrations').selectAll().execute())
      assert.equal(rows.includes(challenge), false)
      assert.equal(rows.includes(createHash('sha256').update(challenge).digest('base64url')), false)
    })
  })

  const countPasskeys = async ({ poolId }: TestPool): Promise<number> =>
    (await app.database.db.selectFrom('passkeys').select('credential_id').where('pool_id', '=', poolId).execute())
      .length
})
