import assert from 'node:assert/strict'
import { argon2Sync, pbkdf2Sync, scryptSync } from 'node:crypto'
import { before, describe, test } from 'node:test'
import type { PasswordHashingAlgorithmType } from '@aws-sdk/client-cognito-identity-provider'
import bcrypt from 'bcryptjs'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { countsOf, csvOf, imported, importFile, logOf } from '../../../test/support/import.ts'
import { attributesOf, createPool, signIn, statusOf } from '../../../test/support/pools.ts'
import { allFlows, beginSrp, discreet, exceeded, incorrect } from '../../../test/support/sign-in.ts'

const password = 'Pässw0rd!, 😀'
const salt = Buffer.from('0123456789abcdef')
const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

/** Cheap hashes of the password, as other systems write them. */
const hashes: Record<PasswordHashingAlgorithmType, string> = {
  BCRYPT: bcrypt.hashSync(password, 4),
  SCRYPT: `16$1$1$${salt.toString('hex')}$${scryptSync(password, salt, 32, { N: 16, r: 1, p: 1 }).toString('hex')}`,
  ARGON2ID: `$argon2id$v=19$m=64,t=1,p=1$${unpadded(salt)}$${unpadded(
    argon2Sync('argon2id', { message: password, nonce: salt, parallelism: 1, tagLength: 32, memory: 64, passes: 1 }),
  )}`,
  PBKDF2_SHA256: `$pbkdf2-sha256$1000$${unpadded(salt)}$${unpadded(pbkdf2Sync(password, salt, 1_000, 32, 'sha256'))}`,
}
const algorithms = Object.keys(hashes) as PasswordHashingAlgorithmType[]

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })
  const rowOf = (username: string, hash: string) => imported(username, { password_hash: hash })
  const importHashes = async (
    poolId: string,
    algorithm: PasswordHashingAlgorithmType,
    users: Record<string, string>,
  ) => {
    const rows = Object.entries(users).map(([username, hash]) => rowOf(username, hash))
    return importFile(app, poolId, await csvOf(app, poolId, rows, { hashes: true }), algorithm)
  }
  const poolWithAnn = async (
    settings: Parameters<typeof createPool>[1] = {},
    client: Parameters<typeof createPool>[2] = { ExplicitAuthFlows: allFlows },
  ) => {
    const made = await createPool(app, settings, client)
    assert.deepEqual(countsOf(await importHashes(made.poolId, 'BCRYPT', { ann: hashes.BCRYPT })), [1, 0, 0])
    return made
  }
  const rowInStore = (username: string, poolId: string) =>
    app.database.db
      .selectFrom('users')
      .selectAll()
      .where('username', '=', username)
      .where('pool_id', '=', poolId)
      .executeTakeFirstOrThrow()

  for (const algorithm of algorithms) {
    test(`a user with a hash of ${algorithm} signs in with the password, and then by SRP`, async () => {
      const pool = await createPool(app, {}, { ExplicitAuthFlows: allFlows })
      const job = await importHashes(pool.poolId, algorithm, { ann: hashes[algorithm] })
      assert.deepEqual(countsOf(job), [1, 0, 0])
      assert.equal(await statusOf(app, pool.poolId, 'ann'), 'CONFIRMED')
      const stored = await rowInStore('ann', pool.poolId)
      assert.ok(stored.imported_password_hash)
      assert.ok(!JSON.stringify(stored).includes(hashes[algorithm]))

      await assert.rejects((await beginSrp(app, pool, 'ann')).answer(password), incorrect)
      await assert.rejects(signIn(app, pool.clientId, 'ann', 'Passw0rd!'), incorrect)
      assert.ok((await rowInStore('ann', pool.poolId)).imported_password_hash)
      assert.ok((await signIn(app, pool.clientId, 'ann', password)).AuthenticationResult?.AccessToken)
      assert.equal((await rowInStore('ann', pool.poolId)).imported_password_hash, null)
      assert.ok((await (await beginSrp(app, pool, 'ann')).answer(password)).AuthenticationResult?.AccessToken)
      assert.ok((await signIn(app, pool.clientId, 'ann', password)).AuthenticationResult?.AccessToken)
      await assert.rejects(signIn(app, pool.clientId, 'ann', 'Passw0rd!'), incorrect)
      assert.equal((await rowInStore('ann', pool.poolId)).updated_at, stored.updated_at)
    })
  }

  test('an administrator signs the user in as well', async () => {
    const { poolId, clientId } = await poolWithAnn()
    const answer = await app.aws.adminInitiateAuth({
      UserPoolId: poolId,
      ClientId: clientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: password },
    })
    assert.ok(answer.AuthenticationResult?.AccessToken)
  })

  test('first sign-ins at the same time all succeed', async () => {
    const { poolId, clientId } = await poolWithAnn()
    const answers = await Promise.all(Array.from({ length: 6 }, () => signIn(app, clientId, 'ann', password)))
    assert.ok(answers.every(answer => answer.AuthenticationResult?.AccessToken))
    assert.equal((await rowInStore('ann', poolId)).imported_password_hash, null)
  })

  test('wrong passwords count in the lockout', async () => {
    const { clientId } = await poolWithAnn()
    for (let i = 0; i < 5; i++) await assert.rejects(signIn(app, clientId, 'ann', 'Wr0ng-one!'), incorrect)
    await assert.rejects(signIn(app, clientId, 'ann', password), exceeded)
    app.advance(1_000)
    await signIn(app, clientId, 'ann', password)
  })

  test('the policy of the pool does not hold for hashes', async () => {
    const { clientId } = await poolWithAnn({ Policies: { PasswordPolicy: { MinimumLength: 30 } } })
    await signIn(app, clientId, 'ann', password)
  })

  describe('the hash ends', () => {
    test('when the password is changed', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await app.aws.adminSetUserPassword({
        UserPoolId: poolId,
        Username: 'ann',
        Password: 'Passw0rd!',
        Permanent: true,
      })
      assert.equal((await rowInStore('ann', poolId)).imported_password_hash, null)
      await assert.rejects(signIn(app, clientId, 'ann', password), incorrect)
      await signIn(app, clientId, 'ann', 'Passw0rd!')
    })

    test('when a forgotten password is replaced; the history knows the imported one', async () => {
      const { clientId } = await poolWithAnn({
        Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize: 1, RequireSymbols: false } },
      })
      await app.aws.forgotPassword({ ClientId: clientId, Username: 'ann' })
      const ConfirmationCode = await app.lastCode('ann@example.com')
      const confirm = (Password: string) =>
        app.aws.confirmForgotPassword({ ClientId: clientId, Username: 'ann', ConfirmationCode, Password })
      await assert.rejects(confirm(password), { name: 'PasswordHistoryPolicyViolationException' })
      await confirm('An0ther-one!')
      await assert.rejects(signIn(app, clientId, 'ann', password), incorrect)
      await signIn(app, clientId, 'ann', 'An0ther-one!')
    })
  })

  test('after a reset by an administrator the right password asks for a new one, a wrong one is wrong', async () => {
    const { poolId, clientId } = await poolWithAnn()
    await app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: 'ann' })
    await assert.rejects(signIn(app, clientId, 'ann', 'Wr0ng-one!'), incorrect)
    await assert.rejects(signIn(app, clientId, 'ann', password), { name: 'PasswordResetRequiredException' })
  })

  test('a client that hides users tells nothing about users without a hash', async () => {
    const { poolId, clientId } = await createPool(app, {}, discreet)
    await importHashes(poolId, 'BCRYPT', { ann: '', bob: hashes.BCRYPT })
    await assert.rejects(signIn(app, clientId, 'ann', password), incorrect)
    await assert.rejects(signIn(app, clientId, 'nobody', password), incorrect)
    await assert.rejects(signIn(app, clientId, 'bob', 'Wr0ng-one!'), incorrect)
  })

  test('a disabled user with a hash is not signed in', async () => {
    const { poolId, clientId } = await poolWithAnn()
    await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
    await assert.rejects(signIn(app, clientId, 'ann', password), { name: 'NotAuthorizedException' })
  })

  test('an empty cell is a user without password', async () => {
    const { poolId } = await createPool(app)
    const job = await importHashes(poolId, 'BCRYPT', { ann: '', bob: hashes.BCRYPT })
    assert.deepEqual(countsOf(job), [2, 0, 0])
    assert.equal(await statusOf(app, poolId, 'ann'), 'RESET_REQUIRED')
    assert.equal(await statusOf(app, poolId, 'bob'), 'CONFIRMED')
  })

  test('a bad hash is the fault of its row', async () => {
    const { poolId } = await createPool(app)
    const bad: Record<PasswordHashingAlgorithmType, string[]> = {
      BCRYPT: [hashes.BCRYPT.replace('$04$', '$31$'), hashes.BCRYPT.replace('$04$', '$13$'), 'plain text'],
      SCRYPT: [hashes.SCRYPT.replace('16$', '1073741824$'), hashes.BCRYPT],
      ARGON2ID: [hashes.ARGON2ID.replace('m=64', 'm=4194304'), '$argon2id$'],
      PBKDF2_SHA256: [hashes.PBKDF2_SHA256.replace('$1000$', '$2147483648$'), hashes.ARGON2ID],
    }
    for (const algorithm of algorithms) {
      const users: Record<string, string> = {}
      for (const [index, hash] of bad[algorithm].entries()) users[`bad-${algorithm}-${index}`] = hash
      for (let index = 0; index < 3; index++) users[`good-${algorithm}-${index}`] = hashes[algorithm]
      const job = await importHashes(poolId, algorithm, users)
      const faults = bad[algorithm].length
      assert.deepEqual(countsOf(job), [3, 0, faults])
      const lines = await logOf(app, poolId, job.JobId)
      assert.deepEqual(
        lines.slice(0, faults),
        bad[algorithm].map(
          (_, index) => `[FAILED] Line Number ${index + 2} - password_hash is not an acceptable ${algorithm} hash.`,
        ),
      )
    }
  })

  test('a job with an algorithm needs the column', async () => {
    const { poolId } = await createPool(app)
    const job = await importFile(app, poolId, await csvOf(app, poolId, [imported('ann')]), 'BCRYPT')
    assert.equal(job.Status, 'Failed')
    assert.deepEqual(countsOf(job), [0, 0, 0])
    assert.deepEqual(await logOf(app, poolId, job.JobId), [
      '[FAILED] Line Number 1 - The header does not have each of these columns once: password_hash',
    ])
    await assert.rejects(
      app.aws.createUserImportJob({
        UserPoolId: poolId,
        JobName: 'job',
        CloudWatchLogsRoleArn: 'arn:aws:iam::123456789012:role/x',
        PasswordHashingAlgorithm: 'MD5' as PasswordHashingAlgorithmType,
      }),
      { name: 'InvalidParameterException' },
    )
  })

  test('hashes appear nowhere: not in answers, attributes, logs or messages', async () => {
    const { poolId } = await poolWithAnn()
    const attributes = await attributesOf(app, poolId, 'ann')
    const listed = await app.aws.listUsers({ UserPoolId: poolId })
    const seen = JSON.stringify([attributes, listed, app.logged, app.events, await app.messages()])
    assert.ok(!seen.includes(hashes.BCRYPT))
    assert.ok(!seen.includes('password_hash'))
  })
})
