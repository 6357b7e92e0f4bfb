import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesSecretHash, secretHash } from './secret-hash.ts'

const secret = 'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop'
const clientId = '1example23456789example2345'
const hash = '0iwr3ndOI6tHC+wGQaE0Zldz/rtJ9gWbLMfZ9ouMIfM='

test('the hash is HMAC-SHA256 of username and client id under the client secret', () => {
  assert.equal(secretHash('mytestuser', clientId, secret), hash)
})

test('a hash matches by any of the names and any of the secrets', () => {
  const table: [string, string[], string[], boolean][] = [
    [hash, ['mytestuser'], [secret], true],
    [hash, ['other', 'mytestuser'], ['old secret', secret], true],
    [hash, ['mytestuser', 'other'], [secret, 'new secret'], true],
    [hash, ['mytestuser', 'mytestuser'], [secret], true],
    [hash, ['MyTestUser'], [secret], false],
    [hash, ['mytestuser'], [], false],
    [hash, [], [secret], false],
    [hash, ['other'], [secret], false],
    [secretHash('jürgen', clientId, secret), ['jürgen'], [secret], true],
  ]
  for (const [presented, usernames, secrets, expected] of table) {
    assert.equal(matchesSecretHash(presented, usernames, clientId, secrets), expected, JSON.stringify(usernames))
  }
})

test('nothing but the exact text of the hash matches', () => {
  const wrong = [
    '',
    hash.slice(0, -1),
    `${hash}=`,
    ` ${hash}`,
    hash.toLowerCase(),
    hash.replaceAll('+', '-'),
    'é'.repeat(44),
    'x'.repeat(100_000),
    secret,
  ]
  for (const presented of wrong) assert.equal(matchesSecretHash(presented, ['mytestuser'], clientId, [secret]), false)
})

test('where the username ends and the client id begins is part of no secret: only the joined text counts', () => {
  assert.equal(matchesSecretHash(secretHash('ab', 'c', secret), ['a'], 'bc', [secret]), true)
})
