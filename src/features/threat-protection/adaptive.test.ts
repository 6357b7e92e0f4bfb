import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { RespondToAuthChallengeCommandOutput } from '@aws-sdk/client-cognito-identity-provider'
import { hours, minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { ownMail, registerAuthenticator } from '../../../test/support/mfa.ts'
import { beginPasskey, createPasskeyPool, newPasskey, registerPasskey } from '../../../test/support/passkeys.ts'
import { createClient, createUser, email, signIn, type TestPool } from '../../../test/support/pools.ts'
import { beginSrp, claimsOf, incorrect } from '../../../test/support/sign-in.ts'
import {
  abroad,
  allFlows,
  contextData,
  eventsOf,
  type From,
  home,
  Password,
  securityReasons,
  setRisk,
  signInFrom,
  takeover,
  watchedPool,
} from '../../../test/support/threat-protection.ts'
import { beginChoice, choiceFlows } from '../../../test/support/user-auth.ts'

const hiding = { PreventUserExistenceErrors: 'ENABLED' } as const
const optionalMfa = { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: true } } as const

const paris = { city: 'Paris', country: 'France', latitude: 48.86, longitude: 2.35 }
const tokyo = { city: 'Tokyo', country: 'Japan', latitude: 35.68, longitude: 139.69 }
const places = { find: (address: string) => ({ '198.51.100.7': paris, '203.0.113.9': tokyo })[address] }

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  /** A pool in which `ann` has signed in from home once. */
  const knownPool = async (...args: Parameters<typeof watchedPool> extends [unknown, ...infer Rest] ? Rest : never) => {
    const pool = await watchedPool(app, ...args)
    await signInFrom(app, pool, home)
    app.advance(minutes(1))
    return pool
  }
  const decisionOf = async (pool: TestPool, username?: string) => {
    const [event] = await eventsOf(app, pool, username)
    const { RiskDecision, RiskLevel } = event?.EventRisk ?? {}
    return [event?.EventResponse, RiskDecision, RiskLevel]
  }

  describe('in a pool that only watches', () => {
    test('a sign-in from another device and network passes and is on record with its level', async () => {
      const pool = await knownPool('AUDIT')
      assert.ok((await signInFrom(app, pool, abroad)).AuthenticationResult)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'AccountTakeover', 'Medium'])
      assert.equal((await app.messages()).filter(message => message.userPoolId === pool.poolId).length, 0)
    })

    test('what has passed is known from then on', async () => {
      const pool = await knownPool('AUDIT')
      await signInFrom(app, pool, abroad)
      app.advance(minutes(1))
      await signInFrom(app, pool, abroad)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'NoRisk', undefined])
    })

    test('wrong passwords before the right one raise the level', async () => {
      const pool = await knownPool('AUDIT')
      for (let tries = 0; tries < 5; tries += 1) {
        await assert.rejects(signInFrom(app, pool, home, { password: 'wrong' }), incorrect)
      }
      app.advance(minutes(1))
      await signInFrom(app, pool, home)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'AccountTakeover', 'Low'])
      app.advance(hours(2))
      await signInFrom(app, pool, home)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'NoRisk', undefined])
    })
  })

  describe('in a pool that acts', () => {
    test('every risk blocks where nothing is configured, and the first sign-in of a user is none', async () => {
      const pool = await knownPool('ENFORCED')
      assert.deepEqual(await decisionOf(pool), ['Pass', 'NoRisk', undefined])
      await assert.rejects(signInFrom(app, pool, abroad), securityReasons)
      assert.deepEqual(await decisionOf(pool), ['Fail', 'Block', 'Medium'])
      assert.ok((await signInFrom(app, pool, home)).AuthenticationResult)
    })

    test('what was blocked is not known afterwards', async () => {
      const pool = await knownPool('ENFORCED')
      for (let tries = 0; tries < 2; tries += 1) await assert.rejects(signInFrom(app, pool, abroad), securityReasons)
    })

    test('each level has its own action', async () => {
      const pool = await knownPool('ENFORCED')
      await setRisk(app, pool, {
        AccountTakeoverRiskConfiguration: {
          Actions: {
            LowAction: { EventAction: 'NO_ACTION', Notify: false },
            HighAction: { EventAction: 'BLOCK', Notify: false },
          },
        },
      })
      const otherNetwork: From = { ...home, address: '203.0.113.9' }
      assert.ok((await signInFrom(app, pool, otherNetwork)).AuthenticationResult)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'AccountTakeover', 'Low'])
      app.advance(minutes(1))
      // A level without an action goes on.
      assert.ok((await signInFrom(app, pool, { ...abroad, address: '192.0.2.1' })).AuthenticationResult)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'AccountTakeover', 'Medium'])
    })

    test('the configuration of a client takes the place of the pool’s', async () => {
      const pool = await knownPool('ENFORCED')
      const clientId = await createClient(app, pool.poolId, allFlows)
      await setRisk(app, pool, { ClientId: clientId, ...takeover('NO_ACTION') })
      assert.ok((await signInFrom(app, { ...pool, clientId }, abroad)).AuthenticationResult)
      const elsewhere = {
        ...abroad,
        address: '192.0.2.1',
        userAgent: 'Mozilla/5.0 (Macintosh; Mac OS X 10_15) Firefox/1',
      }
      await assert.rejects(signInFrom(app, pool, elsewhere), securityReasons)
    })

    test('a right password from a risky place is refused in the same words by every flow', async () => {
      const pool = await knownPool('ENFORCED', {}, hiding)
      const exchange = await beginSrp(app, pool, 'ann')
      await assert.rejects(exchange.answer(Password), securityReasons)
      await assert.rejects(signIn(app, pool.clientId, 'ann', Password), securityReasons)
    })

    test('wrong passwords and unknown users meet the same answer wherever they come from', async () => {
      const pool = await knownPool('ENFORCED', {}, hiding)
      for (const from of [home, abroad]) {
        for (const username of ['ann', 'nobody']) {
          await assert.rejects(signInFrom(app, pool, from, { username, password: 'wrong' }), incorrect)
        }
      }
    })

    test('somebody who travels faster than an airliner is blocked, where places are known', async () => {
      const own = await testApp({ places })
      const pool = await watchedPool(own, 'ENFORCED')
      await setRisk(own, pool, {
        AccountTakeoverRiskConfiguration: { Actions: { HighAction: { EventAction: 'BLOCK', Notify: false } } },
      })
      await signInFrom(own, pool, home)
      own.advance(hours(2))
      await assert.rejects(signInFrom(own, pool, { ...home, address: '203.0.113.9' }), securityReasons)
      const [event] = await eventsOf(own, pool)
      assert.equal(event?.EventRisk?.RiskLevel, 'High')
      assert.deepEqual([event?.EventContextData?.City, event?.EventContextData?.Country], ['Tokyo', 'Japan'])
      own.advance(hours(24))
      assert.ok((await signInFrom(own, pool, { ...home, address: '203.0.113.9' })).AuthenticationResult)
    })
  })

  describe('a second factor that risk asks for', () => {
    /** `ann` has an authenticator application and no preference; returns it. */
    const withAuthenticator = async (action: 'MFA_REQUIRED' | 'MFA_IF_CONFIGURED') => {
      const pool = await watchedPool(app, 'ENFORCED')
      await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, ...optionalMfa })
      await setRisk(app, pool, takeover(action))
      const { AuthenticationResult } = await signInFrom(app, pool, home)
      const device = await registerAuthenticator(app, AuthenticationResult?.AccessToken ?? '')
      app.advance(minutes(1))
      return { pool, device }
    }
    const answer = (
      pool: TestPool,
      from: From,
      Session: string | undefined,
      code: string,
    ): Promise<RespondToAuthChallengeCommandOutput> =>
      app.aws.adminRespondToAuthChallenge({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        ChallengeName: 'SOFTWARE_TOKEN_MFA',
        Session,
        ChallengeResponses: { USERNAME: 'ann', SOFTWARE_TOKEN_MFA_CODE: code },
        ContextData: contextData(from),
      })

    for (const action of ['MFA_REQUIRED', 'MFA_IF_CONFIGURED'] as const) {
      test(`${action}: a user who has one proves it, and only where there is risk`, async () => {
        const { pool, device } = await withAuthenticator(action)
        assert.ok((await signInFrom(app, pool, home)).AuthenticationResult)
        app.advance(minutes(1))
        const challenge = await signInFrom(app, pool, abroad)
        assert.equal(challenge.ChallengeName, 'SOFTWARE_TOKEN_MFA')
        assert.deepEqual(await decisionOf(pool), ['InProgress', 'AccountTakeover', 'Medium'])
        await assert.rejects(answer(pool, abroad, challenge.Session, device.wrongCode()), {
          name: 'CodeMismatchException',
        })
        assert.deepEqual(await decisionOf(pool), ['Fail', 'AccountTakeover', 'Medium'])
        const { AuthenticationResult } = await answer(pool, abroad, challenge.Session, device.code())
        const [event] = await eventsOf(app, pool)
        assert.equal(event?.EventResponse, 'Pass')
        assert.deepEqual(event?.ChallengeResponses, [
          { ChallengeName: 'Password', ChallengeResponse: 'Success' },
          { ChallengeName: 'Mfa', ChallengeResponse: 'Success' },
        ])
        assert.equal(claimsOf(AuthenticationResult?.AccessToken ?? '')['event_id'], event?.EventId)
        app.advance(seconds(60))
        assert.ok((await signInFrom(app, pool, abroad)).AuthenticationResult)
      })
    }

    test('an address that was not verified will do as a factor', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await app.aws.setUserPoolMfaConfig({
        UserPoolId: pool.poolId,
        MfaConfiguration: 'OPTIONAL',
        SmsMfaConfiguration: {
          SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sms', ExternalId: 'x' },
        },
      })
      await setRisk(app, pool, takeover('MFA_REQUIRED'))
      await app.aws.adminUpdateUserAttributes({
        UserPoolId: pool.poolId,
        Username: 'ann',
        UserAttributes: [{ Name: 'phone_number', Value: '+12065550100' }],
      })
      await signInFrom(app, pool, home)
      app.advance(minutes(1))
      assert.equal((await signInFrom(app, pool, abroad)).ChallengeName, 'SMS_MFA')
    })

    test('MFA_REQUIRED refuses a user who has none, who could be somebody else setting one up', async () => {
      for (const mfa of [optionalMfa, undefined]) {
        const pool = await watchedPool(app, 'ENFORCED')
        if (mfa !== undefined) await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, ...mfa })
        await setRisk(app, pool, takeover('MFA_REQUIRED'))
        await signInFrom(app, pool, home)
        app.advance(minutes(1))
        await assert.rejects(signInFrom(app, pool, abroad), securityReasons)
        assert.deepEqual(await decisionOf(pool), ['Fail', 'Block', 'Medium'])
      }
    })

    test('MFA_IF_CONFIGURED lets a user go on who has none', async () => {
      for (const mfa of [optionalMfa, undefined]) {
        const pool = await watchedPool(app, 'ENFORCED')
        if (mfa !== undefined) await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, ...mfa })
        await setRisk(app, pool, takeover('MFA_IF_CONFIGURED'))
        await signInFrom(app, pool, home)
        app.advance(minutes(1))
        assert.ok((await signInFrom(app, pool, abroad)).AuthenticationResult)
        assert.deepEqual(await decisionOf(pool), ['Pass', 'AccountTakeover', 'Medium'])
      }
    })

    test('a temporary password does not lead past it', async () => {
      const { pool, device } = await withAuthenticator('MFA_REQUIRED')
      const temporary = 'Giraffe-at-lunch-92'
      const named = { UserPoolId: pool.poolId, Username: 'ann' }
      await app.aws.adminSetUserPassword({ ...named, Password: temporary, Permanent: false })
      const begun = await signInFrom(app, pool, abroad, { password: temporary })
      assert.equal(begun.ChallengeName, 'NEW_PASSWORD_REQUIRED')
      const next = await app.aws.adminRespondToAuthChallenge({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        Session: begun.Session,
        ChallengeResponses: { USERNAME: 'ann', NEW_PASSWORD: `${Password}-2` },
        ContextData: contextData(home),
      })
      assert.equal(next.ChallengeName, 'SOFTWARE_TOKEN_MFA')
      assert.ok((await answer(pool, home, next.Session, device.code())).AuthenticationResult)
    })
  })

  describe('addresses', () => {
    const blocked = { RiskExceptionConfiguration: { BlockedIPRangeList: ['203.0.113.0/24', '2001:db8::/32'] } }

    test('a blocked one cannot sign in, whoever is named and with whatever password', async () => {
      const pool = await watchedPool(app, 'ENFORCED', {}, hiding)
      await setRisk(app, pool, blocked)
      for (const address of ['203.0.113.9', '2001:db8:1::9', '::ffff:203.0.113.9', '::ffff:cb00:7109']) {
        for (const username of ['ann', 'nobody']) {
          await assert.rejects(signInFrom(app, pool, { address }, { username }), securityReasons)
        }
      }
      assert.deepEqual(await decisionOf(pool), ['Fail', 'Block', undefined])
      await signInFrom(app, pool, home)
    })

    test('a blocked one cannot sign up, confirm or reset a password', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await setRisk(app, pool, { RiskExceptionConfiguration: { BlockedIPRangeList: ['127.0.0.1/32'] } })
      const named = { ClientId: pool.clientId, Username: 'bob' }
      await assert.rejects(
        app.aws.signUp({ ...named, Password, UserAttributes: [email('bob@example.com')] }),
        securityReasons,
      )
      await assert.rejects(app.aws.confirmSignUp({ ...named, ConfirmationCode: '123456' }), securityReasons)
      await assert.rejects(
        app.aws.confirmForgotPassword({ ...named, ConfirmationCode: '123456', Password }),
        securityReasons,
      )
      await assert.rejects(signIn(app, pool.clientId, 'ann', Password), securityReasons)
    })

    test('a sign-in that began elsewhere does not end at a blocked one', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      const exchange = await beginSrp(app, pool, 'ann')
      await setRisk(app, pool, { RiskExceptionConfiguration: { BlockedIPRangeList: ['127.0.0.1/32'] } })
      await assert.rejects(exchange.answer(Password), securityReasons)
    })

    test('refreshing tokens is not affected', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      const { AuthenticationResult } = await signIn(app, pool.clientId, 'ann', Password)
      await setRisk(app, pool, { RiskExceptionConfiguration: { BlockedIPRangeList: ['127.0.0.1/32'] } })
      const REFRESH_TOKEN = AuthenticationResult?.RefreshToken ?? ''
      const refresh = {
        ClientId: pool.clientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN },
      } as const
      assert.ok((await app.aws.initiateAuth(refresh)).AuthenticationResult)
    })

    test('all of IPv6 is none of IPv4', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await setRisk(app, pool, { RiskExceptionConfiguration: { BlockedIPRangeList: ['::/0'] } })
      assert.ok((await signInFrom(app, pool, home)).AuthenticationResult)
      await assert.rejects(signInFrom(app, pool, { address: '2600::1' }), securityReasons)
    })

    test('a pool that only watches blocks none', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      await setRisk(app, pool, blocked)
      assert.ok((await signInFrom(app, pool, { address: '203.0.113.9' })).AuthenticationResult)
    })

    test('no risk is judged at an address that is always allowed, unless it is blocked as well', async () => {
      const pool = await knownPool('ENFORCED')
      const SkippedIPRangeList = ['203.0.113.9/32']
      await setRisk(app, pool, { RiskExceptionConfiguration: { SkippedIPRangeList } })
      assert.ok((await signInFrom(app, pool, abroad)).AuthenticationResult)
      assert.deepEqual(await decisionOf(pool), ['Pass', 'NoRisk', undefined])
      await setRisk(app, pool, {
        RiskExceptionConfiguration: { SkippedIPRangeList, BlockedIPRangeList: ['203.0.113.0/24'] },
      })
      await assert.rejects(signInFrom(app, pool, abroad), securityReasons)
    })
  })

  describe('custom challenges', () => {
    const customPool = async (CustomAuthMode: 'AUDIT' | 'ENFORCED' | undefined) => {
      const name = `custom-${Math.abs(app.now())}-${CustomAuthMode}`
      const define = app.lambda(`define-${name}`, event => {
        const [last] = (event.request['session'] as { challengeResult: boolean }[]).slice(-1)
        if (last === undefined) event.response['challengeName'] = 'CUSTOM_CHALLENGE'
        event.response['issueTokens'] = last?.challengeResult === true
        event.response['failAuthentication'] = last?.challengeResult === false
        return event
      })
      const create = app.lambda(`create-${name}`, event => event)
      const verify = app.lambda(`verify-${name}`, event => {
        event.response['answerCorrect'] = event.request['challengeAnswer'] === 'right'
        return event
      })
      return watchedPool(app, 'ENFORCED', {
        UserPoolAddOns: {
          AdvancedSecurityMode: 'ENFORCED',
          ...(CustomAuthMode !== undefined && { AdvancedSecurityAdditionalFlows: { CustomAuthMode } }),
        },
        LambdaConfig: {
          DefineAuthChallenge: define,
          CreateAuthChallenge: create,
          VerifyAuthChallengeResponse: verify,
        },
      })
    }
    const run = async (pool: TestPool, from: From, ANSWER: string) => {
      const common = { UserPoolId: pool.poolId, ClientId: pool.clientId, ContextData: contextData(from) }
      const { Session } = await app.aws.adminInitiateAuth({
        ...common,
        AuthFlow: 'CUSTOM_AUTH',
        AuthParameters: { USERNAME: 'ann' },
      })
      return app.aws.adminRespondToAuthChallenge({
        ...common,
        ChallengeName: 'CUSTOM_CHALLENGE',
        Session,
        ChallengeResponses: { USERNAME: 'ann', ANSWER },
      })
    }

    test('leave no event and are not judged where the pool does not say so', async () => {
      const pool = await customPool(undefined)
      for (const from of [home, abroad]) assert.ok((await run(pool, from, 'right')).AuthenticationResult)
      assert.deepEqual(await eventsOf(app, pool), [])
    })

    test('are watched in AUDIT and blocked in ENFORCED', async () => {
      for (const mode of ['AUDIT', 'ENFORCED'] as const) {
        const pool = await customPool(mode)
        await run(pool, home, 'right')
        app.advance(minutes(1))
        await assert.rejects(run(pool, home, 'wrong'), incorrect)
        assert.deepEqual(await decisionOf(pool), ['Fail', 'NoRisk', undefined])
        app.advance(minutes(1))
        if (mode === 'ENFORCED') await assert.rejects(run(pool, abroad, 'right'), securityReasons)
        else assert.ok((await run(pool, abroad, 'right')).AuthenticationResult)
        const expected = mode === 'ENFORCED' ? ['Fail', 'Block', 'Medium'] : ['Pass', 'AccountTakeover', 'Medium']
        assert.deepEqual(await decisionOf(pool), expected)
      }
    })

    test('are refused where risk requires a second factor, for which they have no place', async () => {
      const pool = await customPool('ENFORCED')
      await run(pool, home, 'right')
      await setRisk(app, pool, takeover('MFA_REQUIRED'))
      app.advance(minutes(1))
      await assert.rejects(run(pool, abroad, 'right'), securityReasons)
    })
  })

  describe('first factors without a password', () => {
    test('a code by mail is watched like a password', async () => {
      const pool = await watchedPool(
        app,
        'ENFORCED',
        { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } },
        { ...choiceFlows, ...hiding },
      )
      const begin = (name: string) => beginChoice(app, pool, name, { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
      const answer = (Session: string | undefined, USERNAME: string, EMAIL_OTP_CODE: string) =>
        app.aws.respondToAuthChallenge({
          ClientId: pool.clientId,
          ChallengeName: 'EMAIL_OTP',
          Session,
          ChallengeResponses: { USERNAME, EMAIL_OTP_CODE },
        })
      const rows = () =>
        app.database.db.selectFrom('auth_events').selectAll().where('pool_id', '=', pool.poolId).execute()
      for (const name of ['ann', 'nobody@example.com']) {
        const { Session } = await begin(name)
        await assert.rejects(answer(Session, name, '00000000'), { name: 'CodeMismatchException' })
      }
      assert.deepEqual((await rows()).map(row => [row.response, row.user_id === null]).toSorted(), [
        ['Fail', false],
        ['Fail', true],
      ])
      const { Session } = await begin('ann')
      assert.ok((await answer(Session, 'ann', await app.lastCode('ann@example.com'))).AuthenticationResult)
      app.advance(minutes(1))
      await setRisk(app, pool, { RiskExceptionConfiguration: { BlockedIPRangeList: ['127.0.0.1/32'] } })
      for (const name of ['ann', 'nobody@example.com']) await assert.rejects(begin(name), securityReasons)
    })

    test('after a code by mail, risk asks for another factor, and refuses a user who has no other', async () => {
      const pool = await watchedPool(
        app,
        'ENFORCED',
        { ...ownMail, Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } },
        { ExplicitAuthFlows: [...(choiceFlows.ExplicitAuthFlows ?? []), 'ALLOW_ADMIN_USER_PASSWORD_AUTH'] },
      )
      await app.aws.setUserPoolMfaConfig({
        UserPoolId: pool.poolId,
        MfaConfiguration: 'OPTIONAL',
        SoftwareTokenMfaConfiguration: { Enabled: true },
        EmailMfaConfiguration: {},
      })
      const { AuthenticationResult } = await signInFrom(app, pool, home)
      const proveByMail = async (from: From) => {
        app.advance(minutes(1))
        const at = { UserPoolId: pool.poolId, ClientId: pool.clientId, ContextData: contextData(from) }
        const { Session, ChallengeName } = await app.aws.adminInitiateAuth({
          ...at,
          AuthFlow: 'USER_AUTH',
          AuthParameters: { USERNAME: 'ann', PREFERRED_CHALLENGE: 'EMAIL_OTP' },
        })
        assert.equal(ChallengeName, 'EMAIL_OTP')
        return app.aws.adminRespondToAuthChallenge({
          ...at,
          ChallengeName: 'EMAIL_OTP',
          Session,
          ChallengeResponses: { USERNAME: 'ann', EMAIL_OTP_CODE: await app.lastCode('ann@example.com') },
        })
      }
      assert.ok((await proveByMail(home)).AuthenticationResult)
      await setRisk(app, pool, takeover('MFA_REQUIRED'))
      await assert.rejects(proveByMail(abroad), securityReasons)
      await registerAuthenticator(app, AuthenticationResult?.AccessToken ?? '')
      assert.equal((await proveByMail(abroad)).ChallengeName, 'SOFTWARE_TOKEN_MFA')
    })

    test('a passkey that counts for two factors is judged as well', async () => {
      const pool = await createPasskeyPool(app, {
        webAuthn: { RelyingPartyId: 'example.com', FactorConfiguration: 'MULTI_FACTOR_WITH_USER_VERIFICATION' },
        client: choiceFlows,
        pool: { UserPoolTier: 'PLUS', UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } },
      })
      await createUser(app, pool.poolId, 'ann', Password, [email('ann@example.com')])
      const { AuthenticationResult } = await signIn(app, pool.clientId, 'ann', Password)
      const passkey = newPasskey()
      await registerPasskey(app, AuthenticationResult?.AccessToken ?? '', passkey)
      app.advance(minutes(1))
      const withPasskey = async () => {
        const { options, answer } = await beginPasskey(app, pool, 'ann')
        return answer(passkey.assert(options))
      }
      const answered = await withPasskey()
      const [event, first] = await eventsOf(app, pool)
      assert.deepEqual([event?.EventResponse, event?.ChallengeResponses], ['Pass', []])
      assert.equal(claimsOf(answered.AuthenticationResult?.AccessToken ?? '')['event_id'], event?.EventId)
      await app.aws.adminUpdateAuthEventFeedback({
        UserPoolId: pool.poolId,
        Username: 'ann',
        EventId: first?.EventId,
        FeedbackValue: 'Invalid',
      })
      await assert.rejects(withPasskey(), securityReasons)
    })
  })

  test('another user is judged by his own history', async () => {
    const pool = await knownPool('ENFORCED')
    await createUser(app, pool.poolId, 'bob', Password)
    assert.ok((await signInFrom(app, pool, abroad, { username: 'bob' })).AuthenticationResult)
    assert.deepEqual(await decisionOf(pool, 'bob'), ['Pass', 'NoRisk', undefined])
  })
})
