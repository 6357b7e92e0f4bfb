import type { Migration } from '../migrate.ts'

/** What a page hands to the next one. */
export const migration: Migration = {
  id: '0016-page-steps',
  statements: [
    `create table page_steps (
       id {text} primary key,
       pool_id {text} not null references pools (id) on delete cascade,
       content {text} not null,
       expires_at {bigint} not null)`,
    'create index page_steps_by_pool on page_steps (pool_id)',
    'create index page_steps_by_end on page_steps (expires_at)',
  ],
}
