/** Stock Amplify, with the first factor chosen at sign-in and without passwords. */
import assert from 'node:assert/strict'
import { before, beforeEach, mock, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Amplify } from 'aws-amplify'
import { autoSignIn, confirmSignIn, confirmSignUp, fetchAuthSession, signIn, signOut, signUp } from 'aws-amplify/auth'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { password } from '../support/sign-in.ts'
import { createChoicePool } from '../support/user-auth.ts'

const username = 'ann@example.com'

/** Amplify leaves a timer of three minutes behind after each sign-up; it must not keep the tests from ending. */
const startTimer = globalThis.setTimeout
mock.method(globalThis, 'setTimeout', (run: () => void, ms?: number) => {
  const timer = startTimer(run, ms)
  return ms !== undefined && ms > 60_000 ? timer.unref() : timer
})

onEachDatabase(testApp => {
  let app: TestApp

  before(async () => {
    app = await testApp({ realTime: true })
  })

  beforeEach(async () => {
    await signOut().catch(() => undefined)
    // Amplify drops a call of autoSignIn that comes within 300 ms of the last one, and never answers it.
    await setTimeout(400)
  })

  /** A pool in which people are named by their address; configures Amplify for it. */
  const prepare = async () => {
    const pool = await createChoicePool(app, {
      factors: ['PASSWORD', 'EMAIL_OTP'],
      pool: { UsernameAttributes: ['email'] },
    })
    Amplify.configure({
      Auth: {
        Cognito: {
          userPoolId: pool.poolId,
          userPoolClientId: pool.clientId,
          userPoolEndpoint: app.url,
          loginWith: { email: true },
        },
      },
    })
    return pool
  }

  const proofs = async () => (await fetchAuthSession()).tokens?.idToken?.payload['amr']

  const createAnn = async () => {
    const { poolId } = await prepare()
    await app.aws.adminCreateUser({ UserPoolId: poolId, Username: username, MessageAction: 'SUPPRESS' })
    await app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: username, Password: password, Permanent: true })
  }

  test('a preferred code signs in', async () => {
    await createAnn()
    const { nextStep } = await signIn({
      username,
      options: { authFlowType: 'USER_AUTH', preferredChallenge: 'EMAIL_OTP' },
    })
    assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE')
    assert.deepEqual('codeDeliveryDetails' in nextStep && nextStep.codeDeliveryDetails, {
      deliveryMedium: 'EMAIL',
      destination: 'a***@e***',
    })
    await assert.rejects(confirmSignIn({ challengeResponse: '00000000' }), { name: 'CodeMismatchException' })
    const { isSignedIn } = await confirmSignIn({ challengeResponse: await app.lastCode(username) })
    assert.equal(isSignedIn, true)
    assert.deepEqual(await proofs(), ['email_otp'])
  })

  test('a preferred password signs in, sent or proven', async () => {
    await createAnn()
    for (const preferredChallenge of ['PASSWORD', 'PASSWORD_SRP'] as const) {
      const options = { authFlowType: 'USER_AUTH', preferredChallenge } as const
      await assert.rejects(signIn({ username, password: 'wrong', options }), { name: 'NotAuthorizedException' })
      assert.equal((await signIn({ username, password, options })).isSignedIn, true)
      assert.deepEqual(await proofs(), ['pwd'])
      await signOut()
    }
  })

  test('without a preference the user chooses', async () => {
    await createAnn()
    const begin = async () => {
      const { nextStep } = await signIn({ username, options: { authFlowType: 'USER_AUTH' } })
      assert.equal(nextStep.signInStep, 'CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION')
      assert.deepEqual('availableChallenges' in nextStep && nextStep.availableChallenges, [
        'PASSWORD',
        'PASSWORD_SRP',
        'EMAIL_OTP',
      ])
    }
    await begin()
    const byCode = await confirmSignIn({ challengeResponse: 'EMAIL_OTP' })
    assert.equal(byCode.nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE')
    assert.equal((await confirmSignIn({ challengeResponse: await app.lastCode(username) })).isSignedIn, true)
    await signOut()
    for (const choice of ['PASSWORD', 'PASSWORD_SRP']) {
      await begin()
      const byPassword = await confirmSignIn({ challengeResponse: choice })
      assert.equal(byPassword.nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_PASSWORD')
      assert.equal((await confirmSignIn({ challengeResponse: password })).isSignedIn, true)
      await signOut()
    }
  })

  for (const secret of [undefined, password]) {
    test(`who signs up ${secret === undefined ? 'without' : 'with'} a password is signed in after the confirmation`, async () => {
      await prepare()
      const signedUp = await signUp({
        username,
        ...(secret !== undefined && { password: secret }),
        options: { userAttributes: { email: username }, autoSignIn: { authFlowType: 'USER_AUTH' } },
      })
      assert.equal(signedUp.nextStep.signUpStep, 'CONFIRM_SIGN_UP')
      const confirmed = await confirmSignUp({ username, confirmationCode: await app.lastCode(username) })
      assert.equal(confirmed.nextStep.signUpStep, 'COMPLETE_AUTO_SIGN_IN')
      const sent = (await app.messages()).length
      assert.equal((await autoSignIn()).isSignedIn, true)
      assert.deepEqual(await proofs(), ['email_otp'])
      assert.equal((await app.messages()).length, sent)
    })
  }

  test('a user who is confirmed at once signs in with a code of his own', async () => {
    const { poolId } = await prepare()
    const PreSignUp = app.lambda('confirms', event => ({ ...event, response: { autoConfirmUser: true } }))
    await app.aws.updateUserPool({
      UserPoolId: poolId,
      AutoVerifiedAttributes: ['email'],
      Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
      LambdaConfig: { PreSignUp },
    })
    const signedUp = await signUp({
      username,
      options: { userAttributes: { email: username }, autoSignIn: { authFlowType: 'USER_AUTH' } },
    })
    assert.equal(signedUp.nextStep.signUpStep, 'COMPLETE_AUTO_SIGN_IN')
    const { nextStep } = await autoSignIn()
    assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE')
    assert.equal((await confirmSignIn({ challengeResponse: await app.lastCode(username) })).isSignedIn, true)
  })
})
