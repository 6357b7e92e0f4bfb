/**
 * Registering a passkey in two steps: what the authenticator is to make, and what it has made. Between them stands one
 * challenge of each user, the last; it belongs to the session that asked for it and is good once.
 */
import {
  malformedPasskey,
  passkeyChallengeNotFound,
  passkeyOfOtherClient,
  passkeysNotForProviderUsers,
} from '../../core/errors/passkeys.ts'
import { isOriginOf } from '../../core/relying-party.ts'
import type { PasskeyRegistrationRow } from '../../store/tables.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { getUserById, lockUser, type User } from '../users/user.ts'
import { friendlyName } from './authenticators.ts'
import { readRegistration } from './credential-json.ts'
import { assertRoomForPasskey, insertPasskey, passkeysFor } from './passkey.ts'
import { assertPasskeysEnabled, getRelyingPartyId, userVerificationOf } from './relying-party.ts'
import { algorithms, readClientData, verifyRegistration } from './webauthn.ts'

/** Whose passkey it becomes, and in which session that was asked for. */
export interface Registrant {
  pool: Pool
  user: User
  client: Client
  /** Of the access token or of the browser; undefined when its tokens name none. */
  session: string | undefined
}

/** PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3, section 5.1), with the members that Cognito gives it. */
export interface CreationOptions {
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  challenge: string
  pubKeyCredParams: { type: 'public-key'; alg: number }[]
  timeout: number
  excludeCredentials: { type: 'public-key'; id: string }[]
  authenticatorSelection: {
    requireResidentKey: true
    residentKey: 'required'
    userVerification: 'required' | 'preferred'
  }
}

export const challengeBytes = 16
/** How long browsers wait for the user, in milliseconds. */
export const promptMs = 60_000
const registrationMs = 300_000

/** The handle under which authenticators keep the user's passkeys, in base64url. */
export const userHandleOf = ({ id }: Pick<User, 'id'>): string => Buffer.from(id, 'utf8').toString('base64url')

/**
 * What the browser is to ask an authenticator for. It replaces what the user has asked for before.
 * @throws WebAuthnNotEnabledException, WebAuthnConfigurationMissingException, LimitExceededException
 */
export const startRegistration = async (ctx: Context, registrant: Registrant): Promise<CreationOptions> => {
  const { pool, user, client, session } = registrant
  assertPasskeysEnabled(pool)
  if (user.status === 'EXTERNAL_PROVIDER') throw passkeysNotForProviderUsers()
  const relyingPartyId = await getRelyingPartyId(ctx, pool)
  await assertRoomForPasskey(ctx, user)
  const challenge = ctx.random.bytes(challengeBytes).toString('base64url')
  const row = {
    challenge_digest: digestOf(ctx, user, challenge),
    client_id: client.id,
    session: session ?? '',
    security_epoch: user.securityEpoch,
    expires_at: ctx.clock.now() + registrationMs,
  }
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    await tx.db
      .insertInto('passkey_registrations')
      .values({ user_id: user.id, ...row })
      .onConflict(conflict => conflict.column('user_id').doUpdateSet(row))
      .execute()
  })
  const registered = await passkeysFor(ctx, user, relyingPartyId)
  const name = accountName(pool, user)
  return {
    rp: { id: relyingPartyId, name: relyingPartyId },
    user: { id: userHandleOf(user), name, displayName: user.attributes.get('name') ?? name },
    challenge,
    pubKeyCredParams: algorithms.map(alg => ({ type: 'public-key', alg })),
    timeout: promptMs,
    excludeCredentials: registered.map(({ credentialId }) => ({ type: 'public-key', id: credentialId })),
    authenticatorSelection: {
      requireResidentKey: true,
      residentKey: 'required',
      userVerification: userVerificationOf(pool),
    },
  }
}

/** The name by which people tell their accounts apart: in pools that sign in with addresses no username says much. */
const accountName = (pool: Pool, { username, attributes }: User): string => {
  const address = pool.settings.UsernameAttributes?.map(name => attributes.get(name)).find(value => value !== undefined)
  return address ?? username
}

/**
 * Adds the passkey that an authenticator has made to the user's. Of many who bring the same answer exactly one succeeds.
 * @throws InvalidParameterException, LimitExceededException, and all exceptions of WebAuthn
 */
export const completeRegistration = async (ctx: Context, registrant: Registrant, answer: unknown): Promise<void> => {
  const { pool, user } = registrant
  assertPasskeysEnabled(pool)
  const credential = readRegistration(answer)
  const client = readClientData(credential.clientDataJSON)
  if (client === undefined) throw malformedPasskey()
  const pending = await getPending(ctx, registrant, client.challenge)
  const relyingPartyId = await getRelyingPartyId(ctx, pool)
  const { aaguid, ...key } = await verifyRegistration(credential, client, {
    relyingPartyId,
    isOrigin: origin => isOriginOf(relyingPartyId, origin, ctx.publicUrl),
    userVerification: userVerificationOf(pool),
  })
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    const { securityEpoch } = await getUserById(tx, pool, user.id)
    const consumed = await tx.db
      .deleteFrom('passkey_registrations')
      .where('user_id', '=', user.id)
      .where('challenge_digest', '=', pending.challenge_digest)
      .returning('user_id')
      .executeTakeFirst()
    if (consumed === undefined || securityEpoch !== pending.security_epoch) throw passkeyChallengeNotFound()
    await insertPasskey(tx, user, {
      ...key,
      credentialId: credential.id,
      relyingPartyId,
      attachment: credential.attachment,
      transports: credential.transports,
      friendlyName: friendlyName(aaguid, credential.attachment),
      createdAt: tx.clock.now(),
    })
  })
}

/**
 * The registration that the challenge belongs to.
 * @throws WebAuthnChallengeNotFoundException when it is not the user's last one, expired, of another session, or broken
 * by what happened to the user since; WebAuthnClientMismatchException
 */
const getPending = async (
  ctx: Context,
  { user, client, session }: Registrant,
  challenge: string,
): Promise<PasskeyRegistrationRow> => {
  const pending = await ctx.db
    .selectFrom('passkey_registrations')
    .selectAll()
    .where('user_id', '=', user.id)
    .where('challenge_digest', '=', digestOf(ctx, user, challenge))
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
  if (pending === undefined || pending.security_epoch !== user.securityEpoch) throw passkeyChallengeNotFound()
  if (pending.client_id !== client.id) throw passkeyOfOtherClient()
  if (pending.session !== (session ?? '')) throw passkeyChallengeNotFound()
  return pending
}

const digestOf = (ctx: Pick<Context, 'seal'>, user: Pick<User, 'id'>, challenge: string): string =>
  ctx.seal.digest('passkey-registration', `${user.id}\n${challenge}`)
