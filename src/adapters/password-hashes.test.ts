import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { PasswordHashingAlgorithmType } from '../contract/types.ts'
import { isCognitoError } from '../core/errors.ts'
import { createPasswordHashes } from './password-hashes.ts'

const hashes = createPasswordHashes()
after(() => hashes.close())

/** Published test vectors: crypt_blowfish, RFC 7914, the reference implementation of Argon2, passlib. */
const vectors: [PasswordHashingAlgorithmType, string, string][] = [
  ...['a', 'b', 'x', 'y'].map((version): [PasswordHashingAlgorithmType, string, string] => [
    'BCRYPT',
    'U*U',
    `$2${version}$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`,
  ]),
  [
    'SCRYPT',
    'pleaseletmein',
    `16384$8$1$${Buffer.from('SodiumChloride').toString('hex')}$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887`,
  ],
  ['ARGON2ID', 'password', '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
  [
    'PBKDF2_SHA256',
    'password',
    '$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M',
  ],
]

test('a password fits its own hash and no other password does', async () => {
  for (const [algorithm, password, text] of vectors) {
    assert.equal(await hashes.verify({ algorithm, text }, password), true, text)
    for (const other of ['', `${password} `, password.toUpperCase().replace('U*U', 'u*u')]) {
      assert.equal(await hashes.verify({ algorithm, text }, other), false, text)
    }
  }
})

test('the dearest hashes that are allowed can be checked', async () => {
  const digest = Buffer.alloc(32).toString('base64').replace('=', '')
  const dearest: [PasswordHashingAlgorithmType, string][] = [
    ['SCRYPT', `65536$8$1$00$${'00'.repeat(32)}`],
    ['ARGON2ID', `$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$${digest}`],
    ['PBKDF2_SHA256', `$pbkdf2-sha256$600000$c29tZXNhbHQ$${digest}`],
    ['BCRYPT', '$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ]
  for (const [algorithm, text] of dearest) assert.equal(await hashes.verify({ algorithm, text }, 'x'), false)
})

test('a hash marked with an x tells nothing about a password with bytes above 127', async () => {
  const { default: bcrypt } = await import('bcryptjs')
  const text = bcrypt.hashSync('pässword', '$2b$04$CCCCCCCCCCCCCCCCCCCCC.')
  assert.equal(await hashes.verify({ algorithm: 'BCRYPT', text }, 'pässword'), true)
  assert.equal(await hashes.verify({ algorithm: 'BCRYPT', text: text.replace('$2b$', '$2x$') }, 'pässword'), false)
})

test('a malformed hash is an error of its own check only', async () => {
  const [algorithm, password, text] = vectors[0] as (typeof vectors)[number]
  const results = await Promise.allSettled([
    hashes.verify({ algorithm, text: '$2b$31$nonsense' }, password),
    hashes.verify({ algorithm, text }, password),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  )
})

test('beyond the limit checks are refused at once, and taken again when there is room', async () => {
  const [algorithm, password, text] = vectors[0] as (typeof vectors)[number]
  const verify = () => hashes.verify({ algorithm, text }, password)
  const results = await Promise.allSettled(Array.from({ length: 40 }, verify))
  const refused = results.filter(result => result.status === 'rejected')
  assert.equal(refused.length, 8)
  assert.ok(refused.every(({ reason }) => isCognitoError(reason, 'TooManyRequestsException')))
  assert.equal(await verify(), true)
})

test('the main thread stays free', async () => {
  let turns = 0
  let running = true
  const count = () => {
    turns += 1
    if (running) setImmediate(count)
  }
  setImmediate(count)
  const digest = Buffer.alloc(32).toString('base64').replace('=', '')
  await hashes.verify({ algorithm: 'PBKDF2_SHA256', text: `$pbkdf2-sha256$600000$c29tZXNhbHQ$${digest}` }, 'x')
  running = false
  assert.ok(turns > 100)
})

test('close rejects what is under way and what comes later', async () => {
  const own = createPasswordHashes()
  const [algorithm, password, text] = vectors[0] as (typeof vectors)[number]
  const underWay = assert.rejects(own.verify({ algorithm, text }, password), /stopped/)
  await own.close()
  await underWay
  await assert.rejects(own.verify({ algorithm, text }, password), /has been closed/)
})
