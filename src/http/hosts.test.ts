import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { openTestApp, type TestApp } from '../../test/support/app.ts'
import { browserOf, callback, createOAuthClient, type OAuthClient } from '../../test/support/oauth.ts'
import { createPool, email } from '../../test/support/pools.ts'
import { createUser } from '../../test/support/sign-in.ts'
import { createWire, jsonType, targetPrefix } from '../../test/support/wire.ts'

/** What a request may say of the host that it was sent to. */
const claims: Record<string, string>[] = [
  { host: 'evil.example' },
  { host: 'evil.example:9229' },
  { host: 'id.example.com.evil.example' },
  { host: 'ID.EXAMPLE.COM' },
  { 'x-forwarded-host': 'evil.example' },
  { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-port': '81' },
  { forwarded: 'host=evil.example;proto=http' },
  { 'x-forwarded-prefix': '//evil.example' },
  { 'x-original-url': 'https://evil.example/', 'x-rewrite-url': '//evil.example/' },
  { 'x-host': 'evil.example', 'x-forwarded-server': 'evil.example', 'x-http-host-override': 'evil.example' },
]

const app: TestApp = await openTestApp('sqlite', { publicUrl: 'https://id.example.com' })
const wire = createWire(app.url)
let client: OAuthClient
let cookie: string

before(async () => {
  const { poolId } = await createPool(app, {
    AutoVerifiedAttributes: ['email'],
    VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_LINK' },
    AdminCreateUserConfig: { InviteMessageTemplate: { EmailMessage: 'For {username}: {####}' } },
  })
  client = await createOAuthClient(app, poolId)
  await createUser(app, poolId, 'ann', [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }])
  // Over https the name of the cookie begins so.
  cookie = `__Host-${await browserOf(app, client, 'ann')}`
})
test.after(async () => {
  wire.close()
  await app.close()
})

const get = (path: string, headers: Record<string, string>) => wire.send({ method: 'GET', path, headers })
const authorize = () =>
  `/oauth2/authorize?${new URLSearchParams({ client_id: client.clientId, response_type: 'code', redirect_uri: callback })}`
const call = (operation: string, input: object, headers: Record<string, string>) =>
  wire.send({
    headers: { 'content-type': jsonType, 'x-amz-target': targetPrefix + operation, ...headers },
    body: JSON.stringify(input),
  })

for (const headers of claims) {
  const what = JSON.stringify(headers)
  test(`what a request says of its host changes nothing: ${what}`, async () => {
    const { poolId: UserPoolId, clientId: ClientId } = client
    const begun = await get(authorize(), headers)
    assert.equal(begun.headers['location'], authorize().replace('/oauth2/authorize', '/login'))
    const back = await get(authorize(), { ...headers, cookie })
    assert.match(String(back.headers['location']), /^https:\/\/app\.example\/callback\?code=/)

    // Addresses on a page have no host, and cookies no domain: what is kept, is kept for the host that was asked.
    const page = await get(begun.headers['location'] as string, headers)
    assert.equal(page.status, 200)
    assert.doesNotMatch(page.text, /evil|https?:\/\/(?!www\.w3\.org)/)
    for (const line of [page.headers['set-cookie'] ?? []].flat()) {
      assert.match(line, /^__Host-/)
      assert.doesNotMatch(line, /domain/i)
    }

    const discovery = await get(`/${UserPoolId}/.well-known/openid-configuration`, headers)
    const { issuer } = JSON.parse(discovery.text) as { issuer: string }
    assert.equal(issuer, `https://id.example.com/${UserPoolId}`)
    for (const [, host] of discovery.text.matchAll(/https?:\/\/([^/"]*)/g)) assert.equal(host, 'id.example.com')

    const Username = `u${claims.indexOf(headers)}`
    const UserAttributes = [{ Name: 'email', Value: `${Username}@example.com` }]
    const answers = [
      await call('SignUp', { ClientId, Username, Password: 'Passw0rd!', UserAttributes }, headers),
      await call('ForgotPassword', { ClientId, Username: 'ann' }, headers),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    const [forgotten, signedUp] = await app.messages()
    assert.match(signedUp?.body ?? '', /href="https:\/\/id\.example\.com\/confirmUser\//)
    for (const message of [forgotten, signedUp]) assert.doesNotMatch(JSON.stringify(message), /evil/)
  })
}

test('a Host that is none is not answered', async () => {
  for (const host of ['evil.example#id.example.com', 'id.example.com@evil.example', 'evil.example/id.example.com']) {
    const { status, headers } = await get(authorize(), { host })
    assert.deepEqual([status, headers['location']], [400, undefined], host)
  }
})

test('a target in absolute form is no target here', async () => {
  for (const target of [`http://evil.example${authorize()}`, `https://id.example.com${authorize()}`]) {
    const { status, headers } = await get(target, {})
    assert.deepEqual([status, headers['location']], [404, undefined], target)
  }
})

test('the host of one pool speaks for no other, whatever client is named', async () => {
  const { poolId: UserPoolId } = await createPool(app)
  await app.aws.createUserPoolDomain({ UserPoolId, Domain: 'other' })
  const host = 'other.id.example.com'
  const { status, headers, text } = await get(authorize(), { host, cookie })
  assert.deepEqual([status, headers['location']], [400, undefined])
  assert.match(text, /Client does not exist/)
})
