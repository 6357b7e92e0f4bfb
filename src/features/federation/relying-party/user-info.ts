/** What providers tell of a user when they are shown the access token; each in its own way. */
import type { IdentityProviderTypeType } from '../../../contract/types.ts'
import { userInfoRefused, userInfoUnusable } from '../../../core/errors/federation.ts'
import type { Context } from '../../context.ts'
import type { Provider } from '../../identity-providers/provider.ts'
import { callProvider, successOf, textIn } from './call.ts'
import { personClaims, personFields } from './google.ts'

type Claims = Record<string, unknown>

/**
 * The claims; undefined for a provider that is not asked, because the ID token says it all.
 * @throws OAuthError
 */
export const userInfoOf = async (
  ctx: Context,
  provider: Provider,
  accessToken: string,
  idClaims: Claims | undefined,
): Promise<Claims | undefined> => {
  const url = urls[provider.type]?.(provider, idClaims)
  if (url === undefined) return undefined
  const isPost = provider.settings.details['attributes_request_method'] === 'POST'
  const answer = await callProvider(ctx, url, {
    purpose: 'userInfo of a provider',
    method: isPost ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${accessToken}`,
      ...(isPost && { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(isPost && { body: '' }),
  })
  if (answer.status !== 200) throw userInfoRefused(provider.name, answer.status, errorIn(answer.json))
  const claims = successOf(answer)
  if (claims === undefined) throw userInfoUnusable()
  if (provider.type === 'Google') return personClaims(claims)
  return provider.type === 'Facebook' ? withPictureUrl(claims) : claims
}

type UrlOf = (provider: Provider, idClaims: Claims | undefined) => string | undefined

const attributesUrl = ({ settings: { details } }: Provider): string => details['attributes_url'] ?? ''

/** The claims that attributes are mapped to, other than the tokens themselves. */
const mappedClaims = ({ settings: { attributeMapping } }: Provider): string[] => [
  ...new Set(Object.values(attributeMapping).filter(claim => claim !== 'access_token' && claim !== 'id_token')),
]

const urls: Partial<Record<IdentityProviderTypeType, UrlOf>> = {
  OIDC: attributesUrl,
  LoginWithAmazon: attributesUrl,
  Facebook: provider =>
    attributesUrl(provider) + encodeURIComponent(['id', ...mappedClaims(provider)].filter(once).join(',')),
  // The ID token tells what most applications want to know; the rest of a person has to be asked for.
  Google: (provider, idClaims = {}) => {
    const fields = mappedClaims(provider).filter(claim => !Object.hasOwn(idClaims, claim) && personFields.has(claim))
    return fields.length === 0 ? undefined : attributesUrl(provider) + encodeURIComponent(fields.join(','))
  },
}

const once = (value: string, index: number, all: readonly string[]): boolean => all.indexOf(value) === index

/** Facebook's `picture` is an object around the address of the picture. */
const withPictureUrl = (claims: Claims): Claims => {
  const { picture } = claims
  const data = typeof picture === 'object' && picture !== null && 'data' in picture ? picture.data : undefined
  const url = typeof data === 'object' && data !== null ? textIn(data as Claims, 'url') : undefined
  return url === undefined ? claims : { ...claims, picture: url }
}

const codeLengthMax = 100

/** The code of an error, as Google and others write it. */
const errorIn = (json: Claims | undefined): string => {
  const { error } = json ?? {}
  const code = typeof error === 'object' && error !== null ? textIn(error as Claims, 'status') : textIn(json, 'error')
  return code !== undefined && code.length <= codeLengthMax && /^[\w .-]+$/.test(code) ? code : ''
}
