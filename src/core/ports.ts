/**
 * The ports: everything that the rules need from the outside world. `adapters/` holds the real ones, tests bring
 * their own. The database is not a port; Kysely's dialect is the seam there.
 */

import type { KeyObject } from 'node:crypto'
import type { SmsConfigurationType } from '../contract/types.ts'
import type { HashText } from './password-hash.ts'
import type { ExpectedLogoutResponse } from './saml/logout.ts'
import type { ExpectedResponse, SamlAnswer } from './saml/response.ts'

/** Wall-clock time. The only source of "now" in the whole program. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** Cryptographically secure randomness (tests seed it, so that failures repeat). */
export interface Random {
  bytes(length: number): Buffer
}

export type Medium = 'EMAIL' | 'SMS'

/** A mail or text message that is ready to go out. */
export interface OutgoingMessage {
  /** The same for each try to send it. */
  id: string
  userPoolId: string
  /** Region of the pool. */
  region: string
  username: string
  medium: Medium
  to: string
  /** Empty for text messages. */
  subject: string
  /** HTML in a mail, plain text in a text message. */
  body: string
  /** What a mail says in plain text, where that is not the body without its markup. */
  text?: string
  /** The code or temporary password the message carries, for the outbox; absent when it carries none. */
  code?: string
  /** What the message is about, for example `SignUp` or `ForgotPassword`. */
  source: string
  /** Milliseconds since the epoch. */
  sentAt: number
  /** Sender as configured in the pool: `name@example.com` or `Name <name@example.com>`. */
  from?: string
  replyTo?: string
  /** ARN of the identity in Amazon SES that the pool sends mail from. */
  sourceArn?: string
  /** Configuration set of Amazon SES. */
  configurationSet?: string
  /** How the pool sends text messages. */
  sms?: SmsConfigurationType
}

/** Hands messages to the outside world. */
export interface Delivery {
  /** The media that it carries; all of them when absent. Messages by another medium stay in the outbox. */
  media?: readonly Medium[]
  /**
   * Resolves when somebody else has taken the message over.
   * @throws DeliveryFailure when nobody has; any other error is as good as `unavailable`.
   */
  send(message: OutgoingMessage): Promise<void>
}

/**
 * Why a message was not taken over: it never will be (`refused`), it may be later (`unavailable`), or the pool's own
 * configuration does not let it out (the rest): the identity of its mail, the role of its text messages, or the trust in
 * that role.
 */
export type DeliveryFailureReason = 'refused' | 'unavailable' | 'email-identity' | 'sms-role' | 'sms-role-trust'

/** Its message is for the log: it holds neither the address nor the content of what was to be sent. */
export class DeliveryFailure extends Error {
  readonly reason: DeliveryFailureReason

  constructor(reason: DeliveryFailureReason, message: string) {
    super(message)
    this.name = 'DeliveryFailure'
    this.reason = reason
  }
}

/** Encrypts what custom senders are given, so that only their functions can read it. */
export interface CodeEncryption {
  /**
   * A message of the AWS Encryption SDK, in base64, under the key of this ARN.
   * @throws Error when there is no such key, or it cannot be reached.
   */
  encrypt(keyArn: string, text: string, context: Readonly<Record<string, string>>): Promise<string>
}

/**
 * The expensive arithmetic of a sign-in, done off the main thread: RSA signatures and modular exponentiation in the
 * SRP group.
 */
export interface Compute {
  /** RS256 (RSASSA-PKCS1-v1_5 with SHA-256) over the text; the signature in base64url without padding. */
  signRs256(key: KeyObject, text: string): Promise<string>
  /** base^exponent mod N, N being the 3072-bit SRP prime; 384 bytes, big-endian. */
  modPow(base: Buffer, exponent: Buffer): Promise<Buffer>
  /** Whether the password is the one of the hash, which another system has made. The hash must be well formed. */
  matchesHash(hash: HashText, password: string): Promise<boolean>
  readonly saml: SamlReader
}

/** Reads what SAML providers send, which may be any text. Both reject with SamlFault. */
export interface SamlReader {
  /** As `readResponse` in `core/saml/response.ts`. */
  response(text: string, expected: ExpectedResponse): Promise<SamlAnswer>
  /** As `readLogoutResponse` in `core/saml/logout.ts`. */
  logoutResponse(text: string, expected: ExpectedLogoutResponse): Promise<{ ended: boolean }>
}

/** Makes RSA-2048 key pairs, ahead of time where it can, so that creating a pool takes milliseconds. */
export interface KeyPairs {
  take(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }>
}

/** A request to somebody else's server. */
export interface FetchRequest {
  /** What the request is for, in a word or two; it stands in the error when the request fails. */
  purpose: string
  /** GET by default. */
  method?: 'GET' | 'POST' | 'PUT'
  headers?: Record<string, string>
  body?: string | Buffer
  /** For the whole exchange, looking up the name and redirects included; 5,000 by default. */
  timeoutMs?: number
  /** The longest body of an answer; 1 MiB by default. */
  bytesMax?: number
  /** How many redirects of a GET are followed; 3 by default. With 0 a redirect is an answer like any other. */
  redirectsMax?: number
}

export interface FetchResponse {
  status: number
  /** By names in lower case. */
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/**
 * Calls a URL that an administrator of a pool or an identity provider has named, with all the care this takes. Any
 * status is an answer.
 * @throws FetchFailure when there is no answer, or none that is allowed.
 */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchResponse>

/** Why there is no answer. The first four mean that the URL is not one that may be called. */
export type FetchFailureReason =
  | 'url'
  | 'private-address'
  | 'reserved-address'
  | 'redirect'
  | 'unreachable'
  | 'timeout'
  | 'too-large'

export class FetchFailure extends Error {
  readonly reason: FetchFailureReason

  constructor(reason: FetchFailureReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'FetchFailure'
    this.reason = reason
  }
}

/** A call of the function that a pool has assigned to a trigger. */
export interface TriggerCall {
  /** What LambdaConfig names: the ARN of the function. */
  target: string
  /** The event as the function receives it; plain JSON. */
  event: object
  /** After this the call has failed. */
  timeoutMs: number
  /** Nobody waits for what the function returns: it may run for long, and the call is done when it has been started. */
  unanswered?: boolean
}

/** Runs the functions of triggers. */
export interface Triggers {
  /**
   * What the function returned, as parsed from JSON.
   * @throws TriggerFailure
   */
  invoke(call: TriggerCall): Promise<unknown>
}

/**
 * Why a function has not returned: it threw (`message` is its error text), it could not be run (`message` is the name of
 * the error), it took too long, or what it returned is not JSON.
 */
export type TriggerFailureReason = 'function' | 'refused' | 'timeout' | 'not-json'

export class TriggerFailure extends Error {
  readonly reason: TriggerFailureReason

  constructor(reason: TriggerFailureReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'TriggerFailure'
    this.reason = reason
  }
}

/** Where on earth an address is, as far as it is known. */
export interface Place {
  city?: string
  country?: string
  /** In degrees. */
  latitude?: number
  longitude?: number
}

/** Tells where addresses are. */
export interface Places {
  /** Undefined for an address that nothing is known of. */
  find(address: string): Place | undefined
}

/** Passwords that have become known to others. */
export interface LeakedPasswords {
  /** Whether the password with this SHA-1 digest (upper-case hex) is among them. */
  has(digest: string): Promise<boolean>
}

/** Records of one pool for one destination, in the order in which they were made. */
export interface LogBatch {
  /** What the pool's configuration names: the ARN of a log group, a bucket or a delivery stream. */
  destination: string
  userPoolId: string
  /** Of the pool, for destinations whose ARN names none. */
  region: string
  /** Differs for each attempt to deliver. */
  id: string
  records: readonly LogRecord[]
}

export interface LogRecord {
  /** Milliseconds since the epoch. */
  at: number
  /** JSON on one line. */
  text: string
}

/** Takes the logs that pools have delivered. */
export interface LogSinks {
  /** The sinks that take records for this destination; none when the operator has configured nothing that reaches it. */
  of(destination: string): readonly string[]
  /**
   * Hands the records to a sink; what it returns has happened. Returns the indexes of the records that were not taken and
   * may be sent again.
   * @throws when none was taken
   */
  deliver(sink: string, batch: LogBatch): Promise<readonly number[]>
}

/** A fact worth recording: audit, risk, operations. Never carries a secret. */
export interface Event {
  name: string
  [detail: string]: unknown
}

export interface Events {
  record(event: Event): void
}

/** Structured log. Details never carry a secret. */
export interface Log {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}
