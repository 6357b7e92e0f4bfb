import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { operations } from '../src/contract/model.ts'
import { notYetNames } from '../src/features/not-yet.ts'

/** The first two cells of each row of the page that begins with an operation's name. */
const rows = [...readFileSync('docs/compatibility.md', 'utf8').matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(
  ([, name = '', state = '']) => ({ name, state: state.trim() }),
)

test('the compatibility page has one row for each operation of the API', () => {
  assert.deepEqual(rows.map(row => row.name).toSorted(), Object.keys(operations).toSorted())
})

test('the compatibility page says "not yet" of exactly the operations that answer so', () => {
  const missing = rows.filter(row => row.state === 'not yet').map(row => row.name)
  assert.deepEqual(missing.toSorted(), notYetNames.toSorted())
})
