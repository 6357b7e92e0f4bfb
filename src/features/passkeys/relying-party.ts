/** The relying party of a pool: for which domain its passkeys are made, and whether it takes any. */
import { hostOfPrefix } from '../../core/domain-names.ts'
import { passkeysNotEnabled, relyingPartyMissing } from '../../core/errors/passkeys.ts'
import type { Context, ReadContext } from '../context.ts'
import { mainDomain } from '../managed-login/domains.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { type Passkey, passkeysFor } from './passkey.ts'

/** Whether users of the pool can have passkeys, to sign in with or for two factors. */
export const offersPasskeys = (pool: Pool): boolean => isFirstFactor(pool) || countsForTwo(pool)

const isFirstFactor = ({ settings }: Pool): boolean =>
  settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors?.includes('WEB_AUTHN') ?? false

/** Whether a passkey of the pool counts for two factors when the authenticator has verified its user. */
export const countsForTwo = ({ settings }: Pool): boolean =>
  settings.WebAuthnConfiguration?.FactorConfiguration === 'MULTI_FACTOR_WITH_USER_VERIFICATION'

/** @throws WebAuthnNotEnabledException when users of the pool can have no passkeys. */
export const assertPasskeysEnabled = (pool: Pool): void => {
  if (!offersPasskeys(pool)) throw passkeysNotEnabled()
}

/** What authenticators are asked for: `required` or `preferred`. */
export const userVerificationOf = ({ settings }: Pool): 'required' | 'preferred' =>
  settings.WebAuthnConfiguration?.UserVerification ?? 'preferred'

/**
 * The id of the relying party: the configured one, else the pool's custom domain, else the host of its prefix domain.
 * Undefined when there is none of them. Passkeys that were made for another one are of no use.
 */
export const findRelyingPartyId = async (
  ctx: Pick<Context, 'db' | 'publicUrl'>,
  pool: Pool,
): Promise<string | undefined> => {
  const configured = pool.settings.WebAuthnConfiguration?.RelyingPartyId
  if (configured !== undefined) return configured
  const domain = await mainDomain(ctx, pool)
  return domain?.kind === 'prefix' ? hostOfPrefix(domain.name, ctx.publicUrl) : domain?.name
}

/** As findRelyingPartyId; undefined as well where users of the pool can have no passkeys. */
export const findUsableRelyingPartyId = async (
  ctx: Pick<Context, 'db' | 'publicUrl'>,
  pool: Pool,
): Promise<string | undefined> => (offersPasskeys(pool) ? findRelyingPartyId(ctx, pool) : undefined)

/** As findRelyingPartyId. @throws WebAuthnConfigurationMissingException */
export const getRelyingPartyId = async (ctx: Pick<Context, 'db' | 'publicUrl'>, pool: Pool): Promise<string> => {
  const id = await findRelyingPartyId(ctx, pool)
  if (id === undefined) throw relyingPartyMissing()
  return id
}

/** The user's passkeys with which he can sign in as the pool is set up now. */
export const usablePasskeys = async (
  ctx: ReadContext & Pick<Context, 'publicUrl'>,
  pool: Pool,
  user: Pick<User, 'id'>,
): Promise<Passkey[]> => {
  const id = await findUsableRelyingPartyId(ctx, pool)
  return id === undefined ? [] : passkeysFor(ctx, user, id)
}
