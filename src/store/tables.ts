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
  identity_providers: IdentityProviderRow
  identity_provider_identifiers: IdentityProviderIdentifierRow
  user_identities: UserIdentityRow
  ui_customizations: UiCustomizationRow
  managed_login_brandings: ManagedLoginBrandingRow
  managed_login_assets: ManagedLoginAssetRow
  terms: TermsRow
  page_steps: PageStepRow
  federation_requests: FederationRequestRow
  groups: GroupRow
  group_members: GroupMemberRow
  codes: CodeRow
  simulated_codes: CodeRow
  sign_in_failures: SignInFailureRow
  attempts: { key: string; window_started_at: number; count: number }
  one_time_marks: { kind: string; id: string; expires_at: number }
  revoked_sessions: RevokedSessionRow
  refresh_rotations: RefreshRotationRow
  software_tokens: SoftwareTokenRow
  passkeys: PasskeyRow
  passkey_registrations: PasskeyRegistrationRow
  devices: DeviceRow
  messages: MessageRow
  message_queue: QueuedMessageRow
  simulated_messages: MessageRow
  simulated_message_queue: QueuedMessageRow
  user_import_jobs: UserImportJobRow
  user_import_chunks: UserImportChunkRow
  user_import_log: UserImportLogRow
  token_sessions: TokenSessionRow
  browser_sessions: BrowserSessionRow
  authorization_codes: AuthorizationCodeRow
  pushed_requests: PushedRequestRow
  device_grants: DeviceGrantRow
  risk_configurations: RiskConfigurationRow
  auth_events: AuthEventRow
  log_records: LogRecordRow
  provisioned_limits: { region: string; category: string; value: number }
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
  /** The pool's replica; null without one. */
  replica_region: string | null
  /** `CREATING`, `INACTIVE`, `ACTIVE` or `DELETING`, as it was when it was last changed. */
  replica_status: string | null
  /** When a replica that is created or deleted is done with it. */
  replica_ready_at: number | null
  /** The settings that the replica has for itself, in the AWS shape, JSON. */
  replica_settings: string | null
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
  /** How long the client takes up sessions of the browser; null stands for the default. */
  sso_session_minutes: number | null
  /** `DCR` for a client that has registered itself; null for all others. */
  client_type: string | null
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

/** Style sheet and logo of the classic pages. */
export interface UiCustomizationRow {
  pool_id: string
  /** A client's id, or ALL for the clients without a row of their own. */
  target: string
  /** The target where it is a client. */
  client_id: string | null
  /** The style sheet as it was sent. */
  css: string | null
  /** The logo, base64. */
  image: string | null
  /** `PNG` or `JPEG`. */
  image_type: string | null
  created_at: number
  updated_at: number
}

export interface ManagedLoginBrandingRow {
  id: string
  pool_id: string
  client_id: string
  use_provided_values: number
  /** The caller's settings, JSON; null while the provided values are used. */
  settings: string | null
  version: number
  created_at: number
  updated_at: number
}

export interface ManagedLoginAssetRow {
  branding_id: string
  /** Its place in the request, from 0. */
  position: number
  category: string
  color_mode: string
  extension: string
  resource_id: string | null
  /** The file, base64. */
  content: string
}

export interface TermsRow {
  id: string
  pool_id: string
  client_id: string
  name: string
  source: string
  enforcement: string
  /** Links by language, JSON. */
  links: string
  version: number
  created_at: number
  updated_at: number
}

/** What one page of a browser hands to the next. */
export interface PageStepRow {
  id: string
  pool_id: string
  /** Sealed, and bound to the client and the browser. */
  content: string
  expires_at: number
}

/** A sign-in that is under way at an identity provider. */
export interface FederationRequestRow {
  /** Keyed digest of the state that the provider brings back. */
  digest: string
  pool_id: string
  client_id: string
  provider_name: string
  /** Sealed, and bound to client, provider and browser. */
  content: string
  /** What the provider has had the browser post; sealed. */
  posted: string | null
  expires_at: number
}

export interface IdentityProviderRow {
  pool_id: string
  name: string
  type: string
  /** Details without secrets, mappings and what was read from metadata, JSON. */
  settings: string
  /** The secrets among the details and the provider's own private key, JSON, sealed and bound to the provider. */
  secrets: string
  /** The attributes by which users are linked before they sign in, JSON. */
  link_attributes: Generated<string>
  version: number
  created_at: number
  updated_at: number
}

/** Other names of a provider. */
export interface IdentityProviderIdentifierRow {
  pool_id: string
  identifier: string
  provider_name: string
}

/** Who a user is at an identity provider. An identity belongs to one user of the pool. */
export interface UserIdentityRow {
  pool_id: string
  /** The provider may be deleted; the identity stays. */
  provider_name: string
  /** Digest of attribute and value, which may be long. */
  identity_key: string
  user_id: string
  /** `Cognito_Subject`, or the attribute by which the user is recognized at the first sign-in. */
  attribute: string
  value: string
  provider_type: string
  /** The entity id of a SAML provider; null for all others. */
  issuer: string | null
  /** 1 when the identity is the user, 0 when it is linked to the user. */
  is_primary: number
  created_at: number
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
  /** The hash of another system, sealed and bound to the user; null once there is a verifier. */
  imported_password_hash: Generated<string | null>
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

/** The authenticator application of a user. */
export interface SoftwareTokenRow {
  user_id: string
  /** The secret that codes are made from, sealed; null until the first one is verified. */
  secret: string | null
  /** The time step of the last code that was accepted. No code of it, or of an earlier one, is accepted again. */
  last_step: number
  friendly_name: string | null
  /** A secret that was handed out and not verified yet, sealed. */
  pending_secret: string | null
}

export interface PasskeyRow {
  pool_id: string
  /** As the authenticator chose it, in base64url. One credential belongs to one user of the pool. */
  credential_id: string
  user_id: string
  relying_party_id: string
  /** COSE_Key, in base64url. */
  public_key: string
  /** The signature counter of the last use; 0 for authenticators that do not count. */
  sign_count: number
  /** 1 when the passkey may be copied to other devices. That never changes. */
  backup_eligible: number
  /** 1 when a copy of the passkey was kept elsewhere at its last use. */
  backed_up: number
  /** `platform` or `cross-platform`; null when the client did not say. */
  attachment: string | null
  /** How browsers reach the authenticator, JSON. */
  transports: string
  friendly_name: string
  created_at: number
}

/** The registration that a user has begun last. */
export interface PasskeyRegistrationRow {
  user_id: string
  /** Keyed digest of the challenge. */
  challenge_digest: string
  /** The client of the access token with which it began. */
  client_id: string
  /** The session of that token; empty when its tokens name none. */
  session: string
  /** Of the user, when it began. */
  security_epoch: number
  expires_at: number
}

/** What a user signs in from. */
export interface DeviceRow {
  device_key: string
  user_id: string
  /** Stands for the pool's name in the device's SRP exchange. */
  group_key: string
  name: string | null
  /** SRP salt as the hex of an integer; null until the device is confirmed. */
  salt: string | null
  /** SRP verifier, sealed and bound to user and device; null until the device is confirmed. */
  verifier: string | null
  /** 1 when the device is to be known again. */
  remembered: number
  last_ip: string | null
  created_at: number
  updated_at: number
  last_authenticated_at: number
  /** Until when the device can be confirmed; null when it is. */
  expires_at: number | null
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

export interface QueuedMessageRow {
  /** The id of the message. */
  id: string
  user_id: string
  /** What the message is good for; a user has one message at most for each. */
  slot: string
  pool_id: string
  /** The whole message, sealed. */
  content: string
  /** How often it was tried, the try under way included. */
  tries: number
  /** Who tries it at the moment. */
  lease: string
  /** When it is tried again; while somebody tries it, when he is given up. */
  due_at: number
  /** From then on it is of no use. */
  expires_at: number
}

/** A tracked session of a user: what one sign-in began. */
export interface TokenSessionRow {
  id: string
  user_id: string
  client_id: string
  /** Names the session in its tokens. */
  origin_jti: string
  /** The user's session epoch at sign-in; when the user's has moved on, the session has ended. */
  session_epoch: number
  created_at: number
  /** Sign-in, last refresh or last rotation. */
  last_active_at: number
  /** The end of its refresh token. */
  expires_at: number
  device_type: string
  ip_address: string | null
  /** The session of the browser that it came from; null for a sign-in in the API. */
  browser_session_id: string | null
}

/** A session that a sign-in on the pages has left in a browser. */
export interface BrowserSessionRow {
  id: string
  /** Keyed digest of what the cookie holds beside the id. */
  secret_digest: string
  user_id: string
  /** The client of the last sign-in. */
  client_id: string
  /** The user's security epoch at sign-in; when the user's has moved on, the session has ended. */
  security_epoch: number
  /** `COGNITO`, or the provider that the user came from. */
  identity_provider: string
  /** What the provider has to be told when the session ends, sealed JSON; null for providers that are told nothing. */
  provider_session: string | null
  /** How the user signed in, JSON. */
  factors: string
  /** The event of the sign-in in the user's history, where threat protection keeps one. */
  event_id: string | null
  /** When, in seconds since the epoch. */
  auth_time: number
  created_at: number
  /** Sign-in, last authorization code or last refresh of a session that came of it. */
  last_active_at: number
  expires_at: number
  device_type: string
  ip_address: string | null
}

/** An authorization code. It stays for a while after its use, so that a second use is known for one. */
export interface AuthorizationCodeRow {
  /** Keyed digest of the code. */
  digest: string
  client_id: string
  user_id: string
  /** The user's session epoch when the code was made. */
  session_epoch: number
  /** Names the session that the code begins. */
  origin_jti: string
  /** What the code is bound to and what it grants, JSON. */
  grant_data: string
  used_at: number | null
  expires_at: number
}

/** The parameters of an authorization request that the client has sent ahead (RFC 9126). */
export interface PushedRequestRow {
  /** Keyed digest of the request URI. */
  digest: string
  client_id: string
  /** As they would stand in the address. */
  parameters: string
  expires_at: number
}

/** A device that waits for its user (RFC 8628). */
export interface DeviceGrantRow {
  /** Keyed digests of the device's code and of the user's. */
  device_digest: string
  user_code_digest: string
  client_id: string
  scope: string
  /** The user who has decided; null until then. */
  user_id: string | null
  /** JSON of what was granted, or null for a refusal, in the same sense as `user_id`. */
  approval: string | null
  polled_at: number
  interval_seconds: number
  expires_at: number
}

/** The risk configuration of a pool or of one client; for the region of a replica, only what differs there. */
export interface RiskConfigurationRow {
  /** The id of the pool or of the client. */
  owner_id: string
  region: string
  pool_id: string
  /** Null for the configuration of the pool. */
  client_id: string | null
  /** In the AWS shape, JSON. */
  settings: string
  updated_at: number
}

/** What a user did, or somebody in the name of a user, while threat protection was on. */
export interface AuthEventRow {
  id: string
  pool_id: string
  /** Null for a name that nobody has. */
  user_id: string | null
  /** The user, or a digest of the name that nobody has. */
  holder: string
  client_id: string
  type: string
  response: string
  decision: string
  level: string | null
  compromised: number
  /** `[name, response]` pairs, JSON. */
  challenges: string
  ip_address: string | null
  /** Digest of what is the same for all requests from one device. */
  device_key: string | null
  device_name: string | null
  timezone: string | null
  /** JSON; null when it is not known. */
  place: string | null
  has_context_data: number
  request_id: string
  feedback_value: string | null
  feedback_provider: string | null
  feedback_at: number | null
  /** Keyed digest of the token that was mailed to the user; null without one and when it was used. */
  feedback_token: string | null
  created_at: number
  expires_at: number
}

/** A record of a pool's log on its way to one sink. */
export interface LogRecordRow {
  /** Counts up in the order in which records were made. */
  sequence: GeneratedAlways<number>
  pool_id: string
  region: string
  destination: string
  sink: string
  /** JSON, sealed: it holds names and addresses. */
  content: string
  created_at: number
  tries: number
  /** Not to be sent before. While a node sends it, the end of its right to do so. */
  next_try_at: number
}

export interface UserImportJobRow {
  id: string
  pool_id: string
  name: string
  role_arn: string
  /** The algorithm of the password hashes in the file; null when it has none. */
  hashing_algorithm: string | null
  status: string
  /** 1 while the job is pending or in progress, else null: unique, so that there is one at a time. */
  active: number | null
  created_at: number
  started_at: number | null
  completed_at: number | null
  completion_message: string | null
  imported: number
  skipped: number
  failed: number
  /** The upload that has the right to deliver the file, until it is done or `upload_until` has passed. */
  upload_id: string | null
  upload_until: number
  /** Size of the file; null until all of it is there. */
  uploaded_bytes: number | null
  /** The columns of the file, JSON; null until they are read. */
  header: string | null
  /** Where in the file the next line begins, and how many lines lie before it. */
  next_offset: number
  lines: number
  /** The run that works on the job; it has the right to until `lease_until`. */
  lease_owner: string | null
  lease_until: number
}

/** A part of an uploaded file. All parts but the last have the same size. */
export interface UserImportChunkRow {
  job_id: string
  upload_id: string
  sequence: number
  /** The bytes, sealed and bound to job and position. */
  content: string
}

/** What became of some lines of the file. */
export interface UserImportLogRow {
  job_id: string
  /** The first of the lines. */
  line: number
  /** One entry a line of text. */
  entries: string
}
