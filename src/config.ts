/**
 * Configuration: what the command line, the environment and the YAML file say becomes one Config. Precedence: option,
 * environment, file, default. Every option stands in the table below with its documentation; `--help` and
 * `docs/configuration.md` are made from it.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type MessageLimits,
  type MessageServices,
  messageKeys,
  readMailFrom,
  readMessageLimits,
  readMessageServices,
} from './config-messages.ts'
import { ConfigError, httpProtocols, readCredentials, readUrl, readWebhook } from './config-values.ts'
import { type Policy, parsePolicy } from './core/iam-policy.ts'
import { type AllowedNetworks, isSubnet, loopbackNetworks, parseNetworks } from './core/network-addresses.ts'
import { defaultExtensions, type OAuthExtension, oauthExtensions, readExtensions } from './core/oauth-extensions.ts'
import { type Category, type DomainLimit, isCategory, isDomainLimit } from './core/rate-limits.ts'
import type { Credentials } from './core/sigv4-sign.ts'

export { ConfigError } from './config-values.ts'

export interface AccessKey {
  id: string
  secret: string
  /** Absent: everything is allowed. */
  policy?: Policy
}

/** Where the function of a trigger runs that is not run by Lambda. */
export type TriggerTarget = { url: string; secret: string } | { module: string }

export interface Config {
  host: string
  port: number
  /** Folder of the embedded database and the master key, or `:memory:`. */
  data: string
  databaseUrl: string | undefined
  /** Undefined: `http://localhost:PORT`. `auto` follows the request's Host. */
  publicUrl: string | undefined
  issuer: string
  region: string
  account: string
  /** 32 bytes in hex or base64; undefined: generated into the data folder. */
  masterKey: string | undefined
  accessKeys: AccessKey[]
  /** YAML file whose pools, clients and users exist before the first request. */
  seedFile: string | undefined
  /** How messages go out, and the keys of custom senders. */
  messages: MessageServices
  /** Sender of mail from pools that name none. */
  mailFrom: string
  messageLimits: MessageLimits
  lambdaEndpoint: string | undefined
  lambdaCredentials: Credentials | undefined
  /** By the ARN or the name of the function. */
  triggers: ReadonlyMap<string, TriggerTarget>
  /** What may be called beyond the public internet, when an administrator of a pool names it. */
  allowedNetworks: AllowedNetworks
  trustedProxies: AllowedNetworks | undefined
  /** `local`: with certificates for this machine, made by the server. Undefined: plain http. */
  tls: { certFile: string; keyFile: string } | 'local' | undefined
  /** Databases of places and of leaked passwords. */
  geoDatabaseFile: string | undefined
  compromisedPasswordsFile: string | undefined
  logDelivery: LogDeliveryConfig
  testMode: boolean
  /** Undefined: no limits; else the limits that differ from the service's own. */
  rateLimits: Readonly<Partial<Record<Category, number>>> | undefined
  /** What the authorization server does beyond Cognito. */
  oauthExtensions: readonly OAuthExtension[]
  insecure: boolean
  logLevel: string
}

/** Where the logs of pools go. */
export interface LogDeliveryConfig {
  cloudWatchEndpoint?: string
  firehoseEndpoint?: string
  s3Endpoint?: string
  credentials?: Credentials
  file?: string
  webhook?: { url: string; secret: string }
}

interface Option {
  /** Name on the command line and, in camel case, key of the file. */
  name: string
  kind: 'text' | 'switch'
  /** What stands for the value in the help. */
  value?: string
  variable: string
  default: string
  doc: string
}

const listedExtensions = Object.keys(oauthExtensions)
  .map(name => `\`${name}\``)
  .join(', ')

/** Every option of `cenote start`. */
export const options: Option[] = [
  {
    name: 'host',
    kind: 'text',
    value: 'ADDRESS',
    variable: 'CENOTE_HOST',
    default: '127.0.0.1',
    doc: 'Address to listen on. Beyond loopback an access key is required.',
  },
  {
    name: 'port',
    kind: 'text',
    value: 'PORT',
    variable: 'CENOTE_PORT',
    default: '9229',
    doc: 'Port to listen on; 0 takes any free port.',
  },
  {
    name: 'data',
    kind: 'text',
    value: 'DIR',
    variable: 'CENOTE_DATA',
    default: './.cenote',
    doc: 'Folder of the embedded database and the master key. `:memory:` keeps nothing.',
  },
  {
    name: 'database',
    kind: 'text',
    value: 'URL',
    variable: 'CENOTE_DATABASE_URL',
    default: 'none',
    doc: '`postgres://…` replaces the embedded database. Needs a master key.',
  },
  {
    name: 'public-url',
    kind: 'text',
    value: 'URL',
    variable: 'CENOTE_PUBLIC_URL',
    default: '`http://localhost:PORT`; with TLS `https://…`',
    doc: 'Base of issuer, links and redirects. `auto` follows the Host of the request and is for local mode only.',
  },
  {
    name: 'issuer',
    kind: 'text',
    value: 'FORM',
    variable: 'CENOTE_ISSUER',
    default: '`url`',
    doc: "Form of the issuer: `url` is `{public-url}/{poolId}`, `aws` is Cognito's own, anything else is a template with `{region}` and `{poolId}`.",
  },
  {
    name: 'region',
    kind: 'text',
    value: 'REGION',
    variable: 'CENOTE_REGION',
    default: '`us-east-1`',
    doc: 'Region of requests that name none.',
  },
  {
    name: 'account',
    kind: 'text',
    value: 'ID',
    variable: 'CENOTE_ACCOUNT',
    default: '`000000000000`',
    doc: 'Account number in ARNs, twelve digits.',
  },
  {
    name: 'master-key',
    kind: 'text',
    value: 'KEY',
    variable: 'CENOTE_MASTER_KEY',
    default: 'generated into the data folder',
    doc: 'Key that seals every secret at rest: 32 bytes in hex or base64. Required with a database URL.',
  },
  {
    name: 'access-key',
    kind: 'text',
    value: 'ID:SECRET',
    variable: 'CENOTE_ACCESS_KEY_ID, CENOTE_SECRET_ACCESS_KEY',
    default: 'none',
    doc: 'Access key that may do everything. More keys, each with an IAM policy, go into the file under `accessKeys`.',
  },
  {
    name: 'seed',
    kind: 'text',
    value: 'FILE',
    variable: 'CENOTE_SEED',
    default: 'none',
    doc: 'YAML file of pools, clients, groups and users that exist before the first request; see docs/seed.md.',
  },
  {
    name: 'smtp',
    kind: 'text',
    value: 'URL',
    variable: 'CENOTE_SMTP_URL',
    default: 'none',
    doc: '`smtp://` or `smtps://` server for mail. Without one, messages stay in the outbox. Other ways, for text messages as well, go into the file under `delivery`; see docs/messages.md.',
  },
  {
    name: 'mail-from',
    kind: 'text',
    value: 'ADDRESS',
    variable: 'CENOTE_MAIL_FROM',
    default: '`no-reply@verificationemail.com`',
    doc: "Sender of mail from pools that name none, `name@example.com` or `Name <name@example.com>`. The default is Cognito's and only good for tests.",
  },
  {
    name: 'message-limits',
    kind: 'text',
    value: 'LIMITS',
    variable: 'CENOTE_MESSAGE_LIMITS',
    default: '`on` with access keys, else `off`',
    doc: 'Limits of messages sent: `on`, `off`, or limits that differ from the defaults, such as `DefaultEmails=500,PoolSms=200`; see docs/messages.md.',
  },
  {
    name: 'lambda-endpoint',
    kind: 'text',
    value: 'URL',
    variable: 'CENOTE_LAMBDA_ENDPOINT',
    default: 'none',
    doc: 'Endpoint of a Lambda Invoke API for triggers. Functions that run elsewhere go into the file under `triggers`.',
  },
  {
    name: 'lambda-access-key',
    kind: 'text',
    value: 'ID:SECRET',
    variable: 'CENOTE_LAMBDA_ACCESS_KEY',
    default: 'none',
    doc: 'AWS access key that signs the calls of the Lambda endpoint; a session token may follow after another colon.',
  },
  {
    name: 'allow-private-network',
    kind: 'text',
    value: 'LIST',
    variable: 'CENOTE_ALLOW_PRIVATE_NETWORK',
    default: 'none; loopback in local mode',
    doc: 'Hosts, addresses and CIDR blocks, separated by commas, that identity providers, metadata and webhooks may be called on although they are not public, with http as well. Local mode, which is listening on loopback without an access key, adds loopback.',
  },
  {
    name: 'trusted-proxies',
    kind: 'text',
    value: 'LIST',
    variable: 'CENOTE_TRUSTED_PROXIES',
    default: 'none',
    doc: 'Addresses and CIDR blocks, separated by commas, of the proxies in front, whose `X-Forwarded-For` tells where a request comes from.',
  },
  {
    name: 'tls',
    kind: 'switch',
    variable: 'CENOTE_TLS',
    default: 'off',
    doc: 'Speaks https with certificates for this machine. Clients trust `tls-ca.pem` in the data folder, which is made at the first start.',
  },
  {
    name: 'geo-database',
    kind: 'text',
    value: 'FILE',
    variable: 'CENOTE_GEO_DATABASE',
    default: 'none',
    doc: 'Database of cities or countries in MMDB format. Threat protection and the lists of sessions know the places of addresses from it.',
  },
  {
    name: 'compromised-passwords-file',
    kind: 'text',
    value: 'FILE',
    variable: 'CENOTE_COMPROMISED_PASSWORDS_FILE',
    default: 'none',
    doc: 'Sorted SHA-1 digests of leaked passwords, one a line, as Have I Been Pwned offers them. Without it, threat protection knows a small list of common passwords only.',
  },
  {
    name: 'tls-cert',
    kind: 'text',
    value: 'FILE',
    variable: 'CENOTE_TLS_CERT',
    default: 'none',
    doc: 'Certificate chain in PEM; with it the server speaks https.',
  },
  {
    name: 'tls-key',
    kind: 'text',
    value: 'FILE',
    variable: 'CENOTE_TLS_KEY',
    default: 'none',
    doc: 'Private key of the certificate in PEM.',
  },
  {
    name: 'rate-limits',
    kind: 'text',
    value: 'LIMITS',
    variable: 'CENOTE_RATE_LIMITS',
    default: '`on` with access keys, else `off`',
    doc: "Cognito's limits of requests per second, for each pool and domain and on each node: `on`, `off`, or limits that differ from Cognito's, such as `UserAuthentication=300,UserList=60`.",
  },
  {
    name: 'oauth-extensions',
    kind: 'text',
    value: 'LIST',
    variable: 'CENOTE_OAUTH_EXTENSIONS',
    default: '`end-session`',
    doc: `What the authorization server does beyond Cognito, separated by commas, or \`none\`: ${listedExtensions}. See docs/oauth.md.`,
  },
  {
    name: 'test-mode',
    kind: 'switch',
    variable: 'CENOTE_TEST_MODE',
    default: 'off',
    doc: 'Opens `/_cenote/clock` and `/_cenote/reset`.',
  },
  {
    name: 'insecure',
    kind: 'switch',
    variable: 'CENOTE_INSECURE',
    default: 'off',
    doc: 'Allows an address beyond loopback without an access key. Anybody who can reach the server owns it.',
  },
  {
    name: 'log-level',
    kind: 'text',
    value: 'LEVEL',
    variable: 'CENOTE_LOG_LEVEL',
    default: '`info`',
    doc: 'debug, info, warn or error. Logs are JSON lines on standard error.',
  },
]

type Values = Map<string, string | boolean>

/**
 * Reads the configuration of `cenote start`.
 * @throws ConfigError with a reason of one line.
 */
export const readConfig = async (args: string[], environment: NodeJS.ProcessEnv): Promise<Config> => {
  const given = readArguments(args)
  const fromEnvironment = readEnvironment(environment)
  const file = given.get('config') ?? environment['CENOTE_CONFIG']
  const {
    values: fromFile,
    accessKeys: fileKeys,
    triggers,
    logDelivery,
    messages,
  } = typeof file === 'string' ? await readFile(file, environment) : noFile
  const find = (name: string) => given.get(name) ?? fromEnvironment.get(name) ?? fromFile.get(name)
  const text = (name: string): string | undefined => {
    const value = find(name)
    if (value === undefined) return undefined
    // An option whose variable in a script was empty must not silently mean the default.
    if (value === '' || typeof value !== 'string') throw new ConfigError(`--${name} needs a value`)
    return value
  }
  const on = (name: string): boolean => switchedOn(name, find(name))

  const host = text('host') ?? '127.0.0.1'
  const accessKeys = [...readAccessKey(text('access-key')), ...fileKeys]
  const config: Config = {
    host,
    port: readPort(text('port') ?? '9229'),
    data: text('data') ?? './.cenote',
    databaseUrl: text('database'),
    publicUrl: readPublicUrl(text('public-url')),
    issuer: readIssuer(text('issuer') ?? 'url'),
    region: readRegion(text('region') ?? 'us-east-1'),
    account: readAccount(text('account') ?? '000000000000'),
    masterKey: text('master-key'),
    accessKeys,
    seedFile: text('seed'),
    messages: withSmtp(messages, text('smtp')),
    mailFrom: readMailFrom(text('mail-from') ?? 'no-reply@verificationemail.com'),
    messageLimits: readMessageLimits(text('message-limits'), accessKeys.length > 0),
    lambdaEndpoint: readUrl('lambda-endpoint', text('lambda-endpoint'), httpProtocols),
    lambdaCredentials: readCredentials('lambda-access-key', text('lambda-access-key')),
    triggers,
    trustedProxies: readProxies(text('trusted-proxies')),
    allowedNetworks: readNetworks(text('allow-private-network'), isLoopback(host) && accessKeys.length === 0),
    tls: readTls(on('tls'), text('tls-cert'), text('tls-key')),
    geoDatabaseFile: text('geo-database'),
    compromisedPasswordsFile: text('compromised-passwords-file'),
    logDelivery,
    testMode: on('test-mode'),
    rateLimits: readRateLimits(text('rate-limits'), accessKeys.length > 0),
    oauthExtensions: readOAuthExtensions(text('oauth-extensions')),
    insecure: on('insecure'),
    logLevel: readLogLevel(text('log-level') ?? 'info'),
  }
  checkTogether(config)
  return config
}

// ---------------------------------------------------------------------------------------------- sources

const readArguments = (args: string[]): Values => {
  try {
    const { values } = parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: Object.fromEntries([
        ['config', { type: 'string' as const }],
        ...options.map(option => [
          option.name,
          { type: option.kind === 'switch' ? ('boolean' as const) : ('string' as const) },
        ]),
      ]),
    })
    return new Map(
      Object.entries(values).filter(
        (entry): entry is [string, string | boolean] => entry[1] !== undefined && !Array.isArray(entry[1]),
      ),
    )
  } catch (error) {
    throw new ConfigError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error))
  }
}

const readEnvironment = (environment: NodeJS.ProcessEnv): Values => {
  const values: Values = new Map()
  for (const { name, variable } of options) {
    const value = environment[variable]
    if (value !== undefined && value !== '') values.set(name, value)
  }
  const id = environment['CENOTE_ACCESS_KEY_ID']
  const secret = environment['CENOTE_SECRET_ACCESS_KEY']
  if ((id ?? '') !== '' || (secret ?? '') !== '') {
    if (!id || !secret) throw new ConfigError('CENOTE_ACCESS_KEY_ID and CENOTE_SECRET_ACCESS_KEY go together')
    values.set('access-key', `${id}:${secret}`)
  }
  return values
}

interface FileContent {
  values: Values
  accessKeys: AccessKey[]
  triggers: Map<string, TriggerTarget>
  logDelivery: LogDeliveryConfig
  messages: MessageServices
}

const noFile: FileContent = {
  values: new Map(),
  accessKeys: [],
  triggers: new Map(),
  logDelivery: {},
  messages: { email: undefined, sms: undefined, customSenderKeys: new Map(), kms: undefined },
}

const readFile = async (path: string, environment: NodeJS.ProcessEnv): Promise<FileContent> => {
  let document: unknown
  try {
    const { parseYaml } = await import('./yaml.ts')
    document = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ConfigError(
      `cannot read ${path}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    )
  }
  if (document === null || document === undefined) return noFile
  if (typeof document !== 'object' || Array.isArray(document))
    throw new ConfigError(`${path} must hold a mapping of options`)
  const values: Values = new Map()
  let accessKeys: AccessKey[] = []
  let { triggers, logDelivery } = noFile
  const ofMessages: Partial<Record<(typeof messageKeys)[number], unknown>> = {}
  for (const [key, value] of Object.entries(document)) {
    if (key === 'accessKeys') {
      accessKeys = readAccessKeys(path, value)
      continue
    }
    if (key === 'triggers') {
      triggers = readTriggers(path, value)
      continue
    }
    if (key === 'logDelivery') {
      logDelivery = readLogDelivery(path, value)
      continue
    }
    const messageKey = messageKeys.find(name => name === key)
    if (messageKey !== undefined) {
      ofMessages[messageKey] = value
      continue
    }
    const option = options.find(candidate => camelCase(candidate.name) === key)
    if (option === undefined) throw new ConfigError(`${path}: unknown key ${key}`)
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new ConfigError(`${path}: ${key} must be a text, a number or true/false`)
    }
    values.set(option.name, typeof value === 'boolean' ? value : String(value))
  }
  const messages = readMessageServices(path, ofMessages, environment)
  return { values, accessKeys, triggers, logDelivery, messages }
}

const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

const readAccessKeys = (path: string, value: unknown): AccessKey[] => {
  if (!Array.isArray(value)) throw new ConfigError(`${path}: accessKeys must be a list`)
  return value.map((entry: unknown, index): AccessKey => {
    const where = `${path}: accessKeys[${index}]`
    if (typeof entry !== 'object' || entry === null) throw new ConfigError(`${where} must have id and secret`)
    const { id, secret, policy, ...rest } = entry as Record<string, unknown>
    if (typeof id !== 'string' || typeof secret !== 'string')
      throw new ConfigError(`${where} must have id and secret as texts`)
    const unknown = Object.keys(rest)[0]
    if (unknown !== undefined) throw new ConfigError(`${where}: unknown key ${unknown}`)
    try {
      return { ...checkedKey(id, secret), ...(policy !== undefined && { policy: parsePolicy(policy) }) }
    } catch (error) {
      throw new ConfigError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
    }
  })
}

const readTriggers = (path: string, value: unknown): Map<string, TriggerTarget> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`${path}: triggers must be a mapping`)
  return new Map(
    Object.entries(value).map(([name, entry]: [string, unknown]): [string, TriggerTarget] => {
      const where = `${path}: triggers.${name}`
      const { url, secret, module, ...rest } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
        string,
        unknown
      >
      const unknown = Object.keys(rest)[0]
      if (unknown !== undefined) throw new ConfigError(`${where}: unknown key ${unknown}`)
      if (typeof module === 'string' && module !== '' && url === undefined && secret === undefined)
        return [name, { module: resolve(dirname(path), module) }]
      if (module !== undefined || typeof url !== 'string' || typeof secret !== 'string')
        throw new ConfigError(`${where} must have url and secret as texts, or module`)
      return [name, readWebhook(where, { url, secret })]
    }),
  )
}

const logEndpoints = ['cloudWatchEndpoint', 'firehoseEndpoint', 's3Endpoint'] as const

const readLogDelivery = (path: string, value: unknown): LogDeliveryConfig => {
  const where = `${path}: logDelivery`
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`${where} must be a mapping`)
  const { accessKey, file, webhook, ...endpoints } = value as Record<string, unknown>
  const config: LogDeliveryConfig = {}
  for (const [name, url] of Object.entries(endpoints)) {
    const endpoint = logEndpoints.find(known => known === name)
    if (endpoint === undefined) throw new ConfigError(`${where}: unknown key ${name}`)
    if (typeof url !== 'string') throw new ConfigError(`${where}.${name} must be a text`)
    readUrl(`${where}.${name}`, url.replaceAll('{region}', 'r'), httpProtocols)
    config[endpoint] = url
  }
  if (accessKey !== undefined) {
    if (typeof accessKey !== 'string') throw new ConfigError(`${where}.accessKey must be a text`)
    const credentials = readCredentials(`${where}.accessKey`, accessKey)
    if (credentials !== undefined) config.credentials = credentials
  }
  if (Object.keys(endpoints).length > 0 && config.credentials === undefined)
    throw new ConfigError(`${where}: the endpoints need an accessKey`)
  if (file !== undefined) {
    if (typeof file !== 'string' || file === '') throw new ConfigError(`${where}.file must be a text`)
    config.file = resolve(dirname(path), file)
  }
  if (webhook !== undefined) config.webhook = readWebhook(`${where}.webhook`, webhook)
  return config
}

// ---------------------------------------------------------------------------------------------- values

const switchedOn = (name: string, value: string | boolean | undefined): boolean => {
  if (value === undefined || value === '' || value === false || value === '0' || value === 'false') return false
  if (value === true || value === '1' || value === 'true') return true
  throw new ConfigError(`${name} is switched on with 1 or true, not with ${value}`)
}

const readPort = (text: string): number => {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new ConfigError(`port must be a number from 0 to 65535, not ${text}`)
  return port
}

const readPublicUrl = (text: string | undefined): string | undefined => {
  if (text === undefined || text === 'auto') return text
  const url = readUrl('public-url', text, httpProtocols)
  if (url.includes('?') || url.includes('#')) throw new ConfigError('public-url must have no query and no fragment')
  return url.replace(/\/+$/, '')
}

/** The server of the option is a service for mail like those of the file, so only one of them can be given. */
const withSmtp = (messages: MessageServices, url: string | undefined): MessageServices => {
  if (url === undefined) return messages
  if (messages.email !== undefined) throw new ConfigError('smtp and delivery.email of the file exclude one another')
  return { ...messages, email: { smtp: readUrl('smtp', url, ['smtp:', 'smtps:']) } }
}

const readIssuer = (text: string): string => {
  if (text === 'url' || text === 'aws') return text
  if (!text.includes('{poolId}') || !URL.canParse(text.replaceAll('{region}', 'r').replaceAll('{poolId}', 'p'))) {
    throw new ConfigError('issuer must be url, aws, or a URL with {poolId} in it')
  }
  return text
}

const readRegion = (text: string): string => {
  if (!/^[a-z]{2,5}(-[a-z0-9]+){1,4}$/.test(text) || text.length > 32)
    throw new ConfigError(`region ${text} is not a region's name, for example us-east-1`)
  return text
}

const readAccount = (text: string): string => {
  if (!/^\d{12}$/.test(text)) throw new ConfigError('account must be twelve digits')
  return text
}

const readAccessKey = (text: string | undefined): AccessKey[] => {
  if (text === undefined) return []
  const colon = text.indexOf(':')
  if (colon < 1) throw new ConfigError('access-key must have the form ID:SECRET')
  return [checkedKey(text.slice(0, colon), text.slice(colon + 1))]
}

const checkedKey = (id: string, secret: string): AccessKey => {
  if (!/^\w{3,128}$/.test(id)) throw new ConfigError('an access key id has 3 to 128 letters, digits or underscores')
  if (secret.length < 16) throw new ConfigError(`the secret of access key ${id} must have at least 16 characters`)
  return { id, secret }
}

const readNetworks = (text: string | undefined, local: boolean): AllowedNetworks => {
  const entries = (text ?? '').split(',').map(entry => entry.trim())
  try {
    return parseNetworks([...entries.filter(entry => entry !== ''), ...(local ? loopbackNetworks : [])])
  } catch (error) {
    throw new ConfigError(`allow-private-network: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const readProxies = (text: string | undefined): AllowedNetworks | undefined => {
  if (text === undefined) return undefined
  const entries = text.split(',').map(entry => entry.trim())
  // A name would have to be looked up, and by then anybody might have it.
  const wrong = entries.find(entry => !isSubnet(entry))
  if (wrong !== undefined) throw new ConfigError(`trusted-proxies: ${wrong} is not an address or a CIDR block`)
  return parseNetworks(entries)
}

const readRateLimits = (text: string | undefined, byDefault: boolean): Config['rateLimits'] => {
  if (text === undefined) return byDefault ? {} : undefined
  if (text === 'off') return undefined
  if (text === 'on') return {}
  const limits: Partial<Record<Category | DomainLimit, number>> = {}
  for (const entry of text.split(',')) {
    const [name = '', rate = '', ...rest] = entry.trim().split('=')
    if (!isCategory(name) && !isDomainLimit(name))
      throw new ConfigError(`rate-limits must be on, off or CATEGORY=NUMBER,…; not ${entry.trim()}`)
    if (!/^[1-9]\d{0,6}$/.test(rate) || rest.length > 0) {
      throw new ConfigError(`rate-limits: ${name} needs a number of requests per second`)
    }
    limits[name] = Number(rate)
  }
  return limits
}

const readOAuthExtensions = (text: string | undefined): readonly OAuthExtension[] => {
  if (text === undefined) return defaultExtensions
  const extensions = readExtensions(text)
  if (extensions === undefined) {
    throw new ConfigError(`oauth-extensions must be none or a list of ${Object.keys(oauthExtensions).join(', ')}`)
  }
  return extensions
}

const readTls = (local: boolean, certFile: string | undefined, keyFile: string | undefined): Config['tls'] => {
  if (certFile === undefined && keyFile === undefined) return local ? 'local' : undefined
  if (certFile === undefined || keyFile === undefined) throw new ConfigError('tls-cert and tls-key go together')
  return { certFile, keyFile }
}

const readLogLevel = (text: string): string => {
  if (!['debug', 'info', 'warn', 'error'].includes(text))
    throw new ConfigError('log-level must be debug, info, warn or error')
  return text
}

const checkTogether = (config: Config): void => {
  const ids = config.accessKeys.map(key => key.id)
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
  if (repeated !== undefined) throw new ConfigError(`access key ${repeated} is given twice`)
  if (!isLoopback(config.host) && ids.length === 0 && !config.insecure) {
    throw new ConfigError(
      `listening on ${config.host} without an access key would let anybody in; give --access-key ID:SECRET, or --insecure if that is what you want`,
    )
  }
  if (config.publicUrl === 'auto' && ids.length > 0)
    throw new ConfigError('public-url auto is for local mode, without access keys')
  if (config.databaseUrl !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(config.databaseUrl))
      throw new ConfigError('database must be a URL that begins with postgres://')
    if (config.masterKey === undefined)
      throw new ConfigError('a database URL needs a master key: give --master-key or CENOTE_MASTER_KEY')
  }
}

/** True for localhost and the loopback addresses of IPv4 and IPv6. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

// ---------------------------------------------------------------------------------------------- help

/** The text of `cenote --help`. */
export const helpText = (): string => {
  const rows = [
    { left: '--config FILE', doc: 'YAML file with any of these options, in camel case. [CENOTE_CONFIG]' },
    ...options.map(option => ({
      left: `--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`,
      doc: `${option.doc.replaceAll('`', '')} [${option.variable}; default ${option.default.replaceAll('`', '')}]`,
    })),
  ]
  return [
    'Cenote, a self-hosted identity server that speaks the Amazon Cognito user pools API',
    '',
    'Usage:',
    '  cenote start [options]    start the server',
    '  cenote --help             show this help',
    '  cenote --version          show the version',
    '',
    'Options of start:',
    ...rows.map(row => wrapped(row.left, row.doc)),
    '',
    'Each option can also be given by the environment variable in brackets. An option beats the environment, the',
    'environment beats the file, the file beats the default.',
    '',
  ].join('\n')
}

const wrapped = (left: string, doc: string): string => {
  const indent = 26
  const lines: string[] = []
  let line = ''
  for (const word of doc.split(' ')) {
    if (line.length + word.length + 1 > 110 - indent) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  const indented = lines.map(text => ' '.repeat(indent) + text)
  const head = `  ${left}`
  // An option that reaches the column of the texts stands on a line of its own.
  if (head.length >= indent) return [head, ...indented].join('\n')
  return head + indented.join('\n').slice(head.length)
}
