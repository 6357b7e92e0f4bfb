import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createClient, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  createSignInPool,
  createUser,
  discreet,
  exceeded,
  failureOf,
  incorrect,
  invalidParameter,
  notAuthorized,
  password,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import { createSrpClient, srpTimestamp } from '../../../test/support/srp-client.ts'
import { N } from '../../core/srp.ts'

const invalidSession = notAuthorized('Invalid session for the user.')
const expired = notAuthorized('Invalid session for the user, session is expired.')
const used = notAuthorized('Invalid session for the user, session can only be used once.')
const badTimestamp = invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.')

/** Sends responses as they are. */
const respond = (app: TestApp, clientId: string, responses: Record<string, string>, session?: string) =>
  app.aws.respondToAuthChallenge({
    ClientId: clientId,
    ChallengeName: 'PASSWORD_VERIFIER',
    ChallengeResponses: responses,
    ...(session !== undefined && { Session: session }),
  })

const marks = async (app: TestApp): Promise<number> =>
  (await app.database.db.selectFrom('one_time_marks').selectAll().execute()).length

const failures = async (app: TestApp): Promise<number> =>
  (await app.database.db.selectFrom('sign_in_failures').selectAll().execute())[0]?.failures ?? 0

onEachDatabase(testApp => {
  test('an exchange gives tokens, with or without its Session, in both operations', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const one = await beginSrp(app, pool, 'ann')
    assert.deepEqual(Object.keys(one.parameters).sort(), [
      'SALT',
      'SECRET_BLOCK',
      'SRP_B',
      'USERNAME',
      'USER_ID_FOR_SRP',
    ])
    assert.equal(one.parameters['USERNAME'], 'ann')
    assert.equal(one.parameters['USER_ID_FOR_SRP'], 'ann')
    assert.match(one.parameters['SRP_B'] ?? '', /^[0-9a-f]{700,768}$/)
    assert.match(one.parameters['SECRET_BLOCK'] ?? '', /^[A-Za-z0-9+/]+={0,2}$/)
    assert.match(one.session ?? '', /^[A-Za-z0-9_-]{20,2048}$/)
    tokensOf(await one.answer())
    const two = await beginSrp(app, pool, 'ann')
    tokensOf(await respond(app, pool.clientId, two.responses(), two.session))

    const client = createSrpClient(pool.poolId)
    const three = await app.aws.adminInitiateAuth({
      UserPoolId: pool.poolId,
      ClientId: pool.clientId,
      AuthFlow: 'USER_SRP_AUTH',
      AuthParameters: { USERNAME: 'ann', SRP_A: client.srpA.toUpperCase() },
    })
    tokensOf(
      await app.aws.adminRespondToAuthChallenge({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: client.answer(three.ChallengeParameters ?? {}, password, srpTimestamp(app.now())),
      }),
    )
  })

  test('an A that no client computes is refused before anything is done', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const hostile = [0n, 1n, N - 1n, N, N + 1n, 2n * N, 3n * N, 100n * N].map(value => value.toString(16))
    for (const A of [...hostile, '0x12', '-1', 'xyz', '12 ', 'f'.repeat(100_000), '\u0660']) {
      const call = app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_SRP_AUTH',
        AuthParameters: { USERNAME: 'ann', SRP_A: A },
      })
      assert.deepEqual(await failureOf(call), invalidParameter('Invalid SRP_A parameter.'), A.slice(0, 20))
    }
  })

  test('one A gets another B and another SECRET_BLOCK each time', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const { srpA } = createSrpClient(pool.poolId)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        app.aws.initiateAuth({
          ClientId: pool.clientId,
          AuthFlow: 'USER_SRP_AUTH',
          AuthParameters: { USERNAME: 'ann', SRP_A: srpA },
        }),
      ),
    )
    for (const name of ['SRP_B', 'SECRET_BLOCK']) {
      assert.equal(new Set(answers.map(({ ChallengeParameters }) => ChallengeParameters?.[name])).size, 50)
    }
    assert.equal(new Set(answers.map(({ ChallengeParameters }) => ChallengeParameters?.['SALT'])).size, 1)
  })

  test('an answer is good once, also when it is sent many times at once', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const srp = await beginSrp(app, pool, 'ann')
    const responses = srp.responses()
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => failureOf(respond(app, pool.clientId, responses))),
    )
    assert.equal(answers.filter(answer => answer === undefined).length, 1)
    for (const answer of answers) if (answer !== undefined) assert.deepEqual(answer, used)
    assert.deepEqual(await failureOf(respond(app, pool.clientId, responses)), used)
    assert.equal(await marks(app), 1)
    assert.equal(await failures(app), 0)
  })

  test('a wrong answer does not use up the exchange', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const srp = await beginSrp(app, pool, 'ann')
    assert.deepEqual(await failureOf(srp.answer('wrong')), incorrect)
    assert.equal(await failures(app), 1)
    tokensOf(await srp.answer())
    assert.equal(await failures(app), 0)
  })

  test('no part of the answer can be changed', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const srp = await beginSrp(app, pool, 'ann')
    const right = srp.responses()
    const signature = right['PASSWORD_CLAIM_SIGNATURE'] ?? ''
    const block = right['PASSWORD_CLAIM_SECRET_BLOCK'] ?? ''
    const forgive = () => app.database.db.deleteFrom('sign_in_failures').execute()

    const bytes = Buffer.from(signature, 'base64')
    const signatures = [
      signature.slice(0, -4),
      'AAAA',
      `${signature} `,
      bytes.toString('hex'),
      signature.replace('=', ''),
    ]
    for (let bit = 0; bit < 256; bit += 5) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8((flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3)
      signatures.push(flipped.toString('base64'))
    }
    for (const changed of signatures) {
      await forgive()
      const call = respond(app, pool.clientId, { ...right, PASSWORD_CLAIM_SIGNATURE: changed })
      assert.deepEqual(await failureOf(call), incorrect, changed)
      assert.equal(await failures(app), 1, 'each counts')
    }
    await forgive()
    const missing = { ...right, PASSWORD_CLAIM_SIGNATURE: '' }
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, missing)),
      invalidParameter('Missing required parameter PASSWORD_CLAIM_SIGNATURE'),
    )

    const blocks = [block.slice(4), block.slice(0, -4), `${block}AAAA`, 'AAAA', ` ${block}`, 'A'.repeat(100_000)]
    for (let index = 0; index < block.length; index += 37) {
      blocks.push(`${block.slice(0, index)}${block[index] === 'A' ? 'B' : 'A'}${block.slice(index + 1)}`)
    }
    for (const changed of blocks) {
      const call = respond(app, pool.clientId, { ...right, PASSWORD_CLAIM_SECRET_BLOCK: changed })
      assert.deepEqual(await failureOf(call), incorrect)
    }
    tokensOf(await respond(app, pool.clientId, right))
  })

  test('the SECRET_BLOCK of another user, client, pool or exchange is refused', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    const other = await createSignInPool(app)
    const client = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    for (const { poolId } of [pool, other]) for (const name of ['ann', 'ben']) await createUser(app, poolId, name)
    const own = await beginSrp(app, pool, 'ann')
    const exchange = async (from: TestPool, name: string) =>
      (await beginSrp(app, from, name)).parameters['SECRET_BLOCK'] ?? ''
    for (const [title, block] of [
      ['another user', await exchange(pool, 'ben')],
      ['another client', await exchange({ ...pool, clientId: client }, 'ann')],
      ['another pool', await exchange(other, 'ann')],
      ['another exchange', await exchange(pool, 'ann')],
    ] as const) {
      assert.deepEqual(await failureOf(own.answer(password, { PASSWORD_CLAIM_SECRET_BLOCK: block })), incorrect, title)
    }
    assert.deepEqual(await failureOf(respond(app, client, own.responses())), incorrect)
    assert.deepEqual(await failureOf(respond(app, other.clientId, own.responses())), incorrect)
    app.advance(seconds(1))
    tokensOf(await own.answer())
  })

  test('a Session that is sent must belong to the exchange', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const [own, other] = [await beginSrp(app, pool, 'ann'), await beginSrp(app, pool, 'ann')]
    for (const session of [other.session, 'A'.repeat(100), `${own.session?.slice(0, -1)}`]) {
      assert.deepEqual(await failureOf(respond(app, pool.clientId, own.responses(), session)), invalidSession)
    }
    tokensOf(await respond(app, pool.clientId, own.responses(), own.session))
  })

  test('USERNAME names the user of the exchange', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app, discreet, { UsernameConfiguration: { CaseSensitive: false } })
    for (const name of ['ann', 'ben']) await createUser(app, pool.poolId, name)
    const srp = await beginSrp(app, pool, 'ANN')
    for (const name of ['ben', 'nobody'])
      assert.deepEqual(await failureOf(srp.answer(password, { USERNAME: name })), incorrect)
    assert.deepEqual(
      await failureOf(srp.answer(password, { USERNAME: '' })),
      invalidParameter('Missing required parameter USERNAME'),
    )
    tokensOf(await srp.answer(password, { USERNAME: 'Ann' }))
  })

  test('an exchange ends with the validity of the session', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    const patient = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows, AuthSessionValidity: 15 })
    await createUser(app, pool.poolId, 'ann')
    for (const [clientId, validity] of [
      [pool.clientId, minutes(3)],
      [patient, minutes(15)],
    ] as const) {
      const from = { poolId: pool.poolId, clientId }
      const [inTime, late] = [await beginSrp(app, from, 'ann'), await beginSrp(app, from, 'ann')]
      app.advance(validity - 1)
      tokensOf(await inTime.answer())
      app.advance(1)
      assert.deepEqual(await failureOf(late.answer()), expired)
    }
  })

  test('TIMESTAMP has one format, with or without a leading zero, and is part of what is signed', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const now = srpTimestamp(app.now())
    const [weekday = '', month = '', day = '', time = '', zone = '', year = ''] = now.split(' ')
    const otherDay = weekday === 'Mon' ? 'Tue' : 'Mon'
    const exchange = async (timestamp: string) => {
      const client = createSrpClient(pool.poolId)
      const { ChallengeParameters = {} } = await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_SRP_AUTH',
        AuthParameters: { USERNAME: 'ann', SRP_A: client.srpA },
      })
      return respond(app, pool.clientId, client.answer(ChallengeParameters, password, timestamp))
    }
    tokensOf(await exchange(now))
    tokensOf(await exchange(`${weekday} ${month} ${day.padStart(2, '0')} ${time} ${zone} ${year}`))
    for (const timestamp of [
      `${otherDay} ${month} ${day} ${time} ${zone} ${year}`,
      `${weekday} ${month} ${day} ${time} GMT ${year}`,
      `Mo ${month} ${day} ${time} ${zone} ${year}`,
      new Date(app.now()).toISOString(),
      'x'.repeat(100_000),
    ]) {
      assert.deepEqual(await failureOf(exchange(timestamp)), badTimestamp)
    }
    const { answer } = await beginSrp(app, pool, 'ann')
    assert.deepEqual(await failureOf(answer(password, { TIMESTAMP: srpTimestamp(app.now() + seconds(1)) })), incorrect)
  })

  test('TIMESTAMP is near the time of the server', async () => {
    const app = await testApp({ settings: { testMode: false } })
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    for (const [shift, expected] of [
      [0, undefined],
      [-minutes(4), undefined],
      [minutes(4), undefined],
      [-minutes(6), incorrect],
      [minutes(6), incorrect],
      [-minutes(24 * 60), incorrect],
    ] as const) {
      const client = createSrpClient(pool.poolId)
      const { ChallengeParameters = {} } = await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_SRP_AUTH',
        AuthParameters: { USERNAME: 'ann', SRP_A: client.srpA },
      })
      const responses = client.answer(ChallengeParameters, password, srpTimestamp(app.now() + shift))
      assert.deepEqual(await failureOf(respond(app, pool.clientId, responses)), expected, `${shift}`)
    }
  })

  test('a name that nobody has gets the exchange of a user, the same each time', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app, discreet, {
      UsernameAttributes: ['email'],
      UsernameConfiguration: { CaseSensitive: false },
    })
    await createUser(app, pool.poolId, 'ann@example.com')
    const ann = await beginSrp(app, pool, 'ann@example.com')
    const first = await beginSrp(app, pool, 'bob@example.com')
    const constant = ({ parameters }: typeof first) => [parameters['SALT'], parameters['USER_ID_FOR_SRP']]
    for (const name of ['bob@example.com', 'BOB@example.com', 'Bob@Example.com']) {
      assert.deepEqual(constant(await beginSrp(app, pool, name)), constant(first))
    }
    const salts = new Set<string | undefined>([ann.parameters['SALT']])
    for (let index = 0; index < 20; index++) {
      const { parameters, session } = await beginSrp(app, pool, `user${index}@example.com`)
      salts.add(parameters['SALT'])
      assert.match(parameters['SALT'] ?? '', /^[0-9a-f]{28,32}$/)
      assert.match(
        parameters['USER_ID_FOR_SRP'] ?? '',
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
      assert.equal(parameters['USERNAME'], parameters['USER_ID_FOR_SRP'])
      assert.match(parameters['SRP_B'] ?? '', /^[0-9a-f]{700,768}$/)
      assert.equal(parameters['SECRET_BLOCK']?.length, ann.parameters['SECRET_BLOCK']?.length)
      assert.equal(session?.length, ann.session?.length)
    }
    assert.equal(salts.size, 21)
    assert.deepEqual(await failureOf(first.answer()), incorrect)
    assert.deepEqual(await failureOf(first.answer(password, { USERNAME: 'bob@example.com' })), incorrect)
    for (let failure = 3; failure <= 5; failure++) assert.deepEqual(await failureOf(first.answer()), incorrect)
    assert.deepEqual(await failureOf(first.answer()), exceeded)
    assert.deepEqual(await failureOf(beginSrp(app, pool, 'bob@example.com')), exceeded)
    assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, 'BOB@example.com')), exceeded)
    tokensOf(await ann.answer())
  })

  test('an exchange survives a change of nodes', async () => {
    const app = await testApp()
    if (app.kind !== 'postgres') return
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const node = await app.secondNode()
    const srp = await beginSrp(app, pool, 'ann')
    tokensOf(await respond(node, pool.clientId, srp.responses(), srp.session))
    assert.deepEqual(await failureOf(respond(app, pool.clientId, srp.responses())), used)
    await node.close()
  })
})
