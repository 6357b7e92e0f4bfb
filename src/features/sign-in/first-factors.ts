/**
 * The first factors of USER_AUTH, among which the user chooses. What is offered is what the pool allows, the client has
 * switched on and the user has. Adding a factor is adding a row to the table.
 */
import type { AuthFactorType } from '../../contract/types.ts'
import type { Factor } from '../../core/claims.ts'
import { unknownFirstFactor } from '../../core/errors/user-auth.ts'
import { leadsTo } from '../../core/step-up.ts'
import { isEmailFormat, isPhoneFormat } from '../../core/usernames.ts'
import { allowsFlow } from '../app-clients/auth-flows.ts'
import type { Context, ReadContext } from '../context.ts'
import type { VerifiableAttribute } from '../messages/codes.ts'
import { codesBesidePassword, decideMfaOf } from '../mfa/factors.ts'
import { findSoftwareToken } from '../mfa/software-tokens.ts'
import { hasSimulatedPasskey } from '../passkeys/assertion.ts'
import { countsForTwo, usablePasskeys } from '../passkeys/relying-party.ts'
import { checkUserPassword } from '../passwords/password.ts'
import type { Pool } from '../user-pools/pool.ts'
import { hasPassword, type User } from '../users/user.ts'
import { continueAfterPassword, provePassword } from './after-password.ts'
import type { NamedDevice, SignIn } from './attempt.ts'
import { required } from './challenges/challenge.ts'
import { challengePassword } from './challenges/password-verifier.ts'
import { readA } from './challenges/srp-exchange.ts'
import { namedDevice } from './device.ts'
import { beginOneTimePassword, oneTimePasswords } from './one-time-password.ts'
import { beginPasskey } from './passkey.ts'
import type { Outcome } from './progress.ts'
import type { Subject } from './subject.ts'

/** The names by which PREFERRED_CHALLENGE and SELECT_CHALLENGE know the factors. */
export type FirstFactor = 'PASSWORD' | 'PASSWORD_SRP' | 'EMAIL_OTP' | 'SMS_OTP' | 'WEB_AUTHN'

/** A choice that is made. */
export interface Choice {
  signIn: SignIn
  /** The user, or nobody where the client does not tell who exists. */
  subject: Subject
  /** The user's name as it was given. */
  name: string
  /** The parameters or responses that came with the choice. */
  values: Record<string, string>
  /** The device that these, or an earlier request, name. */
  device: NamedDevice | undefined
  /** The choice was made when the sign-in began. */
  isFirstAnswer: boolean
  /** Uses up the Session in which the choice was due: of many who choose at once, one goes on. */
  settle: () => Promise<void>
}

/** What a sign-in asks for after the first factor. */
interface SecondFactor {
  /** A second one, so that a first one that stands alone is not enough. */
  needsSecondFactor: boolean
}

/** A name that nobody has, and its digest. */
interface Nobody {
  name: string
  nameKey: string
}

interface FirstFactorRow {
  /** The member of AllowedFirstAuthFactors that lets the pool's users have it. */
  allowedBy: AuthFactorType
  /** What it proves, as a level of authentication counts it. */
  proves: Factor
  /** Values that must come with the choice. */
  values: readonly string[]
  /** Whether the user can sign in with it. */
  isOffered: (ctx: Context, pool: Pool, user: User, second: SecondFactor) => boolean | Promise<boolean>
  /** Whether it is offered to a name that nobody has: always alike for one name, and after the same work. */
  isOfferedToNobody: (ctx: Context, pool: Pool, nobody: Nobody, second: SecondFactor) => boolean | Promise<boolean>
  /** Its challenge, or what follows it when the values prove it at once. */
  begin: (ctx: Context, choice: Choice) => Promise<Outcome>
}

const ofPassword: Pick<FirstFactorRow, 'allowedBy' | 'proves' | 'isOffered' | 'isOfferedToNobody'> = {
  allowedBy: 'PASSWORD',
  proves: 'pwd',
  isOffered: (_ctx, _pool, user) => hasPassword(user),
  isOfferedToNobody: () => true,
}

/** A code is offered to whom it signs in: not in the place of a temporary password, a reset, or another directory. */
const ofCode = (challenge: 'EMAIL_OTP' | 'SMS_OTP', attribute: VerifiableAttribute): FirstFactorRow => ({
  allowedBy: challenge,
  proves: oneTimePasswords[challenge].proves,
  values: [],
  isOffered: (_ctx, _pool, { status, attributes }, { needsSecondFactor }) =>
    !needsSecondFactor && (status === 'CONFIRMED' || status === 'UNCONFIRMED') && attributes.has(attribute),
  isOfferedToNobody: (_ctx, pool, { name }, { needsSecondFactor }) =>
    !needsSecondFactor && usuallyHas(pool, name, attribute),
  begin: async (ctx, { signIn, subject, name, settle }) => {
    await settle()
    return beginOneTimePassword(ctx, signIn, subject, name, challenge)
  },
})

/** In the order in which they are offered. */
const firstFactors: Record<FirstFactor, FirstFactorRow> = {
  PASSWORD: {
    ...ofPassword,
    values: ['PASSWORD'],
    begin: async (ctx, { signIn, subject, values, device: before, isFirstAnswer, settle }) => {
      const { user, nameKey } = subject
      const password = required(values, 'PASSWORD')
      const proven = await provePassword(ctx, signIn, subject, () =>
        checkUserPassword(ctx, signIn.pool, user, password, user?.username ?? nameKey),
      )
      const device = await namedDevice(ctx, signIn, proven, values, before)
      await settle()
      const progress = { signIn, user: proven, nameKey, factors: ['pwd' as const], device, isFirstAnswer }
      return continueAfterPassword(ctx, progress, password)
    },
  },
  PASSWORD_SRP: {
    ...ofPassword,
    values: ['SRP_A'],
    begin: async (ctx, { signIn, subject, values, device, settle }) => {
      const A = readA(required(values, 'SRP_A'))
      await settle()
      return challengePassword(ctx, signIn, subject, { A, device })
    },
  },
  EMAIL_OTP: ofCode('EMAIL_OTP', 'email'),
  SMS_OTP: ofCode('SMS_OTP', 'phone_number'),
  WEB_AUTHN: {
    allowedBy: 'WEB_AUTHN',
    proves: 'swk',
    values: [],
    isOffered: async (ctx, pool, user, { needsSecondFactor }) =>
      (await usablePasskeys(ctx, pool, user)).length > 0 &&
      user.status === 'CONFIRMED' &&
      (!needsSecondFactor || standsForTwo(pool, user)),
    isOfferedToNobody: async (ctx, pool, { nameKey }, { needsSecondFactor }) =>
      (await hasSimulatedPasskey(ctx, pool, nameKey)) && (!needsSecondFactor || standsForTwo(pool)),
    begin: async (ctx, { signIn, subject, device, settle }) => {
      await settle()
      return beginPasskey(ctx, signIn, subject, device)
    },
  },
}

/** Whether a passkey makes up for a second factor that is asked for: where the pool leaves MFA to the user, he decides. */
const standsForTwo = (pool: Pool, user?: User): boolean =>
  countsForTwo(pool) && (pool.settings.MfaConfiguration === 'ON' || user?.mfa.passkeys === true)

const isFirstFactor = (name: string): name is FirstFactor => Object.hasOwn(firstFactors, name)

/**
 * The factor that is wanted, with all that must come with it.
 * @throws InvalidParameterException
 */
export const readFirstFactor = (wanted: string, values: Record<string, string>): FirstFactor => {
  if (!isFirstFactor(wanted)) throw unknownFirstFactor()
  for (const name of firstFactors[wanted].values) required(values, name)
  return wanted
}

/** Begins a factor that is offered. */
export const beginFirstFactor = (ctx: Context, factor: FirstFactor, choice: Choice): Promise<Outcome> =>
  firstFactors[factor].begin(ctx, choice)

/**
 * The factors that the subject of a sign-in may choose among; `name` is what was given as name. Of nobody they are those
 * of a usual user of the pool. Where the sign-in must reach a level, they are those that lead there.
 */
export const offeredFactors = async (
  ctx: Context,
  { pool, client, target }: Pick<SignIn, 'pool' | 'client' | 'target'>,
  { user, nameKey }: Pick<Subject, 'user' | 'nameKey'>,
  name: string,
): Promise<FirstFactor[]> => {
  const { Policies, UserPoolTier } = pool.settings
  const allowed = Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? ['PASSWORD']
  const isChoice = allowsFlow(client, 'USER_AUTH') && UserPoolTier !== 'LITE'
  const second = { needsSecondFactor: await needsSecondFactor(ctx, pool, user) }
  const offered: FirstFactor[] = []
  for (const factor of Object.keys(firstFactors).filter(isFirstFactor)) {
    const { allowedBy, isOffered, isOfferedToNobody } = firstFactors[factor]
    if (!allowed.includes(allowedBy) || (allowedBy !== 'PASSWORD' && !isChoice)) continue
    const isForSubject =
      user === undefined ? isOfferedToNobody(ctx, pool, { name, nameKey }, second) : isOffered(ctx, pool, user, second)
    if (await isForSubject) offered.push(factor)
  }
  if (target === undefined) return offered
  const codes = user === undefined ? await codesOfNobody(ctx, offered) : await codesBesidePassword(ctx, pool, user)
  return offered.filter(factor => leadsTo(firstFactors[factor].proves, target.credited, target.level, codes))
}

/** The codes that nobody is offered, after the query that the codes of a user take. */
const codesOfNobody = async (ctx: ReadContext, offered: FirstFactor[]): Promise<Factor[]> => {
  await findSoftwareToken(ctx, { id: '' })
  return offered.filter(factor => Object.hasOwn(oneTimePasswords, factor)).map(factor => firstFactors[factor].proves)
}

/** Of nobody, what the pool asks of everyone. */
const needsSecondFactor = async (ctx: ReadContext, pool: Pool, user: User | undefined): Promise<boolean> => {
  if (user !== undefined) return (await decideMfaOf(ctx, pool, user)).step !== 'none'
  const { MfaConfiguration = 'OFF' } = pool.settings
  // The query that the decision takes for a user.
  if (MfaConfiguration !== 'OFF') await findSoftwareToken(ctx, { id: '' })
  return MfaConfiguration === 'ON'
}

/** Whether a user of this name would have the attribute, as far as name and pool tell. */
const usuallyHas = ({ settings }: Pool, name: string, attribute: VerifiableAttribute): boolean => {
  const isUsual = (one: VerifiableAttribute): boolean =>
    (one === 'email' ? isEmailFormat(name) : isPhoneFormat(name)) ||
    settings.AutoVerifiedAttributes?.includes(one) ||
    settings.SchemaAttributes?.some(({ Name, Required }) => Name === one && Required === true) ||
    false
  return isUsual(attribute) || !(isUsual('email') || isUsual('phone_number'))
}
