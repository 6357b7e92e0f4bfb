/**
 * The logs of pools and the files of threat protection, with the real program: what was acknowledged before a kill -9 arrives
 * after it, and files that cannot be used end the start.
 */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider'
import { makeGeoDatabase } from '../support/geo-database.ts'
import { runProgram, scratchFolder, startProgram } from '../support/program.ts'
import { allFlows, contextData, home, Password } from '../support/threat-protection.ts'

const folder = scratchFolder()
after(() => folder.remove())

const group = 'arn:aws:logs:us-east-1:123456789012:log-group:users'
const leaked = 'Xylophone-77-quartz'

const clientOf = (endpoint: string) =>
  new CognitoIdentityProvider({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })

/** A pool whose history is delivered, and `ann` in it. */
const createLoggedPool = async (aws: CognitoIdentityProvider) => {
  const { UserPool } = await aws.createUserPool({
    PoolName: 'pool',
    UserPoolTier: 'PLUS',
    UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
  })
  const UserPoolId = UserPool?.Id ?? ''
  const { UserPoolClient } = await aws.createUserPoolClient({ UserPoolId, ClientName: 'client', ...allFlows })
  const ClientId = UserPoolClient?.ClientId ?? ''
  await aws.setLogDeliveryConfiguration({
    UserPoolId,
    LogConfigurations: [
      { EventSource: 'userAuthEvents', LogLevel: 'INFO', CloudWatchLogsConfiguration: { LogGroupArn: group } },
    ],
  })
  await aws.adminCreateUser({ UserPoolId, Username: 'ann', MessageAction: 'SUPPRESS' })
  await aws.adminSetUserPassword({ UserPoolId, Username: 'ann', Password, Permanent: true })
  const signIn = () =>
    aws.adminInitiateAuth({
      UserPoolId,
      ClientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: Password },
      ContextData: contextData(home),
    })
  return { UserPoolId, ClientId, signIn }
}

describe('the program', () => {
  test('delivers after a kill -9 what it had acknowledged before', { timeout: 120_000 }, async () => {
    const received: { eventId: string }[] = []
    let isUp = false
    const server = createServer(async (incoming, outgoing) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      if (isUp) {
        const records = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { message: { eventId: string } }[]
        received.push(...records.map(({ message }) => message))
      }
      outgoing.writeHead(isUp ? 200 : 503).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const config = join(folder.path, 'webhook.yaml')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    writeFileSync(config, JSON.stringify({ logDelivery: { webhook: { url, secret: '0123456789abcdef' } } }))
    const args = ['--data', join(folder.path, 'data'), '--config', config, '--test-mode']
    try {
      const program = await startProgram(args)
      const aws = clientOf(program.url)
      const { signIn } = await createLoggedPool(aws)
      const ids: string[] = []
      for (let count = 0; count < 10; count += 1) {
        const { AuthenticationResult } = await signIn()
        const claims = AuthenticationResult?.AccessToken?.split('.')[1] ?? ''
        ids.push(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')).event_id)
      }
      program.signal('SIGKILL')
      await program.ended
      aws.destroy()

      isUp = true
      await using again = await startProgram(args)
      // What the first program had taken up when it was killed is given back after two minutes.
      await fetch(`${again.url}/_cenote/clock`, { method: 'POST', body: JSON.stringify({ advance: 'PT3M' }) })
      while (received.length < ids.length) await sleep(100)
      assert.deepEqual(received.map(({ eventId }) => eventId).toSorted(), ids.toSorted())
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })

  test('knows places and leaked passwords from the files of its options', { timeout: 60_000 }, async () => {
    const places = join(folder.path, 'places.mmdb')
    writeFileSync(
      places,
      makeGeoDatabase([['198.51.100.0/24', { city: { names: { en: 'Lyon' } }, country: { names: { en: 'France' } } }]]),
    )
    const passwords = join(folder.path, 'leaked.txt')
    const digests = [leaked, 'another', 'third'].map(text => hash('sha1', text, 'hex').toUpperCase())
    writeFileSync(
      passwords,
      digests
        .toSorted()
        .map(digest => `${digest}:3\r\n`)
        .join(''),
    )
    const events = join(folder.path, 'events.jsonl')
    const config = join(folder.path, 'files.yaml')
    writeFileSync(config, JSON.stringify({ logDelivery: { file: './events.jsonl' } }))
    await using program = await startProgram([
      ...['--data', ':memory:', '--config', config],
      ...['--geo-database', places, '--compromised-passwords-file', passwords],
    ])
    const aws = clientOf(program.url)
    const { UserPoolId, ClientId, signIn } = await createLoggedPool(aws)
    await signIn()
    const { AuthEvents = [] } = await aws.adminListUserAuthEvents({ UserPoolId, Username: 'ann' })
    assert.equal(AuthEvents[0]?.EventContextData?.City, 'Lyon')
    await assert.rejects(aws.signUp({ ClientId, Username: 'bob', Password: leaked }), {
      message: 'Provided password cannot be used for security reasons.',
    })
    const read = () => {
      try {
        return readFileSync(events, 'utf8')
      } catch {
        return ''
      }
    }
    while (read() === '') await sleep(100)
    assert.equal(JSON.parse(read().split('\n')[0] ?? '').message.country, 'France')
    aws.destroy()
  })

  test('does not start with a file that it cannot use', async () => {
    const other = join(folder.path, 'other.txt')
    writeFileSync(other, 'nothing')
    for (const [option, reason] of [
      ['--geo-database', /^cenote: cannot read the geo database .*other\.txt: /],
      [
        '--compromised-passwords-file',
        /^cenote: cannot read the compromised passwords .*it does not begin with a SHA-1/,
      ],
    ] as const) {
      const { code, stdout, stderr } = await runProgram(['start', '--port', '0', '--data', ':memory:', option, other])
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, reason)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    }
  })
})
