/** Ending sessions: one of them by its refresh token, or all of a user at once. */
import type { RevokeAssociatedSessionsType } from '../../contract/types.ts'
import { clientNotAuthorized, revocationNotEnabled, unsupportedTokenType, userNotFound } from '../../core/errors.ts'
import { looksLikeSignedToken } from '../../core/jwt.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { type User, updateUser } from '../users/user.ts'
import { openRefreshToken } from './refresh-token.ts'
import { revokeSession } from './revocation.ts'
import { endParentSession } from './sessions.ts'

/**
 * Ends the session of a refresh token of the client: the token and all ID and access tokens that came of it. A token that
 * is unknown, expired or revoked already is no error (RFC 7009, section 2.2). With LINKED the session of the browser that
 * it came from ends as well.
 * @throws UnauthorizedException for the token of another client, UnsupportedOperationException when the client does not
 * revoke tokens, UnsupportedTokenTypeException for an ID or access token
 */
export const revokeToken = async (
  ctx: Context,
  client: Client,
  { token, associated = 'NONE' }: { token: string; associated?: RevokeAssociatedSessionsType | undefined },
): Promise<void> => {
  if (client.settings.EnableTokenRevocation === false) throw revocationNotEnabled()
  const refreshToken = openRefreshToken(ctx, token)
  if (refreshToken === undefined) {
    if (looksLikeSignedToken(token)) throw unsupportedTokenType()
    return
  }
  if (refreshToken.clientId !== client.id) throw clientNotAuthorized()
  await inTransaction(ctx, async tx => {
    if (associated === 'LINKED') await endParentSession(tx, refreshToken.originJti)
    await revokeSession(tx, refreshToken.originJti, refreshToken.expiresAt)
  })
}

/**
 * Ends all sessions of the user, on every client, and breaks sign-ins that are under way.
 * @throws UserNotFoundException when the user was deleted meanwhile.
 */
export const signOutEverywhere = async (ctx: Context, user: User): Promise<void> => {
  const changed = await inTransaction(ctx, tx => updateUser(tx, user, { endSessions: true }))
  if (!changed) throw userNotFound()
}
