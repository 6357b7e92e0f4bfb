/** `POST /oauth2/token` (RFC 6749, section 3.2). */
import { answerTokenRequest } from '../../features/authorization/token.ts'
import { type Endpoint, formRequestOf } from './endpoint.ts'

export const tokenEndpoint: Endpoint = {
  path: '/oauth2/token',
  methods: ['POST'],
  cors: true,
  answer: async (ctx, c) => c.json(await answerTokenRequest(ctx, await formRequestOf(c))),
}
