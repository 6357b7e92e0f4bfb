/**
 * The proof that a user holds a passkey: what the browser is asked, and what its answer is worth. For a name that nobody
 * has there is a passkey as well, always the same one, which proves nothing.
 */
import { passkeyRefused } from '../../core/errors/passkeys.ts'
import { isOriginOf } from '../../core/relying-party.ts'
import type { Context, TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import type { AssertionJson } from './credential-json.ts'
import { type Passkey, passkeysFor } from './passkey.ts'
import { challengeBytes, promptMs, userHandleOf } from './registration.ts'
import { findUsableRelyingPartyId, userVerificationOf } from './relying-party.ts'
import { type Assertion, verifyAssertion } from './webauthn.ts'

/** Who claims to hold a passkey. */
export interface Claimant {
  user: User | undefined
  /** A digest of the name that was given. */
  nameKey: string
}

/** A passkey and what its use has shown. */
export interface PasskeyProof extends Assertion {
  passkey: Passkey
}

/** 16 random bytes in base64url. */
export const drawChallenge = (ctx: Pick<Context, 'random'>): string =>
  ctx.random.bytes(challengeBytes).toString('base64url')

/**
 * PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3, section 5.1.8) for the passkeys of the claimant; undefined when
 * there are none.
 */
export const requestOptions = async (
  ctx: Context,
  pool: Pool,
  claimant: Claimant,
  challenge: string,
): Promise<object | undefined> => {
  const passkeys = await passkeysOf(ctx, pool, claimant)
  const [first] = passkeys
  return (
    first && {
      challenge,
      rpId: first.relyingPartyId,
      timeout: promptMs,
      allowCredentials: passkeys.map(({ credentialId, transports }) => ({
        type: 'public-key',
        id: credentialId,
        transports,
      })),
      userVerification: userVerificationOf(pool),
    }
  )
}

/** What the assertion proves; undefined for everything that is not the answer of one of the claimant's passkeys. */
export const provePasskey = async (
  ctx: Context,
  pool: Pool,
  claimant: Claimant,
  credential: AssertionJson,
  challenge: string,
): Promise<PasskeyProof | undefined> => {
  const passkeys = await passkeysOf(ctx, pool, claimant)
  const passkey = passkeys.find(({ credentialId }) => credentialId === credential.id)
  if (passkey === undefined) return undefined
  const { relyingPartyId } = passkey
  const assertion = await verifyAssertion(credential, passkey, challenge, {
    relyingPartyId,
    isOrigin: origin => isOriginOf(relyingPartyId, origin, ctx.publicUrl),
    userVerification: userVerificationOf(pool),
  })
  if (assertion === undefined || claimant.user === undefined) return undefined
  const { userHandle = userHandleOf(claimant.user) } = credential
  return userHandle === userHandleOf(claimant.user) ? { ...assertion, passkey } : undefined
}

/**
 * Writes down that the passkey was used: of two answers that an authenticator and its copy have made, the later one by
 * count is the last that is taken.
 * @throws NotAuthorizedException when the passkey is gone, its counter has not moved on, or it has become another kind
 */
export const usePasskey = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  { passkey, signCount, backupEligible, backedUp }: PasskeyProof,
): Promise<void> => {
  const used = await tx.db
    .updateTable('passkeys')
    .set({ sign_count: signCount, backed_up: backedUp ? 1 : 0 })
    .where('pool_id', '=', user.poolId)
    .where('credential_id', '=', passkey.credentialId)
    .where('user_id', '=', user.id)
    .where('public_key', '=', passkey.publicKey)
    .where('backup_eligible', '=', backupEligible ? 1 : 0)
    // An authenticator that does not count says 0 each time.
    .where('sign_count', signCount === 0 ? '=' : '<', signCount)
    .returning('credential_id')
    .executeTakeFirst()
  if (used === undefined) throw passkeyRefused()
}

/** Whether the authenticator says that it was used no more often than it had been: there may be a copy of it. */
export const hasCountedBack = ({ passkey, signCount }: PasskeyProof): boolean =>
  (signCount > 0 || passkey.signCount > 0) && signCount <= passkey.signCount

/**
 * Whether a name that nobody has passes for that of a user with a passkey: every other one does, where users can have
 * passkeys. Takes the look-ups that usablePasskeys takes for a user.
 */
export const hasSimulatedPasskey = async (ctx: Context, pool: Pool, nameKey: string): Promise<boolean> => {
  const [passkey] = await passkeysOf(ctx, pool, { user: undefined, nameKey })
  return passkey !== undefined && (simulation(ctx, nameKey)[2] ?? 0) % 2 === 0
}

/** The claimant's passkeys that are of use as the pool is set up now. Nobody's take the same look-ups. */
const passkeysOf = async (ctx: Context, pool: Pool, { user, nameKey }: Claimant): Promise<Passkey[]> => {
  const relyingPartyId = await findUsableRelyingPartyId(ctx, pool)
  if (relyingPartyId === undefined) return []
  const passkeys = await passkeysFor(ctx, user ?? { id: '' }, relyingPartyId)
  return user === undefined ? [simulatedPasskey(ctx, nameKey, relyingPartyId)] : passkeys
}

/** Lengths of credential ids as well-known authenticators choose them. */
const idLengths = [16, 20, 32]

const simulatedPasskey = (ctx: Pick<Context, 'seal'>, nameKey: string, relyingPartyId: string): Passkey => {
  const bytes = simulation(ctx, nameKey)
  const id = Buffer.from(ctx.seal.digest('simulated-passkey-id', nameKey), 'base64url')
  return {
    credentialId: id.subarray(0, idLengths[(bytes[0] ?? 0) % idLengths.length]).toString('base64url'),
    relyingPartyId,
    publicKey: nobodysKey,
    signCount: 0,
    backupEligible: true,
    backedUp: true,
    attachment: 'platform',
    transports: (bytes[1] ?? 0) % 2 === 0 ? ['hybrid', 'internal'] : ['internal'],
    friendlyName: '',
    createdAt: 0,
  }
}

const simulation = (ctx: Pick<Context, 'seal'>, nameKey: string): Buffer =>
  Buffer.from(ctx.seal.digest('simulated-passkey', nameKey), 'base64url')

/** A key on P-256 as COSE_Key, so that to verify with it takes the usual work. What it verifies proves nothing. */
const nobodysKey = Buffer.from(
  'a5010203262001215820' +
    '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
    '225820' +
    '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  'hex',
).toString('base64url')
