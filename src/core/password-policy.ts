/**
 * The password policy: what a pool demands of a password, and passwords made to meet it.
 *
 * One rule for Unicode, in every flow: a password is the exact sequence of code points that was sent. It is neither
 * normalised nor folded nor trimmed, so two spellings of the same letter (é as one code point or as e and an accent)
 * are two passwords. SRP leaves no other choice, because there the client hashes the password and the server never
 * sees it; the flows that send the password compare it in the same way.
 */
import type { PasswordPolicyType } from '../contract/types.ts'
import { passwordBreaksPolicy } from './errors.ts'
import { randomText } from './ids.ts'
import type { Random } from './ports.ts'

/** A password a user or administrator sets for good, or a temporary one; they are refused in different words. */
export type PasswordKind = 'password' | 'temporary password'

/** The longest password, in code points. */
export const passwordLengthMax = 256

/** The policy of a pool that was created without one. */
export const defaultPasswordPolicy: Readonly<PasswordPolicyType> = Object.freeze({
  MinimumLength: 8,
  RequireUppercase: true,
  RequireLowercase: true,
  RequireNumbers: true,
  RequireSymbols: true,
  TemporaryPasswordValidityDays: 7,
})

/**
 * The policy in force for what CreateUserPool or UpdateUserPool was given: the default when nothing was given; in a
 * policy that was given in part, character classes that are not mentioned are not required. TemporaryPasswordValidityDays
 * 0 stands for the default of 7 days.
 */
export const completePasswordPolicy = (requested: PasswordPolicyType | undefined): PasswordPolicyType =>
  requested === undefined
    ? { ...defaultPasswordPolicy }
    : {
        ...requested,
        MinimumLength: requested.MinimumLength ?? 8,
        RequireUppercase: requested.RequireUppercase ?? false,
        RequireLowercase: requested.RequireLowercase ?? false,
        RequireNumbers: requested.RequireNumbers ?? false,
        RequireSymbols: requested.RequireSymbols ?? false,
        TemporaryPasswordValidityDays: requested.TemporaryPasswordValidityDays || 7,
      }

/**
 * Throws InvalidPasswordException for the first rule that the password breaks: length, outer spaces, then upper-case,
 * lower-case, numeric and symbol characters. Lengths are counted in code points. Letters and digits are those of ASCII;
 * the symbols are the 32 of ASCII and the space.
 *
 * The outer spaces matter where the contract does not check them, as in the answer to NEW_PASSWORD_REQUIRED: the
 * operations that take a password as a member of its own refuse them, so such a password could not be changed again.
 */
export const checkPassword = (policy: PasswordPolicyType, password: string, kind: PasswordKind): void => {
  const [rule] = brokenPasswordRules(policy, password)
  if (rule !== undefined) throw passwordBreaksPolicy(kind, rule)
}

export type PasswordRule = Parameters<typeof passwordBreaksPolicy>[1]

/** All rules that the password breaks, in the order in which they are told. */
export const brokenPasswordRules = (policy: PasswordPolicyType, password: string): PasswordRule[] => {
  const length = codePointCount(password)
  const broken: Record<PasswordRule, boolean> = {
    length: length < (policy.MinimumLength ?? 8),
    tooLong: length > passwordLengthMax,
    outerSpace: /^[ \t\n\v\f\r]/.test(password) || /[ \t\n\v\f\r]$/.test(password),
    uppercase: policy.RequireUppercase === true && !/[A-Z]/.test(password),
    lowercase: policy.RequireLowercase === true && !/[a-z]/.test(password),
    numeric: policy.RequireNumbers === true && !/[0-9]/.test(password),
    symbol: policy.RequireSymbols === true && !/[ !-/:-@[-`{-~]/.test(password),
  }
  return (Object.keys(broken) as PasswordRule[]).filter(rule => broken[rule])
}

const codePointCount = (text: string): number => {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/**
 * Letters and digits that are easily taken for one another are left out (0 O o, 1 I l), as are the symbols that mean
 * something in HTML or in a message template, that end a sentence, or that are hard to tell apart.
 */
const generatedClasses = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnpqrstuvwxyz', '23456789', '!#$%*+-=?@^_']
const generatedAlphabet = generatedClasses.join('')
const generatedLengthMin = 12

/**
 * A password that meets every legal policy: at least twelve characters (70 bits), or the policy's length if that is
 * greater, with each character class in it. Every such password is equally likely, since a draw without one of the
 * classes is thrown away as a whole.
 */
export const generatePassword = (policy: PasswordPolicyType, random: Random): string => {
  const length = Math.max(generatedLengthMin, policy.MinimumLength ?? 8)
  for (;;) {
    const password = randomText(random, generatedAlphabet, length)
    if (generatedClasses.every(characters => [...password].some(character => characters.includes(character)))) {
      return password
    }
  }
}
