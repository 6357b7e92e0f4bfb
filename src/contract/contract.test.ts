import assert from 'node:assert/strict'
import { test } from 'node:test'
import type * as sdk from '@aws-sdk/client-cognito-identity-provider'
import { decodeInput, decodeStructure, encodeOutput, encodeStructure, violationMessage } from './codec.ts'
import { textLengthMax } from './decode.ts'
import type { Shape } from './model.ts'
import { operations, structures } from './model.ts'
import { entriesMax } from './parse-json.ts'
import { matcher } from './patterns.ts'
import type { OperationInputs, OperationName, OperationOutputs } from './types.ts'

// ---------------------------------------------------------------------------------------------- types

type SdkCommand<Name extends OperationName> = InstanceType<(typeof sdk)[`${Name}Command`]>
type SdkInput<Name extends OperationName> = SdkCommand<Name>['input']
type SdkOutput<Name extends OperationName> = Omit<
  Awaited<ReturnType<ReturnType<SdkCommand<Name>['resolveMiddleware']>>>['output'],
  '$metadata'
>

/**
 * The SDK writes a required member as `T | undefined`, so that JavaScript callers may leave it out, and any JSON as a
 * recursive type that contains null. Here a required member is `T` and any JSON is `unknown`.
 */
type Plain<T> = null extends T
  ? unknown
  : T extends Date | Uint8Array
    ? T
    : T extends readonly (infer Element)[]
      ? Plain<Element>[]
      : T extends object
        ? { [Key in keyof T]: Plain<Exclude<T[Key], undefined>> }
        : T

/** All members required, so that a member that only one side knows becomes an error. */
type Complete<T> = T extends Date | Uint8Array
  ? T
  : T extends readonly (infer Element)[]
    ? Complete<Element>[]
    : T extends object
      ? { [Key in keyof T]-?: Complete<Exclude<T[Key], undefined>> }
      : T

type Assignable<From, To> = [From] extends [To] ? true : false
type Same<A, B> = Assignable<[A, B], [B, A]>
type Names<Table> = { [Name in keyof Table]: Table[Name] extends true ? never : Name }[keyof Table]

type OurOutput<Name extends OperationName> = OperationOutputs[Name] extends void
  ? Record<never, never>
  : OperationOutputs[Name]

type InputsThatRefuseTheSdk = Names<{
  [Name in OperationName]: Assignable<Plain<SdkInput<Name>>, OperationInputs[Name]>
}>
type InputsThatTheSdkRefuses = Names<{
  [Name in OperationName]: Assignable<OperationInputs[Name], Plain<SdkInput<Name>>>
}>
type InputsWithOtherMembers = Names<{
  [Name in OperationName]: Same<Complete<OperationInputs[Name]>, Complete<Plain<SdkInput<Name>>>>
}>
type OutputsThatTheSdkRefuses = Names<{
  [Name in OperationName]: Assignable<OurOutput<Name>, Plain<SdkOutput<Name>>>
}>
type OutputsThatRefuseTheSdk = Names<{
  [Name in OperationName]: Assignable<Plain<SdkOutput<Name>>, OurOutput<Name>>
}>
type OutputsWithOtherMembers = Names<{
  [Name in OperationName]: Same<Complete<OurOutput<Name>>, Complete<Plain<SdkOutput<Name>>>>
}>

/** The SDK's enumeration lacks ALLOW_CLIENT_TOKEN_AUTH, which these carry in ExplicitAuthFlows. */
type ClientInputs = 'CreateUserPoolClient' | 'UpdateUserPoolClient'
type ClientOutputs = ClientInputs | 'DescribeUserPoolClient'

const identical = <A, B>(..._: Same<A, B> extends true ? [] : [never]) => true

test('the types are those of the SDK', () => {
  // The compiler does the work: a call with a type that differs does not compile.
  assert.ok(identical<InputsThatRefuseTheSdk, never>())
  assert.ok(identical<InputsThatTheSdkRefuses, ClientInputs>())
  assert.ok(identical<InputsWithOtherMembers, ClientInputs>())
  assert.ok(identical<OutputsThatTheSdkRefuses, ClientOutputs>())
  assert.ok(identical<OutputsThatRefuseTheSdk, never>())
  assert.ok(identical<OutputsWithOtherMembers, ClientOutputs>())
})

test('the model has 140 operations, of which 34 and GetClientToken need no signature', () => {
  const names = Object.keys(operations) as OperationName[]
  assert.equal(names.length, 140)
  assert.equal(names.filter(name => operations[name].auth === 'none').length, 35)
  assert.equal(operations.GetClientToken.auth, 'none')
  assert.equal(operations.AdminGetUser.auth, 'sigv4')
  assert.ok(operations.SignUp.errors.includes('UsernameExistsException'))
})

// ---------------------------------------------------------------------------------------------- messages

const fails = (operation: OperationName, json: unknown): string => {
  const decoded = decodeInput(operation, json)
  assert.ok('violations' in decoded, JSON.stringify(decoded))
  return violationMessage(decoded.violations)
}

test('violations read as the service writes them', () => {
  const cases: [OperationName, object, string][] = [
    [
      'ForgotPassword',
      { ClientId: '', Username: 'ann' },
      "2 validation errors detected: Value at 'clientId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+]+; Value at 'clientId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'ForgotPassword',
      { ClientId: 'c', Username: '' },
      "2 validation errors detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+; Value at 'username' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'ConfirmSignUp',
      { ClientId: 'c', Username: 'ann', ConfirmationCode: '' },
      "2 validation errors detected: Value '' at 'confirmationCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\S]+; Value '' at 'confirmationCode' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'SignUp',
      { ClientId: 'c', Username: 'ann', Password: 'short' },
      "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length greater than or equal to 6",
    ],
    [
      'SignUp',
      { ClientId: 'c', Username: '', Password: ' ' },
      "4 validation errors detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+; Value at 'username' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$; Value at 'password' failed to satisfy constraint: Member must have length greater than or equal to 6",
    ],
    [
      'VerifySoftwareToken',
      { UserCode: 'Aaaa' },
      "2 validation errors detected: Value at 'userCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9]+; Value at 'userCode' failed to satisfy constraint: Member must have length greater than or equal to 6",
    ],
    [
      'InitiateAuth',
      { AuthFlow: 'USER_SRP_AUTH' },
      "1 validation error detected: Value null at 'clientId' failed to satisfy constraint: Member must not be null",
    ],
    [
      'InitiateAuth',
      { AuthFlow: 'PLAIN', ClientId: 'c' },
      "1 validation error detected: Value 'PLAIN' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: [USER_SRP_AUTH, REFRESH_TOKEN_AUTH, REFRESH_TOKEN, CUSTOM_AUTH, ADMIN_NO_SRP_AUTH, USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH, USER_AUTH]",
    ],
    [
      'SignUp',
      {
        ClientId: 'c',
        Username: 'ann',
        UserAttributes: [{ Name: 'email' }, { Name: 'name', Value: 'x'.repeat(2049) }, { Value: 'x' }],
      },
      "2 validation errors detected: Value at 'userAttributes.2.member.value' failed to satisfy constraint: Member must have length less than or equal to 2048; Value null at 'userAttributes.3.member.name' failed to satisfy constraint: Member must not be null",
    ],
    [
      'CreateUserPool',
      { PoolName: 'p', AdminCreateUserConfig: { InviteMessageTemplate: { SMSMessage: '' } } },
      "1 validation error detected: Value '' at 'adminCreateUserConfig.inviteMessageTemplate.sMSMessage' failed to satisfy constraint: Member must have length greater than or equal to 6",
    ],
    [
      'CreateUserPoolClient',
      { UserPoolId: 'a_b', ClientName: 'c', ExplicitAuthFlows: ['ADMIN_USER_PASSWORD_AUTH'] },
      "1 validation error detected: Value '[ADMIN_USER_PASSWORD_AUTH]' at 'explicitAuthFlows' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [ADMIN_NO_SRP_AUTH, CUSTOM_AUTH_FLOW_ONLY, USER_PASSWORD_AUTH, ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_CUSTOM_AUTH, ALLOW_USER_PASSWORD_AUTH, ALLOW_USER_SRP_AUTH, ALLOW_REFRESH_TOKEN_AUTH, ALLOW_USER_AUTH, ALLOW_CLIENT_TOKEN_AUTH]]",
    ],
    [
      'CreateUserPoolClient',
      { UserPoolId: 'a_b', ClientName: 'c', CallbackURLs: ['https://a', 'b c', ''] },
      "1 validation error detected: Value '[https://a, b c, ]' at 'callbackURLs' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+]",
    ],
    [
      'TagResource',
      { ResourceArn: 'arn:aws:cognito-idp:us-east-1:1:userpool/a_b', Tags: { '': 'x', b: 'y'.repeat(257) } },
      `2 validation errors detected: Value '{=x, b=${'y'.repeat(257)}}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]; Value '{=x, b=${'y'.repeat(257)}}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0]`,
    ],
    [
      'InitiateAuth',
      { AuthFlow: 'USER_AUTH', ClientId: 'c', AuthParameters: { PASSWORD: 'x'.repeat(131_073) } },
      "1 validation error detected: Value at 'authParameters' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 131072, Member must have length greater than or equal to 0]",
    ],
    [
      'ListUsers',
      { UserPoolId: 'a_b', Limit: 61 },
      "1 validation error detected: Value '61' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60",
    ],
    [
      'ListUsers',
      { UserPoolId: 'a_b', Limit: -1 },
      "1 validation error detected: Value '-1' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 0",
    ],
    [
      'CreateGroup',
      { UserPoolId: 'a_b', GroupName: 'g', Precedence: 2 ** 31 },
      "1 validation error detected: Value '2147483648' at 'precedence' failed to satisfy constraint: Member must have value less than or equal to 2147483647",
    ],
    [
      'AddCustomAttributes',
      { UserPoolId: 'a_b', CustomAttributes: [] },
      "1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'SetUICustomization',
      { UserPoolId: 'a_b', ImageFile: 'A'.repeat(174_768) },
      "1 validation error detected: Value at 'imageFile' failed to satisfy constraint: Member must have length less than or equal to 131072",
    ],
    [
      'CreateUserPool',
      { PoolName: 'p', AcrConfiguration: { Level1: {} } },
      "1 validation error detected: Value null at 'acrConfiguration.Level1.member.acrValue' failed to satisfy constraint: Member must not be null",
    ],
  ]
  for (const [operation, json, message] of cases) assert.equal(fails(operation, json), message)
})

test('a printed value is cut, and the number of violations is limited', () => {
  const long = fails('AdminGetUser', { UserPoolId: '🦀'.repeat(2000), Username: 'ann' })
  assert.ok(long.length < 1300)
  assert.ok(long.isWellFormed())
  const UserAttributes = Array(entriesMax).fill({})
  const decoded = decodeInput('SignUp', { ClientId: 'c', Username: 'ann', UserAttributes })
  assert.ok('violations' in decoded)
  assert.equal(decoded.violations.length, 100)
})

test('a value of the wrong JSON type is a serialization error in the words of the service', () => {
  const start = { UserPoolId: 'a_b' }
  const cases: [OperationName, unknown, string][] = [
    ['SignUp', { ClientId: 1 }, 'NUMBER_VALUE can not be converted to a String'],
    ['SignUp', { ClientId: 1.5 }, 'NUMBER_VALUE can not be converted to a String'],
    ['SignUp', { ClientId: true }, 'TRUE_VALUE can not be converted to a String'],
    ['SignUp', { ClientId: false }, 'FALSE_VALUE can not be converted to a String'],
    ['SignUp', { ClientId: ['c'] }, 'Start of list found where not expected'],
    ['SignUp', { ClientId: {} }, 'Start of structure or map found where not expected.'],
    ['SignUp', { UserAttributes: 'x' }, 'Expected list or null'],
    ['SignUp', { UserAttributes: {} }, 'Start of structure or map found where not expected.'],
    ['SignUp', { UserAttributes: ['x'] }, 'Expected null'],
    ['SignUp', { UserAttributes: [[]] }, 'Start of list found where not expected'],
    ['SignUp', { UserAttributes: [{ Name: 'email', Value: true }] }, 'TRUE_VALUE can not be converted to a String'],
    ['SignUp', { UserContextData: 'x' }, 'Expected null'],
    ['SignUp', { UserContextData: [] }, 'Start of list found where not expected'],
    ['SignUp', { ClientMetadata: [] }, 'Start of list found where not expected'],
    ['SignUp', { ClientMetadata: 'x' }, 'Expected map or null'],
    ['SignUp', { ClientMetadata: { a: 1 } }, 'NUMBER_VALUE can not be converted to a String'],
    ['ListUsers', { ...start, Limit: '60' }, 'STRING_VALUE can not be converted to an Integer'],
    ['ListUsers', { ...start, Limit: 1.5 }, 'NUMBER_VALUE can not be converted to an Integer'],
    ['ListUsers', { ...start, Limit: Number.POSITIVE_INFINITY }, 'NUMBER_VALUE can not be converted to an Integer'],
    ['ListUsers', { ...start, Limit: true }, 'TRUE_VALUE can not be converted to an Integer'],
    ['ListUsers', { ...start, Limit: [1] }, 'Start of list found where not expected'],
    ['ListUsers', { ...start, AttributesToGet: [1] }, 'NUMBER_VALUE can not be converted to a String'],
    ['AdminSetUserPassword', { Permanent: 'true' }, 'STRING_VALUE can not be converted to a Boolean'],
    ['AdminSetUserPassword', { Permanent: 1 }, 'NUMBER_VALUE can not be converted to a Boolean'],
    ['SetUICustomization', { ImageFile: 1 }, 'NUMBER_VALUE can not be converted to a ByteBuffer'],
    ['SetUICustomization', { ImageFile: 'abc' }, 'A binary value is not a base64-encoded string.'],
    ['SetUICustomization', { ImageFile: 'ab-_' }, 'A binary value is not a base64-encoded string.'],
    ['SetUICustomization', { ImageFile: '=abc' }, 'A binary value is not a base64-encoded string.'],
    ['ListUsers', null, 'Expected null'],
    ['ListUsers', 'x', 'Expected null'],
    ['ListUsers', [], 'Start of list found where not expected'],
  ]
  for (const [operation, json, message] of cases) {
    assert.deepEqual(decodeInput(operation, json), { serialization: message }, JSON.stringify(json))
  }
})

test('a type error hides violations and malformed text', () => {
  assert.ok('serialization' in decodeInput('SignUp', { ClientId: '', Username: '\u0000', Password: 1 }))
})

// ---------------------------------------------------------------------------------------------- values

test('null counts as absent and unknown members are ignored', () => {
  const json = {
    ClientId: 'c',
    Username: 'ann',
    Password: null,
    username: 1,
    Extra: { a: [1] },
    UserAttributes: [null],
  }
  assert.deepEqual(decodeInput('SignUp', json), { input: { ClientId: 'c', Username: 'ann', UserAttributes: [] } })
  const decoded = decodeInput('SignUp', { ClientId: 'c', Username: 'ann', ClientMetadata: { a: null, b: 'x' } })
  assert.ok('input' in decoded)
  assert.deepEqual(Object.entries(decoded.input.ClientMetadata ?? {}), [['b', 'x']])
  assert.equal(
    fails('SignUp', { ClientId: null, Username: 'ann' }),
    "1 validation error detected: Value null at 'clientId' failed to satisfy constraint: Member must not be null",
  )
})

test('a blank password reaches the sign-up and the creation of a user, and nothing else', () => {
  assert.ok('input' in decodeInput('SignUp', { ClientId: 'c', Username: 'ann', Password: '' }))
  const admin = { UserPoolId: 'a_b', Username: 'ann' }
  assert.ok('input' in decodeInput('AdminCreateUser', { ...admin, TemporaryPassword: '' }))
  assert.ok('violations' in decodeInput('AdminSetUserPassword', { ...admin, Password: '' }))
  const confirm = { ClientId: 'c', Username: 'ann', ConfirmationCode: '1' }
  assert.ok('violations' in decodeInput('ConfirmForgotPassword', { ...confirm, Password: '' }))
})

test('a password with inner spaces is accepted everywhere, spaces at its ends nowhere', () => {
  const admin = { UserPoolId: 'a_b', Username: 'ann' }
  const requests: [OperationName, (password: string) => object][] = [
    ['SignUp', Password => ({ ClientId: 'c', Username: 'ann', Password })],
    ['ConfirmForgotPassword', Password => ({ ClientId: 'c', Username: 'ann', ConfirmationCode: '1', Password })],
    ['AdminCreateUser', TemporaryPassword => ({ ...admin, TemporaryPassword })],
    ['AdminSetUserPassword', Password => ({ ...admin, Password })],
    [
      'ChangePassword',
      ProposedPassword => ({ AccessToken: 't', ProposedPassword, PreviousPassword: ProposedPassword }),
    ],
  ]
  for (const [operation, request] of requests) {
    assert.ok('input' in decodeInput(operation, request('correct horse 1!')), operation)
    for (const password of [' leading', 'trailing ', 'trailing\n', 'line\nbreak']) {
      assert.ok('violations' in decodeInput(operation, request(password)), operation)
    }
  }
})

test('keys that name parts of Object are keys like any other', () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
  const metadata = `{${keys.map(key => `"${key}":"x"`).join()}}`
  const json = JSON.parse(`{"__proto__":{"Password":"x"},"ClientId":"c","Username":"ann","ClientMetadata":${metadata}}`)
  const decoded = decodeInput('SignUp', json)
  assert.ok('input' in decoded)
  assert.deepEqual(Object.keys(decoded.input), ['ClientId', 'Username', 'ClientMetadata'])
  const decodedMetadata = decoded.input.ClientMetadata ?? {}
  assert.equal(Object.getPrototypeOf(decodedMetadata), null)
  assert.deepEqual(Object.keys(decodedMetadata), keys)
  assert.equal(encodeStructure('SignUpRequest', { ClientMetadata: decodedMetadata }), `{"ClientMetadata":${metadata}}`)
  for (const key of keys) {
    const attribute = { ClientId: 'c', Username: key, UserAttributes: [{ Name: key, Value: key }] }
    assert.deepEqual(decodeInput('SignUp', attribute), { input: attribute })
  }
})

test('lone surrogates and NUL are refused in every text, key and document, and never printed', () => {
  const secret = 'hunter2'
  for (const bad of ['\ud800', '\udbff', '\udc00x', '\u0000']) {
    const text = secret + bad
    const requests: [OperationName, object][] = [
      ['SignUp', { ClientId: 'c', Username: text }],
      ['SignUp', { ClientId: 'c', Username: 'ann', Password: text }],
      ['SignUp', { ClientId: 'c', Username: 'ann', UserAttributes: [{ Name: 'name', Value: text }] }],
      ['SignUp', { ClientId: 'c', Username: 'ann', ClientMetadata: { [text]: 'x' } }],
      ['SignUp', { ClientId: 'c', Username: 'ann', ClientMetadata: { x: text } }],
      ['ListUsers', { UserPoolId: 'a_b', AttributesToGet: [text] }],
      ['CompleteWebAuthnRegistration', { AccessToken: 't', Credential: { a: [{ b: text }] } }],
      ['CompleteWebAuthnRegistration', { AccessToken: 't', Credential: { a: [{ [text]: 1 }] } }],
      ['CreateUserPool', { PoolName: 'p', AcrConfiguration: { [text]: {} } }],
    ]
    for (const [operation, json] of requests) {
      assert.deepEqual(decodeInput(operation, json), {
        invalid: 'The request contains text that is not well-formed Unicode or contains a NUL character.',
      })
    }
  }
  assert.ok(
    'input' in decodeInput('SignUp', { ClientId: 'c', Username: '🦀', ClientMetadata: { '🦀': '\ufeff\u202e' } }),
  )
})

test('lists, maps and documents are bounded', () => {
  const refused = { serialization: 'The request body has too many entries.' }
  const list = Array(entriesMax + 1).fill({ Name: 'a' })
  assert.deepEqual(decodeInput('SignUp', { ClientId: 'c', Username: 'ann', UserAttributes: list }), refused)
  const map = Object.fromEntries(Array.from({ length: entriesMax + 1 }, (_, key) => [`k${key}`, 'x']))
  assert.deepEqual(decodeInput('SignUp', { ClientId: 'c', Username: 'ann', ClientMetadata: map }), refused)
  let deep: unknown = 1
  for (let depth = 0; depth < 100_000; depth++) deep = { deep }
  assert.deepEqual(decodeInput('CompleteWebAuthnRegistration', { AccessToken: 't', Credential: deep }), {
    serialization: 'The request body is nested too deeply.',
  })
})

test('bytes are decoded from base64 and documents stay as they are', () => {
  const image = decodeInput('SetUICustomization', { UserPoolId: 'a_b', ImageFile: 'AAH/' })
  assert.deepEqual(image, { input: { UserPoolId: 'a_b', ImageFile: new Uint8Array([0, 1, 255]) } })
  const largest = decodeInput('SetUICustomization', { UserPoolId: 'a_b', ImageFile: `${'A'.repeat(174_763)}=` })
  assert.ok('input' in largest)
  assert.equal(largest.input.ImageFile?.length, 131_072)
  const Credential = { id: 'x', response: { list: [1, null, true, 1.5, 'é'] } }
  assert.deepEqual(decodeInput('CompleteWebAuthnRegistration', { AccessToken: 't', Credential }), {
    input: { AccessToken: 't', Credential },
  })
})

test('times are read from seconds or ISO 8601 and nothing else', () => {
  const decoded = (CreationDate: unknown) => decodeStructure('GroupType', { CreationDate })
  const time = (milliseconds: number) => ({ input: { CreationDate: new Date(milliseconds) } })
  assert.deepEqual(decoded(1689980857.949), time(1689980857949))
  assert.deepEqual(decoded(0), time(0))
  assert.deepEqual(decoded(-1.5), time(-1500))
  assert.deepEqual(decoded('2023-07-21T23:07:37.949Z'), time(1689980857949))
  assert.deepEqual(decoded('2023-07-21'), time(1689897600000))
  for (const value of [1e20, '', 'yesterday', '2023-13-01', '1689980857', 'x'.repeat(100_000), true, {}, []]) {
    assert.ok('serialization' in decoded(value), String(value))
  }
})

test('a negative zero becomes zero', () => {
  const decoded = decodeInput('ListUsers', { UserPoolId: 'a_b', Limit: -0 })
  assert.ok('input' in decoded && Object.is(decoded.input.Limit, 0))
})

// ---------------------------------------------------------------------------------------------- answers

test('answers hold the members of the model, times in seconds and bytes in base64', () => {
  assert.equal(
    encodeOutput('AdminGetUser', {
      Username: 'ann "é"',
      UserAttributes: [
        { Name: 'sub', Value: '1' },
        { Name: 'email', Value: undefined },
      ],
      UserCreateDate: new Date(1689980857949),
      UserLastModifiedDate: new Date(1689980857000),
      Enabled: false,
      UserMFASettingList: undefined,
      PreferredMfaSetting: null,
      passwordDigest: 'secret',
    }),
    '{"Username":"ann \\"é\\"","UserAttributes":[{"Name":"sub","Value":"1"},{"Name":"email"}],"UserCreateDate":1689980857.949,"UserLastModifiedDate":1689980857,"Enabled":false}',
  )
  assert.equal(encodeOutput('ChangePassword', {}), '{}')
  assert.equal(encodeOutput('ChangePassword', undefined), '{}')
  assert.equal(encodeOutput('DeleteUser', undefined), '')
  assert.equal(encodeOutput('DeleteUserPool', {}), '')
  assert.equal(
    encodeStructure('AssetType', { Bytes: new Uint8Array([9, 0, 1, 255, 9]).subarray(1, 4) }),
    '{"Bytes":"AAH/"}',
  )
  assert.equal(
    encodeOutput('StartWebAuthnRegistration', { CredentialCreationOptions: { rp: { id: 'x' }, list: [1, null] } }),
    '{"CredentialCreationOptions":{"rp":{"id":"x"},"list":[1,null]}}',
  )
  assert.equal(encodeOutput('ListTagsForResource', { Tags: { a: '1', b: undefined } }), '{"Tags":{"a":"1"}}')
})

test('13 operations answer with an empty body', () => {
  const names = (Object.keys(operations) as OperationName[]).filter(name => encodeOutput(name, {}) === '')
  assert.deepEqual(names, [
    'AdminAddUserToGroup',
    'AdminDeleteUser',
    'AdminForgetDevice',
    'AdminRemoveUserFromGroup',
    'DeleteGroup',
    'DeleteIdentityProvider',
    'DeleteManagedLoginBranding',
    'DeleteResourceServer',
    'DeleteTerms',
    'DeleteUser',
    'DeleteUserPool',
    'DeleteUserPoolClient',
    'ForgetDevice',
  ])
})

// ---------------------------------------------------------------------------------------------- the whole model

const arn = 'arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abcdefghi'
const uuid = '0b8e1ee5-0a1c-4f2c-8a3b-0123456789ab'
const samples = [
  'aaaaaaaa',
  'us-east-1_0f',
  arn,
  'arn:aws:s3:::bucket',
  uuid,
  '{####} {##x##}',
  '111111',
  'import-1',
  'a@example.com',
  'terms-of-use',
  'cognito:english',
]

/** A text that satisfies the shape. */
const validText = (shape: Shape): string => {
  if (shape.enum) return shape.enum[0]!
  const matches = shape.pattern === undefined ? () => true : matcher(shape.pattern)
  const base = samples.find(matches) ?? assert.fail(`No sample for ${shape.pattern}`)
  const min = Math.max(shape.min ?? 0, 1)
  const text = base.length >= min ? base : base.repeat(Math.ceil(min / base.length))
  const fitting = text.slice(0, Math.max(min, Math.min(text.length, shape.max ?? text.length)))
  assert.ok(matches(fitting), `No sample of ${min} for ${shape.pattern}`)
  return fitting
}

/** A wire value that satisfies the shape, with all members of structures. */
const validValue = (shape: Shape): unknown => {
  switch (shape.type) {
    case 'string':
      return validText(shape)
    case 'boolean':
      return true
    case 'integer':
    case 'long':
      return shape.min ?? 1
    case 'timestamp':
      return 1689980857.949
    case 'blob':
      return 'AAH/'
    case 'document':
      return { any: ['thing', 1, null] }
    case 'structure':
      return validStructure(shape.structure!)
    case 'list':
      return Array.from({ length: Math.max(shape.min ?? 1, 1) }, () => validValue(shape.element!))
    case 'map':
      return Object.fromEntries([[validText(shape.key!), validValue(shape.element!)]])
  }
}

const validStructure = (name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(structures[name]!.members).map(([member, shape]) => [member, validValue(shape)]))

const requestStructures = new Set<string>()
const visit = (name: string) => {
  if (requestStructures.has(name)) return
  requestStructures.add(name)
  for (const shape of Object.values(structures[name]!.members)) {
    for (const { structure } of [shape, shape.element ?? shape]) if (structure) visit(structure)
  }
}
for (const { input } of Object.values(operations)) visit(input)

const printedName = (member: string) => member.charAt(0).toLowerCase() + member.slice(1)

/** The violations of one member when everything else is right. */
const violationsOf = (structure: string, member: string, value: unknown): string[] => {
  const decoded = decodeStructure(structure, { ...validStructure(structure), [member]: value })
  if ('input' in decoded) return []
  assert.ok('violations' in decoded, `${structure}.${member} ${JSON.stringify(decoded)}`)
  return decoded.violations
}

const endsWith = (violations: string[], member: string, rule: string) => {
  const ending = `at '${printedName(member)}' failed to satisfy constraint: ${rule}`
  assert.ok(
    violations.some(violation => violation.endsWith(ending)),
    `${ending} is not among ${violations.join('; ').slice(0, 500)}`,
  )
}

test('every structure survives the way in and out', () => {
  for (const name of Object.keys(structures)) {
    const wire = validStructure(name)
    const decoded = decodeStructure(name, wire)
    assert.ok('input' in decoded, `${name} ${JSON.stringify(decoded)}`)
    assert.deepEqual(JSON.parse(encodeStructure(name, decoded.input as object)), wire)
  }
})

test('every required member is required', () => {
  for (const name of requestStructures) {
    for (const member of structures[name]!.required) {
      for (const value of [null, undefined]) {
        assert.deepEqual(violationsOf(name, member, value), [
          `Value null at '${printedName(member)}' failed to satisfy constraint: Member must not be null`,
        ])
      }
    }
  }
})

test('every bound of every member is exact, in characters of one, two and four bytes', () => {
  for (const name of requestStructures) {
    for (const [member, shape] of Object.entries(structures[name]!.members)) {
      const { type, min, max = textLengthMax } = shape
      if (type === 'string') {
        for (const character of ['a', 'é', '🦀']) {
          const rule = `Member must have length less than or equal to ${max}`
          const atMax = violationsOf(name, member, character.repeat(max))
          assert.ok(!atMax.some(violation => violation.endsWith(rule)))
          endsWith(violationsOf(name, member, character.repeat(max + 1)), member, rule)
          if (min === undefined || min === 0) continue
          const least = `Member must have length greater than or equal to ${min}`
          const atMin = violationsOf(name, member, character.repeat(min))
          assert.ok(!atMin.some(violation => violation.endsWith(least)))
          const tooShort = character.repeat(min - 1)
          if (tooShort !== '' || !shape.allowEmpty) endsWith(violationsOf(name, member, tooShort), member, least)
        }
      } else if (type === 'integer' || type === 'long') {
        const least = min ?? -(2 ** 31)
        const greatest = shape.max ?? 2 ** 31 - 1
        for (const value of [least, greatest]) assert.deepEqual(violationsOf(name, member, value), [])
        const small = `Member must have value greater than or equal to ${least}`
        const large = `Member must have value less than or equal to ${greatest}`
        endsWith(violationsOf(name, member, least - 1), member, small)
        endsWith(violationsOf(name, member, greatest + 1), member, large)
      } else if (type === 'list' || type === 'map') {
        const entries = (count: number): unknown => {
          if (type === 'list') return Array.from({ length: count }, () => validValue(shape.element!))
          const keys = Array.from({ length: count }, (_, index) => `k${index}`)
          return Object.fromEntries(keys.map(key => [key, validValue(shape.element!)]))
        }
        if (shape.max !== undefined) {
          const rule = `Member must have length less than or equal to ${shape.max}`
          if (type === 'list') assert.deepEqual(violationsOf(name, member, entries(shape.max)), [])
          endsWith(violationsOf(name, member, entries(shape.max + 1)), member, rule)
        }
        if (min) {
          const rule = `Member must have length greater than or equal to ${min}`
          endsWith(violationsOf(name, member, entries(min - 1)), member, rule)
        }
      }
    }
  }
})

test('every enumeration and every pattern is checked, wherever it stands', () => {
  let checked = 0
  for (const name of requestStructures) {
    for (const [member, shape] of Object.entries(structures[name]!.members)) {
      const place = (value: string): unknown => {
        if (shape.type === 'string') return value
        if (shape.type === 'list') return [value]
        return { [validText(shape.key!)]: value }
      }
      const constrained = shape.type === 'string' ? shape : shape.element
      if (constrained?.type === 'string' && (constrained.enum || constrained.pattern)) {
        const rule = constrained.enum
          ? `Member must satisfy enum value set: [${constrained.enum.join(', ')}]`
          : `Member must satisfy regular expression pattern: ${constrained.pattern}`
        const bad = ['\u0007'.repeat(constrained.min ?? 1), `${validText(constrained)}\u0007`, 'nobody\n']
        for (const value of bad.filter(value => constrained.enum || !matcher(constrained.pattern!)(value))) {
          if (value.length > (constrained.max ?? textLengthMax)) continue
          const violations = violationsOf(name, member, place(value))
          assert.ok(
            violations.some(violation => violation.includes(rule)),
            `${name}.${member} ${violations.join('; ')}`,
          )
          const sensitive: boolean = constrained.sensitive === true || shape.sensitive === true
          assert.equal(
            violations.every(violation => violation.startsWith('Value at ')),
            sensitive,
            `${name}.${member}`,
          )
          checked++
        }
      }
      if (shape.key?.pattern || shape.key?.min) {
        const violations = violationsOf(name, member, { '': validValue(shape.element!) })
        assert.ok(violations[0]?.includes('Map keys must satisfy constraint: ['), `${name}.${member}`)
        checked++
      }
    }
  }
  assert.ok(checked > 800, String(checked))
})

test('no JSON value makes the decoder throw or accept a wrong type', () => {
  const values = [
    1,
    1.5,
    -1,
    1e300,
    true,
    false,
    'x',
    '',
    [],
    {},
    [1],
    ['x'],
    [[]],
    [{}],
    { a: 1 },
    { a: 'x' },
    { a: {} },
  ]
  const fitting: Record<Shape['type'], (value: unknown) => boolean> = {
    string: value => typeof value === 'string',
    boolean: value => typeof value === 'boolean',
    integer: value => Number.isInteger(value),
    long: value => Number.isInteger(value),
    timestamp: value => typeof value === 'number' && value < 1e12,
    blob: value => value === '',
    document: () => true,
    structure: value => typeof value === 'object' && !Array.isArray(value),
    list: value => Array.isArray(value),
    map: value => typeof value === 'object' && !Array.isArray(value),
  }
  for (const name of Object.keys(structures)) {
    const valid = validStructure(name)
    for (const [member, shape] of Object.entries(structures[name]!.members)) {
      for (const value of [...values, valid]) {
        const decoded = decodeStructure(name, { ...valid, [member]: value })
        if (!fitting[shape.type](value))
          assert.ok('serialization' in decoded, `${name}.${member} ${JSON.stringify(value)}`)
      }
    }
  }
})
