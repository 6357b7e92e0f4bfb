/** All flows by the name that AuthFlow gives them. */
import type { AuthFlowType } from '../../../contract/types.ts'
import { customAuth } from './custom-auth.ts'
import type { Flow } from './flow.ts'
import { refreshTokenAuth } from './refresh-token-auth.ts'
import { userAuth } from './user-auth.ts'
import { adminUserPasswordAuth, userPasswordAuth } from './user-password-auth.ts'
import { userSrpAuth } from './user-srp-auth.ts'

export const flows: Record<AuthFlowType, Flow> = {
  USER_SRP_AUTH: userSrpAuth,
  USER_PASSWORD_AUTH: userPasswordAuth,
  ADMIN_USER_PASSWORD_AUTH: adminUserPasswordAuth,
  ADMIN_NO_SRP_AUTH: adminUserPasswordAuth,
  REFRESH_TOKEN: refreshTokenAuth,
  REFRESH_TOKEN_AUTH: refreshTokenAuth,
  CUSTOM_AUTH: customAuth,
  USER_AUTH: userAuth,
}
