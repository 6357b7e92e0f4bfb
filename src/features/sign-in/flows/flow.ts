/** What all flows have in common. */
import type { Context } from '../../context.ts'
import type { SignIn } from '../attempt.ts'
import type { Outcome } from '../progress.ts'

export interface Flow {
  /** Which operations may begin it: the public one, the administrator's, or both. */
  operations: readonly ('InitiateAuth' | 'AdminInitiateAuth')[]
  /** Parameters that must be there. */
  parameters: readonly string[]
  begin(ctx: Context, signIn: SignIn, parameters: Record<string, string>): Promise<Outcome>
}
