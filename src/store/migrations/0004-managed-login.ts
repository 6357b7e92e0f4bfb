import type { Migration } from '../migrate.ts'

/** How the pages look, and which documents they link to. */
export const migration: Migration = {
  id: '0004-managed-login',
  statements: [
    // The target is a client's id or ALL, which is no client: so the reference that deletes the row stands beside it.
    `create table ui_customizations (
       pool_id {text} not null references pools (id) on delete cascade,
       target {text} not null,
       client_id {text} references clients (id) on delete cascade,
       css {text},
       image {text},
       image_type {text},
       created_at {bigint} not null,
       updated_at {bigint} not null,
       primary key (pool_id, target))`,
    'create index ui_customizations_by_client on ui_customizations (client_id)',
    `create table managed_login_brandings (
       id {text} primary key,
       pool_id {text} not null references pools (id) on delete cascade,
       client_id {text} not null unique references clients (id) on delete cascade,
       use_provided_values {bigint} not null,
       settings {text},
       version {bigint} not null,
       created_at {bigint} not null,
       updated_at {bigint} not null)`,
    'create index managed_login_brandings_by_pool on managed_login_brandings (pool_id)',
    `create table managed_login_assets (
       branding_id {text} not null references managed_login_brandings (id) on delete cascade,
       position {bigint} not null,
       category {text} not null,
       color_mode {text} not null,
       extension {text} not null,
       resource_id {text},
       content {text} not null,
       primary key (branding_id, position))`,
    `create table terms (
       id {text} primary key,
       pool_id {text} not null references pools (id) on delete cascade,
       client_id {text} not null references clients (id) on delete cascade,
       name {text} not null,
       source {text} not null,
       enforcement {text} not null,
       links {text} not null,
       version {bigint} not null,
       created_at {bigint} not null,
       updated_at {bigint} not null,
       unique (client_id, name))`,
    'create index terms_by_pool on terms (pool_id, created_at, id)',
  ],
}
