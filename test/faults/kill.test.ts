/**
 * kill -9: the program is killed at any moment while clients write, and starts again on what is left. Whatever was
 * acknowledged is there, whatever was not is there as a whole or not at all, and what was ended stays ended.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { openDatabase } from '../../src/store/database.ts'
import { launchProgram, type Program, scratchFolder, startProgram } from '../support/program.ts'
import { type Answer, createWire, type Wire } from '../support/wire.ts'

const cycles = 20
const workers = 8
const loadMsMax = 700
const groups = ['readers', 'writers', 'owners']

const folder = scratchFolder()
after(() => folder.remove())

/** What a user is known to be. */
interface State {
  exists: boolean
  /** Both attributes are always written together. */
  version: number
  password: string
  enabled: boolean
  groups: readonly string[]
  /** Refresh tokens, and whether they are good for something. */
  tokens: readonly { token: string; alive: boolean }[]
}

interface User {
  name: string
  state: State
  /** Where an operation without answer would have led, when it was carried out. */
  perhaps: State | undefined
}

interface World {
  poolId: string
  clientId: string
  users: User[]
  /** Operations that were acknowledged. */
  acknowledged: number
  /** Operations that got no answer. */
  unanswered: number
}

describe('a program that is killed', () => {
  test('has kept all that it acknowledged and nothing by halves', { timeout: 240_000 }, async () => {
    const data = join(folder.path, 'data')
    let program = await startProgram(['--data', data])
    const world = await createWorld(program)
    for (let cycle = 0; cycle < cycles; cycle++) {
      const wire = createWire(program.url)
      const work = Array.from({ length: workers }, (_, worker) => writeUntilKilled(wire, world, `c${cycle}w${worker}`))
      await sleep(randomInt(50, loadMsMax))
      program.signal('SIGKILL')
      await program.ended
      await Promise.all(work)
      wire.close()

      checkFiles(data, `cycle ${cycle}`)
      if (cycle % 4 === 3) await killWhileStarting(data)
      program = await startProgram(['--data', data])
      await verify(
        program,
        world,
        world.users.filter(({ name }) => name.startsWith(`c${cycle}w`)),
        `cycle ${cycle}`,
      )
    }
    await verify(program, world, world.users, 'the end')
    await verifyList(program, world)
    assert.deepEqual(
      program.log().filter(({ level }) => level === 'error'),
      [],
    )
    program.signal('SIGTERM')
    assert.equal((await program.ended).code, 0)
    assert.ok(world.acknowledged > cycles * 20, `${world.acknowledged} acknowledged`)
    assert.ok(world.unanswered > cycles, `${world.unanswered} unanswered`)
  })

  test('in its first start begins anew', async () => {
    for (let index = 0; index < 6; index++) {
      const data = join(folder.path, `first-${index}`)
      await killWhileStarting(data)
      await using program = await startProgram(['--data', data])
      await createWorld(program)
    }
  })
})

test('every commit is synchronous, after the first start and after every other', async () => {
  const file = join(folder.path, 'synchronous.db')
  for (let start = 0; start < 3; start++) {
    const database = await openDatabase({ file })
    const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(database.db)
    assert.deepEqual(rows, [{ synchronous: 2 }], `start ${start}`)
    const mode = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(database.db)
    assert.deepEqual(mode.rows, [{ journal_mode: 'wal' }])
    await sql`create table if not exists t (a integer)`.execute(database.db)
    await sql`insert into t values (1)`.execute(database.db)
    await database.close()
  }
})

const createWorld = async ({ url }: Program): Promise<World> => {
  const wire = createWire(url)
  const { UserPool } = read<{ UserPool: { Id: string } }>(await wire.call('CreateUserPool', { PoolName: 'pool' }))
  const UserPoolId = UserPool.Id
  const { UserPoolClient } = read<{ UserPoolClient: { ClientId: string } }>(
    await wire.call('CreateUserPoolClient', {
      UserPoolId,
      ClientName: 'client',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    }),
  )
  for (const GroupName of groups) read(await wire.call('CreateGroup', { UserPoolId, GroupName }))
  wire.close()
  return { poolId: UserPoolId, clientId: UserPoolClient.ClientId, users: [], acknowledged: 0, unanswered: 0 }
}

const read = <T>({ status, text }: Answer): T => {
  assert.equal(status, 200, text)
  return (text === '' ? {} : JSON.parse(text)) as T
}

// ---------------------------------------------------------------------------------------------- writing

const absent: State = { exists: false, version: 0, password: '', enabled: true, groups: [], tokens: [] }

const passwordOf = (version: number) => `Passw0rd-${version}!`

/** One client: changes its own users, one operation after the other, until the connection breaks. */
const writeUntilKilled = async (wire: Wire, world: World, prefix: string): Promise<void> => {
  const own: User[] = []
  for (let step = 0; ; step++) {
    const user = pick(own.filter(({ state }) => state.exists))
    if (user === undefined || own.length < 3 || step % 9 === 0) {
      const created: User = { name: `${prefix}u${own.length}`, state: absent, perhaps: undefined }
      own.push(created)
      world.users.push(created)
      if (!(await carryOut(wire, world, created, step % 2 === 0 ? signUp(created) : adminCreate(created)))) return
    } else {
      const change = pick(changes) ?? assert.fail()
      if (!(await carryOut(wire, world, user, change(user.state, step, user.name)))) return
    }
  }
}

const pick = <T>(items: readonly T[]): T | undefined =>
  items.length === 0 ? undefined : items[randomInt(items.length)]

/** Requests, the last of which changes the user to `next`. */
interface Change {
  requests: [operation: string, input: Record<string, unknown>][]
  next(answer: Answer): State
}

type ChangeOf = (state: State, step: number, name: string) => Change

/** False when the server is gone. */
const carryOut = async (wire: Wire, world: World, user: User, { requests, next }: Change): Promise<boolean> => {
  for (const [operation, input] of requests) {
    const names =
      operation === 'SignUp' || operation === 'InitiateAuth' || operation === 'RevokeToken'
        ? { ClientId: world.clientId }
        : { UserPoolId: world.poolId, Username: user.name }
    user.perhaps = next({ status: 200, headers: {}, text: '{}', type: '', message: '' })
    let answer: Answer
    try {
      answer = await wire.call(operation, { ...names, ...input })
    } catch {
      world.unanswered++
      return false
    }
    assert.equal(answer.status, 200, `${operation}: ${answer.text}`)
    world.acknowledged++
    user.perhaps = undefined
    user.state = next(answer)
  }
  return true
}

const attributes = (version: number) => [
  { Name: 'nickname', Value: String(version) },
  { Name: 'given_name', Value: String(version) },
]

const signUp = ({ name }: User): Change => ({
  requests: [['SignUp', { Username: name, Password: passwordOf(1), UserAttributes: attributes(1) }]],
  next: () => ({ ...absent, exists: true, version: 1, password: passwordOf(1) }),
})

const adminCreate = ({ name }: User): Change => ({
  requests: [
    [
      'AdminCreateUser',
      { Username: name, TemporaryPassword: passwordOf(1), UserAttributes: attributes(1), MessageAction: 'SUPPRESS' },
    ],
  ],
  next: () => ({ ...absent, exists: true, version: 1, password: passwordOf(1) }),
})

/** A sign-out, and whatever else ends sessions. */
const ended = (tokens: State['tokens']) => tokens.map(({ token }) => ({ token, alive: false }))

const update: ChangeOf = (state, step) => ({
  requests: [['AdminUpdateUserAttributes', { UserAttributes: attributes(step + 2) }]],
  next: () => ({ ...state, version: step + 2 }),
})

const joinGroup: ChangeOf = state => {
  const GroupName = pick(groups) ?? ''
  return {
    requests: [['AdminAddUserToGroup', { GroupName }]],
    next: () => ({ ...state, groups: [...new Set([...state.groups, GroupName])].sort() }),
  }
}

const leaveGroup: ChangeOf = state => {
  const GroupName = pick(state.groups) ?? groups[0] ?? ''
  return {
    requests: [['AdminRemoveUserFromGroup', { GroupName }]],
    next: () => ({ ...state, groups: state.groups.filter(name => name !== GroupName) }),
  }
}

/** What a new password means for the tokens of before is not looked at here. */
const changePassword: ChangeOf = (state, step) => {
  const Password = passwordOf(step + 2)
  return {
    requests: [['AdminSetUserPassword', { Password, Permanent: true }]],
    next: () => ({ ...state, password: Password, tokens: state.tokens.filter(({ alive }) => !alive) }),
  }
}

const disable: ChangeOf = state => ({
  requests: [['AdminDisableUser', {}]],
  next: () => ({ ...state, enabled: false, tokens: ended(state.tokens) }),
})

const enable: ChangeOf = state => ({ requests: [['AdminEnableUser', {}]], next: () => ({ ...state, enabled: true }) })

const remove: ChangeOf = state => ({
  requests: [['AdminDeleteUser', {}]],
  next: () => ({ ...absent, tokens: ended(state.tokens) }),
})

const signOut: ChangeOf = state => ({
  requests: [['AdminUserGlobalSignOut', {}]],
  next: () => ({ ...state, tokens: ended(state.tokens) }),
})

const revoke: ChangeOf = (state, step, name) => {
  const token = pick(state.tokens.filter(({ alive }) => alive))?.token
  if (token === undefined) return update(state, step, name)
  return {
    requests: [['RevokeToken', { Token: token }]],
    next: () => ({
      ...state,
      tokens: state.tokens.map(each => (each.token === token ? { token, alive: false } : each)),
    }),
  }
}

/** A sign-in changes nothing that could be lost; a token that never arrived is nobody's. */
const signIn: ChangeOf = (state, step, name) => {
  if (!state.enabled) return update(state, step, name)
  // The first password of a user who was made by an administrator is temporary.
  if (state.password === passwordOf(1)) return changePassword(state, step, name)
  return {
    requests: [
      [
        'InitiateAuth',
        { AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: name, PASSWORD: state.password } },
      ],
    ],
    next: ({ text }) => {
      const { AuthenticationResult } = JSON.parse(text) as { AuthenticationResult?: { RefreshToken: string } }
      const token = AuthenticationResult?.RefreshToken
      return token === undefined ? state : { ...state, tokens: [...state.tokens, { token, alive: true }] }
    },
  }
}

const changes: ChangeOf[] = [
  update,
  update,
  joinGroup,
  leaveGroup,
  changePassword,
  signIn,
  signIn,
  signIn,
  revoke,
  signOut,
  disable,
  enable,
  enable,
  remove,
]

// ---------------------------------------------------------------------------------------------- looking

/** SQLite's own checks, on a copy: the files themselves are left for the program to recover. */
const checkFiles = (data: string, when: string): void => {
  const copy = join(folder.path, 'copy.db')
  for (const suffix of ['', '-wal']) {
    if (existsSync(join(data, `cenote.db${suffix}`))) copyFileSync(join(data, `cenote.db${suffix}`), `${copy}${suffix}`)
  }
  const database = new DatabaseSync(copy)
  try {
    assert.deepEqual(
      database
        .prepare('pragma integrity_check')
        .all()
        .map(row => ({ ...row })),
      [{ integrity_check: 'ok' }],
      when,
    )
    assert.deepEqual(database.prepare('pragma foreign_key_check').all(), [], when)
    const nameless = 'select username from users where id not in (select user_id from sign_in_names)'
    assert.deepEqual(database.prepare(nameless).all(), [], when)
  } finally {
    database.close()
  }
}

const killWhileStarting = async (data: string): Promise<void> => {
  const { child, ended: end } = launchProgram(['start', '--port', '0', '--data', data])
  await sleep(randomInt(20, 350))
  child.kill('SIGKILL')
  await end
}

/** Compares each user with what is known; what is left open is known from now on. */
const verify = async (program: Program, world: World, users: readonly User[], when: string): Promise<void> => {
  const wire = createWire(program.url)
  const rest = users.values()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const user of rest) {
        const possible = [user.state, ...(user.perhaps === undefined ? [] : [user.perhaps])]
        const mismatches: string[] = []
        let found: State | undefined
        for (const state of possible) {
          const mismatch = await mismatchOf(wire, world, user.name, state)
          if (mismatch === undefined) found ??= state
          else mismatches.push(mismatch)
        }
        assert.ok(found, `${when}, ${user.name}: ${mismatches.join('; or ')}`)
        user.state = found
        user.perhaps = undefined
      }
    }),
  )
  wire.close()
}

/** What of the state is not so; undefined when all of it is. */
const mismatchOf = async (
  wire: Wire,
  { poolId, clientId }: World,
  name: string,
  state: State,
): Promise<string | undefined> => {
  const names = { UserPoolId: poolId, Username: name }
  for (const { token, alive } of state.tokens) {
    const refreshed = await wire.call('InitiateAuth', {
      ClientId: clientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: token },
    })
    if ((refreshed.status === 200) !== alive) return `a token is ${alive ? 'dead' : 'alive'}: ${refreshed.text}`
  }
  const got = await wire.call('AdminGetUser', names)
  if (!state.exists) return got.type === 'UserNotFoundException' ? undefined : `exists: ${got.text}`
  if (got.status !== 200) return `is gone: ${got.text}`
  const { Enabled, UserAttributes } = JSON.parse(got.text) as {
    Enabled: boolean
    UserAttributes: { Name: string; Value: string }[]
  }
  if (Enabled !== state.enabled) return `enabled is ${Enabled}`
  const values = ['nickname', 'given_name'].map(each => UserAttributes.find(({ Name }) => Name === each)?.Value)
  if (values.some(value => value !== String(state.version))) return `attributes are ${values}, not ${state.version}`
  const { Groups } = read<{ Groups: { GroupName: string }[] }>(await wire.call('AdminListGroupsForUser', names))
  const member = Groups.map(({ GroupName }) => GroupName).sort()
  if (member.join() !== state.groups.join()) return `groups are ${member}, not ${state.groups}`
  const signedIn = await wire.call('InitiateAuth', {
    ClientId: clientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: name, PASSWORD: state.password },
  })
  if (!state.enabled) return signedIn.message === 'User is disabled.' ? undefined : `signs in: ${signedIn.text}`
  const isPassword = signedIn.status === 200 || signedIn.type === 'UserNotConfirmedException'
  return isPassword ? undefined : `the password is another: ${signedIn.text}`
}

/** The list of users holds those that exist and no others. */
const verifyList = async ({ url }: Program, { poolId, users }: World): Promise<void> => {
  const wire = createWire(url)
  const found: string[] = []
  let PaginationToken: string | undefined
  do {
    const page: { Users: { Username: string }[]; PaginationToken?: string } = read(
      await wire.call('ListUsers', { UserPoolId: poolId, PaginationToken }),
    )
    found.push(...page.Users.map(({ Username }) => Username))
    PaginationToken = page.PaginationToken
  } while (PaginationToken !== undefined)
  wire.close()
  assert.deepEqual(
    found.sort(),
    users
      .filter(({ state }) => state.exists)
      .map(({ name }) => name)
      .sort(),
  )
}
