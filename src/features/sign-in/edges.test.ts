import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { answerPending, type Pending, pendingChallenges } from '../../../test/support/pending.ts'
import { failureOf, notAuthorized, password } from '../../../test/support/sign-in.ts'
import { createSrpClient, srpTimestamp } from '../../../test/support/srp-client.ts'
import { challenges } from './challenges/index.ts'
import { edges, pendingChallengeNames } from './edges.ts'

const names = Object.values(ChallengeNameType)

/** What may answer a challenge, said once more: the program's own table must not widen what is tried here. */
const mayAnswer = (pending: string, answered: string): boolean =>
  answered === pending || (pending === 'SELECT_CHALLENGE' && ['PASSWORD', 'PASSWORD_SRP'].includes(answered))

const refusals = [
  notAuthorized('Invalid session for the user.'),
  // An exchange that is not the one of this sign-in.
  notAuthorized('Incorrect username or password.'),
]

/** All that any challenge could want, right wherever that can be. */
const everything = (app: TestApp, { pool, right }: Pending, answered: string): Record<string, string> => {
  const code = Object.entries(right).find(([name]) => name.endsWith('_CODE'))?.[1] ?? '000000'
  return {
    PASSWORD: password,
    NEW_PASSWORD: 'N3w-Passw0rd',
    SRP_A: createSrpClient(pool.poolId).srpA,
    SMS_MFA_CODE: code,
    SMS_OTP_CODE: code,
    EMAIL_OTP_CODE: code,
    EMAIL_MFA_CODE: code,
    SOFTWARE_TOKEN_MFA_CODE: code,
    EMAIL: 'eve@example.com',
    CREDENTIAL: '{}',
    DEVICE_KEY: 'us-east-1_11111111-2222-3333-4444-555555555555',
    PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString('base64'),
    PASSWORD_CLAIM_SECRET_BLOCK: Buffer.alloc(64).toString('base64'),
    TIMESTAMP: srpTimestamp(app.now()),
    ...right,
    ANSWER: answered === 'SELECT_CHALLENGE' ? 'PASSWORD' : 'SMS_MFA',
  }
}

test('every challenge that can be pending is led to', () => {
  const led = new Set(Object.values(pendingChallenges).map(({ challenge }) => challenge))
  const pending = pendingChallengeNames.filter(name => challenges[name] !== undefined)
  assert.deepEqual([...led].sort(), [...pending].sort())
})

test('the documentation shows the table of steps as it is', () => {
  const documented = readFileSync(new URL('../../../docs/sign-in.md', import.meta.url), 'utf8')
  const rows = Object.entries(edges).map(([from, steps]) => `| ${from} | ${[...new Set(steps)].join(', ')} |`)
  const shown = documented.split('\n').filter(line => /^\| (begin|[A-Z_]+) \| [A-Za-z_, ]+ \|$/.test(line))
  assert.deepEqual(
    shown.filter(line => !line.startsWith('| PASSWORD | users') && !line.startsWith('| PASSWORD_SRP | users')),
    rows,
  )
})

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  for (const [title, { challenge, lead }] of Object.entries(pendingChallenges)) {
    test(`${title} is answered by nothing else`, async () => {
      const pending = await lead(app)
      const { pool, session, name } = pending
      const sent = (await app.messages()).length
      const passed = app.events.length
      for (const ChallengeName of names.filter(answered => !mayAnswer(challenge, answered))) {
        const request = {
          ClientId: pool.clientId,
          ChallengeName,
          Session: session,
          ChallengeResponses: { USERNAME: name, ...everything(app, pending, ChallengeName) },
        }
        for (const refusal of [
          await failureOf(app.aws.respondToAuthChallenge(request)),
          await failureOf(app.aws.adminRespondToAuthChallenge({ ...request, UserPoolId: pool.poolId })),
        ]) {
          assert.ok(
            refusals.some(({ name, message }) => name === refusal?.name && message === refusal.message),
            `${ChallengeName}: ${JSON.stringify(refusal)}`,
          )
        }
      }
      assert.equal((await app.messages()).length, sent)
      assert.equal(app.events.length, passed)
      // Nothing of it has used up or changed what is pending.
      const done = await answerPending(app, pending)
      assert.ok(done.AuthenticationResult !== undefined || done.Session !== undefined)
    })
  }
})
