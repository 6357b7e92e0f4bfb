import assert from 'node:assert/strict'
import { test } from 'node:test'
import { booleanOf, memberOf, membersOf, responseOf, textMapOf, textOf, textsOf } from './trigger-response.ts'

const unusable = { name: 'InvalidLambdaResponseException', message: 'Unrecognizable lambda output' }

for (const returned of [null, undefined, 'done', 3, true, [], {}, { response: null }, { response: [] }]) {
  test(`${JSON.stringify(returned)} is no event`, () => {
    assert.throws(() => responseOf(returned), unusable)
  })
}

test('the response of an event is read', () => {
  assert.deepEqual(responseOf({ version: '1', response: { a: 1 } }), { a: 1 })
})

test('inherited members are none', () => {
  const response = responseOf(JSON.parse('{"response":{"__proto__":{"issueTokens":true}}}'))
  assert.equal(booleanOf(response, 'issueTokens'), undefined)
  assert.equal(memberOf({}, 'constructor'), undefined)
})

test('null is absence', () => {
  const response = { a: null }
  assert.deepEqual(
    [booleanOf(response, 'a'), textOf(response, 'a'), textsOf(response, 'a'), textMapOf(response, 'a')],
    [undefined, undefined, undefined, undefined],
  )
  assert.equal(membersOf(response, 'a'), undefined)
})

const wrong: [string, () => unknown][] = [
  ['a text for a boolean', () => booleanOf({ a: 'true' }, 'a')],
  ['a number for a boolean', () => booleanOf({ a: 1 }, 'a')],
  ['a number for a text', () => textOf({ a: 1 }, 'a')],
  ['a text with NUL', () => textOf({ a: 'a\u0000' }, 'a')],
  ['half a surrogate pair', () => textOf({ a: '\ud800' }, 'a')],
  ['a text for a list', () => textsOf({ a: 'a' }, 'a')],
  ['a list with a number', () => textsOf({ a: ['a', 1] }, 'a')],
  ['a list for a map', () => textMapOf({ a: [] }, 'a')],
  ['a map with a boolean', () => textMapOf({ a: { b: true } }, 'a')],
  ['a map with null', () => textMapOf({ a: { b: null } }, 'a')],
  ['a text for an object', () => membersOf({ a: '{}' }, 'a')],
]
for (const [title, read] of wrong) {
  test(`${title} is refused`, () => {
    assert.throws(read, unusable)
  })
}

test('a name like __proto__ is a name like any other', () => {
  assert.deepEqual([...(textMapOf(JSON.parse('{"a":{"__proto__":"x"}}'), 'a') ?? [])], [['__proto__', 'x']])
})
