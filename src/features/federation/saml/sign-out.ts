/**
 * Single sign-out at SAML providers that have it switched on (IDPSignout): the browser is sent there with a signed request,
 * and comes back with a signed response, which leads on to where the sign-out was to go.
 */
import { invalidRelayState, invalidSamlAnswer } from '../../../core/errors/saml.ts'
import { newUuid } from '../../../core/ids.ts'
import { SamlFault } from '../../../core/saml/fault.ts'
import { entityIdOf, logoutRequest, redirectTo } from '../../../core/saml/request.ts'
import { verificationKeys } from '../../../core/saml/signature.ts'
import { consumeOnce } from '../../../store/one-time.ts'
import { type Context, inTransaction } from '../../context.ts'
import { findProvider } from '../../identity-providers/provider.ts'
import type { BrowserSession } from '../../tokens/browser-sessions.ts'
import { findPool, type Pool } from '../../user-pools/pool.ts'
import { decodeMessage } from './arrive.ts'
import { newMessageId, signerOf } from './depart.ts'

/** Where the answer to a LogoutRequest is posted to. */
export const logoutPath = '/saml2/logout'

const purpose = 'saml-sign-out'
/** As long as a sign-in may be under way. */
const lifetimeMs = 300_000
const relayStateLengthMax = 8_192

interface PendingSignOut {
  poolId: string
  providerName: string
  requestId: string
  /** The URL that the answer must be for. */
  recipient: string
  /** Where the browser goes on to; null when it stays. */
  location: string | null
  nonce: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/**
 * The URL at the provider with which its session ends as well; undefined when the session of the browser came from no
 * provider that has this switched on. The session itself has ended.
 */
export const departToSignOut = async (
  ctx: Context,
  pool: Pool,
  { identityProvider, providerSession }: BrowserSession,
  { baseUrl, location }: { baseUrl: string; location: string | undefined },
): Promise<string | undefined> => {
  if (providerSession === undefined) return undefined
  const provider = await findProvider(ctx, pool, identityProvider)
  const destination = provider?.settings.saml?.metadata.logoutUrl
  if (destination === undefined || provider?.settings.details['IDPSignout'] !== 'true') return undefined
  const now = ctx.clock.now()
  const requestId = newMessageId(ctx)
  const pending: PendingSignOut = {
    poolId: pool.id,
    providerName: provider.name,
    requestId,
    recipient: baseUrl + logoutPath,
    location: location ?? null,
    nonce: newUuid(ctx.random),
    expiresAt: now + lifetimeMs,
  }
  const request = logoutRequest({
    id: requestId,
    now,
    destination,
    issuer: entityIdOf(pool.id),
    nameId: providerSession.nameId,
    sessionIndex: providerSession.sessionIndex,
  })
  const relayState = ctx.seal.seal(purpose, JSON.stringify(pending))
  return redirectTo(destination, { request, relayState }, signerOf(ctx, pool.id))
}

/**
 * Where the browser goes on to after the provider has answered; undefined when it stays. Each answer is good once.
 * @throws AuthorizationError for the error page
 */
export const arriveFromSignOut = async (
  ctx: Context,
  { message, relayState }: { message: string; relayState: string },
): Promise<{ pool: Pool; location: string | undefined }> => {
  const pending = openPending(ctx, relayState)
  if (pending === undefined) throw invalidRelayState()
  const pool = await findPool(ctx, pending.poolId)
  const provider = pool && (await findProvider(ctx, pool, pending.providerName))
  if (pool === undefined || provider?.settings.saml === undefined) throw invalidRelayState()
  const { entityId, certificates } = provider.settings.saml.metadata
  const { requestId, recipient, location, nonce, expiresAt } = pending
  try {
    const keys = verificationKeys(certificates, ctx.clock.now())
    const expected = { issuer: entityId, recipient, requestId, keys }
    const { ended } = await ctx.compute.saml.logoutResponse(decodeMessage(message), expected)
    if (!ended)
      ctx.log.warn({ requestId: ctx.requestId, provider: provider.name }, 'SAML provider has not ended its session')
  } catch (error) {
    if (!(error instanceof SamlFault)) throw error
    ctx.log.info({ requestId: ctx.requestId, provider: provider.name, cause: error.message }, 'SAML sign-out refused')
    throw invalidSamlAnswer()
  }
  const isFirst = await inTransaction(ctx, tx => consumeOnce(tx.db, purpose, nonce, expiresAt))
  if (!isFirst) throw invalidRelayState()
  return { pool, location: location ?? undefined }
}

const openPending = (ctx: Context, relayState: string): PendingSignOut | undefined => {
  const opened = relayState.length > relayStateLengthMax ? undefined : ctx.seal.open(purpose, relayState)
  if (opened === undefined) return undefined
  const pending = JSON.parse(opened.toString('utf8')) as PendingSignOut
  return pending.expiresAt > ctx.clock.now() ? pending : undefined
}
