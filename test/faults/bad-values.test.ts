/** Values that have the right form and a wrong meaning: stolen page tokens, slow patterns, numbers that overflow. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { operations, structures } from '../../src/contract/model.ts'
import type { OperationName } from '../../src/contract/types.ts'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import {
  attributeList,
  createSignedInUser,
  createTestPool,
  createTestUser,
  type TestPool,
} from '../support/directory.ts'
import { smallestInput } from '../support/model-inputs.ts'
import { assertUnharmed } from '../support/unharmed.ts'
import { createWire, type Wire } from '../support/wire.ts'

onEachDatabase(testApp => {
  let app: TestApp
  let wire: Wire
  before(async () => {
    app = await testApp()
    wire = createWire(app.url)
  })
  after(() => wire.close())

  /** A pool in which every list has at least two pages of one. */
  const createPages = async (): Promise<TestPool & { AccessToken: string }> => {
    const pool = await createTestPool(app)
    const AccessToken = await createSignedInUser(app, pool, 'ann', { email: 'ann@example.com' })
    await createTestUser(app, pool, 'bob', { email: 'bob@example.com' })
    const { UserPoolId } = pool
    for (const GroupName of ['a', 'b']) {
      await app.aws.createGroup({ UserPoolId, GroupName })
      await app.aws.createResourceServer({ UserPoolId, Identifier: GroupName, Name: GroupName })
      await app.aws.createUserPoolClient({ UserPoolId, ClientName: GroupName })
      for (const Username of ['ann', 'bob']) await app.aws.adminAddUserToGroup({ UserPoolId, Username, GroupName })
    }
    return { ...pool, AccessToken }
  }

  /** The operations that go on with a token, and the one that they give for a page of one entry. */
  const lists = async (pool: TestPool & { AccessToken: string }) => {
    const known = { ...pool, Username: 'ann', GroupName: 'a' }
    const found: { name: OperationName; input: Record<string, unknown>; member: string; token: string | undefined }[] =
      []
    for (const [name, { input: structure }] of Object.entries(operations)) {
      const members = Object.keys(structures[structure]?.members ?? {})
      const member = members.find(candidate => candidate === 'NextToken' || candidate === 'PaginationToken')
      if (member === undefined) continue
      const size = members.find(candidate => candidate === 'MaxResults' || candidate === 'Limit')
      const input = { ...smallestInput(name as OperationName, known), ...(size !== undefined && { [size]: 1 }) }
      const { status, text } = await wire.call(name, input)
      // Some lists belong to a feature that this pool has switched off.
      if (status !== 200) continue
      found.push({
        name: name as OperationName,
        input,
        member,
        token: (JSON.parse(text) as Record<string, string>)[member],
      })
    }
    return found
  }

  test('a page token is good for its own list of its own pool and for nothing else', async () => {
    const own = await lists(await createPages())
    const others = await lists(await createPages())
    assert.ok(own.filter(({ token }) => token !== undefined).length >= 6)
    const poolLists = ['ListUserPools']
    await assertUnharmed(app, async () => {
      for (const { name, input, member, token } of own) {
        if (token !== undefined) {
          const next = await wire.call(name, { ...input, [member]: token })
          assert.equal(next.status, 200, `${name}: ${next.text}`)
        }
        const foreign = [...own.filter(list => list.name !== name), ...others.filter(list => list.name === name)]
        for (const list of foreign) {
          if (list.token === undefined || (poolLists.includes(name) && list.name === name)) continue
          const { status, type } = await wire.call(name, { ...input, [member]: list.token })
          assert.deepEqual([status, type], [400, 'InvalidParameterException'], `${name} with the token of ${list.name}`)
        }
      }
    })
  })

  test('a page token that was changed or made up is refused', async () => {
    const [users] = (await lists(await createPages())).filter(({ name }) => name === 'ListUsers')
    const token = users?.token ?? ''
    assert.ok(token.length > 20)
    const changed = Array.from({ length: 256 }, (_, index) => {
      const at = index % token.length
      const other = token[at] === 'A' ? 'B' : 'A'
      return `${token.slice(0, at)}${other}${token.slice(at + 1)}`
    })
    const made = [
      'a',
      '0',
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      token.repeat(2),
      Buffer.from('{"offset":1}').toString('base64'),
    ]
    await assertUnharmed(app, async () => {
      for (const PaginationToken of [...changed, ...made]) {
        const { status, type } = await wire.call('ListUsers', { ...users?.input, PaginationToken })
        assert.deepEqual([status, type], [400, 'InvalidParameterException'], PaginationToken)
      }
    })
  })

  test('a token belongs to the filter that it was given for', async () => {
    const { UserPoolId } = await createPages()
    await createTestUser(app, { UserPoolId }, 'anna', { email: 'ann@elsewhere.example' })
    const first = await app.aws.listUsers({ UserPoolId, Limit: 1, Filter: 'email ^= "ann"' })
    assert.ok(first.PaginationToken)
    const again = { UserPoolId, Limit: 1, PaginationToken: first.PaginationToken }
    assert.equal((await app.aws.listUsers({ ...again, Filter: 'email ^= "ann"' })).Users?.length, 1)
    for (const Filter of [undefined, 'email ^= "b"', 'username ^= "ann"']) {
      await assert.rejects(app.aws.listUsers({ ...again, Filter }), { name: 'InvalidParameterException' }, Filter)
    }
  })

  test('a filter is a filter and no way into the database', async () => {
    const { UserPoolId } = await createTestPool(app)
    const names = ['per%cent', 'under_score', 'back\\slash', 'quote"d', "apo'strophe", 'plain']
    for (const name of names) await createTestUser(app, { UserPoolId }, name, { given_name: name })
    const other = await createTestPool(app)
    await createTestUser(app, other, 'plain', { given_name: 'plain' })
    const find = async (Filter: string) =>
      (await app.aws.listUsers({ UserPoolId, Filter })).Users?.map(({ Username }) => Username).sort()
    const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    for (const name of names) {
      assert.deepEqual(await find(`given_name = ${quoted(name)}`), [name])
      assert.deepEqual(await find(`given_name ^= ${quoted(name.slice(0, -1))}`), [name])
    }
    for (const text of ['%', '_', '%%', '_lain', "' or '1'='1", "x' or 1=1 --", '*', 'p%']) {
      assert.deepEqual(await find(`given_name ^= ${quoted(text)}`), [], text)
    }
    await assertUnharmed(app, async () => {
      for (const Filter of [
        'given_name = "a',
        'given_name "a"',
        'given_name = a or 1=1',
        '" or 1=1 --',
        'given_name = "a" or given_name = "b"',
        'given_name == "a"',
        'users.id = "a"',
        '__proto__ = "a"',
        'constructor ^= "a"',
        'password_verifier ^= ""',
        'custom:x = "a"',
        `given_name = "${'a'.repeat(300)}"`,
      ]) {
        const { status, type } = await wire.call('ListUsers', { UserPoolId, Filter })
        assert.deepEqual([status, type], [400, 'InvalidParameterException'], Filter)
      }
    })
  })

  test('no text takes longer than others of its length, however it was made for a pattern', async () => {
    const { UserPoolId, ClientId } = await createTestPool(app)
    await createTestUser(app, { UserPoolId }, 'ann')
    const update = (Name: string, Value: string) =>
      wire.call('AdminUpdateUserAttributes', { UserPoolId, Username: 'ann', UserAttributes: [{ Name, Value }] })
    const redirect = (url: string) =>
      wire.call('UpdateUserPoolClient', {
        UserPoolId,
        ClientId,
        CallbackURLs: [url],
        LogoutURLs: [url],
        DefaultRedirectURI: url,
      })
    const message = (member: string, text: string) =>
      wire.call('UpdateUserPool', { UserPoolId, VerificationMessageTemplate: { [member]: text } })
    const cases: [string, () => Promise<{ status: number; text: string }>][] = [
      ['@ signs', () => update('email', '@'.repeat(2_048))],
      ['dots before an @', () => update('email', `${'a.'.repeat(1_000)}@`)],
      ['labels of a domain', () => update('email', `a@${'a-'.repeat(1_000)}!`)],
      ['quoted parts', () => update('email', `${'"a'.repeat(1_000)}@a`)],
      ['digits', () => update('phone_number', `+${'1'.repeat(2_000)}`)],
      ['signs', () => update('phone_number', '+'.repeat(2_048))],
      ['a birthdate', () => update('birthdate', '0-'.repeat(1_000))],
      ['a time', () => update('updated_at', `${'9'.repeat(2_000)}x`)],
      ['a redirect of slashes', () => redirect(`https://${'/'.repeat(1_000)}`)],
      ['a redirect of colons', () => redirect(`https://a${':'.repeat(1_000)}`)],
      ['a redirect of dots', () => redirect(`http://${'a.'.repeat(500)}`)],
      ['opening marks', () => message('EmailMessage', '{'.repeat(20_000))],
      ['half links', () => message('EmailMessageByLink', '{##'.repeat(6_600))],
      ['half codes', () => message('EmailMessage', '{####'.repeat(4_000))],
      ['spaces', () => message('EmailMessage', `${' '.repeat(19_990)}\u0007`)],
      [
        'a reply address',
        () =>
          wire.call('UpdateUserPool', {
            UserPoolId,
            EmailConfiguration: { ReplyToEmailAddress: `${'a'.repeat(60_000)}@` },
          }),
      ],
      [
        '@ signs to reply to',
        () =>
          wire.call('UpdateUserPool', {
            UserPoolId,
            EmailConfiguration: { ReplyToEmailAddress: `${'@'.repeat(60_000)} ` },
          }),
      ],
      ['a password', () => wire.call('SignUp', { ClientId, Username: 'bob', Password: `${'a'.repeat(255)} ` })],
      ['a pool id', () => wire.call('DescribeUserPool', { UserPoolId: '-_'.repeat(27) })],
      ['an ARN', () => wire.call('ListTagsForResource', { ResourceArn: `arn:${'a:'.repeat(1_000)}` })],
      ['a filter', () => wire.call('ListUsers', { UserPoolId, Filter: `email ^= "${'\\'.repeat(240)}` })],
      [
        'a session',
        () => wire.call('RespondToAuthChallenge', { ClientId, ChallengeName: 'SMS_MFA', Session: 'A'.repeat(2_000) }),
      ],
      ['a token', () => wire.call('GetUser', { AccessToken: `${'.'.repeat(60_000)}` })],
      ['a base64 token', () => wire.call('GetUser', { AccessToken: `${'A'.repeat(30_000)}.${'A'.repeat(30_000)}.A` })],
    ]
    await assertUnharmed(app, async () => {
      for (const [what, send] of cases) {
        let quickest = Number.POSITIVE_INFINITY
        for (let run = 0; run < 3; run++) {
          const start = performance.now()
          const { status, text } = await send()
          quickest = Math.min(quickest, performance.now() - start)
          assert.equal(status, 400, `${what}: ${text.slice(0, 200)}`)
        }
        assert.ok(quickest < 50, `${what}: ${quickest} ms`)
      }
    })
  })

  test('a validity that no date can hold is refused when it is set', async () => {
    const { UserPoolId, ClientId } = await createTestPool(app)
    const units = (unit: 'days' | 'hours' | 'minutes' | 'seconds') => ({
      AccessToken: unit,
      IdToken: unit,
      RefreshToken: unit,
    })
    await assertUnharmed(app, async () => {
      for (const settings of [
        { RefreshTokenValidity: 315_360_000, TokenValidityUnits: units('days') },
        { RefreshTokenValidity: 3_651, TokenValidityUnits: units('days') },
        { RefreshTokenValidity: 59, TokenValidityUnits: units('minutes') },
        { AccessTokenValidity: 86_400, TokenValidityUnits: units('days') },
        { AccessTokenValidity: 25, TokenValidityUnits: units('hours') },
        { IdTokenValidity: 299, TokenValidityUnits: units('seconds') },
        { AccessTokenValidity: -1 },
        { AccessTokenValidity: 2 ** 31 },
        { AuthSessionValidity: 16 },
      ]) {
        const { status, type } = await wire.call('UpdateUserPoolClient', { UserPoolId, ClientId, ...settings })
        assert.deepEqual([status, type], [400, 'InvalidParameterException'], JSON.stringify(settings))
      }
    })
    const { UserPoolClient } = await app.aws.updateUserPoolClient({
      UserPoolId,
      ClientId,
      RefreshTokenValidity: 3_650,
      TokenValidityUnits: { RefreshToken: 'days' },
    })
    assert.equal(UserPoolClient?.RefreshTokenValidity, 3_650)
  })

  test('an attribute list with the same name twice is read the same way everywhere', async () => {
    const { UserPoolId } = await createTestPool(app, { UsernameConfiguration: { CaseSensitive: false } })
    const twice = [...attributeList({ nickname: 'first' }), ...attributeList({ nickname: 'second' })]
    const created = await wire.call('AdminCreateUser', {
      UserPoolId,
      Username: 'ann',
      UserAttributes: twice,
      MessageAction: 'SUPPRESS',
    })
    assert.ok(created.status === 200 || created.type === 'InvalidParameterException', created.text)
    if (created.status === 200) {
      const { UserAttributes } = await app.aws.adminGetUser({ UserPoolId, Username: 'ann' })
      assert.equal(UserAttributes?.filter(({ Name }) => Name === 'nickname').length, 1)
    }
  })
})
