/** The only wiring: configuration and ports become an application that answers requests. */
import type { RequestListener } from 'node:http'
import type { AccessKey } from './config.ts'
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
} from './core/ports.ts'
import { usedCodeMs } from './features/authorization/codes.ts'
import { createCaches } from './features/caches.ts'
import { inTransaction, type Services } from './features/context.ts'
import { deliverLogs } from './features/log-delivery.ts'
import { handedOver, sendQueued } from './features/messages/hand-over.ts'
import { pruneOutbox } from './features/messages/outbox.ts'
import type { Settings } from './features/settings.ts'
import { sweepEvents } from './features/threat-protection/auth-events.ts'
import { importUsers } from './features/user-import/work.ts'
import { removeDeletedPools } from './features/user-pools/pool-store.ts'
import { createFaces, type FaceOptions } from './http/app.ts'
import { createAuthenticator } from './http/aws/authentication.ts'
import { createListener } from './http/listener.ts'
import type { TestControls } from './http/local.ts'
import type { Database } from './store/database.ts'
import { migrate } from './store/migrate.ts'
import { migrations } from './store/migrations/index.ts'
import { sweepAttempts, sweepOneTime } from './store/one-time.ts'
import { emptyTables } from './store/reset.ts'
import { checkMasterKey, type Seal } from './store/sealed.ts'

export interface AppConfig {
  settings: Settings
  accessKeys: AccessKey[]
  /** Base of issuer, links and redirects, without a final slash; or `auto`. */
  publicUrl: string
}

export interface Ports {
  database: Database
  seal: Seal
  clock: Clock & { advance?(ms: number): void; reset?(): void }
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
  leakedPasswords: LeakedPasswords | undefined
  places: Places | undefined
}

export interface App {
  /** Answers the requests of a Node.js HTTP server. */
  listener: RequestListener
  services: Services
  /** Background work that is due; cheap when there is none. */
  tick(): Promise<void>
  /** The part of the background work that messages should not have to wait for. */
  sendMessages(): Promise<void>
  /** Resolves when no message is being handed over in the background. */
  handedOver(): Promise<void>
  /** From now on `/ready` says no. */
  drain(): void
}

const sweepRowsMax = 1_000
/** Transactions that one tick spends on what deleted pools leave behind. */
const poolRemovalsMax = 5
const dayMs = 86_400_000

/**
 * Migrates the database and wires the application.
 * @throws Error with a reason of one line when the master key is not the one that sealed the database.
 */
export const createApp = async (config: AppConfig, ports: Ports): Promise<App> => {
  await migrate(ports.database, migrations)
  await checkMasterKey(ports.database, ports.seal)
  const caches = await createCaches(ports.database, ports.clock)
  const services: Services = {
    settings: config.settings,
    database: ports.database,
    db: ports.database.db,
    seal: ports.seal,
    clock: ports.clock,
    random: ports.random,
    compute: ports.compute,
    keyPairs: ports.keyPairs,
    delivery: ports.delivery,
    codeEncryption: ports.codeEncryption,
    fetch: ports.fetch,
    triggers: ports.triggers,
    events: ports.events,
    log: ports.log,
    logSinks: ports.logSinks,
    leakedPasswords: ports.leakedPasswords,
    places: ports.places,
    caches,
  }
  let draining = false
  const faceOptions: FaceOptions = {
    services,
    authenticator: createAuthenticator({
      accessKeys: config.accessKeys,
      account: config.settings.account,
      clock: ports.clock,
    }),
    publicUrl: () => config.publicUrl,
    local: config.accessKeys.length === 0,
    testControls: config.settings.testMode ? testControls(services, ports) : undefined,
    ready: async () => {
      if (draining) return false
      try {
        await ports.database.ping()
        return true
      } catch {
        return false
      }
    },
  }
  return {
    listener: createListener(faceOptions, createFaces(faceOptions)),
    services,
    tick: async () => {
      const isStopping = () => draining
      // None of the works waits for another, which may take long or fail.
      const works = [
        sweep(services).then(() => importUsers(services, isStopping)),
        deliverLogs(services, isStopping),
        sendQueued(services, isStopping),
      ]
      const failed = (await Promise.allSettled(works)).find(work => work.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
    sendMessages: () => sendQueued(services, () => draining),
    handedOver: () => handedOver(services),
    drain: () => {
      draining = true
    },
  }
}

/** Drops what has expired, a bounded number of rows each time. */
const sweep = async (services: Services): Promise<void> => {
  const now = services.clock.now()
  await inTransaction(services, async tx => {
    await sweepOneTime(tx.db, now, sweepRowsMax)
    await tx.db.deleteFrom('revoked_sessions').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('refresh_rotations').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('token_sessions').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('browser_sessions').where('expires_at', '<', now).execute()
    await tx.db
      .deleteFrom('authorization_codes')
      .where('expires_at', '<', now - usedCodeMs)
      .execute()
    await tx.db.deleteFrom('pushed_requests').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('device_grants').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('devices').where('expires_at', '<', now).execute()
    await tx.db
      .deleteFrom('sign_in_failures')
      .where('last_failed_at', '<', now - dayMs)
      .execute()
    await sweepAttempts(tx.db, now - dayMs, sweepRowsMax)
    await tx.db
      .deleteFrom('codes')
      .where('expires_at', '<', now - dayMs)
      .execute()
    await tx.db.deleteFrom('simulated_codes').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('simulated_messages').where('sent_at', '<', now).execute()
    await tx.db.deleteFrom('simulated_message_queue').where('due_at', '<', now).execute()
    await tx.db.deleteFrom('page_steps').where('expires_at', '<', now).execute()
    await tx.db.deleteFrom('federation_requests').where('expires_at', '<', now).execute()
    await pruneOutbox(tx)
    await sweepEvents(tx, sweepRowsMax)
  })
  for (let removals = 0; removals < poolRemovalsMax; removals += 1) {
    if (!(await removeDeletedPools(services))) break
  }
}

const testControls = (services: Services, ports: Ports): TestControls => ({
  advance: ms => ports.clock.advance?.(ms),
  reset: async () => {
    await inTransaction(services, tx => emptyTables(tx.db))
    services.caches.clear()
    ports.clock.reset?.()
  },
})
