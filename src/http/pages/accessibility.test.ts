import assert from 'node:assert/strict'
import { test } from 'node:test'
import { colourRules, violationsOf } from '../../../test/support/accessibility.ts'
import { openTestApp } from '../../../test/support/app.ts'
import { screenshot, withBrowser } from '../../../test/support/browser.ts'
import {
  type Appearance,
  classic,
  documentsOf,
  managed,
  showDocument,
  styleOf,
  withSheet,
} from '../../../test/support/gallery.ts'
import { shownPages } from '../../../test/support/shown-pages.ts'

const open = withBrowser()

const appearances: [name: string, appearance: Appearance, language: string, rules?: string[]][] = [
  ['managed login', managed(styleOf('LIGHT')), 'en'],
  ['managed login from right to left', managed(styleOf('LIGHT')), 'ar'],
  ['managed login from right to left in the dark', managed(styleOf('DARK')), 'ar', colourRules],
  ['the classic pages', classic(), 'en'],
]

for (const [name, appearance, language, rules] of appearances) {
  test(`${name} can be used by everybody: no page has a fault that axe finds`, async () => {
    const page = await open()
    const found: string[] = []
    for (const [state, content] of await documentsOf(appearance, language)) {
      await showDocument(page, content)
      found.push(...(await violationsOf(page, rules)).map(violation => `${state}: ${violation}`))
    }
    assert.deepEqual(found, [])
  })
}

for (const [name, version, language] of [
  ['managed login', 2, 'en'],
  ['managed login in Arabic', 2, 'ar'],
  ['the classic pages', 1, 'en'],
] as const) {
  test(`the pages of flows, ${name}: no fault that axe finds, nothing wider than a small window`, async () => {
    await using app = await openTestApp('sqlite')
    const { sheet } = version === 2 ? managed(styleOf(language === 'ar' ? 'DARK' : 'LIGHT')) : classic()
    const page = await open({ viewport: { width: 320, height: 640 } })
    const found: string[] = []
    for (const [state, { body }] of await shownPages(app, version, language)) {
      await showDocument(page, withSheet(body, sheet))
      found.push(...(await violationsOf(page)).map(violation => `${state}: ${violation}`))
      const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
      if (width > 320) found.push(`${state} is ${width} pixels wide`)
      await screenshot(page, `flow-${version}-${language}-${state}`)
    }
    assert.deepEqual(found, [])
  })
}

test('axe finds text that is too faint, and a field without a name', async () => {
  const page = await open()
  const content = (await documentsOf(managed())).get('sign-in') ?? ''
  await showDocument(
    page,
    content.replace('--primary:#0972d3ff', '--primary:#a9d2f3ff').replace(/<label.*?<\/label>/, ''),
  )
  const found = await violationsOf(page)
  assert.deepEqual(found.map(text => text.split(':', 1)[0]).sort(), ['color-contrast', 'label'])
})

test('a page fits a window of 320 pixels, in the longest words too', async () => {
  const page = await open({ viewport: { width: 320, height: 640 } })
  for (const [appearance, language] of [
    [managed(styleOf('LIGHT')), 'de'],
    [managed(styleOf('LIGHT')), 'ar'],
    [classic(), 'de'],
  ] as const) {
    for (const [state, content] of await documentsOf(appearance, language)) {
      await showDocument(page, content)
      const width = await page.evaluate('document.documentElement.scrollWidth')
      assert.ok(Number(width) <= 320, `${state} in ${language} is ${width} pixels wide`)
    }
  }
})
