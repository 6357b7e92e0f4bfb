/**
 * Bundles the program: `dist/cenote.js` and, beside it, the programs of its threads. With `--if-stale` it does nothing
 * when the bundle is newer than every source. `--outdir DIR` puts it elsewhere.
 */
import { globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { version } from '../src/version.ts'

const entryPoints = {
  cenote: 'src/main.ts',
  'compute-worker': 'src/adapters/compute-worker.ts',
  'password-hash-worker': 'src/adapters/password-hash-worker.ts',
  'saml-worker': 'src/adapters/saml-worker.ts',
  'local-module-worker': 'src/adapters/local-module-worker.ts',
}

const {
  values: { outdir, 'if-stale': ifStale },
} = parseArgs({
  options: { outdir: { type: 'string', default: 'dist' }, 'if-stale': { type: 'boolean', default: false } },
})

const isFresh = (): boolean => {
  try {
    const built = Math.min(...Object.keys(entryPoints).map(name => statSync(`${outdir}/${name}.js`).mtimeMs))
    const sources = [...globSync('src/**/*.ts'), 'package.json', 'package-lock.json']
    return sources.every(file => statSync(file).mtimeMs < built)
  } catch {
    return false
  }
}

const { version: packageVersion } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
if (packageVersion !== version) throw new Error(`src/version.ts says ${version}, package.json says ${packageVersion}`)

if (!ifStale || !isFresh()) {
  rmSync(outdir, { recursive: true, force: true })
  await build({
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'cenote-[name]-[hash]',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'external',
    logLevel: 'warning',
    // Optional native binding of pg; it is never used.
    external: ['pg-native'],
    // CommonJS packages inside the bundle ask for Node's modules with require.
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  })
}
