/** Passkeys for tests: an authenticator and its browser in software, which can also misbehave. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  WebAuthnConfigurationType,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { phone, type TestPool } from './pools.ts'
import { allFlows, claimsOf, createSignInPool, createUser, notAuthorized, signIn } from './sign-in.ts'

export const relyingPartyId = 'example.com'
export const origin = 'https://example.com'

/** A pool whose users may sign in with passkeys of example.com, and a client that allows every flow. */
export const createPasskeyPool = async (
  app: TestApp,
  {
    webAuthn = { RelyingPartyId: relyingPartyId },
    client = {},
    pool = {},
  }: {
    webAuthn?: WebAuthnConfigurationType | undefined
    client?: Partial<CreateUserPoolClientCommandInput>
    pool?: Partial<CreateUserPoolCommandInput>
  } = {},
): Promise<TestPool> => {
  const made = await createSignInPool(
    app,
    { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH'], ...client },
    { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } }, ...pool },
  )
  await app.aws.setUserPoolMfaConfig({ UserPoolId: made.poolId, WebAuthnConfiguration: webAuthn })
  return made
}

// ---------------------------------------------------------------------------------------------- the authenticator

/** What an authenticator and its browser say; each part can be said otherwise. */
export interface Saying {
  origin?: string
  type?: string
  challenge?: string
  /** More members of the client data, or others. */
  clientData?: Record<string, unknown>
  relyingPartyId?: string
  userPresent?: boolean
  userVerified?: boolean
  backupEligible?: boolean
  backedUp?: boolean
  signCount?: number
  userHandle?: string | undefined
  attachment?: string | undefined
  transports?: string[]
  aaguid?: Buffer
  /** COSE_Key that stands in the place of the real one. */
  publicKey?: Buffer
  /** Encoded CBOR of the whole attestation object, from the authenticator data. */
  attestation?: (data: Buffer, clientDataHash: Buffer) => Buffer
  /** Bytes of the authenticator data after a change. */
  data?: (data: Buffer) => Buffer
  signature?: (signature: Buffer) => Buffer
  /** Other members of the credential. */
  members?: Record<string, unknown>
}

export type CreationOptions = {
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  challenge: string
  excludeCredentials: { id: string }[]
}
export type RequestOptions = {
  challenge: string
  rpId: string
  timeout: number
  allowCredentials: { type: string; id: string; transports: string[] }[]
  userVerification: string
}

/** One credential of an authenticator. */
export interface TestPasskey {
  id: string
  privateKey: KeyObject
  publicKey: Buffer
  /** The credential as RegistrationResponseJSON. */
  register(options: Pick<CreationOptions, 'challenge'>, saying?: Saying): Record<string, unknown>
  /** The proof as AuthenticationResponseJSON, in text. */
  assert(options: Pick<RequestOptions, 'challenge'>, saying?: Saying): string
}

export const newPasskey = (
  algorithm: 'ES256' | 'RS256' = 'ES256',
  { id = randomBytes(20).toString('base64url'), ...always }: Saying & { id?: string } = {},
): TestPasskey => {
  const { publicKey, privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const coseKey = coseKeyOf(publicKey)
  const said = (options: { challenge: string }, type: string, saying: Saying) => {
    const all = { ...always, ...saying }
    const clientDataJSON = Buffer.from(
      JSON.stringify({
        type: all.type ?? type,
        challenge: all.challenge ?? options.challenge,
        origin: all.origin ?? origin,
        crossOrigin: false,
        ...all.clientData,
      }),
    )
    return { all, clientDataJSON, hash: createHash('sha256').update(clientDataJSON).digest() }
  }
  const json = (response: object, { attachment = 'platform', members = {} }: Saying) => ({
    id,
    rawId: id,
    type: 'public-key',
    ...(attachment !== 'none' && { authenticatorAttachment: attachment }),
    clientExtensionResults: {},
    response,
    ...members,
  })
  return {
    id,
    privateKey,
    publicKey: coseKey,
    register: (options, saying = {}) => {
      const { all, clientDataJSON, hash } = said(options, 'webauthn.create', saying)
      const credentialId = Buffer.from(id, 'base64url')
      const length = Buffer.alloc(2)
      length.writeUInt16BE(credentialId.length)
      const attested = [all.aaguid ?? Buffer.alloc(16), length, credentialId, all.publicKey ?? coseKey]
      const built = Buffer.concat([authenticatorData(all, 0x40, 0), ...attested])
      const data = all.data?.(built) ?? built
      const attestationObject = all.attestation?.(data, hash) ?? attestationOf(data)
      return json(
        {
          clientDataJSON: clientDataJSON.toString('base64url'),
          attestationObject: attestationObject.toString('base64url'),
          transports: all.transports ?? ['internal', 'hybrid'],
        },
        all,
      )
    },
    assert: (options, saying = {}) => {
      const { all, clientDataJSON, hash } = said(options, 'webauthn.get', saying)
      const built = authenticatorData(all, 0, 0)
      const data = all.data?.(built) ?? built
      const signature = sign('sha256', Buffer.concat([data, hash]), privateKey)
      return JSON.stringify(
        json(
          {
            clientDataJSON: clientDataJSON.toString('base64url'),
            authenticatorData: data.toString('base64url'),
            signature: (all.signature?.(signature) ?? signature).toString('base64url'),
            ...(all.userHandle !== undefined && { userHandle: all.userHandle }),
          },
          all,
        ),
      )
    },
  }
}

/** WebAuthn, section 6.1: hash, flags, counter. */
const authenticatorData = (saying: Saying, flags: number, counter: number): Buffer => {
  const { userPresent = true, userVerified = true, backupEligible = false, backedUp = false } = saying
  const bits = (userPresent ? 1 : 0) | (userVerified ? 4 : 0) | (backupEligible ? 8 : 0) | (backedUp ? 16 : 0)
  const tail = Buffer.alloc(5)
  tail.writeUInt8(flags | bits)
  tail.writeUInt32BE(saying.signCount ?? counter, 1)
  return Buffer.concat([
    createHash('sha256')
      .update(saying.relyingPartyId ?? relyingPartyId)
      .digest(),
    tail,
  ])
}

/** An attestation object; with the format `none` unless another is given. */
export const attestationOf = (data: Buffer, format = 'none', statement: Map<string, unknown> = new Map()): Buffer =>
  cbor(
    new Map<string, unknown>([
      ['fmt', format],
      ['attStmt', statement],
      ['authData', data],
    ]),
  )

/** The public key as COSE_Key (RFC 9052, section 7). */
export const coseKeyOf = (key: KeyObject, algorithm?: number): Buffer => {
  const jwk = key.export({ format: 'jwk' })
  const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
  const curve: Record<string, number> = { 'P-256': 1, 'P-384': 2, 'P-521': 3 }
  return cbor(
    new Map<number, unknown>(
      jwk.kty === 'EC'
        ? [
            [1, 2],
            [3, algorithm ?? -7],
            [-1, curve[jwk.crv ?? ''] ?? 0],
            [-2, bytes(jwk.x)],
            [-3, bytes(jwk.y)],
          ]
        : [
            [1, 3],
            [3, algorithm ?? -257],
            [-1, bytes(jwk.n)],
            [-2, bytes(jwk.e)],
          ],
    ),
  )
}

/** CBOR of integers, text, bytes, lists and maps. */
export const cbor = (value: unknown): Buffer => {
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
  if (typeof value === 'string') return Buffer.concat([cborHead(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([cborHead(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([cborHead(4, value.length), ...value.map(cbor)])
  if (value instanceof Map) return Buffer.concat([cborHead(5, value.size), ...[...value].flat().map(cbor)])
  throw new Error('There is no CBOR for this.')
}

const cborHead = (major: number, argument: number): Buffer => {
  const length = argument < 24 ? 0 : argument < 256 ? 1 : argument < 65_536 ? 2 : 4
  const head = Buffer.alloc(1 + length)
  head.writeUInt8((major << 5) | (length === 0 ? argument : { 1: 24, 2: 25, 4: 26 }[length as 1 | 2 | 4]))
  if (length > 0) head.writeUIntBE(argument, 1, length)
  return head
}

// ---------------------------------------------------------------------------------------------- with the API

export const startRegistration = async (app: TestApp, accessToken: string): Promise<CreationOptions> => {
  const { CredentialCreationOptions } = await app.aws.startWebAuthnRegistration({ AccessToken: accessToken })
  return CredentialCreationOptions as CreationOptions
}

export const completeRegistration = (app: TestApp, accessToken: string, credential: Record<string, unknown>) =>
  app.aws.completeWebAuthnRegistration({ AccessToken: accessToken, Credential: credential as { id: string } })

/** Registers a passkey for a signed-in user. */
export const registerPasskey = async (
  app: TestApp,
  accessToken: string,
  passkey: TestPasskey = newPasskey(),
  saying: Saying = {},
): Promise<TestPasskey> => {
  const options = await startRegistration(app, accessToken)
  await completeRegistration(app, accessToken, passkey.register(options, saying))
  return passkey
}

/** Begins a sign-in with a passkey; `answer` sends the text as CREDENTIAL. */
export const beginPasskey = async (
  app: TestApp,
  { clientId }: Pick<TestPool, 'clientId'>,
  username: string,
  parameters: Record<string, string> = {},
) => {
  const begun = await app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'USER_AUTH',
    AuthParameters: { USERNAME: username, PREFERRED_CHALLENGE: 'WEB_AUTHN', ...parameters },
  })
  const { ChallengeName, ChallengeParameters, Session, AvailableChallenges } = begun
  return {
    challengeName: ChallengeName,
    parameters: ChallengeParameters,
    available: AvailableChallenges,
    session: Session,
    options: JSON.parse(ChallengeParameters?.['CREDENTIAL_REQUEST_OPTIONS'] ?? '{}') as RequestOptions,
    answer: (credential: string, changes: Record<string, string> = {}) =>
      app.aws.respondToAuthChallenge({
        ClientId: clientId,
        ChallengeName: 'WEB_AUTHN',
        Session,
        ChallengeResponses: { USERNAME: username, CREDENTIAL: credential, ...changes },
      }),
  }
}

/** A confirmed user with a telephone number and the passkey. */
export const createPasskeyUser = async (
  app: TestApp,
  pool: TestPool,
  username: string,
  passkey: TestPasskey = newPasskey(),
  saying: Saying = {},
) => {
  await createUser(app, pool.poolId, username, [phone('+12065551234')])
  const { access } = await signIn(app, pool.clientId, username)
  await registerPasskey(app, access, passkey, saying)
  return { username, access, passkey, sub: String(claimsOf(access)['sub']) }
}

/** What a sign-in with a choice offers the user. */
export const offeredTo = async (app: TestApp, { clientId }: TestPool, username: string) => {
  const { AvailableChallenges } = await app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'USER_AUTH',
    AuthParameters: { USERNAME: username },
  })
  return AvailableChallenges
}

/** Whatever is wrong with an answer. */
export const passkeyRefused = notAuthorized('The passkey could not be verified.')

/** A client for sign-ins with a choice. */
export const choiceClient = { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH' as const] }
