/**
 * The end of every sign-in through an identity provider, whatever the provider speaks: its answer has been verified, and
 * now it is decided who has signed in. The pool's functions run in the order of the service, the first sign-in makes the
 * profile, and each one brings its mapped attributes up to date.
 *
 * Who somebody is follows from the provider and its subject alone, or from a link that an administrator made. An address
 * that the provider tells never leads to a user who has the same.
 */
import { type Factor, federatedFactors } from '../../core/claims.ts'
import { changedMeanwhile } from '../../core/errors/federation.ts'
import { passwordResetRequired, userDisabled, userNotConfirmed } from '../../core/errors.ts'
import type { ProviderClaims } from '../../core/provider-claims.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { findProvider, type Provider } from '../identity-providers/provider.ts'
import type { ProviderSession } from '../tokens/browser-sessions.ts'
import { runPostConfirmation, runPreSignUp } from '../triggers/confirmation.ts'
import { type ProviderAnswer, runInboundFederation } from '../triggers/inbound-federation.ts'
import { hasTrigger, runTrigger, userAttributesOf } from '../triggers/run.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserById, type User } from '../users/user.ts'
import { newProfileAttributes, valuesOf } from './attributes.ts'
import { createProfile, findProfile, type Profile, profileName, updateProfile } from './profile.ts'

/** What a provider has answered, verified. */
export interface FederatedAnswer {
  provider: Provider
  /** The provider's own identifier of the user: `sub`, `id`, `user_id` or NameID. */
  subject: string
  /** What the mapping of the provider is applied to. */
  claims: ProviderClaims
  /** What the function for inbound federation is told. */
  told: ProviderAnswer
  /** How the user signed in there, as far as the provider is believed; only that he did, when absent. */
  factors?: Factor[]
  /** What the provider has to be told when the user signs out. */
  providerSession?: ProviderSession
}

/** A user who has signed in through a provider: what a session of the browser begins with. */
export interface FederatedProof {
  user: User
  factors: Factor[]
  /** The name of the provider. */
  identityProvider: string
  providerSession: ProviderSession | undefined
}

/**
 * Decides who has signed in. `ctx.caller` should name the client, for the functions.
 * @throws OAuthError with the description for the application, and CognitoError from the functions and about the user
 * (disabled, not confirmed), which `refusedFederation` makes one of.
 */
export const finishFederatedSignIn = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  answer: FederatedAnswer,
): Promise<FederatedProof> => {
  const { provider, subject, told, factors = [federatedFactors.Level1] } = answer
  const username = profileName(pool, provider, subject)
  const inbound = await runInboundFederation(ctx, pool, {
    username,
    providerName: provider.name,
    providerType: provider.type,
    answer: told,
  })
  const signIn: FederatedSignIn = { pool, client, provider, subject, username, claims: inbound ?? answer.claims }
  const known = await findProfile(ctx, signIn)
  const user = known === undefined ? await signInFirst(ctx, signIn) : await signInAgain(ctx, signIn, known)
  ctx.events.record({
    ...{ name: 'SignIn', result: 'Pass', userPoolId: pool.id, clientId: client.id, userId: user.id },
    provider: provider.name,
  })
  return { user, factors, identityProvider: provider.name, providerSession: answer.providerSession }
}

/** A sign-in whose user is sought. */
export interface FederatedSignIn {
  pool: Pool
  client: Client
  provider: Provider
  subject: string
  /** The name of the profile, whether there is one or not. */
  username: string
  /** As the function for inbound federation left them. */
  claims: ProviderClaims
}

/** A first sign-in makes a profile, unless the function that decides on it links the identity to another one. */
const signInFirst = async (ctx: Context, signIn: FederatedSignIn): Promise<User> => {
  const { pool, username } = signIn
  const attributes = newProfileAttributes(signIn)
  await runPreSignUp(ctx, pool, 'ExternalProvider', { username, attributes, validationData: undefined })
  const current = await refreshed(ctx, signIn)
  const linked = await findProfile(ctx, current)
  if (linked !== undefined) return signInAgain(ctx, current, linked)
  const created = await createProfile(ctx, current, attributes)
  if ('found' in created) return signInAgain(ctx, current, created.found)
  await runPostConfirmation(ctx, pool, 'ConfirmSignUp', async () => created.made)
  return currentUser(ctx, pool, created.made)
}

/** The sign-in with the provider as it is now: the function may have taken its time, or made a link. */
const refreshed = async (ctx: Context, signIn: FederatedSignIn): Promise<FederatedSignIn> => {
  const provider = await findProvider(ctx, signIn.pool, signIn.provider.name)
  if (provider === undefined) throw changedMeanwhile()
  return { ...signIn, provider }
}

const signInAgain = async (ctx: Context, signIn: FederatedSignIn, profile: Profile): Promise<User> => {
  const { pool } = signIn
  assertMaySignIn(profile.user)
  await runTrigger(ctx, pool, 'PreAuthentication', {
    source: 'Authentication',
    username: profile.user.username,
    request: { userAttributes: userAttributesOf(profile.user), validationData: null, userNotFound: false },
  })
  const user = await updateProfile(ctx, signIn, profile, current => {
    assertMaySignIn(current)
    return valuesOf(signIn, current)
  })
  if (!hasTrigger(pool, 'PostAuthentication')) return user
  await runTrigger(ctx, pool, 'PostAuthentication', {
    source: 'Authentication',
    username: user.username,
    request: { userAttributes: userAttributesOf(user), newDeviceUsed: false },
  })
  return currentUser(ctx, pool, user)
}

/** The user as the functions have left him. */
const currentUser = async (ctx: Context, pool: Pool, { id }: User): Promise<User> => {
  const user = await findUserById(ctx, pool, id)
  if (user === undefined) throw changedMeanwhile()
  assertMaySignIn(user)
  return user
}

/**
 * A user to whom an identity is linked may be in a state that asks for something before he may sign in, whichever way he
 * comes. A temporary password is none: who comes through a provider needs no password.
 */
const assertMaySignIn = (user: User): void => {
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
  if (user.status === 'RESET_REQUIRED') throw passwordResetRequired()
}
