/**
 * Names of users: when two spellings are one name, and which form a name must have.
 *
 * This is the only place that folds case or normalises Unicode. Databases fold differently from one another and from
 * JavaScript, so they store and compare the canonical form byte by byte.
 *
 * The rule: a name is brought to Unicode normalisation form NFC; in a pool that ignores case it is then lower-cased,
 * independent of locale and of the neighbouring letters, and brought to NFC again. What follows from it:
 * - é is one name, whether it comes as one code point or as e with an accent; so are Å and the Ångström sign, and
 *   K and the Kelvin sign, which NFC unites;
 * - İ becomes i with a dot above; ς, the sigma at the end of a word, becomes σ, so that a prefix folds as the whole does;
 * - ſ is not s, ß is not ss, ı is not i, ﬁ is not fi, full-width letters are not ASCII, Cyrillic letters are not Latin,
 *   and nothing invisible is dropped: fewer names coincide, so no name reaches a user who did not choose it.
 */
import {
  usernameInEmailFormat,
  usernameInPhoneNumberFormat,
  usernameShouldBeEmail,
  usernameShouldBeEmailOrPhoneNumber,
  usernameShouldBePhoneNumber,
} from './errors.ts'

/**
 * The form of a name under which it is stored, looked up and compared, whatever its kind: username, e-mail address,
 * phone number or preferred username. Applying it twice changes nothing. It is a key, never a value to show or to send
 * a message to: messages go to the address as it was stored.
 */
export const canonicalName = (name: string, { caseSensitive }: { caseSensitive: boolean }): string => {
  const composed = name.normalize('NFC')
  return caseSensitive ? composed : composed.toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}

/** Whether two spellings are the same name in a pool. */
export const sameName = (one: string, other: string, pool: { caseSensitive: boolean }): boolean =>
  canonicalName(one, pool) === canonicalName(other, pool)

/**
 * Whether a pool tells upper from lower case: yes, unless its UsernameConfiguration says otherwise. It holds for
 * usernames, e-mail addresses and preferred usernames alike.
 */
export const isCaseSensitive = (pool: { UsernameConfiguration?: { CaseSensitive?: boolean } }): boolean =>
  pool.UsernameConfiguration?.CaseSensitive ?? true

/**
 * Whether the text is an e-mail address: a local part of unquoted atoms and a domain of host labels (RFC 5321 sections
 * 4.1.2 and 4.5.3.1, without quoted local parts and address literals), ASCII only, as mail without SMTPUTF8 demands. A
 * domain of one label is allowed, for mail inside of a network. Takes linear time.
 */
export const isEmailFormat = (text: string): boolean => {
  if (text.length > 254) return false
  const at = text.indexOf('@')
  if (at < 1 || at > 64) return false
  return isDotted(text.slice(0, at), isAtom) && isDotted(text.slice(at + 1), isHostLabel)
}

const isDotted = (text: string, isPart: (part: string) => boolean): boolean => text.split('.').every(isPart)

const isAtom = (text: string): boolean => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(text)

const isHostLabel = (text: string): boolean =>
  text.length <= 63 && /^[A-Za-z0-9-]+$/.test(text) && !text.startsWith('-') && !text.endsWith('-')

/** Whether the text is a phone number in E.164 form: a plus sign and up to fifteen digits, the first of them not 0. */
export const isPhoneFormat = (text: string): boolean => text.length <= 16 && /^\+[1-9][0-9]+$/.test(text)

/** What of a pool decides the form of its usernames; at most one of the lists is set. */
export interface UsernameSettings {
  UsernameAttributes?: readonly string[]
  AliasAttributes?: readonly string[]
}

/** What a username is: a name, or the attribute it also becomes, in pools whose users sign in with that attribute. */
export type UsernameForm = 'username' | 'email' | 'phone_number'

/**
 * What the username of a new user is. Throws InvalidParameterException when the pool takes e-mail addresses or phone
 * numbers for usernames and this is neither, or when it has the format of an alias of the pool: such a name could
 * stand for somebody else's address.
 */
export const checkUsernameForm = (pool: UsernameSettings, username: string): UsernameForm => {
  const usernames = pool.UsernameAttributes ?? []
  const aliases = pool.AliasAttributes ?? []
  if (usernames.length > 0) {
    if (usernames.includes('email') && isEmailFormat(username)) return 'email'
    if (usernames.includes('phone_number') && isPhoneFormat(username)) return 'phone_number'
    if (usernames.length > 1) throw usernameShouldBeEmailOrPhoneNumber()
    throw usernames.includes('email') ? usernameShouldBeEmail() : usernameShouldBePhoneNumber()
  }
  // What counts is the name that is looked up: it can be an address although what was sent is not (the Kelvin sign).
  const name = canonicalName(username, { caseSensitive: true })
  if (aliases.includes('email') && isEmailFormat(name)) throw usernameInEmailFormat()
  if (aliases.includes('phone_number') && isPhoneFormat(name)) throw usernameInPhoneNumberFormat()
  return 'username'
}
