import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkBrandingSettings,
  defaultBrandingSettings,
  type JsonObject,
  mergeBrandingSettings,
} from './branding-settings.ts'

const refused = (settings: unknown, path: string) =>
  assert.throws(
    () => checkBrandingSettings(settings),
    (error: Error) => {
      assert.equal(error.name, 'InvalidParameterException')
      assert.ok(error.message.startsWith(`Invalid settings at '${path}': `), error.message)
      return true
    },
  )
const nested = (path: string, value: unknown): unknown =>
  path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('the defaults, any part of them and an empty document are settings', () => {
  for (const settings of [
    {},
    defaultBrandingSettings,
    { components: {} },
    nested('components.pageBackground.lightMode.color', 'ABCDEF01'),
    nested('components.form.borderRadius', 0),
    nested('categories.global.colorSchemeMode', 'DYNAMIC'),
    nested('categories.global.spacingDensity', 'SOMETHING_NEW'),
    nested('categories.auth.federation.order', ['Google', 'MyIdP']),
    nested('categories.auth.authMethodOrder', []),
    nested('components.favicon.enabledTypes', ['SVG']),
    nested('components.idpButton.custom', {
      MyIdP: { lightMode: { hover: { textColor: '000716ff' } }, order: [1, null] },
    }),
  ]) {
    assert.equal(checkBrandingSettings(settings), settings)
  }
})

test('members that do not exist and values of another type are refused by their place', () => {
  const table: [string, unknown][] = [
    ['other', {}],
    ['components.other', 1],
    ['components.form.__proto__x', 1],
    ['components.form.constructor', {}],
    ['components', []],
    ['components', 'a'],
    ['components', null],
    ['components.form.borderRadius', '8'],
    ['components.form.borderRadius', -1],
    ['components.form.borderRadius', 1e9],
    ['components.form.logo.enabled', 'true'],
    ['components.form.logo.location', 1],
    ['components.form.logo.location', 'A'.repeat(257)],
    ['components.pageBackground.lightMode.color', 'ffffff'],
    ['components.pageBackground.lightMode.color', '#ffffff00'],
    ['components.pageBackground.lightMode.color', 'red;}</style>'],
    ['components.pageBackground.lightMode.color', 'ffffffff\n'],
    ['components.favicon.enabledTypes', 'SVG'],
    ['components.idpButton.custom', []],
    ['categories.auth.federation.order', {}],
  ]
  for (const [path, value] of table) refused(nested(path, value), path)
  refused(nested('categories.auth.federation.order', ['a', 1]), 'categories.auth.federation.order.1')
  refused(
    nested('categories.auth.authMethodOrder', [[{ display: 'BUTTON', href: 'a' }]]),
    'categories.auth.authMethodOrder.0.0.href',
  )
  refused(JSON.parse('{"__proto__":{}}'), '__proto__')
  for (const settings of [[], 'text', 1, true, null, undefined]) refused(settings, 'settings')
})

test('size and depth are limited where the shape is free', () => {
  const custom = 'components.idpButton.custom'
  assert.ok(checkBrandingSettings(nested(custom, nested(Array(16).fill('a').join('.'), 1))))
  refused(nested(custom, nested(Array(17).fill('a').join('.'), 1)), `${custom}${'.a'.repeat(17)}`)
  refused(nested(custom, { a: 'x'.repeat(257) }), `${custom}.a`)
  refused(
    nested(custom, Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`${i}`, 'x'.repeat(100)]))),
    'settings',
  )
})

test('settings are completed by the defaults, member by member; lists are replaced', () => {
  const merged = mergeBrandingSettings({
    categories: { auth: { authMethodOrder: [] } },
    components: { form: { borderRadius: 1 }, idpButton: { custom: { a: { b: 1 } } } },
  })
  const expected = structuredClone(defaultBrandingSettings) as Record<string, Record<string, JsonObject>>
  Object.assign(expected['categories']?.['auth'] ?? {}, { authMethodOrder: [] })
  Object.assign(expected['components']?.['form'] ?? {}, { borderRadius: 1 })
  Object.assign(expected['components']?.['idpButton'] ?? {}, { custom: { a: { b: 1 } } })
  assert.deepEqual(plain(merged), plain(expected))
  assert.deepEqual(plain(mergeBrandingSettings()), plain(defaultBrandingSettings))
})

test('a provider named __proto__ is a provider like any other', () => {
  const settings = checkBrandingSettings(
    JSON.parse('{"components":{"idpButton":{"custom":{"__proto__":{"polluted":"yes"}}}}}'),
  )
  const merged = JSON.stringify(mergeBrandingSettings(settings))
  assert.match(merged, /"custom":\{"__proto__":\{"polluted":"yes"\}\}/)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})
