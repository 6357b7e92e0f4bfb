import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const layers = ['contract', 'core', 'store', 'features', 'http']
const features = [
  'triggers',
  'user-pools',
  'resource-servers',
  'identity-providers',
  'app-clients',
  'managed-login',
  'messages',
  'users',
  'groups',
  'threat-protection',
].concat([
  'passwords',
  'mfa',
  'passkeys',
  'devices',
  'tokens',
  'federation',
  'sign-up',
  'sign-in',
  'authorization',
  'user-import',
])

/** Pairs of source files, importer and imported; types count as well, tests do not. */
const imports = globSync('src/**/*.ts')
  .filter(file => !file.endsWith('.test.ts'))
  .flatMap(file =>
    [
      ...readFileSync(file, 'utf8').matchAll(/(?:^|\n)(?:import|export)\b([^'"\n]*(?:\n[^'"]*)?)['"](\.[^'"]+)['"]/g),
    ].map(([, clause = '', path = '']) => ({
      file: relative('src', file),
      clause,
      to: relative('src', join(dirname(file), path)),
    })),
  )

test('a layer imports itself and what stands to its left', () => {
  const rank = (file: string) => layers.indexOf(file.split('/')[0] ?? '')
  const wrong = imports.filter(
    ({ file, to }) =>
      rank(file) >= 0 && (rank(to) < 0 || rank(to) > rank(file) || (rank(file) === 4 && rank(to) === 2)),
  )
  assert.deepEqual(
    wrong.filter(({ file, to }) => !(file.startsWith('core/') && to.startsWith('contract/'))),
    [],
  )
})

test('a feature imports earlier features; operations.ts is imported by the one table only', () => {
  const wrong = imports.filter(({ file, clause, to }) => {
    const [, from = '', name] = file.split('/')
    const [layer, feature = ''] = to.split('/')
    if (/^features\/.+\/operations\.ts$/.test(to)) return file !== 'features/operations.ts'
    if (!file.startsWith('features/') || layer !== 'features' || name === undefined || name === 'operations.ts')
      return false
    return (
      features.includes(feature) &&
      features.indexOf(feature) > features.indexOf(from) &&
      !clause.trim().startsWith('type')
    )
  })
  assert.deepEqual(wrong, [])
})
