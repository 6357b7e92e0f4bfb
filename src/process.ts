/** The process: reads options and environment, builds the app, listens, ticks, and stops on a signal. */
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TlsOptions } from 'node:tls'
import { createCodeEncryption } from './adapters/code-encryption.ts'
import { createCompute } from './adapters/compute.ts'
import { createDelivery } from './adapters/delivery.ts'
import { guardedFetch } from './adapters/fetch.ts'
import { createKeyPairs } from './adapters/key-pairs.ts'
import { createLog, logEvents } from './adapters/log.ts'
import { createLogSinks } from './adapters/log-sinks.ts'
import { adjustableClock, systemClock, systemRandom } from './adapters/system.ts'
import { createTriggers } from './adapters/triggers.ts'
import { createApp } from './app.ts'
import { type Config, ConfigError, helpText, readConfig } from './config.ts'
import { watchConnections } from './connections.ts'
import type { LeakedPasswords, Places } from './core/ports.ts'
import { localTls } from './local-certificate.ts'
import { openDatabase } from './store/database.ts'
import { createSeal, loadMasterKey } from './store/sealed.ts'
import { version } from './version.ts'

const tickIntervalMs = 5_000
const messageIntervalMs = 1_000
const warmAfterMs = 300
const stopSignals = ['SIGTERM', 'SIGINT'] as const
/** How long requests under way may take after a signal. */
const drainMs = 8_000
/** How long messages that are being handed over may take after that. */
const handOverMs = 1_000
/**
 * A request that does not arrive is given up after 30 seconds at most: Node.js looks for late ones at the interval. An
 * idle connection is kept longer than the load balancers of the clouds keep theirs, so that they never use a closed one.
 */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 25_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 65_000,
}

/** A reason to end at once with one line and exit code 1. */
class StartError extends Error {}

const start = async (config: Config): Promise<void> => {
  const log = createLog(config.logLevel)
  process.removeAllListeners('warning')
  process.on('warning', warning => log.debug({ cause: warning }, 'warning of the runtime'))

  // A mistake in the file is told before anything is opened.
  const seed = config.seedFile === undefined ? undefined : await (await import('./seed.ts')).loadSeed(config.seedFile)

  let handle: RequestListener = (_request, response) => response.writeHead(503, { 'retry-after': '1' }).end()
  const server = await listen(config, (request, response) => handle(request, response))
  const connections = watchConnections(server)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.port
  const scheme = config.tls === undefined ? 'http' : 'https'

  const masterKey = loadMasterKey({ given: config.masterKey, dataDir: config.data })
  const database = await openDatabase(
    config.databaseUrl === undefined ? { file: databaseFile(config.data) } : { url: config.databaseUrl },
  )
  for (const warning of [...masterKey.warnings, ...database.warnings]) log.warn({}, warning)
  const seal = createSeal([masterKey])
  const compute = createCompute({ log })
  const keyPairs = createKeyPairs()
  const delivery = await createDelivery({
    ...config.messages,
    mailFrom: config.mailFrom,
    // Signatures are for others, whose clock is not moved in test mode.
    clock: systemClock,
  })
  const ownUrl = `${scheme}://localhost:${port}`
  const triggers = createTriggers({
    targets: config.triggers,
    lambdaEndpoint: config.lambdaEndpoint,
    lambdaCredentials: config.lambdaCredentials,
    clock: systemClock,
  })
  const places = config.geoDatabaseFile === undefined ? undefined : await openPlaces(config.geoDatabaseFile)
  const leakedPasswords =
    config.compromisedPasswordsFile === undefined ? undefined : await openPasswords(config.compromisedPasswordsFile)
  const app = await createApp(
    {
      settings: {
        region: config.region,
        account: config.account,
        issuer: config.issuer,
        testMode: config.testMode,
        rateLimits: config.rateLimits,
        messageLimits: config.messageLimits,
        allowedNetworks: config.allowedNetworks,
        trustedProxies: config.trustedProxies,
        oauthExtensions: config.oauthExtensions,
      },
      accessKeys: config.accessKeys,
      publicUrl: config.publicUrl ?? ownUrl,
    },
    {
      database,
      seal,
      clock: config.testMode ? adjustableClock(systemClock) : systemClock,
      random: systemRandom,
      compute,
      keyPairs,
      delivery,
      codeEncryption: createCodeEncryption({
        keys: config.messages.customSenderKeys,
        kms: config.messages.kms,
        clock: systemClock,
      }),
      fetch: guardedFetch({ networks: config.allowedNetworks }),
      triggers,
      events: logEvents(log),
      log,
      logSinks: createLogSinks(config.logDelivery, { clock: systemClock, account: config.account }),
      leakedPasswords,
      places,
    },
  )
  await seed?.apply(app.services, config.publicUrl === 'auto' ? ownUrl : (config.publicUrl ?? ownUrl))
  handle = app.listener
  // The first requests go before the threads and spare keys that later ones profit from.
  setTimeout(() => {
    compute.warm()
    keyPairs.warm()
  }, warmAfterMs).unref()

  const stopTicking = regularly(tickIntervalMs, () => app.tick(), log)
  const stopSending = regularly(messageIntervalMs, () => app.sendMessages(), log)
  const stop = async (signal: string): Promise<void> => {
    // A second signal ends the program at once.
    for (const name of stopSignals) process.off(name, stop)
    log.info({ signal }, 'draining')
    app.drain()
    stopTicking()
    stopSending()
    await connections.drain(drainMs)
    // What is not handed over by then stays in the queue.
    await Promise.race([app.handedOver(), sleep(handOverMs, undefined, { ref: false })])
    delivery?.close()
    keyPairs.close()
    await triggers.close()
    await compute.close()
    await database.close()
    log.info({}, 'stopped')
    log.flush()
    process.exit(0)
  }
  for (const name of stopSignals) process.on(name, stop)
  process.on('unhandledRejection', cause => log.error({ cause }, 'unhandled rejection'))

  // Last, because whoever reads it may send a request or a signal at once.
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  process.stdout.write(`cenote listening on ${scheme}://${host}:${port}\n`)
}

const openPlaces = async (file: string): Promise<Places> => {
  const { openGeoDatabase } = await import('./adapters/geo-database.ts')
  try {
    return openGeoDatabase(file)
  } catch (error) {
    throw new StartError(`cannot read the geo database ${file}: ${reasonOf(error)}`)
  }
}

const openPasswords = async (file: string): Promise<LeakedPasswords> => {
  const { openLeakedPasswords } = await import('./adapters/leaked-passwords.ts')
  return openLeakedPasswords(file).catch((error: unknown) => {
    throw new StartError(`cannot read the compromised passwords ${file}: ${reasonOf(error)}`)
  })
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const databaseFile = (folder: string): string => (folder === ':memory:' ? folder : join(folder, 'cenote.db'))

const listen = (config: Config, listener: RequestListener): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server =
      config.tls === undefined
        ? createServer(limits, listener)
        : createTlsServer({ ...limits, ...tlsOptions(config, config.tls) }, listener)
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new StartError(`cannot listen on ${config.host}:${config.port}: ${error.code ?? error.message}`)),
    )
    server.listen(config.port, config.host, () => resolve(server))
  })

const tlsOptions = (config: Config, tls: NonNullable<Config['tls']>): TlsOptions => {
  if (tls !== 'local') return { cert: readPem(tls.certFile), key: readPem(tls.keyFile) }
  try {
    return localTls(config.data, ownHosts(config), systemClock.now)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new StartError(`cannot keep certificates in ${config.data}: ${reason}`)
  }
}

/** What this server is called beside localhost. */
const ownHosts = ({ host, publicUrl }: Config): string[] => {
  const isEverything = host === '0.0.0.0' || host === '::'
  const named = publicUrl === undefined || publicUrl === 'auto' ? [] : [new URL(publicUrl).hostname]
  return [...(isEverything ? [] : [host]), ...named.map(name => name.replace(/^\[|\]$/g, ''))]
}

const readPem = (file: string): Buffer => {
  try {
    return readFileSync(file)
  } catch {
    throw new StartError(`cannot read ${file}`)
  }
}

/** Background work at a steady pace, never twice at once. Returns the function that ends it. */
const regularly = (intervalMs: number, work: () => Promise<void>, log: ReturnType<typeof createLog>): (() => void) => {
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    work()
      .catch(cause => log.error({ cause }, 'background work failed'))
      .finally(() => {
        busy = false
      })
  }, intervalMs)
  return () => clearInterval(timer)
}

const run = async (args: string[]): Promise<void> => {
  const [command, ...rest] = args
  if (
    command === undefined ||
    command === '--help' ||
    command === '-h' ||
    command === 'help' ||
    rest.includes('--help')
  ) {
    process.stdout.write(helpText())
    return
  }
  if (command === '--version' || command === 'version') {
    process.stdout.write(`${version}\n`)
    return
  }
  if (command !== 'start') throw new ConfigError(`unknown command ${command}; cenote --help shows what there is`)
  await start(await readConfig(rest, process.env))
}

/** Runs the command line. Ends the process with exit code 1 and a reason of one line when it cannot. */
export const main = (args: string[]): Promise<void> =>
  run(args).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    process.stderr.write(`cenote: ${reason}\n`)
    process.exit(1)
  })
