/** The budget of wrong codes over everything at once: all flows that take a code, two clients, two nodes on one database. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hours, minutes, openTestApp, type TestApp } from '../../../test/support/app.ts'
import { authenticator, respond, tokenFactor } from '../../../test/support/mfa.ts'
import { createClient, email, phone, type TestPool } from '../../../test/support/pools.ts'
import { beginWithPassword, exceeded, failureOf, password, signIn, tokensOf } from '../../../test/support/sign-in.ts'
import { answerCode, beginChoice, choiceFlows, createChoicePool, number } from '../../../test/support/user-auth.ts'

const limit = { name: 'LimitExceededException', message: 'Attempt limit exceeded, please try after some time.' }
const address = 'ann@example.com'
const lasting = { ...choiceFlows, AccessTokenValidity: 24 }

/** Another code of the same length, each time another one. */
const other = (code: string, by: number): string => `${(Number(code[0]) + 1 + by) % 10}${code.slice(1)}`

describe('two nodes on one PostgreSQL', () => {
  let nodes: [TestApp, TestApp]
  let pool: TestPool
  let clients: [string, string]
  before(async () => {
    const first = await openTestApp('postgres', { publicUrl: 'https://id.example.com' })
    nodes = [first, await first.secondNode()]
    pool = await createChoicePool(first, { client: lasting, pool: { AutoVerifiedAttributes: ['email'] } })
    await first.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, MfaConfiguration: 'OPTIONAL', ...tokenFactor })
    clients = [pool.clientId, await createClient(first, pool.poolId, lasting)]
  })
  after(async () => {
    for (const node of nodes) await node.close()
  })

  let turn = 0
  /** Each request goes to the other node, and each second one comes from the other client. */
  const next = () => {
    turn += 1
    return { node: nodes[turn % 2] as TestApp, ClientId: clients[(turn >> 1) % 2] as string }
  }

  let wrong = 0
  const refusedAsWrong = async (call: Promise<unknown>, what: string): Promise<void> => {
    wrong += 1
    assert.equal((await failureOf(call))?.name, 'CodeMismatchException', `${what}, wrong code ${wrong}`)
  }

  const confirm = (ConfirmationCode: string) => {
    const { node, ClientId } = next()
    return node.aws.confirmSignUp({ ClientId, Username: 'ann', ConfirmationCode })
  }
  const resend = () => {
    const { node, ClientId } = next()
    return node.aws.resendConfirmationCode({ ClientId, Username: 'ann' })
  }
  const forget = () => {
    const { node, ClientId } = next()
    return node.aws.forgotPassword({ ClientId, Username: 'ann' })
  }
  const reset = (ConfirmationCode: string) => {
    const { node, ClientId } = next()
    return node.aws.confirmForgotPassword({ ClientId, Username: 'ann', ConfirmationCode, Password: 'N3w-Passw0rd' })
  }
  const ofPhone = (AccessToken: string) => ({ AccessToken, AttributeName: 'phone_number' })
  const verify = (access: string, Code: string) => next().node.aws.verifyUserAttribute({ ...ofPhone(access), Code })

  test('take a hundred wrong codes of a user a day, whatever they are for', async () => {
    const [{ aws, lastCode, advance }] = nodes
    await aws.signUp({
      ClientId: clients[0],
      Username: 'ann',
      Password: password,
      UserAttributes: [email(address), phone(number)],
    })
    for (let codes = 0; codes < 2; codes += 1) {
      const code = await lastCode(address)
      for (let tries = 0; tries < 5; tries += 1) await refusedAsWrong(confirm(other(code, tries)), 'ConfirmSignUp')
      assert.equal((await failureOf(confirm(code)))?.name, 'ExpiredCodeException')
      wrong += 1
      await resend()
    }
    await confirm(await lastCode(address))
    const { access } = await signIn(nodes[0], clients[0], 'ann')

    for (const [factor, codes] of [
      ['EMAIL_OTP', 5],
      ['SMS_OTP', 4],
    ] as const) {
      for (let index = 0; index < codes; index += 1) {
        const { node, ClientId: clientId } = next()
        const challenge = await beginChoice(node, { clientId }, 'ann', { PREFERRED_CHALLENGE: factor })
        // A sign-in goes on at either node, and only for its client.
        const on = nodes[index % 2] as TestApp
        const code = await lastCode(factor === 'EMAIL_OTP' ? address : number)
        for (let tries = 0; tries < 5; tries += 1) {
          await refusedAsWrong(answerCode(on, { clientId }, 'ann', challenge, other(code, tries)), factor)
        }
      }
    }
    for (let codes = 0; codes < 2; codes += 1) {
      await forget()
      await next().node.aws.getUserAttributeVerificationCode(ofPhone(access))
      const [resetCode, phoneCode] = [await lastCode(address), await lastCode(number)]
      for (let tries = 0; tries < 5; tries += 1) {
        await refusedAsWrong(reset(other(resetCode, tries)), 'ConfirmForgotPassword')
        await refusedAsWrong(verify(access, other(phoneCode, tries)), 'VerifyUserAttribute')
      }
    }

    const { SecretCode } = await aws.associateSoftwareToken({ AccessToken: access })
    const device = authenticator(nodes[0], SecretCode)
    await aws.verifySoftwareToken({ AccessToken: access, UserCode: device.code() })
    await aws.setUserMFAPreference({ AccessToken: access, SoftwareTokenMfaSettings: { Enabled: true } })
    const answerToken = async (code: string) => {
      const { node, ClientId } = next()
      const challenge = await beginWithPassword(node, ClientId, 'ann')
      return respond(next().node, ClientId, 'ann', challenge, { SOFTWARE_TOKEN_MFA_CODE: code })
    }
    while (wrong < 100) {
      await refusedAsWrong(answerToken(device.wrongCode()), 'SOFTWARE_TOKEN_MFA')
      // Fifteen minutes without a failure begin the lock of wrong factors anew.
      if (wrong % 4 === 0) advance(minutes(15))
    }

    await forget()
    const resetCode = await lastCode(address)
    await aws.getUserAttributeVerificationCode(ofPhone(access))
    const phoneCode = await lastCode(number)
    for (const _node of nodes) {
      assert.deepEqual(await failureOf(answerToken(device.code(1))), exceeded)
      assert.deepEqual(await failureOf(reset(resetCode)), limit)
      assert.deepEqual(await failureOf(verify(access, phoneCode)), limit)
    }
    advance(hours(24))
    tokensOf(await answerToken(device.code()))
  })
})
