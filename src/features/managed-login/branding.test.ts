import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  AssetType,
  CreateManagedLoginBrandingCommandInput,
  UpdateManagedLoginBrandingCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { ico, jpeg, png, svg } from '../../../test/support/images.ts'
import { createClient, createPool } from '../../../test/support/pools.ts'
import { defaultBrandingSettings } from '../../core/branding-settings.ts'
import { getClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { getPool } from '../user-pools/pool.ts'
import { brandingOf, findBrandingAsset } from './branding.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const unknownId = '11111111-2222-4333-8444-555555555555'
const invalid = (message: string | RegExp) => ({ name: 'InvalidParameterException', message })
const oneSource = invalid('useCognitoProvidedValues or settings should be specified (but not both)')
const notFound = { name: 'ResourceNotFoundException', message: 'ManagedLoginBranding does not exist.' }
const noClient = (id: string) => ({
  name: 'ResourceNotFoundException',
  message: `User pool client ${id} does not exist.`,
})
const noneOfClient = (id: string) => ({
  name: 'ResourceNotFoundException',
  message: `ManagedLoginBranding for client ${id} does not exist.`,
})
const exists = (id: string) => ({
  name: 'ManagedLoginBrandingExistsException',
  message: `A ManagedLoginBranding already exists for client ${id}`,
})

const rounded = (borderRadius: number) => ({ components: { form: { borderRadius } } })
const asset = (
  Category: AssetType['Category'],
  Extension: AssetType['Extension'],
  Bytes: Uint8Array | undefined,
  more: Partial<AssetType> = {},
): AssetType => ({ Category, ColorMode: 'LIGHT', Extension, Bytes, ...more })
const logo = asset('FORM_LOGO', 'PNG', png())
const compared = (assets: AssetType[] = []) =>
  assets.map(({ Bytes, ...rest }) => ({ ...rest, Bytes: Buffer.from(Bytes ?? []).toString('base64') }))

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const create = async (
    pool: { poolId: string; clientId: string },
    more: Partial<CreateManagedLoginBrandingCommandInput> = { UseCognitoProvidedValues: true },
  ) => {
    const input = { UserPoolId: pool.poolId, ClientId: pool.clientId, ...more }
    const { ManagedLoginBranding } = await app.aws.createManagedLoginBranding(input)
    assert.ok(ManagedLoginBranding)
    return ManagedLoginBranding
  }
  const update = async (
    UserPoolId: string,
    ManagedLoginBrandingId: string | undefined,
    more: Partial<UpdateManagedLoginBrandingCommandInput>,
  ) => (await app.aws.updateManagedLoginBranding({ UserPoolId, ManagedLoginBrandingId, ...more })).ManagedLoginBranding
  const describeStyle = async (UserPoolId: string, ManagedLoginBrandingId = '', ReturnMergedResources?: boolean) =>
    (await app.aws.describeManagedLoginBranding({ UserPoolId, ManagedLoginBrandingId, ReturnMergedResources }))
      .ManagedLoginBranding
  const describeByClient = async (UserPoolId: string, ClientId: string, ReturnMergedResources?: boolean) =>
    (await app.aws.describeManagedLoginBrandingByClient({ UserPoolId, ClientId, ReturnMergedResources }))
      .ManagedLoginBranding
  const remove = (UserPoolId: string, ManagedLoginBrandingId = '') =>
    app.aws.deleteManagedLoginBranding({ UserPoolId, ManagedLoginBrandingId })
  const context = (): Context => ({
    ...app.app.services,
    requestId: '',
    region: 'us-east-1',
    publicUrl: app.url,
    sourceIp: undefined,
    userAgent: undefined,
  })
  const seenBy = async (poolId: string, clientId: string) => {
    const ctx = context()
    const pool = await getPool(ctx, poolId)
    return brandingOf(ctx, pool, await getClient(ctx, clientId, pool))
  }

  describe('a branding style', () => {
    test('of provided values has no settings and no files of its own', async () => {
      const pool = await createPool(app)
      const created = await create(pool)
      assert.match(created.ManagedLoginBrandingId ?? '', uuid)
      assert.deepEqual(created, {
        ManagedLoginBrandingId: created.ManagedLoginBrandingId,
        UserPoolId: pool.poolId,
        UseCognitoProvidedValues: true,
        Assets: [],
        CreationDate: new Date(app.now()),
        LastModifiedDate: new Date(app.now()),
      })
      assert.deepEqual(await describeStyle(pool.poolId, created.ManagedLoginBrandingId), created)
      assert.deepEqual(await describeByClient(pool.poolId, pool.clientId), created)
    })

    test('of settings comes back as it was created, with its files in their order', async () => {
      const pool = await createPool(app)
      const Assets = [
        asset('PAGE_HEADER_LOGO', 'SVG', svg(), { ColorMode: 'DARK' }),
        asset('FAVICON_ICO', 'ICO', ico(png(16, 16)), { ColorMode: 'DYNAMIC' }),
        asset('PAGE_BACKGROUND', 'JPEG', jpeg(1920, 1080)),
        asset('IDP_BUTTON_ICON', 'SVG', svg(), { ResourceId: 'My IdP' }),
        logo,
      ]
      const created = await create(pool, { Settings: rounded(4.5), Assets })
      assert.equal(created.UseCognitoProvidedValues, false)
      assert.deepEqual(created.Settings, rounded(4.5))
      assert.deepEqual(compared(created.Assets), compared(Assets))
      assert.deepEqual(await describeStyle(pool.poolId, created.ManagedLoginBrandingId), created)
      assert.deepEqual(await describeByClient(pool.poolId, pool.clientId), created)
    })

    test('may consist of empty settings, or of files beside the provided values', async () => {
      const pool = await createPool(app)
      const other = { ...pool, clientId: await createClient(app, pool.poolId) }
      const empty = await create(pool, { Settings: {} })
      assert.deepEqual([empty.UseCognitoProvidedValues, empty.Settings, empty.Assets], [false, {}, []])
      const withFile = await create(other, { UseCognitoProvidedValues: true, Assets: [logo] })
      assert.deepEqual([withFile.Settings, withFile.Assets?.length], [undefined, 1])
    })

    test('is shown with the defaults merged in on request', async () => {
      const pool = await createPool(app)
      const { ManagedLoginBrandingId } = await create(pool, { Settings: rounded(1) })
      const expected = structuredClone(defaultBrandingSettings) as { components: { form: object } }
      Object.assign(expected.components.form, { borderRadius: 1 })
      for (const merged of [
        await describeStyle(pool.poolId, ManagedLoginBrandingId, true),
        await describeByClient(pool.poolId, pool.clientId, true),
      ]) {
        assert.deepEqual(merged?.Settings, expected)
      }
      for (const own of [
        await describeStyle(pool.poolId, ManagedLoginBrandingId, false),
        await describeByClient(pool.poolId, pool.clientId, false),
      ]) {
        assert.deepEqual(own?.Settings, rounded(1))
      }
      await update(pool.poolId, ManagedLoginBrandingId, { UseCognitoProvidedValues: true })
      assert.deepEqual((await describeByClient(pool.poolId, pool.clientId, true))?.Settings, defaultBrandingSettings)
    })

    test('keeps its files in an update that names none, and replaces them by any list', async () => {
      const pool = await createPool(app)
      const { ManagedLoginBrandingId: id, CreationDate } = await create(pool, { Settings: rounded(1), Assets: [logo] })
      app.advance(seconds(3))
      const changed = await update(pool.poolId, id, { Settings: rounded(2) })
      assert.deepEqual(changed?.Settings, rounded(2))
      assert.deepEqual(compared(changed?.Assets), compared([logo]))
      assert.deepEqual([changed?.CreationDate, changed?.LastModifiedDate], [CreationDate, new Date(app.now())])
      assert.deepEqual(await describeStyle(pool.poolId, id), changed)

      const icon = asset('FAVICON_SVG', 'SVG', svg())
      await update(pool.poolId, id, { UseCognitoProvidedValues: false, Settings: rounded(2), Assets: [icon, logo] })
      assert.deepEqual(compared((await describeStyle(pool.poolId, id))?.Assets), compared([icon, logo]))
      await update(pool.poolId, id, { Settings: rounded(2), Assets: [] })
      assert.deepEqual((await describeStyle(pool.poolId, id))?.Assets, [])
    })

    test('goes back to the provided values and forgets its settings', async () => {
      const pool = await createPool(app)
      const { ManagedLoginBrandingId: id } = await create(pool, { Settings: rounded(1), Assets: [logo] })
      const changed = await update(pool.poolId, id, { UseCognitoProvidedValues: true })
      assert.deepEqual([changed?.UseCognitoProvidedValues, changed?.Settings], [true, undefined])
      assert.equal(changed?.Assets?.length, 1)
      assert.equal((await update(pool.poolId, id, { Settings: {} }))?.UseCognitoProvidedValues, false)
    })

    test('names exactly one source, in create and update alike', async () => {
      const pool = await createPool(app)
      const wrong = [
        {},
        { UseCognitoProvidedValues: false },
        { UseCognitoProvidedValues: true, Settings: {} },
        { Assets: [logo] },
      ]
      for (const members of wrong) await assert.rejects(create(pool, members), oneSource)
      const { ManagedLoginBrandingId: id } = await create(pool)
      for (const members of wrong) await assert.rejects(update(pool.poolId, id, members), oneSource)
    })

    test('is the only one of its client, also when many are created at once', async () => {
      const pool = await createPool(app)
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => create(pool)))
      assert.equal(results.filter(result => result.status === 'fulfilled').length, 1)
      for (const result of results) {
        if (result.status === 'rejected') {
          assert.equal(result.reason.name, 'ManagedLoginBrandingExistsException')
          assert.equal(result.reason.message, exists(pool.clientId).message)
        }
      }
      await create({ ...pool, clientId: await createClient(app, pool.poolId) })
    })

    test('loses no change when many change it at once', async () => {
      const pool = await createPool(app)
      const { ManagedLoginBrandingId: id } = await create(pool, { Settings: rounded(0) })
      const results = await Promise.allSettled(
        Array.from({ length: 6 }, (_, i) => update(pool.poolId, id, { Settings: rounded(i), Assets: [logo] })),
      )
      assert.ok(results.some(result => result.status === 'fulfilled'))
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.name, 'ConcurrentModificationException')
      }
      assert.equal((await describeStyle(pool.poolId, id))?.Assets?.length, 1)
    })

    test('is gone after its deletion, and its client can have another one', async () => {
      const pool = await createPool(app)
      const { ManagedLoginBrandingId: id } = await create(pool, { Settings: {}, Assets: [logo] })
      await remove(pool.poolId, id)
      await assert.rejects(describeStyle(pool.poolId, id), notFound)
      await assert.rejects(describeByClient(pool.poolId, pool.clientId), noneOfClient(pool.clientId))
      await assert.rejects(update(pool.poolId, id, { Settings: {} }), notFound)
      await assert.rejects(remove(pool.poolId, id), notFound)
      const files = await app.database.db
        .selectFrom('managed_login_assets')
        .select('position')
        .where('branding_id', '=', id ?? '')
        .execute()
      assert.deepEqual(files, [])
      assert.notEqual((await create(pool)).ManagedLoginBrandingId, id)
    })

    test('goes with its client', async () => {
      const pool = await createPool(app)
      const { ManagedLoginBrandingId: id } = await create(pool)
      await app.aws.deleteUserPoolClient({ UserPoolId: pool.poolId, ClientId: pool.clientId })
      await assert.rejects(describeStyle(pool.poolId, id), notFound)
    })

    test('belongs to one pool', async () => {
      const [one, other] = [await createPool(app), await createPool(app)]
      const { ManagedLoginBrandingId: id } = await create(one)
      await assert.rejects(describeStyle(other.poolId, id), notFound)
      await assert.rejects(update(other.poolId, id, { Settings: {} }), notFound)
      await assert.rejects(remove(other.poolId, id), notFound)
      await assert.rejects(describeByClient(other.poolId, one.clientId), noClient(one.clientId))
      await assert.rejects(create({ poolId: other.poolId, clientId: one.clientId }), noClient(one.clientId))
      assert.equal((await describeStyle(one.poolId, id))?.UseCognitoProvidedValues, true)
    })

    test('that does not exist is not found, nor one of an unknown pool', async () => {
      const { poolId, clientId } = await createPool(app)
      await assert.rejects(describeStyle(poolId, unknownId), notFound)
      await assert.rejects(describeByClient(poolId, clientId), noneOfClient(clientId))
      const noPool = { name: 'ResourceNotFoundException', message: 'User pool us-east-1_unknown does not exist.' }
      await assert.rejects(describeStyle('us-east-1_unknown', unknownId), noPool)
      await assert.rejects(update('us-east-1_unknown', unknownId, { Settings: {} }), noPool)
      await assert.rejects(describeStyle(poolId, 'not-a-uuid'), invalid(/at 'managedLoginBrandingId' failed/))
      const noIds = app.aws.updateManagedLoginBranding({ UserPoolId: poolId, Settings: {} })
      await assert.rejects(noIds, invalid('Missing required parameter ManagedLoginBrandingId'))
      const noPoolId = app.aws.updateManagedLoginBranding({ ManagedLoginBrandingId: unknownId, Settings: {} })
      await assert.rejects(noPoolId, invalid('Missing required parameter UserPoolId'))
    })

    test('is one of at most twenty in a pool', async () => {
      const pool = await createPool(app)
      const clientIds = [pool.clientId]
      for (let i = 0; i < 20; i += 1) clientIds.push(await createClient(app, pool.poolId))
      const results = await Promise.allSettled(clientIds.map(clientId => create({ ...pool, clientId })))
      const refused = results.filter(result => result.status === 'rejected')
      assert.deepEqual(
        refused.map(result => [result.reason.name, result.reason.message]),
        [['LimitExceededException', 'A user pool can have at most 20 managed login branding styles.']],
      )
      await create(await createPool(app))
    })
  })

  describe('settings', () => {
    test('come back as they were sent, all of them', async () => {
      const pool = await createPool(app)
      assert.deepEqual((await create(pool, { Settings: defaultBrandingSettings })).Settings, defaultBrandingSettings)
    })

    test('with unknown members or values of another type are refused, and nothing is stored', async () => {
      const pool = await createPool(app)
      const wrong: [CreateManagedLoginBrandingCommandInput['Settings'], string][] = [
        [{ fonts: {} }, 'fonts'],
        [{ components: { form: { borderRadius: '8' } } }, 'components.form.borderRadius'],
        [
          { components: { pageBackground: { lightMode: { color: 'red}</style><script>' } } } },
          'components.pageBackground.lightMode.color',
        ],
        [[], 'settings'],
        ['text', 'settings'],
      ]
      for (const [Settings, path] of wrong) {
        await assert.rejects(create(pool, { Settings }), invalid(new RegExp(`^Invalid settings at '${path}': `)))
      }
      await assert.rejects(describeByClient(pool.poolId, pool.clientId), noneOfClient(pool.clientId))
    })
  })

  describe('a file', () => {
    test('has a type that its category takes', async () => {
      const pool = await createPool(app)
      const wrong: [AssetType, string][] = [
        [asset('FAVICON_ICO', 'PNG', png()), 'Invalid asset 2 (FAVICON_ICO): the extension must be one of ICO.'],
        [asset('FAVICON_SVG', 'ICO', ico(png())), 'Invalid asset 2 (FAVICON_SVG): the extension must be one of SVG.'],
        [
          asset('IDP_BUTTON_ICON', 'PNG', png()),
          'Invalid asset 2 (IDP_BUTTON_ICON): the extension must be one of ICO, SVG.',
        ],
        [
          asset('FORM_LOGO', 'WEBP', png()),
          'Invalid asset 2 (FORM_LOGO): the extension must be one of PNG, SVG, JPEG.',
        ],
        [
          asset('FORM_LOGO', 'ICO', ico(png())),
          'Invalid asset 2 (FORM_LOGO): the extension must be one of PNG, SVG, JPEG.',
        ],
      ]
      for (const [file, message] of wrong) {
        await assert.rejects(create(pool, { Settings: {}, Assets: [logo, file] }), invalid(message))
      }
    })

    test('is what its extension says', async () => {
      const pool = await createPool(app)
      const wrong: [AssetType, string][] = [
        [asset('FORM_LOGO', 'PNG', jpeg()), 'the file is no PNG image.'],
        [asset('FORM_LOGO', 'JPEG', Buffer.from('<html>')), 'the file is no JPEG image.'],
        [asset('FAVICON_ICO', 'ICO', png()), 'the file is no ICO image.'],
        [asset('FORM_LOGO', 'PNG', undefined), 'Bytes is required.'],
        [asset('FORM_LOGO', 'PNG', png(1, 30_000)), 'the image has too many pixels.'],
        [asset('FORM_LOGO', 'SVG', svg('<script/>')), 'the element script is not allowed in an SVG file.'],
        [
          asset('FORM_LOGO', 'SVG', svg('<foreignObject/>')),
          'the element foreignObject is not allowed in an SVG file.',
        ],
        [
          asset('FORM_LOGO', 'SVG', svg('<image href="//evil.example/a.png"/>')),
          'href must refer to something inside the SVG file.',
        ],
      ]
      for (const [file, fault] of wrong) {
        const message = `Invalid asset 1 (${file.Category}): ${fault}`
        await assert.rejects(create(pool, { Settings: {}, Assets: [file] }), invalid(message))
      }
    })

    test('has at most a million bytes, stands with at most thirty-nine others, in a request of two megabytes', async () => {
      const pool = await createPool(app)
      const large = png(1, 1, 1_000_000 - png().length)
      assert.equal((await create(pool, { Settings: {}, Assets: [asset('FORM_LOGO', 'PNG', large)] })).Assets?.length, 1)
      const { ManagedLoginBrandingId: id } = (await describeByClient(pool.poolId, pool.clientId)) ?? {}
      const tooLarge = asset('FORM_LOGO', 'PNG', png(1, 1, 1_000_001 - png().length))
      await assert.rejects(update(pool.poolId, id, { Settings: {}, Assets: [tooLarge] }), invalid(/1000000$/))
      await assert.rejects(
        update(pool.poolId, id, { Settings: {}, Assets: Array(41).fill(logo) }),
        invalid(/equal to 40$/),
      )
      assert.equal((await update(pool.poolId, id, { Settings: {}, Assets: Array(40).fill(logo) }))?.Assets?.length, 40)
      const half = asset('FORM_LOGO', 'PNG', png(1, 1, 800_000))
      await assert.rejects(
        update(pool.poolId, id, { Settings: {}, Assets: [half, half] }),
        (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode === 413,
      )
      assert.equal((await describeStyle(pool.poolId, id))?.Assets?.length, 40)
    })
  })

  test('the pages see all settings and the list of files, and read each file by its place', async () => {
    const pool = await createPool(app)
    assert.equal(await seenBy(pool.poolId, pool.clientId), undefined)
    const icon = asset('IDP_BUTTON_ICON', 'SVG', svg(), { ResourceId: 'My IdP', ColorMode: 'DARK' })
    const { ManagedLoginBrandingId: id = '' } = await create(pool, { Settings: rounded(1), Assets: [logo, icon] })
    const seen = await seenBy(pool.poolId, pool.clientId)
    assert.equal(seen?.id, id)
    const merged = (await describeStyle(pool.poolId, id, true))?.Settings
    assert.deepEqual(JSON.parse(JSON.stringify(seen?.settings)), merged)
    assert.deepEqual(seen?.assets, [
      { position: 0, category: 'FORM_LOGO', colorMode: 'LIGHT', extension: 'PNG', resourceId: undefined },
      { position: 1, category: 'IDP_BUTTON_ICON', colorMode: 'DARK', extension: 'SVG', resourceId: 'My IdP' },
    ])
    const file = await findBrandingAsset(context(), id, 1)
    assert.equal(file?.contentType, 'image/svg+xml')
    assert.deepEqual(Buffer.from(file?.bytes ?? []), svg())
    assert.equal(await findBrandingAsset(context(), id, 2), undefined)
    assert.equal(await findBrandingAsset(context(), unknownId, 0), undefined)
  })
})
