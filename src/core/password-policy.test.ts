import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { PasswordPolicyType } from '../contract/types.ts'
import { checkPassword, completePasswordPolicy, defaultPasswordPolicy, generatePassword } from './password-policy.ts'
import type { Random } from './ports.ts'

const noClasses: PasswordPolicyType = { MinimumLength: 6 }

const refusal = (
  policy: PasswordPolicyType,
  password: string,
  kind: 'password' | 'temporary password' = 'password',
) => {
  try {
    checkPassword(policy, password, kind)
    return undefined
  } catch (error) {
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'InvalidPasswordException')
    return error.message
  }
}

const rule = (text: string) => `Password did not conform with policy: ${text}`

test('the first broken rule is reported: length, then upper case, lower case, numbers, symbols', () => {
  const table: [string, string | undefined][] = [
    ['', rule('Password not long enough')],
    ['Aa1!aaa', rule('Password not long enough')],
    ['aaaaaaa', rule('Password not long enough')],
    ['aaaaaaaa', rule('Password must have uppercase characters')],
    ['AAAAAAAA', rule('Password must have lowercase characters')],
    ['AAAAaaaa', rule('Password must have numeric characters')],
    ['AAAAaaa1', rule('Password must have symbol characters')],
    ['AAAAaa1!', undefined],
    ['Passw0rd!', undefined],
  ]
  for (const [password, expected] of table) assert.equal(refusal(defaultPasswordPolicy, password), expected, password)
})

test('a temporary password is refused in words of its own', () => {
  assert.equal(
    refusal(defaultPasswordPolicy, 'short', 'temporary password'),
    'Password did not conform with password policy: Password not long enough',
  )
})

test('only the classes that the policy names are required', () => {
  assert.equal(refusal(noClasses, 'aaaaaa'), undefined)
  assert.equal(refusal({ ...noClasses, RequireNumbers: true }, 'aaaaaa'), rule('Password must have numeric characters'))
  assert.equal(refusal({ ...noClasses, RequireSymbols: false, RequireUppercase: true }, 'aAaaaa'), undefined)
})

test('each of the 32 ASCII symbols counts, and so does a space inside', () => {
  const policy = { MinimumLength: 6, RequireSymbols: true }
  for (const symbol of '^$*.[]{}()?"!@#%&/\\,><\':;|_~`=+- ') {
    assert.equal(refusal(policy, `abc${symbol}def`), undefined, symbol)
  }
  for (const other of ['é', '€', '😀', '\u00a0', '\t', '¿', 'a', '1', '\u007f']) {
    assert.equal(refusal(policy, `abc${other}def`), rule('Password must have symbol characters'), other)
  }
})

test('letters and digits are those of ASCII', () => {
  assert.equal(
    refusal({ ...noClasses, RequireUppercase: true }, 'ÄÖÜÄÖÜ'),
    rule('Password must have uppercase characters'),
  )
  assert.equal(
    refusal({ ...noClasses, RequireLowercase: true }, 'äöüäöü'),
    rule('Password must have lowercase characters'),
  )
  assert.equal(refusal({ ...noClasses, RequireNumbers: true }, '٣٣٣٣٣٣'), rule('Password must have numeric characters'))
})

test('lengths are counted in code points, up to 256', () => {
  assert.equal(refusal(noClasses, '😀😀😀😀😀😀'), undefined)
  assert.equal(refusal(noClasses, '😀😀😀😀😀'), rule('Password not long enough'))
  assert.equal(refusal(noClasses, 'é'.normalize('NFD').repeat(3)), undefined)
  assert.equal(refusal(noClasses, '😀'.repeat(256)), undefined)
  assert.equal(refusal(noClasses, 'a'.repeat(257)), rule('Password too long'))
  assert.equal(refusal({ MinimumLength: 99 }, 'a'.repeat(98)), rule('Password not long enough'))
})

test('a password neither begins nor ends with white space', () => {
  for (const password of [' Passw0rd!', 'Passw0rd! ', '\tPassw0rd!', 'Passw0rd!\n', '          ']) {
    assert.equal(refusal(defaultPasswordPolicy, password), rule('Password must not have a leading or trailing space'))
  }
  assert.equal(refusal(defaultPasswordPolicy, 'Pass w0rd'), undefined)
})

test('what a policy leaves open gets its default', () => {
  assert.deepEqual(completePasswordPolicy(undefined), { ...defaultPasswordPolicy })
  assert.deepEqual(
    completePasswordPolicy({ RequireNumbers: true, PasswordHistorySize: 3, TemporaryPasswordValidityDays: 0 }),
    {
      MinimumLength: 8,
      RequireUppercase: false,
      RequireLowercase: false,
      RequireNumbers: true,
      RequireSymbols: false,
      PasswordHistorySize: 3,
      TemporaryPasswordValidityDays: 7,
    },
  )
})

/** SHA-256 in counter mode: the same bytes for the same seed. */
const seeded = (seed: string): Random => {
  let counter = 0
  return {
    bytes: length => {
      const blocks: Buffer[] = []
      for (let have = 0; have < length; have += 32) {
        counter += 1
        blocks.push(createHash('sha256').update(`${seed} ${counter}`).digest())
      }
      return Buffer.concat(blocks).subarray(0, length)
    },
  }
}

test('a generated password meets every policy and is safe to print in a mail', () => {
  const random = seeded('passwords')
  for (let minimumLength = 6; minimumLength <= 99; minimumLength += 1) {
    const policy = { ...defaultPasswordPolicy, MinimumLength: minimumLength }
    for (let round = 0; round < 20; round += 1) {
      const password = generatePassword(policy, random)
      assert.equal(refusal(policy, password, 'temporary password'), undefined, password)
      assert.equal(password.length, Math.max(12, minimumLength))
      assert.doesNotMatch(password, /[\s&<>"'`{}0Oo1Il]/)
    }
  }
})

test('every character of a generated password is about as likely as every other', () => {
  const random = seeded('frequencies')
  const counts = new Map<string, number>()
  for (let round = 0; round < 5_000; round += 1) {
    for (const character of generatePassword(noClasses, random)) counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  const frequencies = (characters: string) => [...characters].map(character => counts.get(character) ?? 0)
  for (const characters of ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnpqrstuvwxyz', '23456789', '!#$%*+-=?@^_']) {
    const seen = frequencies(characters)
    assert.ok(Math.max(...seen) < 1.25 * Math.min(...seen), `${characters}: ${seen}`)
  }
  assert.equal(counts.size, 68)
})
