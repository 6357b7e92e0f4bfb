import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp, type TestFunction, type TriggerEvent } from '../../../test/support/app.ts'
import { email } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginWithPassword,
  claimsOf,
  createSignInPool,
  createUser,
  password,
  refresh,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

let pools = 0
/** A pool with the trigger in this version, and a user in a group; the function keeps its events. */
const tokenPool = async (
  app: TestApp,
  version: 'V1_0' | 'V2_0' | 'V3_0',
  run: TestFunction,
  client: Parameters<typeof createSignInPool>[1] = {},
) => {
  const events: TriggerEvent[] = []
  pools += 1
  const LambdaArn = app.lambda(`tokens-${pools}`, event => {
    events.push(structuredClone(event))
    return run(event)
  })
  const LambdaConfig: LambdaConfigType =
    version === 'V1_0'
      ? { PreTokenGeneration: LambdaArn }
      : { PreTokenGenerationConfig: { LambdaArn, LambdaVersion: version } }
  const pool = await createSignInPool(app, client, { LambdaConfig })
  await createUser(app, pool.poolId, 'ann', [email('ann@example.com')])
  await app.aws.createGroup({ UserPoolId: pool.poolId, GroupName: 'staff', RoleArn: role('staff') })
  await app.aws.adminAddUserToGroup({ UserPoolId: pool.poolId, GroupName: 'staff', Username: 'ann' })
  return { ...pool, events }
}
const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`
const answering = (response: object) => (event: TriggerEvent) => ({ ...event, response })

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }

  test('the first version is told of groups and changes the ID token, and groups in both', async () => {
    const app = await sharedApp()
    const { clientId, events } = await tokenPool(
      app,
      'V1_0',
      answering({
        claimsOverrideDetails: {
          claimsToAddOrOverride: { tenant: 'north', email: 'other@example.com', sub: 'forged' },
          claimsToSuppress: ['email_verified'],
          groupOverrideDetails: {
            groupsToOverride: ['admins'],
            iamRolesToOverride: [role('admins')],
            preferredRole: role('admins'),
          },
        },
      }),
    )
    const tokens = await signIn(app, clientId, 'ann')
    const [id, access] = [claimsOf(tokens.id), claimsOf(tokens.access)]
    assert.equal(id['tenant'], 'north')
    assert.equal(id['email'], 'other@example.com')
    assert.equal(id['email_verified'], undefined)
    assert.notEqual(id['sub'], 'forged')
    assert.deepEqual(id['cognito:groups'], ['admins'])
    assert.deepEqual(id['cognito:roles'], [role('admins')])
    assert.deepEqual(access['cognito:groups'], ['admins'])
    assert.equal(access['tenant'], undefined)
    const [event] = events
    assert.equal(event?.version, '1')
    assert.equal(event?.triggerSource, 'TokenGeneration_Authentication')
    assert.deepEqual(event?.response, { claimsOverrideDetails: null })
    const { userAttributes, ...request } = event?.request ?? {}
    assert.equal((userAttributes as Record<string, string>)['email'], 'ann@example.com')
    assert.deepEqual(request, {
      groupConfiguration: {
        groupsToOverride: ['staff'],
        iamRolesToOverride: [role('staff')],
        preferredRole: role('staff'),
      },
    })
    assert.equal((await app.aws.getUser({ AccessToken: tokens.access })).Username, 'ann')
  })

  for (const [version, number] of [
    ['V2_0', '2'],
    ['V3_0', '3'],
  ] as const) {
    test(`version ${number} changes both tokens and the scopes`, async () => {
      const app = await sharedApp()
      const { clientId, events } = await tokenPool(
        app,
        version,
        answering({
          claimsAndScopeOverrideDetails: {
            idTokenGeneration: { claimsToAddOrOverride: { roles: ['a', 'b'] } },
            accessTokenGeneration: {
              claimsToAddOrOverride: { tenant: { id: 7 } },
              claimsToSuppress: ['cognito:groups'],
              scopesToAdd: ['api/read'],
            },
          },
        }),
      )
      const tokens = await signIn(app, clientId, 'ann')
      const [id, access] = [claimsOf(tokens.id), claimsOf(tokens.access)]
      assert.deepEqual(id['roles'], ['a', 'b'])
      assert.deepEqual(id['cognito:groups'], ['staff'])
      assert.deepEqual(access['tenant'], { id: 7 })
      assert.equal(access['cognito:groups'], undefined)
      assert.equal(access['scope'], 'aws.cognito.signin.user.admin api/read')
      assert.equal(events[0]?.version, number)
      assert.deepEqual(events[0]?.request['scopes'], ['aws.cognito.signin.user.admin'])
      assert.deepEqual(events[0]?.response, { claimsAndScopeOverrideDetails: null })
    })
  }

  test('suppressing the self-service scope closes the self-service operations', async () => {
    const app = await sharedApp()
    const { clientId } = await tokenPool(
      app,
      'V2_0',
      answering({
        claimsAndScopeOverrideDetails: {
          accessTokenGeneration: { scopesToSuppress: ['aws.cognito.signin.user.admin'] },
        },
      }),
    )
    const { access } = await signIn(app, clientId, 'ann')
    await assert.rejects(app.aws.getUser({ AccessToken: access }), { name: 'NotAuthorizedException' })
  })

  test('the function runs at each refresh, with metadata where the operation has some, and changes are not kept', async () => {
    const app = await sharedApp()
    let number = 0
    const { clientId, events } = await tokenPool(app, 'V1_0', event => {
      number += 1
      return { ...event, response: { claimsOverrideDetails: { claimsToAddOrOverride: { [`n${number}`]: 'x' } } } }
    })
    const tokens = await signIn(app, clientId, 'ann')
    const second = claimsOf(tokensOf(await refresh(app, clientId, tokens.refresh)).id)
    assert.deepEqual([second['n1'], second['n2']], [undefined, 'x'])
    await app.aws.getTokensFromRefreshToken({
      ClientId: clientId,
      RefreshToken: tokens.refresh,
      ClientMetadata: { a: 'b' },
    })
    assert.deepEqual(
      events.map(event => [event.triggerSource, event.request['clientMetadata']]),
      [
        ['TokenGeneration_Authentication', undefined],
        ['TokenGeneration_RefreshTokens', undefined],
        ['TokenGeneration_RefreshTokens', { a: 'b' }],
      ],
    )
  })

  test('a rotating refresh token is not used up when the function throws', async () => {
    const app = await sharedApp()
    let broken = false
    const { clientId } = await tokenPool(
      app,
      'V1_0',
      event => {
        if (broken) throw new Error('Closed')
        return event
      },
      {
        ExplicitAuthFlows: allFlows.filter(flow => flow !== 'ALLOW_REFRESH_TOKEN_AUTH'),
        RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
      },
    )
    const tokens = await signIn(app, clientId, 'ann')
    const rotate = () => app.aws.getTokensFromRefreshToken({ ClientId: clientId, RefreshToken: tokens.refresh })
    broken = true
    await assert.rejects(rotate(), {
      name: 'UserLambdaValidationException',
      message: 'PreTokenGeneration failed with error Closed.',
    })
    broken = false
    assert.ok((await rotate()).AuthenticationResult?.RefreshToken)
  })

  test('the first tokens of an invited user have a source of their own', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await tokenPool(app, 'V1_0', event => event)
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: 'bob',
      TemporaryPassword: password,
      MessageAction: 'SUPPRESS',
    })
    const { Session } = await beginWithPassword(app, clientId, 'bob')
    assert.equal(events.length, 0)
    await app.aws.respondToAuthChallenge({
      ClientId: clientId,
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session,
      ChallengeResponses: { USERNAME: 'bob', NEW_PASSWORD: 'An0ther!pass' },
      ClientMetadata: { a: 'b' },
    })
    assert.deepEqual(
      events.map(event => [event.triggerSource, event.userName, event.request['clientMetadata']]),
      [['TokenGeneration_NewPasswordChallenge', 'bob', { a: 'b' }]],
    )
  })

  test('a function that throws, or returns what cannot be read, leaves the user without tokens', async () => {
    const app = await sharedApp()
    const failing = await tokenPool(app, 'V2_0', () => {
      throw new Error('No')
    })
    await assert.rejects(beginWithPassword(app, failing.clientId, 'ann'), {
      name: 'UserLambdaValidationException',
      message: 'PreTokenGeneration failed with error No.',
    })
    const wrong = { claimsOverrideDetails: { claimsToAddOrOverride: { a: 1 } } }
    const unreadable = await tokenPool(app, 'V1_0', answering(wrong))
    await assert.rejects(beginWithPassword(app, unreadable.clientId, 'ann'), {
      name: 'InvalidLambdaResponseException',
      message: 'Unrecognizable lambda output',
    })
  })
})
