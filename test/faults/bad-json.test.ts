/** Bodies that are no JSON, too much JSON or odd JSON: a 4xx that stores nothing, or exactly what was meant. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { attributeList, attributesByName, createTestPool, type TestPool } from '../support/directory.ts'
import { withPrototypeKeys } from '../support/model-inputs.ts'
import { passwordFlow } from '../support/pools.ts'
import { secretHash } from '../support/sign-in.ts'
import { assertUnharmed } from '../support/unharmed.ts'
import { createWire, type Wire } from '../support/wire.ts'

/** JSON that every parser must take. */
const goodJson = [
  ...[
    '[]',
    '[[]   ]',
    '[""]',
    '["a"]',
    '[false]',
    '[null]',
    '[1,null,null,null,2]',
    '[null, 1, "1", {}]',
    '[ 4]',
    '[2] ',
  ],
  ...[
    '[0e+1]',
    '[0e1]',
    '[123e65]',
    '[123e45]',
    '[123.456e78]',
    '[1e-2]',
    '[1e+2]',
    '[-0]',
    '[-123]',
    '[20e1]',
    '[-0.1]',
  ],
  ...['[123.456789]', '[0.000000000000000000000000000000000000000000000000000000000000000000000000000000001]'],
  ...['{}', '{"":0}', '{"a":[]}', '{"a":"b","c":"d"}', '{"a\\u0000b":1}', '{"a":"b","a":"c"}', '{"a":"b","a":"b"}'],
  ...[
    '"\\u0060\\u012a\\u12AB"',
    '"\\uD801\\udc37"',
    '"\\ud83d\\ude39\\ud83d\\udc8d"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\\\u0000"',
  ],
  ...[
    '"\\"a"',
    '"a/*b*/c/*d//e"',
    '"\\u0012"',
    '"\\uFFFF"',
    '"asd "',
    '"\\uDBFF\\uDFFF"',
    '"new\\u00A0line"',
    '"􏿿"',
    '"€𝄞"',
  ],
  ...[
    '"\u2028\u2029"',
    '"\\u0022"',
    '"\\uA66D"',
    '"\u007f"',
    '"π"',
    '"𛿿"',
    '"\\u200B"',
    '" "',
    'true',
    'false',
    'null',
  ],
]

/** Texts that no parser may take. */
const badJson = [
  ...['', 'nul', 'tru', 'fals', 'True', 'NaN', 'Infinity', '-Infinity', 'undefined', '*', '<null>', '\u2060', '⁠', 'å'],
  ...[
    '[1 true]',
    '["": 1]',
    '[""],',
    '[,1]',
    '[1,,2]',
    '["x",,]',
    '["x"]]',
    '["",]',
    '["x"',
    '[x',
    '[3[4]]',
    '[1:2]',
    '[,]',
  ],
  ...[
    '[-]',
    '[   , ""]',
    '["a",\n4\n,1,',
    '[1,]',
    '[1,,]',
    '["\u000ba"\\f]',
    '[*]',
    '[""',
    '[1,',
    '[1,\n1\n,1',
    '[{}',
    '[1]x',
  ],
  ...[
    '[++1234]',
    '[+1]',
    '[+Inf]',
    '[-01]',
    '[-1.0.]',
    '[-2.]',
    '[.-1]',
    '[.2e-3]',
    '[0.1.2]',
    '[0.3e+]',
    '[0.e1]',
    '[0E]',
  ],
  ...[
    '[1.0e+]',
    '[1 000.0]',
    '[1eE2]',
    '[2.e+3]',
    '[2.e3]',
    '[9.e+]',
    '[1+2]',
    '[0x1]',
    '[0x42]',
    '[-foo]',
    '[- 1]',
    '[-012]',
  ],
  ...[
    '[-.123]',
    '[-1x]',
    '[1ea]',
    '[1e1\u00e5]',
    '[1.]',
    '[.123]',
    '[1.2a-3]',
    '[1.8011670033376514H-308]',
    '[012]',
    '[１]',
  ],
  ...[
    '["x", truth]',
    '{[: "x"}',
    '{"x", null}',
    '{"x"::"b"}',
    '{🇨🇭}',
    '{"a":"a" 123}',
    '{key: "value"}',
    '{"a" b}',
    '{:"b"}',
  ],
  ...[
    '{"a"',
    '{"a":',
    '{1:1}',
    '{9999E9999:1}',
    '{null:null,null:null}',
    '{"id":0,,,,,}',
    "{'a':0}",
    '{"id":0,}',
    '{"a":"b"}/**/',
  ],
  ...[
    '{"a":"b"}/**//',
    '{"a":"b"}//',
    '{"a":"b"}/',
    '{"a":"b",,"c":"d"}',
    '{a: "b"}',
    '{"a":"a',
    '{ "foo" : "bar", "a" }',
    '{"a":"b"}#',
  ],
  ...[
    ' ',
    '"',
    '["\\uD800\\"]',
    '["\\uD800\\u"]',
    '["\\uD800\\u1"]',
    '["\\uD800\\u1x"]',
    '[é]',
    '["\\x00"]',
    '["\\\\\\"]',
    '["\\\t"]',
  ],
  ...[
    '["\\🌀"]',
    '["\\"]',
    '["\\u00A"]',
    '["\\uD834\\uDd"]',
    '["\\uD800\\uD800\\x"]',
    '["\\a"]',
    '["\\uqqqq"]',
    '[\\u0020"asd"]',
  ],
  ...[
    '[\\n]',
    "['single quote']",
    'abc',
    '["new\nline"]',
    '["\t"]',
    '["\u0000"]',
    '"\\UA66D"',
    '""x',
    '[⁠]',
    '﻿[]',
    '[\\u000A""]',
  ],
  ...[
    '[',
    '<.>',
    '[1]]',
    '{}}',
    '][',
    '[undefined]',
    '{"asd":"asd"',
    '[\n\u000c]',
    '[\u00a01]',
    '{"a":1}{"b":2}',
    '1 2',
    '/*c*/1',
    '1;',
  ],
]

/** What parsers may take or leave. */
const freeJson = [
  ...[
    '[123.456e-789]',
    '[0.4e006999999999999999999999]',
    '[-1e+9999]',
    '[1.5e+9999]',
    '[-123123e100000]',
    '[123123e100000]',
  ],
  ...[
    '[123123e-10000000]',
    '[-123123123123123123123123123123]',
    '[100000000000000000000]',
    '[-237462374673276894279832749832423479823246327846]',
  ],
  ...[
    '["\\uDADA"]',
    '["\\uD888\\u1234"]',
    '["\\uD800\\n"]',
    '["\\uDd1ea"]',
    '["\\uD800\\uD800\\n"]',
    '["\\ud800"]',
    '["\\ud800abc"]',
    '["\\uDd1e\\uD834"]',
  ],
  ...['{"\\uDFAA":0}', `${'['.repeat(60)}${']'.repeat(60)}`],
]

const byteSequences: [string, number[]][] = [
  ['an impossible byte', [0xff]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['an encoded surrogate', [0xed, 0xa0, 0x80]],
  ['a pair of encoded surrogates', [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
  ['beyond Unicode', [0xf5, 0x80, 0x80, 0x80]],
  ['a truncated sequence', [0xe2, 0x82]],
  ['a lone continuation', [0x80]],
  ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
]

onEachDatabase(testApp => {
  let app: TestApp
  let wire: Wire
  let pool: TestPool
  before(async () => {
    app = await testApp()
    wire = createWire(app.url)
    pool = await createTestPool(app, { AutoVerifiedAttributes: ['email'] }, passwordFlow)
  })
  after(() => wire.close())

  /** A request that succeeds whatever its unknown member is, if only it is JSON. */
  const describeWith = (json: string | Buffer) =>
    wire.call(
      'DescribeUserPool',
      Buffer.concat([
        Buffer.from(`{"UserPoolId":"${pool.UserPoolId}","Unknown":`),
        Buffer.from(json),
        Buffer.from('}'),
      ]),
    )

  test('JSON is taken and everything else is refused as a serialization error', async () => {
    await assertUnharmed(app, async () => {
      for (const json of goodJson) assert.equal((await describeWith(json)).status, 200, json)
      for (const json of badJson) {
        const inside = await describeWith(json)
        assert.deepEqual([inside.status, inside.type], [400, 'SerializationException'], JSON.stringify(json))
        const alone = await wire.call('CreateUserPool', json)
        assert.equal(alone.status, 400, JSON.stringify(json))
      }
      for (const json of freeJson) assert.ok([200, 400].includes((await describeWith(json)).status), json)
    })
  })

  test('a body that is no object is refused', async () => {
    await assertUnharmed(app, async () => {
      const valid = JSON.stringify({ PoolName: 'pool' })
      for (const body of [
        '[]',
        'null',
        '1',
        '"x"',
        'true',
        ' ',
        '\n',
        `${valid}${valid}`,
        `${valid},`,
        `[${valid}]`,
        '\ufeff{}',
      ]) {
        const { status, type } = await wire.call('CreateUserPool', body)
        assert.deepEqual([status, type], [400, 'SerializationException'], body)
      }
      const empty = await wire.call('CreateUserPool', '')
      assert.deepEqual([empty.status, empty.type], [400, 'InvalidParameterException'])
      assert.match(empty.message, /^1 validation error detected: Value null at 'poolName'/)
    })
  })

  test('bytes that are not UTF-8 are refused wherever they stand', async () => {
    await assertUnharmed(app, async () => {
      const at = (before: string, bytes: number[], after: string) =>
        Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
      for (const [what, bytes] of byteSequences) {
        for (const body of [
          at('{"PoolName":"a', bytes, 'b"}'),
          at('{"PoolName":"a","x', bytes, '":1}'),
          at('{"PoolName":"a"}', bytes, ''),
        ]) {
          const { status, type } = await wire.call('CreateUserPool', body)
          assert.deepEqual([status, type], [400, 'SerializationException'], what)
        }
      }
      for (const encoding of ['utf16le', 'latin1'] as const) {
        const body = Buffer.from('{"PoolName":"café"}', encoding)
        assert.equal((await wire.call('CreateUserPool', body)).type, 'SerializationException', encoding)
      }
    })
    const { text } = await wire.call('CreateUserPool', Buffer.from('{"PoolName":"name","UserPoolTags":{"é":"🌀"}}'))
    assert.match(text, /"UserPoolTags":\{"é":"🌀"\}/)
  })

  test('depth and number of entries are limited, and the refusal is quick', async () => {
    const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`
    const list = (length: number, item: string) => `[${Array.from({ length }, () => item).join(',')}]`
    const keys = (length: number) => `{${Array.from({ length }, (_, index) => `"k${index}":""`).join(',')}}`
    await assertUnharmed(app, async () => {
      const hostile: [string, string][] = [
        ...[1_000, 10_000, 100_000].flatMap((depth): [string, string][] => [
          [`${depth} arrays`, nested(depth, '[', ']')],
          [`${depth} objects`, nested(depth, '{"a":', '}')],
          [`${depth} open arrays`, '['.repeat(depth)],
          [`${depth} open objects`, '{"a":'.repeat(depth)],
        ]),
        ['1,000,000 arrays', nested(1_000_000, '[', ']')],
        ['1,000,000 open arrays', '['.repeat(1_000_000)],
        ['200,000 numbers', list(200_000, '1')],
        ['200,000 lists', list(200_000, '[]')],
        ['100,000 keys', keys(100_000)],
        ['200,000 equal keys', `{${'"":0,'.repeat(200_000).slice(0, -1)}}`],
      ]
      for (const [what, json] of hostile) {
        const quickest = await quickestOf(3, async () => {
          const { status, type } = await describeWith(json)
          assert.deepEqual([status, type], [400, 'SerializationException'], what)
        })
        assert.ok(quickest < 100, `${what}: ${quickest} ms`)
      }
      const { ClientId } = pool
      const signUp = (more: string) =>
        wire.call('SignUp', `{"ClientId":"${ClientId}","Username":"ann","Password":"Passw0rd!",${more}}`)
      for (const more of [
        `"ClientMetadata":${keys(10_000)}`,
        `"ClientMetadata":{"a":${nested(1_000, '[', ']')}}`,
        `"UserAttributes":${list(60_000, '{"Name":"n"}')}`,
        keys(150_000).slice(1, -1),
      ]) {
        const { status, type } = await signUp(more)
        assert.deepEqual([status, type], [400, 'SerializationException'], more.slice(0, 40))
      }
    })
    assert.equal((await describeWith(nested(60, '[', ']'))).status, 200)
    assert.equal((await describeWith(list(4_999, '1'))).status, 200)
    assert.equal((await describeWith(keys(4_999))).status, 200)
  })

  test('a body may have two megabytes and not a byte more', async () => {
    const of = (bytes: number) => {
      const frame = `{"UserPoolId":"${pool.UserPoolId}","Unknown":""}`
      return `${frame.slice(0, -2)}${'a'.repeat(bytes - frame.length)}"}`
    }
    const limit = 2 * 1024 * 1024
    await assertUnharmed(app, async () => {
      assert.equal((await wire.call('DescribeUserPool', of(1_000_000))).status, 200)
      assert.equal((await wire.call('DescribeUserPool', of(limit))).status, 200)
      assert.equal((await wire.call('DescribeUserPool', of(limit + 1))).status, 413)
    })
  })

  test('of a repeated key the last one counts, for every check alike', async () => {
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId: pool.UserPoolId,
      ClientName: 'confidential',
      GenerateSecret: true,
      ...passwordFlow,
    })
    const { ClientId = '', ClientSecret = '' } = UserPoolClient ?? {}
    const signUp = (hashOf: string) =>
      wire.call(
        'SignUp',
        `{"Username":"first","ClientId":"${ClientId}","Password":"Passw0rd!","Username":"second",
          "SecretHash":"${secretHash(hashOf, ClientId, ClientSecret)}"}`,
      )
    assert.equal((await signUp('first')).type, 'NotAuthorizedException')
    assert.equal((await signUp('second')).status, 200)
    const { Users } = await app.aws.listUsers({ UserPoolId: pool.UserPoolId })
    assert.deepEqual(
      Users?.map(({ Username }) => Username),
      ['second'],
    )
    const signIn = (hashOf: string) =>
      wire.call(
        'InitiateAuth',
        `{"ClientId":"${ClientId}","AuthFlow":"USER_PASSWORD_AUTH","AuthParameters":{"USERNAME":"nobody",
          "PASSWORD":"Passw0rd!","USERNAME":"second","SECRET_HASH":"${secretHash(hashOf, ClientId, ClientSecret)}"}}`,
      )
    assert.equal((await signIn('nobody')).type, 'NotAuthorizedException')
    assert.equal((await signIn('second')).type, 'UserNotConfirmedException')
  })

  test('members by the names of what every object inherits are ignored where they are unknown', async () => {
    await assertUnharmed(app, async () => {
      const poison = withPrototypeKeys({ polluted: true, UserPoolId: pool.UserPoolId, Enabled: true })
      const { status } = await wire.call('DescribeUserPool', { ...poison, UserPoolId: pool.UserPoolId })
      assert.equal(status, 200)
      const missing = await wire.call('DescribeUserPool', JSON.stringify(poison))
      assert.deepEqual([missing.status, missing.type], [400, 'InvalidParameterException'])
      for (const key of ['userPoolId', 'USERPOOLID', 'user_pool_id', 'UserPoolId ']) {
        assert.equal(
          (await wire.call('DescribeUserPool', { [key]: pool.UserPoolId })).type,
          'InvalidParameterException',
        )
      }
      assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    })
  })

  test('names that every object inherits are names like any other, or refused', async () => {
    const { UserPoolId, ClientId } = await createTestPool(app, {}, passwordFlow)
    const names = Object.keys(withPrototypeKeys(0))
    await app.aws.tagResource({
      ResourceArn: await arnOf(UserPoolId),
      Tags: withPrototypeKeys('x') as Record<string, string>,
    })
    const tags = await wire.call('ListTagsForResource', { ResourceArn: await arnOf(UserPoolId) })
    assert.deepEqual(Object.keys((JSON.parse(tags.text) as { Tags: object }).Tags).sort(), [...names].sort())

    for (const name of names) {
      const created = await wire.call('SignUp', {
        ClientId,
        Username: name,
        Password: 'Passw0rd!',
        ClientMetadata: withPrototypeKeys('x'),
        UserContextData: { EncodedData: name },
      })
      assert.equal(created.status, 200, created.text)
      await app.aws.adminConfirmSignUp({ UserPoolId, Username: name })
      await app.aws.createGroup({ UserPoolId, GroupName: name })
      const signedIn = await wire.call('InitiateAuth', {
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { ...withPrototypeKeys('x'), USERNAME: name, PASSWORD: 'Passw0rd!' },
      })
      assert.equal(signedIn.status, 200, signedIn.text)
      const refused = await wire.call('AdminUpdateUserAttributes', {
        UserPoolId,
        Username: name,
        UserAttributes: [{ Name: name, Value: 'x' }],
      })
      assert.deepEqual([refused.status, refused.type], [400, 'InvalidParameterException'], refused.text)
    }
    await app.aws.adminAddUserToGroup({ UserPoolId, Username: '__proto__', GroupName: 'constructor' })
    for (const name of names) {
      const { Groups } = await app.aws.adminListGroupsForUser({ UserPoolId, Username: name })
      assert.deepEqual(
        Groups?.map(({ GroupName }) => GroupName),
        name === '__proto__' ? ['constructor'] : [],
      )
    }
    await app.aws.addCustomAttributes({
      UserPoolId,
      CustomAttributes: names.map(Name => ({ Name, AttributeDataType: 'String' })),
    })
    const attributes = Object.fromEntries(names.map(name => [`custom:${name}`, name]))
    await app.aws.adminUpdateUserAttributes({
      UserPoolId,
      Username: 'toString',
      UserAttributes: attributeList(attributes),
    })
    const { UserAttributes } = await app.aws.adminGetUser({ UserPoolId, Username: 'toString' })
    const { sub: _, ...stored } = attributesByName(UserAttributes)
    assert.deepEqual(stored, attributes)
  })

  test('odd characters are stored as they came, or refused', async () => {
    const { UserPoolId } = await createTestPool(app)
    await app.aws.adminCreateUser({ UserPoolId, Username: 'ann', MessageAction: 'SUPPRESS' })
    const texts = [
      '\ufeffa',
      '\u202eabc\u202c',
      'a\u2028b\u2029',
      '\u0001\u001f\u007f\u0085\u009f',
      'e\u0301 é',
      '\u212a K',
      ' a ',
      "'';--",
      '🏳️‍🌈',
      '\uffff',
      '%00',
      '\\u0000',
    ]
    for (const text of texts) {
      await app.aws.adminUpdateUserAttributes({
        UserPoolId,
        Username: 'ann',
        UserAttributes: attributeList({ nickname: text }),
      })
      const { UserAttributes } = await app.aws.adminGetUser({ UserPoolId, Username: 'ann' })
      assert.equal(attributesByName(UserAttributes)['nickname'], text, JSON.stringify(text))
    }
    await assertUnharmed(app, async () => {
      for (const text of ['a\0', '\ud800', '\udbff', 'a\udc00b']) {
        const { status, type } = await wire.call('AdminUpdateUserAttributes', {
          UserPoolId,
          Username: 'ann',
          UserAttributes: attributeList({ nickname: text }),
        })
        assert.deepEqual([status, type], [400, 'InvalidParameterException'], JSON.stringify(text))
      }
    })
  })

  const arnOf = async (UserPoolId: string): Promise<string> =>
    (await app.aws.describeUserPool({ UserPoolId })).UserPool?.Arn ?? ''
})

/** The time of the quickest of some runs, in milliseconds: what else the machine does slows some of them down. */
const quickestOf = async (runs: number, work: () => Promise<void>): Promise<number> => {
  let quickest = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    await work()
    quickest = Math.min(quickest, performance.now() - start)
  }
  return quickest
}
