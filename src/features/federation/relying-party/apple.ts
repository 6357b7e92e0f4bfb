/** What is Apple's own: the client proves itself by a signed token, and the name of the user comes beside the code. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { unusablePrivateKey } from '../../../core/errors/federation.ts'
import { parseUnambiguousJson } from '../../../core/unambiguous-json.ts'
import type { Context } from '../../context.ts'
import type { Provider } from '../../identity-providers/provider.ts'
import { textIn } from './call.ts'

const lifetimeSeconds = 300

/**
 * The client secret: a token that the key of the team has signed (Sign in with Apple, "Creating a client secret").
 * @throws OAuthError when the stored key is none on P-256
 */
export const appleClientSecret = (ctx: Pick<Context, 'clock'>, { settings, secrets }: Provider): string => {
  const { details } = settings
  const now = Math.floor(ctx.clock.now() / 1_000)
  const header = { alg: 'ES256', kid: details['key_id'] }
  const claims = {
    iss: details['team_id'],
    iat: now,
    exp: now + lifetimeSeconds,
    aud: details['oidc_issuer'],
    sub: details['client_id'],
  }
  const text = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const key = keyFrom(secrets.details['private_key'] ?? '')
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** As Apple hands it out, or only what stands between the first line and the last. */
const keyFrom = (text: string): KeyObject => {
  try {
    const key = text.includes('-----BEGIN')
      ? createPrivateKey(text)
      : createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // Said below.
  }
  throw unusablePrivateKey()
}

const userLengthMax = 4_096

/**
 * The name, which Apple tells on the first consent only. It has come through the browser unsigned, so it is good for a name
 * and nothing else: the address that stands beside it is left out.
 */
export const appleNames = (user: string | undefined): [string, unknown][] => {
  if (user === undefined || user.length > userLengthMax) return []
  const name = parseUnambiguousJson(Buffer.from(user))?.['name']
  if (typeof name !== 'object' || name === null) return []
  const names = name as Record<string, unknown>
  const [firstName, lastName] = [textIn(names, 'firstName'), textIn(names, 'lastName')]
  const whole = [firstName, lastName].filter(part => part !== undefined).join(' ')
  const told: [string, unknown][] = [
    ['firstName', firstName],
    ['lastName', lastName],
    ['name', whole],
  ]
  return told.filter(([, value]) => value !== undefined && value !== '')
}
