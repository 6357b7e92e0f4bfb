import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  accessClaimsOverridden,
  groupsOverridden,
  idClaimsOverridden,
  readTokenOverrides,
  scopeOverridden,
  type TokenOverrides,
} from './claim-overrides.ts'

const unusable = { name: 'InvalidLambdaResponseException' }

const v1 = (details: unknown): TokenOverrides => {
  const overrides = readTokenOverrides({ claimsOverrideDetails: details }, '1')
  assert.ok(overrides)
  return overrides
}
const v2 = (details: unknown): TokenOverrides => {
  const overrides = readTokenOverrides({ claimsAndScopeOverrideDetails: details }, '2')
  assert.ok(overrides)
  return overrides
}
const idOf = (claims: object, overrides: TokenOverrides, version: '1' | '2' = '2') =>
  idClaimsOverridden(claims as Record<string, unknown>, overrides, version)

test('without details, or with those of another version, nothing changes', () => {
  assert.equal(readTokenOverrides({}, '1'), undefined)
  assert.equal(readTokenOverrides({ claimsOverrideDetails: null }, '1'), undefined)
  assert.equal(readTokenOverrides({ claimsAndScopeOverrideDetails: {} }, '1'), undefined)
  assert.equal(readTokenOverrides({ claimsOverrideDetails: {} }, '2'), undefined)
})

test('claims are added, replaced and suppressed; what is both is suppressed', () => {
  const overrides = v1({ claimsToAddOrOverride: { a: '1', email: 'x', b: '2' }, claimsToSuppress: ['b', 'name'] })
  assert.deepEqual(idOf({ sub: 's', email: 'e', name: 'n' }, overrides, '1'), { sub: 's', email: 'x', a: '1' })
})

test('the second version takes any JSON, and both tokens are changed apart', () => {
  const overrides = v2({
    idTokenGeneration: { claimsToAddOrOverride: { a: [1, { b: true }] } },
    accessTokenGeneration: { claimsToAddOrOverride: { c: 3, nothing: null }, claimsToSuppress: ['d'] },
  })
  assert.deepEqual(idOf({ d: 1 }, overrides), { d: 1, a: [1, { b: true }] })
  assert.deepEqual(accessClaimsOverridden({ d: 1 }, overrides, 'client'), { c: 3 })
})

const own = {
  sub: 's',
  iss: 'i',
  aud: 'client',
  exp: 1,
  iat: 1,
  auth_time: 1,
  token_use: 'id',
  jti: 'j',
  origin_jti: 'o',
  event_id: 'e',
  'cognito:username': 'u',
  'cognito:groups': ['g'],
  identities: [],
  acr: 'a',
  amr: [],
  nonce: 'n',
  at_hash: 'h',
}

test('what the server states is neither changed nor suppressed, and no such claim is added', () => {
  const names = [...Object.keys(own), 'nbf', 'azp', 'client_id', 'username', 'version', 'scope', 'device_key']
  const forged = Object.fromEntries(names.map(name => [name, 'forged']))
  const details = { claimsToAddOrOverride: forged, claimsToSuppress: names.filter(name => name !== 'cognito:groups') }
  assert.deepEqual(idOf(own, v1(details), '1'), own)
  assert.deepEqual(accessClaimsOverridden(own, v2({ accessTokenGeneration: details }), 'client'), own)
})

test('the audience of an access token may be the client and nobody else', () => {
  const aud = (value: string) => v2({ accessTokenGeneration: { claimsToAddOrOverride: { aud: value } } })
  assert.deepEqual(accessClaimsOverridden({}, aud('client'), 'client'), { aud: 'client' })
  assert.deepEqual(accessClaimsOverridden({}, aud('other'), 'client'), {})
  assert.deepEqual(idOf({}, v2({ idTokenGeneration: { claimsToAddOrOverride: { aud: 'client' } } })), {})
})

test('developer attributes can be suppressed and not set', () => {
  const details = { claimsToAddOrOverride: { 'dev:custom:a': 'x' }, claimsToSuppress: ['dev:custom:b'] }
  assert.deepEqual(idOf({ 'dev:custom:a': '1', 'dev:custom:b': '2' }, v1(details), '1'), { 'dev:custom:a': '1' })
})

test('claims with a type of their own keep it in the second version', () => {
  const idTokenGeneration = {
    claimsToAddOrOverride: { email_verified: 'yes', updated_at: 'now', address: 'here', phone_number_verified: true },
  }
  assert.deepEqual(idOf({}, v2({ idTokenGeneration })), { phone_number_verified: true })
})

test('groups are overridden with their roles; without them they go', () => {
  const groups = [{ name: 'a', roleArn: 'r', precedence: 1 }]
  const overrides = v1({
    groupOverrideDetails: { groupsToOverride: ['x'], iamRolesToOverride: ['r1', 'r2'], preferredRole: 'r2' },
  })
  assert.deepEqual(
    groupsOverridden(groups, overrides).map(group => group.name),
    ['x'],
  )
  assert.deepEqual(idOf({}, overrides), { 'cognito:roles': ['r1', 'r2'], 'cognito:preferred_role': 'r2' })
  for (const nothing of [null, {}])
    assert.deepEqual(groupsOverridden(groups, v1({ groupOverrideDetails: nothing })), [])
  assert.deepEqual(groupsOverridden(groups, v1({})), groups)
})

test('roles go with suppressed groups', () => {
  const claims = { 'cognito:groups': ['a'], 'cognito:roles': ['r'], 'cognito:preferred_role': 'r', sub: 's' }
  assert.deepEqual(idOf(claims, v1({ claimsToSuppress: ['cognito:groups'] }), '1'), { sub: 's' })
  assert.deepEqual(idOf(claims, v1({ claimsToSuppress: ['cognito:roles'] }), '1'), claims)
})

test('scopes are added and suppressed; those with blanks and those of AWS are not added', () => {
  const overrides = v2({
    accessTokenGeneration: {
      scopesToAdd: ['api/read', 'a b', 'openid', 'aws.cognito.other', 'gone', ''],
      scopesToSuppress: ['gone', 'phone'],
    },
  })
  assert.equal(scopeOverridden('openid phone', overrides), 'openid api/read')
})

for (const [title, details] of [
  ['a list', []],
  ['a text', 'x'],
  ['a list of claims', { claimsToAddOrOverride: [] }],
  ['a number as a claim', { claimsToAddOrOverride: { a: 1 } }],
  ['one suppressed claim', { claimsToSuppress: 'a' }],
  ['a suppressed number', { claimsToSuppress: [1] }],
  ['groups as a text', { groupOverrideDetails: { groupsToOverride: 'a' } }],
  ['a role as a list', { groupOverrideDetails: { preferredRole: [] } }],
  ['too many claims', { claimsToSuppress: Array.from({ length: 5_001 }, (_, index) => `c${index}`) }],
  ['too long claims', { claimsToAddOrOverride: { a: 'x'.repeat(70_000) } }],
] as const) {
  test(`${title} for the details of the first version is refused`, () => {
    assert.throws(() => readTokenOverrides({ claimsOverrideDetails: details }, '1'), unusable)
  })
}

test('a claim named __proto__ changes no prototype', () => {
  const overrides = v2(JSON.parse('{"idTokenGeneration":{"claimsToAddOrOverride":{"__proto__":{"admin":true}}}}'))
  const claims = idOf({ sub: 's' }, overrides)
  assert.equal('admin' in claims, false)
  assert.equal(Object.getPrototypeOf(claims), Object.prototype)
})
