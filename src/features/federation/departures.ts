/** The way to a provider, by its type. */
import type { IdentityProviderTypeType } from '../../contract/types.ts'
import type { Depart } from './protocol.ts'
import { departByCode } from './relying-party/depart.ts'
import { departBySaml } from './saml/depart.ts'

export const departures: Readonly<Record<IdentityProviderTypeType, Depart>> = {
  OIDC: departByCode,
  Google: departByCode,
  Facebook: departByCode,
  LoginWithAmazon: departByCode,
  SignInWithApple: departByCode,
  SAML: departBySaml,
}
