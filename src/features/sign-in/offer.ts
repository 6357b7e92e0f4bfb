/** What the sign-in page of a client offers. */
import { allowsFlow } from '../app-clients/auth-flows.ts'
import type { Client } from '../app-clients/client.ts'
import { offersRecovery } from '../passwords/recovery.ts'
import { permitsSignUp } from '../sign-up/sign-up.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'

/** What users may give as their name. */
export type NameKind = 'username' | 'email' | 'phone_number'

export interface SignInOffer {
  names: NameKind[]
  /** The user's name comes first, and then a choice among the ways that are open to him. */
  asksNameFirst: boolean
  recovery: boolean
  signUp: boolean
}

/** `managed` is whether the pool shows managed login; the classic pages know no choice. */
export const signInOffer = (pool: Pool, client: Client, managed: boolean): SignInOffer => ({
  names: nameKinds(pool),
  asksNameFirst: managed && allowsFlow(client, 'USER_AUTH'),
  recovery: offersRecovery(pool),
  signUp: permitsSignUp(pool),
})

/** An alias comes beside the username; an address that is the username comes in its place. */
const nameKinds = ({ settings }: Pool): NameKind[] => {
  const usernames: readonly string[] = settings.UsernameAttributes ?? []
  const aliases: readonly string[] = settings.AliasAttributes ?? []
  const addresses = (['email', 'phone_number'] as const).filter(kind => [...usernames, ...aliases].includes(kind))
  return usernames.length > 0 ? addresses : ['username', ...addresses]
}

/** The name by which a user knows himself: an address where users sign in with one. */
export const shownName = (
  { settings }: Pool,
  { username, attributes }: Pick<User, 'username' | 'attributes'>,
): string => {
  const kinds = settings.UsernameAttributes ?? []
  return kinds.map(kind => attributes.get(kind)).find(address => address !== undefined) ?? username
}
