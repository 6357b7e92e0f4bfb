/**
 * Second factors of users: authenticator applications, and which factors are switched on and preferred.
 *
 * Owned by this folder: secrets of authenticator applications, preferences, the facts on which `core/mfa-decision.ts`
 * decides, and the count of wrong codes. Not owned: when a sign-in asks for a factor (sign-in), codes that are sent
 * (messages), the settings of the pool (user-pools).
 *
 * This file: a user has one authenticator application at most. The secret that is handed out is kept apart from the one
 * in force until a code proves it.
 */
import {
  softwareTokenCodeUsed,
  softwareTokenNotAssociated,
  softwareTokensNotEnabled,
  softwareTokenVerificationMismatch,
} from '../../core/errors.ts'
import { findTotpStep, toBase32, totpSecretBytes } from '../../core/totp.ts'
import type { SoftwareTokenRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { getUserById, lockUser, type User, updateUser } from '../users/user.ts'

type TokenOwner = Pick<User, 'id'>

/** An authenticator application that is in force. */
export interface SoftwareToken {
  friendlyName: string | undefined
  sealedSecret: string
  /** The time step of the last code that was accepted. */
  lastStep: number
}

/** A secret that a code has proven, and the time step of that code, which is thereby used. */
export interface ProvenSecret {
  secret: Buffer
  step: number
  friendlyName: string | undefined
}

/** The user's authenticator application in force; undefined without one. */
export const findSoftwareToken = async (ctx: ReadContext, user: TokenOwner): Promise<SoftwareToken | undefined> => {
  const row = await findRow(ctx, user)
  return row === undefined || row.secret === null
    ? undefined
    : { friendlyName: row.friendly_name ?? undefined, sealedSecret: row.secret, lastStep: row.last_step }
}

const findRow = (ctx: ReadContext, user: TokenOwner): Promise<SoftwareTokenRow | undefined> =>
  ctx.db.selectFrom('software_tokens').selectAll().where('user_id', '=', user.id).executeTakeFirst()

/** @throws SoftwareTokenMFANotFoundException when users of the pool cannot register authenticator applications. */
export const assertSoftwareTokensEnabled = (pool: Pool): void => {
  const { MfaConfiguration = 'OFF', SoftwareTokenMfaConfiguration } = pool.settings
  if (MfaConfiguration === 'OFF' || !SoftwareTokenMfaConfiguration?.Enabled) throw softwareTokensNotEnabled()
}

/** A new secret, which nobody knows yet. */
export const drawSecret = (ctx: Pick<Context, 'random'>): Buffer => ctx.random.bytes(totpSecretBytes)

/**
 * The time step whose code this is.
 * @throws EnableSoftwareTokenMFAException when it is no code of the secret.
 */
export const getStepOfNewSecret = (ctx: Pick<Context, 'clock'>, secret: Buffer, code: string): number => {
  const step = findTotpStep(secret, code, ctx.clock.now())
  if (step === undefined) throw softwareTokenVerificationMismatch()
  return step
}

// ---------------------------------------------------------------------------------------------- registering

/**
 * Hands out a new secret to a signed-in user, in base32. It replaces one that was handed out before and leaves the one in
 * force alone.
 * @throws SoftwareTokenMFANotFoundException
 */
export const associateSoftwareToken = async (ctx: Context, pool: Pool, user: User): Promise<string> => {
  assertSoftwareTokensEnabled(pool)
  const secret = drawSecret(ctx)
  const pending = { pending_secret: ctx.seal.seal(pendingPurpose, secret, user.id) }
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    await tx.db
      .insertInto('software_tokens')
      .values({ user_id: user.id, last_step: 0, ...pending })
      .onConflict(conflict => conflict.column('user_id').doUpdateSet(pending))
      .execute()
  })
  return toBase32(secret)
}

/**
 * Puts the secret that was handed out to a signed-in user in force when the code is one of it. The factor is not switched
 * on by that. Of many who verify at once exactly one succeeds.
 * @throws SoftwareTokenMFANotFoundException when none was handed out, EnableSoftwareTokenMFAException for a wrong code.
 */
export const verifySoftwareToken = async (
  ctx: Context,
  pool: Pool,
  user: User,
  code: string,
  friendlyName: string | undefined,
): Promise<void> => {
  assertSoftwareTokensEnabled(pool)
  const sealed = (await findRow(ctx, user))?.pending_secret ?? undefined
  if (sealed === undefined) throw softwareTokenNotAssociated()
  const secret = openSecret(ctx, pendingPurpose, user, sealed)
  const step = getStepOfNewSecret(ctx, secret, code)
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    const taken = await tx.db
      .updateTable('software_tokens')
      .set({ pending_secret: null })
      .where('user_id', '=', user.id)
      .where('pending_secret', '=', sealed)
      .returning('user_id')
      .executeTakeFirst()
    if (taken === undefined) throw softwareTokenNotAssociated()
    await putInForce(tx, user, { secret, step, friendlyName })
    await updateUser(tx, user, { breakSignIns: true })
  })
}

/**
 * Puts a secret that was proven during a sign-in in force and switches the factor on. Returns the user as he is then.
 * Undefined, and nothing has changed, when he has an authenticator application: no sign-in replaces that.
 */
export const registerInSignIn = async (
  tx: TransactionContext,
  pool: Pool,
  user: User,
  proven: ProvenSecret,
): Promise<User | undefined> => {
  await lockUser(tx, user)
  if ((await findSoftwareToken(tx, user)) !== undefined) return undefined
  await putInForce(tx, user, proven)
  const { mfa } = await getUserById(tx, pool, user.id)
  const enabled = [...new Set([...(mfa.enabled ?? []), 'SOFTWARE_TOKEN_MFA'])]
  const onlyIf = { securityEpoch: user.securityEpoch }
  if (!(await updateUser(tx, user, { mfa: { ...mfa, enabled }, breakSignIns: true }, onlyIf))) return undefined
  return getUserById(tx, pool, user.id)
}

const putInForce = async (
  tx: TransactionContext,
  user: TokenOwner,
  { secret, step, friendlyName }: ProvenSecret,
): Promise<void> => {
  const row = {
    secret: tx.seal.seal(activePurpose, secret, user.id),
    last_step: step,
    friendly_name: friendlyName ?? null,
  }
  await tx.db
    .insertInto('software_tokens')
    .values({ user_id: user.id, ...row })
    .onConflict(conflict => conflict.column('user_id').doUpdateSet(row))
    .execute()
}

/**
 * Forgets the user's authenticator application, also one that is not verified yet, and switches the factor off. Does
 * nothing for a user who has none.
 */
export const deleteSoftwareToken = (ctx: Context, pool: Pool, user: User): Promise<void> =>
  inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    await tx.db.deleteFrom('software_tokens').where('user_id', '=', user.id).execute()
    const { mfa } = await getUserById(tx, pool, user.id)
    const { preferred, ...others } = mfa
    await updateUser(tx, user, {
      mfa: {
        ...others,
        ...(mfa.enabled !== undefined && { enabled: mfa.enabled.filter(factor => factor !== 'SOFTWARE_TOKEN_MFA') }),
        ...(preferred !== undefined && preferred !== 'SOFTWARE_TOKEN_MFA' && { preferred }),
      },
      breakSignIns: true,
    })
  })

// ---------------------------------------------------------------------------------------------- proving

/**
 * The time step whose code this is and that has not been used; undefined for a wrong code. It is used up by `useStep`.
 * @throws ExpiredCodeException for a code of a step that was used already, or of an earlier one.
 */
export const findUnusedStep = (
  ctx: Pick<Context, 'clock' | 'seal'>,
  user: TokenOwner,
  token: SoftwareToken,
  code: string,
): number | undefined => {
  const step = findTotpStep(openSecret(ctx, activePurpose, user, token.sealedSecret), code, ctx.clock.now())
  if (step !== undefined && step <= token.lastStep) throw softwareTokenCodeUsed()
  return step
}

/**
 * Uses up the code of a time step, and with it those of all steps before: of many who have it exactly one succeeds.
 * @throws ExpiredCodeException for all others.
 */
export const useStep = async (
  tx: TransactionContext,
  user: TokenOwner,
  token: SoftwareToken,
  step: number,
): Promise<void> => {
  const used = await tx.db
    .updateTable('software_tokens')
    .set({ last_step: step })
    .where('user_id', '=', user.id)
    .where('secret', '=', token.sealedSecret)
    .where('last_step', '<', step)
    .returning('user_id')
    .executeTakeFirst()
  if (used === undefined) throw softwareTokenCodeUsed()
}

// ---------------------------------------------------------------------------------------------- at rest

const pendingPurpose = 'software-token-pending'
const activePurpose = 'software-token'

const openSecret = (ctx: Pick<Context, 'seal'>, purpose: string, user: TokenOwner, sealed: string): Buffer => {
  const secret = ctx.seal.open(purpose, sealed, user.id)
  if (secret === undefined) throw new Error(`The software token of ${user.id} cannot be opened with the master key.`)
  return secret
}
