/** The process: its options, its streams, its files, its signals. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider'
import { type Config, ConfigError, isLoopback, options, readConfig } from '../src/config.ts'
import { makeSigningCertificate } from '../src/features/user-pools/certificate.ts'
import { version } from '../src/version.ts'
import { type Program, type ProgramOptions, runProgram, scratchFolder, startProgram } from './support/program.ts'
import { createWire, exchange, rawRequest } from './support/wire.ts'

const folders: { remove(): void }[] = []
after(() => {
  for (const folder of folders) folder.remove()
})

const newFolder = (): string => {
  const folder = scratchFolder()
  folders.push(folder)
  return folder.path
}

const newFile = (name: string, content: string): string => {
  const file = join(newFolder(), name)
  writeFileSync(file, content)
  return file
}

const accessKey = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const keyOption = `${accessKey.id}:${accessKey.secret}`

const clientOf = (
  { url }: Pick<Program, 'url'>,
  key: { id: string; secret: string } = { id: 'local', secret: 'local' },
) =>
  new CognitoIdentityProvider({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: key.id, secretAccessKey: key.secret },
    maxAttempts: 1,
  })

const getJson = async (url: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
  const answer = await fetch(url, init)
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const stop = async (program: Program) => {
  program.signal('SIGTERM')
  return program.ended
}

// Half-sent requests wait for their end beside the other tests.
let slow: { program: Program; headers: Promise<Cut>; hung: Promise<Awaited<Program['ended']>> }

interface Cut {
  afterMs: number
  text: string
}

/** Sends the text and nothing more, and waits until the server closes the connection. */
const sendAndWait = (url: string, text: string): Promise<Cut> =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    const { hostname, port } = new URL(url)
    let answer = ''
    const socket = connect(Number(port), hostname, () => socket.write(text))
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve({ afterMs: performance.now() - began, text: answer }))
  })

before(async () => {
  const program = await startProgram(['--data', ':memory:'])
  const stuck = await startProgram(['--data', ':memory:'])
  const hung = sendAndWait(stuck.url, rawRequest('CreateUserPool', '{', ['Content-Length: 100'])).then(
    () => stuck.ended,
  )
  setTimeout(() => stuck.signal('SIGTERM'), 300)
  slow = { program, headers: sendAndWait(program.url, 'POST / HTTP/1.1\r\nHost: a\r\nX-'), hung }
})
after(() => slow.program[Symbol.asyncDispose]())

describe('the command line', () => {
  test('help names every option and its variable, on standard output', async () => {
    const ways = [[], ['--help'], ['-h'], ['help'], ['start', '--help']]
    for (const { code, stdout, stderr } of await Promise.all(ways.map(args => runProgram(args)))) {
      assert.deepEqual([code, stderr], [0, ''])
      for (const { name, variable, value } of options) {
        assert.ok(stdout.includes(`--${name}`) && stdout.includes(variable), name)
        assert.match(stdout, new RegExp(`^  --${name}${value === undefined ? '' : ` ${value}`}(?: |$)`, 'm'))
      }
      assert.ok(stdout.split('\n').every(line => line.length <= 120))
    }
  })

  test('the version is that of the package', async () => {
    for (const args of [['--version'], ['version']]) {
      const { code, stdout, stderr } = await runProgram(args)
      assert.deepEqual([code, stdout, stderr], [0, `${version}\n`, ''])
    }
  })

  test('an option beats the environment, the environment the file, the file the default', async () => {
    const tls = { tlsCert: 'a', tlsKey: 'b' }
    /** Values for option, environment and file, how the configuration shows them, and the default. */
    const table: Record<
      string,
      { values: [string, string, string]; shown: (config: Config) => unknown; none: unknown; more?: object }
    > = {
      host: { values: ['127.0.0.2', '127.0.0.3', '127.0.0.4'], shown: ({ host }) => host, none: '127.0.0.1' },
      port: { values: ['1', '2', '3'], shown: ({ port }) => String(port), none: '9229' },
      data: { values: ['a', 'b', 'c'], shown: ({ data }) => data, none: './.cenote' },
      database: {
        values: ['postgres://a', 'postgres://b', 'postgresql://c'],
        shown: ({ databaseUrl }) => databaseUrl,
        none: undefined,
        more: { masterKey: 'k' },
      },
      'public-url': {
        values: ['http://a', 'https://b/c', 'auto'],
        shown: ({ publicUrl }) => publicUrl,
        none: undefined,
      },
      issuer: { values: ['aws', 'url', 'https://a/{region}/{poolId}'], shown: ({ issuer }) => issuer, none: 'url' },
      region: { values: ['eu-west-1', 'eu-west-2', 'us-gov-west-1'], shown: ({ region }) => region, none: 'us-east-1' },
      account: {
        values: ['1'.repeat(12), '2'.repeat(12), '3'.repeat(12)],
        shown: ({ account }) => account,
        none: '0'.repeat(12),
      },
      'master-key': { values: ['a', 'b', 'c'], shown: ({ masterKey }) => masterKey, none: undefined },
      'access-key': {
        values: [`one:${'a'.repeat(16)}`, `two:${'b'.repeat(16)}`, `six:${'c'.repeat(16)}`],
        shown: ({ accessKeys: [key] }) => key && `${key.id}:${key.secret}`,
        none: undefined,
      },
      seed: { values: ['a.yaml', 'b.yaml', 'c.yaml'], shown: ({ seedFile }) => seedFile, none: undefined },
      smtp: {
        values: ['smtp://a', 'smtps://b', 'smtp://c'],
        shown: ({ messages: { email } }) => email && 'smtp' in email && email.smtp,
        none: undefined,
      },
      'mail-from': {
        values: ['a@example.com', 'B <b@example.com>', 'c@example.com'],
        shown: ({ mailFrom }) => mailFrom,
        none: 'no-reply@verificationemail.com',
      },
      'message-limits': {
        values: ['PoolSms=1', 'PoolSms=2', 'PoolSms=3'],
        shown: ({ messageLimits }) => messageLimits && `PoolSms=${messageLimits.PoolSms}`,
        none: undefined,
      },
      'lambda-endpoint': {
        values: ['http://a', 'https://b', 'http://c'],
        shown: ({ lambdaEndpoint }) => lambdaEndpoint,
        none: undefined,
      },
      'lambda-access-key': {
        values: ['one:a', 'two:b', 'six:c:d'],
        shown: ({ lambdaCredentials: key }) =>
          key && [key.id, key.secret, key.sessionToken].filter(part => part !== undefined).join(':'),
        none: undefined,
      },
      tls: { values: ['', '1', 'true'], shown: ({ tls }) => tls === 'local', none: false },
      'tls-cert': {
        values: ['x', 'y', 'z'],
        shown: ({ tls }) => typeof tls === 'object' && tls.certFile,
        none: 'a',
        more: tls,
      },
      'tls-key': {
        values: ['x', 'y', 'z'],
        shown: ({ tls }) => typeof tls === 'object' && tls.keyFile,
        none: 'b',
        more: tls,
      },
      'allow-private-network': {
        values: ['a.example', 'b.example', 'c.example'],
        shown: ({ allowedNetworks }) =>
          ['a.example', 'b.example', 'c.example'].find(name =>
            JSON.stringify(
              [...Object.values(allowedNetworks)].map(part => (part instanceof Set ? [...part] : part)),
            ).includes(name),
          ),
        none: undefined,
      },
      'trusted-proxies': {
        values: ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'],
        shown: ({ trustedProxies }) =>
          trustedProxies &&
          [1, 2, 3].map(n => `10.${n}.0.0/16`).find(net => trustedProxies.addresses.check(net.slice(0, -3))),
        none: undefined,
      },
      'geo-database': {
        values: ['a.mmdb', 'b.mmdb', 'c.mmdb'],
        shown: ({ geoDatabaseFile }) => geoDatabaseFile,
        none: undefined,
      },
      'compromised-passwords-file': {
        values: ['a.txt', 'b.txt', 'c.txt'],
        shown: ({ compromisedPasswordsFile }) => compromisedPasswordsFile,
        none: undefined,
      },
      'oauth-extensions': {
        values: ['introspection', 'response-iss', 'device-grant'],
        shown: ({ oauthExtensions }) => oauthExtensions.join(','),
        none: 'end-session',
      },
      'rate-limits': {
        values: ['UserList=1', 'UserList=2', 'UserList=3'],
        shown: ({ rateLimits }) => rateLimits && `UserList=${rateLimits.UserList}`,
        none: undefined,
      },
      'log-level': { values: ['debug', 'warn', 'error'], shown: ({ logLevel }) => logLevel, none: 'info' },
      'test-mode': { values: ['', '1', 'true'], shown: ({ testMode }) => testMode, none: false },
      insecure: { values: ['', '1', 'true'], shown: ({ insecure }) => insecure, none: false },
    }
    assert.deepEqual(Object.keys(table).sort(), options.map(({ name }) => name).sort())
    for (const { name, variable, kind } of options) {
      const { values, shown, none, more = {} } = table[name] ?? assert.fail(name)
      const key = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
      const file = (content: object) => newFile('cenote.yaml', JSON.stringify({ ...more, ...content }))
      const withValue = file({ [key]: kind === 'switch' ? true : values[2] })
      const environment = variable.includes(',')
        ? { CENOTE_ACCESS_KEY_ID: values[1].split(':')[0], CENOTE_SECRET_ACCESS_KEY: values[1].split(':')[1] }
        : { [variable]: values[1] }
      const option = kind === 'switch' ? [`--${name}`] : [`--${name}=${values[0]}`]
      const expected = (index: 0 | 1 | 2) => (kind === 'switch' ? true : values[index])
      const read = async (args: string[], env: NodeJS.ProcessEnv) => shown(await readConfig(args, env))
      assert.equal(await read([...option, '--config', withValue], environment), expected(0), name)
      assert.equal(await read(['--config', withValue], environment), expected(1), name)
      assert.equal(await read([], { CENOTE_CONFIG: withValue }), expected(2), name)
      assert.equal(await read(['--config', file({})], {}), none, name)
      // A variable that is set to nothing is no variable.
      const emptied = Object.fromEntries(Object.keys(environment).map(each => [each, '']))
      assert.equal(await read(['--config', withValue], emptied), expected(2), name)
    }
    for (const off of ['0', 'false', '']) {
      assert.equal((await readConfig([], { CENOTE_TEST_MODE: off })).testMode, false)
    }
    const beaten = newFile('cenote.yaml', 'testMode: true')
    assert.equal((await readConfig(['--config', beaten], { CENOTE_TEST_MODE: '0' })).testMode, false)
  })

  test('loopback is what nobody else can reach', () => {
    for (const host of ['localhost', '127.0.0.1', '127.255.0.1', '::1']) assert.equal(isLoopback(host), true, host)
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.evil.example',
      '128.0.0.1',
      '0',
      'localhost.example',
      '::ffff:10.0.0.1',
      '',
    ]) {
      assert.equal(isLoopback(host), false, host)
    }
  })

  test('whatever keeps it from starting is told in one line, with exit code 1', async t => {
    const blocked = createServer()
    await new Promise<void>(resolve => blocked.listen(0, '127.0.0.1', resolve))
    const taken = String((blocked.address() as { port: number }).port)
    t.after(() => blocked.close())
    const memory = ['--data', ':memory:', '--port', '0']
    const yaml = (content: string) => ['--config', newFile('cenote.yaml', content), ...memory]
    const otherDatabase = newFolder()
    new DatabaseSync(join(otherDatabase, 'cenote.db')).exec('create table other (a)')
    const noDatabase = newFolder()
    writeFileSync(join(noDatabase, 'cenote.db'), 'This is a text, and a long one at that. '.repeat(100))
    const badKey = newFolder()
    writeFileSync(join(badKey, 'master.key'), 'short')
    const postgres = process.env['CENOTE_TEST_POSTGRES'] ?? assert.fail('Tests run through `npm test`.')
    const masterKey = ['--master-key', randomBytes(32).toString('hex')]
    const wrongPassword = new URL(postgres)
    wrongPassword.password = 'planted-database-password'
    const policy = (statement: string) =>
      yaml(
        `accessKeys: [{id: abc, secret: ${'a'.repeat(16)}, policy: {Version: '2012-10-17', Statement: ${statement}}}]`,
      )

    const table: [string, string[] | { args: string[]; env: Record<string, string> }, RegExp][] = [
      ['an unknown option', ['--nonsense'], /nonsense/],
      ['a word too many', ['now'], /now/],
      ['an option without its value', ['--port'], /port/],
      ['an empty option', ['--database', ''], /database needs a value/],
      ['a switch with a value', ['--test-mode=1'], /test-mode/],
      ['a port that is none', ['--port', 'x'], /port must be a number from 0 to 65535, not x/],
      ['a port too high', ['--port', '65536'], /65535/],
      ['a negative port', ['--port=-1'], /65535/],
      [
        'a port that is taken',
        ['--data', ':memory:', '--port', taken],
        new RegExp(`cannot listen on 127.0.0.1:${taken}: EADDRINUSE`),
      ],
      [
        'an address of another machine',
        [...memory, '--host', '192.0.2.1', '--insecure'],
        /cannot listen on 192\.0\.2\.1/,
      ],
      ['all addresses without a key', [...memory, '--host', '0.0.0.0'], /without an access key/],
      ['all addresses of IPv6 without a key', [...memory, '--host', '::'], /without an access key/],
      ['a name that may be anything without a key', [...memory, '--host', 'cenote.internal'], /without an access key/],
      ['a public URL without scheme', ['--public-url', 'id.example.com'], /public-url must be a URL/],
      ['a public URL of another scheme', ['--public-url', 'ftp://id.example.com'], /public-url must be a URL/],
      ['a public URL with a query', ['--public-url', 'https://id.example.com/?a'], /no query/],
      [
        'a public URL that follows the Host with keys',
        ['--public-url', 'auto', '--access-key', keyOption],
        /local mode/,
      ],
      ['an issuer without the pool', ['--issuer', 'https://id.example.com'], /\{poolId\}/],
      ['an issuer that is no URL', ['--issuer', '{poolId}'], /issuer must be/],
      ['a region that is none', ['--region', 'Frankfurt'], /region/],
      ['an account that is none', ['--account', '1234'], /twelve digits/],
      ['an access key without secret', ['--access-key', 'AKIDEXAMPLE'], /ID:SECRET/],
      ['an access key with a short secret', ['--access-key', 'AKIDEXAMPLE:planted'], /at least 16 characters/],
      ['an access key id with other characters', ['--access-key', `AK/ID:${'a'.repeat(16)}`], /letters, digits/],
      ['half an access key', { args: [], env: { CENOTE_ACCESS_KEY_ID: 'AKIDEXAMPLE' } }, /go together/],
      ['a switch in the environment that is neither', { args: [], env: { CENOTE_TEST_MODE: 'yes' } }, /1 or true/],
      ['a master key that is none', [...memory, '--master-key', 'planted-key'], /not 32 bytes/],
      ['a master key file that is none', ['--port', '0', '--data', badKey], /not 32 bytes/],
      ['a database of another kind', [...masterKey, '--database', 'mysql://localhost/a'], /postgres:\/\//],
      ['a database without master key', ['--database', postgres], /needs a master key/],
      [
        'a database that nobody serves',
        [...memory, ...masterKey, '--database', `postgres://a:planted@127.0.0.1:${await freePort()}/a`],
        /ECONNREFUSED/,
      ],
      [
        'a wrong password for the database',
        [...memory, ...masterKey, '--database', String(wrongPassword)],
        /password authentication failed/,
      ],
      ['a mail server of another kind', ['--smtp', 'http://a'], /smtp must be a URL/],
      ['a Lambda endpoint of another kind', ['--lambda-endpoint', 'a'], /lambda-endpoint must be a URL/],
      ['a Lambda access key without secret', ['--lambda-access-key', 'AKIDEXAMPLE'], /ID:SECRET/],
      ['a network that is none', ['--allow-private-network', '10.0.0.0/99'], /allow-private-network/],
      ['a limit that is none', ['--rate-limits', 'Nothing=1'], /rate-limits/],
      ['a certificate without key', ['--tls-cert', 'a.pem'], /go together/],
      [
        'a certificate that is missing',
        [...memory, '--tls-cert', '/nowhere/a.pem', '--tls-key', '/nowhere/b.pem'],
        /cannot read \/nowhere/,
      ],
      [
        'a certificate that is none',
        [...memory, '--tls-cert', newFile('a', 'a'), '--tls-key', newFile('b', 'b')],
        /PEM|pem/,
      ],
      ['a log level that is none', ['--log-level', 'loud'], /debug, info, warn or error/],
      ['a file that is missing', ['--config', '/nowhere/cenote.yaml'], /cannot read \/nowhere\/cenote\.yaml/],
      ['a file that is no YAML', yaml('a: [1'), /cannot read/],
      ['a file that is a list', yaml('- host'), /mapping/],
      ['a file with an unknown key', yaml('hots: a'), /unknown key hots/],
      ['a file with a key in another spelling', yaml('public-url: http://a'), /unknown key public-url/],
      ['a file with a list for a text', yaml('host: [a]'), /host must be a text/],
      ['access keys that are no list', yaml('accessKeys: {id: a}'), /must be a list/],
      [
        'an access key of the file without secret',
        yaml('accessKeys: [{id: abc}]'),
        /accessKeys\[0\] must have id and secret/,
      ],
      [
        'an access key of the file with another member',
        yaml(`accessKeys: [{id: abc, secret: ${'a'.repeat(16)}, polizy: {}}]`),
        /unknown key polizy/,
      ],
      [
        'an access key that is given twice',
        [...yaml(`accessKeys: [{id: abc, secret: ${'a'.repeat(16)}}]`), '--access-key', `abc:${'b'.repeat(16)}`],
        /given twice/,
      ],
      ['triggers that are a list', yaml('triggers: [a]'), /triggers must be a mapping/],
      ['a trigger with an unknown key', yaml('triggers: {a: {uri: b}}'), /triggers\.a: unknown key uri/],
      [
        'a webhook with a short secret',
        yaml('triggers: {a: {url: http://b, secret: planted}}'),
        /at least 16 characters/,
      ],
      ['a policy without effect', policy('[{Action: "*", Resource: "*"}]'), /Effect must be Allow or Deny/],
      [
        'a policy with an unknown condition',
        policy('[{Effect: Allow, Action: "*", Resource: "*", Condition: {Maybe: {a: b}}}]'),
        /Maybe/,
      ],
      [
        'a policy with a variable',
        policy(`[{Effect: Allow, Action: "*", Resource: "$\{aws:username}"}]`),
        /accessKeys\[0\]/,
      ],
      ['a policy without statement', policy('[]'), /at least one statement/],
      ['a data folder that is a file', ['--port', '0', '--data', newFile('a', 'a')], /master key|data file/],
      ['a data folder below a file', ['--port', '0', '--data', join(newFile('a', 'a'), 'b')], /master key|data file/],
      ['a data file of another program', ['--port', '0', '--data', otherDatabase], /is not a database of Cenote/],
      [
        'a data file that is no database',
        ['--port', '0', '--data', noDatabase],
        /cannot be opened: file is not a database/,
      ],
    ]
    // A mistake in the configuration always ends in the same way; a few of them show it, the others are only read.
    let mistakes = 0
    const rest = table.values()
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for (const [what, given, reason] of rest) {
          const { args, env } = Array.isArray(given) ? { args: given, env: {} } : given
          const mistake = await readConfig(args, env).then(
            () => undefined,
            error => (error instanceof ConfigError ? error.message : assert.fail(error)),
          )
          if (mistake !== undefined && ++mistakes > 5) {
            assert.match(mistake, reason, what)
            assert.ok(!mistake.includes('\n') && !mistake.includes('planted'), `${what}: ${mistake}`)
            continue
          }
          const { code, stdout, stderr } = await runProgram(['start', ...args], { env })
          assert.deepEqual([code, stdout], [1, ''], `${what}: ${stderr}`)
          assert.match(stderr, /^cenote: [^\n]+\n$/, what)
          assert.match(stderr, reason, what)
          assert.ok(!stderr.includes('planted'), `${what} tells a secret`)
        }
      }),
    )
    const unknown = await runProgram(['strat'])
    assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
    assert.match(unknown.stderr, /^cenote: unknown command strat.*\n$/)
  })
})

describe('a running program', () => {
  test('prints one line when it is ready, and logs JSON lines on the other stream', async () => {
    await using program = await startProgram(['--data', ':memory:', '--log-level', 'debug'])
    assert.match(program.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    const aws = clientOf(program)
    await aws.createUserPool({ PoolName: 'pool' })
    await assert.rejects(aws.describeUserPool({ UserPoolId: 'us-east-1_000000000' }))
    await fetch(`${program.url}/nowhere`)
    const { code, stdout } = await stop(program)
    assert.deepEqual([code, stdout], [0, `cenote listening on ${program.url}\n`])
    const lines = program.log()
    // Threads that are ready only now may say so in between.
    assert.deepEqual(
      lines
        .filter(({ level }) => level !== 'debug')
        .slice(-2)
        .map(({ msg }) => msg),
      ['draining', 'stopped'],
    )
    for (const { level, time } of lines) {
      assert.ok(['debug', 'info', 'warn', 'error'].includes(String(level)))
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    }
  })

  test('keeps its data to itself, and all of it', async () => {
    const data = join(newFolder(), 'a', 'data')
    const start = () => startProgram(['--data', data])
    const mode = (file: string) => (statSync(join(data, file)).mode & 0o777).toString(8)
    let poolId: string
    {
      await using program = await start()
      const aws = clientOf(program)
      poolId = (await aws.createUserPool({ PoolName: 'pool' })).UserPool?.Id ?? ''
      assert.deepEqual(
        readdirSync(data)
          .filter(name => !/-(wal|shm)$/.test(name))
          .sort(),
        ['cenote.db', 'cenote.db.lock', 'master.key'],
      )
      assert.equal(mode('.'), '700')
      for (const name of readdirSync(data)) assert.equal(mode(name), '600', name)
      const second = await runProgram(['start', '--port', '0', '--data', data])
      assert.equal(second.code, 1)
      assert.match(second.stderr, /^cenote: The data file .* is in use by another process\.\n$/)
      assert.equal((await aws.describeUserPool({ UserPoolId: poolId })).UserPool?.Name, 'pool')
      await stop(program)
    }
    {
      await using program = await start()
      assert.equal((await clientOf(program).describeUserPool({ UserPoolId: poolId })).UserPool?.Name, 'pool')
      assert.deepEqual(program.log(), [])
    }
    const wrongKey = await runProgram([
      'start',
      '--port',
      '0',
      '--data',
      data,
      '--master-key',
      randomBytes(32).toString('hex'),
    ])
    assert.deepEqual(
      [wrongKey.code, wrongKey.stderr],
      [1, 'cenote: The master key is not the one that this database was sealed with.\n'],
    )
    const given = readFileSync(join(data, 'master.key'), 'utf8').trim()
    chmodSync(join(data, 'master.key'), 0o644)
    {
      await using program = await start()
      assert.match(String(program.log()[0]?.['msg']), /master\.key can be read by other users/)
    }
    await using program = await startProgram(['--data', data], { env: { CENOTE_MASTER_KEY: given } })
    assert.equal((await clientOf(program).describeUserPool({ UserPoolId: poolId })).UserPool?.Name, 'pool')
  })

  test('is private even where everything else is open to all', async () => {
    const data = newFolder()
    chmodSync(data, 0o777)
    await using _ = await startProgram(['--data', data])
    for (const name of readdirSync(data)) assert.equal(statSync(join(data, name)).mode & 0o077, 0, name)
  })

  test('keeps nothing when it is told so', async () => {
    const cwd = newFolder()
    await using program = await startProgram(['--data', ':memory:'], { cwd })
    await clientOf(program).createUserPool({ PoolName: 'pool' })
    await stop(program)
    assert.deepEqual(readdirSync(cwd), [])
  })

  test('puts its data beside where it is started when it is told nothing', async () => {
    const cwd = newFolder()
    await using _ = await startProgram([], { cwd })
    assert.ok(readdirSync(join(cwd, '.cenote')).includes('cenote.db'))
  })

  test('is alive and ready', async () => {
    await using program = await startProgram(['--data', ':memory:'])
    assert.deepEqual(await getJson(`${program.url}/health`), { status: 200, body: { status: 'ok' } })
    assert.deepEqual(await getJson(`${program.url}/ready`), { status: 200, body: { status: 'ready' } })
  })

  test('takes account, issuer, public URL and test mode from options, environment and file alike', async () => {
    const values = {
      account: '111122223333',
      issuer: 'https://id.example.com/{region}/{poolId}',
      publicUrl: 'https://id.example.com/',
      testMode: true,
    }
    const ways: [string[], ProgramOptions][] = [
      [['--account', values.account, '--issuer', values.issuer, '--public-url', values.publicUrl, '--test-mode'], {}],
      [
        [],
        {
          env: {
            CENOTE_ACCOUNT: values.account,
            CENOTE_ISSUER: values.issuer,
            CENOTE_PUBLIC_URL: values.publicUrl,
            CENOTE_TEST_MODE: '1',
          },
        },
      ],
      [
        [
          '--config',
          newFile(
            'cenote.yaml',
            Object.entries(values)
              .map(([key, value]) => `${key}: "${value}"\n`)
              .join(''),
          ),
        ],
        {},
      ],
    ]
    for (const [args, more] of ways) {
      await using program = await startProgram(['--data', ':memory:', ...args], more)
      const { UserPool } = await clientOf(program).createUserPool({ PoolName: 'pool' })
      assert.equal(UserPool?.Arn, `arn:aws:cognito-idp:us-east-1:111122223333:userpool/${UserPool?.Id}`)
      const { body } = await getJson(`${program.url}/${UserPool?.Id}/.well-known/openid-configuration`)
      assert.equal(body['issuer'], `https://id.example.com/us-east-1/${UserPool?.Id}`)
      assert.equal(body['jwks_uri'], `https://id.example.com/${UserPool?.Id}/.well-known/jwks.json`)
      assert.equal((await getJson(`${program.url}/_cenote/reset`, { method: 'POST' })).status, 200)
    }
  })

  test('knows three forms of issuers, and follows the Host when it is told so', async () => {
    const issuerOf = async (args: string[], host?: string) => {
      await using program = await startProgram(['--data', ':memory:', ...args])
      const { UserPool } = await clientOf(program).createUserPool({ PoolName: 'pool' })
      const id = UserPool?.Id ?? ''
      const path = `/${id}/.well-known/openid-configuration`
      const request = `GET ${path} HTTP/1.1\r\nHost: ${host ?? 'a'}\r\nConnection: close\r\n\r\n`
      const { text } = await exchange(program.url, [request], { answers: 1 })
      const { issuer } = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as { issuer: string }
      return issuer.replace(id, 'POOL').replace(new URL(program.url).port, 'PORT')
    }
    assert.equal(await issuerOf([]), 'http://localhost:PORT/POOL')
    assert.equal(await issuerOf(['--issuer', 'aws']), 'https://cognito-idp.us-east-1.amazonaws.com/POOL')
    assert.equal(await issuerOf(['--public-url', 'auto'], 'cenote.internal:1234'), 'http://cenote.internal:1234/POOL')
    assert.equal(await issuerOf([], 'evil.example'), 'http://localhost:PORT/POOL')
  })

  test('offers clock and reset in test mode only', async () => {
    const post = (program: Program, path: string, body?: string) =>
      getJson(`${program.url}/_cenote/${path}`, { method: 'POST', ...(body !== undefined && { body }) })
    {
      await using program = await startProgram(['--data', ':memory:'])
      assert.equal((await post(program, 'clock', '{"advance":"PT1H"}')).status, 404)
      assert.equal((await post(program, 'reset')).status, 404)
    }
    await using program = await startProgram(['--data', ':memory:', '--test-mode'])
    const before = Date.now()
    const { status, body } = await post(program, 'clock', '{"advance":"PT1H"}')
    assert.equal(status, 200)
    const moved = Date.parse(String(body['now'])) - before
    assert.ok(moved >= 3_600_000 && moved < 3_660_000, String(moved))
    assert.equal((await post(program, 'clock', '{"advance":90}')).status, 200)
    for (const wrong of [
      '',
      '{',
      '{}',
      '[]',
      'null',
      '{"advance":"1h"}',
      '{"advance":-1}',
      '{"advance":null}',
      '{"advance":{}}',
      '{"advance":"P1Y"}',
    ]) {
      assert.equal((await post(program, 'clock', wrong)).status, 400, wrong)
    }
    const aws = clientOf(program)
    await aws.createUserPool({ PoolName: 'pool' })
    const reset = await post(program, 'reset')
    assert.ok(Math.abs(Date.parse(String(reset.body['now'])) - Date.now()) < 10_000)
    assert.deepEqual((await aws.listUserPools({ MaxResults: 10 })).UserPools, [])
  })

  test('speaks TLS when it has a certificate', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const publicKey = createPublicKey(privateKey)
    const kid = createHash('sha256').update('kid').digest('hex')
    const der = makeSigningCertificate(
      { id: 'localhost' },
      { kid, publicKey, privateKey, createdAt: Date.now() } as never,
      Date.now(),
    )
    const pem = `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
    const cert = newFile('cert.pem', pem)
    const key = newFile('key.pem', String(privateKey.export({ type: 'pkcs8', format: 'pem' })))
    await using program = await startProgram(['--data', ':memory:', '--tls-cert', cert, '--tls-key', key])
    assert.match(program.url, /^https:\/\/127\.0\.0\.1:\d+$/)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { ca: pem, checkServerIdentity: () => undefined }
      httpsRequest(`${program.url}/health`, options, answer => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end()
    })
    assert.equal(status, 200)
    const plain = await exchange(program.url.replace('https', 'http'), ['GET /health HTTP/1.1\r\nHost: a\r\n\r\n'])
    assert.ok(plain.closed && !plain.text.includes('200'))
  })

  test('makes certificates for this machine when TLS is all that it is told', async () => {
    const folder = newFolder()
    const get = (url: string, options: object) =>
      new Promise<string>((resolve, reject) => {
        httpsRequest(url, options, answer => {
          let text = ''
          answer.setEncoding('utf8').on('data', chunk => {
            text += chunk
          })
          answer.on('end', () => resolve(text))
        })
          .on('error', reject)
          .end()
      })
    await using program = await startProgram(['--data', folder, '--tls'])
    const ca = readFileSync(join(folder, 'tls-ca.pem'), 'utf8')
    const url = program.url.replace('127.0.0.1', 'localhost')
    assert.match(program.stdout(), /^cenote listening on https:\/\/127\.0\.0\.1:\d+\n$/)
    assert.equal(await get(`${url}/health`, { ca }), '{"status":"ok"}')
    assert.equal(await get(`${program.url}/health`, { ca, servername: 'demo.localhost' }), '{"status":"ok"}')
    await assert.rejects(get(`${url}/health`, {}), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })

    const aws = new CognitoIdentityProvider({
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      requestHandler: { httpsAgent: { ca } },
    })
    const { UserPool } = await aws.createUserPool({ PoolName: 'secure' })
    const discovery = JSON.parse(await get(`${url}/${UserPool?.Id}/.well-known/openid-configuration`, { ca }))
    assert.equal(discovery.issuer, `${url}/${UserPool?.Id}`)
    aws.destroy()
  })

  test('listens beyond loopback with a key, or when it is told that this is wanted', async () => {
    {
      await using program = await startProgram(['--data', ':memory:', '--host', '0.0.0.0', '--insecure'])
      assert.match(program.stdout(), /^cenote listening on http:\/\/0\.0\.0\.0:\d+\n$/)
      assert.deepEqual((await clientOf(program).listUserPools({ MaxResults: 1 })).UserPools, [])
    }
    await using program = await startProgram(['--data', ':memory:', '--host', '0.0.0.0', '--access-key', keyOption])
    assert.deepEqual((await clientOf(program, accessKey).listUserPools({ MaxResults: 1 })).UserPools, [])
    await assert.rejects(clientOf(program).listUserPools({ MaxResults: 1 }), { name: 'UnrecognizedClientException' })
  })

  test('gives each key of its file what its policy allows and nothing else', async () => {
    const secret = (letter: string) => letter.repeat(40)
    const config = newFile(
      'cenote.yaml',
      `
data: ':memory:'
trustedProxies: 127.0.0.1
accessKeys:
  - id: admin
    secret: ${secret('a')}
  - id: reader
    secret: ${secret('r')}
    policy:
      Version: '2012-10-17'
      Statement:
        - Effect: Allow
          Action: ['cognito-idp:Describe*', 'cognito-idp:List*', 'cognito-idp:AdminGetUser']
          Resource: '*'
        - Effect: Deny
          Action: cognito-idp:ListUsers
          Resource: '*'
  - id: tagged
    secret: ${secret('t')}
    policy:
      Version: '2012-10-17'
      Statement:
        Effect: Allow
        Action: 'cognito-idp:*'
        Resource: 'arn:aws:cognito-idp:*:*:userpool/*'
        Condition: { StringEquals: { 'aws:ResourceTag/team': blue } }
  - id: elsewhere
    secret: ${secret('e')}
    policy:
      Version: '2012-10-17'
      Statement:
        Effect: Allow
        Action: '*'
        Resource: '*'
        Condition: { IpAddress: { 'aws:SourceIp': 192.0.2.0/24 } }
`,
    )
    await using program = await startProgram(['--config', config, '--access-key', keyOption])
    const as = (id: string) => clientOf(program, { id, secret: secret(id[0] ?? '') })
    const { UserPool: blue } = await as('admin').createUserPool({ PoolName: 'blue', UserPoolTags: { team: 'blue' } })
    const { UserPool: red } = await clientOf(program, accessKey).createUserPool({ PoolName: 'red' })
    const denied = { name: 'AccessDeniedException' }
    const inBlue = { UserPoolId: blue?.Id ?? '' }
    const inRed = { UserPoolId: red?.Id ?? '' }

    assert.equal((await as('reader').describeUserPool(inRed)).UserPool?.Name, 'red')
    assert.deepEqual((await as('reader').listGroups(inRed)).Groups, [])
    await assert.rejects(as('reader').listUsers(inRed), denied)
    await assert.rejects(as('reader').createGroup({ ...inRed, GroupName: 'a' }), denied)
    await assert.rejects(as('reader').deleteUserPool(inRed), denied)

    await as('tagged').createGroup({ ...inBlue, GroupName: 'a' })
    await assert.rejects(as('tagged').createGroup({ ...inRed, GroupName: 'a' }), denied)
    await assert.rejects(as('tagged').createUserPool({ PoolName: 'new' }), denied)

    await assert.rejects(as('elsewhere').listUserPools({ MaxResults: 1 }), denied)
    const behindProxy = as('elsewhere')
    behindProxy.middlewareStack.add(
      next => args => {
        const { headers } = args.request as { headers: Record<string, string> }
        headers['x-forwarded-for'] = '192.0.2.5'
        return next(args)
      },
      { step: 'build' },
    )
    assert.equal((await behindProxy.listUserPools({ MaxResults: 1 })).UserPools?.length, 1)
    await assert.rejects(clientOf(program, { id: 'admin', secret: secret('x') }).listUserPools({ MaxResults: 1 }), {
      name: 'InvalidSignatureException',
    })
    await assert.rejects(clientOf(program, { id: 'nobody', secret: secret('a') }).listUserPools({ MaxResults: 1 }), {
      name: 'UnrecognizedClientException',
    })
    assert.deepEqual((await clientOf(program, accessKey).listGroups(inRed)).Groups, [])
  })
})

describe('a signal', () => {
  test('that comes a second time ends it at once', async () => {
    await using program = await startProgram(['--data', ':memory:'])
    const under = exchange(program.url, [rawRequest('CreateUserPool', '{', ['Content-Length: 100'])])
    await new Promise(resolve => setTimeout(resolve, 200))
    program.signal('SIGTERM')
    await new Promise(resolve => setTimeout(resolve, 200))
    const began = performance.now()
    program.signal('SIGINT')
    assert.equal((await program.ended).signal, 'SIGINT')
    assert.ok(performance.now() - began < 1_000)
    await under
  })

  test('lets the requests under way finish, and what they were told is true', async () => {
    const data = join(newFolder(), 'data')
    const body = '{"PoolName":"late"}'
    const request = rawRequest('CreateUserPool', body)
    {
      await using program = await startProgram(['--data', data])
      const idle = connect(Number(new URL(program.url).port), '127.0.0.1')
      const under = exchange(program.url, [request.slice(0, -5), 700, request.slice(-5)], {
        answers: 1,
        quietMs: 5_000,
      })
      await new Promise(resolve => setTimeout(resolve, 200))
      program.signal('SIGTERM')
      await new Promise(resolve => setTimeout(resolve, 200))
      await assert.rejects(fetch(`${program.url}/ready`), 'a draining server takes no new connection')
      assert.deepEqual((await under).statuses, [200])
      const { code, signal } = await program.ended
      assert.deepEqual([code, signal], [0, null])
      idle.destroy()
    }
    await using again = await startProgram(['--data', data])
    const { UserPools } = await clientOf(again).listUserPools({ MaxResults: 10 })
    assert.deepEqual(
      UserPools?.map(({ Name }) => Name),
      ['late'],
    )
  })

  test('costs clients with kept-alive connections nothing that they were promised', async () => {
    const data = join(newFolder(), 'data')
    const created: string[] = []
    const failures: string[] = []
    let poolId: string
    {
      await using program = await startProgram(['--data', data])
      poolId = (await clientOf(program).createUserPool({ PoolName: 'pool' })).UserPool?.Id ?? ''
      const wire = createWire(program.url)
      let stopped = false
      const work = Array.from({ length: 8 }, async (_, worker) => {
        for (let index = 0; ; index++) {
          const GroupName = `g${worker}-${index}`
          try {
            const { status } = await wire.call('CreateGroup', { UserPoolId: poolId, GroupName })
            if (status !== 200) failures.push(`${GroupName}: ${status}`)
            else created.push(GroupName)
          } catch (error) {
            // A connection that was closed without an answer is what remains of a server that has gone.
            if (!stopped) failures.push(`${GroupName}: ${error}`)
            return
          }
        }
      })
      await new Promise(resolve => setTimeout(resolve, 500))
      stopped = true
      const began = performance.now()
      const { code } = await stop(program)
      assert.equal(code, 0)
      assert.ok(performance.now() - began < 5_000)
      await Promise.all(work)
      wire.close()
    }
    assert.deepEqual(failures, [])
    assert.ok(created.length > 50, String(created.length))
    await using again = await startProgram(['--data', data])
    const found = new Set<string>()
    let NextToken: string | undefined
    do {
      const page = await clientOf(again).listGroups({ UserPoolId: poolId, Limit: 60, ...(NextToken && { NextToken }) })
      for (const { GroupName = '' } of page.Groups ?? []) found.add(GroupName)
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    assert.deepEqual(
      created.filter(name => !found.has(name)),
      [],
    )
  })

  test('may be that of the keyboard', async () => {
    await using program = await startProgram(['--data', ':memory:'])
    program.signal('SIGINT')
    const { code, stderr } = await program.ended
    assert.equal(code, 0)
    assert.match(stderr, /"signal":"SIGINT"/)
  })

  test('is not held up for ever by a request that never ends', async () => {
    const { code, ms } = await slow.hung
    assert.equal(code, 0)
    assert.ok(ms < 15_000, String(ms))
  })
})

describe('a connection', () => {
  test('that sends its request too slowly is closed', async () => {
    const { afterMs, text } = await slow.headers
    assert.match(text, /^HTTP\/1\.1 408 /)
    assert.ok(afterMs > 9_000 && afterMs < 20_000, String(afterMs))
    assert.equal((await fetch(`${slow.program.url}/health`)).status, 200)
  })
})

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
