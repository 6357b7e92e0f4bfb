/** What the steps of a sign-in hand to one another. */
import type { AuthenticationResultType, ChallengeNameType } from '../../contract/types.ts'
import type { Factor } from '../../core/claims.ts'
import type { SignInEvent } from '../threat-protection/sign-in-events.ts'
import type { TokenSource } from '../triggers/pre-token-generation.ts'
import type { User } from '../users/user.ts'
import type { NamedDevice, SignIn } from './attempt.ts'

/** What a step of a sign-in leads to: the next challenge, or its end, which is tokens or, on the pages, the proof itself. */
export type Outcome = PendingOutcome | { tokens: AuthenticationResultType } | { proven: Proof }

/** A challenge that waits for its answer. */
export interface PendingOutcome {
  challenge: ChallengeNameType
  session: string
  parameters: Record<string, string>
  available?: ChallengeNameType[]
}

/** A user who has proven everything that was asked for. */
export type Proof = Pick<Progress, 'user' | 'factors' | 'tokenSource'> & {
  /** The event of the sign-in, where something watches it. */
  eventId?: string | undefined
}

/** A sign-in whose user has proven something. */
export interface Progress {
  signIn: SignIn
  user: User
  /** Of the attempt: a digest of the name that the sign-in began with. */
  nameKey: string
  factors: Factor[]
  device?: NamedDevice | undefined
  /** The client takes no challenge of a device in answer to this request. */
  noDeviceChallenge?: boolean
  /** What threat protection has made of the sign-in; undefined before the first proof and where nothing watches. */
  event?: SignInEvent | undefined
  /** True in the answer to the request that began the sign-in, which tells the client the user's real name. */
  isFirstAnswer: boolean
  /** What the tokens are for, if they come next; `Authentication` when absent. */
  tokenSource?: TokenSource
}

/** Parameters that the first answer adds to whatever challenge it brings. */
export const firstAnswerParameters = ({ isFirstAnswer, user }: Progress): Record<string, string> =>
  isFirstAnswer ? { USER_ID_FOR_SRP: user.username } : {}
