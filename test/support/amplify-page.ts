/**
 * Stock Amplify in a real browser, on a page of an application's own at `http://localhost:PORT`, with an authenticator
 * that Chromium simulates.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after } from 'node:test'
import type * as amplifyAuth from 'aws-amplify/auth'
import { build } from 'esbuild'
import type { CDPSession, Page } from 'playwright-core'

/** What the bundle leaves on the page. */
type AmplifyOnPage = typeof amplifyAuth & { Amplify: typeof import('aws-amplify')['Amplify'] }

declare const amplify: AmplifyOnPage

const pageHtml = '<!doctype html><title>Application</title><script src="/amplify.js"></script>'

/** Serves the page until the current file or group of tests has run; returns its URL, and loads Amplify only once. */
export const withAmplifyPage = (): (() => Promise<string>) => {
  let server: Server | undefined
  after(() => {
    server?.closeAllConnections()
    server?.close()
  })
  return async () => {
    if (server === undefined) {
      const script = await bundle()
      const serving = createServer((request, response) => {
        const isScript = request.url === '/amplify.js'
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
        response.end(isScript ? script : pageHtml)
      })
      await new Promise<void>(resolve => serving.listen(0, '127.0.0.1', resolve))
      server = serving
    }
    return `http://localhost:${(server.address() as AddressInfo).port}/`
  }
}

const bundle = async (): Promise<string> => {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from 'aws-amplify/auth'; export { Amplify } from 'aws-amplify'",
      resolveDir: join(import.meta.dirname, '..'),
    },
    bundle: true,
    format: 'iife',
    globalName: 'amplify',
    platform: 'browser',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

export interface AmplifyPoolConfig {
  userPoolId: string
  userPoolClientId: string
  userPoolEndpoint: string
}

/** Amplify's functions as they are called on the page; what one throws is thrown here under its name. */
export interface AmplifyClient {
  call<Name extends FunctionName>(
    name: Name,
    ...input: Parameters<AmplifyOnPage[Name]>
  ): Promise<Awaited<ReturnType<AmplifyOnPage[Name]>>>
}

type FunctionName = {
  [Name in keyof AmplifyOnPage]: AmplifyOnPage[Name] extends (...input: never[]) => Promise<unknown> ? Name : never
}[keyof AmplifyOnPage]

/** Opens the page and configures Amplify there. */
export const openAmplify = async (page: Page, url: string, pool: AmplifyPoolConfig): Promise<AmplifyClient> => {
  await page.goto(url)
  await page.evaluate(config => amplify.Amplify.configure({ Auth: { Cognito: config } }), pool)
  return {
    call: async (name, ...input) => {
      const answer = await page.evaluate(
        async ([functionName, values]) => {
          try {
            const run = amplify[functionName as 'signIn'] as (...input: unknown[]) => Promise<unknown>
            // What comes back must survive the way out of the page.
            return { value: JSON.stringify(await run(...values)) }
          } catch (error) {
            const { name: errorName, message, underlyingError } = error as Error & { underlyingError?: unknown }
            return { error: { name: errorName, message, cause: String(underlyingError) } }
          }
        },
        [name, input] as [string, unknown[]],
      )
      if (answer.error !== undefined) {
        throw Object.assign(new Error(answer.error.message), { name: answer.error.name, cause: answer.error.cause })
      }
      return answer.value === undefined ? undefined : JSON.parse(answer.value)
    },
  }
}

// ---------------------------------------------------------------------------------------------- the authenticator

export interface VirtualAuthenticator {
  cdp: CDPSession
  id: string
  /** Whether it verifies its user when it is asked to. */
  setUserVerified(isVerified: boolean): Promise<void>
  credentials(): Promise<VirtualCredential[]>
  /** Puts a credential in, as a copy of one that was read. */
  add(credential: VirtualCredential): Promise<void>
  clear(): Promise<void>
}

export interface VirtualCredential {
  /** Standard base64, like all bytes here. */
  credentialId: string
  isResidentCredential: boolean
  rpId?: string
  privateKey: string
  userHandle?: string
  signCount: number
}

/** An authenticator built into the device, or one that is plugged in, which answers without anybody touching it. */
export const addAuthenticator = async (
  page: Page,
  { transport = 'internal', ...options }: { transport?: 'internal' | 'usb'; hasUserVerification?: boolean } = {},
): Promise<VirtualAuthenticator> => {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId: id } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...options,
    },
  })
  return {
    cdp,
    id,
    setUserVerified: async isUserVerified => {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified })
    },
    credentials: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId: id })).credentials,
    add: async credential => {
      await cdp.send('WebAuthn.addCredential', { authenticatorId: id, credential })
    },
    clear: async () => {
      await cdp.send('WebAuthn.clearCredentials', { authenticatorId: id })
    },
  }
}
