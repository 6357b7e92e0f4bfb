/**
 * The signing keys of a pool: one RSA-2048 pair signs ID tokens, another signs access tokens. The private halves are
 * sealed in the database; the public halves are what the pool's JWKS shows.
 */
import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { SigningKeyRow } from '../../store/tables.ts'
import type { Services, TransactionContext } from '../context.ts'
import type { Pool } from './pool.ts'

export type TokenUse = 'id' | 'access'

export interface SigningKey {
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  publicJwk: JsonWebKey
  createdAt: number
}

export type SigningKeys = Record<TokenUse, SigningKey>

/** A new pair of keys as rows, ready to be inserted with their pool. Takes pairs that were made ahead of time. */
export const makeSigningKeyRows = async (
  ctx: Pick<Services, 'keyPairs' | 'seal' | 'clock'>,
  poolId: string,
): Promise<SigningKeyRow[]> => {
  const rows: SigningKeyRow[] = []
  for (const tokenUse of ['id', 'access'] as const) {
    const { publicKey, privateKey } = await ctx.keyPairs.take()
    const kid = keyId(publicKey, poolId, tokenUse)
    rows.push({
      kid,
      pool_id: poolId,
      token_use: tokenUse,
      public_jwk: JSON.stringify(publicKey.export({ format: 'jwk' })),
      private_key: ctx.seal.seal('signing-key', privateKey.export({ format: 'der', type: 'pkcs8' }), kid),
      created_at: ctx.clock.now(),
    })
  }
  return rows
}

/** Key ids look like Cognito's: 32 bytes in standard base64. */
const keyId = (publicKey: KeyObject, poolId: string, tokenUse: TokenUse): string =>
  createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .update(poolId)
    .update(tokenUse)
    .digest('base64')

export const insertSigningKeys = async (tx: TransactionContext, rows: SigningKeyRow[]): Promise<void> => {
  await tx.db.insertInto('signing_keys').values(rows).execute()
}

/** The keys that sign the pool's tokens now. */
export const getSigningKeys = (ctx: Services, pool: Pick<Pool, 'id'>): Promise<SigningKeys> =>
  ctx.caches.signingKeys.get(pool.id, async () => {
    const rows = await ctx.db.selectFrom('signing_keys').selectAll().where('pool_id', '=', pool.id).execute()
    return { id: openKey(ctx, rows, 'id'), access: openKey(ctx, rows, 'access') }
  })

const openKey = (ctx: Services, rows: SigningKeyRow[], tokenUse: TokenUse): SigningKey => {
  const row = rows.find(candidate => candidate.token_use === tokenUse)
  if (row === undefined) throw new Error(`The pool has no key for ${tokenUse} tokens.`)
  const der = ctx.seal.open('signing-key', row.private_key, row.kid)
  if (der === undefined) throw new Error(`The signing key ${row.kid} cannot be opened with the master key.`)
  const publicJwk = JSON.parse(row.public_jwk) as JsonWebKey
  return {
    kid: row.kid,
    privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: publicJwk, format: 'jwk' }),
    publicJwk,
    createdAt: row.created_at,
  }
}

/** The pool's JSON Web Key Set: two entries, public members only (RFC 7517). */
export const presentJwks = (keys: SigningKeys): { keys: JsonWebKey[] } => ({
  keys: [keys.id, keys.access].map(({ kid, publicJwk }) => ({
    alg: 'RS256',
    e: publicJwk.e ?? '',
    kid,
    kty: 'RSA',
    n: publicJwk.n ?? '',
    use: 'sig',
  })),
})
