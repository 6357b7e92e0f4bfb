/**
 * The public operations that name a user, each as a pair of requests: for a user and for a name that nobody has. A client
 * with PreventUserExistenceErrors must answer both alike and in the same time. The test of the bytes and the benchmark of
 * the times go through this one table.
 */
import { randomBytes } from 'node:crypto'
import { N } from '../src/core/srp.ts'

/** Sends one request of the AWS JSON API and returns the parsed answer, whatever its status. */
export type Ask = (operation: string, input: object) => Promise<Answer>

export interface Answer {
  Session?: string
  ChallengeParameters?: Record<string, string>
}

export interface ExistenceOperation {
  title: string
  /** The status of the user that the name is compared with. */
  status: 'CONFIRMED' | 'UNCONFIRMED'
  /** Of a user, each of these adds one failed sign-in. */
  failsSignIn?: true
  /** What comes before the request, for the name; its answer is handed to `request`. */
  prepare?: (ask: Ask, clientId: string, name: string) => Promise<Answer>
  request: (clientId: string, name: string, before: Answer) => [operation: string, input: object]
}

/** A value that a client could have computed; whose it is, nobody asks before the proof. */
const srpA = (): string => (BigInt(`0x${randomBytes(384).toString('hex')}`) % N).toString(16)

const begin = (
  AuthFlow: string,
  ClientId: string,
  USERNAME: string,
  more: Record<string, string> = {},
): [string, object] => ['InitiateAuth', { AuthFlow, ClientId, AuthParameters: { USERNAME, ...more } }]

const respond = (
  ChallengeName: string,
  ClientId: string,
  USERNAME: string,
  { Session }: Answer,
  more: Record<string, string>,
): [string, object] => [
  'RespondToAuthChallenge',
  { ChallengeName, ClientId, Session, ChallengeResponses: { USERNAME, ...more } },
]

const choice: ExistenceOperation['prepare'] = (ask, clientId, name) => ask(...begin('USER_AUTH', clientId, name))
const preferred = (factor: string, more: Record<string, string> = {}) => ({
  PREFERRED_CHALLENGE: factor,
  ...more,
})

/** `EEE MMM d HH:mm:ss z yyyy` in English. */
const timestamp = (): string => {
  const [weekday, day, month, year, time] = new Date().toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${Number(day)} ${time} UTC ${year}`
}

export const existenceOperations: ExistenceOperation[] = [
  {
    title: 'InitiateAuth USER_PASSWORD_AUTH',
    status: 'CONFIRMED',
    failsSignIn: true,
    request: (client, name) => begin('USER_PASSWORD_AUTH', client, name, { PASSWORD: 'Wr0ng-password' }),
  },
  {
    title: 'InitiateAuth USER_SRP_AUTH',
    status: 'CONFIRMED',
    request: (client, name) => begin('USER_SRP_AUTH', client, name, { SRP_A: srpA() }),
  },
  {
    title: 'RespondToAuthChallenge PASSWORD_VERIFIER',
    status: 'CONFIRMED',
    failsSignIn: true,
    prepare: (ask, client, name) => ask(...begin('USER_SRP_AUTH', client, name, { SRP_A: srpA() })),
    request: (client, _name, { ChallengeParameters = {} }) => [
      'RespondToAuthChallenge',
      {
        ChallengeName: 'PASSWORD_VERIFIER',
        ClientId: client,
        ChallengeResponses: {
          USERNAME: ChallengeParameters['USER_ID_FOR_SRP'],
          PASSWORD_CLAIM_SECRET_BLOCK: ChallengeParameters['SECRET_BLOCK'],
          PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString('base64'),
          TIMESTAMP: timestamp(),
        },
      },
    ],
  },
  {
    title: 'InitiateAuth USER_AUTH',
    status: 'CONFIRMED',
    request: (client, name) => begin('USER_AUTH', client, name),
  },
  {
    title: 'InitiateAuth USER_AUTH, PASSWORD',
    status: 'CONFIRMED',
    failsSignIn: true,
    request: (client, name) => begin('USER_AUTH', client, name, preferred('PASSWORD', { PASSWORD: 'Wr0ng-password' })),
  },
  {
    title: 'InitiateAuth USER_AUTH, PASSWORD_SRP',
    status: 'CONFIRMED',
    request: (client, name) => begin('USER_AUTH', client, name, preferred('PASSWORD_SRP', { SRP_A: srpA() })),
  },
  {
    title: 'InitiateAuth USER_AUTH, EMAIL_OTP',
    status: 'CONFIRMED',
    request: (client, name) => begin('USER_AUTH', client, name, preferred('EMAIL_OTP')),
  },
  {
    title: 'RespondToAuthChallenge SELECT_CHALLENGE, EMAIL_OTP',
    status: 'CONFIRMED',
    prepare: choice,
    request: (client, name, before) => respond('SELECT_CHALLENGE', client, name, before, { ANSWER: 'EMAIL_OTP' }),
  },
  {
    title: 'RespondToAuthChallenge SELECT_CHALLENGE, SMS_OTP',
    status: 'CONFIRMED',
    prepare: choice,
    request: (client, name, before) => respond('SELECT_CHALLENGE', client, name, before, { ANSWER: 'SMS_OTP' }),
  },
  {
    title: 'RespondToAuthChallenge SELECT_CHALLENGE, PASSWORD',
    status: 'CONFIRMED',
    failsSignIn: true,
    prepare: choice,
    request: (client, name, before) =>
      respond('SELECT_CHALLENGE', client, name, before, { ANSWER: 'PASSWORD', PASSWORD: 'Wr0ng-password' }),
  },
  {
    title: 'RespondToAuthChallenge SELECT_CHALLENGE, PASSWORD_SRP',
    status: 'CONFIRMED',
    prepare: choice,
    request: (client, name, before) =>
      respond('SELECT_CHALLENGE', client, name, before, { ANSWER: 'PASSWORD_SRP', SRP_A: srpA() }),
  },
  {
    title: 'RespondToAuthChallenge EMAIL_OTP',
    status: 'CONFIRMED',
    prepare: (ask, client, name) => ask(...begin('USER_AUTH', client, name, preferred('EMAIL_OTP'))),
    request: (client, name, before) => respond('EMAIL_OTP', client, name, before, { EMAIL_OTP_CODE: 'none' }),
  },
  {
    title: 'RespondToAuthChallenge EMAIL_OTP with the Session of a choice',
    status: 'CONFIRMED',
    prepare: choice,
    request: (client, name, before) => respond('EMAIL_OTP', client, name, before, { EMAIL_OTP_CODE: 'none' }),
  },
  {
    title: 'RespondToAuthChallenge with the name of another',
    status: 'CONFIRMED',
    prepare: choice,
    request: (client, name, before) => respond('SELECT_CHALLENGE', client, `x${name}`, before, { ANSWER: 'EMAIL_OTP' }),
  },
  {
    title: 'ForgotPassword',
    status: 'CONFIRMED',
    request: (ClientId, Username) => ['ForgotPassword', { ClientId, Username }],
  },
  {
    title: 'ConfirmForgotPassword',
    status: 'CONFIRMED',
    prepare: (ask, ClientId, Username) => ask('ForgotPassword', { ClientId, Username }),
    request: (ClientId, Username) => [
      'ConfirmForgotPassword',
      { ClientId, Username, ConfirmationCode: 'none', Password: 'N3w-Passw0rd' },
    ],
  },
  {
    title: 'ConfirmForgotPassword, no code pending',
    status: 'UNCONFIRMED',
    request: (ClientId, Username) => [
      'ConfirmForgotPassword',
      { ClientId, Username, ConfirmationCode: 'none', Password: 'N3w-Passw0rd' },
    ],
  },
  {
    title: 'ResendConfirmationCode',
    status: 'UNCONFIRMED',
    request: (ClientId, Username) => ['ResendConfirmationCode', { ClientId, Username }],
  },
  {
    title: 'ConfirmSignUp',
    status: 'UNCONFIRMED',
    prepare: (ask, ClientId, Username) => ask('ResendConfirmationCode', { ClientId, Username }),
    request: (ClientId, Username) => ['ConfirmSignUp', { ClientId, Username, ConfirmationCode: 'none' }],
  },
  {
    title: 'InitiateAuth USER_PASSWORD_AUTH, unconfirmed',
    status: 'UNCONFIRMED',
    failsSignIn: true,
    request: (client, name) => begin('USER_PASSWORD_AUTH', client, name, { PASSWORD: 'Wr0ng-password' }),
  },
]
