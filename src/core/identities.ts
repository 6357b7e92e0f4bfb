/**
 * Who a user is at identity providers, as the API tells it: in the attribute `identities` as JSON text, and in the ID
 * token as a claim. The two differ in order and in types, as they do at the service.
 */

/** The name under which a provider's own identifier of a user stands: `sub`, `id`, `user_id` or NameID. */
export const subjectAttribute = 'Cognito_Subject'

/** The attribute of the user that tells the identities. The service alone writes it. */
export const identitiesAttribute = 'identities'

export interface Identity {
  /** The user's identifier at the provider, or the value by which the user will be recognized at the first sign-in. */
  userId: string
  providerName: string
  providerType: string
  /** The entity id of a SAML provider; null for all others. */
  issuer: string | null
  /** True when the identity is the user, false when it is linked to the user. */
  primary: boolean
  /** Milliseconds since the epoch. */
  dateCreated: number
}

/** The value of the attribute. */
export const writeIdentities = (identities: readonly Identity[]): string =>
  JSON.stringify(
    identities.map(({ userId, providerName, providerType, issuer, primary, dateCreated }) => ({
      userId,
      providerName,
      providerType,
      issuer,
      primary,
      dateCreated,
    })),
  )

/** The claim for a value of the attribute, which `writeIdentities` made: all values are texts. */
export const identitiesClaim = (attribute: string): Record<string, string | null>[] =>
  (JSON.parse(attribute) as Identity[]).map(identity => ({
    dateCreated: String(identity.dateCreated),
    userId: identity.userId,
    providerName: identity.providerName,
    providerType: identity.providerType,
    issuer: identity.issuer,
    primary: String(identity.primary),
  }))
