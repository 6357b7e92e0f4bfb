import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  accessClaims,
  authenticationClaims,
  type Factor,
  type GroupInToken,
  idClaims,
  isOfEpoch,
  newEventId,
  preferredRole,
  type TokenFacts,
} from './claims.ts'

const random = { bytes: (length: number) => randomBytes(length) }

const facts: TokenFacts = {
  issuer: 'https://id.example/us-east-1_AbCdEf123',
  clientId: 'client',
  sub: '11111111-2222-4333-8444-555555555555',
  username: 'ann',
  groups: [],
  eventId: 'event',
  authTime: 900,
  issuedAt: 1_000,
  originJti: 'origin',
  authentication: undefined,
}
const group = (name: string, roleArn?: string, precedence?: number): GroupInToken => ({ name, roleArn, precedence })
const all = () => true

test('an access token of the API has these claims and no others', () => {
  assert.deepEqual(Object.entries(accessClaims(facts, { jti: 'jti', scope: 'scope', lifetimeSeconds: 300 })), [
    ['sub', facts.sub],
    ['iss', facts.issuer],
    ['client_id', 'client'],
    ['origin_jti', 'origin'],
    ['event_id', 'event'],
    ['token_use', 'access'],
    ['scope', 'scope'],
    ['auth_time', 900],
    ['exp', 1_300],
    ['iat', 1_000],
    ['jti', 'jti'],
    ['username', 'ann'],
  ])
})

test('an ID token has the attributes in their types', () => {
  const attributes = new Map([
    ['address', 'Main Street 1'],
    ['birthdate', '2000-01-01'],
    ['custom:flag', 'true'],
    ['custom:number', '12'],
    ['email', 'ann@example.com'],
    ['email_verified', 'true'],
    ['phone_number', '+15551234567'],
    ['updated_at', '1700000000'],
  ])
  assert.deepEqual(idClaims(facts, { jti: 'jti', lifetimeSeconds: 60 }, attributes, all), {
    sub: facts.sub,
    email_verified: true,
    iss: facts.issuer,
    phone_number_verified: false,
    'cognito:username': 'ann',
    origin_jti: 'origin',
    aud: 'client',
    event_id: 'event',
    token_use: 'id',
    auth_time: 900,
    exp: 1_060,
    iat: 1_000,
    jti: 'jti',
    address: { formatted: 'Main Street 1' },
    birthdate: '2000-01-01',
    'custom:flag': 'true',
    'custom:number': '12',
    email: 'ann@example.com',
    phone_number: '+15551234567',
    updated_at: 1_700_000_000,
  })
})

test('an ID token shows only what the client may read, and a flag only beside its address', () => {
  const attributes = new Map([
    ['email_verified', 'true'],
    ['name', 'Ann'],
    ['phone_number', '+15551234567'],
    ['phone_number_verified', 'TRUE'],
  ])
  const readable = new Set(['phone_number_verified', 'email_verified', 'email'])
  const claims = idClaims(facts, { jti: '', lifetimeSeconds: 1 }, attributes, name => readable.has(name))
  assert.equal(claims['phone_number_verified'], true)
  for (const name of ['email', 'email_verified', 'phone_number', 'name']) assert.equal(name in claims, false, name)
})

test('no attribute takes the place of a claim of the server', () => {
  const hostile = ['sub', 'iss', 'aud', 'exp', 'token_use', 'cognito:username', 'origin_jti', 'email_verified']
  const attributes = new Map(hostile.map(name => [name, 'forged']))
  const claims = idClaims({ ...facts, groups: [group('g')] }, { jti: 'jti', lifetimeSeconds: 1 }, attributes, all)
  assert.equal(Object.values(claims).includes('forged'), false)
})

test('without revocation there is neither origin_jti nor jti', () => {
  const unrevoked = { ...facts, originJti: undefined }
  for (const claims of [
    accessClaims(unrevoked, { jti: 'jti', scope: 's', lifetimeSeconds: 1 }),
    idClaims(unrevoked, { jti: 'jti', lifetimeSeconds: 1 }, new Map(), all),
  ]) {
    assert.equal('origin_jti' in claims || 'jti' in claims, false)
  }
})

test('groups are in both tokens, roles in the ID token', () => {
  const inGroups = { ...facts, groups: [group('a', 'arn:a', 2), group('b'), group('c', 'arn:c', 1)] }
  const access = accessClaims(inGroups, { jti: '', scope: '', lifetimeSeconds: 1 })
  const id = idClaims(inGroups, { jti: '', lifetimeSeconds: 1 }, new Map(), all)
  assert.deepEqual(access['cognito:groups'], ['a', 'b', 'c'])
  assert.deepEqual(id['cognito:groups'], ['a', 'b', 'c'])
  assert.deepEqual(id['cognito:roles'], ['arn:a', 'arn:c'])
  assert.equal(id['cognito:preferred_role'], 'arn:c')
  assert.equal('cognito:roles' in access || 'cognito:preferred_role' in access, false)
})

test('the preferred role is that of the strongest group, when there is one', () => {
  const table: [string, GroupInToken[], string | undefined][] = [
    ['no groups', [], undefined],
    ['no roles', [group('a', undefined, 1)], undefined],
    ['one role without precedence', [group('a', 'arn:a')], 'arn:a'],
    ['null precedence comes last', [group('a', 'arn:a'), group('b', 'arn:b', 99)], 'arn:b'],
    ['zero is the strongest', [group('a', 'arn:a', 1), group('b', 'arn:b', 0)], 'arn:b'],
    ['a tie with one role', [group('a', 'arn:x', 1), group('b', 'arn:x', 1)], 'arn:x'],
    ['a tie with two roles', [group('a', 'arn:x', 1), group('b', 'arn:y', 1), group('c', 'arn:z', 2)], undefined],
    ['a tie of null precedence', [group('a', 'arn:x'), group('b', 'arn:y')], undefined],
  ]
  for (const [title, groups, expected] of table) assert.equal(preferredRole(groups), expected, title)
})

test('acr and amr follow the factors', () => {
  const table: [Factor[], string, string[]][] = [
    [['pwd'], '1', ['pwd']],
    [['fed'], '1', ['fed']],
    [['sms'], '2', ['sms']],
    [['email_otp'], '2', ['email_otp']],
    [['swk'], '3', ['swk']],
    [['pwd', 'sms'], '3', ['pwd', 'sms', 'mfa']],
    [['pwd', 'email_otp'], '3', ['pwd', 'email_otp', 'mfa']],
    [['pwd', 'otp'], '4', ['pwd', 'otp', 'mfa']],
    [['pwd', 'pwd'], '1', ['pwd']],
  ]
  for (const [factors, level, amr] of table) {
    assert.deepEqual(authenticationClaims(factors), { acr: `urn:cognito:loa:${level}`, amr })
  }
  assert.equal(authenticationClaims(['pwd'], { Level1: { AcrValue: 'low' } }).acr, 'low')
  assert.equal(authenticationClaims(['sms'], { Level1: { AcrValue: 'low' } }).acr, 'urn:cognito:loa:2')
})

test('an event id is a UUID that tells its epoch and no other', () => {
  const ids = new Set<string>()
  for (const epoch of [0, 1, 2, 255, 256, 65_535, 2 ** 31, 2 ** 32 - 1]) {
    for (let round = 0; round < 100; round++) {
      const id = newEventId(random, epoch)
      ids.add(id)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(isOfEpoch(id, epoch), true)
      assert.equal(isOfEpoch(id, epoch + 1), false)
    }
  }
  assert.equal(ids.size, 800)
  for (const id of ['', 'x', '11111111-2222-4333-8444-55555555555']) assert.equal(isOfEpoch(id, 0), false)
})
