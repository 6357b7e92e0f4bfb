import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUnambiguousJson } from './unambiguous-json.ts'

const parse = (text: string) => parseUnambiguousJson(Buffer.from(text))

test('an object is read, whatever its texts hold', () => {
  const value = {
    a: '{"b":1,"b":2}',
    'a"': ['a', 'a'],
    b: { a: { a: 1 } },
    'c\\': [{ x: 1 }, { x: 2 }],
    d: ':',
    '': null,
  }
  assert.deepEqual(parse(JSON.stringify(value)), value)
  assert.deepEqual(parse(' { } '), {})
})

test('what two readers could read in two ways is none', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":1,"c":2,"b":3}}',
    '{"a":[{"b":1,"b":1}]}',
    '{"__proto__":1,"__proto__":2}',
  ]) {
    assert.equal(parse(text), undefined, text)
  }
})

test('anything but an object is none, and so is what is too deep or no UTF-8', () => {
  for (const text of ['', '[]', 'null', '1', '"a"', '{', '<html>', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`]) {
    assert.equal(parse(text), undefined, text)
  }
  assert.equal(parseUnambiguousJson(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), undefined)
})

test('a long text takes linear time', () => {
  const hostile = [`{"a":"${'\\"'.repeat(400_000)}`, `{${'"a"'.repeat(200_000)}`, `{"a":${'"'.repeat(1_000_001)}`]
  for (const text of hostile) assert.equal(parse(text), undefined)
})
