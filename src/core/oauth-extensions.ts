/** What the authorization server can do beyond Cognito. Each is an option, because a strict client may see the difference. */

export const oauthExtensions = {
  'response-iss': 'authorization answers name their issuer (RFC 9207)',
  'end-session': '`/logout` understands `post_logout_redirect_uri` and `id_token_hint` (RP-initiated logout)',
  introspection: '`/oauth2/introspect` tells a client with a secret about its tokens (RFC 7662)',
  'pushed-requests': '`/oauth2/par` takes authorization requests ahead of the browser (RFC 9126)',
  'device-grant': '`/oauth2/device` lets devices without a browser sign their users in (RFC 8628)',
} as const

export type OAuthExtension = keyof typeof oauthExtensions

/** Cognito answers the logout of the standard with an error page, so understanding it takes nothing away from anybody. */
export const defaultExtensions: readonly OAuthExtension[] = ['end-session']

const isOAuthExtension = (name: string): name is OAuthExtension => Object.hasOwn(oauthExtensions, name)

/** The extensions of a list that is separated by commas, or undefined when it names another; `none` is the empty list. */
export const readExtensions = (text: string): OAuthExtension[] | undefined => {
  if (text === 'none') return []
  const names = text.split(',').map(name => name.trim())
  return names.every(isOAuthExtension) ? names : undefined
}
