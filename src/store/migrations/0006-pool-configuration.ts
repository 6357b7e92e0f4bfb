import type { Migration } from '../migrate.ts'

/** Replicas of pools, tracked sessions, sessions of clients, risk configurations and provisioned limits. */
export const migration: Migration = {
  id: '0006-pool-configuration',
  statements: [
    // A pool has one replica at most, so the replica is part of the pool's row and changes under its version.
    'alter table pools add column replica_region {text}',
    'alter table pools add column replica_status {text}',
    'alter table pools add column replica_ready_at {bigint}',
    'alter table pools add column replica_settings {text}',
    'create index pools_by_replica_region on pools (replica_region, id) where replica_region is not null',
    'alter table clients add column sso_session_minutes {bigint}',
    `create table token_sessions (
       id {text} primary key,
       user_id {text} not null references users (id) on delete cascade,
       client_id {text} not null references clients (id) on delete cascade,
       origin_jti {text} not null unique,
       session_epoch {bigint} not null,
       created_at {bigint} not null,
       last_active_at {bigint} not null,
       expires_at {bigint} not null,
       device_type {text} not null,
       ip_address {text})`,
    'create index token_sessions_by_user on token_sessions (user_id, created_at, id)',
    'create index token_sessions_by_client on token_sessions (client_id)',
    'create index token_sessions_by_expiry on token_sessions (expires_at)',
    `create table risk_configurations (
       owner_id {text} not null,
       region {text} not null,
       pool_id {text} not null references pools (id) on delete cascade,
       client_id {text} references clients (id) on delete cascade,
       settings {text} not null,
       updated_at {bigint} not null,
       primary key (owner_id, region))`,
    'create index risk_configurations_by_pool on risk_configurations (pool_id)',
    'create index risk_configurations_by_client on risk_configurations (client_id)',
    `create table provisioned_limits (
       region {text} not null,
       category {text} not null,
       value {bigint} not null,
       primary key (region, category))`,
  ],
}
