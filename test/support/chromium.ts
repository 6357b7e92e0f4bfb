/** Finds Chromium for the tests of pages, or installs Debian's package where that is possible. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const places = [
  process.env['CENOTE_TEST_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/**
 * The program's path.
 * @throws Error when there is none and none can be installed.
 */
export const ensureChromium = (): string => {
  const found = findChromium()
  if (found !== undefined) return found
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write('Installing Chromium for the tests of pages …\n')
    aptGet('update')
    aptGet('install', '--yes', '--no-install-recommends', 'chromium')
  }
  const installed = findChromium()
  if (installed === undefined) {
    throw new Error('The tests of pages need Chromium: install it, or name it in CENOTE_TEST_CHROMIUM.')
  }
  return installed
}

const findChromium = (): string | undefined => places.find(place => place !== undefined && existsSync(place))

/** What fails here shows when Chromium is looked for again. */
const aptGet = (...args: string[]): void => {
  spawnSync('apt-get', ['--quiet', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}
