import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateResourceServerCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { hours, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'
import { findPool } from '../user-pools/pool.ts'
import { customScopes } from './resource-server.ts'

const scope = (ScopeName: string, ScopeDescription = `May ${ScopeName}`) => ({ ScopeName, ScopeDescription })

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const createPool = async (more = {}): Promise<string> => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'servers', ...more })
    return UserPool?.Id ?? ''
  }
  const create = async (UserPoolId: string, more: Partial<CreateResourceServerCommandInput> = {}) => {
    const { ResourceServer } = await app.aws.createResourceServer({
      UserPoolId,
      Identifier: 'api',
      Name: 'API',
      ...more,
    })
    assert.ok(ResourceServer)
    return ResourceServer
  }
  const describeServer = async (UserPoolId: string, Identifier = 'api') =>
    (await app.aws.describeResourceServer({ UserPoolId, Identifier })).ResourceServer
  const list = async (UserPoolId: string, more = {}) => {
    const { ResourceServers, NextToken } = await app.aws.listResourceServers({ UserPoolId, ...more })
    return { identifiers: ResourceServers?.map(server => server.Identifier), NextToken }
  }
  const notFound = (identifier = 'api') => ({
    name: 'ResourceNotFoundException',
    message: `Resource server ${identifier} does not exist.`,
  })

  describe('a resource server', () => {
    test('comes back as it was created', async () => {
      const UserPoolId = await createPool()
      const members = {
        Identifier: 'https://api.example.com/v1',
        Name: 'My API, v=1.0 @home',
        Scopes: [scope('write'), scope('read:all', 'Read "everything" / ü'), scope('*')],
      }
      const created = await create(UserPoolId, members)
      assert.deepEqual(created, { UserPoolId, ...members })
      assert.deepEqual(await describeServer(UserPoolId, members.Identifier), created)
      const { ResourceServers } = await app.aws.listResourceServers({ UserPoolId })
      assert.deepEqual(ResourceServers, [created])
    })

    test('without scopes shows an empty list', async () => {
      const UserPoolId = await createPool()
      assert.deepEqual(await create(UserPoolId), { UserPoolId, Identifier: 'api', Name: 'API', Scopes: [] })
    })

    test('is replaced by an update, which drops the scopes it omits', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId, { Scopes: [scope('read'), scope('write')] })
      const changed = await app.aws.updateResourceServer({
        UserPoolId,
        Identifier: 'api',
        Name: 'Renamed',
        Scopes: [scope('admin')],
      })
      assert.deepEqual(changed.ResourceServer, {
        UserPoolId,
        Identifier: 'api',
        Name: 'Renamed',
        Scopes: [scope('admin')],
      })
      assert.deepEqual(await describeServer(UserPoolId), changed.ResourceServer)
      await app.aws.updateResourceServer({ UserPoolId, Identifier: 'api', Name: 'Renamed' })
      assert.deepEqual((await describeServer(UserPoolId))?.Scopes, [])
    })

    test('is gone after its deletion and can be made again', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId)
      await app.aws.deleteResourceServer({ UserPoolId, Identifier: 'api' })
      await assert.rejects(describeServer(UserPoolId), notFound())
      assert.deepEqual((await list(UserPoolId)).identifiers, [])
      await create(UserPoolId, { Name: 'Again' })
      assert.equal((await describeServer(UserPoolId))?.Name, 'Again')
    })

    test('belongs to one pool', async () => {
      const [one, other] = [await createPool(), await createPool()]
      await create(one, { Scopes: [scope('read')] })
      await assert.rejects(describeServer(other), notFound())
      await assert.rejects(
        app.aws.updateResourceServer({ UserPoolId: other, Identifier: 'api', Name: 'x' }),
        notFound(),
      )
      await assert.rejects(app.aws.deleteResourceServer({ UserPoolId: other, Identifier: 'api' }), notFound())
      await create(other, { Name: 'Other' })
      assert.equal((await describeServer(one))?.Name, 'API')
      assert.equal((await describeServer(other))?.Name, 'Other')
    })

    test('goes with its pool', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId)
      await app.aws.deleteUserPool({ UserPoolId })
      const rows = await app.database.db
        .selectFrom('resource_servers')
        .select('identifier')
        .where('pool_id', '=', UserPoolId)
        .execute()
      assert.deepEqual(rows, [])
    })
  })

  describe('is refused', () => {
    test('an identifier that exists in the pool', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId)
      await assert.rejects(create(UserPoolId, { Name: 'Second' }), {
        name: 'InvalidParameterException',
        message: `api already exists in user pool ${UserPoolId}.`,
      })
      assert.equal((await describeServer(UserPoolId))?.Name, 'API')
      // Identifiers differ by letter case.
      await create(UserPoolId, { Identifier: 'API' })
    })

    test('all but one of many creations of the same identifier at once', async () => {
      const UserPoolId = await createPool()
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => create(UserPoolId, { Name: `Racer ${n}` })),
      )
      const winners = outcomes.filter(outcome => outcome.status === 'fulfilled')
      assert.equal(winners.length, 1)
      assert.deepEqual(await describeServer(UserPoolId), winners[0]?.value)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.name, 'InvalidParameterException')
      }
    })

    test('an identifier of the service', async () => {
      const UserPoolId = await createPool()
      for (const Identifier of ['aws.cognito', 'aws.cognito/dcr', 'aws.cognito.signin.user.admin']) {
        await assert.rejects(create(UserPoolId, { Identifier }), { name: 'InvalidParameterException' })
      }
      await create(UserPoolId, { Identifier: 'aws.example' })
    })

    test('a scope that is given twice', async () => {
      const UserPoolId = await createPool()
      const Scopes = [scope('read'), scope('write'), scope('read', 'Again')]
      await assert.rejects(create(UserPoolId, { Scopes }), { name: 'InvalidParameterException' })
      await create(UserPoolId)
      await assert.rejects(app.aws.updateResourceServer({ UserPoolId, Identifier: 'api', Name: 'API', Scopes }), {
        name: 'InvalidParameterException',
      })
    })

    test('a pool, server or region that does not exist', async () => {
      const UserPoolId = await createPool()
      const unknown = 'us-east-1_000000000'
      const noPool = { name: 'ResourceNotFoundException', message: `User pool ${unknown} does not exist.` }
      const named = { UserPoolId: unknown, Identifier: 'api' }
      await assert.rejects(create(unknown), noPool)
      await assert.rejects(app.aws.describeResourceServer(named), noPool)
      await assert.rejects(app.aws.updateResourceServer({ ...named, Name: 'API' }), noPool)
      await assert.rejects(app.aws.deleteResourceServer(named), noPool)
      await assert.rejects(app.aws.listResourceServers({ UserPoolId: unknown }), noPool)
      await assert.rejects(describeServer(UserPoolId), notFound())
      await assert.rejects(app.aws.updateResourceServer({ UserPoolId, Identifier: 'api', Name: 'API' }), notFound())
      await assert.rejects(app.aws.deleteResourceServer({ UserPoolId, Identifier: 'api' }), notFound())
      await create(UserPoolId)
      await assert.rejects(
        app.client({ region: 'eu-west-1' }).describeResourceServer({ UserPoolId, Identifier: 'api' }),
        { name: 'ResourceNotFoundException', message: `User pool ${UserPoolId} does not exist.` },
      )
    })

    const long = 'a'.repeat(257)
    const malformed: [string, Partial<CreateResourceServerCommandInput>][] = [
      ['an identifier with a space', { Identifier: 'my api' }],
      ['an identifier with a quotation mark', { Identifier: 'my"api' }],
      ['an identifier with a backslash', { Identifier: 'my\\api' }],
      ['a long identifier', { Identifier: long }],
      ['a name with a slash', { Name: 'my/api' }],
      ['a long name', { Name: long }],
      ['a scope with a slash', { Scopes: [scope('a/b')] }],
      ['a long scope', { Scopes: [scope(long, 'Long')] }],
      ['an empty description', { Scopes: [scope('read', '')] }],
      ['more than 100 scopes', { Scopes: Array.from({ length: 101 }, (_, n) => scope(`s${n}`)) }],
    ]
    for (const [title, members] of malformed) {
      test(title, async () => {
        await assert.rejects(create(await createPool(), members), {
          name: 'InvalidParameterException',
          message: /^1 validation error detected: /,
        })
      })
    }

    test('nothing of what is allowed at most', async () => {
      const name = 'a'.repeat(256)
      const Scopes = Array.from({ length: 100 }, (_, n) => scope(`${n}`.padEnd(256, 'x'), name))
      const created = await create(await createPool(), { Identifier: name, Name: name, Scopes })
      assert.deepEqual(created.Scopes, Scopes)
    })

    test('the 26th server of a pool, but not the 25th', async () => {
      const [UserPoolId, other] = [await createPool(), await createPool()]
      for (let n = 1; n <= 20; n += 1) await create(UserPoolId, { Identifier: `s${n}` })
      // Five places are left for twelve that come at the same time.
      const racers = Array.from({ length: 12 }, (_, n) => `racer${n}`)
      const race = async () => {
        const outcomes = await Promise.allSettled(racers.map(Identifier => create(UserPoolId, { Identifier })))
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.equal(outcome.reason.name, 'LimitExceededException')
        }
        return racers.filter((_, n) => outcomes[n]?.status === 'fulfilled')
      }
      for (let round = 0; round < 4; round += 1) {
        const winners = await race()
        assert.equal(winners.length, 5)
        for (const Identifier of winners) await app.aws.deleteResourceServer({ UserPoolId, Identifier })
      }
      assert.equal((await race()).length, 5)
      await assert.rejects(create(UserPoolId, { Identifier: 'one-more' }), { name: 'LimitExceededException' })
      assert.equal((await list(UserPoolId)).identifiers?.length, 25)
      await create(other)
      await app.aws.deleteResourceServer({ UserPoolId, Identifier: 's1' })
      await create(UserPoolId, { Identifier: 'one-more' })
    })
  })

  describe('the list', () => {
    test('comes in pages, in a stable order, each server once', async () => {
      const UserPoolId = await createPool()
      const identifiers = ['b', 'B', 'a', 'https://x.example', '_', '~', 'aa', '0']
      for (const Identifier of identifiers) await create(UserPoolId, { Identifier })
      await create(await createPool(), { Identifier: 'other' })
      const first = await list(UserPoolId, { MaxResults: 3 })
      assert.equal(first.identifiers?.length, 3)
      // A server that disappears between two pages neither repeats nor hides others.
      const gone = first.identifiers?.[1] ?? ''
      await app.aws.deleteResourceServer({ UserPoolId, Identifier: gone })
      const second = await list(UserPoolId, { MaxResults: 3, NextToken: first.NextToken })
      const third = await list(UserPoolId, { MaxResults: 50, NextToken: second.NextToken })
      assert.equal(third.NextToken, undefined)
      const seen = [first, second, third].flatMap(page => page.identifiers ?? [])
      assert.deepEqual(seen, [...identifiers].sort())
      const all = await list(UserPoolId)
      assert.deepEqual(all.identifiers, [...identifiers].filter(identifier => identifier !== gone).sort())
      assert.equal(all.NextToken, undefined)
    })

    test('has no further page when the last one is full', async () => {
      const UserPoolId = await createPool()
      for (const Identifier of ['a', 'b']) await create(UserPoolId, { Identifier })
      assert.equal((await list(UserPoolId, { MaxResults: 2 })).NextToken, undefined)
    })

    test('takes the token of its own pool only, and sizes from 1 to 50', async () => {
      const [one, other] = [await createPool(), await createPool()]
      for (const Identifier of ['a', 'b']) {
        await create(one, { Identifier })
        await create(other, { Identifier })
      }
      const { NextToken } = await list(one, { MaxResults: 1 })
      assert.ok(NextToken)
      const invalid = { name: 'InvalidParameterException', message: 'Invalid pagination token.' }
      await assert.rejects(list(other, { MaxResults: 1, NextToken }), invalid)
      await assert.rejects(app.aws.listGroups({ UserPoolId: one, Limit: 1, NextToken }), invalid)
      await assert.rejects(list(one, { NextToken: `${NextToken}x` }), invalid)
      assert.deepEqual((await list(one, { NextToken })).identifiers, ['b'])
      for (const MaxResults of [0, 51]) {
        await assert.rejects(list(one, { MaxResults }), { message: /^1 validation error detected: / })
      }
    })
  })

  describe('the server for the registration of clients', () => {
    const Identifier = 'aws.cognito/dcr'

    test('is there while the pool takes registrations, and is nobody else’s to change', async () => {
      const UserPoolId = await createPool({ DcrConfiguration: { EnableStatus: 'Enabled' } })
      const server = await describeServer(UserPoolId, Identifier)
      assert.equal(server?.ManagedBy, 'COGNITO')
      assert.deepEqual(
        server?.Scopes?.map(({ ScopeName }) => ScopeName),
        ['register'],
      )
      await create(UserPoolId, { Identifier: 'zzz' })
      await create(UserPoolId, { Identifier: 'aaa' })
      assert.deepEqual((await list(UserPoolId)).identifiers, ['aaa', Identifier, 'zzz'])
      const first = await list(UserPoolId, { MaxResults: 2 })
      assert.deepEqual(first.identifiers, ['aaa', Identifier])
      assert.deepEqual((await list(UserPoolId, { NextToken: first.NextToken })).identifiers, ['zzz'])
      const refused = { name: 'InvalidParameterException' }
      await assert.rejects(app.aws.updateResourceServer({ UserPoolId, Identifier, Name: 'Mine' }), refused)
      await assert.rejects(app.aws.deleteResourceServer({ UserPoolId, Identifier }), refused)
      const { UserPoolClient } = await app.aws.createUserPoolClient({
        UserPoolId,
        ClientName: 'registrar',
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: ['aws.cognito/dcr/register'],
      })
      assert.deepEqual(UserPoolClient?.AllowedOAuthScopes, ['aws.cognito/dcr/register'])
    })

    test('is not there otherwise', async () => {
      for (const more of [{}, { DcrConfiguration: { EnableStatus: 'Disabled' } }]) {
        const UserPoolId = await createPool(more)
        await assert.rejects(describeServer(UserPoolId, Identifier), notFound(Identifier))
        assert.deepEqual((await list(UserPoolId)).identifiers, [])
      }
    })
  })

  describe('a custom scope', () => {
    const oauth = (UserPoolId: string, ...AllowedOAuthScopes: string[]) => ({
      UserPoolId,
      ClientName: 'web',
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code' as const],
      AllowedOAuthScopes,
      CallbackURLs: ['https://app.example.com/cb'],
    })
    const unknown = (name: string) => ({
      name: 'ScopeDoesNotExistException',
      message: `Invalid scope requested: ${name}`,
    })

    test('can be given to a client of its pool, and of no other', async () => {
      const [UserPoolId, other] = [await createPool(), await createPool()]
      await create(UserPoolId, { Identifier: 'https://api.example.com', Scopes: [scope('read')] })
      const read = 'https://api.example.com/read'
      const { UserPoolClient } = await app.aws.createUserPoolClient(oauth(UserPoolId, 'openid', read))
      assert.deepEqual(UserPoolClient?.AllowedOAuthScopes, ['openid', read])
      await assert.rejects(app.aws.createUserPoolClient(oauth(other, read)), unknown(read))
      for (const name of ['https://api.example.com/write', 'https://api.example.com/', 'read']) {
        await assert.rejects(app.aws.createUserPoolClient(oauth(UserPoolId, read, name)), unknown(name))
      }
      const { ClientId } = UserPoolClient ?? {}
      const { ClientName: _, ...members } = oauth(UserPoolId, 'https://api.example.com/write')
      await assert.rejects(
        app.aws.updateUserPoolClient({ ...members, ClientId }),
        unknown('https://api.example.com/write'),
      )
    })

    test('is enough for client credentials', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId, { Scopes: [scope('read')] })
      const { UserPoolClient } = await app.aws.createUserPoolClient({
        UserPoolId,
        ClientName: 'machine',
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: ['api/read'],
      })
      assert.deepEqual(UserPoolClient?.AllowedOAuthScopes, ['api/read'])
    })

    test('that is deleted stays listed on the client, is inactive, and is active again when it exists again', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId, { Scopes: [scope('read'), scope('write')] })
      const { UserPoolClient } = await app.aws.createUserPoolClient(oauth(UserPoolId, 'api/read', 'api/write'))
      const ClientId = UserPoolClient?.ClientId ?? ''
      const listed = async () =>
        (await app.aws.describeUserPoolClient({ UserPoolId, ClientId })).UserPoolClient?.AllowedOAuthScopes
      const active = async () => {
        const pool = await findPool(app.app.services, UserPoolId)
        assert.ok(pool)
        return [...(await customScopes(app.app.services, pool))]
      }
      assert.deepEqual(await active(), ['api/read', 'api/write'])
      await app.aws.updateResourceServer({ UserPoolId, Identifier: 'api', Name: 'API', Scopes: [scope('read')] })
      assert.deepEqual(await active(), ['api/read'])
      await app.aws.deleteResourceServer({ UserPoolId, Identifier: 'api' })
      assert.deepEqual(await active(), [])
      assert.deepEqual(await listed(), ['api/read', 'api/write'])
      // An update that repeats it is a request for a scope that does not exist.
      const { ClientName: _, ...members } = oauth(UserPoolId, 'api/read')
      await assert.rejects(app.aws.updateUserPoolClient({ ...members, ClientId }), unknown('api/read'))
      await create(UserPoolId, { Scopes: [scope('read')] })
      assert.deepEqual(await active(), ['api/read'])
      await app.aws.updateUserPoolClient({ ...members, ClientId })
      app.advance(hours(1))
      assert.deepEqual(await active(), ['api/read'])
    })
  })
})

test('another node learns of new scopes', async () => {
  await using app = await openTestApp('postgres')
  await using node = await app.secondNode()
  const { UserPool } = await app.aws.createUserPool({ PoolName: 'servers' })
  const UserPoolId = UserPool?.Id ?? ''
  const scopesThere = async () => {
    const pool = await findPool(node.app.services, UserPoolId)
    assert.ok(pool)
    return [...(await customScopes(node.app.services, pool))]
  }
  assert.deepEqual(await scopesThere(), [])
  await app.aws.createResourceServer({ UserPoolId, Identifier: 'api', Name: 'API', Scopes: [scope('read')] })
  // The clock stands still, so that nothing but the notification removes what the other node has kept.
  const deadline = Date.now() + seconds(5)
  while ((await scopesThere()).length === 0 && Date.now() < deadline) await new Promise(setImmediate)
  assert.deepEqual(await scopesThere(), ['api/read'])
})
