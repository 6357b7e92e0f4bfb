/**
 * How a client proves that it is the one: by a secret of its own, or without one when it has none. Wrong secrets are
 * counted as wrong passwords are, by client and by where they come from, so that whoever guesses locks himself out and
 * nobody else. A secret is long and random, and programs that run with an old one repeat it; so many more tries are free.
 */
import { isCognitoError, tooManyRequests } from '../../core/errors.ts'
import { subscriberOf } from '../../core/forwarded-for.ts'
import { matchesSecret } from '../../core/secret-hash.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { countFailure, forgiveFailures } from '../passwords/lockout.ts'
import { takingTurns } from '../turns.ts'

const tries = 100

/** Those who guess wait for one another, and not those who know, for the one counter. */
const inTurn = takingTurns({ atOnce: 2, waitingMax: 1_000 })

/**
 * Whether one of the readings of what the client has sent is one of its secrets; of a client without a secret, whether it
 * has sent none. It is the secret itself, not a hash of it. A right one costs a look at the counter.
 * @throws TooManyRequestsException while wrong secrets for this client have locked out the network of the request.
 */
export const provesClient = async (ctx: Context, client: Client, given: readonly string[]): Promise<boolean> => {
  const known = client.secrets.map(({ value }) => value)
  if (known.length === 0 || given.length === 0) return known.length === given.length
  const key = `client ${ctx.seal.digest('client-proof', `${client.id}\n${subscriberOf(ctx.sourceIp)}`)}`
  if (given.some(secret => matchesSecret(secret, known))) {
    await passUnlessLocked(ctx, key)
    return true
  }
  if (!(await inTurn(ctx.database, key, () => countFailure(ctx, key, tries)))) throw tooManyRequests()
  return false
}

/** Of accounts and passwords a client knows nothing. */
const passUnlessLocked = (ctx: Context, key: string): Promise<void> =>
  forgiveFailures(ctx, key).catch(error => {
    throw isCognitoError(error, 'NotAuthorizedException') ? tooManyRequests() : error
  })
