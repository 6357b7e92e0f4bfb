/** What the sign-up page of a client asks for: no more than what is required. */
import { missingAttributes } from '../../core/attributes.ts'
import { allowsFlow } from '../app-clients/auth-flows.ts'
import type { Client } from '../app-clients/client.ts'
import type { Pool } from '../user-pools/pool.ts'
import { mayLackPassword } from './sign-up.ts'

export interface SignUpForm {
  /** What may be the username. */
  usernames: ('username' | 'email' | 'phone_number')[]
  /** Required attributes in the order of the schema, without one that is the username in any case. */
  attributes: string[]
  /** Whether a user may do without; he then signs in by codes. */
  passwordOptional: boolean
}

/** `managed` is whether the pool shows managed login; on the classic pages every user has a password. */
export const signUpForm = (pool: Pool, client: Client, managed: boolean): SignUpForm => {
  const usernames = pool.settings.UsernameAttributes ?? []
  const required = missingAttributes(pool.settings.SchemaAttributes ?? [], new Set())
  return {
    usernames: usernames.length === 0 ? ['username'] : usernames,
    attributes: required.filter(name => usernames.length !== 1 || name !== usernames[0]),
    passwordOptional: managed && allowsFlow(client, 'USER_AUTH') && mayLackPassword(pool),
  }
}
