import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Factor, Level } from './claims.ts'
import { leadsTo, levelsNamed, liftingFactors, reaches } from './step-up.ts'

const codes = ['sms', 'email_otp', 'otp'] as const

test('what is proven reaches its own level and those below', () => {
  const table: [Factor[], number][] = [
    [[], 0],
    [['pwd'], 1],
    [['sms'], 2],
    [['email_otp'], 2],
    [['swk'], 3],
    [['hwk'], 3],
    [['pwd', 'sms'], 3],
    [['email_otp', 'pwd'], 3],
    [['pwd', 'otp'], 4],
  ]
  for (const [proven, highest] of table) {
    for (const level of [1, 2, 3, 4]) {
      assert.equal(reaches(proven, `Level${level}` as Level), level <= highest, `${proven} ${level}`)
    }
  }
})

test('the codes that lift a password are those of the level', () => {
  assert.deepEqual(liftingFactors(['pwd'], 'Level2', codes), ['sms', 'email_otp', 'otp'])
  assert.deepEqual(liftingFactors(['pwd'], 'Level3', codes), ['sms', 'email_otp', 'otp'])
  assert.deepEqual(liftingFactors(['pwd'], 'Level4', codes), ['otp'])
  assert.deepEqual(liftingFactors(['pwd', 'sms'], 'Level4', codes), ['otp'])
  assert.deepEqual(liftingFactors(['email_otp'], 'Level4', codes), [])
})

test('a first factor leads to a level by itself, or a password with a code', () => {
  const leads = (proven: Factor[], level: Level, has: readonly Factor[] = codes) =>
    (['pwd', 'email_otp', 'sms', 'swk'] as const).filter(first => leadsTo(first, proven, level, has))
  assert.deepEqual(leads([], 'Level1'), ['pwd', 'email_otp', 'sms', 'swk'])
  assert.deepEqual(leads([], 'Level2'), ['pwd', 'email_otp', 'sms', 'swk'])
  assert.deepEqual(leads([], 'Level2', []), ['email_otp', 'sms', 'swk'])
  assert.deepEqual(leads([], 'Level3'), ['pwd', 'swk'])
  assert.deepEqual(leads([], 'Level4'), ['pwd'])
  assert.deepEqual(leads([], 'Level4', ['sms']), [])
  assert.deepEqual(leads(['email_otp'], 'Level3', []), ['pwd', 'swk'])
  assert.deepEqual(leads(['pwd'], 'Level3', []), ['email_otp', 'sms', 'swk'])
})

test('levels are found by the names of the pool, in the order that is wanted', () => {
  const renamed = { Level4: { AcrValue: 'gold' } }
  assert.deepEqual(levelsNamed(['urn:cognito:loa:4', 'urn:cognito:loa:2', 'x'], undefined), ['Level4', 'Level2'])
  assert.deepEqual(levelsNamed(['gold', 'urn:cognito:loa:4', 'urn:cognito:loa:1'], renamed), ['Level4', 'Level1'])
  assert.deepEqual(levelsNamed([''], undefined), [])
})
