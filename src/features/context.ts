/**
 * What every operation is given, and the wrappers that load pool, client and signed-in user before it runs.
 */

import type { Transaction } from 'kysely'
import type { OperationInputs, OperationName, OperationOutputs } from '../contract/types.ts'
import type {
  Clock,
  CodeEncryption,
  Compute,
  Delivery,
  Events,
  Fetch,
  KeyPairs,
  LeakedPasswords,
  Log,
  LogSinks,
  Places,
  Random,
  Triggers,
} from '../core/ports.ts'
import { type Database, transaction } from '../store/database.ts'
import type { Seal } from '../store/sealed.ts'
import type { Tables } from '../store/tables.ts'
import type { Settings } from './settings.ts'

/** What lives as long as the program: configuration, storage and the ports. */
export interface Services {
  settings: Settings
  database: Database
  db: Database['db']
  seal: Seal
  clock: Clock
  random: Random
  compute: Compute
  keyPairs: KeyPairs
  delivery: Delivery | undefined
  codeEncryption: CodeEncryption
  fetch: Fetch
  triggers: Triggers
  events: Events
  log: Log
  logSinks: LogSinks
  /** Undefined when the operator has no file of them. */
  leakedPasswords: LeakedPasswords | undefined
  places: Places | undefined
  /** Caches of the features by name; created by `features/caches.ts`. */
  caches: import('./caches.ts').Caches
}

/** What one request adds. */
export interface Context extends Services {
  requestId: string
  /** The AWS region this request speaks to. */
  region: string
  /** Base of issuer, links and redirects, without a final slash. */
  publicUrl: string
  /** Address of the peer, or of the client a trusted proxy names. */
  sourceIp: string | undefined
  userAgent: string | undefined
  /** What triggers are told of the request. */
  caller?: Caller
  /** What the request says of the user's device and address. */
  claimed?: ClaimedOrigin
}

/** What a request says of where its user is. Nothing of it is proven; who may say what is a rule of threat protection. */
export interface ClaimedOrigin {
  /** The caller is an administrator's server, so that its own address and device are not the user's. */
  isServer: boolean
  ipAddress?: string | undefined
  /** What a context library has made on the device. */
  encodedData?: string | undefined
  userAgent?: string | undefined
}

/** What the functions of triggers learn of a request beside its user. */
export interface Caller {
  /** Absent for operations that have no client. */
  clientId?: string | undefined
  clientMetadata?: Readonly<Record<string, string>> | undefined
  /** What the first triggers of a sign-in are told in the place of `clientMetadata`. */
  validationData?: Readonly<Record<string, string>> | undefined
}

/**
 * What is left of the context inside a transaction: mail, triggers and other remote or slow work are out of reach, so
 * the compiler refuses them there.
 */
export interface TransactionContext {
  db: Transaction<Tables>
  clock: Clock
  random: Random
  seal: Seal
}

/**
 * Runs the work in one transaction and returns what it returns, after the commit. Conflicts between transactions are
 * retried a few times, so the work must not have effects outside of the database.
 */
export const inTransaction = <T>(ctx: Context | Services, work: (ctx: TransactionContext) => Promise<T>): Promise<T> =>
  transaction(ctx.db, db => work({ db, clock: ctx.clock, random: ctx.random, seal: ctx.seal }))

/** A context that can read: outside or inside of a transaction. */
export type ReadContext = Pick<Context, 'db' | 'clock' | 'seal'> | TransactionContext

export type Operation<Name extends OperationName> = (
  ctx: Context,
  input: OperationInputs[Name],
) => Promise<OperationOutputs[Name]>

/** A table of operations; `satisfies Operations<'A' | 'B'>` gives each entry its exact input and output. */
export type Operations<Names extends OperationName> = { [Name in Names]: Operation<Name> }
