/**
 * PASSWORD_VERIFIER: the SRP exchange. The first step answers the client's A with salt, B and SECRET_BLOCK; the second
 * compares the client's proof. Nothing is kept between them: the SECRET_BLOCK carries the server's half, sealed.
 */
import { timingSafeEqual } from 'node:crypto'
import {
  incorrectUsernameOrPassword,
  invalidSession,
  invalidSrpA,
  invalidTimestamp,
  sessionExpired,
} from '../../../core/errors.ts'
import {
  claimSignature,
  parseA,
  parseSrpTimestamp,
  serverChallenge,
  sessionKey,
  toIntegerHex,
} from '../../../core/srp.ts'
import { type Client, checkSecretHash } from '../../app-clients/client.ts'
import { type Context, inTransaction } from '../../context.ts'
import { assertNotLocked } from '../../passwords/lockout.ts'
import { passwordToEvaluate } from '../../passwords/password.ts'
import { type Pool, srpPoolName } from '../../user-pools/pool.ts'
import { continueAfterPassword, provePassword } from '../after-password.ts'
import {
  type Attempt,
  boundTo,
  consumeAttempt,
  isUntouched,
  newAttempt,
  openSession,
  paddedJson,
  type SignIn,
  sealSession,
} from '../attempt.ts'
import { preAuthenticate } from '../pre-authentication.ts'
import type { Outcome } from '../progress.ts'
import { assertMaySignIn, findSubject, findSubjectOfAttempt, isNameOf, type Subject, userIdForSrp } from '../subject.ts'
import { type Answer, type Challenge, required } from './challenge.ts'

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

/**
 * Begins an exchange for the user of this name, or, where the client does not tell who exists, for nobody.
 * @throws InvalidParameterException for an A that no client computes, NotAuthorizedException, UserNotFoundException,
 * UserNotConfirmedException, PasswordResetRequiredException
 */
export const beginPasswordVerifier = async (
  ctx: Context,
  signIn: SignIn,
  parameters: { username: string; srpA: string; secretHash: string | undefined },
): Promise<Outcome> => {
  const A = readA(parameters.srpA)
  const found = await findSubject(ctx, signIn, parameters.username, parameters.secretHash)
  await assertNotLocked(ctx, found.lockoutKey)
  const subject = await preAuthenticate(ctx, signIn, found, parameters.username)
  return challengePassword(ctx, signIn, subject, A)
}

/**
 * Begins an exchange for a subject who has been found and may try.
 * @throws as beginPasswordVerifier
 */
export const challengePassword = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  A: Buffer,
): Promise<Outcome> => {
  const { pool, client } = signIn
  assertMaySignIn(client, subject.user)
  const { salt, verifier } = passwordToEvaluate(ctx, pool, subject.user, subject.nameKey)
  const { b, B } = await serverChallenge(ctx.compute, verifier, ctx.random.bytes(secretBytes))
  const attempt = newAttempt(ctx, signIn, { ...subject, step: 'PASSWORD_VERIFIER', factors: [] })
  const name = userIdForSrp(ctx, subject)
  return {
    challenge: 'PASSWORD_VERIFIER',
    session: sealSession(ctx, client, attempt),
    parameters: {
      SALT: salt,
      SECRET_BLOCK: sealBlock(ctx, client, {
        ...attempt,
        A: A.toString('base64'),
        B: B.toString('base64'),
        b: b.toString('base64'),
      }),
      SRP_B: toIntegerHex(B),
      USERNAME: name,
      USER_ID_FOR_SRP: name,
    },
  }
}

/**
 * Compares the proof. Whatever is wrong with it, the answer is the same.
 * @throws NotAuthorizedException, InvalidParameterException for a TIMESTAMP in another format, and what the step after
 * the password throws.
 */
export const answerPasswordVerifier: Challenge = async (ctx, answer) => {
  const { pool, client, face, username, responses } = answer
  const signature = required(responses, 'PASSWORD_CLAIM_SIGNATURE')
  const blockText = required(responses, 'PASSWORD_CLAIM_SECRET_BLOCK')
  const timestamp = required(responses, 'TIMESTAMP')
  const time = parseSrpTimestamp(timestamp)
  if (time === undefined) throw invalidTimestamp()

  const block = openBlock(ctx, answer, blockText)
  const subject = block && (await findSubjectOfAttempt(ctx, pool, block))
  const realName = subject?.user === undefined ? [] : [subject.user.username]
  checkSecretHash(client, [username, ...realName], responses['SECRET_HASH'])
  assertSameAttempt(ctx, answer, block)
  if (block === undefined || subject === undefined || !isCurrent(ctx, time)) throw incorrectUsernameOrPassword()
  if (block.expiresAt <= ctx.clock.now()) throw sessionExpired()
  if (!(await isNameOf(ctx, pool, subject, username))) throw incorrectUsernameOrPassword()
  if (!isUntouched(block, subject.user)) {
    assertMaySignIn(client, subject.user)
    throw incorrectUsernameOrPassword()
  }

  const signIn: SignIn = { pool, client, face, flow: block.flow }
  const user = await provePassword(ctx, signIn, subject, () =>
    isProof(ctx, pool, subject, block, { signature, blockText, timestamp }),
  )
  await inTransaction(ctx, tx => consumeAttempt(tx, block))
  return continueAfterPassword(ctx, {
    signIn,
    user,
    nameKey: subject.nameKey,
    factors: ['pwd'],
    isFirstAnswer: false,
  })
}

const isProof = async (
  ctx: Context,
  pool: Pool,
  subject: Subject,
  block: SecretBlock,
  { signature, blockText, timestamp }: { signature: string; blockText: string; timestamp: string },
): Promise<boolean> => {
  const { verifier, isReal } = passwordToEvaluate(ctx, pool, subject.user, subject.nameKey)
  const [A, B, b] = [block.A, block.B, block.b].map(number => Buffer.from(number, 'base64')) as [Buffer, Buffer, Buffer]
  const K = await sessionKey(ctx.compute, { A, B, b, verifier })
  if (K === undefined) return false
  const name = userIdForSrp(ctx, subject)
  const expected = claimSignature(K, srpPoolName(pool), name, Buffer.from(blockText, 'base64'), timestamp)
  const given = fromBase64(signature)
  const fits = given?.length === expected.length && timingSafeEqual(given, expected)
  return fits && isReal
}

/**
 * The Session may be left out, because the SECRET_BLOCK says all; one that is sent must belong to it.
 * @throws NotAuthorizedException
 */
const assertSameAttempt = (ctx: Context, { client, face, session }: Answer, block: SecretBlock | undefined): void => {
  if (session === undefined) return
  const attempt = openSession(ctx, { client, face }, session)
  if (attempt === undefined || attempt.nonce !== block?.nonce) throw invalidSession()
}

/** In test mode the server's clock is moved and the client's is not. */
const isCurrent = (ctx: Context, time: number): boolean =>
  ctx.settings.testMode || Math.abs(time - ctx.clock.now()) <= timestampMsMax

const purpose = 'srp-secret-block'
/** Enough for every attempt with its three numbers. */
const contentLength = 1_792
const blockLengthMax = 8_192

const sealBlock = (ctx: Context, client: Client, block: SecretBlock): string =>
  Buffer.from(
    ctx.seal.seal(purpose, paddedJson(block, contentLength), boundTo(client, block.face)),
    'base64url',
  ).toString('base64')

const openBlock = (ctx: Context, { client, face }: Answer, text: string): SecretBlock | undefined => {
  if (text.length > blockLengthMax) return undefined
  const sealed = fromBase64(text)?.toString('base64url')
  const opened = sealed === undefined ? undefined : ctx.seal.open(purpose, sealed, boundTo(client, face))
  return opened && (JSON.parse(opened.toString('utf8')) as SecretBlock)
}

/** The bytes of standard base64 in its one canonical spelling; undefined for all other text. */
const fromBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
