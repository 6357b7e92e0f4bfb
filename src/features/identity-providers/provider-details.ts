/**
 * ProviderDetails: what each type of provider takes, what the service adds, and how all of it is checked. Keys that a
 * type does not know are left out, like unknown members of a request.
 */
import type { IdentityProviderTypeType } from '../../contract/types.ts'
import {
  invalidAttributesRequestMethod,
  invalidProviderDetail,
  providerDetailsMissing,
  samlMetadataMissing,
  samlMetadataStatus,
  samlMetadataTwice,
  samlMetadataUnreachable,
} from '../../core/errors.ts'
import { readSamlMetadata } from '../../core/saml-metadata.ts'
import type { Context } from '../context.ts'
import { type DiscoverableDetail, discoverable, discoverEndpoints } from './discovery.ts'
import { makeEncryptionKey } from './encryption-key.ts'
import { checkEndpoint, endpointFault } from './endpoints.ts'
import type { Provider, ProviderSecrets, SamlSettings } from './provider.ts'

/** The details of a provider in the parts in which they are kept. */
export interface MadeDetails {
  details: Record<string, string>
  secrets: ProviderSecrets
  saml?: SamlSettings
}

type MakeDetails = (ctx: Context, given: Given, current: Provider | undefined) => Promise<MadeDetails>

const valueLengthMax = 4_096

/**
 * The details that a request makes, complete with defaults, discovered endpoints and metadata. `current` is the provider
 * that is updated. Calls the provider's server, so it runs outside of transactions.
 * @throws InvalidParameterException
 */
export const makeDetails = (
  ctx: Context,
  type: IdentityProviderTypeType,
  requested: Record<string, string>,
  current?: Provider,
): Promise<MadeDetails> => makers[type](ctx, new Given(requested), current)

/** The details of a request. An empty one counts as absent. */
class Given {
  readonly #values: ReadonlyMap<string, string>

  constructor(requested: Record<string, string>) {
    this.#values = new Map(Object.entries(requested).filter(([, value]) => value !== ''))
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  /** A value of one line. @throws InvalidParameterException */
  text(key: string): string | undefined {
    const value = this.long(key, valueLengthMax)
    if (value !== undefined && /\p{Cc}/u.test(value)) throw invalidProviderDetail(key, 'control')
    return value
  }

  /** A value that may have several lines. @throws InvalidParameterException */
  long(key: string, lengthMax: number): string | undefined {
    const value = this.#values.get(key)
    if (value !== undefined && value.length > lengthMax) throw invalidProviderDetail(key, 'tooLong')
    return value
  }

  /** A switch in lower case. @throws InvalidParameterException */
  flag(key: string): string | undefined {
    const value = this.#values.get(key)?.toLowerCase()
    if (value !== undefined && value !== 'true' && value !== 'false') throw invalidProviderDetail(key, 'flag')
    return value
  }

  /** The values of these keys, as far as there are any. */
  pick(...keys: string[]): Record<string, string> {
    return Object.fromEntries(
      keys.flatMap(key => {
        const value = this.text(key)
        return value === undefined ? [] : [[key, value]]
      }),
    )
  }
}

// ---------------------------------------------------------------------------------------------- OIDC

const makeOidcDetails: MakeDetails = async (ctx, given, current) => {
  const issuer = given.text('oidc_issuer')
  const method = given.text('attributes_request_method')
  const scopes = given.text('authorize_scopes')
  if (!given.has('client_id') || scopes === undefined || issuer === undefined || method === undefined) {
    throw providerDetailsMissing('OIDC')
  }
  if (method !== 'GET' && method !== 'POST') throw invalidAttributesRequestMethod(method)
  if (!scopes.split(' ').includes('openid')) throw invalidProviderDetail('authorize_scopes', 'openid')
  checkEndpoint(ctx, 'oidc_issuer', issuer)
  if (issuer.includes('?')) throw invalidProviderDetail('oidc_issuer', 'url')
  const endpoints = await completeEndpoints(ctx, given, issuer, current)
  return {
    details: {
      ...given.pick('client_id'),
      attributes_request_method: method,
      oidc_issuer: issuer,
      authorize_scopes: scopes,
      ...endpoints,
      attributes_url_add_attributes: 'false',
    },
    secrets: { details: given.pick('client_secret') },
  }
}

/** The endpoints as given, and for the others what the provider says. */
const completeEndpoints = async (
  ctx: Context,
  given: Given,
  issuer: string,
  current: Provider | undefined,
): Promise<Record<DiscoverableDetail, string>> => {
  const keys = Object.keys(discoverable) as DiscoverableDetail[]
  const earlier = current?.settings.details ?? {}
  // Who reads a provider, changes its issuer and writes it back does not mean the endpoints of the old one.
  const isLeftOver = (key: DiscoverableDetail, value: string | undefined) =>
    earlier['oidc_issuer'] !== undefined && earlier['oidc_issuer'] !== issuer && value === earlier[key]
  const chosen = new Map<DiscoverableDetail, string>()
  for (const key of keys) {
    const value = given.text(key)
    if (value !== undefined && !isLeftOver(key, value)) chosen.set(key, value)
  }
  const discovered = chosen.size === keys.length ? {} : await discoverEndpoints(ctx, issuer)
  const complete = keys.map(key => {
    const value = chosen.get(key) ?? discovered[key]
    if (value === undefined) throw invalidProviderDetail(key, 'undiscovered')
    checkEndpoint(ctx, key, value)
    return [key, value]
  })
  return Object.fromEntries(complete)
}

// ---------------------------------------------------------------------------------------------- social providers

interface SocialProvider {
  /** What the service adds, by the request's version of the provider's API. The endpoints among it can be chosen. */
  added(given: Given): Record<string, string>
  /** All scopes that there are; undefined when the provider has more than is worth listing. */
  scopes?: ReadonlySet<string>
  separator: RegExp
}

/** What of the added details is an address that the request may replace, for example by that of a test server. */
const replaceable = ['authorize_url', 'token_url', 'attributes_url', 'oidc_issuer']

const checkScopes = (scopes: string, { scopes: known, separator }: Pick<SocialProvider, 'scopes' | 'separator'>) => {
  const names = scopes.split(separator).filter(name => name !== '')
  if (names.length === 0 || (known !== undefined && names.some(name => !known.has(name)))) {
    throw invalidProviderDetail('authorize_scopes', 'scope')
  }
}

const completeAdded = (ctx: Context, given: Given, added: Record<string, string>): Record<string, string> => {
  const details = { ...added }
  for (const key of replaceable) {
    const usual = added[key]
    const value = given.text(key)
    if (usual === undefined || value === undefined || isUsualHost(value, usual)) continue
    checkEndpoint(ctx, key, value)
    details[key] = value
  }
  return details
}

/** The provider's own server: what is written back after a change of version is the address of the old version. */
const isUsualHost = (value: string, usual: string): boolean =>
  URL.canParse(value) && new URL(value).origin === new URL(usual).origin

const social =
  (provider: SocialProvider, ...extra: string[]): MakeDetails =>
  async (ctx, given) => {
    const scopes = given.text('authorize_scopes')
    if (!given.has('client_id') || !given.has('client_secret') || scopes === undefined) {
      throw providerDetailsMissing('social')
    }
    checkScopes(scopes, provider)
    return {
      details: {
        ...given.pick('client_id', ...extra),
        authorize_scopes: scopes,
        ...completeAdded(ctx, given, provider.added(given)),
      },
      secrets: { details: given.pick('client_secret') },
    }
  }

const google: SocialProvider = {
  separator: / /,
  added: () => ({
    attributes_url: 'https://people.googleapis.com/v1/people/me?personFields=',
    attributes_url_add_attributes: 'true',
    authorize_url: 'https://accounts.google.com/o/oauth2/v2/auth',
    oidc_issuer: 'https://accounts.google.com',
    token_request_method: 'POST',
    token_url: 'https://www.googleapis.com/oauth2/v4/token',
  }),
}

const graphVersion = 'v17.0'

const facebook: SocialProvider = {
  separator: /[, ]/,
  added: given => {
    const version = given.text('api_version') ?? graphVersion
    if (!/^v\d{1,3}\.\d{1,2}$/.test(version)) throw invalidProviderDetail('api_version', 'version')
    return {
      api_version: version,
      attributes_url: `https://graph.facebook.com/${version}/me?fields=`,
      attributes_url_add_attributes: 'true',
      authorize_url: `https://www.facebook.com/${version}/dialog/oauth`,
      token_request_method: 'GET',
      token_url: `https://graph.facebook.com/${version}/oauth/access_token`,
    }
  },
}

const amazon: SocialProvider = {
  separator: / /,
  scopes: new Set(['profile', 'profile:user_id', 'postal_code']),
  added: () => ({
    attributes_url: 'https://api.amazon.com/user/profile',
    attributes_url_add_attributes: 'false',
    authorize_url: 'https://www.amazon.com/ap/oa',
    token_request_method: 'POST',
    token_url: 'https://api.amazon.com/auth/o2/token',
  }),
}

const apple = { separator: / /, scopes: new Set(['name', 'email']) }

const makeAppleDetails: MakeDetails = async (ctx, given, current) => {
  const scopes = given.text('authorize_scopes')
  // The key is never shown, so who writes a provider back leaves it out and means the same one.
  const privateKey = given.long('private_key', valueLengthMax) ?? current?.secrets.details['private_key']
  const isComplete = ['client_id', 'team_id', 'key_id'].every(key => given.has(key))
  if (!isComplete || privateKey === undefined || scopes === undefined) throw providerDetailsMissing('SignInWithApple')
  checkScopes(scopes, apple)
  return {
    details: {
      ...given.pick('client_id', 'team_id', 'key_id'),
      authorize_scopes: scopes,
      ...completeAdded(ctx, given, {
        attributes_url_add_attributes: 'false',
        authorize_url: 'https://appleid.apple.com/auth/authorize',
        oidc_issuer: 'https://appleid.apple.com',
        token_request_method: 'POST',
        token_url: 'https://appleid.apple.com/auth/token',
      }),
    },
    secrets: { details: { private_key: privateKey } },
  }
}

// ---------------------------------------------------------------------------------------------- SAML

const metadataFileLengthMax = 131_072

const makeSamlDetails: MakeDetails = async (ctx, given, current) => {
  const url = given.text('MetadataURL')
  const file = given.long('MetadataFile', metadataFileLengthMax)
  if (url !== undefined && file !== undefined) throw samlMetadataTwice()
  const algorithm = given.text('RequestSigningAlgorithm')
  if (algorithm !== undefined && algorithm !== 'rsa-sha256') {
    throw invalidProviderDetail('RequestSigningAlgorithm', 'algorithm')
  }
  const flags = ['IDPInit', 'EncryptedResponses'].flatMap(key => {
    const value = given.flag(key)
    return value === undefined ? [] : [[key, value]]
  })
  const signOut = given.flag('IDPSignout') ?? 'false'
  const saml = await (url !== undefined ? fetchMetadata(ctx, url) : readMetadataFile(ctx, file))
  return {
    details: {
      ...(url !== undefined && { MetadataURL: url }),
      ...(file !== undefined && { MetadataFile: file }),
      IDPSignout: signOut,
      ...Object.fromEntries(flags),
      ...(algorithm !== undefined && { RequestSigningAlgorithm: algorithm }),
    },
    secrets: { details: {}, encryptionKey: current?.secrets.encryptionKey ?? (await makeEncryptionKey(ctx)) },
    saml,
  }
}

const readMetadataFile = async (ctx: Context, file: string | undefined): Promise<SamlSettings> => {
  if (file === undefined) throw samlMetadataMissing()
  const readAt = ctx.clock.now()
  return { metadata: readSamlMetadata(file, readAt), readAt }
}

/**
 * The metadata that the provider publishes now.
 * @throws InvalidParameterException when it cannot be had or used.
 */
export const fetchMetadata = async (ctx: Context, url: string): Promise<SamlSettings> => {
  checkEndpoint(ctx, 'MetadataURL', url)
  const response = await ctx
    .fetch(url, {
      purpose: 'SAML metadata',
      headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' },
    })
    .catch((failure: unknown) => {
      throw endpointFault(failure, samlMetadataUnreachable(url))
    })
  if (response.status !== 200) throw samlMetadataStatus(url, response.status)
  const readAt = ctx.clock.now()
  return { metadata: readSamlMetadata(decodeXml(response.body), readAt), readAt }
}

/** UTF-8, unless a byte order mark says UTF-16. Bytes that do not fit become characters that no name or value has. */
const decodeXml = (body: Buffer): string => {
  const [first, second] = body
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(body)
}

// ---------------------------------------------------------------------------------------------- all types

const makers: Record<IdentityProviderTypeType, MakeDetails> = {
  OIDC: makeOidcDetails,
  SAML: makeSamlDetails,
  Google: social(google),
  Facebook: social(facebook),
  LoginWithAmazon: social(amazon),
  SignInWithApple: makeAppleDetails,
}
