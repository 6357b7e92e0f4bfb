/** Stock Amplify against the server: only the endpoint differs from an application on AWS. */
import assert from 'node:assert/strict'
import { before, beforeEach, test } from 'node:test'
import { Amplify } from 'aws-amplify'
import {
  confirmResetPassword,
  confirmSignIn,
  confirmSignUp,
  confirmUserAttribute,
  deleteUser,
  fetchAuthSession,
  fetchUserAttributes,
  getCurrentUser,
  resendSignUpCode,
  resetPassword,
  signIn,
  signOut,
  signUp,
  updatePassword,
  updateUserAttribute,
} from 'aws-amplify/auth'
import { onEachDatabase, type TestApp } from '../support/app.ts'

const email = 'ann@example.com'
const password = 'Corr3ct-horse!'

onEachDatabase(testApp => {
  let app: TestApp
  let poolId: string
  let clientId: string

  before(async () => {
    app = await testApp({ realTime: true })
  })

  beforeEach(async () => {
    await signOut().catch(() => undefined)
    const { UserPool } = await app.aws.createUserPool({
      PoolName: 'amplify',
      UsernameAttributes: ['email'],
      AutoVerifiedAttributes: ['email'],
    })
    poolId = UserPool?.Id ?? ''
    const { UserPoolClient } = await app.aws.createUserPoolClient({ UserPoolId: poolId, ClientName: 'amplify' })
    clientId = UserPoolClient?.ClientId ?? ''
    configure(clientId)
  })

  const configure = (userPoolClientId: string) =>
    Amplify.configure({
      Auth: {
        Cognito: { userPoolId: poolId, userPoolClientId, userPoolEndpoint: app.url, loginWith: { email: true } },
      },
    })

  const signUpAnn = async () => {
    const signedUp = await signUp({ username: email, password, options: { userAttributes: { email, name: 'Ann' } } })
    assert.equal(signedUp.nextStep.signUpStep, 'CONFIRM_SIGN_UP')
    const confirmed = await confirmSignUp({ username: email, confirmationCode: await app.lastCode(email) })
    assert.equal(confirmed.isSignUpComplete, true)
    return signedUp
  }

  test('a user signs up, confirms, signs in by SRP and reads the session', async () => {
    const signedUp = await signUpAnn()
    const { isSignedIn } = await signIn({ username: email, password })
    assert.equal(isSignedIn, true)
    const user = await getCurrentUser()
    assert.equal(user.userId, signedUp.userId)
    const { tokens, userSub } = await fetchAuthSession()
    assert.equal(userSub, signedUp.userId)
    assert.equal(tokens?.idToken?.payload['email'], email)
    assert.equal(tokens?.accessToken.payload['client_id'], clientId)
    assert.deepEqual(await fetchUserAttributes(), { sub: signedUp.userId, email, email_verified: 'true', name: 'Ann' })
  })

  test('a sign-up asks for its code again and the newest code counts', async () => {
    await signUp({ username: email, password, options: { userAttributes: { email } } })
    const older = await app.lastCode(email)
    const { destination } = await resendSignUpCode({ username: email })
    assert.equal(destination, 'a***@e***')
    const newer = await app.lastCode(email)
    if (newer !== older) {
      await assert.rejects(confirmSignUp({ username: email, confirmationCode: older }), {
        name: 'CodeMismatchException',
      })
    }
    assert.equal((await confirmSignUp({ username: email, confirmationCode: newer })).isSignUpComplete, true)
  })

  test('a wrong password is refused, and an unconfirmed user is sent to confirmation', async () => {
    await signUp({ username: email, password, options: { userAttributes: { email } } })
    const { nextStep } = await signIn({ username: email, password })
    assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_UP')
    await confirmSignUp({ username: email, confirmationCode: await app.lastCode(email) })
    await assert.rejects(signIn({ username: email, password: 'Wr0ng-horse!' }), {
      name: 'NotAuthorizedException',
      message: 'Incorrect username or password.',
    })
    assert.equal((await signIn({ username: email, password })).isSignedIn, true)
  })

  test('the session is refreshed on demand, and signing out everywhere ends it', async () => {
    await signUpAnn()
    await signIn({ username: email, password })
    const first = await fetchAuthSession()
    const second = await fetchAuthSession({ forceRefresh: true })
    assert.notEqual(second.tokens?.accessToken.toString(), first.tokens?.accessToken.toString())
    assert.equal(second.tokens?.accessToken.payload['origin_jti'], first.tokens?.accessToken.payload['origin_jti'])
    const AccessToken = second.tokens?.accessToken.toString()
    await signOut({ global: true })
    await assert.rejects(app.aws.getUser({ AccessToken }), { message: 'Access Token has been revoked' })
    assert.equal((await fetchAuthSession()).tokens, undefined)
  })

  test('a plain sign-out revokes the tokens of the device', async () => {
    await signUpAnn()
    await signIn({ username: email, password })
    const { tokens } = await fetchAuthSession()
    await signOut()
    await assert.rejects(app.aws.getUser({ AccessToken: tokens?.accessToken.toString() }), {
      message: 'Access Token has been revoked',
    })
  })

  test('tokens are refreshed with rotation when the client asks for it', async () => {
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId: poolId,
      ClientName: 'rotating',
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
    })
    configure(UserPoolClient?.ClientId ?? '')
    await signUpAnn()
    await signIn({ username: email, password })
    for (let refresh = 0; refresh < 3; refresh++) {
      const { tokens } = await fetchAuthSession({ forceRefresh: true })
      assert.equal(tokens?.idToken?.payload['email'], email)
    }
  })

  test('a forgotten password is reset with the mailed code', async () => {
    await signUpAnn()
    const { nextStep } = await resetPassword({ username: email })
    assert.equal(nextStep.resetPasswordStep, 'CONFIRM_RESET_PASSWORD_WITH_CODE')
    assert.equal(nextStep.codeDeliveryDetails.destination, 'a***@e***')
    const newPassword = 'N3w-correct-horse!'
    await confirmResetPassword({ username: email, confirmationCode: await app.lastCode(email), newPassword })
    await assert.rejects(signIn({ username: email, password }), { name: 'NotAuthorizedException' })
    assert.equal((await signIn({ username: email, password: newPassword })).isSignedIn, true)
  })

  test('a signed-in user changes password and attributes, and leaves', async () => {
    await signUpAnn()
    await signIn({ username: email, password })
    await updatePassword({ oldPassword: password, newPassword: 'N3w-correct-horse!' })
    const moved = 'ann@moved.example'
    const { nextStep } = await updateUserAttribute({ userAttribute: { attributeKey: 'email', value: moved } })
    assert.equal(nextStep.updateAttributeStep, 'CONFIRM_ATTRIBUTE_WITH_CODE')
    await confirmUserAttribute({ userAttributeKey: 'email', confirmationCode: await app.lastCode(moved) })
    const attributes = await fetchUserAttributes()
    assert.equal(attributes.email, moved)
    assert.equal(attributes.email_verified, 'true')
    await deleteUser()
    await assert.rejects(signIn({ username: moved, password: 'N3w-correct-horse!' }), { name: 'UserNotFoundException' })
  })

  test('an invited user chooses a password at the first sign-in', async () => {
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: email,
      TemporaryPassword: 'T3mporary!',
      DesiredDeliveryMediums: ['EMAIL'],
    })
    assert.equal(await app.lastCode(email), 'T3mporary!')
    const { nextStep } = await signIn({ username: email, password: 'T3mporary!' })
    assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED')
    assert.equal((await confirmSignIn({ challengeResponse: password })).isSignedIn, true)
  })

  test('user and password without SRP works where the client allows it', async () => {
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId: poolId,
      ClientName: 'password',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    })
    await signUpAnn()
    const options = { authFlowType: 'USER_PASSWORD_AUTH' } as const
    await assert.rejects(signIn({ username: email, password, options }), {
      message: 'USER_PASSWORD_AUTH flow not enabled for this client',
    })
    configure(UserPoolClient?.ClientId ?? '')
    assert.equal((await signIn({ username: email, password, options })).isSignedIn, true)
  })
})
