/**
 * The relying party: sign-in through providers that speak OpenID Connect or the OAuth of their own. The user is sent there
 * for a code (OpenID Connect Core, section 3.1.2.1); what comes back is in `arrive.ts`.
 */
import { withParameters } from '../../../core/oauth.ts'
import type { Provider } from '../../identity-providers/provider.ts'
import type { Depart, Departure } from '../protocol.ts'

/** Where providers send the browser back to, below the address of the pool. */
export const callbackPath = '/oauth2/idpresponse'

const nonceBytes = 24

/** Whoever asks Apple for name or e-mail is answered by a form (Sign in with Apple JS, "Handling the response"). */
export const answersByForm = ({ type }: Pick<Provider, 'type'>): boolean => type === 'SignInWithApple'

export const departByCode: Depart = (ctx, departure) => {
  const { provider, baseUrl } = departure
  const { details } = provider.settings
  const redirectUri = `${baseUrl}${callbackPath}`
  const nonce = ctx.random.bytes(nonceBytes).toString('base64url')
  return {
    remembered: { redirectUri, nonce },
    address: state =>
      withParameters(details['authorize_url'] ?? '', {
        client_id: details['client_id'],
        redirect_uri: redirectUri,
        scope: details['authorize_scopes'],
        response_type: 'code',
        response_mode: answersByForm(provider) ? 'form_post' : undefined,
        state,
        nonce,
        ...(provider.type === 'OIDC' && wishes(departure)),
      }),
  }
}

/** What the application asks of the sign-in is passed on to OpenID Connect providers alone. */
const wishes = ({ provider, loginHint, prompt, levels }: Departure): Record<string, string | undefined> => {
  const { acrMapping = {} } = provider.settings
  const acrValues = levels.flatMap(level => acrMapping[level] ?? [])
  const prompts = ['login', 'select_account', 'consent'].filter(value => prompt.has(value))
  return {
    login_hint: loginHint,
    prompt: prompts.length === 0 ? undefined : prompts.join(' '),
    acr_values: acrValues.length === 0 ? undefined : acrValues.join(' '),
  }
}
