/**
 * The refresh token: everything it stands for, encrypted, so that no row is kept for it. To its holder it is opaque. It
 * has the outer form of Cognito's, a JSON Web Encryption in compact form (RFC 7516): AES-256-GCM directly under a key
 * that is derived from the master key, a new one each day, so that the random nonces of one key stay few.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { Factor } from '../../core/claims.ts'
import { decodeCanonical } from '../../core/jwt.ts'
import { createLru, type Lru } from '../../store/lru.ts'
import type { Services } from '../context.ts'

export interface RefreshToken {
  poolId: string
  clientId: string
  /** The user's `sub`. */
  userId: string
  /** Names the session that the sign-in began; all its tokens carry it. */
  originJti: string
  /** The user's session epoch when the token was made. */
  sessionEpoch: number
  /** When the user signed in, in seconds since the epoch. */
  authTime: number
  /** The end, fixed at sign-in, in milliseconds since the epoch. */
  expiresAt: number
  /** How often the session's refresh token was rotated before this one was made. */
  generation: number
  /** Scopes of the access tokens, separated by spaces. */
  scope: string
  /** How the user signed in. */
  factors: Factor[]
  /** Present when the session began at the authorization endpoint. */
  hosted?: { resource?: string; browserSessionId?: string }
  /** The device that the session belongs to. */
  device?: string
  /** The event that the sign-in has left in the user's history. */
  eventId?: string
}

const nonceBytes = 12
const tagBytes = 16
const dayMs = 86_400_000
/** Far above what a token takes: 16 KiB. */
const tokenLengthMax = 16_384

/** The token as text, in five parts. */
export const sealRefreshToken = (ctx: Pick<Services, 'seal' | 'clock' | 'random'>, token: RefreshToken): string => {
  const keyName = `${ctx.seal.keyId}.${Math.floor(ctx.clock.now() / dayMs)}`
  const key = findKey(ctx, keyName)
  if (key === undefined) throw new Error('There is no key for refresh tokens.')
  keysOf(ctx).set(keyName, key)
  const header = encode(headerText(keyName))
  const nonce = ctx.random.bytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(header))
  const text = cipher.update(JSON.stringify(token), 'utf8', 'base64url') + cipher.final('base64url')
  // The key is not part of the token, so the second part is empty.
  return `${header}..${nonce.toString('base64url')}.${text}.${cipher.getAuthTag().toString('base64url')}`
}

/** What the text stands for; undefined for everything that this installation did not make. Expiry is not looked at. */
export const openRefreshToken = (ctx: Pick<Services, 'seal'>, text: string): RefreshToken | undefined => {
  if (text.length > tokenLengthMax) return undefined
  const parts = text.split('.', 6)
  const [header = '', encryptedKey, ...rest] = parts
  if (parts.length !== 5 || encryptedKey !== '') return undefined
  const [nonce, encrypted, tag] = rest.map(decodeCanonical)
  if (nonce?.length !== nonceBytes || encrypted === undefined || tag?.length !== tagBytes) return undefined
  const keyName = keyNameIn(header)
  const key = keyName === undefined ? undefined : findKey(ctx, keyName)
  if (keyName === undefined || key === undefined) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(header))
  decipher.setAuthTag(tag)
  const plain = decipher.update(encrypted)
  try {
    decipher.final()
  } catch {
    return undefined
  }
  // Only what is authentic may take a place among the kept keys.
  keysOf(ctx).set(keyName, key)
  return JSON.parse(plain.toString('utf8')) as RefreshToken
}

const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')

const headerText = (kid: string): string => JSON.stringify({ cty: 'JWT', enc: 'A256GCM', alg: 'dir', kid })

/** The `kid` of a header that is, byte for byte, one of ours. */
const keyNameIn = (header: string): string | undefined => {
  const kid = /"kid":"([A-Za-z0-9_-]{1,32}\.[0-9]{1,7})"}$/.exec(decodeCanonical(header)?.toString('latin1') ?? '')?.[1]
  return kid !== undefined && encode(headerText(kid)) === header ? kid : undefined
}

const keptKeysMax = 64
const keptKeys = new WeakMap<object, Lru<KeyObject>>()

const keysOf = ({ seal }: Pick<Services, 'seal'>): Lru<KeyObject> => {
  const known = keptKeys.get(seal)
  if (known !== undefined) return known
  const fresh = createLru<KeyObject>(keptKeysMax)
  keptKeys.set(seal, fresh)
  return fresh
}

const findKey = (ctx: Pick<Services, 'seal'>, keyName: string): KeyObject | undefined => {
  const known = keysOf(ctx).get(keyName)
  if (known !== undefined) return known
  const [masterKeyId = '', day = ''] = keyName.split('.')
  const bytes = ctx.seal.deriveKeyOf(masterKeyId, `refresh-token ${day}`, 32)
  return bytes && createSecretKey(bytes)
}
