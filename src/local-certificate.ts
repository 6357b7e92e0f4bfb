/**
 * Certificates for https on this machine, for clients that insist on https. An authority of this installation alone signs
 * them; whoever trusts it once need not do so again. It cannot vouch for anything else: its certificate limits it to
 * localhost, loopback and the names that the server was given (RFC 5280 section 4.2.1.10).
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { der, serialNumber } from './core/der.ts'

const dayMs = 86_400_000
const authorityDays = 3_650
/** The authority is made anew when it ends within this time. */
const authorityRenewDays = 400
/** Browsers take certificates of up to 398 days. */
const serverDays = 397
/** Certificates of names are kept for this long, and for so many names. */
const nameDays = 30
const namesMax = 100

/** Who signs. */
export interface Authority {
  /** PEM. */
  cert: string
  key: KeyObject
}

/**
 * What an https server needs. The authority is that of the folder, made anew when there is none, when it ends soon or
 * when it may not sign for one of the hosts; nothing is kept for `:memory:`. `hosts` are names and addresses beside those
 * of loopback. Each name below localhost gets a certificate of its own, because clients take no wildcard there.
 * @throws Error of the file system when the folder cannot be used.
 */
export const localTls = (dataDir: string, hosts: readonly string[], now: () => number): TlsOptions => {
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...hosts])]
  const authority = dataDir === ':memory:' ? makeAuthority(names, now()) : keptAuthority(dataDir, names, now())
  const contexts = new Map<string, { context: SecureContext; until: number }>()
  const contextOf = (name: string): SecureContext => {
    const kept = contexts.get(name)
    if (kept !== undefined && kept.until > now()) return kept.context
    if (contexts.size >= namesMax) contexts.clear()
    const context = createSecureContext(makeServerCertificate(authority, [name], now()))
    contexts.set(name, { context, until: now() + nameDays * dayMs })
    return context
  }
  const own = makeServerCertificate(authority, names, now())
  return {
    ...own,
    SNICallback: (name, done) => {
      const lower = name.toLowerCase()
      done(null, /^[a-z0-9-]{1,63}\.localhost$/.test(lower) ? contextOf(lower) : undefined)
    },
  }
}

const keptAuthority = (dataDir: string, names: readonly string[], now: number): Authority => {
  const files = { cert: join(dataDir, 'tls-ca.pem'), key: join(dataDir, 'tls-ca-key.pem') }
  const kept = readAuthority(files)
  if (kept !== undefined && isGood(kept, names, now)) return kept
  const made = makeAuthority(names, now)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  // The key first: a certificate is never there without its key.
  writeWhole(files.key, String(made.key.export({ format: 'pem', type: 'pkcs8' })))
  writeWhole(files.cert, made.cert)
  return made
}

const readAuthority = (files: { cert: string; key: string }): Authority | undefined => {
  try {
    const [cert, key] = [readFileSync(files.cert, 'utf8'), readFileSync(files.key, 'utf8')]
    return { cert, key: createPrivateKey(key) }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    // Nothing there, or no key in it; everything else is for the operator to mend.
    if (code === 'ENOENT' || code.startsWith('ERR_')) return undefined
    throw error
  }
}

const writeWhole = (file: string, text: string): void => {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, file)
}

/** Whether the authority is whole, lasts, and is the one that would be made for these names. */
const isGood = ({ cert, key }: Authority, names: readonly string[], now: number): boolean => {
  try {
    const certificate = new X509Certificate(cert)
    return (
      certificate.validToDate.getTime() > now + authorityRenewDays * dayMs &&
      certificate.checkPrivateKey(key) &&
      certificate.raw.includes(constraintsOf(names))
    )
  } catch {
    return false
  }
}

const { bitString, explicit, implicit, integer, objectId, octetString, sequence, set, time, utf8String } = der

const oids = {
  commonName: [0x55, 0x04, 0x03],
  subjectKeyIdentifier: [0x55, 0x1d, 0x0e],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  nameConstraints: [0x55, 0x1d, 0x1e],
  authorityKeyIdentifier: [0x55, 0x1d, 0x23],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
}

const ecdsaWithSha256 = sequence(objectId(oids.ecdsaWithSha256))

const extension = (id: readonly number[], value: Buffer, isCritical = false): Buffer =>
  sequence(objectId(id), ...(isCritical ? [der.true()] : []), octetString(value))

const commonName = (text: string): Buffer => sequence(set(sequence(objectId(oids.commonName), utf8String(text))))

const makeAuthority = (names: readonly string[], now: number): Authority => {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKeyOf(key)
  // The name tells the authorities of several installations apart.
  const name = commonName(`Cenote on this machine ${keyIdentifier(spki).toString('hex').slice(0, 8)}`)
  const cert = certificate({ name, spki, issuer: { name, key }, days: authorityDays, now }, [
    // An authority that signs no other authorities: keyCertSign, and nothing below it.
    extension(oids.basicConstraints, sequence(der.true(), integer(Buffer.from([0]))), true),
    extension(oids.keyUsage, bitString(Buffer.from([0x04]), 2), true),
    extension(oids.nameConstraints, constraintsOf(names), true),
    extension(oids.subjectKeyIdentifier, octetString(keyIdentifier(spki))),
  ])
  return { cert, key }
}

/** A new key and its certificate for names and addresses, in PEM. */
export const makeServerCertificate = (
  authority: Authority,
  names: readonly string[],
  now: number,
): { cert: string; key: string } => {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKeyOf(key)
  const issuerSpki = publicKeyOf(authority.key)
  const issuer = { name: commonName(commonNameOf(authority.cert)), key: authority.key }
  const cert = certificate({ name: sequence(), spki, issuer, days: serverDays, now }, [
    extension(oids.basicConstraints, sequence(), true),
    // digitalSignature
    extension(oids.keyUsage, bitString(Buffer.from([0x80]), 7), true),
    extension(oids.extendedKeyUsage, sequence(objectId(oids.serverAuth))),
    // Critical, because there is no subject.
    extension(oids.subjectAltName, sequence(...names.map(alternativeName)), true),
    extension(oids.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(issuerSpki)))),
  ])
  return { cert, key: String(key.export({ format: 'pem', type: 'pkcs8' })) }
}

const commonNameOf = (cert: string): string => new X509Certificate(cert).subject.replace(/^CN=/, '')

interface Content {
  name: Buffer
  spki: Buffer
  issuer: { name: Buffer; key: KeyObject }
  days: number
  now: number
}

/** PEM of a certificate of version 3 (RFC 5280 section 4.1), valid from an hour ago for clocks that are behind. */
const certificate = ({ name, spki, issuer, days, now }: Content, extensions: Buffer[]): string => {
  const notBefore = now - (now % 1_000) - 3_600_000
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber(createHash('sha256').update(spki).update(String(notBefore)).digest())),
    ecdsaWithSha256,
    issuer.name,
    sequence(time(notBefore), time(notBefore + days * dayMs)),
    name,
    spki,
    explicit(3, sequence(...extensions)),
  )
  const signed = sequence(content, ecdsaWithSha256, bitString(sign('sha256', content, issuer.key)))
  const lines = signed.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

const publicKeyOf = (key: KeyObject): Buffer => createPublicKey(key).export({ format: 'der', type: 'spki' })

/** Any value that is derived from the public key will do (RFC 5280 section 4.2.1.2). */
const keyIdentifier = (spki: Buffer): Buffer => createHash('sha256').update(spki).digest().subarray(0, 20)

/** dNSName or iPAddress (RFC 5280 section 4.2.1.6). */
const alternativeName = (name: string): Buffer =>
  isIP(name) === 0 ? implicit(2, Buffer.from(name, 'ascii')) : implicit(7, addressBytes(name))

/** What the authority may sign for: each name with all below it, each address alone, as address and mask. */
const constraintsOf = (names: readonly string[]): Buffer => {
  const permitted = names.map(name => {
    const address = isIP(name) === 0 ? undefined : addressBytes(name)
    const base = address === undefined ? alternativeName(name) : implicit(7, Buffer.concat([address, ones(address)]))
    return sequence(base)
  })
  return sequence(der.explicit(0, Buffer.concat(permitted)))
}

const ones = (address: Buffer): Buffer => Buffer.alloc(address.length, 0xff)

const addressBytes = (address: string): Buffer => {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes the one canonical form: no dotted part, at most one gap.
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'))
  const [left, right] = [groups(before), groups(after)]
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex')
}
