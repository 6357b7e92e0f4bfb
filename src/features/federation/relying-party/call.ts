/** Calls of the relying party to a provider: bounded, without redirects, and answered by a JSON object. */

import { connectionReset, readTimedOut } from '../../../core/errors/federation.ts'
import type { OAuthError } from '../../../core/errors/oauth.ts'
import { FetchFailure, type FetchRequest } from '../../../core/ports.ts'
import { parseUnambiguousJson } from '../../../core/unambiguous-json.ts'
import type { Context } from '../../context.ts'

/** What a provider has answered; the object is undefined when the body is none. */
export interface ProviderResponse {
  status: number
  json: Record<string, unknown> | undefined
}

/** @throws OAuthError: `late` when there is no answer in time, another one when there is none at all */
export const callProvider = async (
  ctx: Pick<Context, 'fetch' | 'log' | 'requestId'>,
  url: string,
  request: FetchRequest,
  late: () => OAuthError = readTimedOut,
): Promise<ProviderResponse> => {
  try {
    const { status, body } = await ctx.fetch(url, {
      ...request,
      redirectsMax: 0,
      headers: { accept: 'application/json', ...request.headers },
    })
    return { status, json: parseUnambiguousJson(body) }
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    // The administrator learns why; the application is told no more of the network than that it does not answer.
    ctx.log.warn({ requestId: ctx.requestId, reason: error.reason, cause: error.message }, 'identity provider failed')
    throw error.reason === 'timeout' ? late() : connectionReset()
  }
}

/** The object of a successful answer. */
export const successOf = ({ status, json }: ProviderResponse): Record<string, unknown> | undefined =>
  status === 200 ? json : undefined

export const textIn = (object: Record<string, unknown> | undefined, name: string): string | undefined => {
  const value = object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
