import type { Migration } from '../migrate.ts'

/** Import jobs with their files and logs, and the password hashes that users bring along. */
export const migration: Migration = {
  id: '0005-user-import',
  statements: [
    'alter table users add column imported_password_hash {text}',
    `create table user_import_jobs (
       id {text} primary key,
       pool_id {text} not null references pools (id) on delete cascade,
       name {text} not null,
       role_arn {text} not null,
       hashing_algorithm {text},
       status {text} not null,
       active {bigint} unique,
       created_at {bigint} not null,
       started_at {bigint},
       completed_at {bigint},
       completion_message {text},
       imported {bigint} not null,
       skipped {bigint} not null,
       failed {bigint} not null,
       upload_id {text},
       upload_until {bigint} not null,
       uploaded_bytes {bigint},
       header {text},
       next_offset {bigint} not null,
       lines {bigint} not null,
       lease_owner {text},
       lease_until {bigint} not null)`,
    'create index user_import_jobs_by_pool on user_import_jobs (pool_id, created_at, id)',
    'create index user_import_jobs_by_status on user_import_jobs (status, created_at)',
    `create table user_import_chunks (
       job_id {text} not null references user_import_jobs (id) on delete cascade,
       upload_id {text} not null,
       sequence {bigint} not null,
       content {text} not null,
       primary key (job_id, upload_id, sequence))`,
    `create table user_import_log (
       job_id {text} not null references user_import_jobs (id) on delete cascade,
       line {bigint} not null,
       entries {text} not null,
       primary key (job_id, line))`,
  ],
}
