/** All operations of the API in one table. It is total by type: an operation that is missing does not compile. */
import type { OperationName } from '../contract/types.ts'
import { appClientOperations } from './app-clients/operations.ts'
import type { Operations } from './context.ts'
import { deviceOperations } from './devices/operations.ts'
import { federationOperations } from './federation/operations.ts'
import { groupOperations } from './groups/operations.ts'
import { domainOperations } from './managed-login/domain-operations.ts'
import { managedLoginOperations } from './managed-login/operations.ts'
import { mfaOperations } from './mfa/operations.ts'
import { passkeyOperations } from './passkeys/operations.ts'
import { passwordOperations } from './passwords/operations.ts'
import { resourceServerOperations } from './resource-servers/operations.ts'
import { signInOperations } from './sign-in/operations.ts'
import { signUpOperations } from './sign-up/operations.ts'
import { threatProtectionOperations } from './threat-protection/operations.ts'
import { tokenOperations } from './tokens/operations.ts'
import { userImportOperations } from './user-import/operations.ts'
import { userPoolOperations } from './user-pools/operations.ts'
import { userOperations } from './users/operations.ts'

export const operations = {
  ...userPoolOperations,
  ...resourceServerOperations,
  ...appClientOperations,
  ...domainOperations,
  ...managedLoginOperations,
  ...userOperations,
  ...groupOperations,
  ...passwordOperations,
  ...mfaOperations,
  ...passkeyOperations,
  ...deviceOperations,
  ...tokenOperations,
  ...threatProtectionOperations,
  ...signUpOperations,
  ...signInOperations,
  ...userImportOperations,
  ...federationOperations,
} satisfies Operations<OperationName>
