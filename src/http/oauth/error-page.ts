/** What the user sees of a request that must not lead anywhere. */
import type { AuthorizationError } from '../../core/errors/oauth.ts'
import type { RequestContext } from '../request-context.ts'

export const errorPage = (c: RequestContext, { message }: AuthorizationError): Response =>
  c.html(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Error</title><h1>An error was encountered with the requested page.</h1><p>${escaped(message)}</p></html>`,
    400,
    { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'" },
  )

const escaped = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
