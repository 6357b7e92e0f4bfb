/** The authorization server: all endpoints of OAuth 2.0 and OpenID Connect but the pages. */
import type { ContextOptions, Routes } from '../request-context.ts'
import { addAuthorize } from './authorize.ts'
import { addDiscovery } from './discovery.ts'
import { addEndpoint, type Endpoint } from './endpoint.ts'
import { extensionEndpoints } from './extensions.ts'
import { addIdpResponse } from './idp-response.ts'
import { addLogout } from './logout.ts'
import { registrationEndpoints } from './register.ts'
import { revocationEndpoint } from './revoke.ts'
import { addSaml } from './saml.ts'
import { tokenEndpoint } from './token.ts'
import { userInfoEndpoints } from './user-info.ts'

/** What clients call; what browsers come to is added beside it. */
const endpoints: readonly Endpoint[] = [
  tokenEndpoint,
  ...userInfoEndpoints,
  revocationEndpoint,
  ...registrationEndpoints,
  ...extensionEndpoints,
]

export const addOAuth = (routes: Routes, options: ContextOptions): void => {
  addDiscovery(routes, options)
  addAuthorize(routes, options)
  addIdpResponse(routes, options)
  addLogout(routes, options)
  addSaml(routes, options)
  for (const endpoint of endpoints) addEndpoint(routes, options, endpoint)
}
