/**
 * The parser of YAML, in a file of its own so that it is loaded only where there is a file to read. The package is a
 * CommonJS module: bundled, it has names for a static import only.
 */
export { parse as parseYaml } from 'yaml'
