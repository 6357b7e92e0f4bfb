/**
 * What the published model leaves out or says differently from the service. Every deliberate difference between
 * `api-model.json` and the generated contract stands in this one table, with its reason.
 */

/** Constraints as `api-model.json` writes them, plus the two marks that only this table sets. */
export interface Constraints {
  min?: number
  max?: number
  pattern?: string
  enum?: readonly string[]
  /** The value is never printed in a violation. */
  sensitive?: true
  /** The empty string passes without a check; the feature decides what it means. */
  allowEmpty?: true
}

/** A member, written `Structure.Member`. */
export type MemberName = `${string}.${string}`

export interface Overrides {
  /** Operations that are accepted without a signature although the model signs them. */
  unsigned: readonly string[]
  /** Values that the service accepts beyond those of the published enumeration; they are added everywhere it is used. */
  enumValues: Readonly<Record<string, readonly string[]>>
  /** Members that are plain strings in the model and enumerations in the SDK; for a list the elements are meant. */
  enums: Readonly<Record<MemberName, string>>
  /** Members without published constraints that take those of a member of the same name elsewhere. */
  sameConstraintsAs: Readonly<Record<MemberName, MemberName>>
  /** Constraints that are set or replaced one by one. */
  constraints: Readonly<Record<MemberName, Constraints>>
  /** Names of errors that belong to the protocol and not to an operation. */
  protocolErrors: readonly string[]
  /** Names in the model's list of errors that are never sent. */
  neverSent: readonly string[]
}

/**
 * The service accepts spaces inside of a password, but not at its ends, although the published pattern `[\S]+` allows
 * none at all. All passwords follow the same rule, so that one that was accepted once is accepted everywhere.
 */
const passwordPattern = '^[\\S]+.*[\\S]+$'

export const overrides: Overrides = {
  // GetClientToken is authorized by the client secret alone. Newer SDKs sign it, others do not; both are accepted.
  unsigned: ['GetClientToken'],

  // Machine-to-machine clients of GetClientToken carry this flow, which the published enumeration does not list.
  enumValues: { ExplicitAuthFlowsType: ['ALLOW_CLIENT_TOKEN_AUTH'] },

  enums: {
    'AdminRespondToAuthChallengeResponse.AvailableChallenges': 'ChallengeNameType',
    'AdminRevokeUserSessionRequest.RevokeAssociatedSessions': 'RevokeAssociatedSessionsType',
    'DcrConfigurationType.AuthenticatedGrantTypes': 'OAuthFlowType',
    'DcrConfigurationType.EnableStatus': 'StatusType',
    'DcrConfigurationType.OpenDcrGrantTypes': 'OAuthFlowType',
    'GetUserPoolSessionConfigurationResponse.UserSessionTracking': 'UserSessionTrackingType',
    'ListUserPoolClientsRequest.ClientType': 'ClientTypeType',
    'ResourceServerType.ManagedBy': 'ResourceServerManagedByType',
    'RespondToAuthChallengeResponse.AvailableChallenges': 'ChallengeNameType',
    'RevokeTokenRequest.RevokeAssociatedSessions': 'RevokeAssociatedSessionsType',
    'RevokeUserSessionRequest.RevokeAssociatedSessions': 'RevokeAssociatedSessionsType',
    'SessionDescriptionType.SessionType': 'SessionTypeType',
    'SetUserPoolSessionConfigurationRequest.UserSessionTracking': 'UserSessionTrackingType',
    'SetUserPoolSessionConfigurationResponse.UserSessionTracking': 'UserSessionTrackingType',
    'UserPoolClientType.ClientType': 'ClientTypeType',
  },

  // The newest operations are published without constraints; their identifiers are those of all other operations.
  sameConstraintsAs: {
    'AdminDeleteSoftwareTokenRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'AdminDeleteSoftwareTokenRequest.Username': 'AdminGetUserRequest.Username',
    'AdminListUserSessionsRequest.NextToken': 'ListUsersInGroupRequest.NextToken',
    'AdminListUserSessionsRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'AdminListUserSessionsRequest.Username': 'AdminGetUserRequest.Username',
    'AdminRevokeUserSessionRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'AdminRevokeUserSessionRequest.Username': 'AdminGetUserRequest.Username',
    'DescribeTermsByClientRequest.ClientId': 'DescribeUserPoolClientRequest.ClientId',
    'DescribeTermsByClientRequest.TermsName': 'CreateTermsRequest.TermsName',
    'DescribeTermsByClientRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'GetClientTokenRequest.ClientId': 'DescribeUserPoolClientRequest.ClientId',
    'GetClientTokenRequest.ClientMetadata': 'InitiateAuthRequest.ClientMetadata',
    'GetUserPoolClientSessionConfigurationRequest.ClientId': 'DescribeUserPoolClientRequest.ClientId',
    'GetUserPoolClientSessionConfigurationRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'GetUserPoolSessionConfigurationRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'ListUserSessionsRequest.AccessToken': 'GetUserRequest.AccessToken',
    'ListUserSessionsRequest.NextToken': 'ListUsersInGroupRequest.NextToken',
    'RevokeUserSessionRequest.AccessToken': 'GetUserRequest.AccessToken',
    'SetUserPoolClientSessionConfigurationRequest.ClientId': 'DescribeUserPoolClientRequest.ClientId',
    'SetUserPoolClientSessionConfigurationRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
    'SetUserPoolSessionConfigurationRequest.UserPoolId': 'AdminGetUserRequest.UserPoolId',
  },

  constraints: {
    // Pools without passwords are signed up to with a blank password, so the empty string reaches the feature.
    'SignUpRequest.Password': { min: 6, pattern: passwordPattern, allowEmpty: true },
    'ConfirmForgotPasswordRequest.Password': { min: 6, pattern: passwordPattern },
    'AdminCreateUserRequest.TemporaryPassword': { pattern: passwordPattern, allowEmpty: true },
    'AdminSetUserPasswordRequest.Password': { pattern: passwordPattern },
    'ChangePasswordRequest.PreviousPassword': { pattern: passwordPattern },
    'ChangePasswordRequest.ProposedPassword': { pattern: passwordPattern },

    // A domain is a prefix, for which the published pattern holds, or a custom domain, whose dots the pattern refuses.
    // The service tells the two apart and refuses a bad name in other words than those of a violation.
    'CreateUserPoolDomainRequest.Domain': { pattern: '(?s).*' },
    'UpdateUserPoolDomainRequest.Domain': { pattern: '(?s).*' },
    'DeleteUserPoolDomainRequest.Domain': { pattern: '(?s).*' },
    'DescribeUserPoolDomainRequest.Domain': { pattern: '(?s).*' },

    // Documented ranges that the model does not carry.
    'ClientSSOSessionConfigType.MaxValidityMinutes': { min: 0, max: 129600 },
    'UserPoolTokenSessionConfigType.MaxPerUser': { min: 1, max: 100 },

    // Marked sensitive as a whole by the service: the maps of the sign-in flows and the context of the user.
    'AdminInitiateAuthRequest.AuthParameters': { sensitive: true },
    'AdminRespondToAuthChallengeRequest.ChallengeResponses': { sensitive: true },
    'InitiateAuthRequest.AuthParameters': { sensitive: true },
    'RespondToAuthChallengeRequest.ChallengeResponses': { sensitive: true },
    'UserContextDataType.EncodedData': { sensitive: true },
    'UserContextDataType.IpAddress': { sensitive: true },
  },

  protocolErrors: [
    'ExpiredTokenException',
    'IncompleteSignatureException',
    'InvalidSignatureException',
    'MissingAuthenticationTokenException',
    'SerializationException',
    'UnknownOperationException',
    'UnrecognizedClientException',
  ],

  // The base class of the SDK's errors.
  neverSent: ['CognitoIdentityProviderServiceException'],
}
