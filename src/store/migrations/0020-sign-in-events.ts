import type { Migration } from '../migrate.ts'

/** The event of the sign-in that a session of a browser began with. */
export const migration: Migration = {
  id: '0020-sign-in-events',
  statements: ['alter table browser_sessions add column event_id {text}'],
}
