/**
 * Inbound federation: the pool's function decides which attributes of a provider's answer go on to the mapping. It runs
 * at every sign-in through a provider, after the answer has been verified and before a profile is made or changed.
 */
import { triggerOutputUnusable } from '../../core/errors.ts'
import { textMapOf } from '../../core/trigger-response.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { runTrigger } from './run.ts'

/** What a provider said of a user: the tokens and claims of OpenID Connect and its like, or attributes of SAML. */
export type ProviderAnswer =
  | {
      /** The answer of the token endpoint. */
      tokenResponse: object
      /** The claims of the ID token, where there is one. */
      idToken: object | undefined
      userInfo: object | undefined
    }
  | { samlResponse: object }

export interface InboundFederationRequest {
  /** The name of the profile: provider, underscore, subject. */
  username: string
  providerName: string
  providerType: 'OIDC' | 'SAML' | 'Facebook' | 'Google' | 'SignInWithApple' | 'LoginWithAmazon'
  answer: ProviderAnswer
}

/**
 * The attributes that the mapping is applied to in the place of the provider's, complete; undefined when the provider's
 * stay as they are, which is also so without a function. A function that answers without `userAttributesToMap`, or with
 * anything but texts in it, ends the sign-in.
 * @throws UserLambdaValidationException when it refuses the user, InvalidLambdaResponseException, and what runTrigger
 * throws.
 */
export const runInboundFederation = async (
  ctx: Context,
  pool: Pool,
  { username, providerName, providerType, answer }: InboundFederationRequest,
): Promise<ReadonlyMap<string, string> | undefined> => {
  const response = await runTrigger(ctx, pool, 'InboundFederation', {
    source: 'ExternalProvider',
    username,
    request: { providerName, providerType, attributes: answer },
  })
  if (response === undefined) return undefined
  const attributes = textMapOf(response, 'userAttributesToMap')
  if (attributes === undefined) throw triggerOutputUnusable()
  return attributes.size === 0 ? undefined : attributes
}
