/** The client's half of an SRP sign-in, with the fast arithmetic of the server, so that the load is the server's. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { createCompute } from '../src/adapters/compute.ts'
import { claimSignature, k, N, pad, toGroupBytes, toInteger } from '../src/core/srp.ts'
import { call } from './load.ts'
import type { Server } from './processes.ts'

export const clientCompute = createCompute({ threads: 1 })

/** The integer as the hash functions of the protocol see it. */
const padded = (value: bigint): Buffer => pad(toGroupBytes(value))

/** Ready pairs (a, g^a): a client may keep its A between sign-ins, and the server never sees a. */
const ephemerals: { a: bigint; A: bigint }[] = []

export const prepareEphemerals = async (count: number): Promise<void> => {
  for (let made = 0; made < count; made++) {
    const a = randomBytes(32)
    ephemerals.push({ a: toInteger(a), A: toInteger(await clientCompute.modPow(toGroupBytes(2n), a)) })
  }
}

interface Challenge {
  ChallengeParameters: { SALT: string; SRP_B: string; SECRET_BLOCK: string; USER_ID_FOR_SRP: string }
}

/** Signs in by SRP: two calls. */
export const signInBySrp = async (
  server: Server,
  pool: { id: string; clientId: string },
  username: string,
  password: string,
  index: number,
): Promise<void> => {
  const pair = ephemerals[index % ephemerals.length]
  if (pair === undefined) throw new Error('prepareEphemerals first')
  const { ChallengeParameters: challenge } = await call<Challenge>(server, 'InitiateAuth', {
    AuthFlow: 'USER_SRP_AUTH',
    ClientId: pool.clientId,
    AuthParameters: { USERNAME: username, SRP_A: pair.A.toString(16) },
  })
  const poolName = pool.id.split('_')[1] ?? ''
  const user = challenge.USER_ID_FOR_SRP
  const B = BigInt(`0x${challenge.SRP_B}`)
  const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const x = toInteger(
    sha256(padded(BigInt(`0x${challenge.SALT}`)), sha256(Buffer.from(`${poolName}${user}:${password}`))),
  )
  const u = toInteger(sha256(padded(pair.A), padded(B)))
  const gx = toInteger(await clientCompute.modPow(toGroupBytes(2n), toGroupBytes(x).subarray(-32)))
  const base = (((B - k * gx) % N) + N) % N
  const S = toInteger(await clientCompute.modPow(toGroupBytes(base), toGroupBytes(pair.a + u * x).subarray(-66)))
  const prk = createHmac('sha256', padded(u)).update(padded(S)).digest()
  const key = createHmac('sha256', prk).update('Caldera Derived Key\x01').digest().subarray(0, 16)
  const timestamp = timestampNow()
  const signature = claimSignature(key, poolName, user, Buffer.from(challenge.SECRET_BLOCK, 'base64'), timestamp)
  await call(server, 'RespondToAuthChallenge', {
    ChallengeName: 'PASSWORD_VERIFIER',
    ClientId: pool.clientId,
    ChallengeResponses: {
      USERNAME: user,
      PASSWORD_CLAIM_SECRET_BLOCK: challenge.SECRET_BLOCK,
      PASSWORD_CLAIM_SIGNATURE: signature.toString('base64'),
      TIMESTAMP: timestamp,
    },
  })
}

const timestampNow = (): string => {
  const now = new Date()
  const part = (options: Intl.DateTimeFormatOptions) => now.toLocaleString('en-US', { ...options, timeZone: 'UTC' })
  const time = now.toISOString().slice(11, 19)
  return `${part({ weekday: 'short' })} ${part({ month: 'short' })} ${now.getUTCDate()} ${time} UTC ${now.getUTCFullYear()}`
}
