import type { Migration } from '../migrate.ts'

/** Messages on their way: what has not been handed over yet, or cannot be at the moment. */
export const migration: Migration = {
  id: '0014-message-queue',
  statements: [
    `create table message_queue (
       id {text} primary key,
       user_id {text} not null references users (id) on delete cascade,
       slot {text} not null,
       pool_id {text} not null,
       content {text} not null,
       tries {bigint} not null,
       lease {text} not null,
       due_at {bigint} not null,
       expires_at {bigint} not null,
       unique (user_id, slot))`,
    'create index message_queue_by_due on message_queue (due_at)',
    'create index message_queue_by_expiry on message_queue (expires_at)',
  ],
}
