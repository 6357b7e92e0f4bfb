import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateTermsCommandInput, UpdateTermsCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createClient, createPool } from '../../../test/support/pools.ts'
import { getClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { getPool } from '../user-pools/pool.ts'
import { termsOf } from './terms.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const unknownId = '11111111-2222-4333-8444-555555555555'
const invalid = (message: string | RegExp) => ({ name: 'InvalidParameterException', message })
const notFound = { name: 'ResourceNotFoundException', message: 'Terms does not exist.' }
const noClient = (id: string) => ({
  name: 'ResourceNotFoundException',
  message: `User pool client ${id} does not exist.`,
})
const noneOfClient = (name: string, id: string) => ({
  name: 'ResourceNotFoundException',
  message: `Terms ${name} for client ${id} does not exist.`,
})
const exist = (name: string, id: string) => ({
  name: 'TermsExistsException',
  message: `Terms ${name} already exist for client ${id}`,
})
const Links = { 'cognito:default': 'https://example.com/terms', 'cognito:german': 'https://example.com/de/agb?x=1#y' }

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const create = async (
    pool: { poolId: string; clientId: string },
    TermsName = 'terms-of-use',
    more: Partial<CreateTermsCommandInput> = {},
  ) => {
    const { Terms } = await app.aws.createTerms({
      UserPoolId: pool.poolId,
      ClientId: pool.clientId,
      TermsName,
      TermsSource: 'LINK',
      Enforcement: 'NONE',
      Links,
      ...more,
    })
    assert.ok(Terms)
    return Terms
  }
  const describeTerms = async (UserPoolId: string, TermsId = '') =>
    (await app.aws.describeTerms({ UserPoolId, TermsId })).Terms
  const describeByClient = async (UserPoolId: string, ClientId: string, TermsName = 'terms-of-use') =>
    (await app.aws.describeTermsByClient({ UserPoolId, ClientId, TermsName })).Terms
  const update = async (UserPoolId: string, TermsId: string | undefined, more: Partial<UpdateTermsCommandInput>) =>
    (await app.aws.updateTerms({ UserPoolId, TermsId, ...more })).Terms
  const list = (UserPoolId: string, more = {}) => app.aws.listTerms({ UserPoolId, ...more })
  const seenBy = async (poolId: string, clientId: string, language: string) => {
    const ctx: Context = {
      ...app.app.services,
      requestId: '',
      region: 'us-east-1',
      publicUrl: app.url,
      sourceIp: undefined,
      userAgent: undefined,
    }
    const pool = await getPool(ctx, poolId)
    return termsOf(ctx, pool, await getClient(ctx, clientId, pool), language)
  }

  describe('a terms document', () => {
    test('comes back as it was created, by id and by client', async () => {
      const pool = await createPool(app)
      const created = await create(pool)
      assert.match(created.TermsId ?? '', uuid)
      assert.deepEqual(created, {
        TermsId: created.TermsId,
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        TermsName: 'terms-of-use',
        TermsSource: 'LINK',
        Enforcement: 'NONE',
        Links,
        CreationDate: new Date(app.now()),
        LastModifiedDate: new Date(app.now()),
      })
      assert.deepEqual(await describeTerms(pool.poolId, created.TermsId), created)
      assert.deepEqual(await describeByClient(pool.poolId, pool.clientId), created)
    })

    test('changes what an update gives; links are replaced as a whole', async () => {
      const pool = await createPool(app)
      const created = await create(pool)
      app.advance(seconds(2))
      const other = { 'cognito:default': 'http://example.com/', 'cognito:japanese': 'https://例え.jp/利用規約' }
      const changed = await update(pool.poolId, created.TermsId, { Links: other })
      assert.deepEqual(changed, { ...created, Links: other, LastModifiedDate: new Date(app.now()) })
      assert.deepEqual(await describeTerms(pool.poolId, created.TermsId), changed)
      const renamed = await update(pool.poolId, created.TermsId, { TermsName: 'privacy-policy' })
      assert.deepEqual(renamed, { ...changed, TermsName: 'privacy-policy' })
      assert.deepEqual(await update(pool.poolId, created.TermsId, {}), renamed)
    })

    test('is the only one of its name and client', async () => {
      const pool = await createPool(app)
      const other = { ...pool, clientId: await createClient(app, pool.poolId) }
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => create(pool)))
      assert.equal(results.filter(result => result.status === 'fulfilled').length, 1)
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.name, 'TermsExistsException')
      }
      await assert.rejects(create(pool), exist('terms-of-use', pool.clientId))
      await create(other)
      const policy = await create(pool, 'privacy-policy')
      const renaming = update(pool.poolId, policy.TermsId, { TermsName: 'terms-of-use' })
      await assert.rejects(renaming, exist('terms-of-use', pool.clientId))
      assert.deepEqual(await describeTerms(pool.poolId, policy.TermsId), policy)
    })

    test('changed by many at once is changed by each that succeeds', async () => {
      const pool = await createPool(app)
      const { TermsId } = await create(pool)
      const urls = Array.from({ length: 6 }, (_, i) => `https://example.com/${i}`)
      const results = await Promise.allSettled(
        urls.map(url => update(pool.poolId, TermsId, { Links: { 'cognito:default': url } })),
      )
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.name, 'ConcurrentModificationException')
      }
      const succeeded = results.flatMap(it => (it.status === 'fulfilled' ? [it.value?.Links?.['cognito:default']] : []))
      const now = (await describeTerms(pool.poolId, TermsId))?.Links?.['cognito:default']
      assert.ok(succeeded.includes(now))
    })

    test('has a default link, and links to web pages only', async () => {
      const pool = await createPool(app)
      const noDefault = invalid('Links must contain a link for cognito:default.')
      await assert.rejects(create(pool, 'terms-of-use', { Links: undefined }), noDefault)
      await assert.rejects(
        create(pool, 'terms-of-use', { Links: { 'cognito:german': 'https://a.example' } }),
        noDefault,
      )
      for (const link of [
        'javascript:alert(1)',
        'data:text/html,x',
        'mailto:a@example.com',
        '/terms',
        'example.com',
        'https://',
      ]) {
        await assert.rejects(
          create(pool, 'terms-of-use', { Links: { ...Links, 'cognito:dutch': link } }),
          invalid('The link for cognito:dutch must be an http or https URL.'),
          link,
        )
      }
      const unknown = create(pool, 'terms-of-use', { Links: { ...Links, 'cognito:klingon': 'https://a.example' } })
      await assert.rejects(unknown, invalid(/at 'links' failed to satisfy constraint/))
      await assert.rejects(create(pool, 'imprint'), invalid(/at 'termsName' failed to satisfy constraint/))
      const { TermsId } = await create(pool)
      await assert.rejects(
        update(pool.poolId, TermsId, { Links: { 'cognito:german': 'https://a.example' } }),
        noDefault,
      )
      assert.deepEqual((await describeTerms(pool.poolId, TermsId))?.Links, Links)
    })

    test('is gone after its deletion and can be made again', async () => {
      const pool = await createPool(app)
      const { TermsId } = await create(pool)
      await app.aws.deleteTerms({ UserPoolId: pool.poolId, TermsId })
      await assert.rejects(describeTerms(pool.poolId, TermsId), notFound)
      await assert.rejects(describeByClient(pool.poolId, pool.clientId), noneOfClient('terms-of-use', pool.clientId))
      await assert.rejects(update(pool.poolId, TermsId, {}), notFound)
      await assert.rejects(app.aws.deleteTerms({ UserPoolId: pool.poolId, TermsId }), notFound)
      assert.deepEqual((await list(pool.poolId)).Terms, [])
      await create(pool)
    })

    test('goes with its client', async () => {
      const pool = await createPool(app)
      await create(pool)
      await app.aws.deleteUserPoolClient({ UserPoolId: pool.poolId, ClientId: pool.clientId })
      assert.deepEqual((await list(pool.poolId)).Terms, [])
    })

    test('belongs to one pool', async () => {
      const [one, other] = [await createPool(app), await createPool(app)]
      const { TermsId } = await create(one)
      await assert.rejects(describeTerms(other.poolId, TermsId), notFound)
      await assert.rejects(update(other.poolId, TermsId, {}), notFound)
      await assert.rejects(app.aws.deleteTerms({ UserPoolId: other.poolId, TermsId }), notFound)
      await assert.rejects(describeByClient(other.poolId, one.clientId), noClient(one.clientId))
      await assert.rejects(create({ poolId: other.poolId, clientId: one.clientId }), noClient(one.clientId))
      assert.deepEqual((await list(other.poolId)).Terms, [])
      assert.equal((await describeTerms(one.poolId, TermsId))?.TermsId, TermsId)
    })

    test('that does not exist is not found, nor one of an unknown pool', async () => {
      const { poolId, clientId } = await createPool(app)
      await assert.rejects(describeTerms(poolId, unknownId), notFound)
      await assert.rejects(
        describeByClient(poolId, clientId, 'privacy-policy'),
        noneOfClient('privacy-policy', clientId),
      )
      const noPool = { name: 'ResourceNotFoundException', message: 'User pool us-east-1_unknown does not exist.' }
      await assert.rejects(list('us-east-1_unknown'), noPool)
      await assert.rejects(describeTerms('us-east-1_unknown', unknownId), noPool)
      await assert.rejects(describeTerms(poolId, 'not-a-uuid'), invalid(/at 'termsId' failed/))
    })

    test('is one of at most forty in a pool', async () => {
      const pool = await createPool(app)
      const clients = [pool]
      for (let i = 0; i < 20; i += 1) clients.push({ ...pool, clientId: await createClient(app, pool.poolId) })
      const results = await Promise.allSettled(
        clients.flatMap(client => [create(client, 'terms-of-use'), create(client, 'privacy-policy')]),
      )
      const refused = results.flatMap(it => (it.status === 'rejected' ? [[it.reason.name, it.reason.message]] : []))
      const limit = ['LimitExceededException', 'A user pool can have at most 40 terms documents.']
      assert.deepEqual(refused, [limit, limit])
      assert.equal((await list(pool.poolId)).Terms?.length, 40)
    })
  })

  describe('the list of terms documents', () => {
    test('shows them without client and links, the oldest first, page by page', async () => {
      const pool = await createPool(app)
      const created = []
      for (let i = 0; i < 4; i += 1) {
        const client = { ...pool, clientId: await createClient(app, pool.poolId) }
        created.push(await create(client, i % 2 === 0 ? 'terms-of-use' : 'privacy-policy'))
        if (i < 2) app.advance(seconds(1))
      }
      const [first] = created
      const all = await list(pool.poolId)
      assert.equal(all.NextToken, undefined)
      assert.deepEqual(all.Terms?.[0], {
        TermsId: first?.TermsId,
        TermsName: 'terms-of-use',
        Enforcement: 'NONE',
        CreationDate: first?.CreationDate,
        LastModifiedDate: first?.LastModifiedDate,
      })
      assert.deepEqual(
        all.Terms?.slice(0, 2).map(it => it.TermsId),
        created.slice(0, 2).map(it => it.TermsId),
      )
      for (const MaxResults of [1, 2, 3]) {
        const seen = []
        let NextToken: string | undefined
        do {
          const page = await list(pool.poolId, { MaxResults, NextToken })
          assert.ok((page.Terms?.length ?? 0) <= MaxResults)
          seen.push(...(page.Terms ?? []))
          NextToken = page.NextToken
        } while (NextToken !== undefined)
        assert.deepEqual(seen, all.Terms)
      }
    })

    test('takes sizes from 1 to 60 and tokens of its own pool only', async () => {
      const [one, other] = [await createPool(app), await createPool(app)]
      await create(one)
      await create(one, 'privacy-policy')
      const { NextToken } = await list(one.poolId, { MaxResults: 1 })
      await assert.rejects(list(other.poolId, { NextToken }), invalid('Invalid pagination token.'))
      await assert.rejects(list(one.poolId, { NextToken: 'made-up' }), invalid('Invalid pagination token.'))
      for (const MaxResults of [0, 61])
        await assert.rejects(list(one.poolId, { MaxResults }), invalid(/at 'maxResults'/))
    })
  })

  test('the sign-up page has links in its language, else the default ones, once both documents exist', async () => {
    const pool = await createPool(app)
    assert.equal(await seenBy(pool.poolId, pool.clientId, 'de'), undefined)
    await create(pool)
    assert.equal(await seenBy(pool.poolId, pool.clientId, 'de'), undefined)
    const policy = {
      'cognito:default': 'https://example.com/privacy',
      'cognito:portuguese-brazil': 'https://example.com/br',
    }
    await create(pool, 'privacy-policy', { Links: policy })
    const links = (termsOfUse: string, privacyPolicy: string) => ({ termsOfUse, privacyPolicy })
    const table: [string, object][] = [
      ['de', links(Links['cognito:german'], policy['cognito:default'])],
      ['pt-BR', links(Links['cognito:default'], policy['cognito:portuguese-brazil'])],
      ['en', links(Links['cognito:default'], policy['cognito:default'])],
      ['tlh', links(Links['cognito:default'], policy['cognito:default'])],
      ['__proto__', links(Links['cognito:default'], policy['cognito:default'])],
    ]
    for (const [language, expected] of table) {
      assert.deepEqual(await seenBy(pool.poolId, pool.clientId, language), expected, language)
    }
  })
})
