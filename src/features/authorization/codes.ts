/**
 * Authorization codes: good for five minutes, once, and only for the client and on the terms of the request that they
 * answer. The database knows their digests. A code that was used is remembered for a while: who presents it a second time
 * has stolen it or was stolen from, so what it gave is taken back (RFC 6749, section 4.1.2).
 */
import type { Factor } from '../../core/claims.ts'
import { newUuid } from '../../core/ids.ts'
import { tokenLifetimes } from '../../core/token-validity.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { revokeSession } from '../tokens/revocation.ts'
import type { User } from '../users/user.ts'
import type { AuthorizationRequest } from './request.ts'

/** What a code is bound to and what it grants. */
export interface CodeGrant {
  redirectUri: string
  scope: string
  codeChallenge?: string | undefined
  nonce?: string | undefined
  resource?: string | undefined
  /** Seconds since the epoch. */
  authTime: number
  factors: Factor[]
  /** The event of the sign-in, which the tokens name. */
  eventId?: string | undefined
  browserSessionId?: string | undefined
}

/** A code that has been taken. */
export interface TakenCode {
  grant: CodeGrant
  userId: string
  sessionEpoch: number
  originJti: string
}

const purpose = 'authorization-code'
const lifetimeMs = 300_000
const codeLength = 36

/** How long after its end a code that was used is recognized. */
export const usedCodeMs = 3_600_000

/** A new code for the user, who has signed in for this request. */
export const createCode = async (
  ctx: Context,
  { client, redirectUri, scopes, codeChallenge, nonce, resource }: AuthorizationRequest,
  user: User,
  signedIn: Pick<CodeGrant, 'authTime' | 'factors' | 'eventId' | 'browserSessionId'>,
): Promise<string> => {
  const code = newUuid(ctx.random)
  const grant: CodeGrant = { redirectUri, scope: scopes.join(' '), codeChallenge, nonce, resource, ...signedIn }
  await inTransaction(ctx, tx =>
    tx.db
      .insertInto('authorization_codes')
      .values({
        digest: tx.seal.digest(purpose, code),
        client_id: client.id,
        user_id: user.id,
        session_epoch: user.sessionEpoch,
        origin_jti: newUuid(tx.random),
        grant_data: JSON.stringify(grant),
        used_at: null,
        expires_at: tx.clock.now() + lifetimeMs,
      })
      .execute(),
  )
  return code
}

/**
 * Takes the code for the client that it was made for: of many who present it exactly one gets it. Undefined for every
 * other code. When the client presents a code that was used, the session that came of it ends.
 */
export const takeCode = async (ctx: Context, client: Client, code: string): Promise<TakenCode | undefined> => {
  if (code.length !== codeLength) return undefined
  const digest = ctx.seal.digest(purpose, code)
  return inTransaction(ctx, async tx => {
    const now = tx.clock.now()
    const taken = await tx.db
      .updateTable('authorization_codes')
      .set({ used_at: now })
      .where('digest', '=', digest)
      .where('client_id', '=', client.id)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .returning(['grant_data', 'user_id', 'session_epoch', 'origin_jti'])
      .executeTakeFirst()
    if (taken !== undefined) {
      return {
        grant: JSON.parse(taken.grant_data) as CodeGrant,
        userId: taken.user_id,
        sessionEpoch: taken.session_epoch,
        originJti: taken.origin_jti,
      }
    }
    const used = await tx.db
      .selectFrom('authorization_codes')
      .select('origin_jti')
      .where('digest', '=', digest)
      .where('client_id', '=', client.id)
      .where('used_at', 'is not', null)
      .executeTakeFirst()
    if (used !== undefined) {
      await revokeSession(tx, used.origin_jti, now + tokenLifetimes(client.settings).refreshTokenSeconds * 1_000)
    }
    return undefined
  })
}
