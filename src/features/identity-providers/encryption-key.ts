/**
 * The key pair of a SAML provider: assertions are encrypted to its certificate. Each provider has one of its own that
 * does nothing else; a key that signs tokens must never decrypt what strangers send.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Services } from '../context.ts'
import { makeSigningCertificate } from '../user-pools/certificate.ts'

export interface EncryptionKey {
  /** PKCS#8 in base64. */
  privateKey: string
  /** Milliseconds since the epoch. */
  createdAt: number
}

/** A new RSA-2048 key. Takes a pair that was made ahead of time. */
export const makeEncryptionKey = async (ctx: Pick<Services, 'keyPairs' | 'clock'>): Promise<EncryptionKey> => {
  const { privateKey } = await ctx.keyPairs.take()
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    createdAt: ctx.clock.now(),
  }
}

export const openEncryptionKey = (key: EncryptionKey): KeyObject =>
  createPrivateKey({ key: Buffer.from(key.privateKey, 'base64'), format: 'der', type: 'pkcs8' })

/** The certificate in DER, in base64 without lines; valid for ten years and renewed each year with the same key. */
export const encryptionCertificate = (poolId: string, key: EncryptionKey, now: number): string => {
  const privateKey = openEncryptionKey(key)
  const publicKey = createPublicKey(privateKey)
  const kid = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .update(poolId)
    .update('saml-encryption')
    .digest('base64')
  const publicJwk = publicKey.export({ format: 'jwk' })
  return makeSigningCertificate(
    { id: poolId },
    { kid, privateKey, publicKey, publicJwk, createdAt: key.createdAt },
    now,
  )
}
