/** Who may call: signatures, access tokens, restricted keys and the walls between pools, for every operation there is. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { operations, structures } from '../../src/contract/model.ts'
import type { OperationName } from '../../src/contract/types.ts'
import { parsePolicy } from '../../src/core/iam-policy.ts'
import { onEachDatabase, openTestApp, type TestApp } from '../support/app.ts'
import { createSignedInUser, createTestPool, createTestUser, signInUser, testPassword } from '../support/directory.ts'
import { goodValue, smallestInput } from '../support/model-inputs.ts'
import { allFlows } from '../support/sign-in.ts'
import { assertUnharmed, contentOf } from '../support/unharmed.ts'
import { type Answer, createWire, exchange, jsonType, signatureForm, targetPrefix, type Wire } from '../support/wire.ts'

const names = Object.keys(operations) as OperationName[]
const signed = names.filter(name => operations[name].auth === 'sigv4')
const unsigned = names.filter(name => operations[name].auth === 'none')

interface Key {
  id: string
  secret: string
}

const admin: Key = { id: 'admin', secret: 'a'.repeat(40) }
const restricted: Key = { id: 'restricted', secret: 'r'.repeat(40) }

/** Sends a request that is signed like that of an SDK. */
const sendSigned = async (
  wire: Wire,
  url: string,
  key: Key,
  {
    method = 'POST',
    path = '/',
    headers = {},
    body = '',
  }: { method?: string; path?: string; headers?: Record<string, string>; body?: string },
): Promise<Answer> => {
  const { host, hostname, protocol } = new URL(url)
  const signer = new SignatureV4({
    credentials: { accessKeyId: key.id, secretAccessKey: key.secret },
    region: 'us-east-1',
    service: 'cognito-idp',
    sha256: Sha256,
  })
  const draft = { method, protocol, hostname, path, query: {}, headers: { host, ...headers }, body }
  const request = await signer.sign(draft)
  return wire.send({ method, path, headers: request.headers, body })
}

const callSigned = (wire: Wire, url: string, key: Key, name: string, input: unknown): Promise<Answer> =>
  sendSigned(wire, url, key, {
    headers: { 'content-type': jsonType, 'x-amz-target': `${targetPrefix}${name}` },
    body: JSON.stringify(input),
  })

describe('with access keys', () => {
  let app: TestApp
  let wire: Wire
  let token: string
  let own: { UserPoolId: string; ResourceArn: string }
  let foreign: { UserPoolId: string; ResourceArn: string }

  before(async () => {
    // The policy names a pool that exists only after the start, so it is filled in when the pool is there.
    const statement = {
      Effect: 'Allow',
      Action: 'cognito-idp:*',
      Resource: 'arn:aws:cognito-idp:us-east-1:123456789012:userpool/*',
    }
    const policyOf = (Resource: string) =>
      parsePolicy({ Version: '2012-10-17', Statement: [{ ...statement, Resource }] })
    const key = { ...restricted, policy: policyOf('arn:aws:cognito-idp:us-east-1:123456789012:userpool/none') }
    app = await openTestApp('sqlite', { accessKeys: [admin, key], realTime: true })
    wire = createWire(app.url)
    app.aws = app.client({ credentials: { accessKeyId: admin.id, secretAccessKey: admin.secret } })
    const create = async () => {
      const pool = await createTestPool(app)
      const { UserPool } = await app.aws.describeUserPool({ UserPoolId: pool.UserPoolId })
      return { ...pool, ResourceArn: UserPool?.Arn ?? '' }
    }
    const first = await create()
    own = first
    foreign = await create()
    key.policy = policyOf(own.ResourceArn)
    token = await createSignedInUser(app, first, 'ann')
  })
  after(async () => {
    wire.close()
    await app.close()
  })

  test('there are 105 signed operations, and none of them takes an unsigned request', async () => {
    assert.equal(signed.length, 105)
    await assertUnharmed(app, async () => {
      for (const name of signed) {
        const answer = await wire.call(name, smallestInput(name, own), { authorization: undefined })
        assert.deepEqual([answer.status, answer.type], [400, 'MissingAuthenticationTokenException'], name)
        assert.equal(answer.message, 'Missing Authentication Token')
      }
    })
  })

  test('none of them takes a signature in form only, of another key, or with the secret of another key', async () => {
    await assertUnharmed(app, async () => {
      for (const name of signed) {
        const input = smallestInput(name, own)
        const formal = await wire.call(name, input)
        assert.equal(formal.status, 400, name)
        assert.match(formal.type, /^(Incomplete|Invalid)SignatureException$/, name)
        const unknown = await callSigned(wire, app.url, { id: 'nobody', secret: admin.secret }, name, input)
        assert.deepEqual([unknown.status, unknown.type], [400, 'UnrecognizedClientException'], name)
        const wrong = await callSigned(wire, app.url, { id: admin.id, secret: restricted.secret }, name, input)
        assert.deepEqual([wrong.status, wrong.type], [400, 'InvalidSignatureException'], name)
      }
    })
  })

  test("none of them takes a user's access token instead", async () => {
    await assertUnharmed(app, async () => {
      for (const name of signed) {
        for (const headers of [
          { authorization: `Bearer ${token}` },
          { authorization: token },
          { authorization: undefined },
        ]) {
          const input = { ...smallestInput(name, own), AccessToken: token }
          const { status, type } = await wire.call(name, input, headers)
          assert.equal(status, 400, name)
          assert.match(type, /^(MissingAuthenticationToken|IncompleteSignature|InvalidSignature)Exception$/, name)
        }
      }
    })
  })

  test('a signed operation is let in with the right signature', async () => {
    for (const name of signed) {
      const missing = {
        UserPoolId: 'us-east-1_000000000',
        ResourceArn: 'arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_000000000',
      }
      const { status, type } = await callSigned(wire, app.url, admin, name, smallestInput(name, missing))
      assert.ok(status === 200 || !/Signature|AccessDenied|Token/.test(type), `${name}: ${type}`)
    }
  })

  test('the others take no notice of a signature, whatever it is', async () => {
    assert.equal(unsigned.length, 35)
    for (const name of unsigned) {
      const input = smallestInput(name, { AccessToken: 'a.b.c' })
      const plain = await wire.call(name, input)
      assert.notEqual(plain.type, 'MissingAuthenticationTokenException', name)
      for (const authorization of [signatureForm, 'AWS4-HMAC-SHA256 nonsense', 'Bearer a.b.c', `Bearer ${token}`]) {
        const { status, text } = await wire.call(name, input, { authorization })
        assert.deepEqual([status, text], [plain.status, plain.text], `${name} ${authorization}`)
      }
      const { status, text } = await callSigned(wire, app.url, admin, name, input)
      assert.deepEqual([status, text], [plain.status, plain.text], `${name} signed by an administrator`)
    }
  })

  test('a key for one pool is refused everything else by every operation', async () => {
    await assertUnharmed(app, async () => {
      for (const name of signed) {
        const { status, type } = await callSigned(wire, app.url, restricted, name, smallestInput(name, foreign))
        assert.deepEqual([status, type], [400, 'AccessDeniedException'], name)
      }
    })
    const bound = signed.filter(name => {
      const members = structures[operations[name].input]?.required ?? []
      return members.includes('UserPoolId') || members.includes('ResourceArn')
    })
    assert.ok(bound.length > 85)
    for (const name of bound) {
      // A pool of its own name would be deleted; the refusal is what matters, so the other names lead nowhere.
      const input = smallestInput(name, { ...own, Username: 'nobody' })
      if (name === 'DeleteUserPool') continue
      const { type } = await callSigned(wire, app.url, restricted, name, input)
      assert.notEqual(type, 'AccessDeniedException', name)
    }
  })

  test('the outbox is for those who may do everything', async () => {
    const path = '/_cenote/messages'
    const get = (key: Key) => sendSigned(wire, app.url, key, { method: 'GET', path })
    await assertUnharmed(app, async () => {
      const plain = await wire.send({ method: 'GET', path })
      assert.deepEqual([plain.status, plain.type], [400, 'MissingAuthenticationTokenException'])
      assert.equal((await wire.send({ method: 'GET', path, headers: { authorization: signatureForm } })).status, 400)
      assert.equal(
        (await wire.send({ method: 'GET', path, headers: { authorization: `Bearer ${token}` } })).status,
        400,
      )
      assert.equal((await get({ ...admin, secret: 'b'.repeat(40) })).type, 'InvalidSignatureException')
      assert.equal((await get(restricted)).type, 'AccessDeniedException')
      const wide = await exchange(app.url, [`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n`])
      assert.deepEqual([wide.statuses, wide.closed], [[413], true])
      const endless = await exchange(app.url, [
        `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ])
      assert.deepEqual([endless.statuses, endless.closed], [[411], true])
    })
    const { status, text } = await get(admin)
    assert.deepEqual([status, Array.isArray(JSON.parse(text))], [200, true])
  })
})

onEachDatabase(testApp => {
  let app: TestApp
  let wire: Wire
  before(async () => {
    app = await testApp()
    wire = createWire(app.url)
  })
  after(() => wire.close())

  /** A pool with something of everything, and the names of all that is in it. */
  const createTenant = async (mark: string) => {
    const pool = await createTestPool(app, { AutoVerifiedAttributes: ['email'] }, { ExplicitAuthFlows: allFlows })
    const { UserPoolId } = pool
    const email = `${mark}@example.com`
    const AccessToken = await createSignedInUser(app, pool, mark, { email, email_verified: 'true' })
    const GroupName = `group-${mark}`
    const Identifier = `api-${mark}`
    await app.aws.createGroup({ UserPoolId, GroupName })
    await app.aws.adminAddUserToGroup({ UserPoolId, Username: mark, GroupName })
    await app.aws.createResourceServer({ UserPoolId, Identifier, Name: Identifier })
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId,
      ClientName: `secret-${mark}`,
      GenerateSecret: true,
    })
    const { UserAttributes } = await app.aws.getUser({ AccessToken })
    const Username = UserAttributes?.find(({ Name }) => Name === 'sub')?.Value ?? ''
    return {
      ...pool,
      AccessToken,
      GroupName,
      Identifier,
      Username,
      email,
      secretClient: UserPoolClient?.ClientId ?? '',
    }
  }

  test('with the id of one pool nobody reaches what is in another, by any operation', async () => {
    const theirs = await createTenant('victim')
    const mine = await createTenant('attacker')
    const marks = [theirs.email, theirs.Username, theirs.Identifier, theirs.GroupName, theirs.secretClient]
    const before = await contentOf(app)
    const borrowed = {
      UserPoolId: mine.UserPoolId,
      Username: theirs.Username,
      GroupName: theirs.GroupName,
      Identifier: theirs.Identifier,
      ClientId: theirs.ClientId,
      AccessToken: mine.AccessToken,
      CustomDomainConfig: undefined,
    }
    for (const name of names.filter(each => 'UserPoolId' in (structures[operations[each].input]?.members ?? {}))) {
      const members = structures[operations[name].input]?.members ?? {}
      // Whatever the operation can be told to look for is looked for, required or not.
      const optional = ['Username', 'GroupName', 'ClientId', 'Identifier'].filter(member => member in members)
      const input = {
        ...smallestInput(name, borrowed),
        ...Object.fromEntries(
          optional.map(member => [member, goodValue(members[member] ?? assert.fail(), borrowed, member)]),
        ),
        UserPoolId: mine.UserPoolId,
      }
      if (name === 'DeleteUserPool') continue
      const { text } = await wire.call(name, input)
      // What is created in the own pool under a borrowed name comes back, and is no news.
      const told =
        name.includes('Create') || name.includes('Update')
          ? text.replaceAll(theirs.GroupName, '').replaceAll(theirs.Identifier, '').replaceAll(theirs.Username, '')
          : text
      assert.deepEqual(
        marks.filter(mark => told.includes(mark) && !isNotFound(text)),
        [],
        `${name}: ${text}`,
      )
    }
    const after = await contentOf(app)
    for (const [table, rows] of before) {
      const left = new Set(after.get(table))
      const lost = rows.filter(
        row => !left.has(row) && (row.includes(theirs.UserPoolId) || marks.some(mark => row.includes(mark))),
      )
      assert.deepEqual(lost, [], table)
    }
    const { UserAttributes } = await app.aws.getUser({ AccessToken: theirs.AccessToken })
    assert.ok(UserAttributes?.some(({ Value }) => Value === theirs.email))
  })

  test('names, sessions, codes and tokens of one pool are worth nothing at a client of another', async () => {
    const mine = await createTenant('mallory')
    const theirs = await createTenant('alice')
    const sameName = await createTestPool(app, {}, { ExplicitAuthFlows: allFlows })
    await createTestUser(app, sameName, 'alice')
    await app.aws.adminSetUserPassword({
      UserPoolId: sameName.UserPoolId,
      Username: 'alice',
      Password: 'Other-Passw0rd',
      Permanent: true,
    })
    const signIn = (ClientId: string, PASSWORD: string) =>
      app.aws.initiateAuth({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'alice', PASSWORD },
      })
    const refused = { name: 'NotAuthorizedException' }

    const { AuthenticationResult: tokens } = await signIn(theirs.ClientId, testPassword)
    await assert.rejects(signIn(sameName.ClientId, testPassword), refused)
    await assert.rejects(signIn(theirs.ClientId, 'Other-Passw0rd'), refused)
    await assert.rejects(signIn(mine.ClientId, testPassword), /User does not exist|Incorrect username or password/)

    const refresh = (ClientId: string) =>
      app.aws.initiateAuth({
        ClientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: tokens?.RefreshToken ?? '' },
      })
    await assert.rejects(refresh(mine.ClientId), refused)
    await assert.rejects(refresh(sameName.ClientId), refused)
    assert.ok((await refresh(theirs.ClientId)).AuthenticationResult?.AccessToken)

    await app.aws.revokeToken({ ClientId: mine.ClientId, Token: tokens?.RefreshToken ?? '' }).catch(() => undefined)
    assert.ok((await refresh(theirs.ClientId)).AuthenticationResult?.AccessToken)

    await createTestUser(app, theirs, 'bob')
    await app.aws.adminSetUserPassword({
      UserPoolId: theirs.UserPoolId,
      Username: 'bob',
      Password: 'Temp0rary!',
      Permanent: false,
    })
    const begun = await app.aws.initiateAuth({
      ClientId: theirs.ClientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'bob', PASSWORD: 'Temp0rary!' },
    })
    const answer = (ClientId: string) =>
      app.aws.respondToAuthChallenge({
        ClientId,
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        ...(begun.Session !== undefined && { Session: begun.Session }),
        ChallengeResponses: { USERNAME: 'bob', NEW_PASSWORD: 'N3w-Passw0rd!' },
      })
    await assert.rejects(answer(mine.ClientId), refused)
    assert.ok((await answer(theirs.ClientId)).AuthenticationResult)

    await app.aws.forgotPassword({ ClientId: theirs.ClientId, Username: 'alice' })
    const ConfirmationCode = await app.lastCode(theirs.email)
    const reset = (ClientId: string) =>
      app.aws.confirmForgotPassword({ ClientId, Username: 'alice', Password: 'R3set-Passw0rd', ConfirmationCode })
    await assert.rejects(reset(sameName.ClientId))
    await assert.rejects(reset(mine.ClientId))
    await reset(theirs.ClientId)
    assert.ok(await signInUser(app, theirs, 'alice', 'R3set-Passw0rd'))
  })
})

const isNotFound = (text: string): boolean =>
  /"__type":"\w*(NotFound|InvalidParameter|OperationNotEnabled|NotAuthorized)\w*"/.test(text)
