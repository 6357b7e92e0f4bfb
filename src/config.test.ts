import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, readConfig } from './config.ts'
import { isAllowedAddress, isAllowedHost } from './core/network-addresses.ts'

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

describe('networks that may be called', () => {
  const networks = async (args: string[], environment: NodeJS.ProcessEnv = {}) =>
    (await readConfig(args, environment)).allowedNetworks
  const withKey = ['--access-key', key]

  test('are loopback in local mode', async () => {
    const local = await networks([])
    assert.equal(isAllowedAddress(local, '127.0.0.1'), true)
    assert.equal(isAllowedAddress(local, '::1'), true)
    assert.equal(isAllowedAddress(local, '10.0.0.1'), false)
  })

  test('are none with an access key, and none beyond loopback', async () => {
    assert.equal(isAllowedAddress(await networks(withKey), '127.0.0.1'), false)
    assert.equal(isAllowedAddress(await networks(['--host', '0.0.0.0', '--insecure']), '127.0.0.1'), false)
  })

  test('are those of option, environment and file', async () => {
    const listed = await networks([...withKey, '--allow-private-network', '10.1.0.0/16, idp.internal,,fd00::1'])
    assert.equal(isAllowedAddress(listed, '10.1.2.3'), true)
    assert.equal(isAllowedAddress(listed, '10.2.2.3'), false)
    assert.equal(isAllowedAddress(listed, 'fd00::1'), true)
    assert.equal(isAllowedHost(listed, 'idp.internal'), true)
    const fromEnvironment = await networks(withKey, { CENOTE_ALLOW_PRIVATE_NETWORK: '10.0.0.1' })
    assert.equal(isAllowedAddress(fromEnvironment, '10.0.0.1'), true)
    const folder = await mkdtemp(join(tmpdir(), 'cenote-config-'))
    try {
      const file = join(folder, 'cenote.yaml')
      writeFileSync(file, 'allowPrivateNetwork: 192.168.0.0/16\n')
      const fromFile = await networks(['--config', file, ...withKey])
      assert.equal(isAllowedAddress(fromFile, '192.168.3.4'), true)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('are told apart from what is no network', async () => {
    await assert.rejects(
      networks(['--allow-private-network', '10.0.0.0/8,10.0.0.0/40']),
      new ConfigError('allow-private-network: 10.0.0.0/40 is not a host name, an address or a CIDR block'),
    )
  })
})

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

test('the logs of pools go where the file says', async () => {
  const { logDelivery } = await withFile(`logDelivery:
  accessKey: AKID:secret:session
  cloudWatchEndpoint: https://logs.{region}.amazonaws.com
  s3Endpoint: http://127.0.0.1:9000
  file: ./events.jsonl
  webhook: { url: 'https://hooks.example.com', secret: 0123456789abcdef }
`)
  assert.match(logDelivery.file ?? '', /^\/.*cenote-config-[^/]+\/events\.jsonl$/)
  assert.deepEqual(
    { ...logDelivery, file: undefined },
    {
      cloudWatchEndpoint: 'https://logs.{region}.amazonaws.com',
      s3Endpoint: 'http://127.0.0.1:9000',
      credentials: { id: 'AKID', secret: 'secret', sessionToken: 'session' },
      file: undefined,
      webhook: { url: 'https://hooks.example.com', secret: '0123456789abcdef' },
    },
  )
  assert.deepEqual((await readConfig([], {})).logDelivery, {})
})

for (const [title, text, reason] of [
  ['a text', 'logDelivery: file', /logDelivery must be a mapping$/],
  ['an unknown key', 'logDelivery: { kafka: "https://a" }', /logDelivery: unknown key kafka$/],
  ['an endpoint without a key', 'logDelivery: { s3Endpoint: "https://a" }', /the endpoints need an accessKey$/],
  [
    'another protocol',
    'logDelivery: { accessKey: "a:b", s3Endpoint: "ftp://a" }',
    /s3Endpoint must be a URL that begins/,
  ],
  ['half a key', 'logDelivery: { accessKey: a }', /accessKey must have the form ID:SECRET/],
  ['no file', 'logDelivery: { file: "" }', /logDelivery.file must be a text$/],
  [
    'a webhook without a secret',
    'logDelivery: { webhook: { url: "https://a" } }',
    /must have url and secret as texts$/,
  ],
  ['a short secret', 'logDelivery: { webhook: { url: "https://a", secret: short } }', /at least 16 characters$/],
] as const) {
  test(`${title} under logDelivery is refused`, async () => {
    await assert.rejects(withFile(text), { message: reason })
  })
}

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

describe('messages', () => {
  const arn = 'arn:aws:kms:us-east-1:123456789012:key/1'
  const aws = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'secret-of-the-environment' }
  const read = async (text: string, environment: NodeJS.ProcessEnv = {}, args: string[] = []) => {
    const folder = await mkdtemp(join(tmpdir(), 'cenote-config-'))
    const file = join(folder, 'cenote.yaml')
    try {
      writeFileSync(file, text)
      return await readConfig(['--config', file, ...args], environment)
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(error.message.replaceAll(file, 'FILE'))
      throw error
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  test('each medium has one service', async () => {
    const { messages } = await read(
      [
        'delivery:',
        "  email: {ses: {region: eu-west-1, accessKey: 'AKIDMAIL:secret-of-mail:token'}}",
        "  sms: {sns: {endpoint: 'https://sns.example.com', senderId: Example, assumeRole: true}}",
        "kms: {endpoint: 'http://127.0.0.1:4566'}",
        `customSenderKeys: {'${arn}': '${'ab'.repeat(32)}'}`,
      ].join('\n'),
      aws,
    )
    const fromEnvironment = { id: 'AKIDENV', secret: 'secret-of-the-environment', sessionToken: undefined }
    assert.deepEqual(messages.email, {
      ses: {
        endpoint: undefined,
        region: 'eu-west-1',
        credentials: { id: 'AKIDMAIL', secret: 'secret-of-mail', sessionToken: 'token' },
      },
    })
    assert.deepEqual(messages.sms, {
      sns: {
        endpoint: 'https://sns.example.com',
        region: undefined,
        credentials: fromEnvironment,
        senderId: 'Example',
        smsVoiceEndpoint: undefined,
        assumeRole: { endpoint: undefined },
      },
    })
    assert.deepEqual(messages.kms, {
      endpoint: 'http://127.0.0.1:4566',
      region: undefined,
      credentials: fromEnvironment,
    })
    assert.deepEqual([...messages.customSenderKeys], [[arn, Buffer.alloc(32, 0xab)]])
  })

  test('webhooks and SMTP are services like the others', async () => {
    const webhook = { url: 'https://hooks.example.com/', secret: 'a secret of the hook' }
    const { messages } = await read(
      `delivery: {email: {smtp: 'smtps://mail'}, sms: {webhook: {url: '${webhook.url}', secret: ${webhook.secret}}}}`,
    )
    assert.deepEqual([messages.email, messages.sms], [{ smtp: 'smtps://mail' }, { webhook }])
    const bare = (await readConfig(['--smtp', 'smtp://mail'], {})).messages
    assert.deepEqual([bare.email, bare.sms], [{ smtp: 'smtp://mail' }, undefined])
  })

  for (const [text, reason] of [
    ['delivery: smtp', 'FILE: delivery must be a mapping of email, sms'],
    ['delivery: {mail: {}}', 'FILE: delivery: unknown key mail'],
    ['delivery: {email: {}}', 'FILE: delivery.email must name exactly one service'],
    ["delivery: {email: {smtp: 'smtp://a', webhook: {}}}", 'FILE: delivery.email must name exactly one service'],
    [
      "delivery: {email: {smtp: 'http://a'}}",
      'FILE: delivery.email.smtp must be a URL that begins with smtp:// or smtps://',
    ],
    [
      'delivery: {email: {ses: {}}}',
      'FILE: delivery.email.ses needs an accessKey, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    ],
    [
      'delivery: {email: {ses: {accessKey: abc}}}',
      'FILE: delivery.email.ses.accessKey must have the form ID:SECRET or ID:SECRET:SESSION_TOKEN',
    ],
    ['delivery: {sms: {ses: {}}}', 'FILE: delivery.sms: unknown key ses'],
    [
      "delivery: {sms: {sns: {accessKey: 'a:b', senderId: 'too long a name'}}}",
      'FILE: delivery.sms.sns.senderId must have 1 to 11 letters and digits, and at least one letter',
    ],
    [
      "delivery: {sms: {webhook: {url: 'https://a', secret: short}}}",
      'FILE: delivery.sms.webhook: the secret must have at least 16 characters',
    ],
    [`customSenderKeys: {'${arn}': short}`, `FILE: customSenderKeys.${arn} must be 32 bytes in hex or base64`],
    ['customSenderKeys: [a]', 'FILE: customSenderKeys must be a mapping of ARNs to keys'],
    ['kms: {host: a}', 'FILE: kms: unknown key host'],
  ] as const) {
    test(`${text} is refused`, async () => {
      await assert.rejects(read(text), new ConfigError(reason))
    })
  }

  test('an option and the file cannot both name a way for mail', async () => {
    await assert.rejects(
      read("delivery: {email: {smtp: 'smtp://a'}}", {}, ['--smtp', 'smtp://b']),
      new ConfigError('smtp and delivery.email of the file exclude one another'),
    )
  })

  test('limits are on with an access key, off without one, or as they are given', async () => {
    const limits = async (...args: string[]) => (await readConfig(args, {})).messageLimits
    assert.equal(await limits(), undefined)
    assert.deepEqual(await limits('--access-key', key), {})
    assert.equal(await limits('--access-key', key, '--message-limits', 'off'), undefined)
    assert.deepEqual(await limits('--message-limits', 'on'), {})
    assert.deepEqual(await limits('--message-limits', 'DefaultEmails=500, PoolSms=0'), {
      DefaultEmails: 500,
      PoolSms: 0,
    })
    for (const [text, reason] of [
      ['PoolFax=3', 'message-limits must be on, off or LIMIT=NUMBER,…; not PoolFax=3'],
      ['toString=3', 'message-limits must be on, off or LIMIT=NUMBER,…; not toString=3'],
      ['PoolSms=-1', 'message-limits: PoolSms needs a number of messages'],
      ['PoolSms=1=2', 'message-limits: PoolSms needs a number of messages'],
    ] as const) {
      await assert.rejects(limits('--message-limits', text), new ConfigError(reason))
    }
  })

  test('the sender is one mailbox', async () => {
    const from = async (text: string) => (await readConfig(['--mail-from', text], {})).mailFrom
    for (const text of ['a@example.com', 'Example <a@example.com>', '"Ex, Inc." <a@example.com>']) {
      assert.equal(await from(text), text)
    }
    for (const text of ['example.com', 'a@b@c', 'a@example.com\r\nBcc: x@example.com', 'A <a@b> <c@d>', '<a b@c>']) {
      await assert.rejects(from(text), ConfigError)
    }
  })
})
