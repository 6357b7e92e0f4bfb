import type { Migration } from '../migrate.ts'

/** Sign-ins that are under way at an identity provider. */
export const migration: Migration = {
  id: '0017-federation',
  statements: [
    `create table federation_requests (
       digest {text} primary key,
       pool_id {text} not null references pools (id) on delete cascade,
       client_id {text} not null references clients (id) on delete cascade,
       provider_name {text} not null,
       content {text} not null,
       posted {text},
       expires_at {bigint} not null)`,
    'create index federation_requests_by_pool on federation_requests (pool_id)',
    'create index federation_requests_by_client on federation_requests (client_id)',
    'create index federation_requests_by_expiry on federation_requests (expires_at)',
  ],
}
