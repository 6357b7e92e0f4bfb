/**
 * Every value that is good for one thing, at every place that takes another: nowhere is one taken for the other, and none
 * is used up by the try, which the end of the test shows by using each where it belongs.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type OAuthExtension, oauthExtensions } from '../../src/core/oauth-extensions.ts'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { createJob } from '../support/import.ts'
import { respond } from '../support/mfa.ts'
import {
  answerIn,
  authorizeUrl,
  browserOf,
  callback,
  codeClient,
  codeFor,
  createOAuthClient,
  postForm,
  redeem,
  requestTokens,
  visit,
} from '../support/oauth.ts'
import { email, phone, type TestPool, verified } from '../support/pools.ts'
import { addSamlProvider, arriveFromIdp, departToIdp, responseTo } from '../support/saml-journey.ts'
import { beginSrp, createUser, password, refresh, signIn } from '../support/sign-in.ts'
import { beginChoice, choiceFlows, createChoicePool, number } from '../support/user-auth.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** A place that takes values of one kind. */
interface Place {
  /** Whether the value was taken. */
  takes: (value: string) => Promise<boolean>
  /** It takes digits and counts its tries, so that only other codes are tried there. */
  isForCodes?: true
}

const succeeds = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    (error: { $metadata?: { httpStatusCode?: number } }) => {
      assert.equal(error.$metadata?.httpStatusCode, 400, String(error))
      return false
    },
  )

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool
  before(async () => {
    app = await testApp({ settings: { oauthExtensions: Object.keys(oauthExtensions) as OAuthExtension[] } })
    pool = await createChoicePool(app, {
      client: { ...codeClient, ...choiceFlows, ExplicitAuthFlows: choiceFlows.ExplicitAuthFlows },
      pool: { AutoVerifiedAttributes: ['email'] },
    })
    const attributes = [email('ann@example.com'), verified('email'), phone(number), verified('phone_number')]
    await createUser(app, pool.poolId, 'ann', attributes)
    await createUser(app, pool.poolId, 'bob')
    await addSamlProvider(app, pool.poolId, { AttributeMapping: {} })
  })

  test('a value that is good for one thing is good for nothing else', async () => {
    const { aws } = app
    const { clientId: ClientId, poolId: UserPoolId } = pool
    const client = { ...pool, clientSecret: '' }
    const oauth = (path: string, fields: Record<string, string>) =>
      postForm(`${app.url}/oauth2/${path}`, { client_id: ClientId, ...fields })
    const choose = (Session: string) =>
      succeeds(respond(app, ClientId, 'ann', { ChallengeName: 'SELECT_CHALLENGE', Session }, { ANSWER: 'SMS_OTP' }))

    // Each is drawn for the same user and client, so that nothing but its kind is wrong elsewhere.
    const tokens = await signIn(app, ClientId, 'ann')
    const AccessToken = tokens.access
    const cookie = await browserOf(app, client, 'ann')
    const [cookieName = '', browserSession = ''] = cookie.split(/=(.*)/s)
    const srp = await beginSrp(app, pool, 'ann')
    const signUp = await aws.signUp({
      ClientId,
      Username: 'cid',
      Password: password,
      UserAttributes: [email('cid@example.com')],
    })
    const signUpCode = await app.lastCode('cid@example.com')
    await aws.forgotPassword({ ClientId, Username: 'ann' })
    const resetCode = await app.lastCode()
    await aws.getUserAttributeVerificationCode({ AccessToken, AttributeName: 'email' })
    const verificationCode = await app.lastCode('ann@example.com')
    const otp = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    const pushed = await oauth('par', { response_type: 'code', redirect_uri: callback })
    const device = await oauth('device_authorization', { scope: 'openid' })
    const { url: uploadUrl } = await createJob(app, UserPoolId)
    const upload = new URL(uploadUrl)
    const listUsers = (PaginationToken?: string) => aws.listUsers({ UserPoolId, Limit: 1, PaginationToken })
    const csrf =
      /name="_csrf" value="([^"]+)"/.exec(
        (
          await visit(
            `${app.url}/login?client_id=${ClientId}&response_type=code&redirect_uri=${encodeURIComponent(callback)}`,
          )
        ).body,
      )?.[1] ?? ''

    const corp = await createOAuthClient(app, UserPoolId, { SupportedIdentityProviders: ['COGNITO', 'Corp'] })
    const departed = await departToIdp(app, corp)

    const values: Record<string, string> = {
      'state of a sign-in at a provider': departed.relayState,
      'session of a sign-in': (await beginChoice(app, pool, 'ann')).Session ?? '',
      'session of a sign-up': signUp.Session ?? '',
      'secret block': srp.parameters['SECRET_BLOCK'] ?? '',
      'access token': AccessToken,
      'id token': tokens.id,
      'refresh token': tokens.refresh,
      'authorization code': await codeFor(app, client, cookie),
      'pushed request': String(pushed.json['request_uri']),
      'device code': String(device.json['device_code']),
      'user code': String(device.json['user_code']),
      'session of a browser': browserSession,
      'token of a form': csrf,
      'page token': (await listUsers()).PaginationToken ?? '',
      'signature of an upload': upload.searchParams.get('signature') ?? '',
      'code of a sign-up': signUpCode,
      'code of a reset': resetCode,
      'code of a verification': verificationCode,
      'code of a sign-in': await app.lastCode('ann@example.com'),
    }
    for (const [name, value] of Object.entries(values)) assert.notEqual(value, '', name)

    const places: Record<string, Place> = {
      'state of a sign-in at a provider': {
        takes: async relayState => {
          const response = responseTo(app, corp, departed)
          const { location } = await arriveFromIdp(app, { ...departed, relayState }, response)
          return location !== null && answerIn(location).has('code')
        },
      },
      'session of a sign-in': { takes: choose },
      'session of a sign-up': {
        takes: Session =>
          succeeds(aws.confirmSignUp({ ClientId, Username: 'cid', ConfirmationCode: signUpCode, Session })),
      },
      'secret block': {
        takes: async block =>
          block.length < 100_000 && succeeds(srp.answer(password, { PASSWORD_CLAIM_SECRET_BLOCK: block })),
      },
      'access token': { takes: async token => succeeds(aws.getUser({ AccessToken: token })) },
      'refresh token': { takes: token => succeeds(refresh(app, ClientId, token)) },
      'authorization code': { takes: async code => (await redeem(app, client, code)).status === 200 },
      'pushed request': {
        takes: async request_uri => {
          const url = `${app.url}/oauth2/authorize?${new URLSearchParams({ client_id: ClientId, request_uri })}`
          const { location } = await visit(url, { cookie })
          return location !== null && answerIn(location).has('code')
        },
      },
      'device code': {
        takes: async code => {
          const { json } = await requestTokens(app, client, { grant_type: deviceGrant, device_code: code })
          return json['error'] === 'authorization_pending' || 'access_token' in json
        },
      },
      'session of a browser': {
        takes: async value => {
          const { location } = await visit(authorizeUrl(app, client), {
            cookie: `${cookieName}=${encodeURIComponent(value)}`,
          })
          return location !== null && answerIn(location).has('code')
        },
      },
      'page token': { takes: token => succeeds(listUsers(token)) },
      'signature of an upload': {
        takes: async signature => {
          const url = new URL(upload)
          url.searchParams.set('signature', signature)
          return (await fetch(url, { method: 'PUT', body: 'name' })).status === 200
        },
      },
      'code of a verification': {
        isForCodes: true,
        takes: Code => succeeds(aws.verifyUserAttribute({ AccessToken, AttributeName: 'email', Code })),
      },
      'code of a sign-in': {
        isForCodes: true,
        takes: code => succeeds(respond(app, ClientId, 'ann', otp, { EMAIL_OTP_CODE: code })),
      },
      'code of a reset': {
        isForCodes: true,
        takes: ConfirmationCode =>
          succeeds(
            aws.confirmForgotPassword({ ClientId, Username: 'ann', ConfirmationCode, Password: 'N3w-Passw0rd' }),
          ),
      },
    }
    const more: [title: string, takes: (value: string) => Promise<boolean>][] = [
      ['AssociateSoftwareToken', Session => succeeds(aws.associateSoftwareToken({ Session }))],
      ['VerifySoftwareToken', Session => succeeds(aws.verifySoftwareToken({ Session, UserCode: '000000' }))],
      [
        'the refresh grant',
        async token =>
          token !== tokens.refresh &&
          (await requestTokens(app, client, { grant_type: 'refresh_token', refresh_token: token })).status === 200,
      ],
      [
        'GetTokensFromRefreshToken',
        async RefreshToken =>
          RefreshToken !== tokens.refresh && succeeds(aws.getTokensFromRefreshToken({ ClientId, RefreshToken })),
      ],
      [
        'userInfo',
        async token =>
          token !== AccessToken &&
          (await visit(`${app.url}/oauth2/userInfo`, { authorization: `Bearer ${token}` })).status === 200,
      ],
    ]

    let tried = 0
    for (const [kind, value] of Object.entries(values)) {
      for (const [place, { takes, isForCodes = false }] of Object.entries(places)) {
        if (kind === place || (isForCodes && !kind.startsWith('code '))) continue
        assert.equal(await takes(value), false, `${kind} in the place of a ${place}`)
        tried += 1
      }
      if (kind.startsWith('code ') && kind !== 'code of a sign-up') {
        const confirmation = { ClientId, Username: 'cid', ConfirmationCode: value }
        assert.equal(await succeeds(aws.confirmSignUp(confirmation)), false, `${kind} at a sign-up`)
      }
      for (const [title, takes] of more) assert.equal(await takes(value), false, `${kind} at ${title}`)
    }
    assert.ok(tried > 190)
    // What is here was good all the time. The reset comes last, because it ends much else.
    for (const [kind, { takes }] of Object.entries(places)) {
      assert.equal(await takes(values[kind] ?? ''), true, `${kind} where it belongs`)
    }
  })
})
