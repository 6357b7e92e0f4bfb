/** What the lines of an import file say: the header, and one user in each line after it. */
import type { PasswordHashingAlgorithmType } from '../../contract/types.ts'
import { checkAttributes } from '../../core/attributes.ts'
import { CognitoError, importEntries } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { checkUsernameForm } from '../../core/usernames.ts'
import type { Services } from '../context.ts'
import { sealImportedHash } from '../passwords/imported-hash.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type NewUser, nameKey, type UserStatus } from '../users/user.ts'

const usernameColumn = 'cognito:username'
const mfaColumn = 'cognito:mfa_enabled'
const hashColumn = 'password_hash'
const usernameLengthMax = 128

type Algorithm = PasswordHashingAlgorithmType | null

/** The columns of a file for the pool, as GetCSVHeader lists them. */
export const csvHeader = (pool: Pool): string[] => [
  ...(pool.settings.SchemaAttributes ?? [])
    .map(attribute => attribute.Name ?? '')
    .filter(name => name !== 'sub' && name !== 'identities'),
  mfaColumn,
  usernameColumn,
]

/**
 * What is wrong with the header of a file; undefined when it has all columns of the pool, and with password hashes the
 * column for them, in any order and nothing else.
 */
export const headerFault = (pool: Pool, algorithm: Algorithm, header: readonly string[]): string | undefined => {
  const expected = [...csvHeader(pool), ...(algorithm === null ? [] : [hashColumn])]
  const counts = new Map<string, number>()
  for (const name of header) counts.set(name, (counts.get(name) ?? 0) + 1)
  const wrong = expected.filter(name => counts.get(name) !== 1)
  if (wrong.length > 0) return importEntries.headerNames(wrong)
  const unknown = header.filter(name => !expected.includes(name))
  return unknown.length > 0
    ? importEntries.headerUnknown(unknown.map(name => name.slice(0, 64)).slice(0, 10))
    : undefined
}

/** A line as a user, or why it is none. */
export type ImportRow = { user: NewUser } | { fault: string }

/** The user of a line. Its values are those of the columns in the header, which has been checked. */
export const readRow = (
  ctx: Pick<Services, 'seal' | 'random'>,
  pool: Pool,
  algorithm: Algorithm,
  header: readonly string[],
  cells: readonly string[],
): ImportRow => {
  if (cells.length !== header.length) return { fault: importEntries.cells(cells.length, header.length) }
  try {
    return readUser(ctx, pool, algorithm, new Map(header.map((name, index) => [name, cells[index] ?? ''])))
  } catch (error) {
    if (error instanceof CognitoError) return { fault: error.message.trim().replace(/\s*\n\s*/g, '; ') }
    throw error
  }
}

const readUser = (
  ctx: Pick<Services, 'seal' | 'random'>,
  pool: Pool,
  algorithm: Algorithm,
  values: Map<string, string>,
): ImportRow => {
  const name = values.get(usernameColumn) ?? ''
  const hashText = values.get(hashColumn) ?? ''
  const mfaText = (values.get(mfaColumn) ?? '').toLowerCase()
  for (const column of [usernameColumn, hashColumn, mfaColumn]) values.delete(column)

  if (name === '') return { fault: importEntries.usernameMissing }
  if (name.length > usernameLengthMax || !/^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u.test(name)) {
    return { fault: importEntries.usernameInvalid }
  }
  const form = checkUsernameForm(pool.settings, name)
  if (form !== 'username') {
    // What is verified is the value of the column, so it must be the address that the user signs in with.
    const address = values.get(form) ?? ''
    if (address !== '' && nameKey(pool, address) !== nameKey(pool, name)) {
      return { fault: importEntries.usernameDiffers(form) }
    }
    values.set(form, address === '' ? name : address)
  }

  const expectedMfa = expectedMfaValues(pool)
  if (!expectedMfa.includes(mfaText)) return { fault: importEntries.mfa(expectedMfa.join(' or ')) }
  const isVerified = (attribute: string) =>
    values.get(`${attribute}_verified`)?.toLowerCase() === 'true' && values.get(attribute) !== ''
  if (!(pool.settings.AutoVerifiedAttributes ?? []).some(isVerified)) return { fault: importEntries.notVerified }

  const birthdate = values.get('birthdate') ?? ''
  if (birthdate !== '') {
    const match = /^([0-9]{2})\/([0-9]{2})\/([0-9]{4})$/.exec(birthdate)
    if (match === null) return { fault: importEntries.birthdate }
    values.set('birthdate', `${match[3]}-${match[1]}-${match[2]}`)
  }
  if (!/^[0-9]{0,15}$/.test(values.get('updated_at') ?? '')) return { fault: importEntries.updatedAt }

  // Nobody asks imported users for what is missing, so all required attributes must be there.
  const check = { schema: pool.settings.SchemaAttributes ?? [], phase: 'admin-create', passwordless: true } as const
  const given = [...values].filter(([, value]) => value !== '').map(([Name, Value]) => ({ Name, Value }))
  const attributes = checkAttributes(check, given).values

  const id = newUuid(ctx.random)
  let importedHash: string | undefined
  if (algorithm !== null && hashText !== '') {
    importedHash = sealImportedHash(ctx, { id }, { algorithm, text: hashText })
    if (importedHash === undefined) return { fault: importEntries.passwordHash(algorithm) }
  }
  const status: UserStatus =
    importedHash !== undefined || canSignInWithCode(pool, attributes) ? 'CONFIRMED' : 'RESET_REQUIRED'
  const wantsSms = mfaText === 'true' && attributes.has('phone_number')
  return {
    user: {
      id,
      username: form === 'username' ? name : id,
      status,
      password: undefined,
      importedHash,
      attributes,
      ...(wantsSms && { mfa: { mfaOptions: [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }] } }),
    },
  }
}

const expectedMfaValues = (pool: Pool): string[] => {
  const { MfaConfiguration = 'OFF' } = pool.settings
  if (MfaConfiguration === 'ON') return ['true']
  return MfaConfiguration === 'OFF' ? ['false'] : ['true', 'false']
}

/** Whether the pool lets the user sign in without a password, by a code to a verified address. */
const canSignInWithCode = (pool: Pool, attributes: ReadonlyMap<string, string>): boolean => {
  const factors = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
  return (
    (factors.includes('EMAIL_OTP') && attributes.get('email_verified') === 'true') ||
    (factors.includes('SMS_OTP') && attributes.get('phone_number_verified') === 'true')
  )
}
