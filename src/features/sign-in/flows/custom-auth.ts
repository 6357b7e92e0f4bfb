/** CUSTOM_AUTH: challenges that the pool's triggers define. A password first, by SRP, is not among them yet. */
import { customAuthNotConfigured, notYetAvailable } from '../../../core/errors.ts'
import { hasTrigger } from '../../triggers/run.ts'
import { required } from '../challenges/challenge.ts'
import { nextCustomStep } from '../challenges/custom-challenge.ts'
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
    if (parameters['CHALLENGE_NAME'] === 'SRP_A') throw notYetAvailable('CUSTOM_AUTH with SRP_A')
    const found = await findSubject(ctx, signIn, name, parameters['SECRET_HASH'])
    const subject = await preAuthenticate(ctx, signIn, found, name)
    assertMaySignIn(signIn.client, subject.user)
    return nextCustomStep(ctx, signIn, { subject, name }, [])
  },
}
