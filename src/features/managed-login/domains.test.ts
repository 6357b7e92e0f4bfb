import assert from 'node:assert/strict'
import { before, beforeEach, describe, test } from 'node:test'
import type {
  CreateUserPoolDomainCommandInput,
  UpdateUserPoolDomainCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { hours, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'
import { findPoolByDomain } from './domains.ts'

const CertificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/0b4d1f5e-8d5c-4c7a-9a53-7f6e2c1d0a9b'
const otherCertificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555'

const domainTaken = {
  name: 'InvalidParameterException',
  message: 'Domain already associated with another user pool.',
}
const alreadyConfigured = { name: 'InvalidParameterException', message: 'User pool already has a domain configured.' }
const noSuchDomain = { name: 'InvalidParameterException', message: 'No such domain or user pool exists.' }
const noPool = (id: string) => ({ name: 'ResourceNotFoundException', message: `User pool ${id} does not exist.` })

let names = 0
const newNumber = (): number => {
  names += 1
  return names
}
/** A prefix that no other test uses. */
const newPrefix = (): string => `shop-${newNumber()}`
/** A name for a custom domain that no other test uses. */
const newName = (): string => `auth-${newNumber()}.example.com`

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })
  // Custom domains are few in each region.
  beforeEach(() => app.database.db.deleteFrom('domains').execute())

  const createPool = async (more = {}): Promise<string> => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'domains', ...more })
    return UserPool?.Id ?? ''
  }
  const create = async (UserPoolId: string, Domain: string, more: Partial<CreateUserPoolDomainCommandInput> = {}) => {
    const { $metadata: _, ...output } = await app.aws.createUserPoolDomain({ UserPoolId, Domain, ...more })
    return output
  }
  const createCustom = (UserPoolId: string, Domain: string, more: Partial<CreateUserPoolDomainCommandInput> = {}) =>
    create(UserPoolId, Domain, { CustomDomainConfig: { CertificateArn }, ...more })
  const update = async (UserPoolId: string, Domain: string, more: Partial<UpdateUserPoolDomainCommandInput> = {}) => {
    const { $metadata: _, ...output } = await app.aws.updateUserPoolDomain({ UserPoolId, Domain, ...more })
    return output
  }
  const describeDomain = async (Domain: string) => (await app.aws.describeUserPoolDomain({ Domain })).DomainDescription
  const remove = (UserPoolId: string, Domain: string) => app.aws.deleteUserPoolDomain({ UserPoolId, Domain })
  const describePool = async (UserPoolId: string) => (await app.aws.describeUserPool({ UserPoolId })).UserPool
  const failover = { SecondaryRegion: 'eu-west-1', PrimaryRoute53HealthCheckId: 'a1b2c3' }
  const version = () => new Date(app.now()).toISOString().replace(/[-:T]/g, '').slice(0, 14)

  describe('a prefix domain', () => {
    test('is active at once and comes back as it was created', async () => {
      const [UserPoolId, Domain] = [await createPool(), newPrefix()]
      assert.deepEqual(await create(UserPoolId, Domain), { ManagedLoginVersion: 1 })
      assert.deepEqual(await describeDomain(Domain), {
        UserPoolId,
        AWSAccountId: '123456789012',
        Domain,
        S3Bucket: 'aws-cognito-prod-us-east-1-assets',
        CloudFrontDistribution: '127.0.0.1',
        Version: version(),
        Status: 'ACTIVE',
        CustomDomainConfig: {},
        ManagedLoginVersion: 1,
      })
    })

    test('is shown by its pool until it is deleted', async () => {
      const [UserPoolId, Domain] = [await createPool(), newPrefix()]
      assert.equal((await describePool(UserPoolId))?.Domain, undefined)
      await create(UserPoolId, Domain)
      assert.equal((await describePool(UserPoolId))?.Domain, Domain)
      assert.equal((await describePool(UserPoolId))?.CustomDomain, undefined)
      // An update of the pool replaces its settings, and a domain is not one of them.
      await app.aws.updateUserPool({ UserPoolId })
      assert.equal((await describePool(UserPoolId))?.Domain, Domain)
      await remove(UserPoolId, Domain)
      assert.equal((await describePool(UserPoolId))?.Domain, undefined)
      assert.deepEqual(await describeDomain(Domain), {})
    })

    test('changes its version of the pages, and nothing when the request says nothing', async () => {
      const [UserPoolId, Domain] = [await createPool(), newPrefix()]
      assert.deepEqual(await create(UserPoolId, Domain, { ManagedLoginVersion: 2 }), { ManagedLoginVersion: 2 })
      assert.deepEqual(await update(UserPoolId, Domain), { ManagedLoginVersion: 2 })
      app.advance(seconds(61))
      assert.deepEqual(await update(UserPoolId, Domain, { ManagedLoginVersion: 1 }), { ManagedLoginVersion: 1 })
      const described = await describeDomain(Domain)
      assert.equal(described?.ManagedLoginVersion, 1)
      assert.equal(described?.Version, version())
    })
  })

  describe('a custom domain', () => {
    test('comes back as it was created, with the place its DNS record points to', async () => {
      const [UserPoolId, Domain] = [await createPool(), newName()]
      const members = {
        ManagedLoginVersion: 2,
        CustomDomainConfig: { CertificateArn, SecurityPolicy: 'TLS_V1_3_2025' as const },
        Routing: { Failover: failover },
      }
      assert.deepEqual(await create(UserPoolId, Domain, members), {
        ManagedLoginVersion: 2,
        CloudFrontDomain: '127.0.0.1',
        Routing: { Failover: failover },
      })
      assert.deepEqual(await describeDomain(Domain), {
        UserPoolId,
        AWSAccountId: '123456789012',
        Domain,
        S3Bucket: 'aws-cognito-prod-us-east-1-assets',
        CloudFrontDistribution: '127.0.0.1',
        Version: version(),
        Status: 'ACTIVE',
        ...members,
      })
      assert.equal((await describePool(UserPoolId))?.CustomDomain, Domain)
      assert.equal((await describePool(UserPoolId))?.Domain, undefined)
    })

    test('stands beside a prefix of the same pool', async () => {
      const [UserPoolId, prefix, custom] = [await createPool(), newPrefix(), newName()]
      await createCustom(UserPoolId, custom)
      await create(UserPoolId, prefix)
      const pool = await describePool(UserPoolId)
      assert.deepEqual([pool?.Domain, pool?.CustomDomain], [prefix, custom])
      await remove(UserPoolId, prefix)
      assert.equal((await describeDomain(custom))?.Status, 'ACTIVE')
    })

    test('changes certificate, pages and routing one by one', async () => {
      const [UserPoolId, Domain] = [await createPool(), newName()]
      await createCustom(UserPoolId, Domain, { ManagedLoginVersion: 2 })
      const changes: [Partial<UpdateUserPoolDomainCommandInput>, object][] = [
        [{ CustomDomainConfig: { CertificateArn: otherCertificateArn } }, { ManagedLoginVersion: 2 }],
        [{ ManagedLoginVersion: 1 }, { ManagedLoginVersion: 1 }],
        [{ Routing: { Failover: failover } }, { ManagedLoginVersion: 1, Routing: { Failover: failover } }],
        [{}, { ManagedLoginVersion: 1, Routing: { Failover: failover } }],
        [{ Routing: {} }, { ManagedLoginVersion: 1 }],
      ]
      const repeated = { CustomDomainConfig: { CertificateArn: otherCertificateArn } }
      for (const [change, expected] of changes) {
        const answer = await update(UserPoolId, Domain, { ...repeated, ...change })
        assert.deepEqual(answer, { CloudFrontDomain: '127.0.0.1', ...expected })
        const described = await describeDomain(Domain)
        assert.deepEqual(
          {
            ManagedLoginVersion: described?.ManagedLoginVersion,
            ...(described?.Routing !== undefined && { Routing: described.Routing }),
          },
          expected,
        )
        assert.deepEqual(described?.CustomDomainConfig, repeated.CustomDomainConfig)
      }
    })

    test('does not become a prefix, nor a prefix a custom domain', async () => {
      const [UserPoolId, prefix, custom] = [await createPool(), newPrefix(), newName()]
      await create(UserPoolId, prefix)
      await createCustom(UserPoolId, custom)
      await assert.rejects(update(UserPoolId, custom, { ManagedLoginVersion: 2 }), {
        name: 'InvalidParameterException',
        message: 'Cannot convert custom domain to prefix domain.',
      })
      await assert.rejects(update(UserPoolId, prefix, { CustomDomainConfig: { CertificateArn } }), {
        name: 'InvalidParameterException',
        message: 'Cannot convert prefix domain to custom domain.',
      })
      assert.equal((await describeDomain(custom))?.ManagedLoginVersion, 1)
      assert.deepEqual((await describeDomain(prefix))?.CustomDomainConfig, {})
    })
  })

  describe('is refused', () => {
    const invalidName = /^The domain name contains an invalid character\. /
    const validation = /^1 validation error detected: /
    const malformed: [string, Partial<CreateUserPoolDomainCommandInput>, string | RegExp][] = [
      ['a prefix with a dot', { Domain: 'auth.example.com' }, invalidName],
      ['a prefix in capitals', { Domain: 'Shop' }, invalidName],
      ['a prefix with a reserved word', { Domain: 'my-aws' }, 'Domain cannot contain reserved word: aws'],
      ['amazon in a prefix', { Domain: 'amazon' }, 'Domain cannot contain reserved word: amazon'],
      ['cognito in a prefix', { Domain: 'xcognitox' }, 'Domain cannot contain reserved word: cognito'],
      ['no name', { Domain: '' }, validation],
      ['a long name', { Domain: 'a'.repeat(64) }, validation],
      [
        'a custom domain without a parent',
        { Domain: 'auth', CustomDomainConfig: { CertificateArn } },
        'Custom domain is not a valid subdomain: Was not able to resolve the root domain, please ensure an A record exists for the root domain.',
      ],
      [
        'a custom domain in the place of prefixes',
        { Domain: 'auth.localhost', CustomDomainConfig: { CertificateArn } },
        /^Custom domain is not a valid subdomain: /,
      ],
      ['a custom domain without a certificate', { CustomDomainConfig: { CertificateArn: undefined } }, validation],
      ...[
        'arn:aws:acm:eu-west-1:123456789012:certificate/0b4d1f5e',
        'arn:aws:iam::123456789012:server-certificate/x',
      ].map((arn): [string, Partial<CreateUserPoolDomainCommandInput>, string] => [
        `the certificate ${arn}`,
        { Domain: 'auth.example.com', CustomDomainConfig: { CertificateArn: arn } },
        "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain.",
      ]),
      ['routing of a prefix', { Routing: { Failover: failover } }, /Routing/],
      ['version 0 of the pages', { ManagedLoginVersion: 0 }, /ManagedLoginVersion/],
      ['version 3 of the pages', { ManagedLoginVersion: 3 }, /ManagedLoginVersion/],
    ]
    for (const [title, members, message] of malformed) {
      test(title, async () => {
        const UserPoolId = await createPool()
        const { Domain = newPrefix(), ...more } = members
        await assert.rejects(create(UserPoolId, Domain, more), { name: 'InvalidParameterException', message })
        const pool = await describePool(UserPoolId)
        assert.deepEqual([pool?.Domain, pool?.CustomDomain], [undefined, undefined])
      })
    }

    test('the same in an update', async () => {
      const [UserPoolId, prefix, custom] = [await createPool(), newPrefix(), newName()]
      await create(UserPoolId, prefix)
      await createCustom(UserPoolId, custom)
      const refused = { name: 'InvalidParameterException' }
      const elsewhere = { CertificateArn: CertificateArn.replace('us-east-1', 'eu-west-1') }
      await assert.rejects(update(UserPoolId, prefix, { ManagedLoginVersion: 3 }), refused)
      await assert.rejects(update(UserPoolId, prefix, { Routing: { Failover: failover } }), refused)
      await assert.rejects(update(UserPoolId, custom, { CustomDomainConfig: elsewhere }), refused)
      assert.deepEqual((await describeDomain(custom))?.CustomDomainConfig, { CertificateArn })
    })

    test('a domain of another pool, whatever its region', async () => {
      const [one, other, prefix, custom] = [await createPool(), await createPool(), newPrefix(), newName()]
      await create(one, prefix)
      await createCustom(one, custom)
      await assert.rejects(create(other, prefix), domainTaken)
      await assert.rejects(createCustom(other, custom), domainTaken)
      const elsewhere = app.client({ region: 'eu-west-1' })
      const { UserPool } = await elsewhere.createUserPool({ PoolName: 'elsewhere' })
      await assert.rejects(elsewhere.createUserPoolDomain({ UserPoolId: UserPool?.Id, Domain: prefix }), domainTaken)
      await remove(one, prefix)
      await create(other, prefix)
      assert.equal((await describeDomain(prefix))?.UserPoolId, other)
    })

    test('a second domain of the same kind', async () => {
      const [UserPoolId, prefix, custom] = [await createPool(), newPrefix(), newName()]
      await create(UserPoolId, prefix)
      await createCustom(UserPoolId, custom)
      await assert.rejects(create(UserPoolId, newPrefix()), alreadyConfigured)
      await assert.rejects(create(UserPoolId, prefix), alreadyConfigured)
      await assert.rejects(createCustom(UserPoolId, newName()), alreadyConfigured)
      const pool = await describePool(UserPoolId)
      assert.deepEqual([pool?.Domain, pool?.CustomDomain], [prefix, custom])
    })

    test('managed login in the Lite tier', async () => {
      const [UserPoolId, Domain] = [await createPool({ UserPoolTier: 'LITE' }), newPrefix()]
      const unavailable = {
        name: 'FeatureUnavailableInTierException',
        message: /^The following features need to be disabled for the LITE pricing tier configured: /,
      }
      await assert.rejects(create(UserPoolId, Domain, { ManagedLoginVersion: 2 }), unavailable)
      await create(UserPoolId, Domain, { ManagedLoginVersion: 1 })
      await assert.rejects(update(UserPoolId, Domain, { ManagedLoginVersion: 2 }), unavailable)
      await app.aws.updateUserPool({ UserPoolId, UserPoolTier: 'ESSENTIALS' })
      assert.deepEqual(await update(UserPoolId, Domain, { ManagedLoginVersion: 2 }), { ManagedLoginVersion: 2 })
    })

    test('the fifth custom domain of a region', async () => {
      const pools = await Promise.all(Array.from({ length: 12 }, () => createPool()))
      for (let round = 0; round < 5; round += 1) {
        await app.database.db.deleteFrom('domains').execute()
        const outcomes = await Promise.allSettled(pools.map(UserPoolId => createCustom(UserPoolId, newName())))
        assert.equal(outcomes.filter(outcome => outcome.status === 'fulfilled').length, 4)
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.equal(outcome.reason.name, 'LimitExceededException')
        }
      }
      const last = await createPool()
      await assert.rejects(createCustom(last, newName()), { name: 'LimitExceededException' })
      await create(last, newPrefix())
      const elsewhere = app.client({ region: 'eu-west-1' })
      const { UserPool } = await elsewhere.createUserPool({ PoolName: 'elsewhere' })
      const CustomDomainConfig = { CertificateArn }
      await elsewhere.createUserPoolDomain({ UserPoolId: UserPool?.Id, Domain: newName(), CustomDomainConfig })
    })

    test('a domain or pool that does not exist', async () => {
      const [UserPoolId, other, Domain] = [await createPool(), await createPool(), newPrefix()]
      const unknown = 'us-east-1_000000000'
      await assert.rejects(create(unknown, Domain), noPool(unknown))
      await assert.rejects(update(unknown, Domain), noPool(unknown))
      await assert.rejects(remove(unknown, Domain), noSuchDomain)
      await assert.rejects(remove(UserPoolId, Domain), noSuchDomain)
      await assert.rejects(update(UserPoolId, Domain), noSuchDomain)
      await create(UserPoolId, Domain)
      await assert.rejects(remove(other, Domain), noSuchDomain)
      await assert.rejects(update(other, Domain, { ManagedLoginVersion: 2 }), noSuchDomain)
      const elsewhere = app.client({ region: 'eu-west-1' })
      await assert.rejects(elsewhere.deleteUserPoolDomain({ UserPoolId, Domain }), noSuchDomain)
      assert.deepEqual((await elsewhere.describeUserPoolDomain({ Domain })).DomainDescription, {})
      assert.equal((await describeDomain(Domain))?.ManagedLoginVersion, 1)
    })

    test('all but one of many pools that want the same prefix at once', async () => {
      const Domain = newPrefix()
      const pools = await Promise.all(Array.from({ length: 6 }, () => createPool()))
      const outcomes = await Promise.allSettled(pools.map(UserPoolId => create(UserPoolId, Domain)))
      const winner = outcomes.findIndex(outcome => outcome.status === 'fulfilled')
      assert.equal((await describeDomain(Domain))?.UserPoolId, pools[winner])
      for (const [index, outcome] of outcomes.entries()) {
        if (index === winner) continue
        assert.ok(outcome.status === 'rejected')
        assert.equal(outcome.reason.message, domainTaken.message)
      }
    })

    test('all but one of many prefixes for the same pool at once', async () => {
      const UserPoolId = await createPool()
      const prefixes = Array.from({ length: 6 }, newPrefix)
      const outcomes = await Promise.allSettled(prefixes.map(Domain => create(UserPoolId, Domain)))
      const winners = prefixes.filter((_, index) => outcomes[index]?.status === 'fulfilled')
      assert.deepEqual(winners, [(await describePool(UserPoolId))?.Domain])
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.message, alreadyConfigured.message)
      }
    })
  })

  test('a name that is nobody’s domain has an empty description', async () => {
    for (const Domain of [newPrefix(), newName(), 'Not_A_Domain']) assert.deepEqual(await describeDomain(Domain), {})
  })

  describe('a pool with a domain', () => {
    const blocked = {
      name: 'InvalidParameterException',
      message: 'User pool cannot be deleted. It has a domain configured that should be deleted first.',
    }

    test('is not deleted before the last domain is', async () => {
      const [UserPoolId, prefix, custom] = [await createPool(), newPrefix(), newName()]
      await create(UserPoolId, prefix)
      await createCustom(UserPoolId, custom)
      await assert.rejects(app.aws.deleteUserPool({ UserPoolId }), blocked)
      await remove(UserPoolId, prefix)
      await assert.rejects(app.aws.deleteUserPool({ UserPoolId }), blocked)
      assert.equal((await describePool(UserPoolId))?.CustomDomain, custom)
      await remove(UserPoolId, custom)
      await app.aws.deleteUserPool({ UserPoolId })
      await assert.rejects(describePool(UserPoolId), noPool(UserPoolId))
    })

    test('hears of its deletion protection first', async () => {
      const UserPoolId = await createPool({ DeletionProtection: 'ACTIVE' })
      await create(UserPoolId, newPrefix())
      await assert.rejects(app.aws.deleteUserPool({ UserPoolId }), { message: /deletion protection is activated/ })
    })

    test('either gets the domain or is deleted, never both', async () => {
      for (let round = 0; round < 8; round += 1) {
        const [UserPoolId, Domain] = [await createPool(), newPrefix()]
        const [created, deleted] = await Promise.allSettled([
          create(UserPoolId, Domain),
          app.aws.deleteUserPool({ UserPoolId }),
        ])
        assert.notEqual(created.status, deleted.status)
        assert.equal(
          (await describeDomain(Domain))?.UserPoolId,
          created.status === 'fulfilled' ? UserPoolId : undefined,
        )
      }
    })
  })

  describe('the pool of a host', () => {
    const find = async (host: string, publicUrl = 'http://localhost:9229') => {
      const found = await findPoolByDomain({ ...app.app.services, publicUrl }, host)
      return found && { id: found.pool.id, name: found.domain.name, version: found.managedLoginVersion }
    }

    test('is found by prefix and by custom domain', async () => {
      const [UserPoolId, prefix, custom] = [await createPool(), newPrefix(), newName()]
      await create(UserPoolId, prefix)
      await createCustom(UserPoolId, custom, { ManagedLoginVersion: 2 })
      const byPrefix = { id: UserPoolId, name: prefix, version: 1 }
      assert.deepEqual(await find(`${prefix}.localhost:9229`), byPrefix)
      assert.deepEqual(await find(`${prefix.toUpperCase()}.localhost`), byPrefix)
      assert.deepEqual(await find(`${prefix}.id.example.org`, 'https://id.example.org'), byPrefix)
      assert.deepEqual(await find(custom), { id: UserPoolId, name: custom, version: 2 })
      assert.deepEqual(await find(`${custom}:9229`), { id: UserPoolId, name: custom, version: 2 })
      for (const host of [prefix, 'localhost:9229', `${prefix}.example.org`, `x.${custom}`, `${custom}.localhost`]) {
        assert.equal(await find(host), undefined, host)
      }
    })

    test('follows every change', async () => {
      const [one, other, Domain] = [await createPool(), await createPool(), newPrefix()]
      const host = `${Domain}.localhost:9229`
      assert.equal(await find(host), undefined)
      await create(one, Domain)
      assert.deepEqual(await find(host), { id: one, name: Domain, version: 1 })
      await update(one, Domain, { ManagedLoginVersion: 2 })
      assert.deepEqual(await find(host), { id: one, name: Domain, version: 2 })
      // The Lite tier has the classic pages only.
      await app.aws.updateUserPool({ UserPoolId: one, UserPoolTier: 'LITE' })
      assert.deepEqual(await find(host), { id: one, name: Domain, version: 1 })
      await remove(one, Domain)
      assert.equal(await find(host), undefined)
      await create(other, Domain)
      assert.deepEqual(await find(host), { id: other, name: Domain, version: 1 })
      app.advance(hours(1))
      assert.deepEqual(await find(host), { id: other, name: Domain, version: 1 })
    })
  })
})

test('another node learns of new and deleted domains', async () => {
  await using app = await openTestApp('postgres')
  await using node = await app.secondNode()
  const { UserPool } = await app.aws.createUserPool({ PoolName: 'domains' })
  const names = { UserPoolId: UserPool?.Id, Domain: newPrefix() }
  const there = async () => {
    const ctx = { ...node.app.services, publicUrl: 'http://localhost' }
    return (await findPoolByDomain(ctx, `${names.Domain}.localhost`))?.pool.id
  }
  // The clock stands still, so that nothing but the notification removes what the other node has kept.
  const becomes = async (expected: string | undefined) => {
    const deadline = Date.now() + seconds(5)
    while ((await there()) !== expected && Date.now() < deadline) await new Promise(setImmediate)
    assert.equal(await there(), expected)
  }
  assert.equal(await there(), undefined)
  await app.aws.createUserPoolDomain(names)
  await becomes(names.UserPoolId)
  await app.aws.deleteUserPoolDomain(names)
  await becomes(undefined)
})
