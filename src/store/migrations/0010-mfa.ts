import type { Migration } from '../migrate.ts'

/** The authenticator applications of users. */
export const migration: Migration = {
  id: '0010-mfa',
  statements: [
    `create table software_tokens (
       user_id {text} primary key references users (id) on delete cascade,
       secret {text},
       last_step {bigint} not null,
       friendly_name {text},
       pending_secret {text})`,
  ],
}
