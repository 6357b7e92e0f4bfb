import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { documentsOf, managed, styleOf } from '../../../../test/support/gallery.ts'
import { defaultBrandingSettings, type Json, type JsonObject } from '../../../core/branding-settings.ts'
import type { BrandingAsset } from '../../../features/managed-login/branding.ts'
import { managedLook } from '../look.ts'
import { brandingCss, settingAt } from './branding.ts'
import { managedCss } from './managed.ts'

const documentation = readFileSync(join(import.meta.dirname, '../../../../docs/branding.md'), 'utf8')

/** What the page of documentation says, by setting; true where the setting does something. */
const documented = new Map(
  [...documentation.matchAll(/^\| `((?:categories|componentClasses|components)\.[\w.{}]+)` \| (.*) \|$/gm)].map(
    ([, path = '', text = '']) => [path, !text.startsWith('*no effect*')] as const,
  ),
)

/** Paths of all members that hold a value. */
const leavesOf = (value: Json, path = ''): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([name, child]) => leavesOf(child, path === '' ? name : `${path}.${name}`))
    : [path]
const leaves = leavesOf(defaultBrandingSettings)

/** The row that is about the member: the one with the longest name. */
const rowOf = (leaf: string): string | undefined => {
  const path = leaf.replace(/\.(?:light|dark)Mode\b/, '.{mode}')
  return [...documented.keys()]
    .filter(row => path === row || path.startsWith(`${row}.`))
    .toSorted((a, b) => b.length - a.length)[0]
}

const replaced = (settings: JsonObject, path: string, value: Json): JsonObject => {
  const [name = '', ...rest] = path.split('.')
  const child = settings[name]
  return {
    ...settings,
    [name]: rest.length === 0 ? value : replaced((child ?? {}) as JsonObject, rest.join('.'), value),
  }
}

const words: Record<string, Json> = {
  'categories.auth.authMethodOrder': [[{ display: 'INPUT', type: 'USERNAME_PASSWORD' }, { type: 'FEDERATED' }]],
  'categories.auth.federation.interfaceStyle': 'DOMAIN_SEARCH',
  'categories.auth.federation.order': ['Contoso'],
  'categories.global.colorSchemeMode': 'DARK',
  'categories.global.spacingDensity': 'COMPACT',
  'components.favicon.enabledTypes': ['SVG'],
  'components.form.logo.formInclusion': 'OUT',
  'components.form.logo.position': 'BOTTOM',
  'components.idpButton.custom': { Contoso: { lightMode: { hover: { textColor: '12345678' } } } },
}

/** Another value of the same kind. */
const changed = (path: string, value: Json | undefined): Json => {
  const word = words[path]
  if (word !== undefined) return word
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return value + 1
  if (typeof value === 'string' && /^[\da-f]{8}$/i.test(value)) return '12345678'
  return path.includes('ocation') ? 'END' : ['other']
}

const categories = [
  ['FORM_LOGO', 'PNG'],
  ['FORM_BACKGROUND', 'PNG'],
  ['PAGE_BACKGROUND', 'PNG'],
  ['PAGE_HEADER_LOGO', 'PNG'],
  ['PAGE_HEADER_BACKGROUND', 'PNG'],
  ['PAGE_FOOTER_LOGO', 'PNG'],
  ['PAGE_FOOTER_BACKGROUND', 'PNG'],
  ['PASSWORD_GRAPHIC', 'SVG'],
  ['EMAIL_GRAPHIC', 'SVG'],
  ['SMS_GRAPHIC', 'SVG'],
  ['AUTH_APP_GRAPHIC', 'SVG'],
  ['PASSKEY_GRAPHIC', 'SVG'],
  ['FAVICON_ICO', 'ICO'],
  ['FAVICON_SVG', 'SVG'],
  ['IDP_BUTTON_ICON', 'SVG', 'Contoso'],
] as const
const allAssets: BrandingAsset[] = categories.flatMap(([category, extension, resourceId], index) =>
  (['LIGHT', 'DARK'] as const).map((colorMode, second) => ({
    position: index * 2 + second,
    category,
    colorMode,
    extension,
    resourceId,
  })),
)

/** Everything that can be switched on is on, so that each setting has something to act on. */
const switches = leaves.filter(leaf => leaf.endsWith('.enabled'))
const everything: JsonObject = switches.reduce(
  (settings, path) => replaced(settings, path, true),
  replaced(defaultBrandingSettings, 'categories.global.colorSchemeMode', 'DYNAMIC'),
)

const appearanceOf = (settings: JsonObject) => managed({ ...styleOf('DYNAMIC'), settings, assets: allAssets })

/** The markup of all pages, with the sheet in each. */
const pagesOf = async (appearance: ReturnType<typeof appearanceOf>): Promise<string> =>
  [...(await documentsOf(appearance)).values(), JSON.stringify(appearance.look.favicons)].join('\n')

suite('settings of a branding style', async () => {
  const before = appearanceOf(everything)
  const pagesBefore = await pagesOf(before)

  test('each is documented', () => {
    assert.deepEqual(
      leaves.filter(leaf => rowOf(leaf) === undefined),
      [],
    )
    const used = new Set(leaves.map(rowOf))
    assert.deepEqual(
      [...documented.keys()].filter(row => !used.has(row)),
      [],
    )
  })

  test('each changes what is shown, unless it is said to have no effect', async () => {
    for (const leaf of leaves) {
      const after = appearanceOf(replaced(everything, leaf, changed(leaf, settingAt(everything, leaf))))
      const shows = after.sheet.css() !== before.sheet.css() || (await pagesOf(after)) !== pagesBefore
      assert.equal(shows, documented.get(rowOf(leaf) ?? ''), leaf)
    }
  })

  test('no value can be read as more than a value', () => {
    const hostile = [
      'red;}*{display:none}',
      'url(//evil)',
      '</style><script>',
      '0000000',
      '00000000;',
      1,
      null,
      ['a'],
      {},
    ]
    for (const leaf of leaves) {
      for (const value of hostile) {
        const css = brandingCss(replaced(everything, leaf, value), new Map())
        assert.doesNotMatch(css, /evil|<|display:none|object|NaN|undefined/, `${leaf} ${value}`)
      }
    }
    const named = replaced(everything, 'components.idpButton.custom', {
      '}*{color:red': { lightMode: { hover: { textColor: '12345678', backgroundColor: 'url(//evil)' } } },
    })
    assert.match(brandingCss(named, new Map()), /\.provider-own-1\{--provider-hover-text:#12345678;\}/)
  })
})

test('a sheet uses all that a style sets, and styles only what the pages have', async () => {
  const css = managed().sheet.css()
  const placed = (place: string) =>
    leaves.filter(leaf => leaf.endsWith('.location')).reduce((from, leaf) => replaced(from, leaf, place), everything)
  const all = (await Promise.all(['START', 'CENTER', 'END'].map(place => pagesOf(appearanceOf(placed(place)))))).join(
    '\n',
  )
  const names = (pattern: RegExp, text: string) => new Set([...text.matchAll(pattern)].map(match => match[1] ?? ''))
  const [set, used] = [names(/[{;]--([\w-]+):/g, all), names(/var\(--([\w-]+)/g, all)]
  assert.deepEqual([...set].filter(name => !used.has(name)).sort(), [])
  assert.deepEqual(
    [...names(/var\(--([\w-]+)/g, css)].filter(name => !set.has(name) && name !== 'page-pattern').sort(),
    [],
  )
  const classes = names(/\.([a-z][\w-]*)/g, managedCss.replace(/[\d.]+(?:rem|em|s|px)\b/g, ''))
  const present = names(/class="([^"]*)"/g, all)
  const words = new Set([...present].flatMap(list => list.split(' ')))
  assert.deepEqual([...classes].filter(name => !words.has(name)).sort(), [])
})

test('a picture is one of the mode, then one for both, then the other where the page follows the browser', () => {
  const logo = (...modes: string[]) => modes.map((colorMode, position) => ({ ...first, colorMode, position }))
  const first = { position: 0, category: 'FORM_LOGO', colorMode: 'LIGHT', extension: 'PNG', resourceId: undefined }
  const shown = (mode: string, ...modes: string[]) => {
    const settings = replaced(everything, 'categories.global.colorSchemeMode', mode)
    const picture = managedLook({ ...styleOf(mode), settings, assets: logo(...modes) }).logo?.picture
    return [picture?.src, picture?.dark].map(path => path && modes[Number(path.split('/').at(-1))])
  }
  assert.deepEqual(shown('LIGHT', 'DARK'), [undefined, undefined])
  assert.deepEqual(shown('LIGHT', 'DARK', 'DYNAMIC'), ['DYNAMIC', undefined])
  assert.deepEqual(shown('LIGHT', 'DYNAMIC', 'LIGHT', 'LIGHT'), ['LIGHT', undefined])
  assert.deepEqual(shown('DARK', 'LIGHT', 'DARK'), ['DARK', undefined])
  assert.deepEqual(shown('DYNAMIC', 'LIGHT', 'DARK'), ['LIGHT', 'DARK'])
  assert.deepEqual(shown('DYNAMIC', 'DARK'), ['DARK', undefined])
  assert.deepEqual(shown('DYNAMIC', 'DYNAMIC', 'DARK'), ['DYNAMIC', 'DARK'])
})
