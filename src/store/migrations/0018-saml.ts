import type { Migration } from '../migrate.ts'

/** What a SAML provider has to be told when a session of the browser ends. */
export const migration: Migration = {
  id: '0018-saml',
  statements: ['alter table browser_sessions add column provider_session {text}'],
}
