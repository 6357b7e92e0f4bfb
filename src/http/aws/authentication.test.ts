import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import {
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { SignatureV4 } from '@smithy/signature-v4'
import { operations } from '../../contract/model.ts'
import { CognitoError } from '../../core/errors.ts'
import { parsePolicy } from '../../core/iam-policy.ts'
import { type AuthenticatorOptions, type Caller, createAuthenticator, type RawRequest } from './authentication.ts'

const now = Date.UTC(2026, 10, 20, 12)
const account = '123456789012'
const keyOf = (id: string, policy?: object) => ({
  id,
  secret: `secret of ${id}, long enough`,
  ...(policy && { policy: parsePolicy(policy) }),
})
const pool = (id: string) => `arn:aws:cognito-idp:us-east-1:${account}:userpool/us-east-1_${id}`

const authenticatorOf = (accessKeys: AuthenticatorOptions['accessKeys'], time = () => now) =>
  createAuthenticator({ accessKeys, account, clock: { now: time } })

const sign = async (id: string, { region = 'us-east-1', secret = keyOf(id).secret } = {}): Promise<RawRequest> => {
  const signer = new SignatureV4({
    credentials: { accessKeyId: id, secretAccessKey: secret },
    region,
    service: 'cognito-idp',
    sha256: Sha256,
  })
  const body = '{}'
  const headers = { host: 'localhost:9229', 'x-amz-target': 'AWSCognitoIdentityProviderService.ListUsers' }
  const draft = { method: 'POST', protocol: 'http:', hostname: 'localhost', path: '/', query: {}, headers, body }
  const signed = await signer.sign(draft, { signingDate: new Date(now) })
  return {
    method: 'POST',
    path: '/',
    query: '',
    rawHeaders: Object.entries(signed.headers).flat(),
    body: Buffer.from(body),
  }
}

const unsigned: RawRequest = {
  method: 'POST',
  path: '/',
  query: '',
  rawHeaders: ['Host', 'localhost:9229'],
  body: Buffer.from('{}'),
}
const withAuthorization = (value: string): RawRequest => ({
  ...unsigned,
  rawHeaders: [...unsigned.rawHeaders, 'Authorization', value],
})

const fails = (work: () => unknown, name: string, message?: string) =>
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof CognitoError, String(error))
    assert.equal(error.name, name, error.message)
    if (message !== undefined) assert.equal(error.message, message)
    return true
  })

const signedOperation = { auth: 'sigv4' } as const
const openOperation = { auth: 'none' } as const

describe('an operation that must be signed', () => {
  const authenticator = authenticatorOf([keyOf('AKIDONE'), keyOf('AKIDTWO')])

  test('knows the caller by his signature', async () => {
    for (const id of ['AKIDONE', 'AKIDTWO']) {
      const { accessKeyId, region } = authenticator.authenticate(
        signedOperation,
        await sign(id, { region: 'eu-west-1' }),
      )
      assert.deepEqual({ accessKeyId, region }, { accessKeyId: id, region: 'eu-west-1' })
    }
  })

  test('refuses an unknown key, a wrong secret and the secret of another key', async () => {
    const authenticate = (request: RawRequest) => () => authenticator.authenticate(signedOperation, request)
    fails(authenticate(await sign('AKIDNONE')), 'UnrecognizedClientException')
    fails(authenticate(await sign('AKIDONE', { secret: 'wrong' })), 'InvalidSignatureException')
    fails(authenticate(await sign('AKIDONE', { secret: keyOf('AKIDTWO').secret })), 'InvalidSignatureException')
    for (const id of ['__proto__', 'constructor']) fails(authenticate(await sign(id)), 'UnrecognizedClientException')
  })

  test('is refused when the signature is older than five minutes by the clock', async () => {
    let time = now + 5 * 60_000
    const later = authenticatorOf([keyOf('AKIDONE')], () => time)
    const request = await sign('AKIDONE')
    assert.equal(later.authenticate(signedOperation, request).accessKeyId, 'AKIDONE')
    time += 1_000
    fails(() => later.authenticate(signedOperation, request), 'InvalidSignatureException')
  })

  test('is refused without a signature and with any other kind of authorization: all of the 105', () => {
    const names = Object.entries(operations).filter(([, { auth }]) => auth === 'sigv4')
    assert.equal(names.length, 105)
    for (const authenticator of [authenticatorOf([keyOf('AKIDONE')]), authenticatorOf([])]) {
      for (const [, operation] of names) {
        fails(
          () => authenticator.authenticate(operation, unsigned),
          'MissingAuthenticationTokenException',
          'Missing Authentication Token',
        )
        for (const value of ['Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln', 'Basic QUtJRDpzZWNyZXQ=', 'AWS AKIDONE:c2ln']) {
          fails(() => authenticator.authenticate(operation, withAuthorization(value)), 'IncompleteSignatureException')
        }
      }
    }
  })
})

describe('an operation that needs no signature', () => {
  const denied = keyOf('AKIDDENIED', {
    Version: '2012-10-17',
    Statement: { Effect: 'Deny', Action: '*', Resource: '*' },
  })
  const authenticator = authenticatorOf([denied])

  test('has the same rights with no, a right, a wrong and a malformed signature', async () => {
    const requests: [RawRequest, string | undefined][] = [
      [unsigned, undefined],
      [await sign('AKIDDENIED', { region: 'eu-west-1' }), 'eu-west-1'],
      [await sign('AKIDDENIED', { region: 'eu-west-1', secret: 'wrong' }), 'eu-west-1'],
      [await sign('AKIDUNKNOWN', { region: 'eu-west-1' }), 'eu-west-1'],
      [withAuthorization('Bearer token'), undefined],
      [
        withAuthorization(
          'AWS4-HMAC-SHA256 Credential=a/b/<script>/cognito-idp/aws4_request, SignedHeaders=a, Signature=b',
        ),
        undefined,
      ],
      [{ ...unsigned, query: 'X-Amz-Signature=%zz' }, undefined],
    ]
    for (const operation of Object.values(operations).filter(({ auth }) => auth === 'none')) {
      for (const [request, region] of requests) {
        const caller: Caller = authenticator.authenticate(operation, request)
        assert.equal(caller.accessKeyId, undefined)
        assert.equal(caller.region, region)
        caller.authorize('SignUp', '*', {})
      }
    }
  })
})

describe('without access keys', () => {
  test('any well-formed signature is enough and may do everything', async () => {
    const authenticator = authenticatorOf([])
    const caller = authenticator.authenticate(
      signedOperation,
      await sign('anything', { secret: 'any', region: 'local' }),
    )
    assert.equal(caller.accessKeyId, 'anything')
    assert.equal(caller.region, 'local')
    caller.authorize('DeleteUserPool', pool('a'), {})
  })
})

describe('the policy of a key', () => {
  const authorize = async (
    policy: object | undefined,
    operation: string,
    resource: string,
    context = {},
    region?: string,
  ) => {
    const authenticator = authenticatorOf([keyOf('AKIDONE', policy)])
    const request = await sign('AKIDONE', region === undefined ? {} : { region })
    authenticator.authenticate(signedOperation, request).authorize(operation, resource, context)
  }
  const allows = (...parameters: Parameters<typeof authorize>) => assert.doesNotReject(authorize(...parameters))
  const denies = (message: string | RegExp, ...parameters: Parameters<typeof authorize>) =>
    assert.rejects(authorize(...parameters), { name: 'AccessDeniedException', message })
  const document = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements })
  const allow = { Effect: 'Allow', Action: 'cognito-idp:*', Resource: '*' }
  const user = `arn:aws:iam::${account}:user/AKIDONE`

  test('is not needed: without one everything is allowed', async () => {
    await allows(undefined, 'DeleteUserPool', pool('a'))
  })

  test('of one pool opens no operation on another', async () => {
    const policy = document({ ...allow, Resource: pool('a') })
    for (const operation of Object.keys(operations)) {
      await allows(policy, operation, pool('a'))
      const action = `cognito-idp:${operation}`
      await denies(
        `User: ${user} is not authorized to perform: ${action} on resource: ${pool('b')} because no identity-based policy allows the ${action} action`,
        policy,
        operation,
        pool('b'),
      )
    }
  })

  test('says so when it denies explicitly', async () => {
    const policy = document(allow, { Effect: 'Deny', Action: 'cognito-idp:AdminDelete*', Resource: '*' })
    await allows(policy, 'AdminGetUser', pool('a'))
    await denies(
      `User: ${user} is not authorized to perform: cognito-idp:AdminDeleteUser on resource: ${pool('a')} with an explicit deny in an identity-based policy`,
      policy,
      'AdminDeleteUser',
      pool('a'),
    )
  })

  test('that denies DescribeTerms denies DescribeTermsByClient', async () => {
    const deny = { Effect: 'Deny', Action: 'cognito-idp:DescribeTerms', Resource: '*' }
    await denies(/explicit deny/, document(allow, deny), 'DescribeTermsByClient', pool('a'))
    await allows(document(allow), 'DescribeTermsByClient', pool('a'))
    await allows(
      document({ ...allow, Action: 'cognito-idp:DescribeTermsByClient' }),
      'DescribeTermsByClient',
      pool('a'),
    )
    await denies(
      /no identity-based policy/,
      document({ ...allow, Action: 'cognito-idp:DescribeTerms' }),
      'DescribeTermsByClient',
      pool('a'),
    )
  })

  test('sees source address, tags, region, time and caller', async () => {
    const only = (Condition: object) => document({ ...allow, Condition })
    await allows(only({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), 'ListUsers', pool('a'), {
      sourceIp: '::ffff:10.1.2.3',
    })
    await denies(/./, only({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), 'ListUsers', pool('a'), {
      sourceIp: '11.1.2.3',
    })
    await allows(only({ StringEquals: { 'aws:ResourceTag/team': 'a' } }), 'ListUsers', pool('a'), {
      resourceTags: { team: 'a' },
    })
    await denies(/./, only({ StringEquals: { 'aws:ResourceTag/team': 'a' } }), 'ListUsers', pool('a'), {
      requestTags: { team: 'a' },
    })
    await allows(
      only({ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }),
      'ListUsers',
      pool('a'),
      {},
      'eu-west-1',
    )
    await allows(only({ DateEquals: { 'aws:CurrentTime': '2026-11-20T12:00:00Z' } }), 'ListUsers', pool('a'))
    await allows(only({ StringEquals: { 'aws:username': 'AKIDONE' } }), 'ListUsers', pool('a'))
    await allows(only({ ArnEquals: { 'aws:PrincipalArn': user } }), 'ListUsers', pool('a'))
  })

  test('is not fooled by a context that names another caller, region or time', async () => {
    const context = {
      username: 'AKIDTWO',
      region: 'eu-west-1',
      now: 0,
      principalArn: `arn:aws:iam::${account}:user/AKIDTWO`,
    }
    for (const Condition of [
      { StringEquals: { 'aws:username': 'AKIDTWO' } },
      { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } },
      { DateLessThan: { 'aws:CurrentTime': '2000-01-01' } },
      { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/AKIDTWO' } },
    ]) {
      await denies(/./, document({ ...allow, Condition }), 'ListUsers', pool('a'), context)
    }
  })

  test('covers actions of another service by their full name', async () => {
    await denies(/perform: cenote:ListMessages on/, document(allow), 'cenote:ListMessages', '*')
    await allows(document({ ...allow, Action: 'cenote:List*' }), 'cenote:ListMessages', '*')
  })

  test('is that of the key that signed, not of another', async () => {
    const authenticator = authenticatorOf([keyOf('AKIDONE', document({ ...allow, Effect: 'Deny' })), keyOf('AKIDTWO')])
    authenticator.authenticate(signedOperation, await sign('AKIDTWO')).authorize('ListUsers', pool('a'), {})
    const one = authenticator.authenticate(signedOperation, await sign('AKIDONE'))
    fails(() => one.authorize('ListUsers', pool('a'), {}), 'AccessDeniedException')
  })
})

describe('over a socket', () => {
  /** Answers every request with the caller, or with the refusal in the shape of the API. */
  const listen = async (accessKeys: AuthenticatorOptions['accessKeys']) => {
    const authenticator = authenticatorOf(accessKeys, Date.now)
    const callers: Caller[] = []
    const server = createServer(async (request, response) => {
      const rawRequest = await readRequest(request)
      const [, name = ''] = (request.headers['x-amz-target'] ?? '').toString().split('.')
      const operation = Object.hasOwn(operations, name) ? operations[name as keyof typeof operations] : signedOperation
      try {
        callers.push(authenticator.authenticate(operation, rawRequest))
        response.end('{}')
      } catch (error) {
        assert.ok(error instanceof CognitoError)
        response.statusCode = 400
        response.end(JSON.stringify({ __type: error.name, message: error.message }))
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { port, callers, [Symbol.asyncDispose]: async () => void server.close() }
  }

  const readRequest = async (request: IncomingMessage): Promise<RawRequest> => {
    const [path = '', ...query] = (request.url ?? '').split('?')
    return {
      method: request.method ?? '',
      path,
      query: query.join('?'),
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(await request.toArray()),
    }
  }

  const clientOf = (port: number, id: string, secret = keyOf(id).secret, sessionToken?: string) =>
    new CognitoIdentityProviderClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-north-1',
      credentials: { accessKeyId: id, secretAccessKey: secret, ...(sessionToken && { sessionToken }) },
      maxAttempts: 1,
    })

  test('the AWS SDK is let in with the right key and refused with any other', async () => {
    await using server = await listen([keyOf('AKIDONE')])
    const listUsers = new ListUsersCommand({ UserPoolId: 'eu-north-1_abcdefghi', Filter: 'name ^= "é水"' })
    await clientOf(server.port, 'AKIDONE').send(listUsers)
    assert.equal(server.callers[0]?.accessKeyId, 'AKIDONE')
    assert.equal(server.callers[0]?.region, 'eu-north-1')
    await assert.rejects(clientOf(server.port, 'AKIDONE', 'wrong').send(listUsers), {
      name: 'InvalidSignatureException',
    })
    await assert.rejects(clientOf(server.port, 'AKIDTWO').send(listUsers), { name: 'UnrecognizedClientException' })
    const temporary = clientOf(server.port, 'AKIDONE', keyOf('AKIDONE').secret, 'token')
    await assert.rejects(temporary.send(listUsers), { name: 'UnrecognizedClientException' })
    assert.equal(server.callers.length, 1)
  })

  test('the AWS SDK with any key is let in where no key is configured', async () => {
    await using server = await listen([])
    const listUsers = new ListUsersCommand({ UserPoolId: 'eu-north-1_abcdefghi' })
    await clientOf(server.port, 'local', 'local', 'token').send(listUsers)
    assert.equal(server.callers[0]?.accessKeyId, 'local')
  })

  test('the AWS SDK does not sign a sign-in, and it is let in', async () => {
    await using server = await listen([keyOf('AKIDONE')])
    const signIn = new InitiateAuthCommand({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId: 'abc', AuthParameters: {} })
    await clientOf(server.port, 'AKIDTWO').send(signIn)
    assert.equal(server.callers.length, 1)
  })

  test('headers that Node would merge or drop are seen twice and refused', async () => {
    await using server = await listen([keyOf('AKIDONE')])
    const send = async (repeat?: string) => {
      const signer = new SignatureV4({
        credentials: { accessKeyId: 'AKIDONE', secretAccessKey: keyOf('AKIDONE').secret },
        region: 'us-east-1',
        service: 'cognito-idp',
        sha256: Sha256,
      })
      const headers = {
        host: `127.0.0.1:${server.port}`,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSCognitoIdentityProviderService.ListUsers',
      }
      const draft = {
        method: 'POST',
        protocol: 'http:',
        hostname: '127.0.0.1',
        path: '/',
        query: {},
        headers,
        body: '{}',
      }
      const signed = await signer.sign(draft)
      const lines = Object.entries(signed.headers).flatMap(([name, value]) =>
        name === repeat ? [name, value, name, value] : [name, value],
      )
      const request = httpRequest({
        port: server.port,
        host: '127.0.0.1',
        method: 'POST',
        headers: lines,
        setHost: false,
      })
      request.end('{}')
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      return JSON.parse(Buffer.concat(await response.toArray()).toString()).__type
    }
    assert.equal(await send(), undefined)
    for (const name of ['authorization', 'x-amz-date', 'x-amz-target', 'host', 'content-type']) {
      assert.equal(await send(name), 'IncompleteSignatureException', name)
    }
  })
})

test('an operation that needs no signature and one that does are told apart by nothing but the model', () => {
  const authenticator = authenticatorOf([keyOf('AKIDONE')])
  fails(() => authenticator.authenticate(signedOperation, unsigned), 'MissingAuthenticationTokenException')
  assert.equal(authenticator.authenticate(openOperation, unsigned).accessKeyId, undefined)
})
