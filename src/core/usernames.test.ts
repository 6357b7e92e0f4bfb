import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usernameInEmailFormat } from './errors.ts'
import {
  canonicalName,
  checkUsernameForm,
  isCaseSensitive,
  isEmailFormat,
  isPhoneFormat,
  sameName,
  type UsernameSettings,
} from './usernames.ts'

const ignoring = { caseSensitive: false }
const respecting = { caseSensitive: true }

test('spellings that coincide, and spellings that do not', () => {
  const table: [one: string, other: string, whenIgnored: boolean, whenRespected: boolean][] = [
    ['Bob', 'BOB', true, false],
    ['Bob', 'boB', true, false],
    ['Bob', 'Bob', true, true],
    ['ann@example.com', 'Ann@Example.COM', true, false],
    ['\u212a', 'K', true, true],
    ['\u212a', 'k', true, false],
    ['\u212b', '\u00c5', true, true],
    ['\u212b', 'a\u030a', true, false],
    ['\u00e9', 'e\u0301', true, true],
    ['\u00c9', 'e\u0301', true, false],
    ['İ', 'i\u0307', true, false],
    ['İ', 'i', false, false],
    ['ı', 'i', false, false],
    ['ı', 'I', false, false],
    ['ſ', 's', false, false],
    ['ß', 'ss', false, false],
    ['ß', 'ẞ', true, false],
    ['ﬁ', 'fi', false, false],
    ['ａ', 'a', false, false],
    ['＠', '@', false, false],
    ['а', 'a', false, false],
    ['ΟΔΟΣ', 'οδος', true, false],
    ['ΟΔΟΣ', 'οδοσ', true, false],
    ['a\u200bb', 'ab', false, false],
    ['a\u00adb', 'ab', false, false],
    ['ab.', 'ab', false, false],
    ['ab ', 'ab', false, false],
    ['+12065550100', '+12065550100', true, true],
  ]
  for (const [one, other, whenIgnored, whenRespected] of table) {
    assert.equal(sameName(one, other, ignoring), whenIgnored, `${one} and ${other}, case ignored`)
    assert.equal(sameName(one, other, respecting), whenRespected, `${one} and ${other}, case respected`)
    assert.equal(sameName(other, one, ignoring), whenIgnored, `${other} and ${one}, case ignored`)
  }
})

test('the canonical form of a canonical form is itself, for every code point', () => {
  for (let codePoint = 1; codePoint <= 0x10ffff; codePoint += 1) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
    const character = String.fromCodePoint(codePoint)
    for (const pool of [ignoring, respecting]) {
      const canonical = canonicalName(character, pool)
      if (canonicalName(canonical, pool) !== canonical) assert.fail(`U+${codePoint.toString(16)}`)
    }
  }
})

test('the canonical form of a canonical form is itself, and does not depend on normalisation, for mixed sequences', () => {
  const pieces = [
    ...'aAkK\u212aIiİıſsSßẞﬁΣσςΑΆᾴ\u0345\u0301\u0307\u0323\u030a\u0328ÅåǅÉé\u1e9b\u0130가\u1100\u1161\u{10400}\u{1f600}',
  ]
  let state = 1
  const draw = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  for (let round = 0; round < 50_000; round += 1) {
    const name = Array.from({ length: 1 + draw(6) }, () => pieces[draw(pieces.length)]).join('')
    for (const pool of [ignoring, respecting]) {
      const canonical = canonicalName(name, pool)
      assert.equal(canonicalName(canonical, pool), canonical, JSON.stringify(name))
      assert.equal(canonicalName(name.normalize('NFD'), pool), canonical, JSON.stringify(name))
      assert.equal(canonicalName(name.normalize('NFC'), pool), canonical, JSON.stringify(name))
    }
  }
})

test('upper and lower case coincide letter by letter, whatever follows', () => {
  const whole = canonicalName('ΟΔΟΣΑ', ignoring)
  assert.ok(whole.startsWith(canonicalName('ΟΔΟΣ', ignoring)))
})

test('a pool respects case unless it is told otherwise', () => {
  assert.equal(isCaseSensitive({}), true)
  assert.equal(isCaseSensitive({ UsernameConfiguration: { CaseSensitive: true } }), true)
  assert.equal(isCaseSensitive({ UsernameConfiguration: { CaseSensitive: false } }), false)
})

test('e-mail addresses are told from other text', () => {
  const good = [
    'ann@example.com',
    'a@b',
    'Ann.Other+tag@Example.CO.UK',
    "o'hara@example.com",
    '{####}@example.com',
    'user@localhost',
    'x@xn--bcher-kva.example',
    `${'l'.repeat(64)}@example.com`,
    `a@${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(60)}`,
  ]
  const bad = [
    '',
    '@',
    'a',
    'a@',
    '@b',
    'a b@example.com',
    ' a@example.com',
    'a@example.com ',
    'a@example.com\n',
    'a@example.com\r\nBcc: x@y',
    'a@x,b@y',
    'a@x;b@y',
    'group:a@x;',
    '"a b"@example.com',
    'a(comment)@example.com',
    'Ann <a@example.com>',
    'a@[127.0.0.1]',
    'a@b@c',
    '.a@example.com',
    'a.@example.com',
    'a..b@example.com',
    'a@.example.com',
    'a@example.com.',
    'a@example..com',
    'a@-example.com',
    'a@example-.com',
    'a@exa_mple.com',
    'a＠example.com',
    'é@example.com',
    'a@bücher.example',
    'a\u0000@example.com',
    'a@example.com\u0000',
    `${'l'.repeat(65)}@example.com`,
    `a@${'d'.repeat(64)}.com`,
    `a@${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(61)}`,
  ]
  for (const text of good) assert.equal(isEmailFormat(text), true, text)
  for (const text of bad) assert.equal(isEmailFormat(text), false, JSON.stringify(text))
})

test('phone numbers are told from other text', () => {
  for (const text of ['+12065550100', '+4915112345678', '+999999999999999'])
    assert.equal(isPhoneFormat(text), true, text)
  const bad = [
    '',
    '+',
    '+1',
    '12065550100',
    '+02065550100',
    '+1 206 555 0100',
    '+1-206-555',
    '+1206555010a',
    '+1206\n',
    '++1206',
    '+9999999999999999',
    '+١٢٣٤٥٦',
  ]
  for (const text of bad) assert.equal(isPhoneFormat(text), false, JSON.stringify(text))
})

test('hostile text of any length is refused in no time', () => {
  const startedAt = process.cpuUsage()
  for (const piece of ['@', 'a.', 'a@', '.', '-', '!', '1', 'a@b.', '+1', '\u0000']) {
    const text = piece.repeat(131_072)
    assert.equal(isEmailFormat(text), false)
    assert.equal(isPhoneFormat(text), false)
    assert.equal(isPhoneFormat(`+${text}`), false)
  }
  assert.ok(process.cpuUsage(startedAt).user < 500_000)
})

test('a username has the form that the pool demands', () => {
  const both: UsernameSettings = { UsernameAttributes: ['email', 'phone_number'] }
  const email: UsernameSettings = { UsernameAttributes: ['email'] }
  const phone: UsernameSettings = { UsernameAttributes: ['phone_number'] }
  const aliases: UsernameSettings = { AliasAttributes: ['email', 'phone_number', 'preferred_username'] }
  const table: [UsernameSettings, string, string][] = [
    [{}, 'ann', 'username'],
    [{}, 'ann@example.com', 'username'],
    [{ UsernameAttributes: [], AliasAttributes: [] }, '+12065550100', 'username'],
    [both, 'ann@example.com', 'email'],
    [both, '+12065550100', 'phone_number'],
    [both, 'ann', 'Username should be either an email or a phone number.'],
    [email, 'ann@example.com', 'email'],
    [email, '+12065550100', 'Username should be an email.'],
    [phone, '+12065550100', 'phone_number'],
    [phone, 'ann@example.com', 'Username should be a phone number.'],
    [aliases, 'ann', 'username'],
    [aliases, 'ann@example.com', 'Username cannot be of email format, since user pool is configured for email alias.'],
    [
      aliases,
      '+12065550100',
      'Username cannot be of phone number format, since user pool is configured for phone_number alias.',
    ],
    [{ AliasAttributes: ['preferred_username'] }, 'ann@example.com', 'username'],
    [{ AliasAttributes: ['phone_number'] }, 'ann@example.com', 'username'],
    [{ AliasAttributes: ['email'] }, '+12065550100', 'username'],
    // The Kelvin sign is a K wherever names are compared, so this name would stand in the way of Kim's address.
    [{ AliasAttributes: ['email'] }, '\u212aim@example.com', usernameInEmailFormat().message],
  ]
  for (const [pool, username, expected] of table) {
    if (expected.includes(' ')) {
      assert.throws(() => checkUsernameForm(pool, username), { name: 'InvalidParameterException', message: expected })
    } else {
      assert.equal(checkUsernameForm(pool, username), expected)
    }
  }
})
