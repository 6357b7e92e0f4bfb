import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { operations } from '../src/contract/model.ts'

/** The first two cells of each row of the page that begins with an operation's name. */
const rows = [...readFileSync('docs/compatibility.md', 'utf8').matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(
  ([, name = '', state = '']) => ({ name, state: state.trim() }),
)

test('the compatibility page has one row for each operation of the API', () => {
  assert.deepEqual(rows.map(row => row.name).toSorted(), Object.keys(operations).toSorted())
})

test('every operation is offered', () => {
  assert.deepEqual(
    rows.filter(row => row.state === 'not yet'),
    [],
  )
})
