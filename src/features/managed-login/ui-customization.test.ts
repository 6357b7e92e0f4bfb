import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { SetUICustomizationCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { jpeg, png, svg } from '../../../test/support/images.ts'
import { createClient, createPool } from '../../../test/support/pools.ts'
import { getClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { getPool } from '../user-pools/pool.ts'
import { findUiImage, uiCustomizationOf } from './ui-customization.ts'

const invalid = (message: string | RegExp) => ({ name: 'InvalidParameterException', message })
const noDomain = invalid('There has to be an existing domain associated with this user pool')
const tooLarge = invalid('request parameters too large')
const css = '.label-customizable {font-weight: 400;}'

let domains = 0

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const createPoolWithDomain = async () => {
    const pool = await createPool(app)
    domains += 1
    await app.aws.createUserPoolDomain({ UserPoolId: pool.poolId, Domain: `looks-${app.kind}-${domains}` })
    return pool
  }
  const set = async (UserPoolId: string, more: Partial<SetUICustomizationCommandInput> = {}) =>
    (await app.aws.setUICustomization({ UserPoolId, ...more })).UICustomization
  const get = async (UserPoolId: string, ClientId?: string) =>
    (await app.aws.getUICustomization({ UserPoolId, ClientId })).UICustomization
  const version = () => new Date(app.now()).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  const context = (): Context => ({
    ...app.app.services,
    requestId: '',
    region: 'us-east-1',
    publicUrl: app.url,
    sourceIp: undefined,
    userAgent: undefined,
  })
  /** What the pages see. */
  const seenBy = async (poolId: string, clientId: string) => {
    const ctx = context()
    const pool = await getPool(ctx, poolId)
    return uiCustomizationOf(ctx, pool, await getClient(ctx, clientId, pool))
  }

  describe('a customization of the classic pages', () => {
    test('comes back as it was set, with the address of its logo', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      const stored = await set(poolId, { ClientId: clientId, CSS: css, ImageFile: png(300, 80) })
      assert.deepEqual(stored, {
        UserPoolId: poolId,
        ClientId: clientId,
        ImageUrl: `${app.url}/${poolId}/${clientId}/${version()}/assets/images/image.jpg`,
        CSS: css,
        CSSVersion: version(),
        LastModifiedDate: new Date(app.now()),
        CreationDate: new Date(app.now()),
      })
      assert.deepEqual(await get(poolId, clientId), stored)
    })

    test('has a logo that is served as an image and as nothing else', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      const stored = await set(poolId, { ClientId: clientId, ImageFile: png(300, 80) })
      const ImageUrl = stored?.ImageUrl ?? ''
      const answer = await fetch(ImageUrl)
      assert.equal(answer.headers.get('content-type'), 'image/png')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/)
      assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), new Uint8Array(png(300, 80)))
      assert.equal((await fetch(ImageUrl.replace(clientId, 'ALL'))).status, 404)
    })

    test('is an empty structure before it is set', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      assert.deepEqual(await get(poolId), {})
      assert.deepEqual(await get(poolId, 'ALL'), {})
      assert.deepEqual(await get(poolId, clientId), {})
      assert.equal(await seenBy(poolId, clientId), undefined)
    })

    test('is replaced as a whole and keeps its date of creation', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      const first = await set(poolId, { ClientId: clientId, CSS: css })
      assert.equal(first?.ImageUrl, undefined)
      app.advance(seconds(5))
      const second = await set(poolId, { ClientId: clientId, ImageFile: jpeg() })
      assert.equal(second?.CSS, undefined)
      assert.equal(second?.CSSVersion, version())
      assert.deepEqual(second?.CreationDate, first?.CreationDate)
      assert.deepEqual(second?.LastModifiedDate, new Date(app.now()))
      assert.deepEqual(await get(poolId, clientId), second)
    })

    test('of all clients is in force until a client has its own, and again when that is removed', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      const other = await createClient(app, poolId)
      const all = await set(poolId, { CSS: css })
      assert.equal(all?.ClientId, 'ALL')
      assert.deepEqual(await get(poolId, clientId), all)
      const own = await set(poolId, { ClientId: clientId, CSS: '.logo-customizable {max-width: 60%;}' })
      assert.deepEqual(await get(poolId, clientId), own)
      assert.deepEqual(await get(poolId, other), all)
      assert.deepEqual(await get(poolId), all)
      assert.equal((await seenBy(poolId, clientId))?.css, '.logo-customizable{max-width:60%}\n')
      assert.equal((await seenBy(poolId, other))?.css, '.label-customizable{font-weight:400}\n')

      const removed = await set(poolId, { ClientId: clientId })
      assert.deepEqual(removed, { UserPoolId: poolId, ClientId: clientId, CSSVersion: version() })
      assert.deepEqual(await get(poolId, clientId), all)
      await set(poolId, { ClientId: 'ALL', CSS: '', ImageFile: new Uint8Array() })
      assert.deepEqual(await get(poolId, clientId), {})
    })

    test('belongs to one pool and to a client of it', async () => {
      const [one, other] = [await createPoolWithDomain(), await createPoolWithDomain()]
      await set(one.poolId, { CSS: css })
      assert.deepEqual(await get(other.poolId), {})
      const notFound = {
        name: 'ResourceNotFoundException',
        message: `User pool client ${other.clientId} does not exist.`,
      }
      await assert.rejects(set(one.poolId, { ClientId: other.clientId, CSS: css }), notFound)
      await assert.rejects(get(one.poolId, other.clientId), notFound)
    })

    test('goes with its client and with its pool', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      await set(poolId, { CSS: css })
      await set(poolId, { ClientId: clientId, CSS: css })
      const targets = async () => {
        const rows = await app.database.db
          .selectFrom('ui_customizations')
          .select('target')
          .where('pool_id', '=', poolId)
          .execute()
        return rows.map(row => row.target)
      }
      await app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId })
      assert.deepEqual(await targets(), ['ALL'])
      const { UserPool } = await app.aws.describeUserPool({ UserPoolId: poolId })
      await app.aws.deleteUserPoolDomain({ UserPoolId: poolId, Domain: UserPool?.Domain })
      await app.aws.deleteUserPool({ UserPoolId: poolId })
      assert.deepEqual(await targets(), [])
    })

    test('needs a domain to be set and to be read, and returns with the domain', async () => {
      const { poolId, clientId } = await createPool(app)
      await assert.rejects(set(poolId, { CSS: css }), noDomain)
      await assert.rejects(get(poolId, clientId), noDomain)
      const Domain = `looks-again-${app.kind}`
      await app.aws.createUserPoolDomain({ UserPoolId: poolId, Domain })
      await set(poolId, { CSS: css })
      await app.aws.deleteUserPoolDomain({ UserPoolId: poolId, Domain })
      await assert.rejects(get(poolId), noDomain)
      await app.aws.createUserPoolDomain({ UserPoolId: poolId, Domain })
      assert.equal((await get(poolId))?.CSS, css)
    })

    test('of an unknown pool is not found', async () => {
      const unknown = { name: 'ResourceNotFoundException', message: 'User pool us-east-1_unknown does not exist.' }
      await assert.rejects(get('us-east-1_unknown'), unknown)
      await assert.rejects(set('us-east-1_unknown', { CSS: css }), unknown)
    })

    test('set by many at once is one of them', async () => {
      const { poolId, clientId } = await createPoolWithDomain()
      const texts = Array.from({ length: 8 }, (_, i) => `.logo-customizable{max-width:${i}%}`)
      await Promise.all(texts.map(CSS => set(poolId, { ClientId: clientId, CSS })))
      assert.ok(texts.includes((await get(poolId, clientId))?.CSS ?? ''))
    })
  })

  describe('a refused customization leaves the one before it', () => {
    let poolId: string
    let earlier: Awaited<ReturnType<typeof get>>
    before(async () => {
      poolId = (await createPoolWithDomain()).poolId
      earlier = await set(poolId, { CSS: css, ImageFile: png() })
    })
    const refused = async (more: Partial<SetUICustomizationCommandInput>, error: object) => {
      await assert.rejects(set(poolId, more), error)
      assert.deepEqual(await get(poolId), earlier)
    }

    test('with a style for a class that is not published', () =>
      refused({ CSS: '.other-customizable{color:red}' }, invalid('CSS has invalid class: other-customizable')))

    test('with a style that loads, runs or escapes', async () => {
      for (const CSS of [
        '</style><script>alert(1)</script>',
        '@import "//evil.example";',
        '.label-customizable{background:url(//evil.example)}',
        '.label-customizable{background:\\75rl(//evil.example)}',
        '.label-customizable{width:expression(alert(1))}',
        'input[value^=a]{background:red}',
      ]) {
        await refused({ CSS }, { name: 'InvalidParameterException' })
      }
    })

    test('with a logo that is no PNG or JPEG image', async () => {
      for (const ImageFile of [svg(), Buffer.from('GIF89a'), Buffer.concat([png(), Buffer.from('<html>')])]) {
        await refused({ ImageFile }, invalid('ImageFile must be a PNG or JPEG image.'))
      }
    })

    test('with a logo of more pixels than a browser can take', () =>
      refused({ ImageFile: png(1, 30_000) }, invalid('The image has too many pixels.')))

    test('with more than 135 KB in all', async () => {
      const room = 135 * 1024
      const padded = (length: number) => `/*${'x'.repeat(length - 4)}*/`
      const logo = png(1, 1, 100 * 1024 - png().length)
      assert.equal(logo.length, 100 * 1024)
      const rest = room - Math.ceil(logo.length / 3) * 4
      await refused({ CSS: padded(rest + 1), ImageFile: logo }, tooLarge)
      await refused({ ImageFile: png(1, 1, 104_000) }, tooLarge)
      const other = await createPoolWithDomain()
      assert.equal((await set(other.poolId, { CSS: padded(rest), ImageFile: logo }))?.CSS?.length, rest)
    })

    test('with more than the model allows', async () => {
      await refused({ CSS: 'x'.repeat(131_073) }, { name: 'InvalidParameterException', message: /cSS|css/ })
      await refused(
        { ImageFile: new Uint8Array(131_073) },
        invalid(/at 'imageFile' failed .*less than or equal to 131072$/),
      )
    })
  })

  test('the logo of an address is found by its version only', async () => {
    const { poolId, clientId } = await createPoolWithDomain()
    const logo = jpeg(5, 5)
    await set(poolId, { ClientId: clientId, ImageFile: logo })
    const image = await findUiImage(context(), poolId, clientId, version())
    assert.equal(image?.contentType, 'image/jpeg')
    assert.deepEqual(Buffer.from(image?.bytes ?? []), logo)
    const path = `/${poolId}/${clientId}/${version()}/assets/images/image.jpg`
    assert.deepEqual(await seenBy(poolId, clientId), { poolId, target: clientId, css: '', imagePath: path })
    assert.equal(await findUiImage(context(), poolId, 'ALL', version()), undefined)
    assert.equal(await findUiImage(context(), 'us-east-1_other', clientId, version()), undefined)
    const earlier = version()
    app.advance(seconds(1))
    await set(poolId, { ClientId: clientId, ImageFile: png() })
    assert.equal(await findUiImage(context(), poolId, clientId, earlier), undefined)
    assert.equal((await findUiImage(context(), poolId, clientId, version()))?.contentType, 'image/png')
    await set(poolId, { ClientId: clientId, CSS: css })
    assert.equal(await findUiImage(context(), poolId, clientId, version()), undefined)
  })
})
