/** Devices for tests. */
import type {
  AuthenticationResultType,
  ChallengeNameType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  DeviceConfigurationType,
  InitiateAuthCommandOutput,
  RespondToAuthChallengeCommandOutput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { type Authenticator, registerAuthenticator, respond, smsFactor, tokenFactor } from './mfa.ts'
import { phone, type TestPool, verified } from './pools.ts'
import { beginWithPassword, createSignInPool, createUser, tokensOf } from './sign-in.ts'
import { createDeviceSecret, createDeviceSrpClient, type DeviceKeys, srpTimestamp } from './srp-client.ts'

/** Every device is remembered and stands in for the second factor. */
export const always: DeviceConfigurationType = { ChallengeRequiredOnNewDevice: true }
/** The user is asked for each device. */
export const optIn: DeviceConfigurationType = {
  ChallengeRequiredOnNewDevice: true,
  DeviceOnlyRememberedOnUserPrompt: true,
}
/** Every device is remembered, and the second factor is asked for all the same. */
export const besidesMfa: DeviceConfigurationType = { DeviceOnlyRememberedOnUserPrompt: false }

/** A pool that tracks devices. */
export const createDevicePool = (
  app: TestApp,
  configuration: DeviceConfigurationType = always,
  client: Partial<CreateUserPoolClientCommandInput> = {},
  pool: Partial<CreateUserPoolCommandInput> = {},
): Promise<TestPool> => createSignInPool(app, client, { DeviceConfiguration: configuration, ...pool })

const number = '+12065551234'

/** As createDevicePool, with a user `ann` who has a verified number. */
export const poolWithAnn = async (
  app: TestApp,
  ...settings: Parameters<typeof createDevicePool> extends [unknown, ...infer Rest] ? Rest : never
): Promise<TestPool> => {
  const pool = await createDevicePool(app, ...settings)
  await createUser(app, pool.poolId, 'ann', [phone(number), verified('phone_number')])
  return pool
}

/** A device that a user has confirmed, and the tokens of the sign-in that made it. */
export interface TestDevice extends DeviceKeys {
  access: string
  refresh: string
}

/** Confirms the new device of these tokens. */
export const confirmNewDevice = async (
  app: TestApp,
  outcome: { AuthenticationResult?: AuthenticationResultType },
  name?: string,
): Promise<TestDevice> => {
  const { access, refresh } = tokensOf(outcome)
  const { DeviceKey: key = '', DeviceGroupKey: groupKey = '' } = outcome.AuthenticationResult?.NewDeviceMetadata ?? {}
  const { password, config } = createDeviceSecret(key, groupKey)
  await app.aws.confirmDevice({
    AccessToken: access,
    DeviceKey: key,
    DeviceSecretVerifierConfig: config,
    DeviceName: name,
  })
  return { key, groupKey, password, access, refresh }
}

/** A device of a user who needs no second factor yet. */
export const registerDevice = async (
  app: TestApp,
  { clientId }: TestPool,
  username: string,
  name?: string,
): Promise<TestDevice> => confirmNewDevice(app, await beginWithPassword(app, clientId, username), name)

/** Signs in with the usual password from the device, up to what is asked for. */
export const beginFromDevice = (
  app: TestApp,
  { clientId }: TestPool,
  username: string,
  { key }: Pick<DeviceKeys, 'key'>,
): Promise<InitiateAuthCommandOutput> => beginWithPassword(app, clientId, username, undefined, { DEVICE_KEY: key })

type Challenge = { Session?: string | undefined; ChallengeParameters?: Record<string, string> | undefined }

const respondTo = (app: TestApp, clientId: string, name: ChallengeNameType, Session: string | undefined) => {
  return (ChallengeResponses: Record<string, string>): Promise<RespondToAuthChallengeCommandOutput> =>
    app.aws.respondToAuthChallenge({ ClientId: clientId, ChallengeName: name, Session, ChallengeResponses })
}

/** The first half of the proof: from DEVICE_SRP_AUTH to what `prove` sends, which tests can bend. */
export const beginDeviceProof = async (
  app: TestApp,
  { clientId }: Pick<TestPool, 'clientId'>,
  username: string,
  device: DeviceKeys,
  challenge: Challenge,
  more: Record<string, string> = {},
) => {
  const client = createDeviceSrpClient(device)
  const begun = await respondTo(
    app,
    clientId,
    'DEVICE_SRP_AUTH',
    challenge.Session,
  )({ USERNAME: username, DEVICE_KEY: device.key, SRP_A: client.srpA, ...more })
  const parameters = begun.ChallengeParameters ?? {}
  const responses = { USERNAME: username, ...client.answer(parameters, srpTimestamp(app.now())), ...more }
  return {
    challenge: begun,
    parameters,
    responses,
    prove: (changes: Record<string, string> = {}) =>
      respondTo(app, clientId, 'DEVICE_PASSWORD_VERIFIER', begun.Session)({ ...responses, ...changes }),
  }
}

/** Proves the device from DEVICE_SRP_AUTH on. */
export const proveDevice = async (
  app: TestApp,
  pool: Pick<TestPool, 'clientId'>,
  username: string,
  device: DeviceKeys,
  challenge: Challenge,
): Promise<RespondToAuthChallengeCommandOutput> =>
  (await beginDeviceProof(app, pool, username, device, challenge)).prove()

export const rememberAs = (
  app: TestApp,
  { poolId }: TestPool,
  { key }: Pick<DeviceKeys, 'key'>,
  status: 'remembered' | 'not_remembered',
) =>
  app.aws.adminUpdateDeviceStatus({
    UserPoolId: poolId,
    Username: 'ann',
    DeviceKey: key,
    DeviceRememberedStatus: status,
  })

/** As poolWithAnn, with MFA, and `ann` has a remembered device and this factor, or two to choose from. */
export const withFactor = async (
  app: TestApp,
  configuration: DeviceConfigurationType,
  factor: 'SMS_MFA' | 'SOFTWARE_TOKEN_MFA' | 'SELECT_MFA_TYPE',
  mode: 'OPTIONAL' | 'ON',
  settings: Partial<CreateUserPoolCommandInput> = {},
) => {
  const pool = await poolWithAnn(app, configuration, {}, settings)
  const device = await registerDevice(app, pool, 'ann')
  await rememberAs(app, pool, device, 'remembered')
  const mfa = { UserPoolId: pool.poolId, ...smsFactor, ...tokenFactor }
  await app.aws.setUserPoolMfaConfig({ ...mfa, MfaConfiguration: 'OPTIONAL' })
  const authenticator = factor === 'SMS_MFA' ? undefined : await registerAuthenticator(app, device.access)
  await app.aws.setUserMFAPreference({
    AccessToken: device.access,
    SMSMfaSettings: { Enabled: factor !== 'SOFTWARE_TOKEN_MFA', PreferredMfa: factor === 'SMS_MFA' },
    ...(authenticator !== undefined && {
      SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: factor === 'SOFTWARE_TOKEN_MFA' },
    }),
  })
  if (mode === 'ON') await app.aws.setUserPoolMfaConfig({ ...mfa, MfaConfiguration: 'ON' })
  return { pool, device, authenticator }
}

/** Answers the challenge of a factor of `ann`. */
export const answerFactor = async (
  app: TestApp,
  { clientId }: TestPool,
  challenge: InitiateAuthCommandOutput,
  authenticator: Authenticator | undefined,
  more: Record<string, string> = {},
): Promise<RespondToAuthChallengeCommandOutput> => {
  const code: Record<string, string> =
    challenge.ChallengeName === 'SMS_MFA'
      ? { SMS_MFA_CODE: await app.lastCode(number) }
      : { SOFTWARE_TOKEN_MFA_CODE: authenticator?.code(1) ?? '' }
  return respond(app, clientId, 'ann', challenge, { ...code, ...more })
}

/** What a sign-in has come to. */
export const stepOf = ({
  ChallengeName,
  AuthenticationResult,
}: Pick<InitiateAuthCommandOutput, 'ChallengeName' | 'AuthenticationResult'>): string =>
  ChallengeName ?? (AuthenticationResult?.NewDeviceMetadata === undefined ? 'tokens' : 'tokens and a new device')

/** A key that nobody has, and what is said of it. */
export const nowhere = 'us-east-1_00000000-0000-4000-8000-000000000000'
export const unknownDevice = { name: 'ResourceNotFoundException', message: 'Device does not exist.' }
