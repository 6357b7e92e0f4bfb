import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PasswordHashingAlgorithmType } from '../contract/types.ts'
import { parsePasswordHash } from './password-hash.ts'

const bcryptRest = 'CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
const salt = 'c29tZXNhbHQ'
const digest = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
const hex = 'ab'.repeat(32)

const accepted: [PasswordHashingAlgorithmType, string][] = [
  ...['a', 'b', 'x', 'y'].map((version): [PasswordHashingAlgorithmType, string] => [
    'BCRYPT',
    `$2${version}$12$${bcryptRest}`,
  ]),
  ['BCRYPT', `$2b$04$${bcryptRest}`],
  ['SCRYPT', `65536$8$1$00$${hex}`],
  ['SCRYPT', `2$1$1$${hex}$${hex.toUpperCase()}`],
  ['ARGON2ID', `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=8,t=1,p=1$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$600000$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$1$./.A$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$i=310000,l=32$${salt}$${digest}`],
]

const refused: [PasswordHashingAlgorithmType, string][] = [
  ['BCRYPT', ''],
  ['BCRYPT', `$2b$13$${bcryptRest}`],
  ['BCRYPT', `$2b$31$${bcryptRest}`],
  ['BCRYPT', `$2b$03$${bcryptRest}`],
  ['BCRYPT', `$2b$5$${bcryptRest}`],
  ['BCRYPT', `$2c$05$${bcryptRest}`],
  ['BCRYPT', `$2$05$${bcryptRest}`],
  ['BCRYPT', `$2b$05$${bcryptRest}x`],
  ['BCRYPT', `$2b$05$${bcryptRest.slice(1)}`],
  ['BCRYPT', `$2b$05$${bcryptRest.replace('C', '+')}`],
  ['SCRYPT', `1073741824$8$1$00$${hex}`],
  ['SCRYPT', `131072$8$1$00$${hex}`],
  ['SCRYPT', `65535$8$1$00$${hex}`],
  ['SCRYPT', `1$8$1$00$${hex}`],
  ['SCRYPT', `16$9$1$00$${hex}`],
  ['SCRYPT', `16$8$2$00$${hex}`],
  ['SCRYPT', `16$8$0$00$${hex}`],
  ['SCRYPT', `16$8$1$$${hex}`],
  ['SCRYPT', '16$8$1$00$'],
  ['SCRYPT', `16$8$1$00$${hex}a`],
  ['SCRYPT', `16$8$1$zz$${hex}`],
  ['SCRYPT', `16$8$1$00$${hex}$`],
  ['SCRYPT', `16$8$1$${'00'.repeat(65)}$${hex}`],
  ['ARGON2ID', '$argon2id$'],
  ['ARGON2ID', `$argon2id$v=19$m=4194304,t=1,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=19457,t=2,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=19456,t=3,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=19456,t=2,p=2$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=7,t=2,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=16$m=256,t=2,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$m=256,t=2,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2i$v=19$m=256,t=2,p=1$${salt}$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=256,t=2,p=1$c2Fs$${digest}`],
  ['ARGON2ID', `$argon2id$v=19$m=256,t=2,p=1$${salt}$c2Fs`],
  ['ARGON2ID', `$argon2id$v=19$m=256,t=2,p=1$${salt}$${digest}=`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$2147483648$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$600001$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$0$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$-1$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha1$1000$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$i=1000,l=31$${salt}$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$1000$$${digest}`],
  ['PBKDF2_SHA256', `$pbkdf2-sha256$1000$${salt}$${digest}${'A'.repeat(500)}`],
]

test('hashes within the bounds of their algorithm are understood', () => {
  for (const [algorithm, text] of accepted) {
    assert.equal(parsePasswordHash({ algorithm, text })?.algorithm, algorithm, text)
  }
})

test('hashes that cost too much or are malformed are not', () => {
  for (const [algorithm, text] of refused) assert.equal(parsePasswordHash({ algorithm, text }), undefined, text)
})

test('the hash of one algorithm is none of another', () => {
  for (const [algorithm, text] of accepted) {
    for (const other of ['BCRYPT', 'SCRYPT', 'ARGON2ID', 'PBKDF2_SHA256'] as const) {
      if (other !== algorithm)
        assert.equal(parsePasswordHash({ algorithm: other, text }), undefined, `${other} ${text}`)
    }
  }
})

test('the parts come out as written', () => {
  const parsed = parsePasswordHash({ algorithm: 'ARGON2ID', text: `$argon2id$v=19$m=256,t=2,p=1$${salt}$${digest}` })
  assert.ok(parsed?.algorithm === 'ARGON2ID')
  assert.deepEqual([parsed.memory, parsed.passes, parsed.parallelism], [256, 2, 1])
  assert.equal(parsed.salt.toString(), 'somesalt')
  assert.equal(parsed.digest.toString('base64'), `${digest}=`)
})
