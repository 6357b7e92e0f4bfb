/** The endpoints of the extensions. One that is switched off is not there. */
import { notOffered } from '../../core/errors/oauth.ts'
import type { OAuthExtension } from '../../core/oauth-extensions.ts'
import type { FormRequest } from '../../features/authorization/client-authentication.ts'
import { answerDeviceAuthorization } from '../../features/authorization/device-authorization.ts'
import { introspect } from '../../features/authorization/introspection.ts'
import { offers } from '../../features/authorization/offers.ts'
import { answerPushedRequest } from '../../features/authorization/push.ts'
import type { Context } from '../../features/context.ts'
import { type Endpoint, formRequestOf } from './endpoint.ts'

interface Extension {
  extension: OAuthExtension
  path: string
  status: 200 | 201
  answer(ctx: Context, request: FormRequest): Promise<object>
}

const extensions: readonly Extension[] = [
  { extension: 'introspection', path: '/oauth2/introspect', status: 200, answer: introspect },
  { extension: 'pushed-requests', path: '/oauth2/par', status: 201, answer: answerPushedRequest },
  {
    extension: 'device-grant',
    path: '/oauth2/device_authorization',
    status: 200,
    answer: answerDeviceAuthorization,
  },
]

/** Servers and devices call them, and no scripts of browsers. */
export const extensionEndpoints: readonly Endpoint[] = extensions.map(({ extension, path, status, answer }) => ({
  path,
  methods: ['POST'],
  cors: false,
  answer: async (ctx, c) => {
    if (!offers(ctx, extension)) throw notOffered()
    return c.json(await answer(ctx, await formRequestOf(c)), status)
  },
}))
