import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  createSignedInUser,
  createTestPool,
  createTestUser,
  outcomes,
  signInUser,
  type TestPool,
} from '../../../test/support/directory.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const groupNotFound = { name: 'ResourceNotFoundException', message: 'Group not found.' }
  const userNotFound = { name: 'UserNotFoundException', message: 'User does not exist.' }
  const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`

  const create = async ({ UserPoolId }: TestPool, GroupName: string, members = {}) =>
    (await app.aws.createGroup({ UserPoolId, GroupName, ...members })).Group
  const add = ({ UserPoolId }: TestPool, Username: string, GroupName: string) =>
    app.aws.adminAddUserToGroup({ UserPoolId, Username, GroupName })
  const remove = ({ UserPoolId }: TestPool, Username: string, GroupName: string) =>
    app.aws.adminRemoveUserFromGroup({ UserPoolId, Username, GroupName })
  const groupsOf = async ({ UserPoolId }: TestPool, Username: string) =>
    (await app.aws.adminListGroupsForUser({ UserPoolId, Username })).Groups?.map(({ GroupName }) => GroupName)
  const membersOf = async ({ UserPoolId }: TestPool, GroupName: string) =>
    (await app.aws.listUsersInGroup({ UserPoolId, GroupName })).Users?.map(({ Username }) => Username)

  describe('a group', () => {
    test('has the members that were given, and only those', async () => {
      const pool = await createTestPool(app)
      const now = new Date(app.now())
      const plain = { GroupName: 'plain', UserPoolId: pool.UserPoolId, LastModifiedDate: now, CreationDate: now }
      assert.deepEqual(await create(pool, 'plain'), plain)
      const members = { Description: 'All of it', RoleArn: role('staff'), Precedence: 0 }
      const full = { ...plain, GroupName: 'full', ...members }
      assert.deepEqual(await create(pool, 'full', members), full)
      const { UserPoolId } = pool
      assert.deepEqual((await app.aws.getGroup({ UserPoolId, GroupName: 'full' })).Group, full)
      assert.deepEqual((await app.aws.listGroups({ UserPoolId })).Groups, [full, plain])
    })

    test('changes in the members that are sent', async () => {
      const pool = await createTestPool(app)
      const created = await create(pool, 'staff', { Description: 'Old', RoleArn: role('staff'), Precedence: 5 })
      app.advance(hours(1))
      const input = { UserPoolId: pool.UserPoolId, GroupName: 'staff' }
      const { Group } = await app.aws.updateGroup({ ...input, Description: 'New' })
      assert.deepEqual(Group, { ...created, Description: 'New', LastModifiedDate: new Date(app.now()) })
      await app.aws.updateGroup({ ...input, RoleArn: role('other'), Precedence: 0 })
      assert.deepEqual((await app.aws.getGroup(input)).Group, { ...Group, RoleArn: role('other'), Precedence: 0 })
    })

    test('has a name that no other group of the pool has', async () => {
      const pool = await createTestPool(app)
      await create(pool, 'staff', { Description: 'first' })
      await assert.rejects(create(pool, 'staff', { Description: 'second' }), {
        name: 'GroupExistsException',
        message: 'A group with the name already exists',
      })
      const { Group } = await app.aws.getGroup({ UserPoolId: pool.UserPoolId, GroupName: 'staff' })
      assert.equal(Group?.Description, 'first')
      await create(pool, 'Staff')
      await create(await createTestPool(app), 'staff')
      const results = await Promise.allSettled(Array.from({ length: 12 }, () => create(pool, 'race')))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['GroupExistsException']) })
    })

    test('that is unknown is reported by every operation, also when another pool has it', async () => {
      const pool = await createTestPool(app)
      await create(await createTestPool(app), 'staff')
      await createTestUser(app, pool, 'ann')
      const group = { UserPoolId: pool.UserPoolId, GroupName: 'staff' }
      const user = { ...group, Username: 'ann' }
      await assert.rejects(app.aws.getGroup(group), groupNotFound)
      await assert.rejects(app.aws.updateGroup({ ...group, Precedence: 1 }), groupNotFound)
      await assert.rejects(app.aws.deleteGroup(group), groupNotFound)
      await assert.rejects(app.aws.listUsersInGroup(group), groupNotFound)
      await assert.rejects(app.aws.adminAddUserToGroup(user), groupNotFound)
      await assert.rejects(app.aws.adminRemoveUserFromGroup(user), groupNotFound)
      const nowhere = { UserPoolId: 'us-east-1_nobody', GroupName: 'staff' }
      const poolNotFound = {
        name: 'ResourceNotFoundException',
        message: 'User pool us-east-1_nobody does not exist.',
      }
      await assert.rejects(app.aws.createGroup(nowhere), poolNotFound)
      await assert.rejects(app.aws.listGroups(nowhere), poolNotFound)
      await assert.rejects(app.aws.getGroup(nowhere), poolNotFound)
    })

    test('is deleted with its memberships and comes back without members', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann')
      for (const name of ['staff', 'other']) {
        await create(pool, name)
        await add(pool, 'ann', name)
      }
      await app.aws.deleteGroup({ UserPoolId: pool.UserPoolId, GroupName: 'staff' })
      assert.deepEqual(await groupsOf(pool, 'ann'), ['other'])
      await create(pool, 'staff')
      assert.deepEqual(await membersOf(pool, 'staff'), [])
      assert.deepEqual(await membersOf(pool, 'other'), ['ann'])
    })

    test('is one of at most ten thousand in a pool', async () => {
      const pool = await createTestPool(app)
      const filler = Array.from({ length: 9_999 }, (_, index) => ({
        pool_id: pool.UserPoolId,
        name: `g${index}`,
        description: null,
        role_arn: null,
        precedence: null,
        created_at: 1,
        updated_at: 1,
      }))
      for (let index = 0; index < filler.length; index += 1_000) {
        await app.database.db
          .insertInto('groups')
          .values(filler.slice(index, index + 1_000))
          .execute()
      }
      const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map(name => create(pool, name)))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['LimitExceededException']) })
      await assert.rejects(create(pool, 'g1'), { name: 'GroupExistsException' })
      await create(await createTestPool(app), 'a')
    })
  })

  describe('membership', () => {
    test('shows in both lists and in the tokens of the next sign-in', async () => {
      const pool = await createTestPool(app)
      await createSignedInUser(app, pool, 'ann', { name: 'Ann' })
      await createTestUser(app, pool, 'bob')
      for (const name of ['staff', 'admins']) await create(pool, name, { Precedence: 1 })
      await add(pool, 'ann', 'staff')
      await add(pool, 'ann', 'admins')
      await add(pool, 'bob', 'staff')
      assert.deepEqual(await groupsOf(pool, 'ann'), ['admins', 'staff'])
      assert.deepEqual((await membersOf(pool, 'staff'))?.sort(), ['ann', 'bob'])
      const { UserPoolId } = pool
      const { Groups } = await app.aws.adminListGroupsForUser({ UserPoolId, Username: 'bob' })
      assert.deepEqual(Groups, [(await app.aws.getGroup({ UserPoolId, GroupName: 'staff' })).Group])
      const { Users } = await app.aws.listUsersInGroup({ UserPoolId, GroupName: 'admins' })
      assert.deepEqual(Users, (await app.aws.listUsers({ UserPoolId, Filter: 'username = "ann"' })).Users)

      const groupsInToken = (token: string) =>
        JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())['cognito:groups']
      assert.deepEqual(groupsInToken(await signInUser(app, pool, 'ann')).sort(), ['admins', 'staff'])
      await remove(pool, 'ann', 'admins')
      assert.deepEqual(groupsInToken(await signInUser(app, pool, 'ann')), ['staff'])
      assert.deepEqual(await groupsOf(pool, 'ann'), ['staff'])
    })

    test('begins and ends only once', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann')
      await create(pool, 'staff')
      const before = await app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'ann' })
      app.advance(hours(1))
      await Promise.all(Array.from({ length: 8 }, () => add(pool, 'ann', 'staff')))
      await add(pool, 'ann', 'staff')
      assert.deepEqual(await membersOf(pool, 'staff'), ['ann'])
      await Promise.all([remove(pool, 'ann', 'staff'), remove(pool, 'ann', 'staff')])
      await remove(pool, 'ann', 'staff')
      assert.deepEqual(await membersOf(pool, 'staff'), [])
      const after = await app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'ann' })
      assert.deepEqual(after.UserLastModifiedDate, before.UserLastModifiedDate)
    })

    test('needs a user of the same pool, and says so before it speaks of the group', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, await createTestPool(app), 'ann')
      await create(pool, 'staff')
      for (const group of ['staff', 'none']) {
        await assert.rejects(add(pool, 'ann', group), userNotFound)
        await assert.rejects(remove(pool, 'ann', group), userNotFound)
      }
      await assert.rejects(groupsOf(pool, 'ann'), userNotFound)
      assert.deepEqual(await membersOf(pool, 'staff'), [])
    })

    test('accepts every name of the user', async () => {
      const pool = await createTestPool(app, { UsernameAttributes: ['email'] })
      const { Username } = await createTestUser(app, pool, 'ann@example.com')
      await create(pool, 'staff')
      await add(pool, 'ann@example.com', 'staff')
      assert.deepEqual(await membersOf(pool, 'staff'), [Username])
      assert.deepEqual(await groupsOf(pool, Username ?? ''), ['staff'])
      await remove(pool, Username ?? '', 'staff')
      assert.deepEqual(await groupsOf(pool, 'ann@example.com'), [])
    })

    test('is limited to a hundred groups a user', async () => {
      const pool = await createTestPool(app)
      const { Attributes } = await createTestUser(app, pool, 'ann')
      const names = Array.from({ length: 104 }, (_, index) => `g${String(index).padStart(3, '0')}`)
      for (const name of names) await create(pool, name)
      const user_id = Attributes?.[0]?.Value ?? ''
      await app.database.db
        .insertInto('group_members')
        .values(
          names.slice(0, 99).map(group_name => ({ pool_id: pool.UserPoolId, group_name, user_id, created_at: 1 })),
        )
        .execute()
      const results = await Promise.allSettled(names.slice(99).map(name => add(pool, 'ann', name)))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['InvalidParameterException']) })
      await add(pool, 'ann', 'g000')
      await remove(pool, 'ann', 'g000')
      await add(pool, 'ann', 'g000')
      const { Groups, NextToken } = await app.aws.adminListGroupsForUser({
        UserPoolId: pool.UserPoolId,
        Username: 'ann',
      })
      assert.equal(Groups?.length, 60)
      const rest = await app.aws.adminListGroupsForUser({ UserPoolId: pool.UserPoolId, Username: 'ann', NextToken })
      assert.equal(rest.Groups?.length, 40)
      assert.equal(rest.NextToken, undefined)
    })

    test('in a group that is deleted at the same time is refused or gone', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann')
      for (let round = 0; round < 6; round++) {
        await create(pool, 'brief')
        const results = await Promise.allSettled([
          add(pool, 'ann', 'brief'),
          app.aws.deleteGroup({ UserPoolId: pool.UserPoolId, GroupName: 'brief' }),
          add(pool, 'ann', 'brief'),
        ])
        const { errors } = outcomes(results)
        errors.delete('ResourceNotFoundException')
        assert.deepEqual(errors, new Set())
        assert.deepEqual(await groupsOf(pool, 'ann'), [])
      }
    })
  })

  describe('pages', () => {
    /** Walks through all pages; the number of rows on each page, and all rows. */
    const walk = async <Row>(
      page: (token: string | undefined) => Promise<{ rows: Row[] | undefined; next: string | undefined }>,
    ) => {
      const sizes: number[] = []
      const all: Row[] = []
      let token: string | undefined
      do {
        const { rows = [], next } = await page(token)
        sizes.push(rows.length)
        all.push(...rows)
        token = next
      } while (token !== undefined)
      return { sizes, all }
    }

    test('of groups, members and groups of a user show each row once', async () => {
      const pool = await createTestPool(app)
      const { UserPoolId } = pool
      const groups = Array.from({ length: 7 }, (_, index) => `group${index}`)
      const users = Array.from({ length: 7 }, (_, index) => `user${index}`)
      for (const name of users) await createTestUser(app, pool, name)
      for (const name of groups) {
        await create(pool, name)
        await add(pool, 'user0', name)
      }
      for (const name of users) await add(pool, name, 'group0')
      const paged = { UserPoolId, Limit: 3 }

      const listed = await walk(async NextToken => {
        const answer = await app.aws.listGroups({ ...paged, NextToken })
        return { rows: answer.Groups?.map(({ GroupName }) => GroupName), next: answer.NextToken }
      })
      assert.deepEqual(listed, { sizes: [3, 3, 1], all: groups })
      const ofUser = await walk(async NextToken => {
        const answer = await app.aws.adminListGroupsForUser({ ...paged, Username: 'user0', NextToken })
        return { rows: answer.Groups?.map(({ GroupName }) => GroupName), next: answer.NextToken }
      })
      assert.deepEqual(ofUser, { sizes: [3, 3, 1], all: groups })
      const members = await walk(async NextToken => {
        const answer = await app.aws.listUsersInGroup({ ...paged, GroupName: 'group0', NextToken })
        return { rows: answer.Users?.map(({ Username }) => Username), next: answer.NextToken }
      })
      assert.deepEqual(members.sizes, [3, 3, 1])
      assert.deepEqual(members.all.sort(), users)
      assert.equal((await app.aws.listGroups({ UserPoolId, Limit: 0 })).Groups?.length, 7)
      assert.equal((await app.aws.listGroups({ UserPoolId, Limit: 7 })).NextToken, undefined)
    })

    test('go on only with the token of the same list', async () => {
      const pool = await createTestPool(app)
      const other = await createTestPool(app)
      for (const { UserPoolId } of [pool, other]) {
        await createTestUser(app, { UserPoolId }, 'ann')
        await createTestUser(app, { UserPoolId }, 'bob')
        for (const name of ['a', 'b']) {
          await create({ ...pool, UserPoolId }, name)
          for (const user of ['ann', 'bob']) await add({ ...pool, UserPoolId }, user, name)
        }
      }
      const { UserPoolId } = pool
      const invalid = { name: 'InvalidParameterException' }
      const first = { UserPoolId, Limit: 1 }
      const groups = (await app.aws.listGroups(first)).NextToken
      const members = (await app.aws.listUsersInGroup({ ...first, GroupName: 'a' })).NextToken
      const ofAnn = (await app.aws.adminListGroupsForUser({ ...first, Username: 'ann' })).NextToken
      assert.ok(groups && members && ofAnn)
      for (const NextToken of [members, ofAnn, 'none', `${groups}A`]) {
        await assert.rejects(app.aws.listGroups({ UserPoolId, NextToken }), invalid)
      }
      await assert.rejects(app.aws.listGroups({ UserPoolId: other.UserPoolId, NextToken: groups }), invalid)
      await assert.rejects(app.aws.listUsersInGroup({ UserPoolId, GroupName: 'b', NextToken: members }), invalid)
      await assert.rejects(app.aws.adminListGroupsForUser({ UserPoolId, Username: 'bob', NextToken: ofAnn }), invalid)
      assert.equal((await app.aws.listGroups({ UserPoolId, NextToken: groups })).Groups?.length, 1)
      const rest = await app.aws.listUsersInGroup({ UserPoolId, GroupName: 'a', NextToken: members })
      assert.equal(rest.Users?.length, 1)
      const more = await app.aws.adminListGroupsForUser({ UserPoolId, Username: 'ann', NextToken: ofAnn })
      assert.equal(more.Groups?.length, 1)
    })
  })
})
