/** What all flows have in common. */
import type { Context } from '../../context.ts'
import type { SignIn } from '../attempt.ts'
import type { Outcome } from '../progress.ts'

/** What may begin a flow: the public operation, the administrator's, or the pages. */
export type BeginningOperation = 'InitiateAuth' | 'AdminInitiateAuth' | 'ManagedLogin'

export interface Flow {
  operations: readonly BeginningOperation[]
  /** Parameters that must be there. */
  parameters: readonly string[]
  /** `session` is one that an operation before the sign-in has handed out. */
  begin(ctx: Context, signIn: SignIn, parameters: Record<string, string>, session: string | undefined): Promise<Outcome>
}
