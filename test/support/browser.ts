/**
 * A real Chromium for tests: one for each test process, with a fresh context for each test. `npm test` sees to it that
 * one is there. Screenshots go to `test-results/screenshots/`, which is no part of the repository.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const screenshotFolder = join(import.meta.dirname, '../../test-results/screenshots')

/** Without them Chromium asks hosts of its maker at every start. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
]

let started: Promise<Browser> | undefined

/** Registers the end of the browser with the current file or group of tests, and returns a function that opens pages. */
export const withBrowser = (): ((options?: BrowserContextOptions) => Promise<Page>) => {
  after(async () => {
    const browser = started
    started = undefined
    await (await browser)?.close()
  })
  return async options => {
    started ??= chromium.launch({
      executablePath: process.env['CENOTE_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
      args: process.getuid?.() === 0 ? ['--no-sandbox', ...quiet] : quiet,
    })
    const context = await (await started).newContext({ viewport: { width: 1_000, height: 760 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    return page
  }
}

/** Keeps what the page looks like, whole, under a name like `sign-in-dark`. */
export const screenshot = async (page: Page, name: string): Promise<void> => {
  mkdirSync(screenshotFolder, { recursive: true })
  await page.screenshot({ path: join(screenshotFolder, `${name}.png`), fullPage: true })
}
