/** CUSTOM_AUTH: challenges that the pool's triggers define. They are not invoked yet, so the flow goes no further. */
import { customAuthNotConfigured, notYetAvailable } from '../../../core/errors.ts'
import type { Flow } from './flow.ts'

export const customAuth: Flow = {
  operations: ['InitiateAuth', 'AdminInitiateAuth'],
  parameters: ['USERNAME'],
  begin: (_ctx, { pool, flow }) =>
    Promise.reject(
      pool.settings.LambdaConfig?.DefineAuthChallenge === undefined ? customAuthNotConfigured() : notYetAvailable(flow),
    ),
}
