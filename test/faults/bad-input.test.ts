/** Inputs that the model forbids, and odd ones that it allows, for every member of every operation. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { operations } from '../../src/contract/model.ts'
import type { OperationName } from '../../src/contract/types.ts'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { createSignedInUser, createTestPool, testPassword } from '../support/directory.ts'
import {
  faultsOf,
  goodValue,
  oddTexts,
  oddValues,
  placesOf,
  type Refusal,
  smallestInput,
  withPrototypeKeys,
} from '../support/model-inputs.ts'
import { allFlows } from '../support/sign-in.ts'
import { assertUnharmed, assertWorks } from '../support/unharmed.ts'
import { type Answer, createWire, type Wire } from '../support/wire.ts'

const operationNames = Object.keys(operations) as OperationName[]

onEachDatabase(testApp => {
  let app: TestApp
  let wire: Wire
  before(async () => {
    app = await testApp()
    wire = createWire(app.url)
  })
  after(() => wire.close())

  test('the smallest good input of every operation gets past the model', async () => {
    for (const name of operationNames) {
      const answer = await wire.call(name, smallestInput(name))
      assert.ok(isPlain(name, answer) && answer.type !== 'SerializationException', `${name}: ${answer.text}`)
      assert.doesNotMatch(answer.message, /validation error|well-formed/, name)
    }
  })

  test('every member of every operation is refused when it breaks the model, and nothing is stored', async () => {
    const wrong: string[] = []
    let sent = 0
    // The decoder knows nothing of the database: on the second one a sample shows that nothing differs.
    const step = app.kind === 'sqlite' ? 1 : 10
    await assertUnharmed(app, async () => {
      for (const name of operationNames) {
        const faults = faultsOf(name).filter((_, index) => index % step === 0)
        sent += faults.length
        await inParallel(8, faults, async ({ label, value, refusal, secret }) => {
          const answer = await wire.call(name, value)
          const told = secret !== undefined && answer.text.includes(secret)
          if (!isRefusal(answer, refusal) || told) wrong.push(`${name} ${label}: ${answer.status} ${answer.text}`)
        })
      }
    })
    assert.deepEqual(wrong.slice(0, 20), [])
    assert.ok(sent > 12_000 / step)
  })

  test('no value that the model accepts breaks an operation on a real pool', async () => {
    const step = app.kind === 'sqlite' ? 3 : 24
    const wrong: string[] = []
    const succeeded = new Set<OperationName>()
    app.logged.length = 0
    let world = await createWorld(app)
    let turn = 0
    for (const name of operationNames) {
      if (!(await isWhole(app, world))) world = await createWorld(app)
      for (const { path, shape, build } of placesOf(name, world).filter((_, index) => index % (step / 3) === 0)) {
        const odd = (path.endsWith('{key}') ? oddTexts : oddValues(shape, world)).filter(() => turn++ % step === 0)
        for (const value of [goodValue(shape, world, path), ...odd]) {
          const answer = await wire.call(name, build(value))
          if (answer.status === 200) succeeded.add(name)
          if (!isPlain(name, answer)) wrong.push(`${name} ${path} ${shorten(value)}: ${answer.status} ${answer.text}`)
        }
      }
    }
    assert.deepEqual(wrong.slice(0, 20), [])
    assert.deepEqual(errorsLogged(app), [])
    assert.ok(succeeded.size > 50, [...succeeded].join(' '))
    await assertWorks(app)
  })

  test('no parameter of a flow and no response to a challenge breaks the sign-in', async () => {
    const step = app.kind === 'sqlite' ? 3 : 12
    const wrong: string[] = []
    app.logged.length = 0
    const world = await createWorld(app)
    const begun = await app.aws.adminInitiateAuth({
      UserPoolId: world.UserPoolId,
      ClientId: world.ClientId,
      AuthFlow: 'USER_SRP_AUTH',
      AuthParameters: { USERNAME: 'ann', SRP_A: 'abcdef' },
    })
    const { SECRET_BLOCK = '' } = begun.ChallengeParameters ?? {}
    const good: Record<string, string> = {
      USERNAME: 'ann',
      PASSWORD: testPassword,
      SRP_A: 'abcdef',
      TIMESTAMP: 'Mon Jan 1 00:00:00 UTC 2024',
      PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
      PASSWORD_CLAIM_SIGNATURE: 'AAAA',
      NEW_PASSWORD: 'N3wPassw0rd!',
      REFRESH_TOKEN: 'a.b.c.d.e',
      SECRET_HASH: 'AAAA',
      DEVICE_KEY: 'us-east-1_0a',
      ANSWER: 'PASSWORD',
      PREFERRED_CHALLENGE: 'PASSWORD_SRP',
      'userAttributes.email': 'ann@example.com',
    }
    const odd = [...oddTexts, '0', '00', `0x${'f'.repeat(8)}`, 'f'.repeat(768), 'f'.repeat(100_000), '-abcdef']
    const send = async (name: OperationName, input: Record<string, unknown>, what: string) => {
      const answer = await wire.call(name, input)
      if (!isPlain(name, answer)) wrong.push(`${name} ${what}: ${answer.status} ${answer.text}`)
    }
    let turn = 0
    for (const [name, selector, bag] of [
      ['InitiateAuth', 'AuthFlow', 'AuthParameters'],
      ['AdminInitiateAuth', 'AuthFlow', 'AuthParameters'],
      ['RespondToAuthChallenge', 'ChallengeName', 'ChallengeResponses'],
      ['AdminRespondToAuthChallenge', 'ChallengeName', 'ChallengeResponses'],
    ] as const) {
      const choices = placesOf(name).find(({ path }) => path === selector)?.shape.enum ?? []
      for (const choice of choices) {
        const base = {
          ...smallestInput(name, world),
          [selector]: choice,
          ...(begun.Session && { Session: begun.Session }),
        }
        await send(name, { ...base, [bag]: {} }, `${choice} {}`)
        await send(name, { ...base, [bag]: withPrototypeKeys('a') }, `${choice} prototype`)
        for (const key of Object.keys(good)) {
          for (const value of odd.filter(() => turn++ % step === 0)) {
            await send(name, { ...base, [bag]: { ...good, [key]: value } }, `${choice} ${key}=${shorten(value)}`)
          }
        }
      }
    }
    assert.deepEqual(wrong.slice(0, 20), [])
    assert.deepEqual(errorsLogged(app), [])
    await assertWorks(app)
  })
})

const shorten = (value: unknown): string => (JSON.stringify(value) ?? '').slice(0, 60)

const errorsLogged = (app: TestApp) => app.logged.filter(({ level }) => level === 'error').slice(0, 3)

/** Real names for the members of inputs: a pool with a client, a group and a signed-in user. */
const createWorld = async (app: TestApp) => {
  const pool = await createTestPool(app, { AutoVerifiedAttributes: ['email'] }, { ExplicitAuthFlows: allFlows })
  const AccessToken = await createSignedInUser(app, pool, 'ann', { email: 'ann@example.com', email_verified: 'true' })
  const GroupName = 'staff'
  await app.aws.createGroup({ UserPoolId: pool.UserPoolId, GroupName })
  await app.aws.createResourceServer({ UserPoolId: pool.UserPoolId, Identifier: 'api', Name: 'api' })
  const { UserPool } = await app.aws.describeUserPool({ UserPoolId: pool.UserPoolId })
  return { ...pool, AccessToken, Username: 'ann', GroupName, Identifier: 'api', ResourceArn: UserPool?.Arn ?? '' }
}

const isWhole = async (app: TestApp, world: Awaited<ReturnType<typeof createWorld>>): Promise<boolean> => {
  const { UserPoolId, ClientId, AccessToken, GroupName } = world
  const found = await Promise.allSettled([
    app.aws.getUser({ AccessToken }),
    app.aws.describeUserPoolClient({ UserPoolId, ClientId }),
    app.aws.getGroup({ UserPoolId, GroupName }),
  ])
  return found.every(({ status }) => status === 'fulfilled')
}

/** A success, or a refusal that the operation declares. */
const isPlain = (name: OperationName, { status, type, message }: Answer): boolean =>
  status === 200 ||
  (status === 400 &&
    ((operations[name].errors as readonly string[]).includes(type) || message.endsWith('in this version of Cenote.')))

const isRefusal = ({ status, type, message }: Answer, refusal: Refusal): boolean => {
  if (status !== 400) return false
  if (refusal === 'type') return type === 'SerializationException'
  if (type !== 'InvalidParameterException') return false
  return refusal === 'malformed'
    ? message.includes('not well-formed Unicode')
    : /^\d+ validation errors? detected: /.test(message)
}

/** Runs the work on each item, at most `width` at a time. */
const inParallel = async <T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await work(item)
    }),
  )
}
