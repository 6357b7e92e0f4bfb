/** The secrets of an app client: at most two at a time, so that one can replace the other without an interruption. */
import type { ClientSecretDescriptorType } from '../../contract/types.ts'
import { invalidParameter, limitExceeded } from '../../core/errors.ts'
import { newClientSecret } from '../../core/ids.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import type { Client, ClientSecret } from './client.ts'

const secretsMax = 2

/** Stores a secret, sealed and bound to its id. Returns it. */
export const insertClientSecret = async (
  tx: TransactionContext,
  clientId: string,
  value: string,
): Promise<ClientSecret> => {
  const createdAt = await freeMoment(tx, clientId)
  const id = `${clientId}--${createdAt}`
  await tx.db
    .insertInto('client_secrets')
    .values({ id, client_id: clientId, secret: tx.seal.seal('client-secret', value, id), created_at: createdAt })
    .execute()
  return { id, value, createdAt }
}

/** The id of a secret holds its time of creation, so two secrets of one client never share a millisecond. */
const freeMoment = async (tx: TransactionContext, clientId: string): Promise<number> => {
  const newest = await tx.db
    .selectFrom('client_secrets')
    .select('created_at')
    .where('client_id', '=', clientId)
    .orderBy('created_at', 'desc')
    .executeTakeFirst()
  return Math.max(tx.clock.now(), (newest?.created_at ?? 0) + 1)
}

/**
 * A client that has registered itself keeps the secret that it was given.
 * @throws InvalidParameterException; the text is not published.
 */
export const assertManagesSecrets = ({ settings }: Client): void => {
  if (settings.ClientType === 'DCR') {
    throw invalidParameter('The secrets of a client that was registered dynamically cannot be managed.')
  }
}

/**
 * Adds a second secret: the caller's, or a generated one, which only this answer shows.
 * @throws LimitExceededException when there are two already, InvalidParameterException for a public client.
 */
export const addClientSecret = async (
  ctx: Context,
  client: Client,
  value: string | undefined,
): Promise<ClientSecretDescriptorType> => {
  if (client.secrets.length === 0) throw invalidParameter('A secret can only be added to a client that has one.')
  const secret = await inTransaction(ctx, async tx => {
    if ((await lockSecrets(tx, client)).length >= secretsMax) {
      throw limitExceeded(`A client can have at most ${secretsMax} secrets.`)
    }
    return insertClientSecret(tx, client.id, value ?? newClientSecret(tx.random))
  })
  await ctx.caches.invalidate('clients', client.id)
  return { ...presentClientSecret(secret), ...(value === undefined && { ClientSecretValue: secret.value }) }
}

/**
 * Deletes a secret; it stops working at once.
 * @throws InvalidParameterException for an unknown id and for the last one; neither is published.
 */
export const deleteClientSecret = async (ctx: Context, client: Client, secretId: string): Promise<void> => {
  await inTransaction(ctx, async tx => {
    const ids = await lockSecrets(tx, client)
    if (!ids.includes(secretId)) throw invalidParameter(`Client secret ${secretId} does not exist.`)
    if (ids.length === 1) throw invalidParameter('The last secret of a client cannot be deleted.')
    await tx.db.deleteFrom('client_secrets').where('id', '=', secretId).execute()
  })
  await ctx.caches.invalidate('clients', client.id)
}

/**
 * The ids of the secrets, while no other transaction can change them: raising the client's version takes the lock of
 * its row on both databases.
 */
const lockSecrets = async (tx: TransactionContext, client: Client): Promise<string[]> => {
  await tx.db
    .updateTable('clients')
    .set(row => ({ version: row('version', '+', 1) }))
    .where('id', '=', client.id)
    .execute()
  const rows = await tx.db.selectFrom('client_secrets').select('id').where('client_id', '=', client.id).execute()
  return rows.map(row => row.id)
}

/** ClientSecret → ClientSecretDescriptorType, without the value. */
export const presentClientSecret = (secret: ClientSecret): ClientSecretDescriptorType => ({
  ClientSecretId: secret.id,
  ClientSecretCreateDate: new Date(secret.createdAt),
})
