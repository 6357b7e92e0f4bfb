/** The authorization server: all endpoints of OAuth 2.0 and OpenID Connect. */
import type { ContextOptions, Routes } from '../request-context.ts'
import { addAuthorize } from './authorize.ts'
import { addEndpoint, type Endpoint } from './endpoint.ts'
import { tokenEndpoint } from './token.ts'

/** What clients call; what browsers come to is added beside it. */
const endpoints: readonly Endpoint[] = [tokenEndpoint]

export const addOAuth = (routes: Routes, options: ContextOptions): void => {
  addAuthorize(routes, options)
  for (const endpoint of endpoints) addEndpoint(routes, options, endpoint)
}
