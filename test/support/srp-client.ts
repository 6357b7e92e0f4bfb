/** The client's half of an SRP sign-in, with its own arithmetic, in a form in which tests can bend each value. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { N } from '../../src/core/srp.ts'

const g = 2n

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % N
    if (bit === '1') result = (result * base) % N
  }
  return result
}

const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const integer = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)

/** As Java writes an integer: whole bytes, the first of them below 0x80. */
const pad = (value: bigint): Buffer => {
  const hex = value.toString(16)
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex')
}

const k = integer(sha256(pad(N), pad(g)))

/** `EEE MMM d HH:mm:ss z yyyy` in English. */
export const srpTimestamp = (ms: number): string => {
  const [weekday, day, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${Number(day)} ${time} UTC ${year}`
}

/** An exchange for these names; `srpA` is what the client sends first. */
const createExchange = () => {
  const a = integer(randomBytes(32))
  const A = power(g, a)
  return {
    srpA: A.toString(16),
    /** The responses to the challenge with these parameters, without the name of the user. */
    answer(
      { SALT = '', SRP_B = '', SECRET_BLOCK = '' }: Record<string, string>,
      names: string,
      password: string,
      timestamp: string,
    ): Record<string, string> {
      const B = BigInt(`0x${SRP_B}`)
      const u = integer(sha256(pad(A), pad(B)))
      const x = privateKey(pad(BigInt(`0x${SALT}`)), names, password)
      const base = (((B - k * power(g, x)) % N) + N) % N
      const S = power(base, a + u * x)
      const prk = createHmac('sha256', pad(u)).update(pad(S)).digest()
      const K = createHmac('sha256', prk).update('Caldera Derived Key').update(Buffer.of(1)).digest().subarray(0, 16)
      const signature = createHmac('sha256', K)
        .update(names)
        .update(Buffer.from(SECRET_BLOCK, 'base64'))
        .update(timestamp)
        .digest('base64')
      return {
        PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
        PASSWORD_CLAIM_SIGNATURE: signature,
        TIMESTAMP: timestamp,
      }
    },
  }
}

const privateKey = (salt: Buffer, names: string, password: string): bigint =>
  integer(sha256(salt, sha256(`${names}:${password}`)))

/** A client with a secret of its own; `srpA` is what it sends first. */
export const createSrpClient = (poolId: string) => {
  const { srpA, answer } = createExchange()
  const poolName = poolId.split('_')[1] ?? ''
  return {
    srpA,
    /** The responses to the PASSWORD_VERIFIER challenge with these parameters. */
    answer(parameters: Record<string, string>, password: string, timestamp: string): Record<string, string> {
      const { USER_ID_FOR_SRP = '' } = parameters
      const proof = answer(parameters, `${poolName}${USER_ID_FOR_SRP}`, password, timestamp)
      return { USERNAME: USER_ID_FOR_SRP, ...proof }
    },
  }
}

/** What a client keeps of its device. */
export interface DeviceKeys {
  key: string
  groupKey: string
  password: string
}

/** A secret for a new device, and what ConfirmDevice is told of it. */
export const createDeviceSecret = (key: string, groupKey: string) => {
  const password = randomBytes(40).toString('base64')
  const salt = pad(integer(randomBytes(16)))
  const verifier = pad(power(g, privateKey(salt, `${groupKey}${key}`, password)))
  return {
    password,
    config: { PasswordVerifier: verifier.toString('base64'), Salt: salt.toString('base64') },
  }
}

/** As createSrpClient, for a device. */
export const createDeviceSrpClient = ({ key, groupKey, password }: DeviceKeys) => {
  const { srpA, answer } = createExchange()
  return {
    srpA,
    /** The responses to the DEVICE_PASSWORD_VERIFIER challenge with these parameters. */
    answer: (parameters: Record<string, string>, timestamp: string): Record<string, string> => ({
      DEVICE_KEY: key,
      ...answer(parameters, `${groupKey}${key}`, password, timestamp),
    }),
  }
}
