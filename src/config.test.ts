import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, readConfig } from './config.ts'

const key = 'CENOTEKEY:0123456789abcdef'

const rateLimits: [string, string[], Record<string, string>, Record<string, number> | undefined][] = [
  ['are off without an access key', [], {}, undefined],
  ['are on with an access key', ['--access-key', key], {}, {}],
  ['are switched off', ['--access-key', key, '--rate-limits', 'off'], {}, undefined],
  ['are switched on', ['--rate-limits', 'on'], {}, {}],
  ['are given one by one', ['--rate-limits', 'UserList=60, UserRead=5'], {}, { UserList: 60, UserRead: 5 }],
  ['come from the environment', [], { CENOTE_RATE_LIMITS: 'UserList=1' }, { UserList: 1 }],
]
for (const [title, args, environment, expected] of rateLimits) {
  test(`rate limits ${title}`, async () => {
    assert.deepEqual((await readConfig(args, environment)).rateLimits, expected)
  })
}

for (const [text, reason] of [
  ['fast', 'rate-limits must be on, off or CATEGORY=NUMBER,…; not fast'],
  ['__proto__=3', 'rate-limits must be on, off or CATEGORY=NUMBER,…; not __proto__=3'],
  ['UserList', 'rate-limits: UserList needs a number of requests per second'],
  ['UserList=0', 'rate-limits: UserList needs a number of requests per second'],
  ['UserList=1.5', 'rate-limits: UserList needs a number of requests per second'],
  ['UserList=1=2', 'rate-limits: UserList needs a number of requests per second'],
] as const) {
  test(`rate limits of ${text} are refused`, async () => {
    await assert.rejects(readConfig(['--rate-limits', text], {}), new ConfigError(reason))
  })
}

const withFile = async (text: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'cenote-config-'))
  try {
    writeFileSync(join(folder, 'cenote.yaml'), text)
    return await readConfig(['--config', join(folder, 'cenote.yaml')], {})
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('functions of triggers are webhooks by ARN or name', async () => {
  const { triggers } = await withFile(`triggers:
  arn:aws:lambda:us-east-1:000000000000:function:one:
    url: https://hooks.example.com/one
    secret: 0123456789abcdef
  two: { url: 'http://127.0.0.1:4000', secret: fedcba9876543210 }
`)
  assert.deepEqual(
    [...triggers],
    [
      [
        'arn:aws:lambda:us-east-1:000000000000:function:one',
        { url: 'https://hooks.example.com/one', secret: '0123456789abcdef' },
      ],
      ['two', { url: 'http://127.0.0.1:4000', secret: 'fedcba9876543210' }],
    ],
  )
})

test('a module is found from the folder of the file', async () => {
  const { triggers } = await withFile('triggers: { one: { module: ./one.ts }, two: { module: /srv/two.mjs } }')
  const [one, two] = [...triggers.values()]
  assert.match(one !== undefined && 'module' in one ? one.module : '', /^\/.*cenote-config-[^/]+\/one\.ts$/)
  assert.deepEqual(two, { module: '/srv/two.mjs' })
})

for (const [title, text, reason] of [
  ['a module with a URL', 'triggers: { one: { module: ./a.ts, url: "https://a" } }', /must have url and secret/],
  ['a list', 'triggers: [one]', /triggers must be a mapping$/],
  ['a webhook without a secret', 'triggers: { one: { url: "https://a" } }', /triggers.one must have url and secret/],
  ['a short secret', 'triggers: { one: { url: "https://a", secret: short } }', /at least 16 characters$/],
  [
    'another protocol',
    'triggers: { one: { url: "ftp://a", secret: 0123456789abcdef } }',
    /one.url must be a URL that begins with http/,
  ],
  [
    'an unknown key',
    'triggers: { one: { url: "https://a", secret: 0123456789abcdef, tries: 3 } }',
    /unknown key tries$/,
  ],
] as const) {
  test(`${title} under triggers is refused`, async () => {
    await assert.rejects(withFile(text), reason)
  })
}

test('the access key for Lambda may have a session token', async () => {
  const read = async (text: string) => (await readConfig(['--lambda-access-key', text], {})).lambdaCredentials
  assert.deepEqual(await read('AKID:se/cr+et'), { id: 'AKID', secret: 'se/cr+et', sessionToken: undefined })
  assert.deepEqual(await read('AKID:secret:token=='), { id: 'AKID', secret: 'secret', sessionToken: 'token==' })
  for (const wrong of ['AKID', ':secret', 'AKID:', 'AKID:secret:', 'a:b:c:d']) await assert.rejects(read(wrong))
})
