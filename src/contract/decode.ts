/**
 * Wire JSON to checked input: types, lengths, patterns, enumerations and ranges of the model, in one pass.
 *
 * Lengths of text are counted in code points everywhere, as a person counts characters. A text that is too long is
 * never given to its pattern, so the cost of a check is bounded by the length limits.
 */
import { Buffer } from 'node:buffer'
import type { Shape } from './model.ts'
import { operations, structures } from './model.ts'
import { depthMax, entriesMax } from './parse-json.ts'
import { matcher } from './patterns.ts'
import type { OperationInputs, OperationName } from './types.ts'

export type Decoded<Input> =
  | { input: Input }
  /** Message of a SerializationException: a value has the wrong JSON type. */
  | { serialization: string }
  /** The items of an InvalidParameterException; see violationMessage. */
  | { violations: string[] }
  /** Message of an InvalidParameterException: a text is not well formed. */
  | { invalid: string }

interface Findings {
  serialization: string | undefined
  malformed: boolean
  violations: string[]
}

/** Decodes a value that is neither null nor absent. Undefined when it was of the wrong type. */
type Decode = (value: unknown, path: string, findings: Findings) => unknown

/** More violations than these are not collected, so that an answer stays small however bad the request is. */
const violationsMax = 100
/** A printed value is cut after this many UTF-16 code units. */
const printedMax = 1_024

const malformedTextMessage = 'The request contains text that is not well-formed Unicode or contains a NUL character.'

/**
 * Checks the input of an operation and brings it into the form of its type: timestamps become Date, blobs Uint8Array,
 * and maps get no prototype, so that a key like `__proto__` is a key like any other. Unknown members are ignored, null
 * counts as absent. Never throws, whatever the value is.
 */
export const decodeInput = <Name extends OperationName>(
  operation: Name,
  json: unknown,
): Decoded<OperationInputs[Name]> =>
  decodeStructure(operations[operation].input, json) as Decoded<OperationInputs[Name]>

/** Like decodeInput, for any structure of the model. Throws when the model has no structure of that name. */
export const decodeStructure = (name: string, json: unknown): Decoded<unknown> => {
  const findings: Findings = { serialization: undefined, malformed: false, violations: [] }
  const input = structureDecoder(name)(json, '', findings)
  if (findings.serialization !== undefined) return { serialization: findings.serialization }
  if (findings.malformed) return { invalid: malformedTextMessage }
  if (findings.violations.length > 0) return { violations: findings.violations }
  return { input }
}

/** The message of an InvalidParameterException that reports violations of the model. */
export const violationMessage = (violations: readonly string[]): string =>
  `${violations.length} validation error${violations.length === 1 ? '' : 's'} detected: ${violations.join('; ')}`

// ---------------------------------------------------------------------------------------------- findings

const report = (findings: Findings, path: string, printed: string | undefined, rule: string) => {
  if (findings.violations.length >= violationsMax) return
  const value = printed === undefined ? 'Value' : `Value '${printed}'`
  findings.violations.push(`${value} at '${path}' failed to satisfy constraint: ${rule}`)
}

const reportMissing = (findings: Findings, path: string) => {
  if (findings.violations.length >= violationsMax) return
  findings.violations.push(`Value null at '${path}' failed to satisfy constraint: Member must not be null`)
}

const cut = (text: string): string =>
  text.length <= printedMax ? text : `${text.slice(0, printedMax).replace(/[\ud800-\udbff]$/, '')}...`

/** The first type error is the one that is told. */
const refuse = (findings: Findings, message: string): undefined => {
  findings.serialization ??= message
}

const token = (value: unknown): string => {
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE'
  return typeof value === 'number' ? 'NUMBER_VALUE' : 'STRING_VALUE'
}

/** What the service says to a value of the wrong JSON type where `target` is due. */
const mismatch = (value: unknown, target: string): string => {
  if (Array.isArray(value)) return 'Start of list found where not expected'
  if (typeof value === 'object') return 'Start of structure or map found where not expected.'
  return `${token(value)} can not be converted to ${target}`
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The two databases disagree about lone surrogates and NUL, so neither gets further than this. */
const isCleanText = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

// ---------------------------------------------------------------------------------------------- rules

/** The constraints of one value. */
interface Rules<Value> {
  /** The rules that the value breaks, in the order of the service: enumeration, pattern, least, greatest. */
  broken(value: Value): readonly string[]
  /** All rules as they are printed for elements of lists, and for keys and values of maps. */
  all: string
}

const none: readonly string[] = []

const lengthRule = (comparison: 'greater' | 'less', limit: number) =>
  `Member must have length ${comparison} than or equal to ${limit}`
const valueRule = (comparison: 'greater' | 'less', limit: number) =>
  `Member must have value ${comparison} than or equal to ${limit}`

const bracketed = (rules: readonly string[]): string => `[${rules.join(', ')}]`

const codePoints = (text: string): number => {
  let count = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit <= 0xdbff) count--
  }
  return count
}

const isLongerThan = (text: string, max: number): boolean =>
  text.length > max && (text.length > max * 2 || codePoints(text) > max)

const isShorterThan = (text: string, min: number): boolean =>
  text.length < min || (text.length < min * 2 && codePoints(text) < min)

/** The limit of texts without a published one: that of the model's general string type. */
export const textLengthMax = 131_072

const stringRules = (shape: Shape): Rules<string> => {
  const { min, max = textLengthMax, pattern, allowEmpty } = shape
  const tooLong = lengthRule('less', max)
  const tooShort = min === undefined || min === 0 ? undefined : lengthRule('greater', min)
  const mismatched = pattern === undefined ? undefined : `Member must satisfy regular expression pattern: ${pattern}`
  const unknown = shape.enum && `Member must satisfy enum value set: [${shape.enum.join(', ')}]`
  const values = shape.enum && new Set(shape.enum)
  const published = [
    shape.max === undefined ? undefined : tooLong,
    min === undefined ? undefined : lengthRule('greater', min),
    mismatched,
    unknown,
  ].filter(rule => rule !== undefined)
  return {
    broken: value => {
      if (allowEmpty && value === '') return none
      if (isLongerThan(value, max)) return [tooLong]
      const isUnknown = values !== undefined && !values.has(value)
      const isMismatched = pattern !== undefined && !matcher(pattern)(value)
      const isTooShort = tooShort !== undefined && isShorterThan(value, min!)
      if (!isUnknown && !isMismatched && !isTooShort) return none
      return [isUnknown && unknown, isMismatched && mismatched, isTooShort && tooShort].filter(
        rule => typeof rule === 'string',
      )
    },
    all: bracketed(published.length > 0 ? published : [tooLong]),
  }
}

const integerMax = 2 ** 31 - 1

/** Members without a published range get that of their type, so that nothing larger is ever stored. */
const numberRules = (shape: Shape): Rules<number> => {
  const typeMax = shape.type === 'integer' ? integerMax : Number.MAX_SAFE_INTEGER
  const min = shape.min ?? (shape.type === 'integer' ? -integerMax - 1 : Number.MIN_SAFE_INTEGER)
  const max = shape.max ?? typeMax
  const tooSmall = valueRule('greater', min)
  const tooLarge = valueRule('less', max)
  return {
    broken: value => (value < min ? [tooSmall] : value > max ? [tooLarge] : none),
    all: bracketed([tooLarge, tooSmall]),
  }
}

/** Lengths of lists, maps and blobs. */
const sizeRules = ({ min = 0, max = Number.POSITIVE_INFINITY }: Shape): ((size: number) => string | undefined) => {
  const tooSmall = lengthRule('greater', min)
  const tooLarge = lengthRule('less', max)
  return size => (size < min ? tooSmall : size > max ? tooLarge : undefined)
}

// ---------------------------------------------------------------------------------------------- scalars

/** A value without members of its own: how it is read, and its rules. */
interface Scalar {
  read(value: unknown, findings: Findings): unknown
  rules: Rules<never> | undefined
}

const readString = (value: unknown, findings: Findings): string | undefined => {
  if (typeof value !== 'string') return refuse(findings, mismatch(value, 'a String'))
  if (isCleanText(value)) return value
  findings.malformed = true
  return undefined
}

const readWhole =
  (target: string) =>
  (value: unknown, findings: Findings): number | undefined => {
    // Adding zero turns a negative zero into zero.
    if (typeof value === 'number' && Number.isInteger(value)) return value + 0
    return refuse(findings, mismatch(value, target))
  }

const readBoolean = (value: unknown, findings: Findings): boolean | undefined =>
  typeof value === 'boolean' ? value : refuse(findings, mismatch(value, 'a Boolean'))

const isoDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

/** Seconds since the epoch, with a fraction, or a date of ISO 8601. */
const readTimestamp = (value: unknown, findings: Findings): Date | undefined => {
  let date: Date | undefined
  if (typeof value === 'number') date = new Date(Math.round(value * 1000))
  if (typeof value === 'string' && value.length <= 40 && isoDate.test(value)) date = new Date(value)
  if (date && !Number.isNaN(date.getTime())) return date
  return refuse(findings, mismatch(value, 'a Date'))
}

/** Any JSON, as it is; an own member `__proto__` stays a member. Iterative, because the value may be nested deeply. */
const readDocument = (value: unknown, findings: Findings): unknown => {
  const open: { node: unknown; depth: number }[] = [{ node: value, depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, depth } = next
    if (typeof node === 'string') {
      if (!isCleanText(node)) findings.malformed = true
    } else if (typeof node === 'object' && node !== null) {
      if (depth >= depthMax) return refuse(findings, 'The request body is nested too deeply.')
      for (const [key, child] of Object.entries(node)) {
        if (!isCleanText(key)) findings.malformed = true
        open.push({ node: child, depth: depth + 1 })
      }
    }
  }
  return value
}

const scalarOf = (shape: Shape): Scalar | undefined => {
  switch (shape.type) {
    case 'string':
      return { read: readString, rules: stringRules(shape) }
    case 'integer':
      return { read: readWhole('an Integer'), rules: numberRules(shape) }
    case 'long':
      return { read: readWhole('a Long'), rules: numberRules(shape) }
    case 'boolean':
      return { read: readBoolean, rules: undefined }
    case 'timestamp':
      return { read: readTimestamp, rules: undefined }
    case 'document':
      return { read: readDocument, rules: undefined }
    default:
      return undefined
  }
}

const brokenRules = ({ rules }: Scalar, value: unknown): readonly string[] =>
  rules === undefined || value === undefined ? none : rules.broken(value as never)

const scalarDecoder = (scalar: Scalar, sensitive: boolean): Decode => {
  return (value, path, findings) => {
    const read = scalar.read(value, findings)
    const broken = brokenRules(scalar, read)
    if (broken.length > 0) {
      const printed = sensitive ? undefined : cut(String(read))
      for (const rule of broken) report(findings, path, printed, rule)
    }
    return read
  }
}

// ---------------------------------------------------------------------------------------------- blobs

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** The size is known from the length of the text and is checked before anything is decoded. Blobs are never printed. */
const blobDecoder = (shape: Shape): Decode => {
  const brokenSize = sizeRules(shape)
  return (value, path, findings) => {
    if (typeof value !== 'string') return refuse(findings, mismatch(value, 'a ByteBuffer'))
    if (value.length % 4 !== 0) return refuse(findings, 'A binary value is not a base64-encoded string.')
    const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
    const broken = brokenSize((value.length / 4) * 3 - padding)
    if (broken) return report(findings, path, undefined, broken)
    if (!base64.test(value)) return refuse(findings, 'A binary value is not a base64-encoded string.')
    return new Uint8Array(Buffer.from(value, 'base64'))
  }
}

// ---------------------------------------------------------------------------------------------- lists and maps

const tooManyEntries = 'The request body has too many entries.'

/**
 * A list of structures reports each member with its place, counted from one: `userAttributes.2.member.name`. A list of
 * simple values reports itself once, with all rules of its elements, as the service does. Elements that are null are
 * dropped.
 */
const listDecoder = (shape: Shape): Decode => {
  const element = shape.element!
  const scalar = scalarOf(element)
  const decodeElement = scalar ? undefined : decoderOf(element)
  const sensitive = shape.sensitive || element.sensitive || !scalar
  const elementRule = scalar?.rules && `Member must satisfy constraint: ${scalar.rules.all}`
  const brokenSize = sizeRules(shape)
  return (value, path, findings) => {
    if (!Array.isArray(value)) return refuse(findings, isObject(value) ? mismatch(value, '') : 'Expected list or null')
    if (value.length > entriesMax) return refuse(findings, tooManyEntries)
    const decoded: unknown[] = []
    let someBroken = false
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      if (item === null || item === undefined) continue
      if (scalar) {
        const read = scalar.read(item, findings)
        if (brokenRules(scalar, read).length > 0) someBroken = true
        decoded.push(read)
      } else {
        decoded.push(decodeElement!(item, `${path}.${index + 1}.member`, findings))
      }
    }
    const size = brokenSize(decoded.length)
    if (size || someBroken) {
      const printed = sensitive ? undefined : cut(`[${decoded.join(', ')}]`)
      if (someBroken) report(findings, path, printed, elementRule!)
      if (size) report(findings, path, printed, size)
    }
    return decoded
  }
}

/** Reports keys once and values once, each with all of their rules. Entries whose value is null are dropped. */
const mapDecoder = (shape: Shape): Decode => {
  const element = shape.element!
  const keyRules = stringRules(shape.key!)
  const scalar = scalarOf(element)
  const decodeElement = scalar ? undefined : decoderOf(element)
  const sensitive = shape.sensitive || element.sensitive || !scalar
  const brokenSize = sizeRules(shape)
  return (value, path, findings) => {
    if (Array.isArray(value)) return refuse(findings, mismatch(value, ''))
    if (!isObject(value)) return refuse(findings, 'Expected map or null')
    const keys = Object.keys(value)
    if (keys.length > entriesMax) return refuse(findings, tooManyEntries)
    const decoded: Record<string, unknown> = Object.create(null)
    let size = 0
    let keysBroken = false
    let valuesBroken = false
    for (const key of keys) {
      const item = value[key]
      if (item === null || item === undefined) continue
      size++
      if (!isCleanText(key)) findings.malformed = true
      else if (keyRules.broken(key).length > 0) keysBroken = true
      if (scalar) {
        const read = scalar.read(item, findings)
        if (brokenRules(scalar, read).length > 0) valuesBroken = true
        decoded[key] = read
      } else {
        decoded[key] = decodeElement!(item, `${path}.${cut(key)}.member`, findings)
      }
    }
    const sizeRule = brokenSize(size)
    if (sizeRule || keysBroken || valuesBroken) {
      const entries = () => Object.entries(decoded).map(([key, item]) => `${key}=${item}`)
      const printed = sensitive ? undefined : cut(`{${entries().join(', ')}}`)
      if (keysBroken) report(findings, path, printed, `Map keys must satisfy constraint: ${keyRules.all}`)
      if (valuesBroken) report(findings, path, printed, `Map value must satisfy constraint: ${scalar!.rules!.all}`)
      if (sizeRule) report(findings, path, printed, sizeRule)
    }
    return decoded
  }
}

// ---------------------------------------------------------------------------------------------- structures

interface Member {
  name: string
  /** The name as violations print it: only the first letter in lower case, `sMSMessage`. */
  printedName: string
  required: boolean
  decode: Decode
}

const compileStructure = (name: string): Decode => {
  const structure = Object.hasOwn(structures, name) ? structures[name] : undefined
  if (!structure) throw new Error(`The model has no structure ${name}`)
  const members: Member[] = Object.entries(structure.members).map(([member, shape]) => ({
    name: member,
    printedName: member.charAt(0).toLowerCase() + member.slice(1),
    required: structure.required.includes(member),
    decode: decoderOf(shape),
  }))
  return (value, path, findings) => {
    if (!isObject(value)) return refuse(findings, Array.isArray(value) ? mismatch(value, '') : 'Expected null')
    const prefix = path === '' ? '' : `${path}.`
    const decoded: Record<string, unknown> = {}
    for (const member of members) {
      const item = value[member.name]
      if (item === null || item === undefined) {
        if (member.required) reportMissing(findings, prefix + member.printedName)
        continue
      }
      decoded[member.name] = member.decode(item, prefix + member.printedName, findings)
    }
    return decoded
  }
}

const compiled = new Map<string, Decode>()

/** Compiled at first use and kept. */
const structureDecoder = (name: string): Decode => {
  let decode = compiled.get(name)
  if (!decode) {
    decode = compileStructure(name)
    compiled.set(name, decode)
  }
  return decode
}

const decoderOf = (shape: Shape): Decode => {
  switch (shape.type) {
    case 'structure': {
      // Looked up when it is used, so that a structure may contain itself.
      let decode: Decode | undefined
      return (value, path, findings) => {
        decode ??= structureDecoder(shape.structure!)
        return decode(value, path, findings)
      }
    }
    case 'list':
      return listDecoder(shape)
    case 'map':
      return mapDecoder(shape)
    case 'blob':
      return blobDecoder(shape)
    default:
      return scalarDecoder(scalarOf(shape)!, shape.sensitive === true)
  }
}
