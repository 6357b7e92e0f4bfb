/**
 * The certificate that identity providers check signed SAML requests with: self-signed, over the key that also signs
 * the pool's ID tokens. It is not stored: an RSA signature of PKCS #1 is the same each time, and so is everything else
 * in it, so that every node makes the same bytes from the same key.
 */
import { createHash, sign } from 'node:crypto'
import { der, serialNumber } from '../../core/der.ts'
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
    integer(serialOf(key.kid, notBefore)),
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

/** Any value that is derived from the public key will do (RFC 5280 section 4.2.1.2). */
const keyIdentifier = (publicKey: Buffer): Buffer => createHash('sha256').update(publicKey).digest().subarray(0, 20)

/** Differs from key to key and from renewal to renewal. */
const serialOf = (kid: string, notBefore: number): Buffer =>
  serialNumber(createHash('sha256').update(`${kid} ${notBefore}`).digest())

const oids = {
  commonName: [0x55, 0x04, 0x03],
  subjectKeyIdentifier: [0x55, 0x1d, 0x0e],
  sha256WithRsa: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
}

const { bitString, explicit, integer, objectId, octetString, sequence, set, time, utf8String } = der
const sha256WithRsa = sequence(objectId(oids.sha256WithRsa), der.null())
