/** The secret hash, by which an app client with a secret proves that it knows it without sending it. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** Base64 of the HMAC-SHA256 of username and client id under the client secret, all in UTF-8; 44 characters. */
export const secretHash = (username: string, clientId: string, secret: string): string =>
  createHmac('sha256', secret)
    .update(username + clientId)
    .digest('base64')

const secretHashLength = 44

/**
 * Whether the presented text is the secret hash of one of the names under one of the secrets. The names are those that
 * the request can mean (the name as it was sent, the user's real username), the secrets all that are active. All
 * combinations are computed and compared in constant time, whichever of them matches.
 */
export const matchesSecretHash = (
  presented: string,
  usernames: readonly string[],
  clientId: string,
  secrets: readonly string[],
): boolean => {
  if (presented.length !== secretHashLength) return false
  const given = Buffer.from(presented)
  if (given.length !== secretHashLength) return false
  let matches = false
  for (const secret of secrets) {
    for (const username of usernames) {
      if (timingSafeEqual(given, Buffer.from(secretHash(username, clientId, secret)))) matches = true
    }
  }
  return matches
}

/** Whether the presented text is one of the secrets themselves. Compared in constant time, whatever their lengths. */
export const matchesSecret = (presented: string, secrets: readonly string[]): boolean => {
  const given = hash('sha256', presented, 'buffer')
  let matches = false
  for (const secret of secrets) {
    if (timingSafeEqual(given, hash('sha256', secret, 'buffer'))) matches = true
  }
  return matches
}
