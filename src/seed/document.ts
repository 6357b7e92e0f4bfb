/**
 * The seed file as it is read: YAML into entries whose members are those of the API, each checked against the contract.
 * Nothing is written before the whole file has passed.
 */
import { readFileSync } from 'node:fs'
import { decodeInput } from '../contract/codec.ts'
import { operations, type Shape, structures } from '../contract/model.ts'
import type {
  CreateGroupRequest,
  CreateIdentityProviderRequest,
  CreateResourceServerRequest,
  CreateUserPoolClientRequest,
  CreateUserPoolDomainRequest,
  CreateUserPoolRequest,
  OperationInputs,
  OperationName,
  SetUserPoolMfaConfigRequest,
} from '../contract/types.ts'

/** A mistake in the seed file: its place there, for example `pools[0].clients[1].CallbackURLs`, and the reason. */
export class SeedError extends Error {
  constructor(path: string, reason: string) {
    super(path === '' ? reason : `${path}: ${reason}`)
  }
}

type InPool<Input> = Omit<Input, 'UserPoolId'>

/** One entry of the file and where it stands, for example `pools[0].clients[1]`. */
export interface Entry<Input> {
  path: string
  input: Input
}

/** A user of the file. At most one of the passwords is given. */
export interface SeedUser {
  Username: string
  Attributes?: { Name: string; Value?: string }[]
  Password?: string
  TemporaryPassword?: string
  Groups?: string[]
  Enabled?: boolean
}

export interface SeedPool extends Entry<CreateUserPoolRequest> {
  id: string | undefined
  mfa: Entry<InPool<SetUserPoolMfaConfigRequest>> | undefined
  resourceServers: Entry<InPool<CreateResourceServerRequest>>[]
  identityProviders: Entry<InPool<CreateIdentityProviderRequest>>[]
  clients: (Entry<InPool<CreateUserPoolClientRequest>> & { id: string | undefined })[]
  domains: Entry<InPool<CreateUserPoolDomainRequest>>[]
  groups: Entry<InPool<CreateGroupRequest>>[]
  users: Entry<SeedUser>[]
}

type Members = Readonly<Record<string, Shape>>
type Json = Record<string, unknown>

/** Takes the place of the pool where the contract asks for one. */
const anyPool = { UserPoolId: 'us-east-1_seed' }

const poolLists = ['resourceServers', 'identityProviders', 'clients', 'domains', 'groups', 'users'] as const
const poolKeys = new Set<string>(['mfa', ...poolLists])

/**
 * Reads and checks the file.
 * @throws SeedError
 */
export const readSeed = async (file: string): Promise<SeedPool[]> => {
  const document = mappingOf('', await parse(file), 'a mapping with the key pools')
  const unknown = Object.keys(document).find(key => key !== 'pools')
  if (unknown !== undefined) throw new SeedError(unknown, 'unknown key')
  const pools = listOf('pools', document['pools']).map(({ path, value }) => readPool(path, value))
  checkDistinct(pools, 'PoolName', pool => pool.input.PoolName)
  return pools
}

const parse = async (file: string): Promise<unknown> => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new SeedError('', `cannot be read: ${messageOf(error)}`)
  }
  const { parseYaml } = await import('../yaml.ts')
  try {
    return parseYaml(text)
  } catch (error) {
    // What follows the first line is an excerpt of the file, which may hold a secret.
    throw new SeedError('', `is no YAML: ${messageOf(error)}`)
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.replace(/:$/, '') ?? ''

const readPool = (path: string, value: unknown): SeedPool => {
  const { Id, ...all } = mappingOf(path, value)
  const members = Object.fromEntries(Object.entries(all).filter(([key]) => !poolKeys.has(key)))
  const id = readId(`${path}.Id`, Id, given => decode(path, 'DescribeUserPool', { UserPoolId: given }, idOf))
  if (id !== undefined && !/^[a-z]{2,5}(?:-[a-z0-9]+){1,4}_[0-9A-Za-z]+$/.test(id)) {
    throw new SeedError(`${path}.Id`, 'must be a region, an underscore, and letters or digits')
  }
  const input = readEntry(path, 'CreateUserPool', members).input
  const entries = (key: (typeof poolLists)[number]) => listOf(`${path}.${key}`, all[key])
  const inPool = <Name extends OperationName>(key: (typeof poolLists)[number], operation: Name) =>
    entries(key).map(({ path: at, value: entry }) => readEntry(at, operation, entry, anyPool))
  const pool: SeedPool = {
    path,
    input,
    id,
    mfa: isAbsent(all['mfa']) ? undefined : readEntry(`${path}.mfa`, 'SetUserPoolMfaConfig', all['mfa'], anyPool),
    resourceServers: inPool('resourceServers', 'CreateResourceServer'),
    identityProviders: inPool('identityProviders', 'CreateIdentityProvider'),
    clients: entries('clients').map(({ path: at, value: entry }) => readClient(at, entry)),
    domains: inPool('domains', 'CreateUserPoolDomain'),
    groups: inPool('groups', 'CreateGroup'),
    users: entries('users').map(({ path: at, value: entry }) => readUser(at, entry)),
  }
  if (pool.mfa !== undefined && input.MfaConfiguration !== undefined) {
    throw new SeedError(`${path}.MfaConfiguration`, 'stands in mfa when there is one')
  }
  checkDistinct(pool.resourceServers, 'Identifier', server => server.input.Identifier)
  checkDistinct(pool.identityProviders, 'ProviderName', provider => provider.input.ProviderName)
  checkDistinct(pool.clients, 'ClientName', client => client.input.ClientName)
  checkDistinct(pool.domains, 'Domain', domain => domain.input.Domain)
  checkDistinct(pool.groups, 'GroupName', group => group.input.GroupName)
  checkDistinct(pool.users, 'Username', user => user.input.Username)
  return pool
}

const idOf: Renames = { UserPoolId: 'Id' }

const readClient = (path: string, value: unknown): SeedPool['clients'][number] => {
  const { ClientId, ...members } = mappingOf(path, value)
  const id = readId(`${path}.ClientId`, ClientId, given =>
    decode(path, 'DescribeUserPoolClient', { ...anyPool, ClientId: given }),
  )
  return { ...readEntry(path, 'CreateUserPoolClient', members, anyPool), id }
}

const membersOf = (operation: OperationName): Members => structures[operations[operation].input]?.members ?? {}

const text: Shape = { type: 'string' }
const userMembers: Members = {
  Username: text,
  Attributes: membersOf('AdminCreateUser')['UserAttributes'] ?? text,
  Password: text,
  TemporaryPassword: text,
  Groups: { type: 'list', element: text },
  Enabled: { type: 'boolean' },
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const readUser = (path: string, value: unknown): Entry<SeedUser> => {
  const given = mappingOf(path, value)
  checkMembers(path, userMembers, given)
  const { Username, Attributes, Password, TemporaryPassword, Groups, Enabled } = withoutAbsent(
    given,
  ) as Partial<SeedUser>
  const created = { ...anyPool, Username, UserAttributes: Attributes, TemporaryPassword }
  const decoded = decode(path, 'AdminCreateUser', created, { UserAttributes: 'Attributes' })
  if (Password !== undefined) {
    if (TemporaryPassword !== undefined) throw new SeedError(path, 'Password and TemporaryPassword exclude each other')
    decode(path, 'AdminSetUserPassword', { ...anyPool, Username, Password })
  }
  const groups = (Groups ?? []).map((GroupName, index) => {
    decode(path, 'AdminAddUserToGroup', { ...anyPool, Username, GroupName }, { GroupName: `Groups[${index}]` })
    return GroupName
  })
  const subs = decoded.UserAttributes?.filter(({ Name }) => Name === 'sub') ?? []
  if (subs.length > 1 || subs.some(({ Value }) => !uuid.test(Value ?? ''))) {
    throw new SeedError(`${path}.Attributes`, 'sub must be one UUID in lower case')
  }
  return {
    path,
    input: {
      Username: decoded.Username,
      Groups: groups,
      ...(decoded.UserAttributes !== undefined && { Attributes: decoded.UserAttributes }),
      ...(Password !== undefined && { Password }),
      ...(decoded.TemporaryPassword !== undefined && { TemporaryPassword: decoded.TemporaryPassword }),
      ...(Enabled !== undefined && { Enabled }),
    },
  }
}

// ---------------------------------------------------------------------------------------------- checking

/** What a member is called in the file, where it differs from the API. */
type Renames = Readonly<Record<string, string>>

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

const withoutAbsent = (value: Json): Json =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => !isAbsent(member)))

/** The value as a mapping without a prototype; nothing at all counts as an empty one. */
const mappingOf = (path: string, value: unknown, what = 'a mapping'): Json => {
  if (isAbsent(value)) return Object.create(null) as Json
  if (typeof value !== 'object' || Array.isArray(value)) throw new SeedError(path, `must be ${what}`)
  return Object.assign(Object.create(null) as Json, value)
}

const listOf = (path: string, value: unknown): { path: string; value: unknown }[] => {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) throw new SeedError(path, mustBe({ type: 'list' }))
  return value.map((entry: unknown, index) => ({ path: `${path}[${index}]`, value: entry }))
}

const readId = (path: string, value: unknown, check: (id: string) => unknown): string | undefined => {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'string') throw new SeedError(path, mustBe({ type: 'string' }))
  check(value)
  return value
}

/** An entry whose members are those of the operation's input, but for the ones that the file implies. */
const readEntry = <Name extends OperationName>(
  path: string,
  operation: Name,
  value: unknown,
  implied: Json = {},
): Entry<OperationInputs[Name]> => {
  const given = mappingOf(path, value)
  const members = Object.entries(membersOf(operation)).filter(([name]) => !Object.hasOwn(implied, name))
  checkMembers(path, Object.fromEntries(members), given)
  return { path, input: decode(path, operation, { ...given, ...implied }) }
}

/** Keys and types; the contract's decoder ignores the former and does not say where the latter are wrong. */
const checkMembers = (path: string, members: Members, value: Json): void => {
  for (const [key, member] of Object.entries(value)) {
    const shape = Object.hasOwn(members, key) ? members[key] : undefined
    if (shape === undefined) throw new SeedError(`${path}.${key}`, 'unknown key')
    checkType(`${path}.${key}`, shape, member)
  }
}

const checkType = (path: string, shape: Shape, value: unknown): void => {
  if (isAbsent(value)) return
  if (!hasType(shape, value)) throw new SeedError(path, mustBe(shape))
  const element = shape.element ?? text
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkType(`${path}[${index}]`, element, item)
  } else if (shape.type === 'map') {
    for (const [key, item] of Object.entries(value as Json)) checkType(`${path}.${key}`, element, item)
  } else if (shape.type === 'structure') {
    checkMembers(path, structures[shape.structure ?? '']?.members ?? {}, value as Json)
  }
}

/** The input as the operation takes it. */
const decode = <Name extends OperationName>(
  path: string,
  operation: Name,
  value: Json,
  renames: Renames = {},
): OperationInputs[Name] => {
  const decoded = decodeInput(operation, value)
  if ('input' in decoded) return decoded.input
  if ('serialization' in decoded) throw new SeedError(path, decoded.serialization)
  if ('invalid' in decoded) throw new SeedError(path, decoded.invalid)
  const [first = ''] = decoded.violations
  const found = /^Value(?: '.*'| null)? at '(.*)' failed to satisfy constraint: (.*)$/s.exec(first)
  const [, printed = '', rule = ''] = found ?? []
  const reason = rule === 'Member must not be null' ? 'is missing' : rule
  throw new SeedError(path + placeOf(printed, value, renames), reason)
}

/** Entries are told apart by id or, without one, by name; two that are the same would overwrite each other. */
const checkDistinct = <Each extends Entry<unknown> & { id?: string | undefined }>(
  entries: readonly Each[],
  member: string,
  nameOf: (entry: Each) => string,
): void => {
  const byId = new Map<string | undefined, Each>()
  const byName = new Map<string, Each[]>()
  for (const entry of entries) {
    const namesakes = byName.get(nameOf(entry)) ?? []
    const same =
      (entry.id === undefined ? undefined : byId.get(entry.id)) ??
      namesakes.find(earlier => earlier.id === undefined || entry.id === undefined)
    if (same !== undefined) throw new SeedError(`${entry.path}.${member}`, `this is ${same.path} once more`)
    byId.set(entry.id, entry)
    byName.set(nameOf(entry), [...namesakes, entry])
  }
}

const hasType = (shape: Shape, value: unknown): boolean => {
  switch (shape.type) {
    case 'list':
      return Array.isArray(value)
    case 'map':
    case 'structure':
      return typeof value === 'object' && !Array.isArray(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'long':
      return Number.isSafeInteger(value)
    case 'document':
    case 'timestamp':
      return true
    case 'string':
    case 'blob':
      return typeof value === 'string'
  }
}

const mustBe = ({ type }: Pick<Shape, 'type'>): string => {
  switch (type) {
    case 'list':
      return 'must be a list'
    case 'boolean':
      return 'must be true or false'
    case 'integer':
    case 'long':
      return 'must be a whole number'
    case 'string':
    case 'blob':
      return 'must be a text; a number or a word like true needs quotes to be one'
    default:
      return 'must be a mapping'
  }
}

/**
 * A place as the contract prints it (`userAttributes.2.member.name`: first letters in lower case, counted from one) as
 * it stands in the file (`.Attributes[1].Name`).
 */
const placeOf = (printed: string, value: unknown, renames: Renames): string => {
  let place = ''
  let current = value
  const steps = printed.split('.')
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    if (Array.isArray(current) && steps[0] === 'member') {
      steps.shift()
      place += `[${Number(step) - 1}]`
      current = current[Number(step) - 1]
      continue
    }
    const name = step.charAt(0).toUpperCase() + step.slice(1)
    const key = !isObject(current) || Object.hasOwn(current, name) || !Object.hasOwn(current, step) ? name : step
    place += `.${renames[key] ?? key}`
    current = isObject(current) ? current[key] : undefined
    if (steps[0] === 'member') steps.shift()
  }
  return place
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
