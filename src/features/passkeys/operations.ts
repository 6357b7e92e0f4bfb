import type { Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { type SignedIn, signedIn } from '../tokens/signed-in.ts'
import { deletePasskey, listPasskeys, type PasskeyPosition, passkeysPerUserMax, presentPasskey } from './passkey.ts'
import { completeRegistration, type Registrant, startRegistration } from './registration.ts'

export const passkeyOperations = {
  StartWebAuthnRegistration: signedIn(async (ctx, session) => ({
    CredentialCreationOptions: await startRegistration(ctx, registrantOf(session)),
  })),

  CompleteWebAuthnRegistration: signedIn(async (ctx, session, input) => {
    await completeRegistration(ctx, registrantOf(session), input.Credential)
    return {}
  }),

  ListWebAuthnCredentials: signedIn(async (ctx, { pool, user }, input) => {
    const binding: PageBinding = { operation: 'ListWebAuthnCredentials', scope: pool.id, parameters: [user.id] }
    const { after, limit } = readPage<PasskeyPosition>(
      ctx,
      binding,
      input.NextToken,
      input.MaxResults || passkeysPerUserMax,
    )
    const passkeys = await listPasskeys(ctx, user, { after, limit: limit + 1 })
    const { rows, nextToken } = writePage(ctx, binding, { after, limit }, passkeys, passkey => [
      passkey.createdAt,
      passkey.credentialId,
    ])
    return { Credentials: rows.map(presentPasskey), NextToken: nextToken }
  }),

  DeleteWebAuthnCredential: signedIn(async (ctx, { user }, input) => {
    await deletePasskey(ctx, user, input.CredentialId)
    return {}
  }),
} satisfies Operations<
  'CompleteWebAuthnRegistration' | 'DeleteWebAuthnCredential' | 'ListWebAuthnCredentials' | 'StartWebAuthnRegistration'
>

const registrantOf = ({ pool, user, client, claims }: SignedIn): Registrant => ({
  pool,
  user,
  client,
  session: claims.origin_jti,
})
