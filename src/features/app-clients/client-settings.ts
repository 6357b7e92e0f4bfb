/**
 * The settings of an app client: from the members of a create or update request to what is stored and shown. What the
 * request omits goes to its default; what Cognito does not show for an untouched client stays absent.
 */
import type {
  AnalyticsConfigurationType,
  CreateUserPoolClientRequest,
  RefreshTokenRotationType,
  UpdateUserPoolClientRequest,
} from '../../contract/types.ts'
import { checkClientAttributes } from '../../core/attributes.ts'
import { invalidOAuthFlow, invalidParameter, providerNotFound, scopeDoesNotExist } from '../../core/errors.ts'
import { checkTokenValidity, completeTokenValidity } from '../../core/token-validity.ts'
import type { Context } from '../context.ts'
import { findUnknownProviders, localProvider } from '../identity-providers/provider.ts'
import { readCustomScopes } from '../resource-servers/resource-server.ts'
import type { Pool } from '../user-pools/pool.ts'
import { checkAuthFlows } from './auth-flows.ts'
import type { ClientSettings } from './client.ts'
import { checkRedirectUrl } from './redirect-urls.ts'

/** The members that create and update share. */
export type ClientMembers = Omit<CreateUserPoolClientRequest, 'GenerateSecret' | 'ClientSecret' | 'ClientName'> &
  Omit<UpdateUserPoolClientRequest, 'ClientId' | 'ClientName'>

const defaultScopes = new Set(['phone', 'email', 'openid', 'profile', 'aws.cognito.signin.user.admin'])
const defaultAuthSessionMinutes = 3

/**
 * The settings that a request makes, complete with defaults.
 * @throws InvalidParameterException, InvalidOAuthFlowException, ScopeDoesNotExistException,
 * FeatureUnavailableInTierException
 */
export const makeClientSettings = async (
  ctx: Context,
  pool: Pool,
  members: ClientMembers,
  {
    hasSecret,
    activity,
    clientType = 'REGULAR',
  }: { hasSecret: boolean; activity: 'creating' | 'updating'; clientType?: ClientSettings['ClientType'] },
): Promise<ClientSettings> => {
  checkTokenValidity(members)
  checkClientAttributes(members, pool.settings.SchemaAttributes ?? [], activity)
  const rotation = checkedRotation(members.RefreshTokenRotation)
  checkAuthFlows(pool, members.ExplicitAuthFlows, { hasSecret, rotates: rotation?.Feature === 'ENABLED' })
  await checkProviders(ctx, pool, members.SupportedIdentityProviders ?? [])
  for (const url of members.CallbackURLs ?? []) checkRedirectUrl(url)
  for (const url of members.LogoutURLs ?? []) checkRedirectUrl(url)
  if (members.DefaultRedirectURI !== undefined && !members.CallbackURLs?.includes(members.DefaultRedirectURI)) {
    throw invalidParameter('DefaultRedirectURI must be one of the CallbackURLs.')
  }
  await checkOAuth(ctx, pool, members, hasSecret)
  if (members.EnablePropagateAdditionalUserContextData === true && !hasSecret) {
    throw invalidParameter('EnablePropagateAdditionalUserContextData can only be enabled for a client with a secret.')
  }
  const analytics = completeAnalytics(ctx, members.AnalyticsConfiguration)
  return {
    ...completeTokenValidity(members),
    ...listed('ReadAttributes', members.ReadAttributes),
    ...listed('WriteAttributes', members.WriteAttributes),
    ...listed('ExplicitAuthFlows', members.ExplicitAuthFlows),
    ...listed('SupportedIdentityProviders', members.SupportedIdentityProviders),
    ...listed('CallbackURLs', members.CallbackURLs),
    ...listed('LogoutURLs', members.LogoutURLs),
    ...(members.DefaultRedirectURI !== undefined && { DefaultRedirectURI: members.DefaultRedirectURI }),
    ...listed('AllowedOAuthFlows', members.AllowedOAuthFlows),
    ...listed('AllowedOAuthScopes', members.AllowedOAuthScopes),
    AllowedOAuthFlowsUserPoolClient: members.AllowedOAuthFlowsUserPoolClient ?? false,
    ...(analytics !== undefined && { AnalyticsConfiguration: analytics }),
    ...(members.PreventUserExistenceErrors !== undefined && {
      PreventUserExistenceErrors: members.PreventUserExistenceErrors,
    }),
    EnableTokenRevocation: members.EnableTokenRevocation ?? true,
    EnablePropagateAdditionalUserContextData: members.EnablePropagateAdditionalUserContextData ?? false,
    AuthSessionValidity: members.AuthSessionValidity ?? defaultAuthSessionMinutes,
    ...(rotation !== undefined && { RefreshTokenRotation: rotation }),
    ClientType: clientType,
  }
}

/** A list member as a set in the order of the request; an empty or absent list is not stored. */
const listed = <Name extends keyof ClientSettings, Item>(name: Name, items: readonly Item[] | undefined) =>
  items === undefined || items.length === 0 ? {} : ({ [name]: [...new Set(items)] } as { [Key in Name]: Item[] })

const checkedRotation = (rotation: RefreshTokenRotationType | undefined): RefreshTokenRotationType | undefined =>
  rotation && {
    Feature: rotation.Feature,
    RetryGracePeriodSeconds: rotation.Feature === 'DISABLED' ? 0 : (rotation.RetryGracePeriodSeconds ?? 0),
  }

/** COGNITO is always there; every other name must be an identity provider of the pool. */
const checkProviders = async (ctx: Context, pool: Pool, providers: readonly string[]): Promise<void> => {
  const [unknown] = await findUnknownProviders(
    ctx,
    pool,
    providers.filter(name => name !== localProvider),
  )
  if (unknown !== undefined) throw providerNotFound(unknown, pool.id)
}

const checkOAuth = async (ctx: Context, pool: Pool, members: ClientMembers, hasSecret: boolean): Promise<void> => {
  const flows = members.AllowedOAuthFlows ?? []
  const scopes = members.AllowedOAuthScopes ?? []
  if (members.AllowedOAuthFlowsUserPoolClient === true && (flows.length === 0 || scopes.length === 0)) {
    throw invalidParameter(
      'AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.',
    )
  }
  if (flows.includes('client_credentials')) {
    if (flows.length > 1) {
      throw invalidOAuthFlow('client_credentials flow can not be selected along with code flow or implicit flow.')
    }
    if (!hasSecret) {
      throw invalidOAuthFlow('client_credentials flow can not be selected if client does not have a client secret.')
    }
  } else if (flows.length > 0 && (members.CallbackURLs ?? []).length === 0) {
    throw invalidOAuthFlow('CallbackUrls can not be empty when code flow or implicit flow is selected')
  }
  const custom = scopes.filter(scope => !defaultScopes.has(scope))
  await checkCustomScopes(ctx, pool, custom)
  if (flows.includes('client_credentials') && custom.length < scopes.length) {
    throw invalidOAuthFlow('client_credentials flow can not be selected with a scope that is not custom.')
  }
}

/** Custom scopes belong to a resource server of the pool. */
const checkCustomScopes = async (ctx: Context, pool: Pool, scopes: readonly string[]): Promise<void> => {
  if (scopes.length === 0) return
  const existing = await readCustomScopes(ctx, pool)
  const unknown = scopes.find(scope => !existing.has(scope))
  if (unknown !== undefined) throw scopeDoesNotExist(unknown)
}

/** Either an application's ARN, or its id with a role and an external id. The ARN alone gets the service's own role. */
const completeAnalytics = (
  ctx: Context,
  analytics: AnalyticsConfigurationType | undefined,
): AnalyticsConfigurationType | undefined => {
  if (analytics === undefined || Object.keys(analytics).length === 0) return undefined
  const { ApplicationArn, ApplicationId, RoleArn, ExternalId } = analytics
  if (ApplicationArn !== undefined) {
    if (ApplicationId !== undefined || ExternalId !== undefined) {
      throw invalidParameter(
        'AnalyticsConfiguration takes ApplicationArn, or ApplicationId with RoleArn and ExternalId, not both.',
      )
    }
    const serviceRole = `arn:aws:iam::${ctx.settings.account}:role/aws-service-role/cognito-idp.amazonaws.com/AWSServiceRoleForAmazonCognitoIdp`
    return { ...analytics, RoleArn: RoleArn ?? serviceRole }
  }
  if (ApplicationId === undefined || RoleArn === undefined || ExternalId === undefined) {
    throw invalidParameter('AnalyticsConfiguration needs ApplicationArn, or ApplicationId with RoleArn and ExternalId.')
  }
  return analytics
}
