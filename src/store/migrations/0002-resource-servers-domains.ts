import type { Migration } from '../migrate.ts'

/** Resource servers with their scopes, and the domains of pools. */
export const migration: Migration = {
  id: '0002-resource-servers-domains',
  statements: [
    `create table resource_servers (
       pool_id {text} not null references pools (id) on delete cascade,
       identifier {text} not null,
       name {text} not null,
       scopes {text} not null,
       created_at {bigint} not null,
       updated_at {bigint} not null,
       primary key (pool_id, identifier))`,
    // Prefixes and custom domains share one space of names: a prefix has no dot, a custom domain always has one.
    `create table domains (
       name {text} primary key,
       pool_id {text} not null references pools (id) on delete cascade,
       kind {text} not null,
       settings {text} not null,
       created_at {bigint} not null,
       updated_at {bigint} not null,
       unique (pool_id, kind))`,
  ],
}
