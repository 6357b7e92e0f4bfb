/** The seed file: what a start with it makes, keeps and refuses. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider'
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserPool,
  type CognitoUserSession,
} from 'amazon-cognito-identity-js'
import { Client as PostgresClient } from 'pg'
import { loadSeed } from '../src/seed.ts'
import { attributesByName } from './support/directory.ts'
import { type Program, runProgram, scratchFolder, startProgram } from './support/program.ts'

const scratch = scratchFolder()
after(() => scratch.remove())

let files = 0
const seedFile = (content: unknown): string => {
  const file = join(scratch.path, `seed-${files++}.yaml`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const poolId = 'eu-west-1_Example01'
const sub = '11111111-2222-4333-8444-555555555555'
const secret = 'abcdefghijklmnopqrstuvwxyz012345'
const inPool = { UserPoolId: poolId }

const example = () => ({
  pools: [
    {
      Id: poolId,
      PoolName: 'shop',
      AutoVerifiedAttributes: ['email'],
      UserPoolTags: { team: 'blue' },
      UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' },
      Policies: { PasswordPolicy: { MinimumLength: 10 } },
      UsernameConfiguration: { CaseSensitive: false },
      Schema: [{ Name: 'tenant', AttributeDataType: 'String', Mutable: true }],
      mfa: { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: true } },
      resourceServers: [
        {
          Identifier: 'https://api.example.com',
          Name: 'api',
          Scopes: [{ ScopeName: 'read', ScopeDescription: 'Read' }],
        },
      ],
      identityProviders: [
        {
          ProviderName: 'Google',
          ProviderType: 'Google',
          ProviderDetails: { client_id: 'id', client_secret: 'planted', authorize_scopes: 'openid email' },
          AttributeMapping: { email: 'email' },
        },
        {
          ProviderName: 'Corp',
          ProviderType: 'OIDC',
          // None of it can be reached: a start does not depend on the servers of others.
          ProviderDetails: {
            client_id: 'id',
            client_secret: 'planted',
            attributes_request_method: 'GET',
            authorize_scopes: 'openid',
            oidc_issuer: 'https://id.invalid',
            authorize_url: 'https://id.invalid/authorize',
            token_url: 'https://id.invalid/token',
            attributes_url: 'https://id.invalid/userinfo',
            jwks_uri: 'https://id.invalid/keys',
          },
          IdpIdentifiers: ['corp.example'],
        },
      ],
      clients: [
        {
          ClientId: 'shopweb',
          ClientName: 'web',
          ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_PASSWORD_AUTH'],
          CallbackURLs: ['http://localhost:3000/callback'],
          AllowedOAuthFlowsUserPoolClient: true,
          AllowedOAuthFlows: ['code'],
          AllowedOAuthScopes: ['openid', 'https://api.example.com/read'],
          SupportedIdentityProviders: ['COGNITO', 'Google', 'Corp'],
        },
        { ClientId: 'shopbackend', ClientName: 'backend', ClientSecret: secret },
        { ClientName: 'generated', GenerateSecret: true },
      ],
      domains: [{ Domain: 'shop', ManagedLoginVersion: 2 }],
      groups: [{ GroupName: 'admins', Precedence: 1, Description: 'May do all' }, { GroupName: 'staff' }],
      users: [
        {
          Username: 'ann',
          Attributes: [
            { Name: 'sub', Value: sub },
            { Name: 'email', Value: 'ann@example.com' },
            { Name: 'email_verified', Value: 'true' },
            { Name: 'name', Value: 'Ann' },
          ],
          Password: 'Corr3ct-horse!',
          Groups: ['admins'],
        },
        { Username: 'eve', TemporaryPassword: 'T3mporary!x' },
        { Username: 'bob', Password: 'Corr3ct-horse!', Enabled: false },
      ],
    },
    { PoolName: 'other' },
  ],
})

/** The one pool of the example, for changes. */
const shopOf = (content: ReturnType<typeof example>) => content.pools[0] as Required<(typeof content.pools)[0]>

const clientOf = ({ url }: Program, region = 'eu-west-1') =>
  new CognitoIdentityProvider({
    endpoint: url,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })

const stop = async (program: Program): Promise<void> => {
  program.signal('SIGTERM')
  assert.equal((await program.ended).code, 0)
}

const signIn = (program: Program, Username: string, Password: string): Promise<CognitoUserSession> =>
  new Promise((resolve, reject) => {
    const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: 'shopweb', endpoint: program.url })
    new CognitoUser({ Username, Pool }).authenticateUser(new AuthenticationDetails({ Username, Password }), {
      onSuccess: resolve,
      onFailure: reject,
      newPasswordRequired: () => reject(new Error('new password required')),
    })
  })

/** All that the API shows of the seeded pools. */
const snapshot = async (program: Program) => {
  const aws = clientOf(program)
  const { UserPools = [] } = await aws.listUserPools({ MaxResults: 60 })
  const others = await clientOf(program, 'us-east-1').listUserPools({ MaxResults: 60 })
  const { UserPoolClients = [] } = await aws.listUserPoolClients({ ...inPool, MaxResults: 60 })
  const { Providers = [] } = await aws.listIdentityProviders({ ...inPool, MaxResults: 60 })
  const { Users = [] } = await aws.listUsers(inPool)
  const bare = { $metadata: undefined }
  return structuredClone({
    pools: UserPools,
    others: others.UserPools,
    shop: (await aws.describeUserPool(inPool)).UserPool,
    mfa: { ...(await aws.getUserPoolMfaConfig(inPool)), ...bare },
    servers: (await aws.listResourceServers(inPool)).ResourceServers,
    providers: await Promise.all(
      Providers.map(
        async ({ ProviderName }) => (await aws.describeIdentityProvider({ ...inPool, ProviderName })).IdentityProvider,
      ),
    ),
    clients: await Promise.all(
      UserPoolClients.map(
        async ({ ClientId }) => (await aws.describeUserPoolClient({ ...inPool, ClientId })).UserPoolClient,
      ),
    ),
    domain: (await aws.describeUserPoolDomain({ Domain: 'shop' })).DomainDescription,
    groups: (await aws.listGroups(inPool)).Groups,
    users: Users,
    memberships: await Promise.all(
      Users.map(async ({ Username }) => [
        Username,
        (await aws.adminListGroupsForUser({ ...inPool, Username })).Groups?.map(group => group.GroupName),
      ]),
    ),
  })
}

/** The options of a database of its own that outlives a process. */
const places: Record<'SQLite' | 'PostgreSQL', () => Promise<string[]>> = {
  SQLite: async () => ['--data', join(scratch.path, `data-${files++}`)],
  PostgreSQL: async () => {
    const url = new URL(process.env['CENOTE_TEST_POSTGRES'] ?? assert.fail('Tests run through `npm test`.'))
    const name = `seed_${randomBytes(6).toString('hex')}`
    const client = new PostgresClient({ connectionString: String(url) })
    await client.connect()
    await client.query(`create database ${name}`)
    await client.end()
    url.pathname = `/${name}`
    return ['--data', ':memory:', '--database', String(url), '--master-key', randomBytes(32).toString('hex')]
  },
}

for (const [name, place] of Object.entries(places)) {
  describe(`on ${name}`, () => {
    test('a start makes what the file describes, and another one changes nothing', async () => {
      const args = [...(await place()), '--seed', seedFile(example())]
      let before: Awaited<ReturnType<typeof snapshot>>
      {
        await using program = await startProgram(args)
        before = await snapshot(program)
        assert.deepEqual(
          [before.pools?.map(pool => pool.Id), before.others?.map(pool => pool.Name)],
          [[poolId], ['other']],
        )
        assert.equal(before.shop?.Arn, `arn:aws:cognito-idp:eu-west-1:000000000000:userpool/${poolId}`)
        assert.deepEqual(before.shop?.UserPoolTags, { team: 'blue' })
        assert.equal(before.shop?.UserPoolTier, 'PLUS')
        assert.equal(before.shop?.Domain, 'shop')
        assert.equal(before.shop?.MfaConfiguration, 'OPTIONAL')
        assert.deepEqual(before.mfa.SoftwareTokenMfaConfiguration, { Enabled: true })
        assert.equal(before.domain?.ManagedLoginVersion, 2)
        assert.deepEqual(before.servers?.[0]?.Scopes, [{ ScopeName: 'read', ScopeDescription: 'Read' }])
        assert.deepEqual(before.providers.map(provider => provider?.ProviderName).sort(), ['Corp', 'Google'])
        const clients = new Map(before.clients.map(client => [client?.ClientName, client]))
        assert.equal(clients.get('web')?.ClientId, 'shopweb')
        assert.deepEqual(clients.get('web')?.AllowedOAuthScopes, ['openid', 'https://api.example.com/read'])
        assert.equal(clients.get('backend')?.ClientSecret, secret)
        assert.match(clients.get('generated')?.ClientSecret ?? '', /^[a-z0-9]{52}$/)
        const users = new Map(before.users.map(user => [user.Username, user]))
        assert.deepEqual(attributesByName(users.get('ann')?.Attributes), {
          sub,
          email: 'ann@example.com',
          email_verified: 'true',
          name: 'Ann',
        })
        assert.deepEqual(
          ['ann', 'eve', 'bob'].map(each => [users.get(each)?.UserStatus, users.get(each)?.Enabled]),
          [
            ['CONFIRMED', true],
            ['FORCE_CHANGE_PASSWORD', true],
            ['CONFIRMED', false],
          ],
        )
        assert.deepEqual(new Map(before.memberships as [string, string[]][]).get('ann'), ['admins'])

        const session = await signIn(program, 'ann', 'Corr3ct-horse!')
        assert.equal(session.getIdToken().payload['sub'], sub)
        assert.deepEqual(session.getAccessToken().payload['cognito:groups'], ['admins'])
        await assert.rejects(signIn(program, 'ann', 'Wr0ng-horse!'), { code: 'NotAuthorizedException' })
        await assert.rejects(signIn(program, 'eve', 'T3mporary!x'), { message: 'new password required' })
        await assert.rejects(signIn(program, 'bob', 'Corr3ct-horse!'), { message: 'User is disabled.' })
        const messages = (await (await fetch(`${program.url}/_cenote/messages`)).json()) as unknown[]
        assert.deepEqual(messages, [], 'nobody is written to')
        await stop(program)
      }
      await using again = await startProgram(args)
      assert.deepEqual(await snapshot(again), before)
      assert.deepEqual(
        again.log().filter(line => 'path' in line),
        [],
      )
    })

    test('a changed file changes settings and adds what is missing, and leaves the rest to whom it belongs', async () => {
      const where = await place()
      const content = example()
      {
        await using program = await startProgram([...where, '--seed', seedFile(content)])
        const aws = clientOf(program)
        const session = await signIn(program, 'ann', 'Corr3ct-horse!')
        const AccessToken = session.getAccessToken().getJwtToken()
        await aws.changePassword({ AccessToken, PreviousPassword: 'Corr3ct-horse!', ProposedPassword: 'My-0wn-horse!' })
        await aws.updateUserAttributes({ AccessToken, UserAttributes: [{ Name: 'name', Value: 'Annie' }] })
        await aws.adminDisableUser({ ...inPool, Username: 'eve' })
        await aws.createGroup({ ...inPool, GroupName: 'by-hand' })
        await aws.addUserPoolClientSecret({ ...inPool, ClientId: 'shopbackend' })
        const { ClientSecrets } = await aws.listUserPoolClientSecrets({ ...inPool, ClientId: 'shopbackend' })
        const ClientSecretId = ClientSecrets?.[0]?.ClientSecretId ?? ''
        await aws.deleteUserPoolClientSecret({ ...inPool, ClientId: 'shopbackend', ClientSecretId })
        await stop(program)
      }
      const shop = shopOf(content)
      shop.PoolName = 'new shop'
      shop.Policies.PasswordPolicy.MinimumLength = 12
      shop.Schema.push({ Name: 'plan', AttributeDataType: 'String', Mutable: true })
      shop.mfa.MfaConfiguration = 'OFF'
      Object.assign(shop.mfa, { SoftwareTokenMfaConfiguration: undefined })
      shop.resourceServers[0]?.Scopes.push({ ScopeName: 'write', ScopeDescription: 'Write' })
      Object.assign(shop.identityProviders[0]?.ProviderDetails ?? {}, { client_id: 'new id' })
      shop.clients[0]?.CallbackURLs?.push('https://shop.example.com/callback')
      Object.assign(shop.clients[0] ?? {}, { ClientName: 'new web' })
      shop.clients.push({ ClientId: 'mobile', ClientName: 'mobile' } as (typeof shop.clients)[0])
      Object.assign(shop.domains[0] ?? {}, { ManagedLoginVersion: 1 })
      Object.assign(shop.groups[0] ?? {}, { Precedence: 7 })
      const [ann, eve] = shop.users
      ann?.Groups?.push('staff')
      ann?.Attributes?.push({ Name: 'custom:plan', Value: 'gold' }, { Name: 'given_name', Value: 'Ann' })
      Object.assign(ann ?? {}, { Password: 'An0ther-horse!' })
      Object.assign(eve ?? {}, { Enabled: true })
      shop.users = shop.users.filter(user => user.Username !== 'bob')
      shop.users.push({ Username: 'joe', Password: 'Corr3ct-horse!' } as (typeof shop.users)[0])

      await using program = await startProgram([...where, '--seed', seedFile(content)])
      const now = await snapshot(program)
      assert.equal(now.shop?.Name, 'new shop')
      assert.equal(now.shop?.Policies?.PasswordPolicy?.MinimumLength, 12)
      assert.equal(now.shop?.MfaConfiguration, 'OFF')
      assert.ok(now.shop?.SchemaAttributes?.some(attribute => attribute.Name === 'custom:plan'))
      assert.deepEqual(
        now.servers?.[0]?.Scopes?.map(scope => scope.ScopeName),
        ['read', 'write'],
      )
      const google = now.providers.find(provider => provider?.ProviderName === 'Google')
      assert.equal(google?.ProviderDetails?.['client_id'], 'new id')
      const web = now.clients.find(client => client?.ClientId === 'shopweb')
      assert.deepEqual(
        [web?.ClientName, web?.CallbackURLs],
        ['new web', ['http://localhost:3000/callback', 'https://shop.example.com/callback']],
      )
      assert.equal(now.clients.length, 4)
      assert.equal(now.domain?.ManagedLoginVersion, 1)
      assert.deepEqual(now.groups?.map(group => [group.GroupName, group.Precedence, group.Description]).sort(), [
        ['admins', 7, 'May do all'],
        ['by-hand', undefined, undefined],
        ['staff', undefined, undefined],
      ])
      const users = new Map(now.users.map(user => [user.Username, user]))
      assert.deepEqual([...users.keys()].sort(), ['ann', 'bob', 'eve', 'joe'])
      const { name, given_name, 'custom:plan': plan } = attributesByName(users.get('ann')?.Attributes)
      assert.deepEqual([name, given_name, plan], ['Annie', 'Ann', 'gold'])
      assert.equal(users.get('eve')?.Enabled, false)
      assert.deepEqual(new Map(now.memberships as [string, string[]][]).get('ann'), ['admins', 'staff'])
      const session = await signIn(program, 'ann', 'My-0wn-horse!')
      assert.equal(session.getIdToken().payload['sub'], sub)
      await assert.rejects(signIn(program, 'ann', 'An0ther-horse!'), { code: 'NotAuthorizedException' })
      await signIn(program, 'joe', 'Corr3ct-horse!')
      // A deleted secret does not come back, and the operator hears of it.
      assert.notEqual(now.clients.find(client => client?.ClientId === 'shopbackend')?.ClientSecret, secret)
      assert.deepEqual(
        program
          .log()
          .filter(line => 'path' in line)
          .map(line => [line['level'], line['path']]),
        [['warn', 'pools[0].clients[1]']],
      )
      assert.ok(!program.stderr().includes(secret))
    })

    test('what cannot be changed is refused', async () => {
      const where = await place()
      {
        await using program = await startProgram([...where, '--seed', seedFile(example())])
        await stop(program)
      }
      const table: [string, (shop: ReturnType<typeof shopOf>) => void, string][] = [
        [
          'aliases',
          shop => Object.assign(shop, { AliasAttributes: ['email'] }),
          'pools[0].AliasAttributes: cannot be changed once the pool exists',
        ],
        [
          'case',
          shop => Object.assign(shop, { UsernameConfiguration: undefined }),
          'pools[0].UsernameConfiguration: cannot be changed once the pool exists',
        ],
        [
          'an attribute',
          shop => Object.assign(shop.Schema[0] ?? {}, { Mutable: false }),
          'pools[0].Schema[0]: cannot be changed once the pool exists',
        ],
        [
          'a sub',
          shop => Object.assign(shop.users[0]?.Attributes?.[0] ?? {}, { Value: sub.replace('1', '2') }),
          `pools[0].users[0].Attributes: the user has another sub, ${sub}`,
        ],
        [
          'a second prefix',
          shop => Object.assign(shop.domains[0] ?? {}, { Domain: 'store' }),
          'pools[0].domains[0]: User pool already has a domain configured.',
        ],
      ]
      for (const [title, change, expected] of table) {
        const content = example()
        change(shopOf(content))
        const file = seedFile(content)
        const { code, stdout, stderr } = await runProgram(['start', '--port', '0', ...where, '--seed', file])
        assert.deepEqual([code, stdout], [1, ''], title)
        const told = stderr.split('\n').filter(line => line !== '' && !line.startsWith('{'))
        assert.deepEqual(told, [`cenote: ${file}: ${expected}`], title)
      }
    })
  })
}

test('nodes that start together make each thing once', async () => {
  const where = await places.PostgreSQL()
  const content = example()
  // Without ids nothing but the turns keeps two nodes from making everything twice.
  const shop: { Id?: string; clients: { ClientId?: string }[] } = shopOf(content)
  delete shop.Id
  for (const client of shop.clients) delete client.ClientId
  const args = [...where, '--seed', seedFile(content)]
  const starts = await Promise.allSettled([startProgram(args), startProgram(args)])
  const programs = starts.flatMap(start => (start.status === 'fulfilled' ? [start.value] : []))
  try {
    assert.equal(programs.length, 2)
    for (const program of programs) {
      const aws = clientOf(program, 'us-east-1')
      const { UserPools = [] } = await aws.listUserPools({ MaxResults: 60 })
      assert.deepEqual(UserPools.map(pool => pool.Name).sort(), ['other', 'shop'])
      const UserPoolId = UserPools.find(pool => pool.Name === 'shop')?.Id ?? ''
      const { UserPoolClients } = await aws.listUserPoolClients({ UserPoolId, MaxResults: 60 })
      assert.deepEqual(UserPoolClients?.map(client => client.ClientName).sort(), ['backend', 'generated', 'web'])
      assert.equal((await aws.listUsers({ UserPoolId })).Users?.length, 3)
    }
  } finally {
    await Promise.all(programs.map(program => program[Symbol.asyncDispose]()))
  }
})

test('the file can be named by the environment, and its mistakes end the start with one line', async () => {
  const file = seedFile(
    'pools:\n  - PoolName: a\n    clients:\n      - ClientName: x\n        CallbackURLs: [http://a.example]\n',
  )
  const { code, stdout, stderr } = await runProgram(['start', '--data', ':memory:', '--port', '0'], {
    env: { CENOTE_SEED: file },
  })
  assert.deepEqual([code, stdout], [1, ''])
  assert.equal(
    stderr,
    `cenote: ${file}: pools[0].clients[0].CallbackURLs[0]: http://a.example cannot use the HTTP protocol.\n`,
  )
})

test('mistakes that only the rules of a pool show are told with their place', async () => {
  const pool = (members: object) => ({ pools: [{ PoolName: 'a', ...members }] })
  const table: [object, string][] = [
    [
      pool({ users: [{ Username: 'x', Password: 'short' }] }),
      'pools[0].users[0].Password: Password did not conform with policy: Password not long enough',
    ],
    [pool({ users: [{ Username: 'x', Groups: ['b'] }] }), 'pools[0].users[0].Groups[0]: Group not found.'],
    [
      pool({ clients: [{ ClientName: 'x', SupportedIdentityProviders: ['COGNITO', 'Gone'] }] }),
      'pools[0].clients[0].SupportedIdentityProviders[1]: ',
    ],
  ]
  for (const [content, expected] of table) {
    const file = seedFile(content)
    const { code, stderr } = await runProgram(['start', '--data', ':memory:', '--port', '0', '--seed', file])
    assert.equal(code, 1)
    assert.ok(stderr.startsWith(`cenote: ${file}: ${expected}`), stderr)
  }
})

describe('a file is refused before anything is written', () => {
  const pool = (members: object) => ({ pools: [{ PoolName: 'a', ...members }] })
  const text = 'must be a text; a number or a word like true needs quotes to be one'
  const table: [string, unknown, string][] = [
    ['no mapping', '- a', 'must be a mapping with the key pools'],
    ['no list of pools', 'pools: a', 'pools: must be a list'],
    ['an unknown key at the top', 'pool: []', 'pool: unknown key'],
    ['an unknown key of a pool', pool({ poolName: 'b' }), 'pools[0].poolName: unknown key'],
    ['an unknown key further down', pool({ Policies: { A: 1 } }), 'pools[0].Policies.A: unknown key'],
    [
      'a member that is implied',
      pool({ groups: [{ UserPoolId: 'a_b' }] }),
      'pools[0].groups[0].UserPoolId: unknown key',
    ],
    ['a member that is missing', 'pools: [{}]', 'pools[0].PoolName: is missing'],
    ['an entry of nothing', pool({ users: [null] }), 'pools[0].users[0].Username: is missing'],
    [
      'a text for a list',
      pool({ clients: [{ CallbackURLs: 'a' }] }),
      'pools[0].clients[0].CallbackURLs: must be a list',
    ],
    ['a number for a text', pool({ users: [{ Username: 'a', Password: 1 }] }), `pools[0].users[0].Password: ${text}`],
    ['a number in a map', pool({ UserPoolTags: { a: 1 } }), `pools[0].UserPoolTags.a: ${text}`],
    [
      'a text for a number',
      pool({ groups: [{ GroupName: 'a', Precedence: '1' }] }),
      'pools[0].groups[0].Precedence: must be a whole number',
    ],
    [
      'a text for a switch',
      pool({ users: [{ Username: 'a', Enabled: 'no' }] }),
      'pools[0].users[0].Enabled: must be true or false',
    ],
    [
      'a number out of range',
      pool({ clients: [{ ClientName: 'a' }, { ClientName: 'b', AccessTokenValidity: 0 }] }),
      'pools[0].clients[1].AccessTokenValidity: Member must have value greater than or equal to 1',
    ],
    [
      'a wrong word in a list',
      pool({
        Schema: [
          { Name: 'a', AttributeDataType: 'String' },
          { Name: 'b', AttributeDataType: 'Text' },
        ],
      }),
      'pools[0].Schema[1].AttributeDataType: Member must satisfy enum value set: [String, Number, DateTime, Boolean]',
    ],
    ['a pool id of another form', pool({ Id: 'a' }), 'pools[0].Id: Member must satisfy regular expression pattern: '],
    ['a pool id without region', pool({ Id: 'local_a' }), 'pools[0].Id: must be a region, an underscore, '],
    [
      'a client id of another form',
      pool({ clients: [{ ClientId: 'a b', ClientName: 'a' }] }),
      'pools[0].clients[0].ClientId: Member must satisfy ',
    ],
    [
      'a pool twice',
      { pools: [{ PoolName: 'a' }, { PoolName: 'a' }] },
      'pools[1].PoolName: this is pools[0] once more',
    ],
    [
      'a pool id twice',
      { pools: ['a', 'b'].map(PoolName => ({ PoolName, Id: 'us-east-1_a' })) },
      'pools[1].PoolName: this is pools[0] once more',
    ],
    [
      'a user twice',
      pool({ users: [{ Username: 'a' }, { Username: 'a' }] }),
      'pools[0].users[1].Username: this is pools[0].users[0] once more',
    ],
    [
      'two passwords',
      pool({ users: [{ Username: 'a', Password: 'aaaaaaaa', TemporaryPassword: 'aaaaaaaa' }] }),
      'pools[0].users[0]: Password and TemporaryPassword exclude each other',
    ],
    [
      'a sub that is no UUID',
      pool({ users: [{ Username: 'a', Attributes: [{ Name: 'sub', Value: 'a' }] }] }),
      'pools[0].users[0].Attributes: sub must be one UUID in lower case',
    ],
    [
      'MFA in two places',
      pool({ MfaConfiguration: 'ON', mfa: { MfaConfiguration: 'OFF' } }),
      'pools[0].MfaConfiguration: stands in mfa when there is one',
    ],
    ['a key of the prototype', 'pools: [{PoolName: a, __proto__: {}}]', 'pools[0].__proto__: unknown key'],
    ['no YAML', 'pools: [{PoolName: a', 'is no YAML: '],
  ]
  for (const [title, content, expected] of table) {
    test(title, async () => {
      const file = seedFile(content)
      await assert.rejects(loadSeed(file), (error: Error) => {
        assert.ok(error.message.startsWith(`${file}: ${expected}`), error.message)
        assert.ok(!error.message.includes('\n'))
        return true
      })
    })
  }

  test('a file that is missing', async () => {
    await assert.rejects(loadSeed('/nowhere/seed.yaml'), { message: /^\/nowhere\/seed\.yaml: cannot be read: ENOENT/ })
  })

  test('no secret is repeated', async () => {
    for (const content of [
      pool({ clients: [{ ClientName: 'a', ClientSecret: 'planted' }] }),
      pool({ users: [{ Username: 'a', Password: ' planted ' }] }),
      pool({ users: [{ Username: 'a', TemporaryPassword: ' planted ' }] }),
      'pools:\n  - PoolName: a\n    users:\n      - Password: planted\n     x: [',
    ]) {
      await assert.rejects(loadSeed(seedFile(content)), (error: Error) => !error.message.includes('planted'))
    }
  })
})

test('an empty file is a file without pools', async () => {
  for (const content of ['', 'pools:\n', 'pools: []\n']) await loadSeed(seedFile(content))
})
