/** `npm run check`: types, lint and format, the layer rule, generated files up to date. All of it runs, then it fails. */
import { spawnSync } from 'node:child_process'

const steps: [string, string[]][] = [
  ['types', ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit']],
  ['lint and format', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']],
  ['layers', ['--test', '--test-reporter=dot', 'test/layers.test.ts']],
  ['generated contract', ['tools/generate-contract.ts', '--check']],
  ['generated configuration page', ['tools/generate-config-docs.ts', '--check']],
]

const failed: string[] = []
for (const [name, args] of steps) {
  process.stdout.write(`check: ${name}\n`)
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) failed.push(name)
}
process.stdout.write(failed.length === 0 ? 'check: all good\n' : `check: failed: ${failed.join(', ')}\n`)
process.exit(failed.length === 0 ? 0 : 1)
