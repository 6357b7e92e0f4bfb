import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { type AttributeType, paginateListUsers } from '@aws-sdk/client-cognito-identity-provider'
import { CompiledQuery, createQueryId, type RootOperationNode } from 'kysely'
import { hours, minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  attributeList,
  attributesByName,
  createSignedInUser,
  createTestPool,
  createTestUser,
  type TestPool,
} from '../../../test/support/directory.ts'
import type { Context } from '../context.ts'
import { membersOf } from '../groups/membership.ts'
import { getPool } from '../user-pools/pool.ts'
import { listUsers } from './list-users.ts'
import { searchText } from './search.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const usernames = async ({ UserPoolId }: TestPool, Filter?: string): Promise<string[]> => {
    const names: string[] = []
    for await (const { Users = [] } of paginateListUsers({ client: app.aws }, { UserPoolId, Filter, Limit: 2 })) {
      names.push(...Users.map(({ Username = '' }) => Username))
    }
    assert.equal(new Set(names).size, names.length)
    return names.sort()
  }

  describe('the filter', () => {
    let pool: TestPool
    const subs: Record<string, string> = {}
    before(async () => {
      pool = await createTestPool(app)
      const people: Record<string, Record<string, string>> = {
        ann: {
          email: 'Ann@Example.com',
          phone_number: '+12065550100',
          name: 'Ann O"Hara',
          given_name: 'Ann',
          family_name: "O'Hara",
          preferred_username: 'Annie',
        },
        Ann2: { email: 'ann2@example.com', phone_number: '+12065550101', name: '100%', given_name: 'A_n' },
        bob: { email: 'bob@example.com', phone_number: '+442071838750', name: 'back\\slash', given_name: 'Axn' },
        'Ren\u00e9': { name: 'Rene\u0301', family_name: '\u00c9tienne' },
        'zoe\u0301': { name: '\u{1f600} smile', family_name: 'a\u{10ffff}b' },
        none: { gender: 'Ann' },
      }
      for (const [name, attributes] of Object.entries(people)) {
        const { Attributes } = await createTestUser(app, pool, name, attributes)
        subs[name] = attributesByName(Attributes)['sub'] ?? ''
      }
      await createTestUser(app, await createTestPool(app), 'ann', people['ann'])
      await app.aws.adminSetUserPassword({ ...pool, Username: 'bob', Password: 'Passw0rd!', Permanent: true })
      await app.aws.adminDisableUser({ ...pool, Username: 'none' })
      await app.aws.signUp({ ClientId: pool.ClientId, Username: 'new', Password: 'Passw0rd!' })
    })
    const everyone = ['Ann2', 'Ren\u00e9', 'ann', 'bob', 'new', 'none', 'zoe\u0301']
    const without = (...names: string[]) => everyone.filter(name => !names.includes(name))

    test('finds exactly those who pass it', async () => {
      const table: [filter: string | undefined, found: string[]][] = [
        [undefined, everyone],
        ['', everyone],
        ['  ', everyone],
        // usernames, where case counts
        ['username = "ann"', ['ann']],
        ['username="Ann"', []],
        ['"username"^="ann"', ['ann']],
        ['username ^= "A"', ['Ann2']],
        ['username = "Ren\u00e9"', ['Ren\u00e9']],
        ['username = "Rene\u0301"', ['Ren\u00e9']],
        ['username ^= "Rene"', []],
        ['username = "zo\u00e9"', ['zoe\u0301']],
        ['username ^= "zoe\u0301"', ['zoe\u0301']],
        ['username ^= ""', everyone],
        ['username = ""', []],
        // attributes, where it does not
        ['email = "ann@example.com"', ['ann']],
        ['email = "ANN@EXAMPLE.COM"', ['ann']],
        ['email ^= "ann"', ['Ann2', 'ann']],
        ['email = "ann"', []],
        ['email ^= ""', ['Ann2', 'ann', 'bob']],
        ['phone_number ^= "+1206555"', ['Ann2', 'ann']],
        ['phone_number = "+442071838750"', ['bob']],
        ['given_name = "ann"', ['ann']],
        ['preferred_username = "ANNIE"', ['ann']],
        ['preferred_username = "annie2"', []],
        ['name = "ren\u00e9"', ['Ren\u00e9']],
        ['name = "RENE\u0301"', ['Ren\u00e9']],
        ['family_name ^= "e\u0301"', ['Ren\u00e9']],
        ['family_name ^= "e"', []],
        // characters that mean something elsewhere
        ['name = "100%"', ['Ann2']],
        ['name ^= "%"', []],
        ['given_name = "A_n"', ['Ann2']],
        ['given_name ^= "a_"', ['Ann2']],
        ['name = "Ann O\\"Hara"', ['ann']],
        ['name = "back\\\\slash"', ['bob']],
        ['name = "back\\slash"', ['bob']],
        [`family_name = "O'Hara"`, ['ann']],
        [`family_name = "' or 1=1 --"`, []],
        ['name ^= "\u{1f600}"', ['zoe\u0301']],
        ['name ^= "\u{1f601}"', []],
        ['family_name ^= "a"', ['zoe\u0301']],
        ['family_name ^= "a\u{10ffff}"', ['zoe\u0301']],
        // what is no attribute
        ['cognito:user_status = "CONFIRMED"', ['bob']],
        ['cognito:user_status = "force_change_password"', without('bob', 'new')],
        ['cognito:user_status ^= "CON"', ['bob']],
        ['cognito:user_status ^= ""', everyone],
        ['cognito:user_status = "unconfirmed"', ['new']],
        ['cognito:user_status = "CONFIRM"', []],
        ['status = "Disabled"', ['none']],
        ['status = "disabled"', []],
        ['status = "Enabled"', without('none')],
        ['status ^= "E"', without('none')],
        ['status ^= ""', everyone],
        [`sub = "${subs['ann']}"`, ['ann']],
        [`sub ^= "${subs['bob']?.slice(0, 23)}"`, ['bob']],
        ['sub = "none"', []],
        ['sub ^= ""', everyone],
      ]
      for (const [filter, found] of table) {
        assert.deepEqual(await usernames(pool, filter), [...found].sort(), filter ?? 'no filter')
      }
    })

    test('is refused when it is none', async () => {
      const parsing = 'Error while parsing filter'
      const table: [filter: string, message: string][] = [
        ['email', parsing],
        ['email = ann', parsing],
        ['email == "ann"', parsing],
        ['email = "ann', parsing],
        ['email = ann"', parsing],
        ['email = "a"n"', parsing],
        ['email = "ann\\"', parsing],
        ['email > "ann"', parsing],
        ['email = "ann" and name = "Ann"', parsing],
        ['email = "x" or 1=1 --', parsing],
        ['= "ann"', parsing],
        [`email = "${'a'.repeat(247)}"`, ''],
        ['custom:size = "1"', 'Invalid search attribute: custom:size'],
        ['Email = "ann"', 'Invalid search attribute: Email'],
        ['gender = "Ann"', 'Invalid search attribute: gender'],
        ['enabled = "true"', 'Invalid search attribute: enabled'],
        ['constructor = "x"', 'Invalid search attribute: constructor'],
      ]
      for (const [Filter, message] of table) {
        const request = app.aws.listUsers({ UserPoolId: pool.UserPoolId, Filter })
        if (Filter.length <= 256) await assert.rejects(request, { name: 'InvalidParameterException', message }, Filter)
        else await assert.rejects(request, { name: 'InvalidParameterException' })
      }
      assert.deepEqual(await usernames(pool, `email = "${'a'.repeat(246)}"`), [])
    })

    test('follows every change of a user', async () => {
      const changing = await createTestPool(app)
      const token = await createSignedInUser(app, changing, 'ann', { name: 'Ann' })
      const change = (attributes: Record<string, string>) =>
        app.aws.updateUserAttributes({ AccessToken: token, UserAttributes: attributeList(attributes) })
      await change({ name: 'Anna' })
      assert.deepEqual(await usernames(changing, 'name = "anna"'), ['ann'])
      assert.deepEqual(await usernames(changing, 'name = "ann"'), [])
      await change({ name: '' })
      assert.deepEqual(await usernames(changing, 'name ^= ""'), [])
      await app.aws.adminDisableUser({ ...changing, Username: 'ann' })
      assert.deepEqual(await usernames(changing, 'status = "Disabled"'), ['ann'])
      await app.aws.adminDeleteUser({ ...changing, Username: 'ann' })
      assert.deepEqual(await usernames(changing), [])
    })

    test('tells long values apart that begin alike', async () => {
      const long = await createTestPool(app)
      // One character that is compared as three, so that the filter is longer than what the index holds.
      const beginning = '\ufb2c'.repeat(240)
      await createTestUser(app, long, 'one', { name: `${beginning}1` })
      await createTestUser(app, long, 'two', { name: `${beginning}2` })
      await createTestUser(app, long, 'three', { name: beginning })
      await createTestUser(app, long, 'four', { name: beginning.slice(1) })
      assert.deepEqual(await usernames(long, `name ^= "${beginning}"`), ['one', 'three', 'two'])
      assert.deepEqual(await usernames(long, `name = "${beginning}"`), ['three'])
    })
  })

  test('users look as AdminGetUser shows them', async () => {
    const pool = await createTestPool(app)
    await createTestUser(app, pool, 'ann', { name: 'Ann', email: 'ann@example.com' })
    const { UserPoolId } = pool
    const { Users, PaginationToken } = await app.aws.listUsers({ UserPoolId })
    const { UserAttributes, $metadata: _, ...rest } = await app.aws.adminGetUser({ UserPoolId, Username: 'ann' })
    assert.deepEqual(Users, [{ ...rest, Attributes: UserAttributes }])
    assert.equal(PaginationToken, undefined)
  })

  test('only the attributes that are asked for are shown, and all users must have them', async () => {
    const pool = await createTestPool(app)
    const { UserPoolId } = pool
    await createTestUser(app, pool, 'ann', { name: 'Ann', email: 'ann@example.com' })
    await createTestUser(app, pool, 'bob', { name: 'Bob' })
    const list = async (AttributesToGet: string[], Filter?: string) =>
      (await app.aws.listUsers({ UserPoolId, AttributesToGet, Filter })).Users?.map(({ Attributes }) =>
        (Attributes as AttributeType[]).map(({ Name }) => Name).join(),
      )
    const missing = { name: 'InvalidParameterException', message: 'One or more requested attributes do not exist.' }
    assert.deepEqual(await list(['name']), ['name', 'name'])
    assert.deepEqual(await list(['name', 'name', 'sub']), ['sub,name', 'sub,name'])
    assert.deepEqual(await list(['email'], 'username = "ann"'), ['email'])
    await assert.rejects(list(['email']), missing)
    await assert.rejects(list(['custom:none'], 'username = "ann"'), missing)
    assert.deepEqual(await list(['email'], 'username = "nobody"'), [])
    assert.deepEqual(await list([], 'username = "ann"'), ['sub,email,name'])
  })

  describe('pages', () => {
    test('of a list that grows and shrinks meanwhile show everyone who stays exactly once', async () => {
      const pool = await createTestPool(app)
      const staying = Array.from({ length: 150 }, (_, index) => `stays${String(index).padStart(3, '0')}`)
      const name = 'Ann'
      for (let index = 0; index < 150; index += 15) {
        await Promise.all(staying.slice(index, index + 15).map(user => createTestUser(app, pool, user, { name })))
      }
      const leaving = await Promise.all(
        Array.from({ length: 20 }, (_, index) => createTestUser(app, pool, `leaves${index}`, { name })),
      )
      for (const Filter of [undefined, 'name = "ann"', 'cognito:user_status ^= ""', 'status = "Enabled"']) {
        const seen: string[] = []
        let PaginationToken: string | undefined
        do {
          const [page] = await Promise.all([
            app.aws.listUsers({ UserPoolId: pool.UserPoolId, Filter, Limit: 25, PaginationToken }),
            createTestUser(app, pool, `comes${Filter}${seen.length}`.replace(/[^a-z0-9]/gi, ''), { name }),
            app.aws.adminDeleteUser({ ...pool, Username: leaving.pop()?.Username ?? '' }).catch(() => undefined),
          ])
          seen.push(...(page.Users ?? []).map(({ Username = '' }) => Username))
          PaginationToken = page.PaginationToken
        } while (PaginationToken !== undefined)
        assert.equal(new Set(seen).size, seen.length)
        assert.deepEqual(seen.filter(user => user.startsWith('stays')).sort(), staying)
      }
    })

    test('have the size that is asked for, and sixty users when none is', async () => {
      const pool = await createTestPool(app)
      await fill(pool, 61)
      const size = async (Limit?: number) => {
        const page = await app.aws.listUsers({ UserPoolId: pool.UserPoolId, Limit })
        return [page.Users?.length, page.PaginationToken !== undefined]
      }
      assert.deepEqual(await size(), [60, true])
      assert.deepEqual(await size(0), [60, true])
      assert.deepEqual(await size(60), [60, true])
      assert.deepEqual(await size(1), [1, true])
      await assert.rejects(size(61), { name: 'InvalidParameterException' })
      await assert.rejects(size(-1), { name: 'InvalidParameterException' })
      await app.aws.adminDeleteUser({ ...pool, Username: 'user0' })
      assert.deepEqual(await size(60), [60, false])
    })

    test('go on only with the token of the same list, and for an hour', async () => {
      const pool = await createTestPool(app)
      const other = await createTestPool(app)
      for (const { UserPoolId } of [pool, other]) await fill({ UserPoolId }, 3)
      const { UserPoolId } = pool
      const Filter = 'name ^= "n"'
      await app.aws.createGroup({ UserPoolId, GroupName: 'staff' })
      for (const Username of ['user0', 'user1']) {
        await app.aws.adminAddUserToGroup({ UserPoolId, Username, GroupName: 'staff' })
      }
      const unfiltered = (await app.aws.listUsers({ UserPoolId, Limit: 1 })).PaginationToken ?? ''
      const filtered = (await app.aws.listUsers({ UserPoolId, Limit: 1, Filter })).PaginationToken ?? ''
      const ofGroup = (await app.aws.listUsersInGroup({ UserPoolId, Limit: 1, GroupName: 'staff' })).NextToken ?? ''
      const invalid = { name: 'InvalidParameterException', message: 'Invalid pagination token.' }
      const flipped = `${unfiltered.slice(0, 20)}${unfiltered[20] === 'A' ? 'B' : 'A'}${unfiltered.slice(21)}`
      for (const PaginationToken of [filtered, ofGroup, flipped, unfiltered.slice(1), 'x', randomUUID()]) {
        await assert.rejects(app.aws.listUsers({ UserPoolId, PaginationToken }), invalid)
      }
      await assert.rejects(app.aws.listUsers({ UserPoolId, Filter, PaginationToken: unfiltered }), invalid)
      await assert.rejects(
        app.aws.listUsers({ UserPoolId, Filter: 'name ^= "na"', PaginationToken: filtered }),
        invalid,
      )
      await assert.rejects(app.aws.listUsers({ UserPoolId: other.UserPoolId, PaginationToken: unfiltered }), invalid)
      await assert.rejects(app.aws.listUsersInGroup({ UserPoolId, GroupName: 'staff', NextToken: unfiltered }), {
        name: 'InvalidParameterException',
      })
      app.advance(minutes(59))
      const next = { UserPoolId, Limit: 60 }
      assert.equal((await app.aws.listUsers({ ...next, PaginationToken: unfiltered })).Users?.length, 2)
      assert.equal((await app.aws.listUsers({ ...next, Filter, PaginationToken: filtered })).Users?.length, 2)
      app.advance(hours(1))
      await assert.rejects(app.aws.listUsers({ ...next, PaginationToken: unfiltered }), invalid)
    })
  })

  test('every query finds its rows in the order of an index, at ten thousand users', async () => {
    const pools = [await createTestPool(app), await createTestPool(app)] as const
    for (const pool of pools) await fill(pool, 5_000)
    const { db } = app.database
    if (app.kind === 'postgres') {
      for (const table of ['users', 'user_attributes', 'group_members']) await db.executeQuery(raw(`analyze ${table}`))
    }
    const ctx: Context = {
      ...app.app.services,
      requestId: 'test',
      region: 'us-east-1',
      publicUrl: app.url,
      sourceIp: undefined,
      userAgent: undefined,
    }
    const pool = await getPool(ctx, pools[0].UserPoolId)
    const list = (recording: Context['db'], filter: string | undefined, token?: string) =>
      listUsers({ ...ctx, db: recording }, pool, { filter, token, limit: 2 })
    const table: [filter: string | undefined, index: string][] = [
      [undefined, 'users_by_pool'],
      ['sub ^= "1"', 'users_by_pool'],
      ['username ^= "user4"', 'users_by_username'],
      ['username = "user42"', 'users_by_username'],
      ['cognito:user_status = "CONFIRMED"', 'users_by_status'],
      ['status = "Enabled"', 'users_by_enabled'],
      ['status = "Disabled"', 'users_by_enabled'],
      ...['email', 'phone_number', 'name', 'given_name', 'family_name', 'preferred_username'].flatMap(
        (name): [string, string][] => [
          [`${name} ^= ""`, 'user_attributes_by_search'],
          [`${name} ^= "${name[0]}"`, 'user_attributes_by_search'],
          [`${name} = "${name}42"`, 'user_attributes_by_search'],
        ],
      ),
    ]
    for (const [filter, index] of table) {
      const first = await explain(recording => list(recording, filter))
      assert.ok(first.result.users.length > 0, filter)
      for (const plan of first.plans) assertOrderedBy(plan, index, filter)
      const token = first.result.nextToken
      if (token === undefined) continue
      const second = await explain(recording => list(recording, filter, token))
      assert.ok(second.result.users.length > 0, filter)
      for (const plan of second.plans) {
        assertOrderedBy(plan, index, filter)
        // The page begins in the index where the one before ended.
        assert.match(plan, /\bid>\?|\)>\(\?,\?\)|Index Cond: .*(\bid > |ROW\(.*\) > ROW\()/, plan)
      }
    }
    const members = await explain(recording => membersOf({ ...ctx, db: recording }, pool, 'group', '0', 61))
    for (const plan of members.plans) assertOrderedBy(plan, 'group_members_by_group', 'members')
  })

  /** The plans of the first query that the work sends; PostgreSQL has one for these parameters and one for any. */
  const explain = async <T>(work: (db: Context['db']) => Promise<T>): Promise<{ plans: string[]; result: T }> => {
    const { db } = app.database
    const nodes: RootOperationNode[] = []
    const recording = db.withPlugin({
      transformQuery: ({ node }) => {
        nodes.push(node)
        return node
      },
      transformResult: async ({ result }) => result,
    })
    const result = await work(recording)
    const [node] = nodes
    assert.ok(node)
    const { sql, parameters } = db.getExecutor().compileQuery(node, createQueryId())
    const commands =
      app.kind === 'sqlite'
        ? [raw(`explain query plan ${sql}`, parameters)]
        : [raw(`explain ${sql}`, parameters), raw(`explain (generic_plan) ${sql}`)]
    const plans = await Promise.all(
      commands.map(async command => {
        const { rows } = await db.executeQuery<Record<string, unknown>>(command)
        return rows.map(row => String(row['detail'] ?? row['QUERY PLAN'])).join('\n')
      }),
    )
    return { plans, result }
  }

  const raw = (sql: string, parameters: readonly unknown[] = []) => CompiledQuery.raw(sql, [...parameters])

  const assertOrderedBy = (plan: string, index: string, what = '') => {
    assert.match(plan, new RegExp(`\\b${index}\\b`), `${what}\n${plan}`)
    assert.doesNotMatch(plan, /SCAN|TEMP B-TREE|Seq Scan|Sort|Bitmap|Filter/, `${what}\n${plan}`)
  }

  /** Users straight into the tables: user0, user1, … with every attribute that can be searched. */
  const fill = async ({ UserPoolId }: Pick<TestPool, 'UserPoolId'>, count: number): Promise<void> => {
    const { db } = app.database
    const now = app.now()
    const users = Array.from({ length: count }, (_, index) => ({
      id: randomUUID(),
      pool_id: UserPoolId,
      username: `user${index}`,
      username_search: `user${index}`,
      status: index % 100 === 0 ? 'UNCONFIRMED' : 'CONFIRMED',
      enabled: index % 100 === 1 ? 0 : 1,
      created_at: now,
      updated_at: now,
    }))
    const names = ['email', 'phone_number', 'name', 'given_name', 'family_name', 'preferred_username']
    const rows = users.flatMap(({ id, username }) =>
      names.map(name => {
        const value = username.replace('user', name)
        return { user_id: id, pool_id: UserPoolId, name, value, search: searchText(name, value) }
      }),
    )
    const sign_in_names = users.map(({ id, username }) => ({
      pool_id: UserPoolId,
      name_key: username,
      kind: 'username',
      user_id: id,
    }))
    await db.transaction().execute(async tx => {
      for (const batch of batches(users)) await tx.insertInto('users').values(batch).execute()
      for (const batch of batches(rows)) await tx.insertInto('user_attributes').values(batch).execute()
      for (const batch of batches(sign_in_names)) await tx.insertInto('sign_in_names').values(batch).execute()
      if (count < 100) return
      const group = { pool_id: UserPoolId, created_at: now }
      await tx
        .insertInto('groups')
        .values({ ...group, name: 'group', description: null, role_arn: null, precedence: null, updated_at: now })
        .execute()
      const members = users.map(({ id }) => ({ ...group, group_name: 'group', user_id: id }))
      for (const batch of batches(members)) await tx.insertInto('group_members').values(batch).execute()
    })
  }

  const batches = <Row>(rows: Row[]): Row[][] =>
    Array.from({ length: Math.ceil(rows.length / 2_000) }, (_, index) => rows.slice(index * 2_000, (index + 1) * 2_000))
})
