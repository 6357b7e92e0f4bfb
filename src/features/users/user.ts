/**
 * Users: the record, how it is found by name, and how it is written. A user has one row, one row for each attribute,
 * and one row for each name that finds it at sign-in.
 *
 * Owned by this folder: the directory of users, their attributes and their verification. Not owned: passwords, groups,
 * sessions and how a user signs up or in.
 */
import type { Kysely, Selectable } from 'kysely'
import type { AttributeType, MFAOptionType, UserType } from '../../contract/types.ts'
import { userNotFound, userPoolNotFound } from '../../core/errors.ts'
import { filterKey } from '../../core/list-users-filter.ts'
import { canonicalName } from '../../core/usernames.ts'
import { isForeignKeyViolation } from '../../store/database.ts'
import { prepared } from '../../store/prepared.ts'
import type { Tables, UserRow } from '../../store/tables.ts'
import type { ReadContext, TransactionContext } from '../context.ts'
import { isCaseSensitive, type Pool } from '../user-pools/pool.ts'
import { searchText } from './search.ts'

export type UserStatus = 'UNCONFIRMED' | 'CONFIRMED' | 'RESET_REQUIRED' | 'FORCE_CHANGE_PASSWORD' | 'EXTERNAL_PROVIDER'

export interface MfaSettings {
  /** Factors that are switched on: SMS_MFA, SOFTWARE_TOKEN_MFA, EMAIL_OTP. */
  enabled?: string[]
  preferred?: string
  /** A passkey with user verification counts as two factors. */
  passkeys?: boolean
  /** The legacy SMS-only settings of SetUserSettings. */
  mfaOptions?: MFAOptionType[]
}

export interface User {
  /** The `sub`. */
  id: string
  poolId: string
  username: string
  status: UserStatus
  enabled: boolean
  createdAt: number
  updatedAt: number
  password: UserPassword | undefined
  /** The sealed hash of another system that the user was imported with; the first right password replaces it. */
  importedHash?: string | undefined
  /** Raised by whatever ends all tokens of the user. */
  sessionEpoch: number
  /** Raised by whatever must break a sign-in that is under way. */
  securityEpoch: number
  mfa: MfaSettings
  /** Without `sub`, which is the id. */
  attributes: Map<string, string>
}

export interface UserPassword {
  /** Hex of the salt as an integer. */
  salt: string
  /** The SRP verifier, sealed and bound to the user. */
  sealedVerifier: string
  setAt: number
  /** When a temporary password stops working; undefined when the password is permanent. */
  temporaryUntil: number | undefined
}

/** Whether the user has a password, in whatever form it is kept. */
export const hasPassword = (user: Pick<User, 'password' | 'importedHash'>): boolean =>
  user.password !== undefined || user.importedHash !== undefined

// ---------------------------------------------------------------------------------------------- finding

/**
 * The user whom this name finds at sign-in: username, or an alias in force, or the address in pools that sign in with
 * addresses. Undefined when there is none.
 */
export const findUserByName = async (ctx: ReadContext, pool: Pool, name: string): Promise<User | undefined> => {
  const key = nameKey(pool, name)
  const rows = await selectNextByName(ctx.db, pool.id, key)
  const user = userFromRows(rows)
  return rows[0]?.name_key === key ? user : undefined
}

/**
 * The user of this name or of the next one in the pool, after the last one that of the first. A name that nobody has is
 * looked up with as much reading as a user's.
 */
const selectNextByName = prepared((db, poolId: string, key: string) => {
  const names = db
    .selectFrom('sign_in_names as next')
    .select('next.name_key')
    .where('next.pool_id', '=', poolId)
    .orderBy('next.name_key')
    .limit(1)
  return withAttributes(db)
    .innerJoin('sign_in_names', 'sign_in_names.user_id', 'users.id')
    .select('sign_in_names.name_key')
    .where('sign_in_names.pool_id', '=', poolId)
    .where('sign_in_names.name_key', '=', ({ fn }) => fn.coalesce(names.where('next.name_key', '>=', key), names))
})

/** As findUserByName. @throws UserNotFoundException */
export const getUserByName = async (ctx: ReadContext, pool: Pool, name: string): Promise<User> => {
  const user = await findUserByName(ctx, pool, name)
  if (user === undefined) throw userNotFound()
  return user
}

/** The user with this `sub` in this pool. */
export const findUserById = async (ctx: ReadContext, pool: Pool, id: string): Promise<User | undefined> =>
  userFromRows(await selectById(ctx.db, pool.id, id))

const selectById = prepared((db, poolId: string, id: string) =>
  withAttributes(db).where('users.id', '=', id).where('users.pool_id', '=', poolId),
)

/**
 * As findUserById, with as much reading for an id that nobody has: what is read then is the user of the next id, after the
 * last one the first.
 */
export const findUserByIdAlike = async (ctx: ReadContext, pool: Pool, id: string): Promise<User | undefined> => {
  const user = userFromRows(await selectNextById(ctx.db, pool.id, id))
  return user?.id === id ? user : undefined
}

const selectNextById = prepared((db, poolId: string, id: string) => {
  const ids = db
    .selectFrom('users as next')
    .select('next.id')
    .where('next.pool_id', '=', poolId)
    .orderBy('next.id')
    .limit(1)
  return withAttributes(db)
    .where('users.pool_id', '=', poolId)
    .where('users.id', '=', ({ fn }) => fn.coalesce(ids.where('next.id', '>=', id), ids))
})

/** As findUserById. @throws UserNotFoundException */
export const getUserById = async (ctx: ReadContext, pool: Pool, id: string): Promise<User> => {
  const user = await findUserById(ctx, pool, id)
  if (user === undefined) throw userNotFound()
  return user
}

/** One row for each attribute, at least one: a single statement never shows a user who is half deleted. */
function withAttributes(db: Kysely<Tables>) {
  return db
    .selectFrom('users')
    .leftJoin('user_attributes', 'user_attributes.user_id', 'users.id')
    .selectAll('users')
    .select(['user_attributes.name as attribute_name', 'user_attributes.value as attribute_value'])
    .orderBy('user_attributes.name')
}

type RowWithAttribute = Selectable<UserRow> & { attribute_name: string | null; attribute_value: string | null }

const userFromRows = (rows: RowWithAttribute[]): User | undefined => {
  const [first] = rows
  if (first === undefined) return undefined
  const attributes = new Map<string, string>()
  for (const { attribute_name: name, attribute_value: value } of rows) {
    if (name !== null && value !== null) attributes.set(name, value)
  }
  return userFromRow(first, attributes)
}

/** Users with their attributes, in the order of the rows; without those who were deleted since the rows were read. */
export const loadUsers = async (ctx: ReadContext, rows: readonly Selectable<UserRow>[]): Promise<User[]> => {
  if (rows.length === 0) return []
  const found = await ctx.db
    .selectFrom('user_attributes')
    .select(['user_id', 'name', 'value'])
    .where(
      'user_id',
      'in',
      rows.map(row => row.id),
    )
    .orderBy('user_id')
    .orderBy('name')
    .execute()
  const byUser = new Map<string, Map<string, string>>(rows.map(row => [row.id, new Map()]))
  for (const { user_id, name, value } of found) byUser.get(user_id)?.set(name, value)
  const users = rows.map(row => userFromRow(row, byUser.get(row.id) ?? new Map()))
  const bare = users.filter(({ attributes }) => attributes.size === 0).map(({ id }) => id)
  if (bare.length === 0) return users
  const existing = await ctx.db.selectFrom('users').select('id').where('id', 'in', bare).execute()
  const gone = new Set(bare)
  for (const { id } of existing) gone.delete(id)
  return users.filter(({ id }) => !gone.has(id))
}

const userFromRow = (row: Selectable<UserRow>, attributes: Map<string, string>): User => ({
  id: row.id,
  poolId: row.pool_id,
  username: row.username,
  status: row.status as UserStatus,
  enabled: row.enabled === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  password:
    row.password_salt === null || row.password_verifier === null
      ? undefined
      : {
          salt: row.password_salt,
          sealedVerifier: row.password_verifier,
          setAt: row.password_set_at ?? row.created_at,
          temporaryUntil: row.temporary_password_expires_at ?? undefined,
        },
  importedHash: row.imported_password_hash ?? undefined,
  sessionEpoch: row.session_epoch,
  securityEpoch: row.security_epoch,
  mfa: JSON.parse(row.mfa) as MfaSettings,
  attributes,
})

// ---------------------------------------------------------------------------------------------- names

/** The one spelling under which a name is compared in this pool. */
export const nameKey = (pool: Pool, name: string): string =>
  canonicalName(name, { caseSensitive: isCaseSensitive(pool) })

/** Another user of the pool already has this name. The operation decides which error that is. */
export class NameTaken extends Error {
  /** `username`, `email`, `phone_number` or `preferred_username`. */
  readonly kind: string
  constructor(kind: string) {
    super(`The ${kind} is taken.`)
    this.kind = kind
  }
}

/**
 * The names that must find the user: the username; in pools that sign in with addresses, the addresses whether
 * verified or not; in alias pools, the verified ones and the preferred username. Who came from an identity provider has a
 * username of his own in every pool, and never the address of somebody else for a name.
 */
const signInNames = (pool: Pool, user: Pick<User, 'id' | 'username' | 'attributes'>): Map<string, string> => {
  const names = new Map([[nameKey(pool, user.username), 'username']])
  const add = (kind: string, value: string | undefined) => {
    if (value !== undefined && value !== '' && !names.has(nameKey(pool, value))) names.set(nameKey(pool, value), kind)
  }
  const signsInWithAddress = user.username === user.id
  for (const attribute of signsInWithAddress ? (pool.settings.UsernameAttributes ?? []) : []) {
    add(attribute, user.attributes.get(attribute))
  }
  for (const attribute of pool.settings.AliasAttributes ?? []) {
    const inForce = attribute === 'preferred_username' || user.attributes.get(`${attribute}_verified`) === 'true'
    if (inForce) add(attribute, user.attributes.get(attribute))
  }
  return names
}

/**
 * Brings the user's sign-in names in step with username and attributes. With `takeOver` a verified address that another
 * user has as an alias moves to this one and is unverified there (ForceAliasCreation). The caller has inserted or locked
 * the user's row.
 * @throws NameTaken when another user has one of the names.
 */
export const writeSignInNames = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id' | 'username' | 'attributes'>,
  { takeOver = false } = {},
): Promise<void> => {
  const wanted = signInNames(pool, user)
  const held = new Map(
    (await tx.db.selectFrom('sign_in_names').select(['name_key', 'kind']).where('user_id', '=', user.id).execute()).map(
      row => [row.name_key, row.kind],
    ),
  )
  // Everyone takes and gives up names in the same order, so that two users who swap names do not wait for each other.
  for (const key of [...new Set([...held.keys(), ...wanted.keys()])].sort()) {
    const kind = wanted.get(key)
    if (kind === held.get(key)) continue
    if (held.has(key)) await giveUpName(tx, pool, user, key)
    if (kind === undefined) continue
    while (!(await insertName(tx, pool, user, key, kind))) {
      const released = takeOver && isAliasAddress(pool, kind) && (await releaseAlias(tx, pool, user, key))
      if (!released) throw new NameTaken(kind)
    }
  }
}

/** Returns false when another user has the name; waits for one who is about to take it or to give it up. */
const insertName = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id'>,
  key: string,
  kind: string,
): Promise<boolean> => {
  const inserted = await tx.db
    .insertInto('sign_in_names')
    .values({ pool_id: pool.id, name_key: key, kind, user_id: user.id })
    .onConflict(conflict => conflict.columns(['pool_id', 'name_key']).doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return inserted !== undefined
}

/** Returns the kind of the name, or undefined when the user does not have it. */
const giveUpName = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id'>,
  key: string,
): Promise<string | undefined> => {
  const given = await tx.db
    .deleteFrom('sign_in_names')
    .where('pool_id', '=', pool.id)
    .where('name_key', '=', key)
    .where('user_id', '=', user.id)
    .returning('kind')
    .executeTakeFirst()
  return given?.kind
}

/** Addresses that are usernames, and preferred usernames, stay with who has them. */
const isAliasAddress = (pool: Pool, kind: string): boolean =>
  (kind === 'email' || kind === 'phone_number') &&
  (pool.settings.AliasAttributes?.some(attribute => attribute === kind) ?? false)

/**
 * Takes an alias from whoever else has it; the attribute is no longer verified there. Returns false when nobody has it
 * as an alias. Another user may take it before the new owner does.
 */
const releaseAlias = async (
  tx: TransactionContext,
  pool: Pool,
  newOwner: Pick<User, 'id'>,
  key: string,
): Promise<boolean> => {
  const found = await tx.db
    .selectFrom('sign_in_names')
    .select('user_id')
    .where('pool_id', '=', pool.id)
    .where('name_key', '=', key)
    .where('kind', 'in', ['email', 'phone_number'])
    .where('user_id', '!=', newOwner.id)
    .executeTakeFirst()
  if (found === undefined) return false
  const owner = { id: found.user_id, poolId: pool.id }
  // Attributes change only while the user's row is locked. Without a row the names are gone, too.
  if (!(await updateUser(tx, owner, {}))) return true
  const kind = await giveUpName(tx, pool, owner, key)
  if (kind !== undefined) await writeAttributes(tx, owner, new Map([[`${kind}_verified`, 'false']]))
  return true
}

// ---------------------------------------------------------------------------------------------- writing

export interface NewUser {
  id: string
  username: string
  status: UserStatus
  password: UserPassword | undefined
  importedHash?: string | undefined
  mfa?: MfaSettings
  /** True by default. */
  enabled?: boolean | undefined
  attributes: Map<string, string>
}

/**
 * Inserts a user with attributes and sign-in names.
 * @throws NameTaken when a name belongs to another user, ResourceNotFoundException when the pool was deleted meanwhile.
 */
export const insertUser = async (
  tx: TransactionContext,
  pool: Pool,
  user: NewUser,
  options: { takeOver?: boolean } = {},
): Promise<User> => {
  const now = tx.clock.now()
  try {
    await tx.db
      .insertInto('users')
      .values(userRow(pool, user, now))
      .execute()
  } catch (error) {
    throw isForeignKeyViolation(error) ? userPoolNotFound(pool.id) : error
  }
  await writeAttributes(tx, { id: user.id, poolId: pool.id }, user.attributes)
  await writeSignInNames(tx, pool, user, options)
  return {
    ...user,
    poolId: pool.id,
    enabled: user.enabled ?? true,
    createdAt: now,
    updatedAt: now,
    sessionEpoch: 0,
    securityEpoch: 0,
    importedHash: user.importedHash,
    mfa: user.mfa ?? {},
    attributes: new Map([...user.attributes].filter(([, value]) => value !== '').sort(byName)),
  }
}

/** A name that was free was taken by somebody else before it was inserted. Roll back and try again. */
export class NamesMoved extends Error {}

/**
 * Inserts many new users at once, with a handful of statements however many they are. Those one of whose names another
 * user has, or an earlier one of these, are left out; returned is the kind of that name, as in NameTaken, by the id of
 * the user who was left out.
 * @throws NamesMoved, ResourceNotFoundException when the pool was deleted meanwhile.
 */
export const insertUsers = async (
  tx: TransactionContext,
  pool: Pool,
  users: readonly NewUser[],
): Promise<Map<string, string>> => {
  const now = tx.clock.now()
  const wanted = users.map(user => ({ user, names: signInNames(pool, user) }))
  const taken = await takenNames(
    tx,
    pool,
    wanted.flatMap(({ names }) => [...names.keys()]),
  )
  const leftOut = new Map<string, string>()
  const free: typeof wanted = []
  for (const candidate of wanted) {
    const conflict = [...candidate.names].find(([key]) => taken.has(key))
    if (conflict !== undefined) {
      leftOut.set(candidate.user.id, conflict[1])
      continue
    }
    for (const key of candidate.names.keys()) taken.add(key)
    free.push(candidate)
  }
  if (free.length === 0) return leftOut

  const userRows = free.map(({ user }) => userRow(pool, user, now))
  try {
    await tx.db.insertInto('users').values(userRows).execute()
  } catch (error) {
    throw isForeignKeyViolation(error) ? userPoolNotFound(pool.id) : error
  }
  const attributeRows = free.flatMap(({ user }) => attributeRowsOf({ id: user.id, poolId: pool.id }, user.attributes))
  if (attributeRows.length > 0) await tx.db.insertInto('user_attributes').values(attributeRows).execute()
  const nameRows = free
    .flatMap(({ user, names }) =>
      [...names].map(([key, kind]) => ({ pool_id: pool.id, name_key: key, kind, user_id: user.id })),
    )
    // Everyone takes names in the same order.
    .sort((one, other) => (one.name_key < other.name_key ? -1 : 1))
  const { numInsertedOrUpdatedRows } = await tx.db
    .insertInto('sign_in_names')
    .values(nameRows)
    .onConflict(conflict => conflict.columns(['pool_id', 'name_key']).doNothing())
    .executeTakeFirstOrThrow()
  if (Number(numInsertedOrUpdatedRows) !== nameRows.length) throw new NamesMoved()
  return leftOut
}

const takenNames = async (tx: TransactionContext, pool: Pool, keys: readonly string[]): Promise<Set<string>> => {
  if (keys.length === 0) return new Set()
  const rows = await tx.db
    .selectFrom('sign_in_names')
    .select('name_key')
    .where('pool_id', '=', pool.id)
    .where('name_key', 'in', keys)
    .execute()
  return new Set(rows.map(row => row.name_key))
}

const userRow = (pool: Pool, user: NewUser, now: number) => ({
  id: user.id,
  pool_id: pool.id,
  username: user.username,
  username_search: filterKey('username', user.username),
  status: user.status,
  enabled: user.enabled === false ? 0 : 1,
  created_at: now,
  updated_at: now,
  ...passwordColumns(user.password),
  imported_password_hash: user.importedHash ?? null,
  mfa: JSON.stringify(user.mfa ?? {}),
})

/** Rows of the attributes that have a value. */
const attributeRowsOf = (user: Pick<User, 'id' | 'poolId'>, attributes: ReadonlyMap<string, string | undefined>) =>
  [...attributes].flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [{ user_id: user.id, pool_id: user.poolId, name, value, search: searchText(name, value) }],
  )

/** The order in which attributes are read from the database. */
const byName = ([one]: [string, string], [other]: [string, string]): number => (one < other ? -1 : 1)

/** Sets attributes; an empty value or undefined removes one. Names and schema are the caller's business. */
export const writeAttributes = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  changes: Map<string, string | undefined>,
): Promise<void> => {
  const removed = [...changes].filter(([, value]) => value === undefined || value === '').map(([name]) => name)
  const set = attributeRowsOf(user, changes)
  if (removed.length > 0) {
    await tx.db.deleteFrom('user_attributes').where('user_id', '=', user.id).where('name', 'in', removed).execute()
  }
  if (set.length > 0) {
    await tx.db
      .insertInto('user_attributes')
      .values(set)
      .onConflict(conflict =>
        conflict
          .columns(['user_id', 'name'])
          .doUpdateSet(row => ({ value: row.ref('excluded.value'), search: row.ref('excluded.search') })),
      )
      .execute()
  }
}

/**
 * Locks the user's row without changing it: until the end of the transaction nobody else changes the user.
 * @throws UserNotFoundException when it is gone.
 */
export const lockUser = async (tx: TransactionContext, user: Pick<User, 'id' | 'poolId'>): Promise<void> => {
  const locked = await tx.db
    .updateTable('users')
    .set(row => ({ enabled: row.ref('enabled') }))
    .where('id', '=', user.id)
    .where('pool_id', '=', user.poolId)
    .returning('id')
    .executeTakeFirst()
  if (locked === undefined) throw userNotFound()
}

export interface UserChanges {
  status?: UserStatus
  enabled?: boolean
  password?: UserPassword
  /** Leaves the user without a password. */
  removePassword?: boolean
  mfa?: MfaSettings
  /** Ends all tokens of the user. */
  endSessions?: boolean
  /** Breaks sign-ins that are under way. */
  breakSignIns?: boolean
}

/**
 * Changes columns of the user's row and its modification time. With `onlyIf` the change happens only while the user
 * still has that status. Returns false when the row is gone or the condition no longer holds.
 */
export const updateUser = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  changes: UserChanges,
  onlyIf: { status?: UserStatus; securityEpoch?: number } = {},
): Promise<boolean> => {
  let update = tx.db
    .updateTable('users')
    .set({
      updated_at: tx.clock.now(),
      ...(changes.status !== undefined && { status: changes.status }),
      ...(changes.enabled !== undefined && { enabled: changes.enabled ? 1 : 0 }),
      ...(changes.mfa !== undefined && { mfa: JSON.stringify(changes.mfa) }),
      ...((changes.password !== undefined || changes.removePassword) && passwordColumns(changes.password)),
    })
    .where('id', '=', user.id)
    .where('pool_id', '=', user.poolId)
  if (changes.endSessions) update = update.set(row => ({ session_epoch: row('session_epoch', '+', 1) }))
  if (changes.breakSignIns || changes.endSessions || changes.removePassword || changes.password !== undefined) {
    update = update.set(row => ({ security_epoch: row('security_epoch', '+', 1) }))
  }
  if (onlyIf.status !== undefined) update = update.where('status', '=', onlyIf.status)
  if (onlyIf.securityEpoch !== undefined) update = update.where('security_epoch', '=', onlyIf.securityEpoch)
  const changed = await update.returning('id').executeTakeFirst()
  return changed !== undefined
}

/**
 * Keeps the password in our own form from now on, in the place of the imported hash that it was proven with. It is the
 * same password, so nothing else about the user changes. Does nothing when the user has another password by now.
 */
export const replaceImportedHash = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId' | 'importedHash'>,
  password: UserPassword,
): Promise<void> => {
  await tx.db
    .updateTable('users')
    .set(passwordColumns(password))
    .where('id', '=', user.id)
    .where('pool_id', '=', user.poolId)
    .where('imported_password_hash', '=', user.importedHash ?? '')
    .execute()
}

const passwordColumns = (password: UserPassword | undefined) => ({
  password_salt: password?.salt ?? null,
  password_verifier: password?.sealedVerifier ?? null,
  password_set_at: password?.setAt ?? null,
  temporary_password_expires_at: password?.temporaryUntil ?? null,
  imported_password_hash: null,
})

/** Deletes the user and everything that hangs on the row. */
export const deleteUser = async (tx: TransactionContext, user: Pick<User, 'id' | 'poolId'>): Promise<void> => {
  await tx.db.deleteFrom('users').where('id', '=', user.id).where('pool_id', '=', user.poolId).execute()
}

// ---------------------------------------------------------------------------------------------- presenting

/** The attributes as the API lists them, `sub` first, restricted to those that `visible` lets through. */
export const presentAttributes = (user: User, visible: (name: string) => boolean = () => true): AttributeType[] => [
  ...(visible('sub') ? [{ Name: 'sub', Value: user.id }] : []),
  ...[...user.attributes].filter(([name]) => visible(name)).map(([Name, Value]) => ({ Name, Value })),
]

/** The legacy members of SetUserSettings; absent when there are none. */
export const presentMfaOptions = ({ mfa }: User): { MFAOptions?: MFAOptionType[] } =>
  mfa.mfaOptions === undefined || mfa.mfaOptions.length === 0 ? {} : { MFAOptions: mfa.mfaOptions }

/** The MFA settings as AdminGetUser and GetUser show them; absent when there are none. */
export const presentMfa = ({ mfa }: User): { PreferredMfaSetting?: string; UserMFASettingList?: string[] } => ({
  ...(mfa.preferred !== undefined && { PreferredMfaSetting: mfa.preferred }),
  ...(mfa.enabled !== undefined && mfa.enabled.length > 0 && { UserMFASettingList: mfa.enabled }),
})

/** User → UserType, as in ListUsers and AdminCreateUser. */
export const presentUser = (user: User, visible?: (name: string) => boolean): UserType => ({
  Username: user.username,
  Attributes: presentAttributes(user, visible),
  UserCreateDate: new Date(user.createdAt),
  UserLastModifiedDate: new Date(user.updatedAt),
  Enabled: user.enabled,
  UserStatus: user.status,
  ...presentMfaOptions(user),
})
