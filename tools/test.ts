/**
 * The test command: `npm test -- [files] [--name PATTERN]`. Without files it runs every `*.test.ts` under `src` and
 * `test`; a word that is no file selects the test files whose path contains it. Starts PostgreSQL once for all of them,
 * and finds or installs Chromium when one of them opens pages.
 */
import { spawn } from 'node:child_process'
import { generateKeyPair } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { ensureChromium } from '../test/support/chromium.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { makeTemplate } from '../test/support/postgres-databases.ts'

const root = join(import.meta.dirname, '..')
const cache = join(root, 'node_modules/.cache/cenote')
const keysFile = join(cache, 'test-keys.json')
const keysCount = 16

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', multiple: true }, reporter: { type: 'string', default: 'spec' } },
})
const files = selectFiles(positionals)
if (files.length === 0) {
  process.stderr.write(`No test file matches ${positionals.join(' ') || 'src/**/*.test.ts and test/**/*.test.ts'}.\n`)
  process.exit(1)
}
const opensPages = files.some(file => readFileSync(file, 'utf8').includes('support/browser.ts'))
const chromium = opensPages ? ensureChromium() : undefined
const [postgres] = await Promise.all([startPostgres(), makeKeys()])
await makeTemplate(postgres.url)
const code = await runTests(files, postgres.url)
await postgres.stop()
process.exit(code)

function selectFiles(words: string[]): string[] {
  const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root })
    .map(file => join(root, file))
    .sort()
  if (words.length === 0) return all
  const selected = new Set<string>()
  for (const word of words) {
    const named = [join(process.cwd(), word), join(root, word)].find(file => word.endsWith('.ts') && existsSync(file))
    const found = named === undefined ? all.filter(file => relative(root, file).includes(word)) : [named]
    for (const file of found) selected.add(file)
  }
  return [...selected]
}

/** Runs the test files with Node's runner, whose summary is the last thing that is printed. Resolves to its exit code. */
function runTests(testFiles: string[], postgresUrl: string): Promise<number> {
  const names = (values.name ?? []).map(name => `--test-name-pattern=${name}`)
  const args = ['--test', '--test-concurrency=2', `--test-reporter=${values.reporter}`, ...names, ...testFiles]
  const runner = spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      // Every test file is a process of its own, and each would compile the same modules again.
      NODE_COMPILE_CACHE: join(cache, 'compiled'),
      CENOTE_TEST_POSTGRES: postgresUrl,
      CENOTE_TEST_KEYS: keysFile,
      ...(chromium !== undefined && { CENOTE_TEST_CHROMIUM: chromium }),
    },
  })
  // The runner is told, and what it then prints is waited for; PostgreSQL stops after it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
  return new Promise((resolve, reject) => {
    runner.once('error', reject)
    runner.once('close', exitCode => resolve(exitCode ?? 1))
  })
}

/** RSA-2048 private keys (PKCS#8, PEM), made once, because making one takes longer than most tests. */
async function makeKeys(): Promise<void> {
  if (existsSync(keysFile) && (JSON.parse(readFileSync(keysFile, 'utf8')) as string[]).length === keysCount) return
  const makePair = promisify(generateKeyPair)
  const pairs = await Promise.all(Array.from({ length: keysCount }, () => makePair('rsa', { modulusLength: 2048 })))
  const keys = pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'pem' }))
  mkdirSync(dirname(keysFile), { recursive: true })
  // Another run may read the file at the same time, so it appears whole or not at all.
  const draft = `${keysFile}.${process.pid}`
  writeFileSync(draft, JSON.stringify(keys))
  renameSync(draft, keysFile)
}
