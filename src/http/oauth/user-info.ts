/** `GET` and `POST /oauth2/userInfo` (OpenID Connect Core, section 5.3). */
import { badUserInfoRequest, OAuthError } from '../../core/errors/oauth.ts'
import { readUserInfo } from '../../features/authorization/user-info.ts'
import type { Context } from '../../features/context.ts'
import type { RequestContext } from '../request-context.ts'
import { type Endpoint, formOf } from './endpoint.ts'

const answer = async (ctx: Context, c: RequestContext): Promise<Response> => {
  try {
    const info = await readUserInfo(ctx, { host: c.req.header('host'), token: await tokenOf(c) })
    c.header('content-type', 'application/json;charset=UTF-8')
    return c.body(JSON.stringify(info))
  } catch (error) {
    if (error instanceof OAuthError && error.status < 500) c.header('www-authenticate', challengeOf(error))
    throw error
  }
}

/** The scheme is RFC 6750's; Cognito leaves it out, and clients that look for the parameters do not miss it. */
const challengeOf = ({ code, description }: OAuthError): string =>
  `Bearer error="${code}"${description === undefined ? '' : `, error_description="${description}"`}`

/** The token of the header or, in a form, of the body (RFC 6750, sections 2.1 and 2.2), but not of both. */
const tokenOf = async (c: RequestContext): Promise<string | undefined> => {
  const authorization = c.req.header('authorization')
  const [, inHeader] = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '') ?? []
  const hasForm = c.req.method === 'POST' && c.req.header('content-type') !== undefined
  const form = hasForm ? await formOf(c) : undefined
  const inBody = form?.get('access_token')
  if (form?.isRepeated('access_token') || (authorization !== undefined && inBody !== undefined)) {
    throw badUserInfoRequest()
  }
  return inHeader ?? inBody
}

/** The second spelling is that of a client. */
export const userInfoEndpoints: readonly Endpoint[] = ['/oauth2/userInfo', '/oauth2/userinfo'].map(path => ({
  path,
  methods: ['GET', 'POST'],
  cors: true,
  answer,
}))
