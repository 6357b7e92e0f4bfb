/**
 * Output to wire JSON. Only members of the model are written, absent ones are left out, and each structure is compiled
 * once. Answers are not checked: their types are the compiler's task.
 */
import { Buffer } from 'node:buffer'
import type { Shape } from './model.ts'
import { operations, structures } from './model.ts'
import type { OperationName } from './types.ts'

/** Writes a value that is neither null nor undefined. */
type Encode = (value: never) => string

/**
 * The body of an answer, from the output of the operation (its type is in OperationOutputs): `{}` for an empty output
 * structure, the empty string when the operation has none. Dates become seconds since the epoch with milliseconds as
 * fraction, bytes become base64.
 */
export const encodeOutput = (operation: OperationName, output: unknown): string => {
  const structure = operations[operation].output
  return structure === null ? '' : encodeStructure(structure, output ?? {})
}

/** Like encodeOutput, for any structure of the model. Throws when the model has no structure of that name. */
export const encodeStructure = (name: string, value: object): string => structureEncoder(name)(value as never)

const compileStructure = (name: string): Encode => {
  const structure = Object.hasOwn(structures, name) ? structures[name] : undefined
  if (!structure) throw new Error(`The model has no structure ${name}`)
  const members = Object.entries(structure.members).map(([member, shape]) => ({
    name: member,
    label: `"${member}":`,
    encode: encoderOf(shape),
  }))
  return (value: Record<string, unknown>) => {
    let text = '{'
    for (const member of members) {
      const item = value[member.name]
      if (item === undefined || item === null) continue
      text += (text.length === 1 ? '' : ',') + member.label + member.encode(item as never)
    }
    return `${text}}`
  }
}

const compiled = new Map<string, Encode>()

/** Compiled at first use and kept. */
const structureEncoder = (name: string): Encode => {
  let encode = compiled.get(name)
  if (!encode) {
    encode = compileStructure(name)
    compiled.set(name, encode)
  }
  return encode
}

const listEncoder = (shape: Shape): Encode => {
  const encode = encoderOf(shape.element!)
  return (value: readonly unknown[]) => {
    let text = '['
    for (const item of value) {
      if (item === undefined || item === null) continue
      text += (text.length === 1 ? '' : ',') + encode(item as never)
    }
    return `${text}]`
  }
}

const mapEncoder = (shape: Shape): Encode => {
  const encode = encoderOf(shape.element!)
  return (value: Readonly<Record<string, unknown>>) => {
    let text = '{'
    for (const key of Object.keys(value)) {
      const item = value[key]
      if (item === undefined || item === null) continue
      text += `${(text.length === 1 ? '' : ',') + JSON.stringify(key)}:${encode(item as never)}`
    }
    return `${text}}`
  }
}

const encoderOf = (shape: Shape): Encode => {
  switch (shape.type) {
    case 'structure': {
      // Looked up when it is used, so that a structure may contain itself.
      let encode: Encode | undefined
      return value => {
        encode ??= structureEncoder(shape.structure!)
        return encode(value)
      }
    }
    case 'list':
      return listEncoder(shape)
    case 'map':
      return mapEncoder(shape)
    case 'timestamp':
      return (value: Date) => JSON.stringify(value.getTime() / 1000)
    case 'blob':
      return (value: Uint8Array) =>
        `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`
    case 'string':
    case 'boolean':
    case 'integer':
    case 'long':
    case 'document':
      return value => JSON.stringify(value)
  }
}
