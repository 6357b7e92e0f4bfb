import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkTokenValidity,
  completeTokenValidity,
  type TokenValiditySettings,
  tokenLifetimes,
} from './token-validity.ts'

test('lifetimes follow values and units', () => {
  const table: [TokenValiditySettings, access: number, id: number, refresh: number][] = [
    [{}, 3_600, 3_600, 2_592_000],
    [{ TokenValidityUnits: {} }, 3_600, 3_600, 2_592_000],
    [{ AccessTokenValidity: 2, IdTokenValidity: 3, RefreshTokenValidity: 5 }, 7_200, 10_800, 432_000],
    [{ RefreshTokenValidity: 0 }, 3_600, 3_600, 2_592_000],
    [{ RefreshTokenValidity: 0, TokenValidityUnits: { RefreshToken: 'minutes' } }, 3_600, 3_600, 2_592_000],
    [
      {
        AccessTokenValidity: 300,
        IdTokenValidity: 10,
        RefreshTokenValidity: 90,
        TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'minutes', RefreshToken: 'minutes' },
      },
      300,
      600,
      5_400,
    ],
    [{ TokenValidityUnits: { AccessToken: 'days', IdToken: undefined } }, 86_400, 3_600, 2_592_000],
  ]
  for (const [client, accessTokenSeconds, idTokenSeconds, refreshTokenSeconds] of table) {
    assert.deepEqual(tokenLifetimes(client), { accessTokenSeconds, idTokenSeconds, refreshTokenSeconds })
  }
})

const inSeconds = { AccessToken: 'seconds', IdToken: 'seconds', RefreshToken: 'seconds' } as const

const validity = (access: number, id: number, refresh: number): TokenValiditySettings => ({
  AccessTokenValidity: access,
  IdTokenValidity: id,
  RefreshTokenValidity: refresh,
  TokenValidityUnits: inSeconds,
})

test('lifetimes in range are accepted', () => {
  const good: TokenValiditySettings[] = [
    {},
    validity(300, 300, 3_600),
    validity(86_400, 86_400, 315_360_000),
    validity(3_600, 3_600, 3_600),
    { AccessTokenValidity: 24, IdTokenValidity: 24, RefreshTokenValidity: 3_650 },
    { TokenValidityUnits: { AccessToken: 'days', IdToken: 'days', RefreshToken: 'days' } },
    { TokenValidityUnits: { AccessToken: 'hours', IdToken: 'hours', RefreshToken: 'hours' } },
  ]
  for (const client of good) assert.doesNotThrow(() => checkTokenValidity(client), JSON.stringify(client))
})

test('lifetimes out of range are refused', () => {
  const bad: TokenValiditySettings[] = [
    validity(299, 300, 3_600),
    validity(300, 299, 3_600),
    validity(300, 300, 3_599),
    validity(86_401, 300, 315_360_000),
    validity(300, 86_401, 315_360_000),
    validity(300, 300, 315_360_001),
    validity(7_200, 300, 7_199),
    validity(300, 7_200, 7_199),
    { AccessTokenValidity: 25 },
    { RefreshTokenValidity: 3_651 },
    { RefreshTokenValidity: 315_360_000 },
    { AccessTokenValidity: 86_400, TokenValidityUnits: { AccessToken: 'days' } },
    { AccessTokenValidity: Number.NaN },
    { TokenValidityUnits: { AccessToken: 'minutes' } },
    { TokenValidityUnits: { IdToken: 'seconds' } },
  ]
  for (const client of bad) {
    assert.throws(
      () => checkTokenValidity(client),
      { name: 'InvalidParameterException', message: 'Invalid range for token validity.' },
      JSON.stringify(client),
    )
  }
})

test('one unit that was sent brings the others along, and the refresh token always has its value', () => {
  const table: [TokenValiditySettings, TokenValiditySettings][] = [
    [{}, { RefreshTokenValidity: 30, TokenValidityUnits: {} }],
    [{ TokenValidityUnits: {} }, { RefreshTokenValidity: 30, TokenValidityUnits: {} }],
    [
      { AccessTokenValidity: 2, TokenValidityUnits: { AccessToken: 'hours' } },
      {
        AccessTokenValidity: 2,
        RefreshTokenValidity: 30,
        TokenValidityUnits: { AccessToken: 'hours', IdToken: 'hours', RefreshToken: 'days' },
      },
    ],
    [
      {
        IdTokenValidity: 5,
        RefreshTokenValidity: 0,
        TokenValidityUnits: { IdToken: 'minutes', RefreshToken: 'hours' },
      },
      {
        IdTokenValidity: 5,
        RefreshTokenValidity: 720,
        TokenValidityUnits: { AccessToken: 'hours', IdToken: 'minutes', RefreshToken: 'hours' },
      },
    ],
  ]
  for (const [client, expected] of table) {
    assert.deepEqual(completeTokenValidity(client), expected)
    assert.deepEqual(tokenLifetimes(completeTokenValidity(client)), tokenLifetimes(client))
  }
})
