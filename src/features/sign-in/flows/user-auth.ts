/** USER_AUTH: the user chooses among the first factors. Passwordless factors are not there yet, so there is no choice. */
import { notYetAvailable } from '../../../core/errors.ts'
import type { Flow } from './flow.ts'

export const userAuth: Flow = {
  operations: ['InitiateAuth', 'AdminInitiateAuth', 'ManagedLogin'],
  parameters: ['USERNAME'],
  begin: (_ctx, { flow }) => Promise.reject(notYetAvailable(flow)),
}
