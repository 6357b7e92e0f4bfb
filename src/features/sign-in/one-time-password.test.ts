import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { attributesOf, email, statusOf } from '../../../test/support/pools.ts'
import {
  beginWithPassword,
  claimsOf,
  failureOf,
  notAuthorized,
  password,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import {
  answerCode,
  beginChoice,
  choose,
  createChoicePool,
  createComplete,
  number,
} from '../../../test/support/user-auth.ts'

const wrongCode = { name: 'CodeMismatchException', message: 'Invalid code or auth state for the user.' }
const invalidSession = notAuthorized('Invalid session for the user.')
const sessionUsed = notAuthorized('Invalid session for the user, session can only be used once.')
const sessionExpired = notAuthorized('Invalid session for the user, session is expired.')

const all = ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP', 'SMS_OTP']

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  test('a mailed code of eight digits signs in, says so in the tokens, and verifies the address', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const challenge = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    assert.equal(challenge.ChallengeName, 'EMAIL_OTP')
    assert.deepEqual(challenge.AvailableChallenges, all)
    const [message] = await app.messages()
    assert.match(message?.code ?? '', /^[0-9]{8}$/)
    assert.equal(message?.body, `Your authentication code is ${message?.code}. `)
    assert.notEqual((await attributesOf(app, pool.poolId, 'ann'))['email_verified'], 'true')
    const { access, id } = tokensOf(await answerCode(app, pool, 'ann', challenge, message?.code ?? ''))
    for (const token of [access, id]) {
      assert.deepEqual(claimsOf(token)['amr'], ['email_otp'])
      assert.equal(claimsOf(token)['acr'], 'urn:cognito:loa:2')
    }
    const attributes = await attributesOf(app, pool.poolId, 'ann')
    assert.equal(attributes['email_verified'], 'true')
    assert.notEqual(attributes['phone_number_verified'], 'true')
    await app.aws.getUser({ AccessToken: access })
  })

  test('a code by text message is chosen, signs in and verifies the number', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const challenge = await choose(app, pool, 'ann', 'SMS_OTP')
    assert.equal(challenge.ChallengeName, 'SMS_OTP')
    assert.deepEqual(challenge.ChallengeParameters, {
      CODE_DELIVERY_DELIVERY_MEDIUM: 'SMS',
      CODE_DELIVERY_DESTINATION: '+*******1234',
    })
    const done = await answerCode(app, pool, 'ann', challenge, await app.lastCode(number))
    assert.deepEqual(claimsOf(tokensOf(done).access)['amr'], ['sms'])
    assert.equal((await attributesOf(app, pool.poolId, 'ann'))['phone_number_verified'], 'true')
  })

  test('a code of a first factor is none of a second factor, and the other way round', async () => {
    const pool = await createChoicePool(app, {
      pool: {
        EmailConfiguration: {
          EmailSendingAccount: 'DEVELOPER',
          SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/example.com',
        },
      },
    })
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'OPTIONAL',
      EmailMfaConfiguration: { Subject: 'Second', Message: 'Use {####}' },
    })
    await createComplete(app, pool, 'ann')
    const first = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    const [message] = await app.messages()
    assert.deepEqual([message?.subject, message?.body], ['Second', `Use ${message?.code}`])
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      EmailMfaSettings: { Enabled: true },
    })
    const second = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(second.ChallengeName, 'EMAIL_OTP')
    const secondCode = await app.lastCode()
    assert.match(secondCode, /^[0-9]{6}$/)
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', first, secondCode)), invalidSession)
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', second, message?.code ?? '')), wrongCode)
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', first, message?.code ?? '')), invalidSession)
    tokensOf(await answerCode(app, pool, 'ann', second, secondCode))
  })

  test('wrong codes leave the session alive, do not lock, and kill the code after five', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const challenge = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    const code = await app.lastCode()
    const wrong = `${(Number(code[0]) + 1) % 10}${code.slice(1)}`
    for (const text of [wrong, code.slice(2), `${code} `, code.replace(/./, '０')]) {
      assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', challenge, text)), wrongCode)
    }
    tokensOf(await answerCode(app, pool, 'ann', challenge, code))
    const next = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    for (let count = 1; count <= 6; count++) {
      assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', next, wrong)), wrongCode)
    }
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', next, await app.lastCode())), wrongCode)
    tokensOf(await beginWithPassword(app, pool.clientId, 'ann'))
  })

  test('a code and its session are good once and as long as the session, and only the newest code counts', async () => {
    const pool = await createChoicePool(app, { client: { AuthSessionValidity: 4 } })
    await createComplete(app, pool, 'ann')
    const begin = () => beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    const first = await begin()
    const firstCode = await app.lastCode()
    app.advance(minutes(4) - 1)
    const second = await begin()
    const secondCode = await app.lastCode()
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', first, firstCode)), wrongCode)
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', first, secondCode)), wrongCode)
    app.advance(1)
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', first, secondCode)), sessionExpired)
    tokensOf(await answerCode(app, pool, 'ann', second, secondCode))
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', second, secondCode)), sessionUsed)
  })

  test('a code confirms a user who signed up, and the password goes on needing that', async () => {
    const pool = await createChoicePool(app)
    await app.aws.signUp({
      ClientId: pool.clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
    })
    const ConfirmationCode = await app.lastCode()
    const unconfirmed = { name: 'UserNotConfirmedException', message: 'User is not confirmed.' }
    assert.deepEqual(await failureOf(choose(app, pool, 'ann', 'PASSWORD', { PASSWORD: password })), unconfirmed)
    const challenge = await choose(app, pool, 'ann', 'EMAIL_OTP')
    tokensOf(await answerCode(app, pool, 'ann', challenge, await app.lastCode()))
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'CONFIRMED')
    assert.equal((await attributesOf(app, pool.poolId, 'ann'))['email_verified'], 'true')
    assert.deepEqual(
      await failureOf(app.aws.confirmSignUp({ ClientId: pool.clientId, Username: 'ann', ConfirmationCode })),
      notAuthorized('User cannot be confirmed. Current status is CONFIRMED'),
    )
    tokensOf(await beginWithPassword(app, pool.clientId, 'ann'))
  })
})
