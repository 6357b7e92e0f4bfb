import type { Migration } from '../migrate.ts'

/** Passkeys of users, and the challenge of the registration that a user has begun. */
export const migration: Migration = {
  id: '0011-passkeys',
  statements: [
    `create table passkeys (
       pool_id {text} not null,
       credential_id {text} not null,
       user_id {text} not null references users (id) on delete cascade,
       relying_party_id {text} not null,
       public_key {text} not null,
       sign_count {bigint} not null,
       backup_eligible {bigint} not null,
       backed_up {bigint} not null,
       attachment {text},
       transports {text} not null,
       friendly_name {text} not null,
       created_at {bigint} not null,
       primary key (pool_id, credential_id))`,
    'create index passkeys_by_user on passkeys (user_id, created_at, credential_id)',
    `create table passkey_registrations (
       user_id {text} primary key references users (id) on delete cascade,
       challenge_digest {text} not null,
       client_id {text} not null,
       session {text} not null,
       security_epoch {bigint} not null,
       expires_at {bigint} not null)`,
  ],
}
