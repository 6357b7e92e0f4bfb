import assert from 'node:assert/strict'
import { test } from 'node:test'
import { days, minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createClient, email } from '../../../test/support/pools.ts'
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
  password,
  signIn,
} from '../../../test/support/sign-in.ts'
import { lockMsAfter } from './lockout.ts'

test('each failure from the fifth on locks for twice as long, up to 15 minutes', () => {
  const expected = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
  assert.deepEqual(
    expected.map((_, failures) => lockMsAfter(failures)),
    expected.map(seconds),
  )
  assert.equal(lockMsAfter(1_000), minutes(15))
})

const failuresIn = (app: TestApp) => app.database.db.selectFrom('sign_in_failures').selectAll().execute()

onEachDatabase(testApp => {
  test('the lock grows as documented, with the same answers for a user and for a name that nobody has', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app, discreet)
    await createUser(app, poolId, 'ann')
    const histories = []
    for (const name of ['ann', 'nobody']) {
      const history = []
      for (let failure = 1; failure <= 12; failure++) {
        history.push(await failureOf(beginWithPassword(app, clientId, name, 'Wr0ng-password')))
        const lockMs = lockMsAfter(failure)
        if (lockMs === 0) continue
        history.push(await failureOf(beginWithPassword(app, clientId, name, 'Wr0ng-password')))
        app.advance(lockMs - 1)
        history.push(await failureOf(beginWithPassword(app, clientId, name)))
        app.advance(1)
      }
      histories.push(history)
    }
    const locked = Array.from({ length: 8 }, () => [incorrect, exceeded, exceeded])
    assert.deepEqual(histories[0], [incorrect, incorrect, incorrect, incorrect, ...locked.flat()])
    assert.deepEqual(histories[1], histories[0])
    await signIn(app, clientId, 'ann')
  })

  test('a success after the lock forgets all failures, and a success without failures writes nothing', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    await signIn(app, clientId, 'ann')
    assert.deepEqual(await failuresIn(app), [])
    for (const round of [1, 2]) {
      for (let failure = 1; failure <= 5; failure++) {
        assert.deepEqual(await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong')), incorrect, `round ${round}`)
      }
      assert.deepEqual(await failureOf(beginWithPassword(app, clientId, 'ann')), exceeded)
      app.advance(seconds(1))
      await signIn(app, clientId, 'ann')
      assert.deepEqual(await failuresIn(app), [])
    }
  })

  test('a quarter of an hour without failures starts the count anew, a moment less does not', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    for (const [name, pause, fifth] of [
      ['ann', minutes(15), incorrect],
      ['ben', minutes(15) - 1, exceeded],
    ] as const) {
      await createUser(app, poolId, name)
      for (let failure = 1; failure <= 4; failure++) await failureOf(beginWithPassword(app, clientId, name, 'wrong'))
      app.advance(pause)
      assert.deepEqual(await failureOf(beginWithPassword(app, clientId, name, 'wrong')), incorrect)
      assert.deepEqual(await failureOf(beginWithPassword(app, clientId, name, 'wrong')), fifth, name)
    }
  })

  test('the longest lock is 15 minutes, after which the count starts anew', async () => {
    const app = await testApp()
    const { clientId } = await createSignInPool(app, discreet)
    const fail = () => failureOf(beginWithPassword(app, clientId, 'nobody', 'wrong'))
    for (let failure = 1; failure <= 14; failure++) {
      assert.deepEqual(await fail(), incorrect)
      app.advance(lockMsAfter(failure))
    }
    assert.deepEqual(await fail(), incorrect)
    app.advance(minutes(15) - 1)
    assert.deepEqual(await fail(), exceeded)
    app.advance(1)
    assert.deepEqual(await fail(), incorrect)
    assert.equal((await failuresIn(app))[0]?.failures, 1)
  })

  test('all flows, clients, aliases and spellings of a name share one counter', async () => {
    const app = await testApp()
    const pool = await createSignInPool(app, discreet, {
      AliasAttributes: ['email'],
      UsernameConfiguration: { CaseSensitive: false },
    })
    const { poolId, clientId } = pool
    const otherClient = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    await createUser(app, poolId, 'kim', [email('kim@example.com'), { Name: 'email_verified', Value: 'true' }])
    const { access } = await signIn(app, clientId, 'kim')

    const tries: (() => Promise<unknown>)[] = [
      () => beginWithPassword(app, clientId, 'KIM', 'wrong'),
      // The Kelvin sign is the letter K.
      () => beginWithPassword(app, otherClient, '\u212Aim', 'wrong'),
      async () => (await beginSrp(app, pool, 'Kim@Example.com')).answer('wrong'),
      () =>
        app.aws.adminInitiateAuth({
          UserPoolId: poolId,
          ClientId: clientId,
          AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
          AuthParameters: { USERNAME: 'kim@example.com', PASSWORD: 'wrong' },
        }),
      () =>
        app.aws.changePassword({
          AccessToken: access,
          PreviousPassword: 'Wr0ng-one!',
          ProposedPassword: 'N3w-Passw0rd',
        }),
    ]
    for (const attempt of tries) assert.deepEqual(await failureOf(attempt()), incorrect)
    for (const attempt of [...tries, () => beginWithPassword(app, otherClient, 'kim')]) {
      assert.deepEqual(await failureOf(attempt()), exceeded)
    }
    assert.equal((await failuresIn(app)).length, 1)
    app.advance(seconds(1))
    await signIn(app, otherClient, 'kim')
  })

  test('one name in two pools, and two names in one pool, are counted apart', async () => {
    const app = await testApp()
    const one = await createSignInPool(app, discreet)
    const other = await createSignInPool(app, discreet)
    for (const { poolId } of [one, other]) await createUser(app, poolId, 'ann')
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, one.clientId, 'ann', 'wrong'))
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, one.clientId, 'bob', 'wrong'))
    assert.deepEqual(await failureOf(beginWithPassword(app, one.clientId, 'ann')), exceeded)
    assert.deepEqual(await failureOf(beginWithPassword(app, one.clientId, 'bob')), exceeded)
    assert.deepEqual(await failureOf(beginWithPassword(app, one.clientId, 'eve')), incorrect)
    assert.deepEqual(await failureOf(beginWithPassword(app, other.clientId, 'bob')), incorrect)
    await signIn(app, other.clientId, 'ann')
  })

  test('two hundred wrong passwords at once are not evaluated beyond the budget, and the right one behind them is refused', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const nodes = app.kind === 'postgres' ? [app, await app.secondNode()] : [app]
    const answers = await Promise.all(
      Array.from({ length: 201 }, (_, index) => {
        const node = nodes[index % nodes.length] ?? app
        return failureOf(beginWithPassword(node, clientId, 'ann', index === 200 ? password : `wrong ${index}`))
      }),
    )
    const told = answers.filter(answer => answer?.message === incorrect.message)
    assert.equal(told.length, 5)
    assert.equal(answers.filter(answer => answer?.message === exceeded.message).length, 196)
    assert.equal((await failuresIn(app))[0]?.failures, 5)
    for (const node of nodes) if (node !== app) await node.close()
    app.advance(seconds(1))
    await signIn(app, clientId, 'ann')
  })

  test('many right passwords at once all pass', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong'))
    const tokens = await Promise.all(Array.from({ length: 40 }, () => signIn(app, clientId, 'ann')))
    assert.equal(new Set(tokens.map(({ access }) => access)).size, 40)
    assert.deepEqual(await failuresIn(app), [])
  })

  test('a lock leaves the sessions of the user alone', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const { access, refresh } = await signIn(app, clientId, 'ann')
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong'))
    assert.deepEqual(await failureOf(beginWithPassword(app, clientId, 'ann')), exceeded)
    assert.equal((await app.aws.getUser({ AccessToken: access })).Username, 'ann')
    await app.aws.getTokensFromRefreshToken({ ClientId: clientId, RefreshToken: refresh })
  })

  test('a password that an administrator sets ends the lock', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong'))
    await app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: 'ann', Password: password, Permanent: true })
    await signIn(app, clientId, 'ann')
  })

  test('a lock from a clock that has been set back since does not last for days', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    app.advance(days(2))
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong'))
    app.advance(-days(2))
    await signIn(app, clientId, 'ann')
  })
})
