/**
 * A sign-in at each challenge that can be pending, with the answer that is right for it, for tests of what may happen
 * between two steps. A new challenge needs a row here.
 */
import type {
  ChallengeNameType,
  CreateUserPoolClientCommandInput,
  RespondToAuthChallengeCommandOutput,
} from '@aws-sdk/client-cognito-identity-provider'
import { seconds, type TestApp } from './app.ts'
import { always, beginDeviceProof, beginFromDevice, registerDevice } from './devices.ts'
import { createMfaPool, mailFactor, registerAuthenticator, respond, smsFactor, tokenFactor } from './mfa.ts'
import { beginPasskey, createPasskeyPool, registerPasskey } from './passkeys.ts'
import { createPool, email, phone, type TestPool, verified } from './pools.ts'
import { beginSrp, beginWithPassword, createUser, password, signIn } from './sign-in.ts'
import { createSrpClient, srpTimestamp } from './srp-client.ts'
import { beginChoice, choiceFlows, createChoicePool, number } from './user-auth.ts'

export interface Pending {
  pool: TestPool
  name: string
  challenge: ChallengeNameType
  session: string
  /** The responses that are right, without the user's name. */
  right: Record<string, string>
}

type Client = Partial<CreateUserPoolClientCommandInput>

interface Row {
  challenge: ChallengeNameType
  lead: (app: TestApp, client: Client) => Promise<Omit<Pending, 'name' | 'challenge'>>
}

const name = 'ann'
const attributes = [email('ann@example.com'), verified('email'), phone(number), verified('phone_number')]

/** A pool with every first factor and every way to begin. */
const choicePool = async (app: TestApp, client: Client): Promise<TestPool> => {
  const pool = await createChoicePool(app, { client })
  await createUser(app, pool.poolId, name, attributes)
  return pool
}

const byPreference = (challenge: 'EMAIL_OTP' | 'SMS_OTP'): Row => ({
  challenge,
  lead: async (app, client) => {
    const pool = await choicePool(app, client)
    const { Session = '' } = await beginChoice(app, pool, name, { PREFERRED_CHALLENGE: challenge })
    return { pool, session: Session, right: { [`${challenge}_CODE`]: await app.lastCode() } }
  },
})

const optional = { MfaConfiguration: 'OPTIONAL', ...smsFactor, ...tokenFactor, ...mailFactor } as const

/** A sign-in by password of a user who has these second factors. */
const secondFactor = async (app: TestApp, client: Client, factors: ('SMS' | 'Email')[]) => {
  const pool = await createMfaPool(app, optional, { client: { ...choiceFlows, ...client } })
  await createUser(app, pool.poolId, name, attributes)
  await app.aws.adminSetUserMFAPreference({
    UserPoolId: pool.poolId,
    Username: name,
    ...(factors.includes('SMS') && { SMSMfaSettings: { Enabled: true } }),
    ...(factors.includes('Email') && { EmailMfaSettings: { Enabled: true } }),
  })
  const { Session = '' } = await beginWithPassword(app, pool.clientId, name)
  return { pool, session: Session }
}

const rows: Record<string, Row> = {
  'the choice of a first factor': {
    challenge: 'SELECT_CHALLENGE',
    lead: async (app, client) => {
      const pool = await choicePool(app, client)
      const { Session = '' } = await beginChoice(app, pool, name)
      return { pool, session: Session, right: { ANSWER: 'EMAIL_OTP' } }
    },
  },
  'the choice of a password': {
    challenge: 'SELECT_CHALLENGE',
    lead: async (app, client) => {
      const pool = await choicePool(app, client)
      const { Session = '' } = await beginChoice(app, pool, name)
      return { pool, session: Session, right: { ANSWER: 'PASSWORD', PASSWORD: password } }
    },
  },
  'a mailed code as first factor': byPreference('EMAIL_OTP'),
  'a code by text message as first factor': byPreference('SMS_OTP'),
  'a passkey': {
    challenge: 'WEB_AUTHN',
    lead: async (app, client) => {
      const pool = await createPasskeyPool(app, { client: { ...choiceFlows, ...client } })
      await createUser(app, pool.poolId, name, attributes)
      const passkey = await registerPasskey(app, (await signIn(app, pool.clientId, name)).access)
      const { session = '', options } = await beginPasskey(app, pool, name)
      return { pool, session, right: { CREDENTIAL: passkey.assert(options) } }
    },
  },
  'the proof of SRP after a choice': {
    challenge: 'PASSWORD_VERIFIER',
    lead: async (app, client) => {
      const pool = await choicePool(app, client)
      const srp = createSrpClient(pool.poolId)
      const choice = await beginChoice(app, pool, name)
      const { Session = '', ChallengeParameters = {} } = await respond(app, pool.clientId, name, choice, {
        ANSWER: 'PASSWORD_SRP',
        SRP_A: srp.srpA,
      })
      return { pool, session: Session, right: srp.answer(ChallengeParameters, password, srpTimestamp(app.now())) }
    },
  },
  'the proof of SRP': {
    challenge: 'PASSWORD_VERIFIER',
    lead: async (app, client) => {
      const pool = await choicePool(app, client)
      const { session = '', responses } = await beginSrp(app, pool, name)
      return { pool, session, right: responses() }
    },
  },
  'a new password': {
    challenge: 'NEW_PASSWORD_REQUIRED',
    lead: async (app, client) => {
      const pool = await createPool(app, {}, { ...choiceFlows, ...client })
      await app.aws.adminCreateUser({
        UserPoolId: pool.poolId,
        Username: name,
        TemporaryPassword: password,
        MessageAction: 'SUPPRESS',
        UserAttributes: attributes,
      })
      const parameters = { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password }
      const { Session = '' } = await beginChoice(app, pool, name, parameters)
      return { pool, session: Session, right: { NEW_PASSWORD: 'N3w-Passw0rd' } }
    },
  },
  'a code by text message as second factor': {
    challenge: 'SMS_MFA',
    lead: async (app, client) => ({
      ...(await secondFactor(app, client, ['SMS'])),
      right: { SMS_MFA_CODE: await app.lastCode() },
    }),
  },
  'a mailed code as second factor': {
    challenge: 'EMAIL_OTP',
    lead: async (app, client) => ({
      ...(await secondFactor(app, client, ['Email'])),
      right: { EMAIL_OTP_CODE: await app.lastCode() },
    }),
  },
  'the choice of a second factor': {
    challenge: 'SELECT_MFA_TYPE',
    lead: async (app, client) => ({
      ...(await secondFactor(app, client, ['SMS', 'Email'])),
      right: { ANSWER: 'SMS_MFA' },
    }),
  },
  'a code of an authenticator application': {
    challenge: 'SOFTWARE_TOKEN_MFA',
    lead: async (app, client) => {
      const pool = await createMfaPool(app, optional, { client: { ...choiceFlows, ...client } })
      await createUser(app, pool.poolId, name, attributes)
      const { access } = await signIn(app, pool.clientId, name)
      const device = await registerAuthenticator(app, access)
      await app.aws.setUserMFAPreference({ AccessToken: access, SoftwareTokenMfaSettings: { Enabled: true } })
      app.advance(seconds(30))
      const { Session = '' } = await beginWithPassword(app, pool.clientId, name)
      return { pool, session: Session, right: { SOFTWARE_TOKEN_MFA_CODE: device.code() } }
    },
  },
  'the set-up of a second factor': {
    challenge: 'MFA_SETUP',
    lead: async (app, client) => {
      const pool = await createMfaPool(
        app,
        { MfaConfiguration: 'ON', ...mailFactor },
        {
          client: { ...choiceFlows, ...client },
          pool: { AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'admin_only', Priority: 1 }] } },
        },
      )
      await createUser(app, pool.poolId, name)
      const { Session = '' } = await beginWithPassword(app, pool.clientId, name)
      return { pool, session: Session, right: { EMAIL: 'ann@example.com' } }
    },
  },
  'a custom challenge': {
    challenge: 'CUSTOM_CHALLENGE',
    lead: async (app, client) => {
      const pool = await createPool(app, { LambdaConfig: riddle(app) }, { ...choiceFlows, ...client })
      await createUser(app, pool.poolId, name, attributes)
      const { Session = '' } = await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'CUSTOM_AUTH',
        AuthParameters: { USERNAME: name },
      })
      return { pool, session: Session, right: { ANSWER: '42' } }
    },
  },
  'the beginning of the proof of a device': {
    challenge: 'DEVICE_SRP_AUTH',
    lead: async (app, client) => {
      const { pool, device, begun } = await fromDevice(app, client)
      const right = { DEVICE_KEY: device.key, SRP_A: createSrpClient(pool.poolId).srpA }
      return { pool, session: begun.Session ?? '', right }
    },
  },
  'the proof of a device': {
    challenge: 'DEVICE_PASSWORD_VERIFIER',
    lead: async (app, client) => {
      const { pool, device, begun } = await fromDevice(app, client)
      const { challenge, responses } = await beginDeviceProof(app, pool, name, device, begun)
      return { pool, session: challenge.Session ?? '', right: responses }
    },
  },
}

const fromDevice = async (app: TestApp, client: Client) => {
  const pool = await createPool(app, { DeviceConfiguration: always }, { ...choiceFlows, ...client })
  await createUser(app, pool.poolId, name, attributes)
  const device = await registerDevice(app, pool, name)
  return { pool, device, begun: await beginFromDevice(app, pool, name, device) }
}

const riddle = (app: TestApp) => ({
  DefineAuthChallenge: app.lambda('define-riddle', event => {
    const isSolved = (event.request['session'] as { challengeResult: boolean }[]).at(-1)?.challengeResult === true
    const next = { challengeName: 'CUSTOM_CHALLENGE', issueTokens: false, failAuthentication: false }
    return { ...event, response: isSolved ? { issueTokens: true, failAuthentication: false } : next }
  }),
  CreateAuthChallenge: app.lambda('create-riddle', event => ({
    ...event,
    response: { publicChallengeParameters: {}, privateChallengeParameters: {} },
  })),
  VerifyAuthChallengeResponse: app.lambda('verify-riddle', event => ({
    ...event,
    response: { answerCorrect: event.request['challengeAnswer'] === '42' },
  })),
})

/** By a title, what leads a new user of a new pool to a pending challenge. */
export const pendingChallenges: Record<
  string,
  { challenge: ChallengeNameType; lead: (app: TestApp, client?: Client) => Promise<Pending> }
> = Object.fromEntries(
  Object.entries(rows).map(([title, { challenge, lead }]) => [
    title,
    { challenge, lead: async (app, client = {}) => ({ ...(await lead(app, client)), name, challenge }) },
  ]),
)

/** Answers the pending challenge, rightly unless told otherwise. */
export const answerPending = (
  app: TestApp,
  { pool, name: username, challenge, session, right }: Pending,
  responses: Record<string, string> = right,
): Promise<RespondToAuthChallengeCommandOutput> =>
  respond(app, pool.clientId, username, { ChallengeName: challenge, Session: session }, responses)
