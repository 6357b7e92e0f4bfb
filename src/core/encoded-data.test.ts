import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEncodedData } from './encoded-data.ts'

const poolId = 'us-east-1_abcdefghi'
const encode = (payload: unknown, outer: object = {}) =>
  Buffer.from(
    JSON.stringify({ payload: JSON.stringify(payload), signature: 'x', version: 'JS20171115', ...outer }),
  ).toString('base64')
const contextData = {
  UserAgent: 'Mozilla/5.0 Chrome/126.0',
  DeviceId: 'id-1',
  DeviceLanguage: 'en',
  DevicePlatform: 'Linux x86_64',
  ClientTimezone: '-07:00',
}

test('what the libraries of browsers send is read', () => {
  assert.deepEqual(
    parseEncodedData(encode({ contextData, userPoolId: poolId, username: 'ann', timestamp: '1' }), poolId),
    {
      deviceId: 'id-1',
      userAgent: 'Mozilla/5.0 Chrome/126.0',
      model: undefined,
      platform: 'Linux x86_64',
      timezone: '-07:00',
    },
  )
})

test('the line breaks of the base64 that Android makes do not matter', () => {
  const text = encode({ contextData, userPoolId: poolId }).replace(/.{76}/g, '$&\n')
  assert.equal(parseEncodedData(text, poolId)?.deviceId, 'id-1')
})

test('what is in no such form, or for another pool, counts as not sent', () => {
  for (const text of [
    '',
    'AmazonCognitoAdvancedSecurityData object',
    Buffer.from('{').toString('base64'),
    Buffer.from('null').toString('base64'),
    encode(null),
    encode({ userPoolId: poolId }),
    encode({ contextData: null, userPoolId: poolId }),
    encode({ contextData, userPoolId: 'us-east-1_other' }),
    encode({ contextData, userPoolId: poolId }, { payload: { contextData } }),
    encode({ contextData: { DeviceId: 'x'.repeat(20_000) }, userPoolId: poolId }),
  ]) {
    assert.equal(parseEncodedData(text, poolId), undefined)
  }
})

test('members of a wrong kind are left out', () => {
  const odd = { ...contextData, DeviceId: 7, ClientTimezone: 'Europe/Paris', UserAgent: 'x'.repeat(600) }
  const claims = parseEncodedData(encode({ contextData: odd, userPoolId: poolId }), poolId)
  assert.deepEqual([claims?.deviceId, claims?.timezone, claims?.userAgent], [undefined, undefined, undefined])
})
