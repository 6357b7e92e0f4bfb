/**
 * The application as the tests see it: the real program on a real database, with a clock that stands still until it is
 * moved, an official AWS client, and a socket of its own.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe } from 'node:test'
import {
  CognitoIdentityProvider,
  type CognitoIdentityProviderClientConfig,
} from '@aws-sdk/client-cognito-identity-provider'
import { createCodeEncryption } from '../../src/adapters/code-encryption.ts'
import { createCompute } from '../../src/adapters/compute.ts'
import { guardedFetch } from '../../src/adapters/fetch.ts'
import { adjustableClock, systemRandom } from '../../src/adapters/system.ts'
import { type App, createApp } from '../../src/app.ts'
import type { AccessKey } from '../../src/config.ts'
import { loopbackNetworks, parseNetworks } from '../../src/core/network-addresses.ts'
import {
  type Clock,
  type CodeEncryption,
  type Compute,
  type Delivery,
  type Event,
  type Fetch,
  FetchFailure,
  type KeyPairs,
  type LeakedPasswords,
  type LogSinks,
  type OutgoingMessage,
  type Places,
  TriggerFailure,
  type Triggers,
} from '../../src/core/ports.ts'
import type { OutboxMessage } from '../../src/features/messages/outbox.ts'
import type { Settings } from '../../src/features/settings.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { createSeal } from '../../src/store/sealed.ts'
import { newPostgresDatabase, type PostgresDatabase } from './postgres-databases.ts'

export type DatabaseKind = 'sqlite' | 'postgres'

export interface TestAppOptions {
  settings?: Partial<Settings>
  accessKeys?: AccessKey[]
  publicUrl?: string
  /** Takes messages instead of leaving them in the outbox only. */
  delivery?: Delivery
  /** Encrypts what custom senders are given; without it there are no keys. */
  codeEncryption?: CodeEncryption
  /** The servers of others; without it the guarded fetch, which reaches loopback only. */
  fetch?: Fetch
  /** Where the logs of pools go; without it they are among the events. */
  logSinks?: LogSinks
  leakedPasswords?: LeakedPasswords
  places?: Places
  /** The SQLite database; in memory without it. */
  file?: string
  /** Runs on the system's time instead of a clock that stands still. */
  realTime?: boolean
}

export interface TestApp extends AsyncDisposable {
  /** The AWS SDK's client; only the endpoint differs from real use. */
  aws: CognitoIdentityProvider
  /** Another client, for example with other credentials or another region. */
  client(config: CognitoIdentityProviderClientConfig): CognitoIdentityProvider
  /** Base URL of the server, without a final slash. */
  url: string
  app: App
  database: Database
  /** How many statements the database has been sent. */
  statements(): number
  kind: DatabaseKind
  /** Moves the clock forward by milliseconds. */
  advance(ms: number): void
  now(): number
  /** All messages, newest first. */
  messages(): Promise<OutboxMessage[]>
  /** The code of the newest message (to this address). */
  lastCode(to?: string): Promise<string>
  /**
   * Puts a function of this name there and returns its ARN, for LambdaConfig. It is given a copy of each event; what it
   * throws is the error of the function.
   */
  lambda(name: string, run: TestFunction): string
  events: Event[]
  /** Lines that were logged as warnings or errors. */
  logged: { level: string; message: string; details: object }[]
  /**
   * A second node on the same database, with the same master key and clock: on PostgreSQL, or on a SQLite file when this
   * node is closed.
   */
  secondNode(): Promise<TestApp>
  close(): Promise<void>
}

/** The function of a trigger; what it returns is what Lambda would have been returned. */
export type TestFunction = (event: TriggerEvent) => unknown

export interface TriggerEvent {
  version: string
  triggerSource: string
  region: string
  userPoolId: string
  userName: string
  callerContext: { awsSdkVersion: string; clientId: string }
  request: Record<string, unknown>
  response: Record<string, unknown>
}

export const seconds = (n: number): number => n * 1_000
export const minutes = (n: number): number => n * 60_000
export const hours = (n: number): number => n * 3_600_000
export const days = (n: number): number => n * 86_400_000

/** Registers the same tests on SQLite and on PostgreSQL. Applications are closed when their group has run. */
export const onEachDatabase = (define: (testApp: (options?: TestAppOptions) => Promise<TestApp>) => void): void => {
  for (const kind of ['sqlite', 'postgres'] as const) {
    describe(`on ${kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'}`, () => {
      const open: TestApp[] = []
      after(async () => {
        for (const app of open) await app[Symbol.asyncDispose]()
      })
      define(async options => {
        const app = await openTestApp(kind, options)
        open.push(app)
        return app
      })
    })
  }
}

/** One application on a database of its own. Close it. */
export const openTestApp = async (kind: DatabaseKind, options: TestAppOptions = {}): Promise<TestApp> => {
  const postgres = kind === 'postgres' ? await newPostgresDatabase() : undefined
  const app = await openNode(kind, options, { postgres, clock: testClock(options), masterKey: randomBytes(32) })
  if (postgres === undefined) return app
  // Another node may open the database after this one is closed, but nobody after it is disposed of.
  return {
    ...app,
    [Symbol.asyncDispose]: async () => {
      await app.close()
      await postgres.drop()
    },
  }
}

interface Shared {
  postgres: PostgresDatabase | undefined
  clock: Clock & { advance(ms: number): void }
  masterKey: Buffer
}

const openNode = async (kind: DatabaseKind, options: TestAppOptions, shared: Shared): Promise<TestApp> => {
  const opened = await openDatabase(
    kind === 'sqlite' ? { file: options.file ?? ':memory:' } : { url: shared.postgres?.url },
  )
  let statements = 0
  const database: Database = {
    ...opened,
    db: opened.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        statements += 1
        return result
      },
    }),
  }
  const events: Event[] = []
  const logged: TestApp['logged'] = []
  const log = (level: string) => (details: object, message: string) => {
    if (level === 'warn' || level === 'error') logged.push({ level, message, details })
    if (process.env['CENOTE_TEST_LOG'] === '1') console.error(level, message, details)
  }
  const functions = new Map<string, TestFunction>()
  // As in the program: an idle connection must not be closed just when the client takes it up again.
  const server = createServer({ keepAliveTimeout: 65_000 })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const app = await createApp(
    {
      settings: {
        region: 'us-east-1',
        account: '123456789012',
        issuer: 'url',
        testMode: true,
        allowedNetworks: loopback,
        ...options.settings,
      },
      accessKeys: options.accessKeys ?? [],
      publicUrl: options.publicUrl ?? url,
    },
    {
      database,
      seal: createSeal([{ id: 'test', key: shared.masterKey }]),
      clock: shared.clock,
      random: systemRandom,
      compute: sharedCompute(),
      keyPairs: fixedKeyPairs,
      delivery: options.delivery,
      codeEncryption:
        options.codeEncryption ?? createCodeEncryption({ keys: new Map(), kms: undefined, clock: shared.clock }),
      fetch: options.fetch ?? guardedFetch({ networks: loopback }),
      triggers: inProcess(functions),
      events: { record: event => events.push(event) },
      logSinks: options.logSinks ?? { of: () => [], deliver: async () => [] },
      leakedPasswords: options.leakedPasswords,
      places: options.places,
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    },
  )
  server.on('request', app.listener)

  const client = (config: CognitoIdentityProviderClientConfig) =>
    new CognitoIdentityProvider({
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
      ...config,
    })
  const messages = async (): Promise<OutboxMessage[]> => {
    const { listMessages } = await import('../../src/features/messages/outbox.ts')
    return listMessages(app.services, {})
  }
  const aws = client({})
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    aws.destroy()
    await closeServer(server)
    await database.close()
  }
  return {
    aws,
    client,
    url,
    app,
    database,
    statements: () => statements,
    kind,
    advance: ms => shared.clock.advance(ms),
    now: () => shared.clock.now(),
    messages,
    lastCode: async to => {
      const message = (await messages()).find(candidate => to === undefined || candidate.to === to)
      if (message?.code === undefined) throw new Error(`No code was sent${to === undefined ? '' : ` to ${to}`}.`)
      return message.code
    },
    lambda: (name, run) => {
      const arn = `arn:aws:lambda:us-east-1:123456789012:function:${name}`
      functions.set(arn, run)
      return arn
    },
    events,
    logged,
    secondNode: () => {
      if (kind !== 'postgres' && options.file === undefined) throw new Error('Several nodes need PostgreSQL or a file.')
      return openNode(kind, options, shared)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Functions in this process. Events and answers go through JSON, as they do everywhere else. */
const inProcess = (functions: ReadonlyMap<string, TestFunction>): Triggers => ({
  invoke: async ({ target, event }) => {
    const run = functions.get(target)
    if (run === undefined) throw new TriggerFailure('refused', 'ResourceNotFoundException')
    try {
      const returned = await run(JSON.parse(JSON.stringify(event)))
      return JSON.parse(JSON.stringify(returned ?? null))
    } catch (error) {
      if (error instanceof TriggerFailure) throw error
      throw new TriggerFailure('function', error instanceof Error ? error.message : String(error))
    }
  },
})

/** Stands still until it is advanced, unless the test wants real time. */
const testClock = (options: TestAppOptions): Shared['clock'] =>
  adjustableClock(options.realTime ? { now: () => Date.now() } : { now: () => frozenAt })

/** The moment at which the test process started: near enough to the system's time for signatures and tokens. */
const frozenAt = Date.now()

const closeServer = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const loopback = parseNetworks(loopbackNetworks)

let compute: (Compute & { close(): Promise<void> }) | undefined
const sharedCompute = (): Compute => {
  compute ??= createCompute({ threads: 1 })
  return compute
}

/** Key pairs that were made once for all tests; making one takes longer than most tests. */
const fixedKeyPairs: KeyPairs = {
  take: async () => {
    const pairs = loadKeyPairs()
    const pair = pairs[taken++ % pairs.length]
    if (pair === undefined) throw new Error('There are no key pairs for tests.')
    return pair
  },
}

let taken = 0
let loaded: { publicKey: KeyObject; privateKey: KeyObject }[] | undefined
const loadKeyPairs = () => {
  if (loaded === undefined) {
    const file = process.env['CENOTE_TEST_KEYS']
    if (file === undefined) throw new Error('Tests run through `npm test`, which makes the key pairs.')
    loaded = (JSON.parse(readFileSync(file, 'utf8')) as string[]).map(pem => ({
      privateKey: createPrivateKey(pem),
      publicKey: createPublicKey(pem),
    }))
  }
  return loaded
}

/** A delivery that keeps what it was given. */
export const keepingDelivery = (): Delivery & { sent: OutgoingMessage[] } => {
  const sent: OutgoingMessage[] = []
  return { sent, send: async message => void sent.push(message) }
}

/** What a server of others answers: a body with status 200, or more of the answer. */
export type FetchAnswer = string | { status?: number; headers?: Record<string, string>; body?: string }

/**
 * A fetch that knows the answers to some URLs and reaches nothing else. The table may change while it is in use; the
 * URLs that were asked for are kept.
 */
export const fetchFrom = (answers: Map<string, FetchAnswer>): Fetch & { asked: string[] } => {
  const asked: string[] = []
  const fetch: Fetch = async (url, { purpose }) => {
    asked.push(url)
    const answer = answers.get(url)
    if (answer === undefined) throw new FetchFailure('unreachable', `${purpose}: nothing at ${url}`)
    const { status = 200, headers = {}, body = '' } = typeof answer === 'string' ? { body: answer } : answer
    return { status, headers, body: Buffer.from(body) }
  }
  return Object.assign(fetch, { asked })
}
