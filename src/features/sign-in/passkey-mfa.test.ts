import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { smsFactor, tokenFactor } from '../../../test/support/mfa.ts'
import {
  beginPasskey,
  createPasskeyPool,
  createPasskeyUser,
  offeredTo,
  passkeyRefused as refused,
  registerPasskey,
} from '../../../test/support/passkeys.ts'
import { phone, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginWithPassword,
  claimsOf,
  failureOf,
  notAuthorized,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import {
  abroad,
  contextData,
  type From,
  home,
  setRisk,
  signInFrom,
  takeover,
  watchedPool,
} from '../../../test/support/threat-protection.ts'

const noSession = notAuthorized('Invalid session for the user.')
const multiFactor = {
  RelyingPartyId: 'example.com',
  FactorConfiguration: 'MULTI_FACTOR_WITH_USER_VERIFICATION',
} as const

onEachDatabase(testApp => {
  let app: TestApp
  let users = 0

  before(async () => {
    app = await testApp()
  })

  const newUser = (in_: TestPool) => {
    users += 1
    return createPasskeyUser(app, in_, `user-${users}`)
  }

  describe('beside MFA', () => {
    const prefer = (in_: TestPool, username: string, more: object = {}) =>
      app.aws.adminSetUserMFAPreference({
        UserPoolId: in_.poolId,
        Username: username,
        SMSMfaSettings: { Enabled: true },
        ...more,
      })

    test('a passkey that counts for one is not offered to a user with a second factor', async () => {
      const own = await createPasskeyPool(app)
      await app.aws.setUserPoolMfaConfig({
        UserPoolId: own.poolId,
        MfaConfiguration: 'OPTIONAL',
        ...smsFactor,
        ...tokenFactor,
      })
      const { username, passkey } = await newUser(own)
      const begun = await beginPasskey(app, own, username)
      assert.equal(begun.challengeName, 'WEB_AUTHN')
      await prefer(own, username)
      assert.deepEqual(await failureOf(begun.answer(passkey.assert(begun.options))), noSession)
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP'])
    })

    test('a passkey that counts for two signs in where the user has chosen that', async () => {
      const own = await createPasskeyPool(app, { webAuthn: multiFactor })
      await app.aws.setUserPoolMfaConfig({ UserPoolId: own.poolId, MfaConfiguration: 'OPTIONAL', ...smsFactor })
      const { username, passkey } = await newUser(own)
      await prefer(own, username)
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP'])
      await prefer(own, username, { WebAuthnMfaSettings: { Enabled: true } })
      const begun = await beginPasskey(app, own, username)
      assert.equal(begun.options.userVerification, 'required')
      const unverified = passkey.assert(begun.options, { userVerified: false })
      assert.deepEqual(await failureOf(begun.answer(unverified)), refused)
      const { access } = tokensOf(await begun.answer(passkey.assert(begun.options)))
      assert.deepEqual(claimsOf(access)['amr'], ['swk'])
    })

    test('a passkey that counts for two is enough where MFA is required', async () => {
      const own = await createPasskeyPool(app, { webAuthn: multiFactor })
      const { username, passkey } = await newUser(own)
      await app.aws.setUserPoolMfaConfig({ UserPoolId: own.poolId, MfaConfiguration: 'ON', ...smsFactor })
      assert.deepEqual(await offeredTo(app, own, username), ['PASSWORD', 'PASSWORD_SRP', 'WEB_AUTHN'])
      const begun = await beginPasskey(app, own, username)
      assert.ok(tokensOf(await begun.answer(passkey.assert(begun.options))).access)
    })

    test('a passkey stands for nothing after a password', async () => {
      const own = await createPasskeyPool(app, { webAuthn: multiFactor })
      const { username, passkey } = await newUser(own)
      await app.aws.setUserPoolMfaConfig({ UserPoolId: own.poolId, MfaConfiguration: 'ON', ...smsFactor })
      const { ChallengeName, Session } = await beginWithPassword(app, own.clientId, username)
      assert.equal(ChallengeName, 'SMS_MFA')
      const respond = app.aws.respondToAuthChallenge({
        ClientId: own.clientId,
        ChallengeName: 'WEB_AUTHN',
        Session,
        ChallengeResponses: { USERNAME: username, CREDENTIAL: passkey.assert({ challenge: 'AAAA' }) },
      })
      assert.deepEqual(await failureOf(respond), noSession)
    })
  })

  test('a second factor that risk asks for comes after a passkey as well', async () => {
    const own = await watchedPool(
      app,
      'ENFORCED',
      { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } } },
      { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH'] },
    )
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: own.poolId,
      MfaConfiguration: 'OPTIONAL',
      ...smsFactor,
      WebAuthnConfiguration: { RelyingPartyId: 'example.com' },
    })
    await setRisk(app, own, takeover('MFA_REQUIRED'))
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: own.poolId,
      Username: 'ann',
      UserAttributes: [phone('+12065551234')],
    })
    const { access } = tokensOf(await signInFrom(app, own, home))
    const passkey = await registerPasskey(app, access)
    app.advance(minutes(1))

    const ids = { UserPoolId: own.poolId, ClientId: own.clientId }
    const signInWithPasskey = async (from: From) => {
      const { Session, ChallengeParameters } = await app.aws.adminInitiateAuth({
        ...ids,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: 'ann', PREFERRED_CHALLENGE: 'WEB_AUTHN' },
        ContextData: contextData(from),
      })
      const options = JSON.parse(ChallengeParameters?.['CREDENTIAL_REQUEST_OPTIONS'] ?? '')
      return app.aws.adminRespondToAuthChallenge({
        ...ids,
        ChallengeName: 'WEB_AUTHN',
        Session,
        ChallengeResponses: { USERNAME: 'ann', CREDENTIAL: passkey.assert(options) },
        ContextData: contextData(from),
      })
    }
    assert.ok(tokensOf(await signInWithPasskey(home)).access)
    app.advance(minutes(1))
    const asked = await signInWithPasskey(abroad)
    assert.equal(asked.ChallengeName, 'SMS_MFA')
    const end = await app.aws.adminRespondToAuthChallenge({
      ...ids,
      ChallengeName: 'SMS_MFA',
      Session: asked.Session,
      ChallengeResponses: { USERNAME: 'ann', SMS_MFA_CODE: await app.lastCode('+12065551234') },
      ContextData: contextData(abroad),
    })
    assert.deepEqual(claimsOf(tokensOf(end).access)['amr'], ['swk', 'sms', 'mfa'])
  })
})
