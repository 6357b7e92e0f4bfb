import type { Migration } from '../migrate.ts'

/**
 * What is stored for a name that nobody has, in tables of the same shape as those of users, so that it takes the same
 * work: the reference to the pool is checked as that to the user is, and there is no index that those do not have. Nothing
 * of it is ever sent or shown.
 */
export const migration: Migration = {
  id: '0019-simulated',
  statements: [
    `create table simulated_codes (
       user_id {text} not null,
       purpose {text} not null,
       pool_id {text} not null references pools (id) on delete cascade,
       digest {text} not null,
       attribute {text} not null,
       destination {text} not null,
       tries {bigint} not null,
       created_at {bigint} not null,
       expires_at {bigint} not null,
       primary key (user_id, purpose))`,
    'create index simulated_codes_by_expiry on simulated_codes (expires_at)',
    `create table simulated_messages (
       sequence {sequence},
       id {text} not null unique,
       pool_id {text} not null,
       username {text} not null,
       medium {text} not null,
       destination {text} not null,
       source {text} not null,
       content {text} not null,
       sent_at {bigint} not null)`,
    'create index simulated_messages_by_time on simulated_messages (sent_at, sequence)',
    `create table simulated_message_queue (
       id {text} primary key,
       user_id {text} not null,
       slot {text} not null,
       pool_id {text} not null references pools (id) on delete cascade,
       content {text} not null,
       tries {bigint} not null,
       lease {text} not null,
       due_at {bigint} not null,
       expires_at {bigint} not null,
       unique (user_id, slot))`,
    'create index simulated_message_queue_by_due on simulated_message_queue (due_at)',
    'create index simulated_message_queue_by_expiry on simulated_message_queue (expires_at)',
  ],
}
