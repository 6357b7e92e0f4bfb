import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { hours, minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  attestationOf,
  cbor,
  completeRegistration,
  coseKeyOf,
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

const malformed = {
  name: 'InvalidParameterException',
  message: 'The passkey credential is not well formed.',
}
const noChallenge = {
  name: 'WebAuthnChallengeNotFoundException',
  message: 'The passkey challenge does not exist or has expired.',
}
const otherOrigin = {
  name: 'WebAuthnOriginNotAllowedException',
  message: 'The origin of the passkey is not allowed.',
}
const otherRelyingParty = {
  name: 'WebAuthnRelyingPartyMismatchException',
  message: 'The passkey belongs to another relying party.',
}
const notSupported = (message: string) => ({ name: 'WebAuthnCredentialNotSupportedException', message })
const format = notSupported('The attestation format of the passkey is not supported.')
const weakKey = notSupported('The public key of the passkey is not supported.')
const notEnabled = { name: 'WebAuthnNotEnabledException', message: 'Passkeys are not enabled for the user pool.' }
const taken = { name: 'InvalidParameterException', message: 'The passkey is already registered.' }
const tooMany = {
  name: 'LimitExceededException',
  message: 'The user has registered the maximum number of passkeys: 20.',
}

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

  describe('a registration is refused', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const withKey = (key: Map<number, unknown>): Saying => ({ publicKey: cbor(key) })
    const { x = '', y = '' } = other.publicKey.export({ format: 'jwk' })
    const point = { x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') }
    const ec = (change: [number, unknown][]): Saying =>
      withKey(new Map<number, unknown>([[1, 2], [3, -7], [-1, 1], [-2, point.x], [-3, point.y], ...change]))
    const key = (type: 'rsa' | 'P-384', bits: number, algorithm?: number): Saying => ({
      publicKey: coseKeyOf(
        type === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: bits }).publicKey
          : generateKeyPairSync('ec', { namedCurve: type }).publicKey,
        algorithm,
      ),
    })
    const attested = (name: string, statement: [string, unknown][]): Saying => ({
      attestation: data => attestationOf(data, name, new Map(statement)),
    })
    const encoded = (build: (data: Buffer) => Buffer): Saying => ({ attestation: data => build(data) })
    const behind = (more: string): Saying => ({ data: data => Buffer.concat([data, Buffer.from(more, 'hex')]) })
    const flagged = (flags: number, more = ''): Saying => ({
      data: data => {
        const changed = Buffer.concat([data, Buffer.from(more, 'hex')])
        changed.writeUInt8(changed.readUInt8(32) | flags, 32)
        return changed
      },
    })

    for (const [title, saying, error] of [
      ['from another origin', { origin: 'https://example.org' }, otherOrigin],
      ['over HTTP', { origin: 'http://example.com' }, otherOrigin],
      ['from another port', { origin: 'https://example.com:8443' }, otherOrigin],
      ['from a host with a dot at its end', { origin: 'https://example.com.' }, otherOrigin],
      ['from a page without an origin', { origin: 'null' }, otherOrigin],
      ['from inside of another page', { clientData: { crossOrigin: true } }, otherOrigin],
      ['from below another page', { clientData: { topOrigin: 'https://example.com' } }, otherOrigin],
      ['for another relying party', { relyingPartyId: 'example.org' }, otherRelyingParty],
      ['with the proof of a sign-in', { type: 'webauthn.get' }, malformed],
      ['with another challenge', { challenge: randomBytes(16).toString('base64url') }, noChallenge],
      ['with an empty challenge', { challenge: '' }, noChallenge],
      ['without the user', { userPresent: false }, malformed],
      ['as a copy of what cannot be copied', { backedUp: true }, malformed],
      ['with another id than the attested one', { members: { id: 'AAAA', rawId: 'AAAA' } }, malformed],
      ['with two ids', { members: { rawId: 'AAAA' } }, malformed],
      ['with another type', { members: { type: 'password' } }, malformed],
      ['with an id in another spelling', { members: { id: 'AAB=', rawId: 'AAB=' } }, malformed],
      ['with an empty id', { members: { id: '', rawId: '' } }, malformed],
      ['with a key of a curve that is not asked for', key('P-384', 0), weakKey],
      ['with a key of an algorithm that is not asked for', key('P-384', 0, -35), weakKey],
      ['with RSA and another hash', key('rsa', 2_048, -258), weakKey],
      ['with an RSA key of 1,024 bits', key('rsa', 1_024), weakKey],
      ['with an RSA key under the name of a curve', key('rsa', 2_048, -7), weakKey],
      ['with a point that is not on the curve', ec([[-2, Buffer.alloc(32)]]), weakKey],
      [
        'with a point at infinity',
        ec([
          [-2, Buffer.alloc(32)],
          [-3, Buffer.alloc(32)],
        ]),
        weakKey,
      ],
      ['with a coordinate that is too short', ec([[-3, point.y.subarray(1)]]), weakKey],
      ['with a coordinate that is text', ec([[-3, point.y.toString('hex').slice(32)]]), weakKey],
      [
        'with a key without algorithm',
        withKey(
          new Map<number, unknown>([
            [1, 2],
            [-1, 1],
            [-2, point.x],
            [-3, point.y],
          ]),
        ),
        weakKey,
      ],
      ['with a key that is no map', { publicKey: cbor([1, 2]) }, malformed],
      ['with a key that says a thing twice', { publicKey: Buffer.from('a201020102', 'hex') }, malformed],
      ['with a key of indefinite length', { publicKey: Buffer.from('bf0102ff', 'hex') }, malformed],
      ['with a key of ten thousand levels', { publicKey: Buffer.from(`${'81'.repeat(10_000)}01`, 'hex') }, malformed],
      ['with bytes behind the key', behind('00'), malformed],
      ['with extensions that are not there', flagged(0x80), malformed],
      ['with extensions that are no map', flagged(0x80, '01'), malformed],
      [
        'with bytes behind the attestation',
        encoded(data => Buffer.concat([attestationOf(data), Buffer.alloc(1)])),
        malformed,
      ],
      ['with an attestation that ends too early', encoded(data => attestationOf(data).subarray(0, -1)), malformed],
      ['with an attestation that is no map', encoded(data => cbor(data)), malformed],
      ['with an attestation without data', encoded(() => cbor(new Map([['fmt', 'none']]))), malformed],
      [
        'with data that is text',
        encoded(() =>
          cbor(
            new Map<string, unknown>([
              ['fmt', 'none'],
              ['attStmt', new Map()],
              ['authData', 'x'.repeat(200)],
            ]),
          ),
        ),
        malformed,
      ],
      ['with data that is too short', { data: data => data.subarray(0, 36) }, malformed],
      [
        'without a key',
        { data: data => Buffer.concat([data.subarray(0, 32), Buffer.from([5]), data.subarray(33, 37)]) },
        malformed,
      ],
      ['with an attestation that is garbage', encoded(() => randomBytes(300)), malformed],
      ['with an empty attestation of something', attested('none', [['sig', Buffer.alloc(8)]]), malformed],
      [
        'with a statement that is no map',
        encoded(data =>
          cbor(
            new Map<string, unknown>([
              ['fmt', 'none'],
              ['attStmt', []],
              ['authData', data],
            ]),
          ),
        ),
        malformed,
      ],
      [
        'with an attestation of its own key by another key',
        attested('packed', [
          ['alg', -7],
          ['sig', Buffer.from(sign('sha256', Buffer.alloc(8), other.privateKey))],
        ]),
        malformed,
      ],
      [
        'with an attestation under another algorithm',
        attested('packed', [
          ['alg', -257],
          ['sig', Buffer.alloc(8)],
        ]),
        format,
      ],
      [
        'with certificates',
        attested('packed', [
          ['alg', -7],
          ['sig', Buffer.alloc(8)],
          ['x5c', [Buffer.alloc(64)]],
        ]),
        format,
      ],
      [
        'with an attestation by ECDAA',
        attested('packed', [
          ['alg', -7],
          ['sig', Buffer.alloc(8)],
          ['ecdaaKeyId', Buffer.alloc(8)],
        ]),
        format,
      ],
      ['with an attestation of no known format', attested('homemade', []), format],
      [
        'with a format that is a number',
        encoded(data =>
          cbor(
            new Map<string, unknown>([
              ['fmt', 1],
              ['attStmt', new Map()],
              ['authData', data],
            ]),
          ),
        ),
        format,
      ],
    ] as [string, Saying, { name: string; message: string }][]) {
      test(title, async () => assert.deepEqual(await outcome(saying), error))
    }

    for (const name of ['fido-u2f', 'tpm', 'apple', 'android-key', 'android-safetynet']) {
      test(`with an attestation of the format ${name}, which nobody has asked for`, async () => {
        const x5c = [randomBytes(64)]
        assert.deepEqual(
          await outcome(
            attested(name, [
              ['x5c', x5c],
              ['sig', randomBytes(70)],
            ]),
          ),
          format,
        )
        assert.deepEqual(await outcome(attested(name, [])), format)
      })
    }

    test('without verification of the user where the pool requires it', async () => {
      const own = await createPasskeyPool(app, {
        webAuthn: { RelyingPartyId: 'example.com', UserVerification: 'required' },
      })
      assert.deepEqual(
        await outcome({ userVerified: false }, newPasskey(), own),
        notSupported('The authenticator has not verified the user, which the user pool requires.'),
      )
      assert.equal(await outcome({ userVerified: true }, newPasskey(), own), undefined)
    })

    test('when the credential is not of its form, and the challenge is still good then', async () => {
      const { access } = await newUser()
      const options = await startRegistration(app, access)
      const good = newPasskey().register(options) as { response: Record<string, unknown> }
      const response = (change: Record<string, unknown>) => ({ ...good, response: { ...good.response, ...change } })
      const clientData = (text: string) => response({ clientDataJSON: Buffer.from(text).toString('base64url') })
      const bad: unknown[] = [
        null,
        'text',
        1,
        [],
        {},
        { ...good, response: undefined },
        { ...good, response: 'x' },
        { ...good, id: 1 },
        { ...good, id: 'a'.repeat(2_000), rawId: 'a'.repeat(2_000) },
        response({ clientDataJSON: undefined }),
        response({ clientDataJSON: '' }),
        response({ clientDataJSON: 'a+b/' }),
        response({ clientDataJSON: 'A'.repeat(6_000) }),
        response({ attestationObject: undefined }),
        response({ attestationObject: {} }),
        response({ attestationObject: 'A'.repeat(30_000) }),
        clientData('{'),
        clientData('null'),
        clientData('[]'),
        clientData(JSON.stringify({ type: 'webauthn.create', challenge: options.challenge })),
        clientData(
          JSON.stringify({ type: 'webauthn.create', challenge: [options.challenge], origin: 'https://example.com' }),
        ),
      ]
      for (const credential of bad) {
        const failure = await failureOf(completeRegistration(app, access, credential as Record<string, unknown>))
        if (credential === null) assert.equal(failure?.name, 'InvalidParameterException')
        else assert.deepEqual(failure, malformed, JSON.stringify(credential).slice(0, 200))
      }
      await completeRegistration(app, access, good)
    })

    test('when somebody in the pool has the credential, whoever it is', async () => {
      const [ann, bob] = [await newUser(), await newUser()]
      const passkey = await registerPasskey(app, ann.access)
      assert.deepEqual(await failureOf(registerPasskey(app, ann.access, passkey)), taken)
      assert.deepEqual(await failureOf(registerPasskey(app, bob.access, passkey)), taken)
      const stolen = newPasskey('ES256', { id: passkey.id })
      assert.deepEqual(await failureOf(registerPasskey(app, bob.access, stolen)), taken)
      assert.deepEqual(await list(bob.access), [])
      const elsewhere = await createPasskeyPool(app)
      await registerPasskey(app, (await newUser(elsewhere)).access, stolen)
    })

    test('when the user has twenty passkeys, at either step', async () => {
      const { access } = await newUser()
      for (let count = 0; count < 19; count += 1) await registerPasskey(app, access)
      const options = await startRegistration(app, access)
      const [twentieth, another] = [newPasskey(), newPasskey()]
      await completeRegistration(app, access, twentieth.register(options))
      assert.deepEqual(await failureOf(startRegistration(app, access)), tooMany)
      await app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: twentieth.id })
      const late = await startRegistration(app, access)
      const { db } = app.database
      const row = await db
        .selectFrom('passkeys')
        .selectAll()
        .where('user_id', '=', claimsOf(access)['sub'] as string)
        .limit(1)
        .executeTakeFirstOrThrow()
      await db
        .insertInto('passkeys')
        .values({ ...row, credential_id: twentieth.id })
        .execute()
      assert.deepEqual(await failureOf(completeRegistration(app, access, another.register(late))), tooMany)
      assert.equal((await list(access)).length, 20)
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
