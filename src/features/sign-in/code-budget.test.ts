import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { respond } from '../../../test/support/mfa.ts'
import { createClient, email, phone, type TestPool, verified } from '../../../test/support/pools.ts'
import { createUser, exceeded, failureOf, signIn, tokensOf } from '../../../test/support/sign-in.ts'
import { beginChoice, choiceFlows, createChoicePool, discreetChoice, number } from '../../../test/support/user-auth.ts'

const limit = { name: 'LimitExceededException', message: 'Attempt limit exceeded, please try after some time.' }
const wrongCode = { name: 'CodeMismatchException', message: 'Invalid code or auth state for the user.' }

/** Not the code. */
const other = (code: string): string => `${(Number(code[0]) + 1) % 10}${code.slice(1)}`

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const begin = (clientId: string, name: string) =>
    beginChoice(app, { clientId }, name, { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
  const answer = (clientId: string, name: string, challenge: Parameters<typeof respond>[3], code: string) =>
    respond(app, clientId, name, challenge, { EMAIL_OTP_CODE: code })

  /** So many wrong codes as first factor, five for each code. */
  const guess = async (clientId: string, name: string, count: number): Promise<void> => {
    for (let codes = 0; codes < count / 5; codes += 1) {
      const challenge = await begin(clientId, name)
      for (let tries = 0; tries < 5; tries += 1) {
        assert.deepEqual(await failureOf(answer(clientId, name, challenge, 'wrong')), wrongCode)
      }
    }
  }

  const createAnn = (pool: TestPool) =>
    createUser(app, pool.poolId, 'ann', [
      email('ann@example.com'),
      verified('email'),
      phone(number),
      verified('phone_number'),
    ])

  test('a hundred wrong codes a day are all there are, over flows and clients', async () => {
    const pool = await createChoicePool(app)
    await createAnn(pool)
    const second = await createClient(app, pool.poolId, choiceFlows)
    const { access } = await signIn(app, pool.clientId, 'ann')
    const forgot = { ClientId: second, Username: 'ann' }
    const reset = (ConfirmationCode: string) =>
      app.aws.confirmForgotPassword({ ...forgot, ConfirmationCode, Password: 'N3w-Passw0rd' })
    const verify = (Code: string) =>
      app.aws.verifyUserAttribute({ AccessToken: access, AttributeName: 'phone_number', Code })
    const askForVerification = () =>
      app.aws.getUserAttributeVerificationCode({ AccessToken: access, AttributeName: 'phone_number' })

    await guess(pool.clientId, 'ann', 50)
    await guess(second, 'ann', 40)
    await app.aws.forgotPassword(forgot)
    const resetCode = await app.lastCode()
    await askForVerification()
    const verificationCode = await app.lastCode(number)
    for (let tries = 0; tries < 4; tries += 1) {
      assert.equal((await failureOf(reset(other(resetCode))))?.name, 'CodeMismatchException')
      assert.equal((await failureOf(verify(other(verificationCode))))?.name, 'CodeMismatchException')
    }
    // A right code takes nothing of the budget, and does not give it anew.
    const right = await begin(second, 'ann')
    tokensOf(await answer(second, 'ann', right, await app.lastCode('ann@example.com')))
    const last = await begin(pool.clientId, 'ann')
    const code = await app.lastCode('ann@example.com')
    for (let tries = 0; tries < 2; tries += 1) {
      assert.deepEqual(await failureOf(answer(pool.clientId, 'ann', last, other(code))), wrongCode)
    }
    assert.deepEqual(await failureOf(answer(pool.clientId, 'ann', last, code)), exceeded)
    assert.deepEqual(await failureOf(reset(resetCode)), limit)
    assert.deepEqual(await failureOf(verify(verificationCode)), limit)

    app.advance(hours(24))
    const next = await begin(pool.clientId, 'ann')
    tokensOf(await answer(pool.clientId, 'ann', next, await app.lastCode('ann@example.com')))
  })

  test('a name that nobody has meets the same end at the same count', async () => {
    const pool = await createChoicePool(app, { client: discreetChoice })
    await createAnn(pool)
    for (const name of ['ann', 'ghost']) {
      await guess(pool.clientId, name, 95)
      const forgot = { ClientId: pool.clientId, Username: name }
      await app.aws.forgotPassword(forgot)
      const reset = { ...forgot, ConfirmationCode: 'wrong', Password: 'N3w-Passw0rd' }
      for (let tries = 0; tries < 5; tries += 1) {
        assert.equal((await failureOf(app.aws.confirmForgotPassword(reset)))?.name, 'CodeMismatchException', name)
      }
      assert.deepEqual(await failureOf(app.aws.confirmForgotPassword(reset)), limit, name)
      const challenge = await begin(pool.clientId, name)
      assert.deepEqual(await failureOf(answer(pool.clientId, name, challenge, 'wrong')), exceeded, name)
    }
  })

  test('of a hundred codes at once no more than five are looked at', async () => {
    const pool = await createChoicePool(app)
    await createAnn(pool)
    const challenge = await begin(pool.clientId, 'ann')
    const code = await app.lastCode('ann@example.com')
    const failures = await Promise.all(
      Array.from({ length: 99 }, () => failureOf(answer(pool.clientId, 'ann', challenge, other(code)))),
    )
    assert.deepEqual(new Set(failures.map(failure => failure?.name)), new Set([wrongCode.name]))
    // The code is dead after five, whatever came of the other tries.
    assert.deepEqual(await failureOf(answer(pool.clientId, 'ann', challenge, code)), wrongCode)
  })
})
