/** Which names are the same, who has a name, and that no name leads to another user. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  attributesByName,
  attributesOf,
  createSignedInUser,
  createTestPool,
  createTestUser,
  outcomes,
  signInUser,
  type TestPool,
  testPassword,
} from '../../../test/support/directory.ts'

/** Two spellings, and whether they are one name where case does not count and where it does. */
const spellings: [one: string, other: string, caseIgnored: boolean, caseRespected: boolean][] = [
  ['Bob', 'BOB', true, false],
  ['Bob', 'boB', true, false],
  ['\u212aim', 'Kim', true, true],
  ['\u212aim', 'kim', true, false],
  ['ſam', 'sam', false, false],
  ['groß', 'gross', false, false],
  ['İda', 'i\u0307da', true, false],
  ['İda', 'ida', false, false],
  ['ıda', 'ida', false, false],
  ['ﬁn', 'fin', false, false],
  ['\u212bsa', '\u00c5sa', true, true],
  ['\u212bsa', 'a\u030asa', true, false],
  ['Ren\u00e9', 'Rene\u0301', true, true],
  ['REN\u00c9', 'rene\u0301', true, false],
  ['ａnn', 'ann', false, false],
  ['ann＠example.com', 'ann@example.com', false, false],
  ['\u0430nn', 'ann', false, false],
  ['ann.', 'ann', false, false],
  ['ΟΔΟΣ', 'οδος', true, false],
]

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const usernameOf = async ({ UserPoolId }: TestPool, Username: string): Promise<string | undefined> =>
    app.aws.adminGetUser({ UserPoolId, Username }).then(
      user => user.Username,
      (error: Error) => {
        assert.equal(error.name, 'UserNotFoundException')
        return undefined
      },
    )

  for (const CaseSensitive of [true, false]) {
    describe(`where case ${CaseSensitive ? 'counts' : 'does not count'}`, () => {
      const settings = { UsernameConfiguration: { CaseSensitive } }
      const isSame = ([, , caseIgnored, caseRespected]: (typeof spellings)[number]) =>
        CaseSensitive ? caseRespected : caseIgnored

      test('spellings of one username lead to one user, others to two', async () => {
        const pool = await createTestPool(app, settings)
        for (const [index, row] of spellings.entries()) {
          const [one, other] = [`${index}${row[0]}`, `${index}${row[1]}`]
          await createTestUser(app, pool, one)
          const creation = createTestUser(app, pool, other)
          if (isSame(row)) {
            await assert.rejects(creation, { name: 'UsernameExistsException' }, `${one} ${other}`)
            assert.equal(await usernameOf(pool, other), one)
          } else {
            await creation
            assert.equal(await usernameOf(pool, other), other, `${one} ${other}`)
          }
          assert.equal(await usernameOf(pool, one), one)
        }
      })

      test('spellings of one preferred username belong to one user', async () => {
        const pool = await createTestPool(app, { ...settings, AliasAttributes: ['preferred_username'] })
        for (const [index, row] of spellings.entries()) {
          const [one, other] = [`${index}${row[0]}`, `${index}${row[1]}`]
          await createTestUser(app, pool, `first${index}`, { preferred_username: one })
          const creation = createTestUser(app, pool, `second${index}`, { preferred_username: other })
          if (isSame(row)) await assert.rejects(creation, { name: 'AliasExistsException' }, `${one} ${other}`)
          else await creation
          assert.equal(await usernameOf(pool, one), `first${index}`)
          assert.equal(await usernameOf(pool, other), `${isSame(row) ? 'first' : 'second'}${index}`)
        }
      })

      test('an address is kept as it was written', async () => {
        const pool = await createTestPool(app, { ...settings, UsernameAttributes: ['email'] })
        const { Username } = await createTestUser(app, pool, 'Ann@Example.com')
        assert.equal((await attributesOf(app, pool, Username ?? ''))['email'], 'Ann@Example.com')
        assert.equal(await usernameOf(pool, 'ann@example.COM'), CaseSensitive ? undefined : Username)
        const creation = createTestUser(app, pool, 'ann@example.com')
        if (CaseSensitive) await creation
        else await assert.rejects(creation, { message: 'An account with the given email already exists.' })
      })
    })
  }

  test("a name before, between or after the names of users is nobody's", async () => {
    const pool = await createTestPool(app, { UsernameAttributes: ['email'] })
    assert.equal(await usernameOf(pool, 'a'), undefined)
    const ids = new Map<string, string | undefined>()
    for (const name of ['bob@example.com', 'eve@example.com']) {
      ids.set(name, (await createTestUser(app, pool, name)).Username)
    }
    for (const name of ['', '@example.com', '.com', '.com0']) {
      for (const first of ['a', 'bob', 'c', 'eve', 'z']) {
        assert.equal(await usernameOf(pool, `${first}${name}`), ids.get(`${first}${name}`), `${first}${name}`)
      }
    }
  })

  test('a name with something invisible in it is refused', async () => {
    const pool = await createTestPool(app)
    for (const name of ['an\u200bn', 'an\u00adn', 'ann ', ' ann', 'an\u0000n', 'ann\n', '\u202enna', '']) {
      await assert.rejects(createTestUser(app, pool, name), { name: 'InvalidParameterException' }, JSON.stringify(name))
    }
    await createTestUser(app, pool, 'ann')
  })

  test('a username that equals something of another user leads to its own user', async () => {
    const pool = await createTestPool(app)
    const ann = await createTestUser(app, pool, 'ann', {
      email: 'ann@example.com',
      email_verified: 'true',
      phone_number: '+12065550100',
      phone_number_verified: 'true',
      preferred_username: 'annie',
    })
    const sub = attributesByName(ann.Attributes)['sub'] ?? ''
    for (const name of ['ann@example.com', '+12065550100', 'annie', sub]) {
      assert.equal(await usernameOf(pool, name), undefined)
      await createTestUser(app, pool, name)
      assert.equal(await usernameOf(pool, name), name)
    }
  })

  test('a name is taken whatever kind of name it is', async () => {
    const pool = await createTestPool(app, { AliasAttributes: ['preferred_username', 'email'] })
    const token = await createSignedInUser(app, pool, 'ann', { preferred_username: 'annie' })
    await createTestUser(app, pool, 'bob')
    await assert.rejects(createTestUser(app, pool, 'annie'), {
      name: 'UsernameExistsException',
      message: 'User account already exists',
    })
    const asBob = [{ Name: 'preferred_username', Value: 'bob' }]
    await assert.rejects(app.aws.updateUserAttributes({ AccessToken: token, UserAttributes: asBob }), {
      name: 'AliasExistsException',
      message: 'An account with the given preferred_username already exists.',
    })
    assert.equal(await usernameOf(pool, 'bob'), 'bob')
    // A preferred username of one's own name is no second name.
    const asAnn = [{ Name: 'preferred_username', Value: 'ann' }]
    await app.aws.updateUserAttributes({ AccessToken: token, UserAttributes: asAnn })
    assert.equal(await usernameOf(pool, 'ann'), 'ann')
    assert.equal(await usernameOf(pool, 'annie'), undefined)
    await createTestUser(app, pool, 'annie')
  })

  test('the same names in two pools are strangers', async () => {
    const settings = { AliasAttributes: ['email' as const] }
    const attributes = { email: 'ann@example.com', email_verified: 'true' }
    const [one, other] = [await createTestPool(app, settings), await createTestPool(app, settings)]
    const token = await createSignedInUser(app, one, 'ann', attributes)
    await createSignedInUser(app, other, 'ann', attributes)
    await app.aws.adminDisableUser({ ...other, Username: 'ann' })
    await app.aws.adminUpdateUserAttributes({
      ...other,
      Username: 'ann',
      UserAttributes: [{ Name: 'name', Value: 'Other' }],
    })
    assert.equal((await attributesOf(app, one, 'ann@example.com'))['name'], undefined)
    assert.equal((await app.aws.getUser({ AccessToken: token })).Username, 'ann')
    await app.aws.adminDeleteUser({ ...other, Username: 'ann@example.com' })
    assert.equal(await usernameOf(other, 'ann'), undefined)
    assert.equal(await usernameOf(one, 'ann@example.com'), 'ann')
    await signInUser(app, one, 'ann@example.com')
  })

  test('a deleted user leaves the names free', async () => {
    const pool = await createTestPool(app, { AliasAttributes: ['email'] })
    const attributes = { email: 'ann@example.com', email_verified: 'true' }
    const first = await createTestUser(app, pool, 'ann', attributes)
    await app.aws.adminDeleteUser({ ...pool, Username: 'ann@example.com' })
    const second = await createTestUser(app, pool, 'ann', attributes)
    assert.notEqual(attributesByName(second.Attributes)['sub'], attributesByName(first.Attributes)['sub'])
  })

  test('of many who sign up with one name exactly one gets it', async () => {
    const pool = await createTestPool(app, { UsernameConfiguration: { CaseSensitive: false } })
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_, index) =>
        app.aws.signUp({
          ClientId: pool.ClientId,
          Username: index % 2 === 0 ? 'Bob' : 'bob',
          Password: testPassword,
          UserAttributes: [{ Name: 'name', Value: `Bob ${index}` }],
        }),
      ),
    )
    assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['UsernameExistsException']) })
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    assert.equal((await attributesOf(app, pool, 'BOB'))['name'], `Bob ${winner}`)
    assert.equal((await app.aws.listUsers({ UserPoolId: pool.UserPoolId })).Users?.length, 1)
  })

  test('two users who swap their preferred usernames at the same time each keep one', async () => {
    const pool = await createTestPool(app, { AliasAttributes: ['preferred_username'] })
    await createTestUser(app, pool, 'ann', { preferred_username: 'x' })
    await createTestUser(app, pool, 'bob', { preferred_username: 'y' })
    const prefer = (Username: string, Value: string) =>
      app.aws.adminUpdateUserAttributes({
        ...pool,
        Username,
        UserAttributes: [{ Name: 'preferred_username', Value }],
      })
    const rounds = Array.from({ length: 8 }, () => [prefer('ann', 'y'), prefer('bob', 'x')]).flat()
    const { succeeded, errors } = outcomes(await Promise.allSettled(rounds))
    assert.equal(succeeded, 0)
    assert.deepEqual(errors, new Set(['AliasExistsException']))
    assert.equal(await usernameOf(pool, 'x'), 'ann')
    assert.equal(await usernameOf(pool, 'y'), 'bob')
  })
})
