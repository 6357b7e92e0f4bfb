import type { Migration } from '../migrate.ts'
import { migration as ground } from './0001-ground.ts'
import { migration as resourceServersDomains } from './0002-resource-servers-domains.ts'
import { migration as identityProviders } from './0003-identity-providers.ts'
import { migration as managedLogin } from './0004-managed-login.ts'
import { migration as userImport } from './0005-user-import.ts'
import { migration as poolConfiguration } from './0006-pool-configuration.ts'
import { migration as mfa } from './0010-mfa.ts'
import { migration as passkeys } from './0011-passkeys.ts'
import { migration as devices } from './0012-devices.ts'
import { migration as threatProtection } from './0013-threat-protection.ts'
import { migration as messageQueue } from './0014-message-queue.ts'
import { migration as authorization } from './0015-authorization.ts'
import { migration as pageSteps } from './0016-page-steps.ts'
import { migration as federation } from './0017-federation.ts'
import { migration as saml } from './0018-saml.ts'
import { migration as simulated } from './0019-simulated.ts'
import { migration as signInEvents } from './0020-sign-in-events.ts'

/** All migrations, in the order in which they run. */
export const migrations: Migration[] = [
  ground,
  resourceServersDomains,
  identityProviders,
  managedLogin,
  userImport,
  poolConfiguration,
  mfa,
  passkeys,
  devices,
  threatProtection,
  messageQueue,
  authorization,
  pageSteps,
  federation,
  saml,
  simulated,
  signInEvents,
]
