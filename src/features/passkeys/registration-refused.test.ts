import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
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
import { email, type TestPool } from '../../../test/support/pools.ts'
import { claimsOf, createUser, failureOf, signIn } from '../../../test/support/sign-in.ts'

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
})
