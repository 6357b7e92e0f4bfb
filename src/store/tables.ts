/**
 * The tables as Kysely sees them. Column types come from what SQLite and PostgreSQL share: text and integers. Times are
 * milliseconds since the epoch, booleans 0 or 1, documents JSON text.
 */
import type { Generated, GeneratedAlways } from 'kysely'

export interface Tables {
  settings: { key: string; value: string }
  pools: PoolRow
  signing_keys: SigningKeyRow
  clients: ClientRow
  client_secrets: ClientSecretRow
  users: UserRow
  user_attributes: UserAttributeRow
  sign_in_names: SignInNameRow
  pending_attributes: PendingAttributeRow
  password_history: PasswordHistoryRow
  resource_servers: ResourceServerRow
  domains: DomainRow
  groups: GroupRow
  group_members: GroupMemberRow
  codes: CodeRow
  sign_in_failures: SignInFailureRow
  attempts: { key: string; window_started_at: number; count: number }
  one_time_marks: { kind: string; id: string; expires_at: number }
  revoked_sessions: RevokedSessionRow
  refresh_rotations: RefreshRotationRow
  messages: MessageRow
}

export interface PoolRow {
  id: string
  region: string
  name: string
  /** The pool's settings in the AWS shape, JSON. */
  settings: string
  /** Incremented by each change; an update names the version it read. */
  version: number
  created_at: number
  updated_at: number
}

export interface SigningKeyRow {
  kid: string
  pool_id: string
  /** `id` or `access`: which kind of token the key signs. */
  token_use: string
  /** JWK of the public half, JSON. */
  public_jwk: string
  /** PKCS#8 DER of the private half, sealed. */
  private_key: string
  created_at: number
}

export interface ClientRow {
  id: string
  pool_id: string
  name: string
  settings: string
  version: number
  created_at: number
  updated_at: number
}

export interface ClientSecretRow {
  id: string
  client_id: string
  /** The secret, sealed. */
  secret: string
  created_at: number
}

export interface ResourceServerRow {
  pool_id: string
  identifier: string
  name: string
  /** The scopes in the AWS shape and in the order of the request, JSON. */
  scopes: string
  created_at: number
  updated_at: number
}

export interface DomainRow {
  /** A prefix or a fully qualified domain name. */
  name: string
  pool_id: string
  /** `prefix` or `custom`; a pool has at most one of each. */
  kind: string
  /** Branding version, certificate and routing, JSON. */
  settings: string
  created_at: number
  updated_at: number
}

export interface UserRow {
  /** The user's `sub`. */
  id: string
  pool_id: string
  username: string
  /** The username in the form in which filters compare it. */
  username_search: string
  status: string
  enabled: number
  created_at: number
  updated_at: number
  /** SRP salt as the hex of an integer; null for a user without a password. */
  password_salt: string | null
  /** SRP verifier, sealed and bound to the user. */
  password_verifier: string | null
  password_set_at: number | null
  /** When the temporary password stops working; null when the password is permanent. */
  temporary_password_expires_at: number | null
  /** Raised by whatever ends all tokens of the user: sign-out everywhere, disabling. */
  session_epoch: Generated<number>
  /** Raised by whatever must break a sign-in that is under way: new password, reset, disabling, sign-out everywhere. */
  security_epoch: Generated<number>
  /** MFA preferences and legacy MFAOptions, JSON. */
  mfa: Generated<string>
}

export interface UserAttributeRow {
  user_id: string
  pool_id: string
  name: string
  value: string
  /** The folded beginning of the value for attributes that ListUsers can filter by; null for all others. */
  search: string | null
}

/** Each name that finds a user at sign-in. One name finds at most one user of a pool, whatever its kind. */
export interface SignInNameRow {
  pool_id: string
  name_key: string
  /** `username`, `email`, `phone_number` or `preferred_username`. */
  kind: string
  user_id: string
}

/** New values of attributes that take effect when they are verified. */
export interface PendingAttributeRow {
  user_id: string
  name: string
  value: string
  created_at: number
}

export interface PasswordHistoryRow {
  id: string
  user_id: string
  salt: string
  verifier: string
  created_at: number
}

export interface GroupRow {
  pool_id: string
  name: string
  description: string | null
  role_arn: string | null
  precedence: number | null
  created_at: number
  updated_at: number
}

export interface GroupMemberRow {
  pool_id: string
  group_name: string
  user_id: string
  created_at: number
}

/** One pending code for each user and purpose; a newer one replaces it. */
export interface CodeRow {
  user_id: string
  purpose: string
  pool_id: string
  /** Keyed digest of the code. */
  digest: string
  /** The attribute the code was sent to: `email` or `phone_number`. */
  attribute: string
  /** The address or number the code was sent to. */
  destination: string
  tries: number
  created_at: number
  expires_at: number
}

/** Failed password attempts, by user (known or not). */
export interface SignInFailureRow {
  key: string
  failures: number
  last_failed_at: number
  locked_until: number
}

export interface RevokedSessionRow {
  origin_jti: string
  revoked_at: number
  expires_at: number
}

/** How often the refresh token of a session was rotated; a row exists from the first rotation on. */
export interface RefreshRotationRow {
  origin_jti: string
  generation: number
  rotated_at: number
  expires_at: number
}

/** The outbox. What could hold a code is sealed. */
export interface MessageRow {
  /** Counts up in the order of sending. */
  sequence: GeneratedAlways<number>
  id: string
  pool_id: string
  username: string
  medium: string
  destination: string
  source: string
  /** Sealed JSON of subject, body and code. */
  content: string
  sent_at: number
}
