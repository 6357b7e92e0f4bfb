/**
 * Users of the seed file. A user is created once; from then on password, attributes and whether the user may sign in are
 * the user's and the administrators'. What an existing user gains are attributes and memberships that are missing.
 */
import type { AttributeType } from '../contract/types.ts'
import type { Context } from '../features/context.ts'
import { addToGroup, groupsOf } from '../features/groups/membership.ts'
import { adminCreateUser } from '../features/sign-up/admin-create-user.ts'
import type { Pool } from '../features/user-pools/pool.ts'
import { changeAttributes } from '../features/users/change-attributes.ts'
import { findUserById, findUserByName, type User } from '../features/users/user.ts'
import { SeedError, type SeedPool } from './document.ts'
import { applying } from './refused.ts'

type UserEntry = SeedPool['users'][number]

/** @throws SeedError */
export const applyUser = async (ctx: Context, pool: Pool, entry: UserEntry): Promise<void> => {
  const found = await findUserOf(ctx, pool, entry)
  const user = found ?? (await createUser(ctx, pool, entry))
  if (found !== undefined) await addAttributes(ctx, pool, found, entry)
  const { Groups = [] } = entry.input
  if (Groups.length === 0) return
  const held = new Set(found === undefined ? [] : (await groupsOf(ctx, found)).map(group => group.name))
  for (const [index, name] of Groups.entries()) {
    if (held.has(name)) continue
    const at = { path: `${entry.path}.Groups[${index}]`, input: {} }
    await applying(at, 'AdminAddUserToGroup', () => addToGroup(ctx, pool, user, name))
  }
}

const subOf = ({ input }: UserEntry): string | undefined => input.Attributes?.find(({ Name }) => Name === 'sub')?.Value

const attributesOf = ({ input }: UserEntry): AttributeType[] =>
  (input.Attributes ?? []).filter(({ Name }) => Name !== 'sub')

/** The `sub` decides when there is one: users may change the address that they sign in with. */
const findUserOf = async (ctx: Context, pool: Pool, entry: UserEntry): Promise<User | undefined> => {
  const sub = subOf(entry)
  const bySub = sub === undefined ? undefined : await findUserById(ctx, pool, sub)
  if (bySub !== undefined) return bySub
  const byName = await findUserByName(ctx, pool, entry.input.Username)
  if (sub === undefined) return byName
  if (byName !== undefined) throw new SeedError(`${entry.path}.Attributes`, `the user has another sub, ${byName.id}`)
  const taken = await ctx.db.selectFrom('users').select('id').where('id', '=', sub).executeTakeFirst()
  if (taken !== undefined) throw new SeedError(`${entry.path}.Attributes`, 'a user of another pool has this sub')
  return undefined
}

const createUser = (ctx: Context, pool: Pool, entry: UserEntry): Promise<User> =>
  applying(entry, 'AdminCreateUser', () => {
    const { Username, Password, TemporaryPassword = Password, Enabled } = entry.input
    const request = {
      UserPoolId: pool.id,
      Username,
      UserAttributes: attributesOf(entry),
      ...(TemporaryPassword !== undefined && { TemporaryPassword }),
      MessageAction: 'SUPPRESS' as const,
    }
    const options = { id: subOf(entry), permanentPassword: Password !== undefined, enabled: Enabled }
    return adminCreateUser(ctx, pool, request, options)
  })

const addAttributes = async (ctx: Context, pool: Pool, user: User, entry: UserEntry): Promise<void> => {
  const given = new Map(attributesOf(entry).map(({ Name, Value = '' }) => [Name, Value]))
  const missing = [...given].filter(([name, value]) => {
    // A flag says something of the address beside it, and of no other.
    const address = /^(email|phone_number)_verified$/.exec(name)?.[1]
    return value !== '' && !user.attributes.has(address ?? name) && !waits(pool, name, given)
  })
  if (missing.length === 0) return
  const attributes = missing.map(([Name, Value]) => ({ Name, Value }))
  const at = { path: `${entry.path}.Attributes`, input: {} }
  await applying(at, 'AdminUpdateUserAttributes', () => changeAttributes(ctx, pool, user, attributes, 'administrator'))
}

/** An address that would only wait for its code, and get another one with each start. */
const waits = (pool: Pool, name: string, given: ReadonlyMap<string, string>): boolean => {
  const verifiedFirst = pool.settings.UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate ?? []
  return verifiedFirst.some(attribute => attribute === name) && given.get(`${name}_verified`)?.toLowerCase() !== 'true'
}
