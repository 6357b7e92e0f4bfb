/**
 * The wire format of the AWS JSON face: bytes → JSON → checked input, and output → JSON.
 */
export type { Decoded } from './decode.ts'
export { decodeInput, decodeStructure, violationMessage } from './decode.ts'
export { encodeOutput, encodeStructure } from './encode.ts'
export { parseJson } from './parse-json.ts'
