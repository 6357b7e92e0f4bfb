/** CUSTOM_AUTH: challenges that the pool's triggers define, after a password by SRP where the client offers one. */
import { customAuthNotConfigured } from '../../../core/errors.ts'
import { assertNotLocked } from '../../passwords/lockout.ts'
import { hasTrigger } from '../../triggers/run.ts'
import { required } from '../challenges/challenge.ts'
import { assertPasswordWanted, nextCustomStep } from '../challenges/custom-challenge.ts'
import { challengePassword } from '../challenges/password-verifier.ts'
import { readA } from '../challenges/srp-exchange.ts'
import { namedDevice, unprovenDevice } from '../device.ts'
import { preAuthenticate } from '../pre-authentication.ts'
import { assertMaySignIn, findSubject } from '../subject.ts'
import type { Flow } from './flow.ts'

const triggers = ['DefineAuthChallenge', 'CreateAuthChallenge', 'VerifyAuthChallengeResponse'] as const

export const customAuth: Flow = {
  operations: ['InitiateAuth', 'AdminInitiateAuth'],
  parameters: ['USERNAME'],
  begin: async (ctx, signIn, parameters) => {
    const name = required(parameters, 'USERNAME')
    if (triggers.some(trigger => !hasTrigger(signIn.pool, trigger))) throw customAuthNotConfigured()
    const A = parameters['CHALLENGE_NAME'] === 'SRP_A' ? readA(required(parameters, 'SRP_A')) : undefined
    const found = await findSubject(ctx, signIn, name, parameters['SECRET_HASH'])
    const subject = await preAuthenticate(ctx, signIn, found, name)
    assertMaySignIn(signIn.client, subject.user)
    if (A === undefined) {
      const device = await namedDevice(ctx, signIn, subject.user, parameters)
      return nextCustomStep(ctx, signIn, { subject, name }, { factors: [], device }, [])
    }
    await assertNotLocked(ctx, subject.lockoutKey)
    await assertPasswordWanted(ctx, signIn, { subject, name })
    return challengePassword(ctx, signIn, subject, { A, device: unprovenDevice(signIn, parameters) })
  },
}
