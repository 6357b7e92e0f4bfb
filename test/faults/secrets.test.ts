/**
 * Secrets stay secret: whatever users and operators entrust to the program is looked for, in every spelling, in all that
 * it writes: both streams at the most talkative level, the files of the embedded database, the rows of PostgreSQL.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import {
  CognitoIdentityProvider as Client,
  type CognitoIdentityProvider,
} from '@aws-sdk/client-cognito-identity-provider'
import { SignatureV4 } from '@smithy/signature-v4'
import { Client as PostgresClient } from 'pg'
import { totpCode, totpStepAt } from '../../src/core/totp.ts'
import { openDatabase } from '../../src/store/database.ts'
import type { TestApp } from '../support/app.ts'
import { type Program, scratchFolder, startProgram } from '../support/program.ts'
import { allFlows, beginSrp, secretHash } from '../support/sign-in.ts'
import { contentOf } from '../support/unharmed.ts'
import { createWire } from '../support/wire.ts'

const accessKey = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'planted-secret-of-the-access-key-0123456789' }

describe('secrets', () => {
  test('are found neither in the log nor in the files of the embedded database', async () => {
    const secrets = new Secrets()
    const folder = scratchFolder()
    const data = join(folder.path, 'data')
    try {
      await using program = await start(secrets, ['--data', data])
      await useEverything(program, secrets)
      secrets.add('master key', readFileSync(join(data, 'master.key'), 'utf8').trim())
      const files = () => readdirSync(data).filter(name => name.startsWith('cenote.db'))
      const look = () => {
        const contents = files().map(name => ({ name, text: readFileSync(join(data, name)).toString('latin1') }))
        // What is no secret is found, so the search is one.
        assert.ok(contents.some(({ text }) => text.includes('cyd@example.com')))
        for (const { name, text } of contents) secrets.assertAbsent(name, text)
      }
      assert.ok(files().includes('cenote.db-wal'))
      look()
      program.signal('SIGTERM')
      const { code, stdout, stderr } = await program.ended
      assert.equal(code, 0)
      look()
      assertSilent(program, secrets, stdout, stderr)
    } finally {
      folder.remove()
    }
  })

  test('are found neither in the log nor in the rows of PostgreSQL', async () => {
    const secrets = new Secrets()
    const url = await createPostgresDatabase()
    const masterKey = secrets.add('master key', randomBytes(32).toString('hex'))
    await using program = await start(secrets, ['--database', url, '--master-key', masterKey])
    await useEverything(program, secrets)
    const database = await openDatabase({ url })
    const content = await contentOf({ database } as TestApp)
    await database.close()
    assert.ok(content.get('user_attributes')?.some(row => row.includes('cyd@example.com')))
    for (const [table, rows] of content) secrets.assertAbsent(table, rows.join('\n'))
    program.signal('SIGTERM')
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0)
    secrets.add('password of the database', new URL(url).password)
    assertSilent(program, secrets, stdout, stderr)
  })

  test('of the mail server are not told when it cannot be reached', async () => {
    const secrets = new Secrets()
    const password = secrets.add('password of the mail server', 'planted-smtp-passw0rd')
    const refusing = createServer(socket => socket.end('535 5.7.8 Authentication credentials invalid\r\n'))
    await new Promise<void>(resolve => refusing.listen(0, '127.0.0.1', resolve))
    const { port } = refusing.address() as { port: number }
    try {
      await using program = await start(secrets, [
        '--data',
        ':memory:',
        '--smtp',
        `smtp://mailer:${password}@127.0.0.1:${port}`,
      ])
      const aws = clientOf(program)
      const { UserPool } = await aws.createUserPool({ PoolName: 'pool', AutoVerifiedAttributes: ['email'] })
      const { UserPoolClient } = await aws.createUserPoolClient({ UserPoolId: UserPool?.Id, ClientName: 'client' })
      await assert.rejects(
        aws.signUp({
          ClientId: UserPoolClient?.ClientId,
          Username: 'ann',
          Password: secrets.add('password', 'Planted-Passw0rd-1'),
          UserAttributes: [{ Name: 'email', Value: 'ann@example.com' }],
        }),
        (error: Error) => error.name === 'CodeDeliveryFailureException' && !error.message.includes(password),
      )
      await addCodes(program, secrets)
      program.signal('SIGTERM')
      const { stdout, stderr } = await program.ended
      assert.match(stderr, /message not delivered/)
      assertSilent(program, secrets, stdout, stderr)
    } finally {
      refusing.close()
    }
  })

  test('of users and of triggers are not told when a function fails', async () => {
    const secrets = new Secrets()
    const folder = scratchFolder()
    // What a failing function says may well be what it was told.
    let calls = 0
    const functions = createHttpServer((incoming, outgoing) => {
      calls++
      incoming.on('error', () => {})
      outgoing.writeHead(incoming.url?.includes('garbage') ? 200 : 500, { 'content-type': 'application/json' })
      outgoing.write('{"errorMessage": ')
      incoming.pipe(outgoing)
    })
    await new Promise<void>(resolve => functions.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(functions.address() as { port: number }).port}`
    const webhook = secrets.add('secret of a webhook', 'planted-webhook-secret')
    const lambda = secrets.add('Lambda secret', 'planted/lambda/secret')
    const session = secrets.add('Lambda session', 'planted-lambda-session-token')
    const config = join(folder.path, 'cenote.yaml')
    writeFileSync(config, `triggers: {migrate: {url: '${base}/garbage', secret: ${webhook}}}\n`)
    try {
      await using program = await start(secrets, [
        ...['--data', ':memory:', '--config', config, '--allow-private-network', '127.0.0.0/8'],
        ...['--lambda-endpoint', base, '--lambda-access-key', `AKIDLAMBDA:${lambda}:${session}`],
      ])
      const aws = clientOf(program)
      const arn = (name: string) => `arn:aws:lambda:us-east-1:123456789012:function:${name}`
      const { UserPool } = await aws.createUserPool({
        PoolName: 'pool',
        LambdaConfig: { PreSignUp: arn('sign-up'), UserMigration: arn('migrate') },
      })
      const { UserPoolClient } = await aws.createUserPoolClient({
        UserPoolId: UserPool?.Id,
        ClientName: 'client',
        ExplicitAuthFlows: allFlows,
      })
      const ClientId = UserPoolClient?.ClientId ?? ''
      const planted = (what: string) => secrets.add(what, `Planted-Passw0rd-Of-${what.replaceAll(' ', '-')}`)
      const silent = (error: Error) => {
        secrets.assertAbsent('an error message', error.message)
        return /Lambda|NotAuthorized|UserNotFound/.test(error.name)
      }
      await assert.rejects(aws.signUp({ ClientId, Username: 'ann', Password: planted('a sign-up') }), silent)
      await assert.rejects(
        aws.initiateAuth({
          ClientId,
          AuthFlow: 'USER_PASSWORD_AUTH',
          AuthParameters: { USERNAME: 'bob', PASSWORD: planted('a migration') },
          ClientMetadata: { hint: planted('some metadata') },
        }),
        silent,
      )
      assert.ok(calls >= 2, String(calls))
      program.signal('SIGTERM')
      const { stdout, stderr } = await program.ended
      assertSilent(program, secrets, stdout, stderr)
    } finally {
      functions.closeAllConnections()
      functions.close()
      folder.remove()
    }
  })
})

/** Values that must not appear, and where each comes from. */
class Secrets {
  readonly #values = new Map<string, string>()

  /** Takes note of a secret and gives it back. */
  add(what: string, value: string): string {
    assert.ok(value.length >= 6, `${what} is too short to be looked for: ${value}`)
    this.#values.set(value, what)
    return value
  }

  get size(): number {
    return this.#values.size
  }

  /** Looks for each secret as it is, in hex, and in both alphabets of base64. */
  assertAbsent(where: string, text: string): void {
    for (const [value, what] of this.#values) {
      for (const spelling of spellings(value)) {
        assert.ok(!occurs(text, spelling), `${what} stands in ${where}: …${excerpt(text, spelling)}…`)
      }
    }
  }
}

const spellings = (value: string): string[] => {
  // Digits alone are not looked for in other spellings, which a few bytes of anything may look like.
  if (/^\d+$/.test(value)) return [value]
  const bytes = Buffer.from(value)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  // The last characters depend on what follows.
  return [
    value,
    bytes.toString('hex'),
    base64.slice(0, -2),
    bytes.toString('base64url').slice(0, -2),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ]
}

/** Digits count only where no others stand around them: times and counters are full of digits. */
const occurs = (text: string, value: string): boolean =>
  /^\d+$/.test(value) ? new RegExp(`(?<!\\d)${value}(?!\\d)`).test(text) : text.includes(value)

const excerpt = (text: string, value: string): string => {
  const at = text.indexOf(value)
  return text.slice(Math.max(at - 60, 0), at + 20)
}

const start = (secrets: Secrets, args: string[]): Promise<Program> => {
  const secret = secrets.add('secret of the access key', accessKey.secretAccessKey)
  return startProgram([
    '--log-level',
    'debug',
    '--access-key',
    `${accessKey.accessKeyId}:${secret}`,
    '--rate-limits',
    'off',
    ...args,
  ])
}

const clientOf = ({ url }: Program): CognitoIdentityProvider =>
  new Client({
    endpoint: url,
    region: 'us-east-1',
    credentials: accessKey,
    maxAttempts: 1,
  })

const assertSilent = (program: Program, secrets: Secrets, stdout: string, stderr: string): void => {
  assert.equal(stdout, `cenote listening on ${program.url}\n`)
  assert.ok(program.log().length > 0)
  assert.deepEqual(
    program.log().filter(({ level }) => level === 'error'),
    [],
  )
  secrets.assertAbsent('the log', stderr)
}

/** The outbox as an administrator reads it. Its codes become secrets to be looked for. */
const addCodes = async (program: Program, secrets: Secrets): Promise<Map<string, string>> => {
  const { host, hostname, protocol } = new URL(program.url)
  const signer = new SignatureV4({
    credentials: accessKey,
    region: 'us-east-1',
    service: 'cognito-idp',
    sha256: Sha256,
  })
  const path = '/_cenote/messages'
  const request = await signer.sign({ method: 'GET', protocol, hostname, path, query: {}, headers: { host }, body: '' })
  const wire = createWire(program.url)
  const { status, text } = await wire.send({ method: 'GET', path, headers: request.headers })
  wire.close()
  assert.equal(status, 200, text)
  const codes = new Map<string, string>()
  for (const { code, source, username } of JSON.parse(text) as { code?: string; source: string; username: string }[]) {
    if (code === undefined) continue
    secrets.add(`code of ${source}`, code)
    // The newest comes first.
    if (!codes.has(`${source} ${username}`)) codes.set(`${source} ${username}`, code)
  }
  return codes
}

/** Signs up, in, over and out in every way there is, with failures in between. */
const useEverything = async (program: Program, secrets: Secrets): Promise<void> => {
  const aws = clientOf(program)
  const wire = createWire(program.url)
  const refused = async (call: Promise<unknown>): Promise<void> => {
    await assert.rejects(call, (error: Error) => {
      secrets.assertAbsent('an error message', error.message)
      return true
    })
  }
  const code = async (name: string): Promise<string> =>
    (await addCodes(program, secrets)).get(name) ?? assert.fail(`No code of ${name}`)
  const remember = <
    T extends { AuthenticationResult?: { AccessToken?: string; IdToken?: string; RefreshToken?: string } },
  >(
    answer: T,
  ) => {
    const tokens = answer.AuthenticationResult
    if (tokens?.AccessToken !== undefined) secrets.add('access token', tokens.AccessToken)
    if (tokens?.IdToken !== undefined) secrets.add('ID token', tokens.IdToken)
    if (tokens?.RefreshToken !== undefined) secrets.add('refresh token', tokens.RefreshToken)
    return { access: tokens?.AccessToken ?? '', refresh: tokens?.RefreshToken ?? '' }
  }
  const password = (index: number) => secrets.add('password', `Planted-Passw0rd-${index}`)

  const { UserPool } = await aws.createUserPool({
    PoolName: 'pool',
    AutoVerifiedAttributes: ['email'],
    MfaConfiguration: 'OFF',
    Policies: { PasswordPolicy: { MinimumLength: 8, RequireNumbers: true, PasswordHistorySize: 5 } },
    UserPoolTier: 'ESSENTIALS',
  })
  const UserPoolId = UserPool?.Id ?? ''
  await aws.setUserPoolMfaConfig({
    UserPoolId,
    MfaConfiguration: 'OPTIONAL',
    SoftwareTokenMfaConfiguration: { Enabled: true },
  })
  const { UserPoolClient } = await aws.createUserPoolClient({
    UserPoolId,
    ClientName: 'client',
    GenerateSecret: true,
    ExplicitAuthFlows: allFlows,
  })
  const ClientId = UserPoolClient?.ClientId ?? ''
  const clientSecret = secrets.add('client secret', UserPoolClient?.ClientSecret ?? '')
  const added = secrets.add('added client secret', 'planted0client0secret0of0the0second')
  await aws.addUserPoolClientSecret({ UserPoolId, ClientId, ClientSecret: added })
  await aws.createIdentityProvider({
    UserPoolId,
    ProviderName: 'Google',
    ProviderType: 'Google',
    ProviderDetails: {
      client_id: 'google-client',
      client_secret: secrets.add('secret of a provider', 'planted-provider-secret'),
      authorize_scopes: 'openid email',
    },
    AttributeMapping: { email: 'email' },
  })
  const hashFor = (name: string) => secrets.add('secret hash', secretHash(name, ClientId, clientSecret))

  // Sign-up and confirmation.
  const email = { Name: 'email', Value: 'ann@example.com' }
  await refused(
    aws.signUp({ ClientId, Username: 'ann', Password: password(1), SecretHash: 'AAAA', UserAttributes: [email] }),
  )
  await refused(
    aws.signUp({
      ClientId,
      Username: 'ann',
      Password: secrets.add('weak password', 'plantedweak'),
      SecretHash: hashFor('ann'),
    }),
  )
  await aws.signUp({
    ClientId,
    Username: 'ann',
    Password: password(1),
    SecretHash: hashFor('ann'),
    UserAttributes: [email],
  })
  await refused(
    aws.confirmSignUp({ ClientId, Username: 'ann', SecretHash: hashFor('ann'), ConfirmationCode: '000000' }),
  )
  await aws.resendConfirmationCode({ ClientId, Username: 'ann', SecretHash: hashFor('ann') })
  await aws.confirmSignUp({
    ClientId,
    Username: 'ann',
    SecretHash: hashFor('ann'),
    ConfirmationCode: await code('ResendCode ann'),
  })

  // Sign-in by password and by SRP, right and wrong.
  const signIn = (PASSWORD: string, AuthParameters: Record<string, string> = {}) =>
    aws.initiateAuth({
      ClientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD, SECRET_HASH: hashFor('ann'), ...AuthParameters },
    })
  await refused(signIn(secrets.add('wrong password', 'Planted-Wr0ng-Passw0rd')))
  const first = remember(await signIn(password(1)))
  const app = { aws, now: () => Date.now() } as TestApp
  const srp = await beginSrp(app, { poolId: UserPoolId, clientId: ClientId }, 'ann', { SECRET_HASH: hashFor('ann') })
  const userId = srp.parameters['USER_ID_FOR_SRP'] ?? ''
  secrets.add('secret block', srp.parameters['SECRET_BLOCK'] ?? '')
  remember(await srp.answer(password(1), { SECRET_HASH: hashFor(userId) }))
  const wrongSrp = await beginSrp(app, { poolId: UserPoolId, clientId: ClientId }, 'ann', {
    SECRET_HASH: hashFor('ann'),
  })
  await refused(wrongSrp.answer(password(7), { SECRET_HASH: hashFor(userId) }))

  // Tokens.
  const refresh = (REFRESH_TOKEN: string) =>
    aws.initiateAuth({
      ClientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN, SECRET_HASH: hashFor(userId) },
    })
  remember(await refresh(first.refresh))
  await aws.revokeToken({ ClientId, ClientSecret: clientSecret, Token: first.refresh })
  await refused(refresh(first.refresh))
  await refused(
    aws.revokeToken({
      ClientId,
      ClientSecret: secrets.add('wrong client secret', 'plantedwrongclientsecret0'),
      Token: first.refresh,
    }),
  )
  await refused(aws.getUser({ AccessToken: first.access }))
  const second = remember(await signIn(password(1)))
  await refused(aws.getUser({ AccessToken: `${second.access.slice(0, -4)}AAAA` }))

  // Passwords.
  await refused(
    aws.changePassword({ AccessToken: second.access, PreviousPassword: password(8), ProposedPassword: password(2) }),
  )
  await aws.changePassword({ AccessToken: second.access, PreviousPassword: password(1), ProposedPassword: password(2) })
  await refused(
    aws.changePassword({ AccessToken: second.access, PreviousPassword: password(2), ProposedPassword: password(1) }),
  )
  await aws.forgotPassword({ ClientId, Username: 'ann', SecretHash: hashFor('ann') })
  const reset = async (ConfirmationCode: string) =>
    aws.confirmForgotPassword({
      ClientId,
      Username: 'ann',
      SecretHash: hashFor('ann'),
      ConfirmationCode,
      Password: password(3),
    })
  await refused(reset('000000'))
  await reset(await code('ForgotPassword ann'))
  await aws.adminSetUserPassword({ UserPoolId, Username: 'ann', Password: password(4), Permanent: true })

  // An invited user chooses a password.
  await aws.adminCreateUser({
    UserPoolId,
    Username: 'bob',
    TemporaryPassword: secrets.add('temporary password', 'Planted-Temp0rary'),
    DesiredDeliveryMediums: ['EMAIL'],
    UserAttributes: [{ Name: 'email', Value: 'bob@example.com' }],
  })
  await aws.adminCreateUser({
    UserPoolId,
    Username: 'cyd',
    DesiredDeliveryMediums: ['EMAIL'],
    UserAttributes: [{ Name: 'email', Value: 'cyd@example.com' }],
  })
  await code('AdminCreateUser cyd')
  const invited = await aws.initiateAuth({
    ClientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: 'bob', PASSWORD: 'Planted-Temp0rary', SECRET_HASH: hashFor('bob') },
  })
  assert.equal(invited.ChallengeName, 'NEW_PASSWORD_REQUIRED')
  secrets.add('session', invited.Session ?? '')
  const choose = (NEW_PASSWORD: string) =>
    aws.respondToAuthChallenge({
      ClientId,
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: invited.Session,
      ChallengeResponses: { USERNAME: 'bob', NEW_PASSWORD, SECRET_HASH: hashFor('bob') },
    })
  await refused(choose(secrets.add('weak password', 'plantedweakest')))
  remember(await choose(password(5)))

  // An authenticator application, and a sign-in that asks for it.
  const third = remember(await signIn(password(4)))
  const { SecretCode = '' } = await aws.associateSoftwareToken({ AccessToken: third.access })
  secrets.add('secret of the authenticator application', SecretCode)
  const bytes = fromBase32(SecretCode)
  secrets.add('bytes of that secret', bytes.toString('hex'))
  const UserCode = secrets.add('code of the application', totpCode(bytes, totpStepAt(Date.now())))
  await refused(
    aws.verifySoftwareToken({ AccessToken: third.access, UserCode: UserCode === '000000' ? '000001' : '000000' }),
  )
  await aws.verifySoftwareToken({ AccessToken: third.access, UserCode })
  await aws.setUserMFAPreference({
    AccessToken: third.access,
    SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
  })
  const asked = await signIn(password(4))
  assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA')
  secrets.add('session', asked.Session ?? '')

  // Attributes, verified anew, and what is entrusted to a trigger.
  await aws.updateUserAttributes({
    AccessToken: third.access,
    UserAttributes: [{ Name: 'email', Value: 'new@example.com' }],
  })
  await refused(aws.verifyUserAttribute({ AccessToken: third.access, AttributeName: 'email', Code: '000000' }))
  await aws.verifyUserAttribute({
    AccessToken: third.access,
    AttributeName: 'email',
    Code: await code('UpdateUserAttribute ann'),
  })

  // Requests that are wrong in form.
  const planted = secrets.add('secret in a wrong request', 'Planted-In-A-Wrong-Request')
  for (const [operation, body] of [
    ['SignUp', { ClientId, Username: 'dan', Password: [planted] }],
    ['SignUp', { ClientId, Username: `${planted} `, Password: ` ${planted} ` }],
    ['SignUp', `{"Password":"${planted}"`],
    ['InitiateAuth', { ClientId, AuthFlow: planted, AuthParameters: { PASSWORD: planted } }],
    ['GetUser', { AccessToken: `${planted} ` }],
    [
      'RespondToAuthChallenge',
      { ClientId, ChallengeName: 'SMS_MFA', Session: planted, ChallengeResponses: { SMS_MFA_CODE: planted } },
    ],
    ['GetTokensFromRefreshToken', { ClientId, RefreshToken: planted, ClientSecret: planted }],
    [planted, {}],
  ] as const) {
    const { status, text } = await wire.call(operation, body)
    assert.equal(status, 400)
    if (operation !== 'InitiateAuth') assert.ok(!text.includes(planted), text)
  }
  const keyAsText = await wire.call(
    'ListUserPools',
    { MaxResults: 1 },
    { authorization: `AWS4-HMAC-SHA256 ${planted}` },
  )
  assert.equal(keyAsText.status, 400)
  assert.ok(!keyAsText.text.includes(planted), keyAsText.text)
  await wire.send({
    method: 'GET',
    path: `/${planted}`,
    headers: { authorization: `Bearer ${planted}`, cookie: `session=${planted}` },
  })
  await wire.send({ method: 'GET', path: `/_cenote/messages?to=${planted}` })

  await aws.globalSignOut({ AccessToken: third.access })
  await refused(aws.getUser({ AccessToken: third.access }))
  wire.close()
  assert.ok(secrets.size > 40, String(secrets.size))
}

const fromBase32 = (text: string): Buffer => {
  const bits = [...text]
    .map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)))
}

/** The URL of an empty database of its own. */
const createPostgresDatabase = async (): Promise<string> => {
  const url = new URL(process.env['CENOTE_TEST_POSTGRES'] ?? assert.fail('Tests run through `npm test`.'))
  const name = `secrets_${randomBytes(6).toString('hex')}`
  const client = new PostgresClient({ connectionString: String(url) })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  url.pathname = `/${name}`
  return String(url)
}
