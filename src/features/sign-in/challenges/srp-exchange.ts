/**
 * The SRP exchange, as users and remembered devices go through it. The first step answers the client's A with salt, B and
 * SECRET_BLOCK; the second compares the client's proof. Nothing is kept between them: the SECRET_BLOCK carries the
 * server's half, sealed.
 */
import { timingSafeEqual } from 'node:crypto'
import { invalidSrpA, invalidTimestamp } from '../../../core/errors.ts'
import {
  claimSignature,
  parseA,
  parseSrpTimestamp,
  type SrpPassword,
  serverChallenge,
  sessionKey,
  toIntegerHex,
} from '../../../core/srp.ts'
import type { Client } from '../../app-clients/client.ts'
import type { Context } from '../../context.ts'
import { type Attempt, boundTo, paddedJson } from '../attempt.ts'
import { type Answer, required } from './challenge.ts'

/** RFC 5054, section 2.5.3, asks for 32 bytes at least. */
const secretBytes = 32
/** How far TIMESTAMP may be from our time. */
const timestampMsMax = 5 * 60_000

/** What the server must know again when the answer comes. The numbers are in base64. */
interface SecretBlock extends Attempt {
  A: string
  B: string
  b: string
}

/** @throws InvalidParameterException for an A that no client computes. */
export const readA = (srpA: string): Buffer => {
  const A = parseA(srpA)
  if (A === undefined) throw invalidSrpA()
  return A
}

/** The parameters of the challenge: SALT, SECRET_BLOCK and SRP_B. */
export const beginExchange = async (
  ctx: Context,
  client: Client,
  attempt: Attempt,
  { salt, verifier }: SrpPassword,
  A: Buffer,
): Promise<{ SALT: string; SECRET_BLOCK: string; SRP_B: string }> => {
  const { b, B } = await serverChallenge(ctx.compute, verifier, ctx.random.bytes(secretBytes))
  const [textA, textB, textb] = [A, B, b].map(number => number.toString('base64')) as [string, string, string]
  return {
    SALT: salt,
    SECRET_BLOCK: sealBlock(ctx, client, { ...attempt, A: textA, B: textB, b: textb }),
    SRP_B: toIntegerHex(B),
  }
}

/** The client's proof as it came. */
export interface Claim {
  signature: string
  blockText: string
  timestamp: string
  /** TIMESTAMP, in milliseconds since the epoch. */
  time: number
}

/** @throws InvalidParameterException for missing responses and a TIMESTAMP in another format. */
export const readClaim = (responses: Record<string, string>): Claim => {
  const signature = required(responses, 'PASSWORD_CLAIM_SIGNATURE')
  const blockText = required(responses, 'PASSWORD_CLAIM_SECRET_BLOCK')
  const timestamp = required(responses, 'TIMESTAMP')
  const time = parseSrpTimestamp(timestamp)
  if (time === undefined) throw invalidTimestamp()
  return { signature, blockText, timestamp, time }
}

/** In test mode the server's clock is moved and the client's is not. */
export const isCurrent = (ctx: Context, { time }: Claim): boolean =>
  ctx.settings.testMode || Math.abs(time - ctx.clock.now()) <= timestampMsMax

/**
 * Whether the proof is that of whoever knows the password behind the verifier. `names` are what client and server hash in
 * the places of the pool's name and of the user id.
 */
export const isProof = async (
  ctx: Context,
  block: SecretBlock,
  verifier: Buffer,
  names: readonly [poolName: string, userIdForSrp: string],
  { signature, blockText, timestamp }: Claim,
): Promise<boolean> => {
  const [A, B, b] = [block.A, block.B, block.b].map(number => Buffer.from(number, 'base64')) as [Buffer, Buffer, Buffer]
  const K = await sessionKey(ctx.compute, { A, B, b, verifier })
  if (K === undefined) return false
  const expected = claimSignature(K, ...names, Buffer.from(blockText, 'base64'), timestamp)
  const given = fromBase64(signature)
  return given?.length === expected.length && timingSafeEqual(given, expected)
}

const purpose = 'srp-secret-block'
/** Enough for every attempt with its three numbers. */
const contentLength = 1_792
const blockLengthMax = 8_192

const sealBlock = (ctx: Context, client: Client, block: SecretBlock): string =>
  Buffer.from(
    ctx.seal.seal(purpose, paddedJson(block, contentLength), boundTo(client, block.face)),
    'base64url',
  ).toString('base64')

/** Undefined when the claim's SECRET_BLOCK is none of this client, face and challenge. Expiry and use are not looked at. */
export const openBlock = (
  ctx: Context,
  { client, face, challenge }: Answer,
  { blockText }: Claim,
): SecretBlock | undefined => {
  if (blockText.length > blockLengthMax) return undefined
  const sealed = fromBase64(blockText)?.toString('base64url')
  const opened = sealed === undefined ? undefined : ctx.seal.open(purpose, sealed, boundTo(client, face))
  const block = opened && (JSON.parse(opened.toString('utf8')) as SecretBlock)
  return block?.step === challenge ? block : undefined
}

/** The bytes of standard base64 in its one canonical spelling; undefined for all other text. */
const fromBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
