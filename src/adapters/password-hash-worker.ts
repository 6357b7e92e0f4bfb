/** The thread behind `password-hashes.ts`: checks one password after the other. */
import crypto from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'
import { type HashText, type PasswordHash, parsePasswordHash } from '../core/password-hash.ts'

export interface HashJob {
  hash: HashText
  password: string
}

/** Whether the password is right, or why that cannot be told. */
export type HashResult = boolean | Error

const digest = (hash: Exclude<PasswordHash, { algorithm: 'BCRYPT' }>, password: string): Buffer => {
  const { salt } = hash
  const length = hash.digest.length
  switch (hash.algorithm) {
    case 'SCRYPT': {
      const { cost, blockSize, parallelization } = hash
      // The default bound of 32 MiB is below what the largest allowed cost takes.
      const maxmem = 256 * cost * blockSize + 1_048_576
      return crypto.scryptSync(password, salt, length, { cost, blockSize, parallelization, maxmem })
    }
    case 'ARGON2ID': {
      const { memory, passes, parallelism } = hash
      const parameters = { message: password, nonce: salt, memory, passes, parallelism, tagLength: length }
      return crypto.argon2Sync('argon2id', parameters)
    }
    case 'PBKDF2_SHA256':
      return crypto.pbkdf2Sync(password, salt, hash.iterations, length, 'sha256')
  }
}

const isRight = ({ hash, password }: HashJob): boolean => {
  const parsed = parsePasswordHash(hash)
  if (parsed === undefined) throw new Error('The password hash is not well formed')
  if (parsed.algorithm !== 'BCRYPT') return crypto.timingSafeEqual(digest(parsed, password), parsed.digest)
  // An early implementation, whose hashes are marked with an x, took bytes above 127 for negative numbers. For all other
  // passwords the four versions are one.
  const asIntended = parsed.version !== 'x' || [...password].every(character => character <= '\x7f')
  const cost = String(parsed.cost).padStart(2, '0')
  const hashed = bcrypt.hashSync(password, `$2b$${cost}$${parsed.salt}`)
  return (
    crypto.timingSafeEqual(Buffer.from(hashed.slice(-parsed.digest.length)), Buffer.from(parsed.digest)) && asIntended
  )
}

const perform = (job: HashJob): HashResult => {
  try {
    return isRight(job)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

parentPort?.on('message', (job: HashJob) => parentPort?.postMessage(perform(job)))
