/**
 * Secrets at rest. One master key outside the database seals what the database holds: AES-256-GCM under keys that are
 * derived for each purpose, so that a value sealed for one purpose never opens for another.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, StartRefusal } from './database.ts'
import { createLru } from './lru.ts'

export interface MasterKey {
  /** Names the key in everything it seals: 1 to 32 ASCII letters, digits, `-` and `_`. */
  id: string
  /** 32 bytes. */
  key: Buffer
}

export interface Seal {
  /**
   * The sealed form of the text or bytes, in base64url. It opens only for the same purpose and, when `bound` names the
   * place where it is kept (a row's id, for example), only in that place. Throws a RangeError beyond 190 KiB.
   */
  seal(purpose: string, plain: Buffer | string, bound?: string): string
  /** What was sealed, or undefined for whatever was not sealed just so. Never throws, whatever it is given. */
  open(purpose: string, sealed: string, bound?: string): Buffer | undefined
  /** HMAC-SHA256 of the text under a key of the purpose, in base64url: 43 characters. */
  digest(purpose: string, text: string): string
  /** True when the digest belongs to the text, under the current master key or an older one. Compares in constant time. */
  matches(purpose: string, text: string, digest: string): boolean
  /** A key of the purpose, of 1 to 255 · 32 bytes, derived from the current master key: always the same one. */
  deriveKey(purpose: string, length: number): Buffer
  /** The id of the current master key. */
  readonly keyId: string
  /** As deriveKey, from the master key with this id; undefined when there is none. */
  deriveKeyOf(keyId: string, purpose: string, length: number): Buffer | undefined
  /** True when the current master key sealed it, so that it needs no sealing anew before an old key is removed. */
  isCurrent(sealed: string): boolean
}

const version = 1
const saltLength = 8
const nonceLength = 12
const tagLength = 16
/** Longest text that is looked at, in characters. */
const sealedLengthMax = 262_144
const plainLengthMax = 194_560
/** After so many values a key gives way to a new one: far from 2^32, where random nonces begin to meet. */
const valuesPerKey = 2 ** 28
const derivedKeysMax = 1_000

/**
 * A seal under the first key; the others only open what they sealed. Throws a RangeError when a key does not have
 * 32 bytes or an id is unusable or given twice.
 *
 * The envelope is: version (1 byte), length of the key id (1), key id, salt (8), nonce (12), ciphertext, tag (16). The
 * salt belongs to this seal, not to the value. It is an input of the key's derivation, so that the number of random
 * nonces under one key stays small however many nodes and restarts there are (NIST SP 800-38D, section 8.3).
 */
export function createSeal(masterKeys: readonly MasterKey[]): Seal {
  checkMasterKeys(masterKeys)
  const current = masterKeys[0] as MasterKey
  const sealing = new Map<string, { key: KeyObject; header: Buffer; used: number }>()
  const opening = createLru<KeyObject>(derivedKeysMax)
  const digesting = new Map<string, KeyObject>()
  const derived = createLru<Buffer>(derivedKeysMax)

  const derivedKey = (masterKey: MasterKey, purpose: string, length: number): Buffer => {
    const name = `${masterKey.id} ${length} ${purpose}`
    const known = derived.get(name)
    if (known !== undefined) return known
    const fresh = rawKey(masterKey, purpose, length)
    derived.set(name, fresh)
    return fresh
  }

  const sealingKey = (purpose: string) => {
    const known = sealing.get(purpose)
    if (known !== undefined && known.used < valuesPerKey) return known
    const salt = randomBytes(saltLength)
    const header = Buffer.concat([Buffer.from([version, current.id.length]), Buffer.from(current.id, 'latin1'), salt])
    const fresh = { key: derive(current.key, `seal ${purpose}`, salt), header, used: 0 }
    sealing.set(purpose, fresh)
    return fresh
  }
  const digestKey = (masterKey: MasterKey, purpose: string): KeyObject => {
    const name = `${masterKey.id} ${purpose}`
    const known = digesting.get(name)
    if (known !== undefined) return known
    const fresh = derive(masterKey.key, `digest ${purpose}`, noSalt)
    digesting.set(name, fresh)
    return fresh
  }
  const digestWith = (masterKey: MasterKey, purpose: string, text: string): Buffer =>
    createHmac('sha256', digestKey(masterKey, purpose)).update(text, 'utf8').digest()

  return {
    seal(purpose, plain, bound = '') {
      const bytes = typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain
      if (bytes.length > plainLengthMax) throw new RangeError('The value is too long to be sealed.')
      const key = sealingKey(purpose)
      key.used++
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv('aes-256-gcm', key.key, nonce, { authTagLength: tagLength })
      cipher.setAAD(additionalData(key.header, purpose, bound))
      const text = cipher.update(bytes)
      cipher.final()
      return Buffer.concat([key.header, nonce, text, cipher.getAuthTag()]).toString('base64url')
    },
    open(purpose, sealed, bound = '') {
      const envelope = parse(sealed)
      if (envelope === undefined) return undefined
      const masterKey = masterKeys.find(({ id }) => id === envelope.keyId)
      if (masterKey === undefined) return undefined
      const name = `${envelope.header.toString('latin1')} ${purpose}`
      const known = opening.get(name)
      const key = known ?? derive(masterKey.key, `seal ${purpose}`, envelope.salt)
      const plain = decrypt(key, envelope, additionalData(envelope.header, purpose, bound))
      // Only what is authentic may take a place among the kept keys.
      if (plain !== undefined && known === undefined) opening.set(name, key)
      return plain
    },
    digest: (purpose, text) => digestWith(current, purpose, text).toString('base64url'),
    matches(purpose, text, digest) {
      if (digest.length !== 43) return false
      const given = Buffer.from(digest, 'base64url')
      let matched = false
      for (const masterKey of masterKeys) {
        const expected = digestWith(masterKey, purpose, text)
        if (given.length === expected.length && timingSafeEqual(given, expected)) matched = true
      }
      return matched
    },
    deriveKey: (purpose, length) => derivedKey(current, purpose, length),
    keyId: current.id,
    deriveKeyOf(keyId, purpose, length) {
      const masterKey = masterKeys.find(({ id }) => id === keyId)
      return masterKey && derivedKey(masterKey, purpose, length)
    },
    isCurrent: sealed => parse(sealed)?.keyId === current.id,
  }
}

const noSalt = Buffer.alloc(0)

const rawKey = ({ key }: MasterKey, purpose: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, noSalt, `cenote key ${purpose}`, length))

function checkMasterKeys(masterKeys: readonly MasterKey[]): void {
  if (masterKeys.length === 0) throw new RangeError('A seal needs a master key.')
  for (const { id, key } of masterKeys) {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) throw new RangeError('The id of a master key is not usable.')
    if (key.length !== keyLength) throw new RangeError('A master key has 32 bytes.')
  }
  if (new Set(masterKeys.map(({ id }) => id)).size !== masterKeys.length) {
    throw new RangeError('Two master keys have the same id.')
  }
}

/** HKDF-SHA256 (RFC 5869). The first word of the purpose keeps the kinds of keys apart. */
const derive = (masterKey: Buffer, purpose: string, salt: Buffer): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, salt, `cenote ${purpose}`, 32)))

/** The length before the purpose keeps ("ab", "c") apart from ("a", "bc"). */
const additionalData = (header: Buffer, purpose: string, bound: string): Buffer =>
  Buffer.concat([header, Buffer.from(`${Buffer.byteLength(purpose)} ${purpose}${bound}`, 'utf8')])

interface Envelope {
  keyId: string
  /** Everything before the nonce. */
  header: Buffer
  salt: Buffer
  nonce: Buffer
  text: Buffer
  tag: Buffer
}

/** The parts of a sealed value, or undefined when it does not have its form. */
function parse(sealed: unknown): Envelope | undefined {
  if (typeof sealed !== 'string' || sealed.length > sealedLengthMax) return undefined
  const bytes = Buffer.from(sealed, 'base64url')
  const idLength = bytes[1]
  if (bytes[0] !== version || idLength === undefined) return undefined
  const headerLength = 2 + idLength + saltLength
  if (bytes.length < headerLength + nonceLength + tagLength) return undefined
  // Decoding forgives foreign characters and loose bits at the end; only the one canonical text is accepted.
  if (bytes.toString('base64url') !== sealed) return undefined
  return {
    keyId: bytes.toString('latin1', 2, 2 + idLength),
    header: bytes.subarray(0, headerLength),
    salt: bytes.subarray(2 + idLength, headerLength),
    nonce: bytes.subarray(headerLength, headerLength + nonceLength),
    text: bytes.subarray(headerLength + nonceLength, -tagLength),
    tag: bytes.subarray(-tagLength),
  }
}

function decrypt(key: KeyObject, { nonce, text, tag }: Envelope, additional: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  decipher.setAAD(additional)
  decipher.setAuthTag(tag)
  const plain = decipher.update(text)
  try {
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}

// ------------------------------------------------------------------------------------------------ the master key

const keyLength = 32

export interface MasterKeySource {
  /** The key itself, in hex or base64 (either alphabet). Wins over the folder. */
  given?: string | undefined
  /** The folder whose `master.key` holds the key and which gets one when there is none; `:memory:` gets a passing one. */
  dataDir: string
}

/** A master key and what an administrator should know about how it is kept, one line each. */
export interface LoadedMasterKey extends MasterKey {
  warnings: string[]
}

/** The master key of this installation. Throws StartRefusal when it is not 32 bytes or cannot be read or written. */
export function loadMasterKey({ given, dataDir }: MasterKeySource): LoadedMasterKey {
  if (given !== undefined) return named(parseKey(given, 'The given master key'), [])
  if (dataDir === ':memory:') return named(randomBytes(keyLength), [])
  const file = join(dataDir, 'master.key')
  try {
    const text = readKeyFile(file) ?? createKeyFile(dataDir, file)
    return named(parseKey(text, `The master key in ${file}`), warningsAbout(file))
  } catch (error) {
    if (error instanceof StartRefusal) throw error
    throw new StartRefusal(
      `The master key ${file} cannot be read or written: ${(error as NodeJS.ErrnoException).code}.`,
    )
  }
}

/** The key's name is part of its hash: it tells keys apart and tells nothing of them. */
const named = (key: Buffer, warnings: string[]): LoadedMasterKey => ({
  id: createHash('sha256').update('cenote master key ').update(key).digest('base64url').slice(0, 8),
  key,
  warnings,
})

function parseKey(text: string, what: string): Buffer {
  const trimmed = text.trim()
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)
      ? Buffer.from(trimmed, 'base64')
      : undefined
  if (key?.length !== keyLength) throw new StartRefusal(`${what} is not 32 bytes in hex or base64.`)
  return key
}

function readKeyFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Writes a new key under another name and links it into place, so that the file is whole whenever it exists and two
 * processes that start together end up with one key. Returns what the file then holds.
 */
function createKeyFile(folder: string, file: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(keyLength).toString('base64url')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  if (process.platform !== 'win32') {
    const handle = openSync(folder, 'r')
    fsyncSync(handle)
    closeSync(handle)
  }
  return readFileSync(file, 'utf8')
}

function warningsAbout(file: string): string[] {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return []
  return [`The master key ${file} can be read by other users of this machine. Its mode should be 0600.`]
}

/**
 * Throws StartRefusal when the database was sealed under a master key that this seal does not have. The first start on a
 * new database leaves the mark that later starts are checked against.
 */
export async function checkMasterKey(database: Database, seal: Seal): Promise<void> {
  const { db } = database
  const purpose = 'master-key-check'
  const fresh = { key: purpose, value: seal.seal(purpose, purpose) }
  await db
    .insertInto('settings')
    .values(fresh)
    .onConflict(conflict => conflict.column('key').doNothing())
    .execute()
  const { value } = await db.selectFrom('settings').select('value').where('key', '=', purpose).executeTakeFirstOrThrow()
  if (seal.open(purpose, value)?.toString('utf8') !== purpose) {
    throw new StartRefusal('The master key is not the one that this database was sealed with.')
  }
  // After a change of keys the mark moves to the new one, so that the old one can be removed.
  if (!seal.isCurrent(value)) {
    await db
      .updateTable('settings')
      .set({ value: fresh.value })
      .where('key', '=', purpose)
      .where('value', '=', value)
      .execute()
  }
}
