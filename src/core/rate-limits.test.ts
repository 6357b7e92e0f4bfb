import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '../contract/model.ts'
import type { OperationName } from '../contract/types.ts'
import { type Category, categories, categoryOf, type Draw, drawAll } from './rate-limits.ts'

test('every operation counts in exactly one category', () => {
  const counted = Object.values(categories).flatMap(({ operations: names }): readonly string[] => names)
  assert.deepEqual([...counted].sort(), Object.keys(operations).sort())
})

const requests: [OperationName, Record<string, string>, Category][] = [
  ['InitiateAuth', { AuthFlow: 'USER_SRP_AUTH' }, 'UserAuthentication'],
  ['InitiateAuth', { AuthFlow: 'REFRESH_TOKEN_AUTH' }, 'UserToken'],
  ['AdminInitiateAuth', { AuthFlow: 'REFRESH_TOKEN' }, 'UserToken'],
  ['RespondToAuthChallenge', { ChallengeName: 'PASSWORD_VERIFIER' }, 'UserAuthentication'],
  ['RespondToAuthChallenge', { ChallengeName: 'NEW_PASSWORD_REQUIRED' }, 'UserAccountRecovery'],
  ['ListUsers', {}, 'UserList'],
]
for (const [operation, input, category] of requests) {
  test(`${operation} with ${JSON.stringify(input)} counts as ${category}`, () => {
    assert.equal(categoryOf(operation, input), category)
  })
}

const draw = (buckets: Map<string, number>, key: string, rate: number, otherwise?: Draw): Draw => ({
  buckets,
  key,
  rate,
  ...(otherwise && { otherwise }),
})
const countDrawn = (draws: Draw[], now: number, tries: number): number =>
  Array.from({ length: tries }, () => drawAll(draws, now)).filter(drawn => drawn).length

for (const rate of [1, 3, 7, 30, 120, 150]) {
  test(`a bucket of ${rate} per second lets ${rate} through at once, and as many again a second later`, () => {
    const draws = [draw(new Map(), 'a', rate)]
    assert.equal(countDrawn(draws, 5_000, rate * 2), rate)
    assert.equal(countDrawn(draws, 5_000 + 1_000 / rate, rate), 1)
    assert.equal(countDrawn(draws, 7_000, rate * 2), rate)
    for (const now of [1e9, 1.8e12 + 0.3, 1.9e12]) assert.equal(countDrawn(draws, now, rate * 2), rate)
  })
}

test('a refused request takes nothing out of any bucket', () => {
  const buckets = new Map<string, number>()
  assert.equal(countDrawn([draw(buckets, 'small', 1)], 0, 1), 1)
  assert.equal(countDrawn([draw(buckets, 'large', 2), draw(buckets, 'small', 1)], 0, 5), 0)
  assert.equal(countDrawn([draw(buckets, 'large', 2)], 0, 5), 2)
})

test('what the first bucket does not hold comes out of the other one', () => {
  const buckets = new Map<string, number>()
  const shared = draw(buckets, 'shared', 2)
  assert.equal(countDrawn([draw(buckets, 'own', 6, shared)], 0, 20), 8)
  assert.equal(countDrawn([shared], 0, 5), 0)
})

test('a clock that was set back closes a bucket for a second at most', () => {
  const draws = [draw(new Map(), 'a', 2)]
  assert.equal(countDrawn(draws, 1_000_000, 5), 2)
  assert.equal(countDrawn(draws, 5_000, 5), 0)
  assert.equal(countDrawn(draws, 6_000, 5), 0)
  draws[0]?.buckets.set('a', 9e12)
  assert.equal(countDrawn(draws, 5_000, 1), 0)
})
