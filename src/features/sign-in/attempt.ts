/**
 * A sign-in that is under way. Nothing is stored for it: the caller carries it from step to step as a sealed value, the
 * `Session`, or in an SRP exchange the `SECRET_BLOCK`. It opens only for its pool and client, once, for a few minutes,
 * and only as long as nothing has happened to the user that must break it.
 */
import type { AuthFlowType, ChallengeNameType } from '../../contract/types.ts'
import type { Factor, Level } from '../../core/claims.ts'
import { invalidSession, sessionExpired, sessionUsed } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import type { MfaFactor } from '../../core/mfa-decision.ts'
import { consumeOnce } from '../../store/one-time.ts'
import { authSessionMs, type Client } from '../app-clients/client.ts'
import type { Context, TransactionContext } from '../context.ts'
import type { SignInEvent } from '../threat-protection/sign-in-events.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'

/**
 * Where a sign-in is going on: in the API, which ends it with tokens, or on the pages, which end it with a session of the
 * browser. A step that began on one is not taken up on the other, because they ask for different things.
 */
export type Face = 'api' | 'pages'

/** What a sign-in belongs to and where the request came from. */
export interface SignIn {
  pool: Pool
  client: Client
  flow: AuthFlowType
  face: Face
  /** The level that the sign-in must reach, where one is asked for. */
  target?: AcrTarget | undefined
}

/** A level of authentication that a sign-in is to reach. */
export interface AcrTarget {
  level: Level
  /** What an earlier sign-in of the user has proven, and counts here. */
  credited: Factor[]
}

export interface Attempt {
  flow: AuthFlowType
  face: Face
  /** The challenge that must be answered next. */
  step: ChallengeNameType
  /** Undefined for a name that nobody has, for which the sign-in is simulated. */
  userId: string | undefined
  /** Digest of the name as the user gave it, which is also the lockout key of a name that nobody has. */
  nameKey: string
  /** What the user has proven so far. */
  factors: Factor[]
  /** Of the user, when the attempt began. */
  securityEpoch: number
  /** Milliseconds since the epoch. */
  expiresAt: number
  /** Marks the attempt as used. */
  nonce: string
  /** The code that is asked for is the first factor; EMAIL_OTP may be either. */
  isFirstFactor?: boolean
  /** The device that the sign-in comes from, where it names one. */
  device?: NamedDevice
  target?: AcrTarget
  /** What a passkey of the user is to sign, in base64url. */
  passkeyChallenge?: string
  /** What threat protection has made of the sign-in. */
  event?: SignInEvent
  /** What more the pending challenge needs to know. */
  mfa?: PendingMfa
  custom?: PendingCustom
}

/** A device as a sign-in names it. */
export interface NamedDevice {
  key: string
  /** Its proof, once the sign-in relies on it: there are no tokens before it is given. */
  proof?: 'due' | 'given'
}

/** Whether an answer to a custom challenge was right, and the metadata of the challenge where it had some. */
export type CustomAnswer = [isRight: boolean, metadata?: string]

/** The state of a challenge that the pool's functions have made. */
export interface PendingCustom {
  /** As the user gave it. */
  name: string
  /** The answers so far, the oldest first. */
  answers: CustomAnswer[]
  /** What only the function that judges the answer is told. */
  secrets: [string, string][]
  metadata: string | undefined
}

/** The state of a second factor that is asked for. */
export interface PendingMfa {
  /** The factors among which the user may choose, or which he may set up. */
  factors?: MfaFactor[]
  /** The secret of an authenticator application that was handed out in this sign-in, in base64url. */
  secret?: string
  /** The authenticator application was set up in this sign-in. */
  isSetUp?: boolean
  /** The code goes to a new address, which becomes a factor of the user when it is proven. */
  isNewAddress?: boolean
}

/** An attempt that begins now and lasts for the client's AuthSessionValidity. */
export const newAttempt = (
  ctx: Pick<Context, 'clock' | 'random'>,
  { client, flow, face, target }: SignIn,
  {
    step,
    user,
    nameKey,
    factors,
    device,
    event,
    mfa,
  }: Pick<Attempt, 'step' | 'nameKey' | 'factors' | 'mfa'> & {
    user: User | undefined
    device?: NamedDevice | undefined
    event?: SignInEvent | undefined
  },
): Attempt => ({
  flow,
  face,
  step,
  userId: user?.id,
  nameKey,
  factors,
  securityEpoch: user?.securityEpoch ?? 0,
  expiresAt: ctx.clock.now() + authSessionMs(client),
  nonce: newUuid(ctx.random),
  ...(target !== undefined && { target }),
  ...(device !== undefined && { device }),
  ...(event !== undefined && { event: { id: event.id, mfa: event.mfa } }),
  ...(mfa !== undefined && { mfa }),
})

const purpose = 'session'
const sessionLengthMax = 2_048
const contentLength = 512

/** The sealed attempt after the id of its client, because some operations are told nothing but the session. */
export const sealSession = (ctx: Pick<Context, 'seal'>, client: Client, attempt: Attempt): string => {
  const sealed = ctx.seal.seal(purpose, paddedJson(attempt, contentLength), boundTo(client, attempt.face))
  const clientId = Buffer.from(client.id, 'utf8')
  return Buffer.concat([Buffer.from([clientId.length]), clientId, Buffer.from(sealed, 'base64url')]).toString(
    'base64url',
  )
}

/** JSON of a length that does not tell whether there is a user, nor anything else of what it holds. */
export const paddedJson = (attempt: Attempt, length: number): string => JSON.stringify(attempt).padEnd(length)

/** Undefined when the text is no session of this client and face. Expiry and use are not looked at. */
export const openSession = (
  ctx: Pick<Context, 'seal'>,
  { client, face }: Pick<SignIn, 'client' | 'face'>,
  session: string,
): Attempt | undefined => {
  const parts = splitSession(session)
  if (parts?.clientId !== client.id) return undefined
  const opened = ctx.seal.open(purpose, parts.sealed, boundTo(client, face))
  return opened && (JSON.parse(opened.toString('utf8')) as Attempt)
}

/** The id of the client that a session names, unproven; undefined when it names none. */
export const clientIdOf = (session: string): string | undefined => splitSession(session)?.clientId

const splitSession = (session: string): { clientId: string; sealed: string } | undefined => {
  if (session.length > sessionLengthMax) return undefined
  const bytes = Buffer.from(session, 'base64url')
  const [length = 0] = bytes
  const clientId = bytes.subarray(1, 1 + length).toString('utf8')
  // One spelling only, and nothing that could not be the id of a client.
  if (bytes.toString('base64url') !== session || !/^[\w+]{1,128}$/.test(clientId)) return undefined
  return { clientId, sealed: bytes.subarray(1 + length).toString('base64url') }
}

/** Binds a sealed value to the client, with it to the pool, and to the face. */
export const boundTo = (client: Client, face: Face): string => `${client.poolId} ${client.id} ${face}`

/**
 * Whether the user is still the one with whom the attempt began and nothing has happened that must break it: another
 * password, a reset, disabling, signing out everywhere, deletion.
 */
export const isUntouched = (attempt: Pick<Attempt, 'userId' | 'securityEpoch'>, user: User | undefined): boolean =>
  attempt.userId === user?.id && attempt.securityEpoch === (user?.securityEpoch ?? 0)

/**
 * The attempt must be alive and unused, and its user untouched.
 * @throws NotAuthorizedException
 */
export const assertInForce = async (ctx: Context, attempt: Attempt, user: User | undefined): Promise<void> => {
  if (attempt.expiresAt <= ctx.clock.now()) throw sessionExpired()
  const mark = await ctx.db
    .selectFrom('one_time_marks')
    .select('id')
    .where('kind', '=', purpose)
    .where('id', '=', attempt.nonce)
    .executeTakeFirst()
  if (mark !== undefined) throw sessionUsed()
  if (!isUntouched(attempt, user)) throw invalidSession()
}

/**
 * Uses up the attempt: of many who hold it exactly one succeeds.
 * @throws NotAuthorizedException for all others.
 */
export const consumeAttempt = async (tx: TransactionContext, attempt: Attempt): Promise<void> => {
  if (!(await consumeOnce(tx.db, purpose, attempt.nonce, attempt.expiresAt))) throw sessionUsed()
}
