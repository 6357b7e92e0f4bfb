#!/usr/bin/env node
/**
 * The program as it is installed. It switches on the compile cache before the rest is loaded, so that every start but
 * the first skips most of the compilation.
 */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { main } = await import('./process.ts')
await main(process.argv.slice(2))
