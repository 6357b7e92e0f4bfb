import assert from 'node:assert/strict'
import { request } from 'node:http'
import { before, describe, test } from 'node:test'
import type { CreateUserPoolCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { type Answer, existenceOperations } from '../../../bench/existence-operations.ts'
import { keepingDelivery, onEachDatabase, type TestApp, type TestAppOptions } from '../../../test/support/app.ts'
import { keyArn } from '../../../test/support/kms.ts'
import { email, phone, type TestPool, verified } from '../../../test/support/pools.ts'
import { password } from '../../../test/support/sign-in.ts'
import { createChoicePool, discreetChoice } from '../../../test/support/user-auth.ts'

/** An answer as it goes over the wire: status, headers in their order and spelling, body. */
interface Wire {
  status: number | undefined
  headers: string[]
  body: string
}

const post = (app: TestApp, operation: string, input: object): Promise<Wire> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      app.url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
        },
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.rawHeaders,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(input))
  })

/** Values that differ from answer to answer, by what may be told of them: sealed ones have one length, numbers do not. */
const masks: Record<string, (text: string) => string> = {
  Session: text => `sealed ${text.length}`,
  SECRET_BLOCK: text => `sealed ${text.length}`,
  SALT: text => `hexadecimal ${/^[0-9a-f]{24,34}$/.test(text)}`,
  SRP_B: text => `hexadecimal ${/^[0-9a-f]{700,770}$/.test(text)}`,
  USERNAME: text => `a UUID: ${/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text)}`,
}
masks['USER_ID_FOR_SRP'] = masks['USERNAME'] as (text: string) => string

const masked = ({ status, headers, body }: Wire) => {
  const shown = headers.map((text, index) => {
    const name = headers[index - 1]?.toLowerCase() ?? ''
    if (index % 2 === 0) return text
    // Numbers without their leading zeros are all that the length of the body depends on.
    return ['date', 'x-amzn-requestid'].includes(name) || (name === 'content-length' && body.includes('SRP_B'))
      ? 'masked'
      : text
  })
  const members = JSON.stringify(
    JSON.parse(body, (key, value) => (typeof value === 'string' ? (masks[key]?.(value) ?? value) : value)),
  )
  return { status, headers: shown, body: members }
}

/** A server and a pool that users could be told apart by. */
interface SetUp {
  title: string
  /** How often each request is made of one name. */
  times: number
  /** The operations that are worth the time there; all of them when absent. */
  only?: RegExp
  options?: TestAppOptions
  pool?: (app: TestApp) => Partial<CreateUserPoolCommandInput>
  prepare?: (app: TestApp, pool: TestPool) => Promise<unknown>
}

const enforced = { UserPoolTier: 'PLUS', UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } } as const
const action = (EventAction: 'BLOCK' | 'NO_ACTION') => ({ EventAction, Notify: true })

const sending = /^InitiateAuth USER_AUTH, EMAIL_OTP|SMS_OTP$|^ForgotPassword|^Resend/

const setUps: SetUp[] = [
  // As often as it takes for limits of tries to tell something.
  { title: 'in a plain pool', times: 7 },
  {
    title: 'while threat protection may block',
    times: 6,
    only: /PASSWORD_AUTH$|^InitiateAuth USER_AUTH, EMAIL_OTP|^RespondToAuthChallenge EMAIL_OTP$|^(Confirm)?ForgotPassword$|^Resend/,
    pool: () => enforced,
    prepare: (app, { poolId }) =>
      app.aws.setRiskConfiguration({
        UserPoolId: poolId,
        CompromisedCredentialsRiskConfiguration: { Actions: { EventAction: 'BLOCK' } },
        AccountTakeoverRiskConfiguration: {
          Actions: { LowAction: action('NO_ACTION'), MediumAction: action('BLOCK'), HighAction: action('BLOCK') },
          NotifyConfiguration: { SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/a@example.com' },
        },
      }),
  },
  {
    title: 'where messages are sent, and few of them',
    times: 3,
    only: sending,
    options: { delivery: keepingDelivery(), settings: { messageLimits: { UserMessages: 2 } } },
  },
  {
    title: 'where functions send the messages',
    times: 2,
    only: sending,
    pool: app => {
      const sender = { LambdaVersion: 'V1_0', LambdaArn: app.lambda('sender', () => undefined) } as const
      return { LambdaConfig: { KMSKeyID: keyArn, CustomEmailSender: sender, CustomSMSSender: sender } }
    },
  },
  {
    title: 'where functions word the messages, refuse to, and look at each sign-in',
    times: 2,
    only: /^InitiateAuth|SELECT_CHALLENGE|^ForgotPassword|^Resend/,
    pool: app => ({
      LambdaConfig: {
        CustomMessage: app.lambda('words', () => {
          throw new Error('There are no words.')
        }),
        PreAuthentication: app.lambda('before', event => event),
        PostConfirmation: app.lambda('after', event => event),
      },
    }),
  },
]

onEachDatabase(testApp => {
  for (const setUp of setUps) {
    describe(setUp.title, () => {
      let app: TestApp
      let pool: TestPool
      before(async () => {
        app = await testApp(setUp.options)
        pool = await createChoicePool(app, {
          client: discreetChoice,
          pool: {
            UsernameAttributes: ['email'],
            AutoVerifiedAttributes: ['email', 'phone_number'],
            ...setUp.pool?.(app),
          },
        })
        await setUp.prepare?.(app, pool)
      })

      // The mask of a destination shows first letters and last digits.
      let names = 0
      const address = (first: string): string => {
        names += 1
        return `${first}${String(names).padStart(4, '0')}@example.com`
      }

      const create = async (name: string, status: 'CONFIRMED' | 'UNCONFIRMED') => {
        if (status === 'UNCONFIRMED') {
          // The code of the sign-up is sent where anybody may know.
          await app.aws.signUp({ ClientId: pool.clientId, Username: name, Password: password }).catch(() => undefined)
          return
        }
        await app.aws.adminCreateUser({
          UserPoolId: pool.poolId,
          Username: name,
          MessageAction: 'SUPPRESS',
          UserAttributes: [email(name), verified('email'), phone('+12065551234')],
        })
        const UserPoolId = pool.poolId
        await app.aws.adminSetUserPassword({ UserPoolId, Username: name, Password: password, Permanent: true })
      }

      for (const { title, status, prepare, request: make } of existenceOperations) {
        if (setUp.only?.test(title) === false) continue
        test(`${title} answers with the same bytes, after as many statements, for a user and for a name that nobody has`, async () => {
          const [user, nobody] = [address('a'), address('a')]
          await create(user, status)
          const ask = async (operation: string, input: object) =>
            JSON.parse((await post(app, operation, input)).body) as Answer
          const answersOf = async (name: string): Promise<(Wire & { statements: number })[]> => {
            const answers: (Wire & { statements: number })[] = []
            for (let count = 1; count <= setUp.times; count++) {
              const before = (await prepare?.(ask, pool.clientId, name)) ?? {}
              const statements = app.statements()
              const wire = await post(app, ...make(pool.clientId, name, before))
              answers.push({ ...wire, statements: app.statements() - statements })
            }
            return answers
          }
          // Pool and client are in the cache from here on.
          await answersOf(address('b'))
          const [ofUser, ofNobody] = [await answersOf(user), await answersOf(nobody)]
          assert.deepEqual(ofNobody.map(masked).map(unnumbered), ofUser.map(masked).map(unnumbered))
          assert.deepEqual(
            ofNobody.map(({ statements }) => statements),
            ofUser.map(({ statements }) => statements),
          )
          assert.ok(ofUser.every(({ status: code }) => code === 200 || code === 400))
        })
      }
    })
  }
})

/** The number that nobody has is made up. */
const unnumbered = (wire: ReturnType<typeof masked>) => ({
  ...wire,
  body: wire.body.replace(/\+\*{7}\d{4}/, '+*******0000'),
})
