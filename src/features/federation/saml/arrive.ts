/** What a SAML provider has had the browser post, as an answer that can be relied on. */
import { createHash } from 'node:crypto'
import { invalidSamlResponse } from '../../../core/errors/saml.ts'
import type { ProviderClaims } from '../../../core/provider-claims.ts'
import { SamlFault } from '../../../core/saml/fault.ts'
import { entityIdOf } from '../../../core/saml/request.ts'
import type { SamlAnswer } from '../../../core/saml/response.ts'
import { verificationKeys } from '../../../core/saml/signature.ts'
import { consumeOnce } from '../../../store/one-time.ts'
import { type Context, inTransaction } from '../../context.ts'
import { openEncryptionKey } from '../../identity-providers/encryption-key.ts'
import type { Provider } from '../../identity-providers/provider.ts'
import { type SamlProvider, withCurrentMetadata } from '../../identity-providers/refresh-metadata.ts'
import type { FederatedAnswer } from '../sign-in.ts'

/** In base64, as the form carries it. */
export const messageLengthMax = 100_000

export interface ExpectedPost {
  /** The URL that the response must be for. */
  recipient: string
  /** The id of the request; undefined when the provider has begun the sign-in itself. */
  requestId: string | undefined
}

/**
 * The answer in the form member `SAMLResponse`, which may be any text. An assertion is good once, on whatever node.
 * @throws OAuthError, with a description for the application
 */
export const arriveBySaml = async (
  ctx: Context,
  given: Provider,
  message: string,
  { recipient, requestId }: ExpectedPost,
): Promise<FederatedAnswer> => {
  const provider = await withCurrentMetadata(ctx, given)
  try {
    const now = ctx.clock.now()
    const answer = await ctx.compute.saml.response(decodeMessage(message), {
      now,
      issuer: provider.saml.metadata.entityId,
      audience: entityIdOf(provider.poolId),
      recipient,
      requestId,
      keys: verificationKeys(provider.saml.metadata.certificates, now),
      privateKey: encryptionKeyOf(provider),
      mustBeEncrypted: provider.settings.details['EncryptedResponses'] === 'true',
    })
    await useUp(ctx, provider, answer)
    const { nameId, sessionIndex } = answer
    const claims = claimsOf(answer)
    return {
      provider,
      subject: nameId.value,
      claims,
      told: { samlResponse: Object.fromEntries(claims) },
      providerSession: { nameId, ...(sessionIndex !== undefined && { sessionIndex }) },
    }
  } catch (error) {
    if (!(error instanceof SamlFault)) throw error
    ctx.log.info({ requestId: ctx.requestId, provider: provider.name, cause: error.message }, 'SAML response refused')
    throw invalidSamlResponse(error)
  }
}

/** The XML of a message. @throws SamlFault */
export const decodeMessage = (message: string): string => {
  const text = message.length > messageLengthMax ? '' : message.replaceAll(/\s/g, '')
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw new SamlFault('malformed', 'not base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SamlFault('malformed', 'not UTF-8')
  }
}

const encryptionKeyOf = ({ name, secrets: { encryptionKey } }: Provider) => {
  if (encryptionKey === undefined) throw new Error(`The provider ${name} has no key for encryption.`)
  return openEncryptionKey(encryptionKey)
}

/** @throws SamlFault for an assertion that has been used before */
const useUp = async (ctx: Context, { poolId, saml }: SamlProvider, { assertionId, expiresAt }: SamlAnswer) => {
  const name = JSON.stringify([poolId, saml.metadata.entityId, assertionId])
  const id = createHash('sha256').update(name).digest('base64url')
  const isFirst = await inTransaction(ctx, tx => consumeOnce(tx.db, 'saml-assertion', id, expiresAt))
  if (!isFirst) throw new SamlFault('replayed', 'the assertion has been used')
}

/** A single value is a text and several are a list, as in the claims of OpenID Connect. The subject can be mapped as well. */
const claimsOf = ({ attributes, nameId }: SamlAnswer): ProviderClaims =>
  new Map<string, unknown>([
    ...[...attributes].map(([name, values]) => [name, values.length === 1 ? values[0] : values] as const),
    ['NameID', nameId.value],
  ])
