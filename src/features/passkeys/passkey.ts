/**
 * Passkeys of users (WebAuthn Level 3): the record of a credential, its registration, and the proof that a user holds it.
 *
 * Owned by this folder: credentials, the challenges of registrations, what authenticators are asked and what their
 * answers prove. Not owned: when a sign-in asks for a passkey (sign-in), the settings of the pool (user-pools).
 */
import type { WebAuthnCredentialDescription } from '../../contract/types.ts'
import { passkeyExists, passkeyNotFound, tooManyPasskeys } from '../../core/errors/passkeys.ts'
import type { PasskeyRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import { lockUser, type User } from '../users/user.ts'

export const passkeysPerUserMax = 20

export interface Passkey {
  /** In base64url. */
  credentialId: string
  relyingPartyId: string
  /** COSE_Key, in base64url. */
  publicKey: string
  signCount: number
  backupEligible: boolean
  backedUp: boolean
  attachment: 'platform' | 'cross-platform' | undefined
  transports: string[]
  friendlyName: string
  createdAt: number
}

/** Where the next page begins. */
export type PasskeyPosition = [createdAt: number, credentialId: string]

/** The user's passkeys, the oldest first. */
export const listPasskeys = async (
  ctx: ReadContext,
  user: Pick<User, 'id'>,
  { after, limit = passkeysPerUserMax }: { after?: PasskeyPosition | undefined; limit?: number } = {},
): Promise<Passkey[]> => {
  let query = ctx.db.selectFrom('passkeys').selectAll().where('user_id', '=', user.id)
  if (after !== undefined) {
    const [createdAt, credentialId] = after
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'credential_id'), '>', tuple(createdAt, credentialId)),
    )
  }
  return (await query.orderBy('created_at').orderBy('credential_id').limit(limit).execute()).map(fromRow)
}

/** The user's passkeys that are of use for the relying party. */
export const passkeysFor = async (
  ctx: ReadContext,
  user: Pick<User, 'id'>,
  relyingPartyId: string,
): Promise<Passkey[]> => (await listPasskeys(ctx, user)).filter(passkey => passkey.relyingPartyId === relyingPartyId)

/** @throws LimitExceededException when the user has as many passkeys as a user can have. */
export const assertRoomForPasskey = async (ctx: ReadContext, user: Pick<User, 'id'>): Promise<void> => {
  if ((await listPasskeys(ctx, user)).length >= passkeysPerUserMax) throw tooManyPasskeys(passkeysPerUserMax)
}

/**
 * Adds a passkey to the user, whose row the caller has locked.
 * @throws LimitExceededException, InvalidParameterException when somebody in the pool has the credential already.
 */
export const insertPasskey = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  passkey: Passkey,
): Promise<void> => {
  await assertRoomForPasskey(tx, user)
  const inserted = await tx.db
    .insertInto('passkeys')
    .values({
      pool_id: user.poolId,
      credential_id: passkey.credentialId,
      user_id: user.id,
      relying_party_id: passkey.relyingPartyId,
      public_key: passkey.publicKey,
      sign_count: passkey.signCount,
      backup_eligible: passkey.backupEligible ? 1 : 0,
      backed_up: passkey.backedUp ? 1 : 0,
      attachment: passkey.attachment ?? null,
      transports: JSON.stringify(passkey.transports),
      friendly_name: passkey.friendlyName,
      created_at: passkey.createdAt,
    })
    .onConflict(conflict => conflict.columns(['pool_id', 'credential_id']).doNothing())
    .returning('credential_id')
    .executeTakeFirst()
  if (inserted === undefined) throw passkeyExists()
}

/** @throws ResourceNotFoundException when the user has no such passkey, whoever else may have it. */
export const deletePasskey = async (
  ctx: Context,
  user: Pick<User, 'id' | 'poolId'>,
  credentialId: string,
): Promise<void> => {
  const deleted = await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    return tx.db
      .deleteFrom('passkeys')
      .where('pool_id', '=', user.poolId)
      .where('credential_id', '=', credentialId)
      .where('user_id', '=', user.id)
      .returning('credential_id')
      .executeTakeFirst()
  })
  if (deleted === undefined) throw passkeyNotFound()
}

const fromRow = (row: PasskeyRow): Passkey => ({
  credentialId: row.credential_id,
  relyingPartyId: row.relying_party_id,
  publicKey: row.public_key,
  signCount: row.sign_count,
  backupEligible: row.backup_eligible === 1,
  backedUp: row.backed_up === 1,
  attachment: (row.attachment as Passkey['attachment'] | null) ?? undefined,
  transports: JSON.parse(row.transports) as string[],
  friendlyName: row.friendly_name,
  createdAt: row.created_at,
})

/** Passkey → WebAuthnCredentialDescription. */
export const presentPasskey = (passkey: Passkey): WebAuthnCredentialDescription => ({
  CredentialId: passkey.credentialId,
  FriendlyCredentialName: passkey.friendlyName,
  RelyingPartyId: passkey.relyingPartyId,
  ...(passkey.attachment !== undefined && { AuthenticatorAttachment: passkey.attachment }),
  AuthenticatorTransports: passkey.transports,
  CreatedAt: new Date(passkey.createdAt),
})
