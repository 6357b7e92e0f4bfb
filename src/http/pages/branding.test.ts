import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { AssetType, CreateManagedLoginBrandingCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import type { Page } from 'playwright-core'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { screenshot, withBrowser } from '../../../test/support/browser.ts'
import { svg } from '../../../test/support/images.ts'
import { createOAuthClient, type OAuthClient } from '../../../test/support/oauth.ts'
import { createPagePool, pagePath } from '../../../test/support/pages.ts'

/** A picture of one colour; 40 by 20 pixels. */
const picture = (fill: string): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20"><rect width="40" height="20" fill="${fill}"/></svg>`,
  )
/** One pixel, as a browser can show it. */
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const asset = (Category: AssetType['Category'], ColorMode: AssetType['ColorMode'], fill: string): AssetType => ({
  Category,
  ColorMode,
  Extension: 'SVG',
  Bytes: picture(fill),
})
const rgb = { red: 'rgb(255, 0, 0)', green: 'rgb(0, 128, 0)', navy: 'rgb(0, 0, 128)' }
const own = {
  categories: {
    form: { location: { horizontal: 'END', vertical: 'START' }, displayGraphics: false },
    global: { colorSchemeMode: 'DYNAMIC', pageHeader: { enabled: true } },
  },
  componentClasses: { input: { borderRadius: 3, lightMode: { defaults: { borderColor: '008000ff' } } } },
  components: {
    form: { logo: { enabled: true, location: 'START' }, borderRadius: 21 },
    primaryButton: {
      lightMode: { defaults: { backgroundColor: 'ff0000ff' }, hover: { backgroundColor: '008000ff' } },
      darkMode: { defaults: { backgroundColor: '000080ff' } },
    },
  },
}

/** What is used of the browser here; the types of the whole are for programs that run in one. */
interface Window {
  getComputedStyle(element: unknown): { getPropertyValue(name: string): string }
}
interface Image {
  naturalWidth: number
  currentSrc: string
}
const imageOf = (page: Page, selector: string): Promise<Image> =>
  page.locator(selector).evaluate(element => {
    const { naturalWidth, currentSrc } = element as unknown as Image
    return { naturalWidth, currentSrc }
  })

/** The computed value of a property of the first element of a kind. */
const styleOf = (page: Page, selector: string, property: string): Promise<string> =>
  page
    .locator(selector)
    .first()
    .evaluate(
      (element, name) => (globalThis as unknown as Window).getComputedStyle(element).getPropertyValue(name),
      property,
    )

/** Colours and pictures may take a moment to change. */
const until = async (read: () => Promise<string>, expected: string | RegExp): Promise<void> => {
  let value = ''
  for (let tries = 0; tries < triesMax; tries += 1) {
    value = await read()
    if (typeof expected === 'string' ? value === expected : expected.test(value)) return
    await setTimeout(50)
  }
  assert.fail(`${value} did not become ${expected}`)
}
const triesMax = 400
const untilPrimaryIs = (page: Page, colour: string): Promise<void> =>
  until(() => styleOf(page, '.button-primary', 'background-color'), colour)

onEachDatabase(testApp => {
  const open = withBrowser()
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const brand = async (
    { poolId, clientId }: OAuthClient,
    input: Partial<CreateManagedLoginBrandingCommandInput> = { UseCognitoProvidedValues: true },
  ): Promise<string> => {
    const request = { UserPoolId: poolId, ClientId: clientId, ...input }
    return (await app.aws.createManagedLoginBranding(request)).ManagedLoginBranding?.ManagedLoginBrandingId ?? ''
  }
  /** A page for the client, and the hosts of all that the browser asked for. */
  const show = async (client: OAuthClient, base = app.url, options: Parameters<typeof open>[0] = {}) => {
    const page = await open(options)
    const hosts = new Set<string>()
    page.on('request', request => hosts.add(new URL(request.url()).host))
    await page.goto(base + pagePath(client))
    return { page, hosts, asked: new URL(base).host }
  }

  describe('managed login', () => {
    test('looks as the style of the client says: colours, corners, places and pictures', async () => {
      const client = await createPagePool(app)
      await brand(client, {
        Settings: own,
        Assets: [
          asset('FORM_LOGO', 'LIGHT', 'red'),
          asset('FORM_LOGO', 'DARK', 'navy'),
          asset('PAGE_BACKGROUND', 'DYNAMIC', 'green'),
          asset('FAVICON_SVG', 'LIGHT', 'red'),
        ],
      })
      const { page, hosts, asked } = await show(client)
      assert.equal(await styleOf(page, '.button-primary', 'background-color'), rgb.red)
      assert.equal(await styleOf(page, '.input >> nth=1', 'border-top-color'), rgb.green)
      assert.equal(await styleOf(page, '.input', 'border-top-left-radius'), '3px')
      assert.equal(await styleOf(page, '.card', 'border-top-left-radius'), '21px')
      assert.match(await styleOf(page, 'body', 'background-image'), /\/pages\/assets\/[\w-]{36}\/1\/2"\)$/)
      const { x = 0, y = 0 } = (await page.locator('.column').boundingBox()) ?? {}
      assert.ok(x > 500 && y < 150, `the form stands at ${x}, ${y}`)
      const logo = await imageOf(page, 'main .form-logo img')
      assert.equal(logo.naturalWidth, 40)
      assert.match(logo.currentSrc, /\/1\/0$/)
      await page.getByRole('button').hover()
      await untilPrimaryIs(page, rgb.green)
      await screenshot(page, 'branding-light')
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.mouse.move(0, 0)
      await untilPrimaryIs(page, rgb.navy)
      await until(async () => (await imageOf(page, 'main .form-logo img')).currentSrc, /\/1\/1$/)
      assert.equal(await page.locator('link[rel=icon]').getAttribute('href'), `${await assetsOf(page)}/1/3`)
      await screenshot(page, 'branding-dark')
      assert.deepEqual([...hosts], [asked])
    })

    test('shows a change at the next page, and keeps the style of another client apart', async () => {
      const client = await createPagePool(app)
      const other = await createOAuthClient(app, client.poolId)
      const id = await brand(client, { Settings: own })
      const { page } = await show(client)
      assert.equal(await styleOf(page, '.button-primary', 'background-color'), rgb.red)
      const sheet = await page.locator('link[rel=stylesheet]').getAttribute('href')
      const primaryButton = { lightMode: { defaults: { backgroundColor: '000080ff' } } }
      await app.aws.updateManagedLoginBranding({
        UserPoolId: client.poolId,
        ManagedLoginBrandingId: id,
        Settings: { components: { primaryButton } },
      })
      await page.reload()
      assert.notEqual(await page.locator('link[rel=stylesheet]').getAttribute('href'), sheet)
      assert.equal(await styleOf(page, '.button-primary', 'background-color'), rgb.navy)
      const { page: plain } = await show(other)
      assert.equal(await styleOf(plain, '.button-primary', 'background-color'), 'rgb(9, 114, 211)')
    })

    test('shows a list of languages, which keeps the request, when the style wants one', async () => {
      const client = await createPagePool(app)
      await brand(client, { Settings: { categories: { form: { languageSelector: { enabled: true } } } } })
      const { page } = await show(client, app.url, { locale: 'fr-FR' })
      await page.getByText('Français').first().click()
      await page.getByRole('link', { name: 'العربية' }).click()
      await page.getByRole('heading', { name: 'تسجيل الدخول' }).waitFor()
      assert.equal(await page.locator('html').getAttribute('dir'), 'rtl')
      assert.equal(await styleOf(page, 'h1', 'text-align'), 'start')
      assert.equal(new URL(page.url()).searchParams.get('client_id'), client.clientId)
      await page.goto(app.url + pagePath(client))
      assert.equal(await page.locator('html').getAttribute('lang'), 'ar')
    })
  })

  describe('a domain', () => {
    test('says which look its clients have, and has no pages for one without a style', async () => {
      const client = await createPagePool(app)
      const domain = { UserPoolId: client.poolId, Domain: `look-${app.kind}` }
      const base = `http://${domain.Domain}.localhost:${new URL(app.url).port}`
      await app.aws.createUserPoolDomain({ ...domain, ManagedLoginVersion: 1 })
      const { page } = await show(client, base)
      assert.equal(await page.locator('html').getAttribute('class'), 'look-classic')
      await app.aws.updateUserPoolDomain({ ...domain, ManagedLoginVersion: 2 })
      await page.reload()
      await page.getByText('Login pages unavailable. Please contact an administrator.').waitFor()
      assert.equal(await page.locator('html').getAttribute('class'), 'look-managed')
      assert.equal(await page.getByRole('textbox').count(), 0)
      const { page: shared } = await show(client)
      assert.equal(await shared.getByLabel('Username').count(), 1)
      await brand(client)
      await page.reload()
      assert.equal(await page.getByLabel('Username').count(), 1)
    })
  })

  describe('the classic pages', () => {
    const css = (colour: string) =>
      `.banner-customizable{background-color:${colour}} .submitButton-customizable{background-color:${colour};border-radius:7px}
      .submitButton-customizable:hover{background-color:green} .inputField-customizable:focus{border-color:${colour}} .label-customizable{font-weight:900}`
    const createClassic = async (name: string) => {
      const client = await createPagePool(app)
      await app.aws.createUserPoolDomain({ UserPoolId: client.poolId, Domain: `${name}-${app.kind}` })
      await app.aws.updateUserPoolDomain({
        UserPoolId: client.poolId,
        Domain: `${name}-${app.kind}`,
        ManagedLoginVersion: 1,
      })
      return client
    }

    test('wear the style sheet and the logo that are set for all clients', async () => {
      const client = await createClassic('all')
      await app.aws.setUICustomization({ UserPoolId: client.poolId, CSS: css('navy'), ImageFile: pixel })
      const { page, hosts, asked } = await show(client)
      assert.equal(await styleOf(page, '.banner-customizable', 'background-color'), rgb.navy)
      assert.equal(await styleOf(page, 'button', 'background-color'), rgb.navy)
      assert.equal(await styleOf(page, 'button', 'border-top-left-radius'), '7px')
      assert.equal(await styleOf(page, '.label-customizable', 'font-weight'), '900')
      await page.getByLabel('Password').focus()
      assert.equal(await styleOf(page, '.input:focus', 'border-top-color'), rgb.navy)
      await page.getByRole('button').hover()
      assert.equal(await styleOf(page, 'button', 'background-color'), rgb.green)
      assert.equal((await imageOf(page, 'img.logo-customizable')).naturalWidth, 1)
      await screenshot(page, 'classic-customized')
      assert.deepEqual([...hosts], [asked])
    })

    test('mark the rules that a refused password met and broke, in the colours of the style sheet', async () => {
      const client = await createClassic('rules')
      const rules = '.passwordCheck-valid-customizable{color:green} .passwordCheck-notValid-customizable{color:navy}'
      await app.aws.setUICustomization({ UserPoolId: client.poolId, CSS: rules })
      const page = await open()
      await page.goto(app.url + pagePath(client, '/signup'))
      assert.equal(await page.locator('.rule').count(), 0)
      await page.getByLabel('Username').fill('ann')
      for (const label of ['Password', 'Confirm password'])
        await page.getByLabel(label, { exact: true }).fill('Abcdefgh')
      await page.getByRole('button', { name: 'Sign up' }).click()
      await page.locator('.rule').first().waitFor()
      const marked = async (name: string) => page.locator(`.passwordCheck-${name}-customizable`).allInnerTexts()
      assert.deepEqual(await marked('valid'), ['at least 8 characters', 'a lower case letter', 'an upper case letter'])
      assert.deepEqual(await marked('notValid'), ['a number', 'a special character or a space'])
      assert.equal(await styleOf(page, '.passwordCheck-valid-customizable', 'color'), rgb.green)
      assert.equal(await styleOf(page, '.passwordCheck-notValid-customizable', 'color'), rgb.navy)
      assert.ok(!(await page.content()).includes('Abcdefgh'))
    })

    test('of a client with its own style sheet do not wear the one for all', async () => {
      const client = await createClassic('own')
      await app.aws.setUICustomization({ UserPoolId: client.poolId, CSS: css('navy'), ImageFile: pixel })
      await app.aws.setUICustomization({ UserPoolId: client.poolId, ClientId: client.clientId, CSS: css('red') })
      const { page } = await show(client)
      assert.equal(await styleOf(page, 'button', 'background-color'), rgb.red)
      assert.equal(await page.locator('img').count(), 0)
      app.advance(seconds(1))
      await app.aws.setUICustomization({ UserPoolId: client.poolId, ClientId: client.clientId, CSS: css('green') })
      await page.reload()
      assert.equal(await styleOf(page, 'button', 'background-color'), rgb.green)
      await app.aws.setUICustomization({ UserPoolId: client.poolId, ClientId: client.clientId })
      await page.reload()
      assert.equal(await styleOf(page, 'button', 'background-color'), rgb.navy)
    })
  })

  describe('files', () => {
    const headersOf = async (path: string) => {
      const answer = await fetch(app.url + path)
      await answer.arrayBuffer()
      return { status: answer.status, ...Object.fromEntries(answer.headers) } as Record<string, string | number>
    }

    test('of a style are pictures and nothing else, and kept for as long as they are up to date', async () => {
      const client = await createPagePool(app)
      const id = await brand(client, { Settings: own, Assets: [asset('FORM_LOGO', 'LIGHT', 'red')] })
      const headers = await headersOf(`/pages/assets/${id}/1/0`)
      assert.equal(headers['content-type'], 'image/svg+xml')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.match(String(headers['content-security-policy']), /^default-src 'none';.* sandbox$/)
      assert.match(String(headers['cache-control']), /immutable/)
      assert.equal((await headersOf(`/pages/assets/${id}/2/0`))['cache-control'], 'no-store')
      const page = await open()
      await page.goto(`${app.url}/pages/assets/${id}/1/0`)
      assert.equal(await page.evaluate('origin'), 'null')
    })

    test('that are not there, or asked for in another way, are not found', async () => {
      const client = await createPagePool(app)
      const id = await brand(client, { Settings: own, Assets: [asset('FORM_LOGO', 'LIGHT', 'red')] })
      const none = '11111111-2222-4333-8444-555555555555'
      for (const path of [
        `/pages/assets/${none}/1/0`,
        `/pages/assets/${id}/1/1`,
        `/pages/assets/${id}/1/-1`,
        `/pages/assets/${id}/1/0x0`,
        `/pages/assets/${id}/1/..%2f0`,
        `/pages/assets/${id}/99999999999/0`,
        `/pages/styles/managed/${none}/x.css`,
        `/pages/styles/managed/${id}/..%2f..%2f.env`,
        '/pages/styles/managed/x.css.map',
        '/pages/styles',
        '/pages/.git/config',
      ]) {
        assert.equal((await headersOf(path))['status'], 404, path)
      }
    })

    test('of sheets are kept under their own address alone', async () => {
      const client = await createPagePool(app)
      const id = await brand(client, { Settings: own })
      const { page } = await show(client)
      const path = (await page.locator('link[rel=stylesheet]').getAttribute('href')) ?? ''
      assert.ok(path.startsWith(`/pages/styles/managed/${id}/`))
      assert.match(String((await headersOf(path))['cache-control']), /immutable/)
      assert.equal((await headersOf(path))['x-content-type-options'], 'nosniff')
      for (const old of [
        `/pages/styles/managed/${id}/old.css`,
        '/pages/styles/managed/old.css',
        '/pages/styles/classic/old.css',
      ]) {
        assert.equal((await headersOf(old))['cache-control'], 'no-store')
      }
      for (const target of ['ALL', client.clientId, 'nobody', '__proto__']) {
        const headers = await headersOf(`/pages/styles/classic/${client.poolId}/${target}/x.css`)
        assert.equal(headers['content-type'], 'text/css; charset=utf-8', target)
      }
    })
  })

  test('a refused style leaves the pages as they were', async () => {
    const client = await createPagePool(app)
    const id = await brand(client, { Settings: own })
    const refused = { name: 'InvalidParameterException' }
    const change = (more: object) =>
      app.aws.updateManagedLoginBranding({ UserPoolId: client.poolId, ManagedLoginBrandingId: id, ...more })
    const colour = (backgroundColor: string) => ({
      components: { primaryButton: { lightMode: { defaults: { backgroundColor } } } },
    })
    for (const value of ['red', '#ff0000ff', 'url(//evil.example)', 'ff0000ff;}', 'ff0000f']) {
      await assert.rejects(change({ Settings: colour(value) }), refused)
    }
    await assert.rejects(
      change({
        Settings: own,
        Assets: [
          { Category: 'FORM_LOGO', ColorMode: 'LIGHT', Extension: 'SVG', Bytes: svg('<script>alert(1)</script>') },
        ],
      }),
      refused,
    )
    const { page } = await show(client)
    assert.equal(await styleOf(page, '.button-primary', 'background-color'), rgb.red)
  })
})

/** Where the pictures of the style of the page are. */
const assetsOf = async (page: Page): Promise<string> => {
  const sheet = (await page.locator('link[rel=stylesheet]').getAttribute('href')) ?? ''
  return `/pages/assets/${sheet.split('/').at(-2)}`
}
