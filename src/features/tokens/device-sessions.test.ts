import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { DeviceConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  always,
  confirmNewDevice,
  createDevicePool,
  nowhere,
  poolWithAnn,
  registerDevice,
  rememberAs,
} from '../../../test/support/devices.ts'
import { browserOf, codeFor, createOAuthClient, redeem, requestTokens } from '../../../test/support/oauth.ts'
import { createClient } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginWithPassword,
  claimsOf,
  createUser,
  failureOf,
  notAuthorized,
  refresh,
  tokensOf,
} from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  test('sessions that belong to a device are refreshed from it alone', async () => {
    const rotating = { RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 } } as const
    const pool = await poolWithAnn(app)
    const clientId = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows.slice(0, 4), ...rotating })
    const [device, other] = [await registerDevice(app, pool, 'ann'), await registerDevice(app, pool, 'ann')]
    const invalid = notAuthorized('Invalid Refresh Token')
    for (const more of [{}, { DEVICE_KEY: other.key }, { DEVICE_KEY: nowhere }, { DEVICE_KEY: '' }]) {
      assert.deepEqual(
        await failureOf(refresh(app, pool.clientId, device.refresh, more as Record<string, string>)),
        invalid,
      )
    }
    tokensOf(await refresh(app, pool.clientId, device.refresh, { DEVICE_KEY: device.key }))

    const renew = (RefreshToken: string, DeviceKey: string | undefined, ClientId = pool.clientId) =>
      app.aws.getTokensFromRefreshToken({ ClientId, RefreshToken, DeviceKey })
    const dotted = notAuthorized('Invalid Refresh Token.')
    for (const key of [undefined, other.key, nowhere]) {
      assert.deepEqual(await failureOf(renew(device.refresh, key)), dotted)
    }
    tokensOf(await renew(device.refresh, device.key))
    const first = await registerDevice(app, { ...pool, clientId }, 'ann')
    const second = tokensOf(await renew(first.refresh, first.key, clientId))
    assert.equal(claimsOf(second.access)['device_key'], first.key)
    assert.deepEqual(await failureOf(renew(second.refresh, undefined, clientId)), dotted)
    tokensOf(await renew(second.refresh, first.key, clientId))
    // A device that is not remembered is still the one that the session belongs to.
    await rememberAs(app, pool, device, 'not_remembered')
    tokensOf(await renew(device.refresh, device.key))
  })

  test('while the pool tracks devices, a session without a confirmed one is not refreshed', async () => {
    const untracked = await createDevicePool(app, {})
    await createUser(app, untracked.poolId, 'ann')
    const before = tokensOf(await beginWithPassword(app, untracked.clientId, 'ann'))
    const track = (configuration: DeviceConfigurationType) =>
      app.aws.updateUserPool({ UserPoolId: untracked.poolId, DeviceConfiguration: configuration })
    await track(always)
    const invalid = notAuthorized('Invalid Refresh Token')
    assert.deepEqual(await failureOf(refresh(app, untracked.clientId, before.refresh)), invalid)
    const unconfirmed = await beginWithPassword(app, untracked.clientId, 'ann')
    const key = unconfirmed.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
    const again = () => refresh(app, untracked.clientId, tokensOf(unconfirmed).refresh, { DEVICE_KEY: key })
    assert.deepEqual(await failureOf(again()), invalid)
    await confirmNewDevice(app, unconfirmed)
    tokensOf(await again())

    const forgotten = await registerDevice(app, untracked, 'ann')
    await app.aws.forgetDevice({ AccessToken: forgotten.access, DeviceKey: forgotten.key })
    await track({})
    tokensOf(await refresh(app, untracked.clientId, before.refresh))
    tokensOf(await refresh(app, untracked.clientId, tokensOf(unconfirmed).refresh))
    // Forgotten stays forgotten.
    assert.deepEqual(await failureOf(refresh(app, untracked.clientId, forgotten.refresh)), invalid)
  })

  test('a session of the pages is refreshed without a device, and one of the API at the token endpoint with its own', async () => {
    const { poolId } = await poolWithAnn(app)
    const client = await createOAuthClient(app, poolId, { ExplicitAuthFlows: allFlows })
    const { json } = await redeem(app, client, await codeFor(app, client, await browserOf(app, client, 'ann')))
    assert.equal('device_key' in claimsOf(String(json['access_token'])), false)
    const renew = (token: string, device_key?: string) =>
      requestTokens(app, client, { grant_type: 'refresh_token', refresh_token: token, device_key })
    assert.equal((await renew(String(json['refresh_token']))).status, 200)
    tokensOf(await refresh(app, client.clientId, String(json['refresh_token'])))

    const device = await registerDevice(app, client, 'ann')
    const refused = await renew(device.refresh)
    assert.deepEqual([refused.status, refused.json['error']], [400, 'invalid_grant'])
    assert.equal((await renew(device.refresh, device.key)).status, 200)
  })
})
