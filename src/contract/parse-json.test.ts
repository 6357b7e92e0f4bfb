import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './codec.ts'
import { depthMax, entriesMax } from './parse-json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
const manyKeys = (count: number) => `{${Array.from({ length: count }, (_, key) => `"${key}":0`).join()}}`

test('objects are read, an empty body counts as an empty object', () => {
  assert.deepEqual(parseJson(bytes('')), { value: {} })
  assert.deepEqual(parseJson(bytes(' {"a": "é\\u00e9", "b": [1, null]} ')), { value: { a: 'éé', b: [1, null] } })
  assert.deepEqual(parseJson(bytes('{"a":"[[[{{{,,,\\"\\\\"}')), { value: { a: '[[[{{{,,,"\\' } })
  assert.deepEqual(parseJson(bytes('{"a":1,"a":2}')), { value: { a: 2 } })
  const view = bytes('xx{"a":1}yy').subarray(2, 9)
  assert.deepEqual(parseJson(view), { value: { a: 1 } })
})

test('what is no JSON object is refused', () => {
  for (const text of [
    ' ',
    '1',
    'null',
    '"x"',
    'true',
    '{',
    '}',
    ']]]',
    '{}{}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":01}',
    '{"a":NaN}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a"}',
    '\ufeff{}',
    '{"a":"',
    '{"a":"\\',
    '{"a":1}\u0000',
  ]) {
    assert.deepEqual(parseJson(bytes(text)), { serialization: '' }, JSON.stringify(text))
  }
  assert.deepEqual(parseJson(bytes('[]')), { serialization: 'Start of list found where not expected' })
})

test('text that is not UTF-8 is refused', () => {
  for (const sequence of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0x80]]) {
    const body = new Uint8Array([...bytes('{"a":"'), ...sequence, ...bytes('"}')])
    assert.deepEqual(parseJson(body), { serialization: '' }, sequence.join())
  }
  const utf16 = new Uint8Array(new Uint16Array([...'{"a":1}'].map(letter => letter.charCodeAt(0))).buffer)
  assert.deepEqual(parseJson(utf16), { serialization: '' })
})

test('nesting is limited', () => {
  assert.ok('value' in parseJson(bytes(nested(depthMax))))
  const refused = { serialization: 'The request body is nested too deeply.' }
  assert.deepEqual(parseJson(bytes(nested(depthMax + 1))), refused)
  // The parser would take more than 100 ms for these and JSON.stringify would fail.
  assert.deepEqual(parseJson(bytes(nested(1_000_000))), refused)
  assert.deepEqual(parseJson(bytes('{"a":'.repeat(1_000_000))), refused)
})

test('the number of entries is limited', () => {
  const refused = { serialization: 'The request body has too many entries.' }
  assert.ok('value' in parseJson(bytes(manyKeys(entriesMax))))
  assert.deepEqual(parseJson(bytes(manyKeys(entriesMax + 1))), refused)
  assert.deepEqual(parseJson(bytes(`{"a":[${Array(entriesMax + 1).fill(0)}]}`)), refused)
  const list = `[${Array(4000).fill(0)}]`
  assert.ok('value' in parseJson(bytes(`{"a":[${Array(4).fill(list)}]}`)))
  assert.deepEqual(parseJson(bytes(`{"a":[${Array(6).fill(list)}]}`)), refused)
})

test('200,000 keys and 100,000 attributes cost less than 50 ms', () => {
  const attribute = '{"Name":"a","Value":"b"}'
  for (const body of [bytes(manyKeys(200_000)), bytes(`{"UserAttributes":[${Array(100_000).fill(attribute)}]}`)]) {
    // The shortest of a few runs, because the machine may be busy with something else.
    let elapsed = Number.POSITIVE_INFINITY
    for (let run = 0; run < 5 && elapsed >= 50; run++) {
      const started = performance.now()
      assert.ok('serialization' in parseJson(body))
      elapsed = Math.min(elapsed, performance.now() - started)
    }
    assert.ok(elapsed < 50)
  }
})

test('a key named __proto__ changes nothing but its own object', () => {
  const parsed = parseJson(bytes('{"__proto__":{"isAdmin":true}}'))
  assert.ok('value' in parsed)
  assert.equal((parsed.value as Record<string, unknown>)['isAdmin'], undefined)
  assert.equal(({} as Record<string, unknown>)['isAdmin'], undefined)
})
