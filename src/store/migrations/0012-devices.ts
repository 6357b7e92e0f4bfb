import type { Migration } from '../migrate.ts'

/** The devices from which users sign in. */
export const migration: Migration = {
  id: '0012-devices',
  statements: [
    `create table devices (
       device_key {text} primary key,
       user_id {text} not null references users (id) on delete cascade,
       group_key {text} not null,
       name {text},
       salt {text},
       verifier {text},
       remembered {bigint} not null,
       last_ip {text},
       created_at {bigint} not null,
       updated_at {bigint} not null,
       last_authenticated_at {bigint} not null,
       expires_at {bigint})`,
    'create index devices_by_user on devices (user_id, created_at, device_key)',
    'create index devices_by_expiry on devices (expires_at) where expires_at is not null',
  ],
}
