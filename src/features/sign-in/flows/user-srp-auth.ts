/** USER_SRP_AUTH: the password is proven without being sent. */
import { required } from '../challenges/challenge.ts'
import { beginPasswordVerifier } from '../challenges/password-verifier.ts'
import { unprovenDevice } from '../device.ts'
import type { Flow } from './flow.ts'

export const userSrpAuth: Flow = {
  operations: ['InitiateAuth', 'AdminInitiateAuth'],
  parameters: ['USERNAME', 'SRP_A'],
  begin: (ctx, signIn, parameters) =>
    beginPasswordVerifier(ctx, signIn, {
      username: required(parameters, 'USERNAME'),
      srpA: required(parameters, 'SRP_A'),
      secretHash: parameters['SECRET_HASH'],
      device: unprovenDevice(signIn, parameters),
    }),
}
