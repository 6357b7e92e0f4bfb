/**
 * The rate limits of the API: which operation counts in which category, how many requests per second each category
 * allows, and the buckets that count. A bucket is one number, the moment at which it would be full again, so it needs no
 * timer: what has been refilled follows from the clock.
 */
import type { OperationName } from '../contract/types.ts'

interface CategoryLimit {
  /** Requests per second. */
  rate: number
  adjustable: boolean
  /** Each operation of the category is further limited for each pool. */
  perOperation?: true
  /** Each user is further limited, by reads and by writes. */
  perUser?: 'read' | 'write'
  operations: readonly OperationName[]
}

/** The default quotas of Amazon Cognito (developer guide, "Quotas in Amazon Cognito"). */
export const categories = {
  UserAuthentication: {
    rate: 120,
    adjustable: true,
    perUser: 'read',
    operations: ['InitiateAuth', 'AdminInitiateAuth', 'RespondToAuthChallenge', 'AdminRespondToAuthChallenge'],
  },
  UserCreation: {
    rate: 50,
    adjustable: true,
    perUser: 'write',
    operations: ['SignUp', 'ConfirmSignUp', 'AdminCreateUser', 'AdminConfirmSignUp'],
  },
  /** Sign-ins through an identity provider, which no operation of the API begins. */
  UserFederation: { rate: 25, adjustable: true, operations: [] },
  UserAccountRecovery: {
    rate: 30,
    adjustable: false,
    perUser: 'write',
    operations: [
      'ForgotPassword',
      'ConfirmForgotPassword',
      'ChangePassword',
      'AdminResetUserPassword',
      'AdminSetUserPassword',
    ],
  },
  UserRead: { rate: 120, adjustable: true, perUser: 'read', operations: ['AdminGetUser', 'GetUser'] },
  UserUpdate: {
    rate: 25,
    adjustable: false,
    perUser: 'write',
    operations: [
      'AdminDeleteSoftwareToken',
      'AdminDeleteUser',
      'AdminDeleteUserAttributes',
      'AdminDisableProviderForUser',
      'AdminDisableUser',
      'AdminEnableUser',
      'AdminLinkProviderForUser',
      'AdminSetUserMFAPreference',
      'AdminSetUserSettings',
      'AdminUpdateUserAttributes',
      'DeleteUser',
      'DeleteUserAttributes',
      'GetUserAttributeVerificationCode',
      'ResendConfirmationCode',
      'SetUserMFAPreference',
      'SetUserSettings',
      'UpdateUserAttributes',
      'VerifyUserAttribute',
    ],
  },
  UserToken: {
    rate: 120,
    adjustable: true,
    operations: [
      'AdminRevokeUserSession',
      'AdminUserGlobalSignOut',
      'GetTokensFromRefreshToken',
      'GlobalSignOut',
      'RevokeToken',
      'RevokeUserSession',
    ],
  },
  UserResourceRead: {
    rate: 50,
    adjustable: true,
    perUser: 'read',
    operations: [
      'AdminGetDevice',
      'AdminGetUserAuthFactors',
      'AdminListDevices',
      'AdminListGroupsForUser',
      'AdminListUserAuthEvents',
      'AdminListUserSessions',
      'GetDevice',
      'GetUserAuthFactors',
      'ListDevices',
      'ListUserSessions',
      'ListWebAuthnCredentials',
    ],
  },
  UserResourceUpdate: {
    rate: 25,
    adjustable: false,
    perUser: 'write',
    operations: [
      'AdminAddUserToGroup',
      'AdminForgetDevice',
      'AdminRemoveUserFromGroup',
      'AdminUpdateAuthEventFeedback',
      'AdminUpdateDeviceStatus',
      'AssociateSoftwareToken',
      'CompleteWebAuthnRegistration',
      'ConfirmDevice',
      'DeleteWebAuthnCredential',
      'ForgetDevice',
      'StartWebAuthnRegistration',
      'UpdateAuthEventFeedback',
      'UpdateDeviceStatus',
      'VerifySoftwareToken',
    ],
  },
  UserList: { rate: 30, adjustable: false, operations: ['ListUsers', 'ListUsersInGroup'] },
  UserPoolRead: { rate: 15, adjustable: false, operations: ['DescribeUserPool', 'ListUserPools'] },
  UserPoolUpdate: { rate: 15, adjustable: false, operations: ['CreateUserPool', 'DeleteUserPool', 'UpdateUserPool'] },
  UserPoolResourceRead: {
    rate: 20,
    adjustable: false,
    perOperation: true,
    operations: [
      'DescribeIdentityProvider',
      'DescribeManagedLoginBranding',
      'DescribeManagedLoginBrandingByClient',
      'DescribeResourceServer',
      'DescribeRiskConfiguration',
      'DescribeTerms',
      'DescribeTermsByClient',
      'DescribeUserImportJob',
      'DescribeUserPoolDomain',
      'GetCSVHeader',
      'GetGroup',
      'GetIdentityProviderByIdentifier',
      'GetLogDeliveryConfiguration',
      'GetSigningCertificate',
      'GetUICustomization',
      'GetUserPoolMfaConfig',
      'GetUserPoolSessionConfiguration',
      'ListGroups',
      'ListIdentityProviders',
      'ListResourceServers',
      'ListTagsForResource',
      'ListTerms',
      'ListUserImportJobs',
      'ListUserPoolReplicas',
    ],
  },
  UserPoolResourceUpdate: {
    rate: 15,
    adjustable: false,
    perOperation: true,
    operations: [
      'AddCustomAttributes',
      'CreateGroup',
      'CreateIdentityProvider',
      'CreateManagedLoginBranding',
      'CreateResourceServer',
      'CreateTerms',
      'CreateUserImportJob',
      'CreateUserPoolDomain',
      'CreateUserPoolReplica',
      'DeleteGroup',
      'DeleteIdentityProvider',
      'DeleteManagedLoginBranding',
      'DeleteResourceServer',
      'DeleteTerms',
      'DeleteUserPoolDomain',
      'DeleteUserPoolReplica',
      'SetLogDeliveryConfiguration',
      'SetRiskConfiguration',
      'SetUICustomization',
      'SetUserPoolMfaConfig',
      'SetUserPoolSessionConfiguration',
      'StartUserImportJob',
      'StopUserImportJob',
      'TagResource',
      'UntagResource',
      'UpdateGroup',
      'UpdateIdentityProvider',
      'UpdateManagedLoginBranding',
      'UpdateResourceServer',
      'UpdateTerms',
      'UpdateUserPoolDomain',
      'UpdateUserPoolReplica',
    ],
  },
  UserPoolClientRead: {
    rate: 15,
    adjustable: false,
    perOperation: true,
    operations: [
      'DescribeUserPoolClient',
      'GetUserPoolClientSessionConfiguration',
      'ListUserPoolClientSecrets',
      'ListUserPoolClients',
    ],
  },
  UserPoolClientUpdate: {
    rate: 15,
    adjustable: false,
    perOperation: true,
    operations: [
      'AddUserPoolClientSecret',
      'CreateUserPoolClient',
      'DeleteUserPoolClient',
      'DeleteUserPoolClientSecret',
      'SetUserPoolClientSessionConfiguration',
      'UpdateUserPoolClient',
    ],
  },
  ClientAuthentication: { rate: 150, adjustable: false, operations: ['GetClientToken'] },
  LimitManagement: { rate: 1, adjustable: false, operations: ['GetProvisionedLimit', 'UpdateProvisionedLimit'] },
} as const satisfies Record<string, CategoryLimit>

export type Category = keyof typeof categories

/**
 * Requests per second at the authorization server and the pages, for each address, app client and pool (developer guide,
 * "Quotas in Amazon Cognito").
 */
export const domainRates = { DomainAddress: 300, DomainClient: 300, Domain: 500 } as const

export type DomainLimit = keyof typeof domainRates

export const isDomainLimit = (name: string): name is DomainLimit => Object.hasOwn(domainRates, name)

export const isCategory = (name: string): name is Category => Object.hasOwn(categories, name)

/** The limit of a category; a plain view of the table. */
export const categoryLimit = (category: Category): CategoryLimit => categories[category]

const categoryByOperation = new Map<OperationName, Category>(
  (Object.keys(categories) as Category[]).flatMap(category =>
    categories[category].operations.map((operation): [OperationName, Category] => [operation, category]),
  ),
)

/** What of a request decides on its category. */
interface CountedInput {
  AuthFlow?: unknown
  ChallengeName?: unknown
}

/**
 * The category in which a request counts: that of its operation, except for refreshing tokens and setting a new password
 * by an operation of sign-in.
 */
export const categoryOf = (operation: OperationName, { AuthFlow, ChallengeName }: CountedInput): Category => {
  if (AuthFlow === 'REFRESH_TOKEN_AUTH' || AuthFlow === 'REFRESH_TOKEN') return 'UserToken'
  if (ChallengeName === 'NEW_PASSWORD_REQUIRED') return 'UserAccountRecovery'
  const category = categoryByOperation.get(operation)
  if (category === undefined) throw new Error(`${operation} counts in no category.`)
  return category
}

/** Answers to challenges have a quota of their own, this many times that of their category. */
export const answersFactor = 3
/** Requests per second of one operation for one pool, where the category says so. */
export const perOperationRate = 5
/** Reads per second of one user, and as many writes. */
export const perUserRate = 10

/** Where the buckets are kept. A bucket that is forgotten is full. */
export interface Buckets {
  get(key: string): number | undefined
  set(key: string, fullAt: number): void
}

/** One request out of the bucket of this key, which is refilled at this rate per second and holds one second's worth. */
export interface Draw {
  buckets: Buckets
  key: string
  rate: number
  /** Where to draw from when the bucket is empty. */
  otherwise?: Draw
}

const windowMs = 1_000

/**
 * Draws from all buckets, or from none when one of them is empty. Returns whether it has drawn. `now` is in
 * milliseconds.
 */
export const drawAll = (draws: readonly Draw[], now: number): boolean => {
  const drawn = draws.map(draw => drawOne(draw, now))
  if (drawn.includes(undefined)) return false
  for (const take of drawn) take?.()
  return true
}

/** The act of drawing; undefined when the bucket is empty. */
const drawOne = ({ buckets, key, rate, otherwise }: Draw, now: number): (() => void) | undefined => {
  // A clock that was set back must not empty the bucket for longer than its window.
  const fullAt = Math.min(Math.max(buckets.get(key) ?? now, now), now + windowMs)
  const next = fullAt + windowMs / rate
  // Sums of fractions of a millisecond are not exact; half a request more decides nothing.
  if (next <= now + windowMs + windowMs / rate / 2) return () => buckets.set(key, next)
  return otherwise && drawOne(otherwise, now)
}
