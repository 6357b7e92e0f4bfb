/**
 * The certificate that identity providers check signed SAML requests with: self-signed, over the key that also signs
 * the pool's ID tokens. It is not stored: an RSA signature of PKCS #1 is the same each time, and so is everything else
 * in it, so that every node makes the same bytes from the same key.
 */
import { createHash, sign } from 'node:crypto'
import type { Pool } from './pool.ts'
import type { SigningKey } from './signing-keys.ts'

const yearMs = 365 * 86_400_000
const validYears = 10

/**
 * The certificate in DER, in base64 without lines (RFC 5280). Valid for ten years; each year after the key was made
 * it is renewed with the same key, so it depends on `now` (milliseconds since the epoch) only by the year.
 */
export const makeSigningCertificate = (pool: Pick<Pool, 'id'>, key: SigningKey, now: number): string => {
  const renewals = Math.max(0, Math.floor((now - key.createdAt) / yearMs))
  const notBefore = startOfSecond(key.createdAt) + renewals * yearMs
  const publicKey = key.publicKey.export({ format: 'der', type: 'spki' })
  const name = sequence(set(sequence(objectId(oids.commonName), utf8String(pool.id))))
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber(key.kid, notBefore)),
    sha256WithRsa,
    name,
    sequence(time(notBefore), time(notBefore + validYears * yearMs)),
    name,
    publicKey,
    // Without key usage: it would have to allow the issuing of certificates, since this one is its own issuer.
    explicit(
      3,
      sequence(sequence(objectId(oids.subjectKeyIdentifier), octetString(octetString(keyIdentifier(publicKey))))),
    ),
  )
  return sequence(content, sha256WithRsa, bitString(sign('sha256', content, key.privateKey))).toString('base64')
}

const startOfSecond = (ms: number): number => ms - (ms % 1_000)

/** Sixteen bytes that differ from key to key and from renewal to renewal; positive, as RFC 5280 section 4.1.2.2 asks. */
const serialNumber = (kid: string, notBefore: number): Buffer => {
  const digest = createHash('sha256').update(`${kid} ${notBefore}`).digest().subarray(0, 16)
  digest[0] = ((digest[0] ?? 0) & 0x7f) | 0x40
  return digest
}

/** Any value that is derived from the public key will do (RFC 5280 section 4.2.1.2). */
const keyIdentifier = (publicKey: Buffer): Buffer => createHash('sha256').update(publicKey).digest().subarray(0, 20)

// ---------------------------------------------------------------------------------------------- DER (X.690)

const oids = {
  commonName: [0x55, 0x04, 0x03],
  subjectKeyIdentifier: [0x55, 0x1d, 0x0e],
  sha256WithRsa: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
}

const element = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}

/** Short form below 128, else the number of bytes and the bytes. */
const length = (value: number): Buffer => {
  if (value < 0x80) return Buffer.from([value])
  const bytes = value < 0x100 ? [value] : [value >> 8, value & 0xff]
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

const sequence = (...parts: Buffer[]): Buffer => element(0x30, ...parts)
const set = (...parts: Buffer[]): Buffer => element(0x31, ...parts)
const explicit = (tag: number, part: Buffer): Buffer => element(0xa0 | tag, part)
/** The bytes must be those of a positive number in the shortest form. */
const integer = (bytes: Buffer): Buffer => element(0x02, bytes)
const bitString = (bytes: Buffer): Buffer => element(0x03, Buffer.from([0]), bytes)
const octetString = (bytes: Buffer): Buffer => element(0x04, bytes)
const objectId = (bytes: number[]): Buffer => element(0x06, Buffer.from(bytes))
const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text))

/** UTCTime through 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
const time = (ms: number): Buffer => {
  const date = new Date(ms)
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}

const sha256WithRsa = sequence(objectId(oids.sha256WithRsa), element(0x05))
