/** An application of the tests that users come back to: it keeps the addresses under which they came. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import type { Page } from 'playwright-core'
import { password } from './sign-in.ts'

export interface RelyingParty {
  /** Without a final slash. */
  url: string
  callback: string
  bye: string
}

/** Serves one page, with this script when there is one, until the current group of tests has run. */
export const withRelyingParty = (script?: () => Promise<string>): (() => Promise<RelyingParty>) => {
  const server = createServer((request, response) => {
    const isScript = request.url === '/script.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    if (isScript) script?.().then(text => response.end(text))
    else
      response.end(
        `<!doctype html><title>Application</title>${script && '<script src="/script.js"></script>'}<h1>Application</h1>`,
      )
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return async () => {
    if (!server.listening) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://localhost:${(server.address() as AddressInfo).port}`
    return { url, callback: `${url}/callback`, bye: `${url}/bye` }
  }
}

/** Fills in the sign-in page that is open. */
export const fillSignIn = async (page: Page, username: string): Promise<void> => {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Signs in on the pages, beginning at the address; returns the address of the application at which that ends. */
export const signInAt = async (
  page: Page,
  url: URL | string,
  username: string,
  { callback }: RelyingParty,
): Promise<URL> => {
  await page.goto(String(url))
  await fillSignIn(page, username)
  await page.waitForURL(`${callback}**`)
  return new URL(page.url())
}

/** Goes to an address from which the user is not asked; returns the address of the application at which that ends. */
export const passThrough = async (page: Page, url: URL | string, { callback }: RelyingParty): Promise<URL> => {
  await page.goto(String(url))
  await page.waitForURL(`${callback}**`)
  return new URL(page.url())
}
