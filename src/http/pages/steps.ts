/** What one page hands to the next. */
import type { ChallengeNameType, CodeDeliveryDetailsType } from '../../contract/types.ts'

/** Where a code went. */
export interface Delivery {
  medium: 'EMAIL' | 'SMS'
  /** Masked. */
  destination: string
}

export type Step =
  | ChallengeStep
  /** The confirmation of a sign-up; `signUp` when the user has signed up in this browser. */
  | { kind: 'confirm'; username: string; delivery?: Delivery; signUp?: SignUpInBrowser; resent?: true }
  /** A new password by code; `required` when the user did not ask for it. */
  | { kind: 'reset'; username: string; delivery?: Delivery; required?: true; resent?: true }
  /** Something that the sign-in page says. */
  | { kind: 'notice'; username: string; notice: 'passwordChanged' | 'registrationConfirmed' }

/** A sign-up that leads to a sign-in, as long as it is fresh. */
export interface SignUpInBrowser {
  userId: string
  securityEpoch: number
  /** Milliseconds since the epoch. */
  freshUntil: number
}

/** A sign-in that waits for an answer. */
export interface ChallengeStep {
  kind: 'challenge'
  challenge: ChallengeNameType
  session: string
  parameters: Record<string, string>
  /** The ways that are open, where there is a choice. */
  available?: ChallengeNameType[]
  /** The name that the sign-in began with. */
  username: string
  /** What the user has chosen on the page before. */
  chosen?: string
  /** The secret of the authenticator application that is being set up, in base32. */
  secret?: string
  /** The address that the user has given in this sign-in, when the code went there. */
  newAddress?: string
  /** The code was sent once more. */
  resent?: true
}

/** Where a code went, from the API's words. */
export const deliveryOf = ({ DeliveryMedium, Destination = '' }: CodeDeliveryDetailsType): Delivery => ({
  medium: DeliveryMedium === 'SMS' ? 'SMS' : 'EMAIL',
  destination: Destination,
})
