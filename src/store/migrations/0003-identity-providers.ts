import type { Migration } from '../migrate.ts'

/** Identity providers of a pool, their identifiers, and the identities that users have there. */
export const migration: Migration = {
  id: '0003-identity-providers',
  statements: [
    `create table identity_providers (
       pool_id {text} not null references pools (id) on delete cascade,
       name {text} not null,
       type {text} not null,
       settings {text} not null,
       secrets {text} not null,
       link_attributes {text} not null default '[]',
       version {bigint} not null,
       created_at {bigint} not null,
       updated_at {bigint} not null,
       primary key (pool_id, name))`,
    `create table identity_provider_identifiers (
       pool_id {text} not null,
       identifier {text} not null,
       provider_name {text} not null,
       primary key (pool_id, identifier),
       foreign key (pool_id, provider_name) references identity_providers (pool_id, name) on delete cascade)`,
    'create index identity_provider_identifiers_by_provider on identity_provider_identifiers (pool_id, provider_name)',
    `create table user_identities (
       pool_id {text} not null,
       provider_name {text} not null,
       identity_key {text} not null,
       user_id {text} not null references users (id) on delete cascade,
       attribute {text} not null,
       value {text} not null,
       provider_type {text} not null,
       issuer {text},
       is_primary {bigint} not null,
       created_at {bigint} not null,
       primary key (pool_id, provider_name, identity_key))`,
    'create index user_identities_by_user on user_identities (user_id)',
  ],
}
