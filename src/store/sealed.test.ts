import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { onEachStore, temporaryFolder } from '../../test/support/databases.ts'
import { checkMasterKey, createSeal, loadMasterKey, type MasterKey } from './sealed.ts'

const keyOf = (id: string, fill: number): MasterKey => ({ id, key: Buffer.alloc(32, fill) })
const seal = createSeal([keyOf('one', 1)])

describe('a sealed value', () => {
  for (const [what, plain] of [
    ['nothing', ''],
    ['text', 'Passw0rd! é😀'],
    ['bytes', Buffer.from([0, 255, 1, 254])],
    ['the longest value', Buffer.alloc(194_560, 7)],
  ] as const) {
    test(`opens to ${what} that was sealed, as base64url`, () => {
      const sealed = seal.seal('p', plain, 'row')
      assert.match(sealed, /^[A-Za-z0-9_-]+$/)
      assert.deepEqual(seal.open('p', sealed, 'row'), Buffer.from(plain))
    })
  }

  test('is another one each time and shows nothing of what is in it', () => {
    const sealed = new Set(Array.from({ length: 100 }, () => seal.seal('p', 'visible')))
    assert.equal(sealed.size, 100)
    for (const value of sealed) assert.doesNotMatch(Buffer.from(value, 'base64url').toString('latin1'), /visible/)
  })

  test('opens for its own purpose and place only', () => {
    const sealed = seal.seal('ab', 'x', 'c')
    assert.deepEqual(seal.open('ab', sealed, 'c'), Buffer.from('x'))
    for (const [purpose, bound] of [
      ['ab', 'd'],
      ['ab', undefined],
      ['ab', ''],
      ['a', 'bc'],
      ['abc', ''],
      ['b', 'c'],
      ['AB', 'c'],
    ] as const) {
      assert.equal(seal.open(purpose, sealed, bound), undefined, `${purpose} ${bound}`)
    }
  })

  test('does not open when any bit of it is changed, when it is cut or when it is lengthened', () => {
    const sealed = Buffer.from(seal.seal('p', 'content'), 'base64url')
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.equal(seal.open('p', changed.toString('base64url')), undefined, `bit ${bit}`)
    }
    for (let length = 0; length < sealed.length; length++) {
      assert.equal(seal.open('p', sealed.subarray(0, length).toString('base64url')), undefined, `${length} bytes`)
    }
    assert.equal(seal.open('p', Buffer.concat([sealed, Buffer.alloc(1)]).toString('base64url')), undefined)
  })

  test('does not open when any character of its text is another one', () => {
    const text = seal.seal('p', 'content')
    for (let index = 0; index < text.length; index++) {
      for (const character of ['A', 'B', '-', '=', ' ', '+', 'é', '\0', '']) {
        if (text[index] === character) continue
        assert.equal(seal.open('p', text.slice(0, index) + character + text.slice(index + 1)), undefined, `${index}`)
      }
    }
    for (const other of [`${text}=`, `${text} `, ` ${text}`, `${text}A`]) assert.equal(seal.open('p', other), undefined)
  })

  for (const [what, value] of [
    ['an empty text', ''],
    ['a long text', 'A'.repeat(1_000_000)],
    ['a long text of the right version', `AQ${'A'.repeat(262_000)}`],
    ['something foreign', 'eyJhbGciOiJub25lIn0.e30.'],
    ['no text', undefined as unknown as string],
    ['an array', ['AQ'] as unknown as string],
  ] as const) {
    test(`${what} does not open and does not throw`, () => assert.equal(seal.open('p', value), undefined))
  }

  test('of another installation does not open, even under the same name of the key', () => {
    const stranger = createSeal([keyOf('one', 2)])
    assert.equal(seal.open('p', stranger.seal('p', 'x')), undefined)
  })

  test('opens in every process that has the key, and with an old key after a change of keys', () => {
    const before = seal.seal('p', 'x')
    const changed = createSeal([keyOf('two', 2), keyOf('one', 1)])
    assert.deepEqual(changed.open('p', before), Buffer.from('x'))
    const after = changed.seal('p', 'y')
    assert.deepEqual(createSeal([keyOf('two', 2)]).open('p', after), Buffer.from('y'))
    assert.equal(seal.open('p', after), undefined)
    assert.deepEqual(
      [changed.isCurrent(before), changed.isCurrent(after), changed.isCurrent('x')],
      [false, true, false],
    )
  })

  test('that would be too long is refused', () => {
    assert.throws(() => seal.seal('p', Buffer.alloc(194_561)), RangeError)
  })
})

test('a digest depends on key, purpose and text, and is the same in every process', () => {
  const other = createSeal([keyOf('two', 2)])
  const digest = seal.digest('code', '123456')
  assert.match(digest, /^[A-Za-z0-9_-]{43}$/)
  assert.equal(createSeal([keyOf('one', 1)]).digest('code', '123456'), digest)
  for (const different of [
    seal.digest('code', '123457'),
    seal.digest('link', '123456'),
    other.digest('code', '123456'),
  ]) {
    assert.notEqual(different, digest)
  }
})

test('a digest matches its text under the current key and under an older one', () => {
  const digest = seal.digest('code', '123456')
  const changed = createSeal([keyOf('two', 2), keyOf('one', 1)])
  assert.equal(seal.matches('code', '123456', digest), true)
  assert.equal(changed.matches('code', '123456', digest), true)
  assert.equal(seal.matches('code', '123457', digest), false)
  assert.equal(seal.matches('link', '123456', digest), false)
  assert.equal(seal.matches('code', '123456', ''), false)
  assert.equal(seal.matches('code', '123456', '='.repeat(43)), false)
  assert.equal(createSeal([keyOf('two', 2)]).matches('code', '123456', digest), false)
})

test('a derived key depends on master key, purpose and length, and is the same in every process', () => {
  const key = seal.deriveKey('pages', 48)
  assert.equal(key.length, 48)
  assert.deepEqual(createSeal([keyOf('one', 1)]).deriveKey('pages', 48), key)
  assert.notDeepEqual(seal.deriveKey('other', 48), key)
  assert.notDeepEqual(createSeal([keyOf('two', 2)]).deriveKey('pages', 48), key)
})

test('unusable master keys are refused', () => {
  assert.throws(() => createSeal([]), RangeError)
  assert.throws(() => createSeal([{ id: 'a', key: Buffer.alloc(31) }]), RangeError)
  assert.throws(() => createSeal([keyOf('a b', 1)]), RangeError)
  assert.throws(() => createSeal([keyOf('', 1)]), RangeError)
  assert.throws(() => createSeal([keyOf('a', 1), keyOf('a', 2)]), RangeError)
})

describe('the master key of an installation', () => {
  const key = randomBytes(32)

  for (const [what, given] of [
    ['hex', key.toString('hex')],
    ['upper-case hex', key.toString('hex').toUpperCase()],
    ['base64', key.toString('base64')],
    ['base64url', key.toString('base64url')],
    ['text with a line break', `${key.toString('hex')}\n`],
  ] as const) {
    test(`can be given in ${what}`, () => {
      const dataDir = join(temporaryFolder(), 'data')
      assert.deepEqual(loadMasterKey({ given, dataDir }).key, key)
      assert.throws(() => statSync(dataDir), { code: 'ENOENT' })
    })
  }

  for (const given of [
    '',
    'secret',
    '00',
    key.toString('hex').slice(1),
    `${key.toString('base64')}=`,
    key.toString('base64').slice(2),
  ]) {
    test(`${given.length} characters that are no key are refused without being repeated`, () => {
      assert.throws(() => loadMasterKey({ given, dataDir: ':memory:' }), {
        name: 'StartRefusal',
        message: 'The given master key is not 32 bytes in hex or base64.',
      })
    })
  }

  test('is made once, in a file that only its owner can read', () => {
    const dataDir = join(temporaryFolder(), 'data')
    const first = loadMasterKey({ dataDir })
    assert.deepEqual(readdirSync(dataDir), ['master.key'])
    assert.equal(statSync(join(dataDir, 'master.key')).mode & 0o777, 0o600)
    assert.equal(statSync(dataDir).mode & 0o777, 0o700)
    assert.deepEqual(loadMasterKey({ dataDir }), first)
    assert.deepEqual(first.warnings, [])
    assert.equal(
      loadMasterKey({ given: readFileSync(join(dataDir, 'master.key'), 'utf8'), dataDir: ':memory:' }).id,
      first.id,
    )
  })

  test('is another one each time without a folder', () => {
    const [a, b] = [loadMasterKey({ dataDir: ':memory:' }), loadMasterKey({ dataDir: ':memory:' })]
    assert.notDeepEqual(a.key, b.key)
    assert.notEqual(a.id, b.id)
  })

  test('in a file that others can read earns a warning', () => {
    const dataDir = temporaryFolder()
    loadMasterKey({ dataDir })
    chmodSync(join(dataDir, 'master.key'), 0o640)
    assert.match(loadMasterKey({ dataDir }).warnings.join(), /master\.key can be read by other users/)
  })

  test('in a file of another content, or that is no file, is refused', () => {
    const dataDir = temporaryFolder()
    writeFileSync(join(dataDir, 'master.key'), 'short')
    assert.throws(() => loadMasterKey({ dataDir }), { name: 'StartRefusal', message: /master\.key is not 32 bytes/ })
    const other = temporaryFolder()
    mkdirSync(join(other, 'master.key'))
    assert.throws(() => loadMasterKey({ dataDir: other }), {
      name: 'StartRefusal',
      message: /cannot be read or written: EISDIR/,
    })
  })
})

onEachStore(source => {
  test('a start with another master key is refused, and a change of keys moves the mark', async () => {
    const database = await source.open()
    const [one, two] = [keyOf('one', 1), keyOf('two', 2)]
    const refusal = {
      name: 'StartRefusal',
      message: 'The master key is not the one that this database was sealed with.',
    }
    await Promise.all([checkMasterKey(database, createSeal([one])), checkMasterKey(database, createSeal([one]))])
    await checkMasterKey(database, createSeal([one]))
    await assert.rejects(checkMasterKey(database, createSeal([two])), refusal)
    await assert.rejects(checkMasterKey(database, createSeal([keyOf('one', 2)])), refusal)
    await checkMasterKey(database, createSeal([two, one]))
    await checkMasterKey(database, createSeal([two]))
    await assert.rejects(checkMasterKey(database, createSeal([one])), refusal)
  })
})
