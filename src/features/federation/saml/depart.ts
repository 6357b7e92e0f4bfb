/** The way to a SAML provider: a request by redirect, which the provider's response has to name. */
import { newUuid } from '../../../core/ids.ts'
import { authnRequest, entityIdOf, redirectTo } from '../../../core/saml/request.ts'
import type { Context } from '../../context.ts'
import { withCurrentMetadata } from '../../identity-providers/refresh-metadata.ts'
import { getSigningKeys } from '../../user-pools/signing-keys.ts'
import type { Depart } from '../protocol.ts'

/** Where responses are posted to: the assertion consumer service. */
export const consumerPath = '/saml2/idpresponse'

/** What is to be known again: the id of the request, and the URL that the response must be for. */
export interface RememberedRequest extends Record<string, string> {
  requestId: string
  recipient: string
}

export const departBySaml: Depart = async (ctx, { provider, baseUrl, prompt }) => {
  const { poolId, settings, saml } = await withCurrentMetadata(ctx, provider)
  const { signOnUrl } = saml.metadata
  const remembered: RememberedRequest = { requestId: newMessageId(ctx), recipient: baseUrl + consumerPath }
  const request = authnRequest({
    id: remembered.requestId,
    now: ctx.clock.now(),
    destination: signOnUrl,
    issuer: entityIdOf(poolId),
    consumerUrl: remembered.recipient,
    forceAuthn: prompt.has('login'),
  })
  const sign = settings.details['RequestSigningAlgorithm'] === undefined ? undefined : signerOf(ctx, poolId)
  return { remembered, address: relayState => redirectTo(signOnUrl, { request, relayState }, sign) }
}

/** An id must not begin with a digit. */
export const newMessageId = (ctx: Pick<Context, 'random'>): string => `_${newUuid(ctx.random)}`

/** Signs with the key whose certificate GetSigningCertificate shows. */
export const signerOf =
  (ctx: Context, poolId: string) =>
  async (octets: string): Promise<string> => {
    const { id } = await getSigningKeys(ctx, { id: poolId })
    return Buffer.from(await ctx.compute.signRs256(id.privateKey, octets), 'base64url').toString('base64')
  }
