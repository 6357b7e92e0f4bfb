/** The way to a provider, by its type. */
import type { IdentityProviderTypeType } from '../../contract/types.ts'
import type { Depart } from './protocol.ts'
import { departByCode } from './relying-party/depart.ts'

/** Undefined for a type through which nobody can sign in. */
export const departures: Readonly<Record<IdentityProviderTypeType, Depart | undefined>> = {
  OIDC: departByCode,
  Google: departByCode,
  Facebook: departByCode,
  LoginWithAmazon: departByCode,
  SignInWithApple: departByCode,
  SAML: undefined,
}
