/**
 * Every message that a caller can see, as constructors. The wording is Amazon Cognito's; where the wording is not
 * published, the constructor says so and the string may change here, in one place.
 *
 * Anything else that is thrown anywhere is a bug or an outage: logged with its cause, shown without detail.
 */
import type { ErrorName } from '../contract/types.ts'

/** The one error class that callers see. `name` is the exception's name on the wire. */
export class CognitoError extends Error {
  override readonly name: ErrorName
  /** Second member of InvalidParameterException; absent on all others. */
  readonly reasonCode: string | undefined

  constructor(name: ErrorName, message: string, reasonCode?: string) {
    super(message)
    this.name = name
    this.reasonCode = reasonCode
  }
}

/** True when the value is a CognitoError with this name (any, when no name is given). */
export const isCognitoError = (error: unknown, name?: ErrorName): error is CognitoError =>
  error instanceof CognitoError && (name === undefined || error.name === name)

const failure =
  (name: ErrorName) =>
  (message: string): CognitoError =>
    new CognitoError(name, message)

// ---------------------------------------------------------------------------------------------- general

export const invalidParameter = failure('InvalidParameterException')
export const notAuthorized = failure('NotAuthorizedException')
export const resourceNotFound = failure('ResourceNotFoundException')
export const limitExceeded = failure('LimitExceededException')
export const invalidLambdaResponse = failure('InvalidLambdaResponseException')
export const unexpectedLambda = failure('UnexpectedLambdaException')
export const userLambdaValidation = failure('UserLambdaValidationException')
export const featureUnavailableInTier = failure('FeatureUnavailableInTierException')
export const operationNotEnabled = failure('OperationNotEnabledException')
export const codeDeliveryFailure = failure('CodeDeliveryFailureException')

export const missingParameter = (name: string) => invalidParameter(`Missing required parameter ${name}`)
export const tooManyRequests = () => new CognitoError('TooManyRequestsException', 'Rate exceeded')
/** More arithmetic is queued than the workers can do soon; callers see it as any other throttling. */
export class ComputeOverloaded extends CognitoError {
  constructor() {
    super('TooManyRequestsException', 'Rate exceeded')
  }
}
export const attemptLimitExceeded = () => limitExceeded('Attempt limit exceeded, please try after some time.')
export const concurrentModification = () =>
  new CognitoError('ConcurrentModificationException', 'The resource was modified by another request. Try again.')
export const internalError = (requestId: string) =>
  new CognitoError('InternalErrorException', `Something went wrong. Request id: ${requestId}`)

// ---------------------------------------------------------------------------------------------- protocol

export const unknownOperation = () => new CognitoError('UnknownOperationException', '')
export const serializationFailure = (message: string) => new CognitoError('SerializationException', message)
export const malformedText = () =>
  invalidParameter('The request contains text that is not well-formed Unicode or contains a NUL character.')

// ---------------------------------------------------------------------------------------------- Signatures

export const accessDenied = (message: string) => new CognitoError('AccessDeniedException', message)
/** `user` is the ARN of the caller, `action` for example `cognito-idp:ListUsers`. */
export const notAllowedByPolicy = (user: string, action: string, resource: string) =>
  accessDenied(
    `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  )
export const deniedByPolicy = (user: string, action: string, resource: string) =>
  accessDenied(
    `User: ${user} is not authorized to perform: ${action} on resource: ${resource} with an explicit deny in an identity-based policy`,
  )

export const missingAuthenticationToken = () =>
  new CognitoError('MissingAuthenticationTokenException', 'Missing Authentication Token')
export const unrecognizedClient = () =>
  new CognitoError('UnrecognizedClientException', 'The security token included in the request is invalid.')

const incompleteSignature = failure('IncompleteSignatureException')
/** `digest` is the SHA-256 of the header in base64: the header itself may carry a credential and is never repeated. */
export const authorizationHeaderMalformed = (digest: string) =>
  incompleteSignature(
    `Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '${digest}'.`,
  )
export const authorizationHeaderIncomplete = (missing: readonly string[], digest: string) =>
  incompleteSignature(
    `${missing.map(name => `Authorization header requires '${name}' parameter. `).join('')}(Hashed with SHA-256 and encoded with Base64) Authorization=${digest}`,
  )
export const queryAuthenticationIncomplete = (missing: readonly string[]) =>
  incompleteSignature(
    `${missing.map(name => `AWS query-string parameters must include '${name}'. `).join('')}Re-examine the query-string parameters.`,
  )
/** The wording is not published: AWS also takes the time from a `Date` header, which is not accepted here. */
export const signatureDateMissing = () =>
  incompleteSignature("Authorization header requires existence of a 'X-Amz-Date' header.")
export const signatureDateMalformed = (date: string) =>
  incompleteSignature(
    `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`,
  )
/** The wording is not published. */
export const signatureLifetimeInvalid = () =>
  incompleteSignature('X-Amz-Expires must be a number of seconds between 1 and 604800.')
/** The wording is not published. */
export const repeatedInSignature = (name: string) =>
  incompleteSignature(`The request must not contain '${name}' more than once.`)
export const signatureAlgorithmUnsupported = (algorithm: string) =>
  incompleteSignature(`Unsupported AWS 'algorithm': '${algorithm}' (only AWS4-HMAC-SHA256 for now). `)
export const credentialMalformed = (credential: string) =>
  incompleteSignature(
    `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
  )

const invalidSignature = failure('InvalidSignatureException')
export const signedInHeaderAndQuery = () =>
  invalidSignature("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
export const hostNotSigned = () =>
  invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
export const headerNotSigned = (name: string) =>
  invalidSignature(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`)
/** Times in ISO 8601 basic format; `window` for example `5 min.`. */
export const signatureExpired = (signedAt: string, earliest: string, now: string, window: string) =>
  invalidSignature(`Signature expired: ${signedAt} is now earlier than ${earliest} (${now} - ${window})`)
export const signatureNotYetCurrent = (signedAt: string, latest: string, now: string, window: string) =>
  invalidSignature(`Signature not yet current: ${signedAt} is still later than ${latest} (${now} + ${window})`)
/** All that is wrong with the credential scope, in one message; each member is absent when that part is right. */
export const credentialScopeInvalid = (wrong: {
  region?: true
  service?: { expected: string }
  terminator?: { got: string }
  date?: { got: string; expected: string; signedAt: string }
}) =>
  invalidSignature(
    [
      wrong.region && 'Credential should be scoped to a valid region.',
      wrong.service && `Credential should be scoped to correct service: '${wrong.service.expected}'.`,
      wrong.terminator &&
        `Credential should be scoped with a valid terminator: 'aws4_request', not '${wrong.terminator.got}'.`,
      wrong.date &&
        `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${wrong.date.got}' != '${wrong.date.expected}', from '${wrong.date.signedAt}'.`,
    ]
      .filter(sentence => sentence !== undefined)
      .join(' '),
  )
export const signatureMismatch = () =>
  invalidSignature(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  )

// ---------------------------------------------------------------------------------------------- pools and clients

export const userPoolNotFound = (poolId: string) => resourceNotFound(`User pool ${poolId} does not exist.`)
export const clientNotFound = (clientId: string) => resourceNotFound(`User pool client ${clientId} does not exist.`)
/** The wording is not published. */
export const operationInSecondary = (operation: string) =>
  operationNotEnabled(`${operation} is not enabled in a secondary Region of the user pool.`)
/** The wording is not published. */
export const replicaInactive = () => operationNotEnabled('The replica of the user pool in this Region is not active.')
/** The wording is not published. */
export const replicaOperationInPrimaryOnly = () =>
  operationNotEnabled('The operation is enabled in the primary Region of the user pool only.')
const replicaRequirements = {
  key: 'A user pool with a replica needs a KeyConfiguration with a multi-Region customer managed key.',
  issuer: 'A user pool with a replica needs an IssuerConfiguration of type UPDATED.',
}
/** The wording is not published. */
export const replicaNeeds = (requirement: keyof typeof replicaRequirements) =>
  invalidParameter(replicaRequirements[requirement])
/** The wording is not published. */
export const invalidReplicaRegion = (region: string) =>
  invalidParameter(`A replica of the user pool cannot be created in the Region ${region}.`)
/** The wording is not published. */
export const tooManyReplicas = () => limitExceeded('A user pool can have at most one replica.')
/** The wording is not published. */
export const replicaNotFound = (region: string) =>
  resourceNotFound(`The user pool has no replica in the Region ${region}.`)
/** The wording is not published. */
export const replicaNotInState = (states: string) =>
  invalidParameter(`The operation needs a replica with the status ${states}.`)
/** The wording is not published. */
export const globalSettingInReplica = () =>
  invalidParameter('Settings that all Regions of the user pool share cannot be changed in a secondary Region.')
/** The wording is not published. */
export const poolHasReplica = () =>
  invalidParameter('User pool cannot be deleted. It has a replica that should be deleted first.')
const logConfigurationFaults = {
  repeated: 'can be configured only once',
  level: 'cannot be logged at this LogLevel',
  destination: 'needs exactly one destination',
  logGroup: 'can only be sent to a CloudWatch log group',
}
/** The wording is not published. */
export const invalidLogConfiguration = (fault: keyof typeof logConfigurationFaults, source: string) =>
  invalidParameter(`The event source ${source} ${logConfigurationFaults[fault]}.`)
/** The wording is not published. */
export const sessionsNotTracked = () => operationNotEnabled('User session tracking is not enabled for the user pool.')
/** The wording is not published. */
export const invalidIpRange = (range: string) => invalidParameter(`${range} is not a valid CIDR block.`)
/** The wording is not published. */
export const limitNotAdjustable = () => invalidParameter('The category is not one whose limit can be adjusted.')
/** The wording is not published. */
export const limitBelowFree = (free: number) =>
  invalidParameter(`The requested limit must not be less than the free limit of ${free}.`)
/** The wording is not published. */
export const limitAboveQuota = (quota: number) =>
  new CognitoError(
    'ServiceQuotaExceededException',
    `The requested limit exceeds the quota of ${quota} requests per second of the account.`,
  )
export const deletionProtected = () =>
  invalidParameter(
    'The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.',
  )
/** The wording is not published. */
export const tooManyPools = () => limitExceeded('The account has reached its limit of user pools in this Region.')
const poolTagging = failure('UserPoolTaggingException')
/** What is wrong with tags; their operations and those of the pool raise it under different names. Not published. */
export const tagFaults = {
  reserved: 'Tag keys must not begin with aws:, which is reserved.',
  tooMany: 'A user pool can have at most 50 tags.',
}
export const invalidPoolTags = (fault: keyof typeof tagFaults) => poolTagging(tagFaults[fault])
export const invalidTags = (fault: keyof typeof tagFaults) => invalidParameter(tagFaults[fault])
/** The wording is not published. */
export const notAPoolArn = () => invalidParameter('ResourceArn is not the ARN of a user pool.')
/** The features that the tier of the pool does not offer, by their names in the pricing. */
export const featuresUnavailableInTier = (tier: string, features: readonly string[]) =>
  featureUnavailableInTier(
    `The following features need to be disabled for the ${tier} pricing tier configured: ${features.join(', ')}`,
  )
export const mfaOffWithFactor = () =>
  invalidParameter("Invalid MFA configuration given, can't turn off MFA and configure an MFA together.")
export const mfaWithoutFactor = () =>
  invalidParameter("Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.")
export const updateVerificationNotAutoVerified = () =>
  invalidParameter('All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes')
export const adminOnlyWithOthers = () =>
  invalidParameter('Account Recovery Setting cannot use admin_only setting with any other recovery mechanisms.')
export const invalidMessage = () => invalidParameter('The message is invalid.')
export const fromWithoutSourceArn = () =>
  invalidParameter('Cannot configure From email address for default email configuration')
/** Further rules on the settings of a pool. None of these texts is published. */
export const poolSettingFaults = {
  repeatedRecovery: 'Each recovery mechanism and each priority can be used once in AccountRecoverySetting.',
  passwordFactorMissing: 'AllowedFirstAuthFactors must contain PASSWORD.',
  softwareTokenFirst: 'SOFTWARE_TOKEN cannot be a first authentication factor.',
  oneTimePasswordWithMfa:
    'EMAIL_OTP and SMS_OTP cannot be allowed as first authentication factors when MFA is required.',
  passkeyWithMfa:
    'WEB_AUTHN can be allowed as a first authentication factor when MFA is required only with the FactorConfiguration MULTI_FACTOR_WITH_USER_VERIFICATION.',
  passkeyVerification: 'MULTI_FACTOR_WITH_USER_VERIFICATION needs UserVerification required.',
  relyingParty: 'RelyingPartyId must be a domain name that is not a public suffix.',
  sourceArnMissing: 'SourceArn is required when EmailSendingAccount is DEVELOPER.',
  sourceArnNotIdentity: 'SourceArn must be the ARN of an Amazon SES identity.',
  fromOutsideIdentity: 'The From address must belong to the identity of SourceArn.',
  emailMfaSender: 'Email MFA needs an EmailConfiguration with the EmailSendingAccount DEVELOPER.',
  emailMfaRecovery: 'Email MFA cannot be used when e-mail is the only account recovery mechanism.',
  twoSmsServices: 'SmsConfiguration takes SnsCallerArn or EumsSms, not both.',
  smsRegion: 'The Region of EumsSms must be the Region of the user pool.',
  preTokenArns: 'PreTokenGeneration and the LambdaArn of PreTokenGenerationConfig must be the same.',
  senderWithoutKey: 'KMSKeyID is required with CustomSMSSender and CustomEmailSender.',
  kmsKeyMissing: 'KmsKeyArn is required when KeyType is CUSTOMER_MANAGED_KEY.',
  acrLevel: 'AcrConfiguration has the levels Level1, Level2, Level3 and Level4.',
  acrValue: 'An AcrValue has 1 to 64 characters, without spaces, double quotes and backslashes.',
  acrRepeated: 'Each AcrValue must be unique among all levels, those with a default value included.',
}
export const invalidPoolSetting = (fault: keyof typeof poolSettingFaults) => invalidParameter(poolSettingFaults[fault])
export const smsRequiredForMfa = () =>
  invalidParameter(
    'SMS configuration and Auto verification for phone_number are required when MFA is required/optional',
  )
export const aliasAndUsernameAttributes = () =>
  invalidParameter('Only one of the aliasAttributes or usernameAttributes can be set in an user pool.')
export const unusedAccountValidityReplaced = () =>
  invalidParameter('Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays')
export const invalidTokenValidity = () => invalidParameter('Invalid range for token validity.')

export const standardAttributeFixed = (name: string) =>
  invalidParameter(
    `You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute ${name}`,
  )
export const attributeDataTypeMissing = () =>
  invalidParameter('Invalid AttributeDataType input, consider using the provided AttributeDataType enum.')
export const requiredCustomAttribute = () => invalidParameter('Required custom attributes are not supported currently.')
export const attributeLengthOverLimit = (name: string) =>
  invalidParameter(`user.${name}: String attributes cannot have a length of more than 2048`)
export const maxLengthBelowMinLength = (name: string) =>
  invalidParameter(`user.${name}: Max length cannot be less than min length.`)
export const maxValueBelowMinValue = (name: string) =>
  invalidParameter(`user.${name}: Max value cannot be less than min value.`)
export const invalidAttributeConstraints = (constraints: string, name: string) =>
  invalidParameter(`Invalid ${constraints} for schema attribute ${name}`)
export const attributeAlreadyExists = (name: string, existing: string) =>
  invalidParameter(`${name}: Existing attribute already has name ${existing}.`)
/** The wording is not published. */
export const attributeNameMissing = () => invalidParameter('Name is required for each schema attribute.')
/** The wording is not published. */
export const tooManyCustomAttributes = (limit: number) =>
  invalidParameter(`A user pool can have at most ${limit} custom attributes.`)
export const invalidReadAttributes = (activity: 'creating' | 'updating') =>
  invalidParameter(`Invalid read attributes specified while ${activity} a client`)
export const invalidWriteAttributes = (activity: 'creating' | 'updating') =>
  invalidParameter(`Invalid write attributes specified while ${activity} a client`)
export const invalidOAuthFlow = failure('InvalidOAuthFlowException')
export const scopeDoesNotExist = (scope: string) =>
  new CognitoError('ScopeDoesNotExistException', `Invalid scope requested: ${scope}`)
export const providerNotFound = (provider: string, poolId: string) =>
  invalidParameter(`The provider ${provider} does not exist for User Pool ${poolId}.`)
/** The wording is taken from other implementations. */
export const resourceServerExists = (identifier: string, poolId: string) =>
  invalidParameter(`${identifier} already exists in user pool ${poolId}.`)
/** The wording is taken from other implementations. */
export const resourceServerNotFound = (identifier: string) =>
  resourceNotFound(`Resource server ${identifier} does not exist.`)
/** The wording is not published. */
export const resourceServerReserved = (identifier: string) =>
  invalidParameter(`The resource server identifier ${identifier} is reserved for Amazon Cognito.`)
/** The wording is not published. */
export const scopeNameRepeated = (scope: string) => invalidParameter(`The scope ${scope} is given more than once.`)
/** The wording is not published. */
export const tooManyResourceServers = (limit: number) =>
  limitExceeded(`A user pool can have at most ${limit} resource servers.`)

export const invalidDomainName = () =>
  invalidParameter(
    'The domain name contains an invalid character. Domain names can only contain lower-case letters, numbers, and hyphens. Please enter a different name that follows this format: ^[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?$',
  )
export const reservedWordInDomain = (word: string) => invalidParameter(`Domain cannot contain reserved word: ${word}`)
/** The service's own remainder speaks of the DNS record of the parent. */
export const invalidCustomDomain = (
  reason = 'Was not able to resolve the root domain, please ensure an A record exists for the root domain.',
) => invalidParameter(`Custom domain is not a valid subdomain: ${reason}`)
export const invalidDomainCertificate = () =>
  invalidParameter(
    "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain.",
  )
export const domainTaken = () => invalidParameter('Domain already associated with another user pool.')
export const poolAlreadyHasDomain = () => invalidParameter('User pool already has a domain configured.')
export const domainNotFound = () => invalidParameter('No such domain or user pool exists.')
export const customDomainToPrefix = () => invalidParameter('Cannot convert custom domain to prefix domain.')
/** The wording is not published; it mirrors that of the opposite case. */
export const prefixDomainToCustom = () => invalidParameter('Cannot convert prefix domain to custom domain.')
/** The wording is not published. */
export const invalidManagedLoginVersion = () => invalidParameter('ManagedLoginVersion must be 1 or 2.')
/** The wording is not published. */
export const routingOfPrefixDomain = () => invalidParameter('Routing can only be configured for a custom domain.')
/** The wording is not published. */
export const tooManyCustomDomains = (limit: number) =>
  limitExceeded(`An account can have at most ${limit} custom domains in a region.`)
export const domainMissing = () => invalidParameter('There has to be an existing domain associated with this user pool')
export const customizationTooLarge = () => invalidParameter('request parameters too large')
/** The wording is reported, not published. */
export const invalidCssClass = (selector: string) => invalidParameter(`CSS has invalid class: ${selector}`)
/** The wording is not published. `reason` is a sentence without what the caller sent beyond a name. */
export const invalidCss = (reason: string) => invalidParameter(`Invalid CSS: ${reason}`)
/** The wording is not published. */
export const invalidLogo = () => invalidParameter('ImageFile must be a PNG or JPEG image.')
/** The wording is not published. */
export const imageTooManyPixels = () => invalidParameter('The image has too many pixels.')

export const brandingSource = () =>
  invalidParameter('useCognitoProvidedValues or settings should be specified (but not both)')
export const brandingExists = (clientId: string) =>
  new CognitoError(
    'ManagedLoginBrandingExistsException',
    `A ManagedLoginBranding already exists for client ${clientId}`,
  )
export const brandingNotFound = () => resourceNotFound('ManagedLoginBranding does not exist.')
export const brandingOfClientNotFound = (clientId: string) =>
  resourceNotFound(`ManagedLoginBranding for client ${clientId} does not exist.`)
/** The wording is not published. */
export const tooManyBrandings = (limit: number) =>
  limitExceeded(`A user pool can have at most ${limit} managed login branding styles.`)
/** The wording is not published. `path` names the member with dots. */
export const invalidBrandingSettings = (path: string, reason: string) =>
  invalidParameter(`Invalid settings at '${path}': ${reason}`)
/** The wording is not published. `place` counts the assets from one. */
export const invalidAsset = (place: number, category: string, reason: string) =>
  invalidParameter(`Invalid asset ${place} (${category}): ${reason}`)

/** The wording mirrors that of branding styles; it is not published. */
export const termsExist = (name: string, clientId: string) =>
  new CognitoError('TermsExistsException', `Terms ${name} already exist for client ${clientId}`)
/** The wording mirrors that of branding styles; it is not published. */
export const termsNotFound = () => resourceNotFound('Terms does not exist.')
/** The wording mirrors that of branding styles; it is not published. */
export const termsOfClientNotFound = (name: string, clientId: string) =>
  resourceNotFound(`Terms ${name} for client ${clientId} does not exist.`)
/** The wording is not published. */
export const tooManyTerms = (limit: number) => limitExceeded(`A user pool can have at most ${limit} terms documents.`)
/** The wording is not published. */
export const termsDefaultLinkMissing = () => invalidParameter('Links must contain a link for cognito:default.')
/** The wording is not published. */
export const invalidTermsLink = (key: string) => invalidParameter(`The link for ${key} must be an http or https URL.`)
export const poolDeletionBlockedByDomain = () =>
  invalidParameter('User pool cannot be deleted. It has a domain configured that should be deleted first.')
export const invalidPaginationToken = () => invalidParameter('Invalid pagination token.')

// ---------------------------------------------------------------------------------------------- identity providers

export const identityProviderNotFound = (name: string) => resourceNotFound(`Identity provider ${name} does not exist.`)
export const duplicateProvider = (name: string) =>
  new CognitoError('DuplicateProviderException', `Provider ${name} already exists.`)
export const providerOfOtherType = (name: string, type: string) =>
  invalidParameter(`Provider ${name} cannot be of type ${type}.`)
/** The wording is not published. */
export const providerNameReserved = (name: string) => invalidParameter(`The provider name ${name} is reserved.`)
/** The wording is not published. */
export const tooManyProviders = (limit: number) =>
  limitExceeded(`A user pool can have at most ${limit} identity providers.`)
/** The wording is not published. */
export const idpIdentifierTaken = (identifier: string) =>
  invalidParameter(`The identifier ${identifier} belongs to another identity provider of the user pool.`)
export const invalidAttributeMapping = (names: readonly string[]) =>
  invalidParameter(`AttributeMapping contains invalid mapping: [${names.join(', ')}]`)
/** The keys that are missing come as one sentence for each type. */
export const requiredProviderDetails = {
  OIDC: 'clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details.',
  SignInWithApple: 'clientId, privateKey, teamId, and keyId are all required idp details.',
  social: 'clientId, clientSecret and authorizeScopes are all required idp details.',
}
export const providerDetailsMissing = (type: keyof typeof requiredProviderDetails) =>
  invalidParameter(requiredProviderDetails[type])
export const invalidAttributesRequestMethod = (value: string) =>
  invalidParameter(
    `1 validation error detected: Value '${value}' at 'attributesRequestMethod' failed to satisfy constraint: Member must satisfy enum value set: [POST, GET]`,
  )
export const oidcEndpointNotHttps = () => invalidParameter('OIDC endpoint must start with https://')
export const endpointReserved = () => invalidParameter('Endpoints cannot be reserved IP addresses')
/** Only the end of the sentence is known from the service. */
export const endpointPrivate = () => invalidParameter('Endpoints can not be private or local IPs')
export const wellKnownUnreachable = () => invalidParameter('Unable to contact well-known endpoint')
/** The wording is not published. */
export const discoveredIssuerDiffers = (issuer: string) =>
  invalidParameter(`The well-known endpoint names another issuer: ${issuer}`)
/** What else can be wrong with the details of a provider. None of these texts is published. */
export const providerDetailFaults = {
  control: 'must not contain control characters.',
  tooLong: 'is too long.',
  flag: 'must be true or false.',
  url: 'must be a URL without user name, password, query and fragment.',
  port: 'must use port 443 or 80.',
  openid: 'must contain openid.',
  scope: 'must be scopes of the provider, separated by spaces.',
  version: 'must be a version of the Graph API, for example v17.0.',
  algorithm: 'must be rsa-sha256.',
  undiscovered: 'is neither given nor named by the well-known endpoint.',
}
export const invalidProviderDetail = (key: string, fault: keyof typeof providerDetailFaults) =>
  invalidParameter(`${key} ${providerDetailFaults[fault]}`)
export const samlMetadataMissing = () =>
  invalidParameter('At least one of the MetadataURL or MetadataFile should be provided.')
export const samlMetadataTwice = () =>
  invalidParameter('Only one of the MetadataURL or MetadataFile should be provided.')
export const samlMetadataUnreachable = (url: string) => invalidParameter(`Error retrieving metadata from ${url}`)
export const samlMetadataStatus = (url: string, status: number) =>
  invalidParameter(`Non-ok status code ${status} returned from remote metadata source ${url}`)
export const invalidXml = () => invalidParameter('Input XML is invalid')
/** What can be missing in metadata. The first text is the service's; the others are not published. */
export const samlMetadataFaults = {
  signOn: 'No SingleSignOn Http redirect binding location found in metadata.',
  provider: 'The metadata does not describe exactly one SAML 2.0 identity provider.',
  certificate: 'No signing certificate found in metadata.',
  certificates: 'There are too many signing certificates in the metadata.',
  certificateLength: 'A signing certificate in the metadata is longer than 4096 characters.',
  certificateForm: 'A signing certificate in the metadata is not valid.',
  expired: 'The signing certificates in the metadata have expired.',
}
export const unusableSamlMetadata = (fault: keyof typeof samlMetadataFaults) =>
  invalidParameter(samlMetadataFaults[fault])
/** The wording is not published. */
export const acrMappingNotSupported = (type: string) =>
  invalidParameter(`AcrMapping is supported for OIDC providers only, not for ${type}.`)
/** The wording is not published. */
export const invalidAcrMapping = () =>
  invalidParameter('AcrMapping maps the levels Level1, Level2, Level3 and Level4 to values of the provider.')
/** The wording is not published. */
export const sourceUserIncomplete = () =>
  invalidParameter('Invalid SourceUser: ProviderName, ProviderAttributeName and ProviderAttributeValue are required.')
export const sourceUserIsLocal = () =>
  invalidParameter(
    'Invalid SourceUser: Cognito users with a username/password may not be passed in as a SourceUser, only as a DestinationUser',
  )
export const sourceUserSignedUp = () =>
  invalidParameter(
    'Merging is not currently supported, provide a SourceUser that has not been signed up in order to link',
  )
export const sourceUserLinked = () => invalidParameter('SourceUser is already linked to DestinationUser')
/** The wording is not published. */
export const sourceAttributeNotMapped = (name: string) =>
  invalidParameter(`Invalid SourceUser: ${name} is not an attribute that the identity provider is mapped to.`)
/** The wording is not published. */
export const tooManyLinks = (limit: number) =>
  limitExceeded(`At most ${limit} identities can be linked to a user profile.`)
/** The wording is not published. */
export const tooManySourceAttributes = (limit: number) =>
  limitExceeded(`Users of an identity provider can be linked by at most ${limit} different attributes.`)
/** The wording is not published. */
export const providerUserIncomplete = () =>
  invalidParameter('ProviderName, ProviderAttributeName and ProviderAttributeValue are required.')
/** The wording is not published. */
export const identityNotLinked = () => invalidParameter('The identity is not linked to another user.')

// ---------------------------------------------------------------------------------------------- user import

/** The wording is not published. */
export const importInProgress = () =>
  new CognitoError('UserImportInProgressException', 'A user import job is in progress for the user pool.')
/** The wording is not published. */
export const importJobNotFound = (jobId: string) => resourceNotFound(`User import job ${jobId} does not exist.`)
/** The wording is not published. */
export const tooManyImportJobs = (limit: number) =>
  limitExceeded(`A user pool can have at most ${limit} user import jobs.`)
const preconditionNotMet = failure('PreconditionNotMetException')
export const noFileUploaded = (jobId: string) => preconditionNotMet(`No csv file was uploaded for ${jobId}`)
/** The wording is not published. */
export const importJobNotInState = (jobId: string, state: string) =>
  preconditionNotMet(`The user import job ${jobId} cannot be changed in its current state ${state}.`)
/** The wording is not published. */
export const otherImportActive = () => preconditionNotMet('Another user import job is active in the account.')
/** The wording is not published. */
export const importWithoutAutoVerified = () =>
  preconditionNotMet('The user pool has no auto-verified attributes, so no users can be imported.')

/** Why an import job ended. The first four texts are Cognito's; the others are not published. */
export const importCompletions = {
  succeeded: 'Import Job Completed Successfully.',
  tooManyFailed: 'Too many users have failed or been skipped during the import.',
  stopped: 'The Import Job was stopped by the developer.',
  expired: 'The user import job has expired.',
  header: 'The header of the CSV file does not match the attributes of the user pool.',
  tooManyUsers: 'The CSV file has more users than a job can import.',
  unreadable: 'The uploaded CSV file cannot be read.',
}

/** What is logged of a line of an import. The first three texts are Cognito's; the others are not published. */
export const importEntries = {
  imported: 'The import succeeded.',
  userExists: 'The user already exists.',
  notVerified:
    'The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).',
  aliasExists: (attribute: string) => `An account with the given ${attribute} already exists.`,
  tooLong: (length: number) => `The line has more than ${length} characters.`,
  notText: 'The line is not valid UTF-8 text.',
  cells: (found: number, expected: number) => `The line has ${found} values instead of ${expected}.`,
  headerNames: (names: readonly string[]) => `The header does not have each of these columns once: ${names.join(', ')}`,
  headerUnknown: (names: readonly string[]) => `The header has columns that are not expected: ${names.join(', ')}`,
  usernameMissing: 'cognito:username is required.',
  usernameInvalid: 'cognito:username must have 1 to 128 characters and no spaces.',
  usernameDiffers: (attribute: string) => `cognito:username and ${attribute} are not the same.`,
  mfa: (expected: string) => `cognito:mfa_enabled must be ${expected} in this user pool.`,
  birthdate: 'birthdate must have the format mm/dd/yyyy.',
  updatedAt: 'updated_at must be a number of seconds since the Unix epoch.',
  passwordHash: (algorithm: string) => `password_hash is not an acceptable ${algorithm} hash.`,
}

/** Why the file of an import is not taken, with the status; codes and, where they are known, texts of Amazon S3. */
export const uploadRefusals = {
  signature: { status: 403, code: 'SignatureDoesNotMatch', message: 'The request signature does not match the URL.' },
  expired: { status: 403, code: 'AccessDenied', message: 'Request has expired' },
  done: { status: 403, code: 'AccessDenied', message: 'The file of the user import job has been uploaded already.' },
  busy: { status: 409, code: 'OperationAborted', message: 'Another upload for the user import job is under way.' },
  tooLarge: {
    status: 400,
    code: 'EntityTooLarge',
    message: 'Your proposed upload exceeds the maximum allowed size',
  },
  interrupted: { status: 400, code: 'IncompleteBody', message: 'The upload was interrupted.' },
} as const

// ---------------------------------------------------------------------------------------------- client authentication

export const secretHashMissing = (clientId: string) =>
  notAuthorized(`Client ${clientId} is configured with secret but SECRET_HASH was not received`)
export const secretHashMismatch = (clientId: string) =>
  notAuthorized(`Unable to verify secret hash for client ${clientId}`)
export const refreshSecretHashMismatch = (clientId: string) =>
  notAuthorized(`SecretHash does not match for the client: ${clientId}`)

// ---------------------------------------------------------------------------------------------- triggers

const triggerTextMax = 4_096
/** The function threw. A period follows whatever it said. */
export const triggerFailed = (trigger: string, text: string) =>
  userLambdaValidation(`${trigger} failed with error ${text.slice(0, triggerTextMax)}.`)
/** The function could not be run; `error` is the name of an error, such as AccessDeniedException. */
export const triggerNotInvoked = (trigger: string, error: string) =>
  unexpectedLambda(`${trigger} invocation failed due to error ${error}.`)
/** Only the end of the text is published. */
export const triggerTimedOut = (trigger: string) =>
  triggerNotInvoked(trigger, 'Socket timeout while invoking Lambda function')
export const triggerOutputNotJson = () => invalidLambdaResponse('Invalid lambda function output : Invalid JSON')
/** A flag of pre sign-up without the address it is about. The wording is not published. */
export const nothingToVerify = (attribute: string) =>
  invalidLambdaResponse(`The user has no ${attribute} that could be verified automatically.`)
/** What functions keep of a custom challenge does not fit into a Session. The wording is not published. */
export const customStateTooLong = () =>
  invalidLambdaResponse('The private parameters and metadata of the challenge are too long.')
/** User migration found nobody, or nobody who can be a user of the pool. */
export const migrationFailed = (clientId: string) =>
  new CognitoError('UserNotFoundException', `Exception migrating user in app client ${clientId}`)
/** What custom message may not return. The wording of the three is not published. */
export const customMessageNotAllowed = () =>
  invalidLambdaResponse('A custom emailMessage or emailSubject needs an EmailConfiguration of the kind DEVELOPER.')
export const customMessageWithoutPlaceholder = () =>
  invalidLambdaResponse('The custom message lacks a placeholder that it must contain.')
export const customMessageTooLong = () => invalidLambdaResponse('The custom message is too long.')
export const triggerOutputUnusable = () => invalidLambdaResponse('Unrecognizable lambda output')

// ---------------------------------------------------------------------------------------------- users

export const userNotFound = () => new CognitoError('UserNotFoundException', 'User does not exist.')
/** Unknown user in the operations of a client that answer openly (ForgotPassword, ConfirmSignUp …). */
export const usernameClientNotFound = () =>
  new CognitoError('UserNotFoundException', 'Username/client id combination not found.')
const usernameExistsException = failure('UsernameExistsException')
export const usernameExists = () => usernameExistsException('User already exists')
export const userAccountExists = () => usernameExistsException('User account already exists')
export const usernameAttributeExists = (attribute: string) =>
  usernameExistsException(`An account with the given ${attribute} already exists.`)
const aliasExistsException = failure('AliasExistsException')
export const aliasExistsAtConfirmation = (attribute: string) =>
  aliasExistsException(`An account with the ${attribute} already exists.`)
export const aliasExists = (attribute: string) =>
  aliasExistsException(`An account with the given ${attribute} already exists.`)
export const groupExists = () => new CognitoError('GroupExistsException', 'A group with the name already exists')
export const groupNotFound = () => resourceNotFound('Group not found.')
/** The wording is not published. */
export const tooManyGroups = () => limitExceeded('The user pool has reached the limit of its groups.')
/** The wording is not published, and LimitExceededException is not declared for AdminAddUserToGroup. */
export const tooManyGroupsOfUser = (limit: number) => invalidParameter(`A user can belong to at most ${limit} groups.`)
export const unauthorizedAttribute = () => notAuthorized('A client attempted to write unauthorized attribute')
export const requestedAttributesMissing = () => invalidParameter('One or more requested attributes do not exist.')
export const invalidSearchAttribute = (name: string) => invalidParameter(`Invalid search attribute: ${name}`)
export const unparsableFilter = () => invalidParameter('Error while parsing filter')
/** The wording is not published. */
export const usernameOfProviderUser = () =>
  invalidParameter('Username cannot begin with the name of an identity provider and an underscore.')
export const usernameShouldBeEmail = () => invalidParameter('Username should be an email.')
export const usernameShouldBePhoneNumber = () => invalidParameter('Username should be a phone number.')
export const usernameShouldBeEmailOrPhoneNumber = () =>
  invalidParameter('Username should be either an email or a phone number.')
export const usernameInEmailFormat = () =>
  invalidParameter('Username cannot be of email format, since user pool is configured for email alias.')
export const usernameInPhoneNumberFormat = () =>
  invalidParameter('Username cannot be of phone number format, since user pool is configured for phone_number alias.')
export const invalidEmailFormat = () => invalidParameter('Invalid email address format.')
export const invalidPhoneNumberFormat = () => invalidParameter('Invalid phone number format.')

/** What can be wrong with an attribute. The first three texts are Cognito's; the others are not published. */
export const attributeFaults = {
  unknown: 'Attribute does not exist in the schema.',
  required: 'The attribute is required',
  immutable: 'Attribute cannot be updated.',
  birthdate: 'Birthdate is not in the correct format.',
  boolean: 'Attribute value must be true or false.',
  number: 'Attribute value must be a number.',
  dateTime: 'Attribute value must be a date and time in ISO 8601 format.',
  tooLong: 'String attributes cannot have a length of more than 2048',
  longerThan: (length: string) => `Attribute value must not be longer than ${length} characters.`,
  shorterThan: (length: string) => `Attribute value must not be shorter than ${length} characters.`,
  greaterThan: (value: string) => `Attribute value must not be greater than ${value}.`,
  lessThan: (value: string) => `Attribute value must not be less than ${value}.`,
  emailMissing: 'The attribute can be true only for a user with an email.',
  phoneNumberMissing: 'The attribute can be true only for a user with a phone_number.',
}
/** All faults in the attributes of a new user, as `name: fault`; each one, the last too, ends its own line. */
export const attributesDidNotConform = (faults: readonly string[]) =>
  invalidParameter(`Attributes did not conform to the schema: ${faults.map(fault => `${fault}\n`).join('')}`)
/** All faults in the changed attributes of a user, as `name: fault`; each one, the last too, ends its own line. */
export const invalidAttributeUpdate = (faults: readonly string[]) =>
  invalidParameter(faults.map(fault => `user.${fault}\n`).join(''))
export const resendNotPossible = (username: string) =>
  new CognitoError(
    'UnsupportedUserStateException',
    `Resend not possible. ${username} status is not FORCE_CHANGE_PASSWORD`,
  )
/** The wording is not published. */
export const mfaOptionsOtherThanSms = () =>
  invalidParameter('MFAOptions can only be text messages (SMS) to the attribute phone_number.')
/** The wording is not published. */
export const noDestinationForInvitation = (attribute: string) =>
  invalidParameter(
    `User does not have ${attribute === 'email' ? 'an email' : 'a phone number'} to send the invitation to.`,
  )

// ---------------------------------------------------------------------------------------------- sign-up and codes

export const signUpNotPermitted = () => notAuthorized('SignUp is not permitted for this user pool')
/** SignUp without a password where users need one: reported as the constraints that the published model lacks. */
export const signUpPasswordMissing = () =>
  invalidParameter(
    "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
  )
export const signUpPasswordBlank = () =>
  invalidParameter(
    "2 validation errors detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$; Value at 'password' failed to satisfy constraint: Member must have length greater than or equal to 6",
  )
/** The wording is not published. */
export const preferredUsernameAtSignUp = () =>
  invalidParameter('preferred_username is an alias of this user pool and can be set only after the user is confirmed.')
export const userCannotBeConfirmed = (status: string) =>
  notAuthorized(`User cannot be confirmed. Current status is ${status}`)
export const userAlreadyConfirmed = () => invalidParameter('User is already confirmed.')
export const cannotResendCodes = () => invalidParameter('Cannot resend codes. Auto verification not turned on.')
export const codeMismatch = () =>
  new CognitoError('CodeMismatchException', 'Invalid verification code provided, please try again.')
export const codeExpired = () =>
  new CognitoError('ExpiredCodeException', 'Invalid code provided, please request a code again.')
/** The wording is not published. */
export const attributeNotVerifiable = (attribute: string) =>
  invalidParameter(`Attribute ${attribute} does not require verification.`)
/** The wording is not published. */
export const attributeNotSet = (attribute: string) => invalidParameter(`User does not have the attribute ${attribute}.`)

// ---------------------------------------------------------------------------------------------- passwords

export const invalidPassword = failure('InvalidPasswordException')
/** The rules a password can break. The wording of the two last ones is not published. */
export const passwordRules = {
  length: 'Password not long enough',
  uppercase: 'Password must have uppercase characters',
  lowercase: 'Password must have lowercase characters',
  numeric: 'Password must have numeric characters',
  symbol: 'Password must have symbol characters',
  tooLong: 'Password too long',
  outerSpace: 'Password must not have a leading or trailing space',
}
/** A temporary password set by an administrator is refused in words of its own. */
export const passwordBreaksPolicy = (kind: 'password' | 'temporary password', rule: keyof typeof passwordRules) =>
  invalidPassword(
    `Password did not conform with ${kind === 'password' ? 'policy' : 'password policy'}: ${passwordRules[rule]}`,
  )
/** The wording is not published. */
export const passwordHistoryViolation = () =>
  new CognitoError('PasswordHistoryPolicyViolationException', 'Password has previously been used')
export const noRecoveryMedium = () =>
  invalidParameter('Cannot reset password for the user as there is no registered/verified email or phone_number')
export const passwordNotResettable = () => notAuthorized('User password cannot be reset in the current state.')
export const contactAdministrator = () => notAuthorized('Contact administrator to reset password.')

// ---------------------------------------------------------------------------------------------- sign-in

export const incorrectUsernameOrPassword = () => notAuthorized('Incorrect username or password.')
export const userDisabled = () => notAuthorized('User is disabled.')
export const passwordAttemptsExceeded = () => notAuthorized('Password attempts exceeded')
export const temporaryPasswordExpired = () =>
  notAuthorized('Temporary password has expired and must be reset by an administrator.')
export const userNotConfirmed = () => new CognitoError('UserNotConfirmedException', 'User is not confirmed.')
export const passwordResetRequired = () =>
  new CognitoError('PasswordResetRequiredException', 'Password reset required for the user')
export const initiateAuthNotSupported = () => invalidParameter('Initiate Auth method not supported.')
export const invalidTimestamp = () =>
  invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.')
/** The wording is not published. */
export const invalidSrpA = () => invalidParameter('Invalid SRP_A parameter.')
export const attributeMissingInChallenge = (attribute: string) =>
  invalidParameter(`Invalid attributes given, ${attribute} is missing`)
export const attributeAlreadyProvided = (attribute: string) =>
  notAuthorized(`Cannot modify an already provided ${attribute}`)
export const customAuthNotConfigured = () =>
  invalidParameter('Custom auth lambda trigger is not configured for the user pool.')
export const deviceNotFound = () => resourceNotFound('Device does not exist.')
export const authenticationCodeMismatch = () =>
  new CognitoError('CodeMismatchException', 'Invalid code or auth state for the user.')
export const softwareTokenCodeMismatch = () =>
  new CognitoError('CodeMismatchException', 'Invalid code received for user')
export const softwareTokenCodeUsed = () =>
  new CognitoError('ExpiredCodeException', 'Your software token has already been used once.')
/** The wording is not published. */
export const mfaMethodNotFound = () =>
  new CognitoError('MFAMethodNotFoundException', 'The user has no multi-factor authentication method that can be used.')
/** The wording is not published. */
export const mfaTypeNotOffered = () => invalidParameter('The selected MFA type is not available to the user.')

export const invalidSession = () => notAuthorized('Invalid session for the user.')
export const sessionExpired = () => notAuthorized('Invalid session for the user, session is expired.')
export const sessionUsed = () => notAuthorized('Invalid session for the user, session can only be used once.')

/** Texts for a flow that the client does not allow; the wording differs from flow to flow. */
export const flowNotEnabled = (flow: string): CognitoError =>
  invalidParameter(flowNotEnabledTexts[flow] ?? `${flow} flow not enabled for this client`)

const flowNotEnabledTexts: Record<string, string | undefined> = {
  USER_PASSWORD_AUTH: 'USER_PASSWORD_AUTH flow not enabled for this client',
  USER_SRP_AUTH: 'USER_SRP_AUTH is not enabled for the client.',
  CUSTOM_AUTH: 'CUSTOM_AUTH is not enabled for the client.',
  ADMIN_USER_PASSWORD_AUTH: 'Auth flow not enabled for this client',
  ADMIN_NO_SRP_AUTH: 'Auth flow not enabled for this client',
  USER_AUTH: 'USER_AUTH flow not enabled for this client',
  REFRESH_TOKEN: 'REFRESH_TOKEN_AUTH flow not enabled for this client',
  REFRESH_TOKEN_AUTH: 'REFRESH_TOKEN_AUTH flow not enabled for this client',
}

// ---------------------------------------------------------------------------------------------- MFA set-up

const softwareTokenMfaNotFound = failure('SoftwareTokenMFANotFoundException')
export const softwareTokensNotEnabled = () =>
  softwareTokenMfaNotFound('Software Token MFA has not been enabled by the userPool')
/** The wording is not published. */
export const softwareTokenNotAssociated = () =>
  softwareTokenMfaNotFound('No software token has been associated with the user.')
export const softwareTokenVerificationMismatch = () =>
  new CognitoError('EnableSoftwareTokenMFAException', 'Code mismatch and fail enable Software Token MFA')
export const softwareTokenNotSetUp = () => invalidParameter('User has not set up software token mfa')
export const factorWithoutDelivery = (factor: string) =>
  invalidParameter(`User does not have delivery config set to turn on ${factor}`)
/** The wording is not published. */
export const accessTokenOrSession = () => invalidParameter('Exactly one of AccessToken and Session must be given.')
/** The wording is not published. */
export const severalPreferredFactors = () => invalidParameter('Only one MFA method can be set as preferred.')
/** The wording is not published. */
export const preferredFactorNotEnabled = (factor: string) =>
  invalidParameter(`${factor} must be enabled to be the preferred MFA method.`)
/** The wording is not published. */
export const factorOfRequiredMfa = (factor: string) =>
  invalidParameter(`${factor} cannot be disabled because MFA is required in the user pool.`)
/** The wording is not published. */
export const passkeyMfaNotConfigured = () =>
  invalidParameter(
    'WebAuthn MFA needs the FactorConfiguration MULTI_FACTOR_WITH_USER_VERIFICATION and another MFA method of the user.',
  )

// ---------------------------------------------------------------------------------------------- tokens

export const invalidRefreshToken = () => notAuthorized('Invalid Refresh Token')
/** GetTokensFromRefreshToken puts a final dot where InitiateAuth has none. */
export const invalidRefreshTokenDotted = () => notAuthorized('Invalid Refresh Token.')
export const refreshTokenRevoked = () => notAuthorized('Refresh Token has been revoked')
export const refreshTokenExpired = () => notAuthorized('Refresh Token has expired')
/** The wording is not published. */
export const refreshTokenReuse = () =>
  new CognitoError('RefreshTokenReuseException', 'Refresh token has been rotated and can no longer be used.')
/** The wording of the two next texts is not published. */
export const sessionNotFound = () => resourceNotFound('Session does not exist.')
export const currentSession = () => invalidParameter('The session of the access token cannot be revoked.')
export const invalidAccessToken = () => notAuthorized('Invalid Access Token')
export const accessTokenSignature = () => notAuthorized('Could not verify signature for Access Token')
export const accessTokenExpired = () => notAuthorized('Access Token has expired')
export const accessTokenRevoked = () => notAuthorized('Access Token has been revoked')
export const accessTokenScope = () => notAuthorized('Access Token does not have required scopes')
/** The texts of GetClientToken are not published. */
export const clientTokenSecretMismatch = () => notAuthorized('Invalid client secret')
export const clientTokenFlowNotEnabled = () =>
  invalidParameter('ALLOW_CLIENT_TOKEN_AUTH flow not enabled for this client')
export const clientScopeNotAllowed = (scope: string) => invalidParameter(`Invalid scope requested: ${scope}`)
export const clientWithoutScopes = () => invalidParameter('The client has no custom scopes.')
/** The three texts of RevokeToken are not published. */
export const unsupportedTokenType = () => new CognitoError('UnsupportedTokenTypeException', 'Unsupported token type')
export const revocationNotEnabled = () =>
  new CognitoError('UnsupportedOperationException', 'Token revocation is not enabled for the client.')
export const clientNotAuthorized = () => new CognitoError('UnauthorizedException', 'Invalid client secret')
