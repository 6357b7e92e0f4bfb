/** `POST /oauth2/revoke` (RFC 7009). */
import { answerRevocation } from '../../features/authorization/revoke.ts'
import { type Endpoint, formRequestOf } from './endpoint.ts'

export const revocationEndpoint: Endpoint = {
  path: '/oauth2/revoke',
  methods: ['POST'],
  cors: true,
  answer: async (ctx, c) => {
    await answerRevocation(ctx, await formRequestOf(c))
    // Clients parse a body as JSON unless its length says that there is none.
    return c.body(null, 200, { 'content-length': '0' })
  },
}
