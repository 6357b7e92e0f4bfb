/**
 * Inputs made from the model: for every operation the smallest good one, one for each member it can have, and all ways
 * to break each member.
 */
import { operations, type Shape, structures } from '../../src/contract/model.ts'
import type { OperationName } from '../../src/contract/types.ts'

export type Refusal = 'type' | 'violation' | 'malformed'

export interface Fault {
  /** Path and kind, for the message of a failed test. */
  label: string
  value: unknown
  refusal: Refusal
  /** The text that must not come back in the message, where the member is sensitive. */
  secret?: string
}

/** A text that matches, and texts that do not, for each pattern of the inputs. */
export const patternTexts: Record<string, { good: string; bad: string[] }> = {
  '[\\w-]+_[0-9a-zA-Z]+': { good: 'us-east-1_Aa0000000', bad: ['us-east-1', '_', 'a_b!', 'a_b\n', 'a_é'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+': { good: 'ann', bad: ['a b', 'a\n', '\u0007', '\u202e', 'a\u2028'] },
  '^[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+$': { good: 'https://a.example', bad: ['a b', 'a\n', '\ufeff'] },
  '[\\w+]+': { good: 'client0000000000000000000000', bad: ['client-0', 'é'.repeat(24), 'a b', 'a\n'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r ]+': { good: 'nickname', bad: ['\u0007', 'a\u00a0', '\u2028'] },
  '^[\\S]+.*[\\S]+$': { good: 'Passw0rd!', bad: [' Passw0rd!', 'Passw0rd! ', 'Passw0rd!\n', 'Pass w0\nrd!'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\p{Z}]+': { good: 'Provider', bad: ['\u0007', 'a\n', '\u202e'] },
  '[\\w-]+_[0-9a-f-]+': { good: 'us-east-1_0a-1', bad: ['us-east-1_G', 'a', 'a_b\n'] },
  '[\\S]+': { good: '123456', bad: ['1 2', '123456\n', '\t'] },
  '[\\w+-]+': { good: 'event-1', bad: ['a b', 'a/b', 'a\n'] },
  '[A-Za-z0-9-_=.]+': { good: 'a.b.c', bad: ['a b', 'a+b', 'é', 'a\n'] },
  '[\\w+=/]+': { good: 'aGFzaA==', bad: ['a-b', 'a b', 'a\n'] },
  'arn:[\\w+=/,.@-]+:[\\w+=/,.@-]+:([\\w+=/,.@-]*)?:[0-9]+:[\\w+=/,.@-]+(:[\\w+=/,.@-]+)?(:[\\w+=/,.@-]+)?': {
    good: 'arn:aws:lambda:us-east-1:123456789012:function:hook',
    bad: [
      'arn:aws:lambda:us-east-1:x:function:hook',
      'https://hooks.example/aaaaaaaaaaaa',
      `arn:aws:${':'.repeat(20)}`,
    ],
  },
  '(arn:[\\w+=/,.@-]+:[\\w+=/,.@-]+:([\\w+=/,.@-]*)?:[0-9]+:[\\w+=/,.@-]+(:[\\w+=/,.@-]+)?(:[\\w+=/,.@-]+)?)?': {
    good: 'arn:aws:iam::123456789012:role/sns',
    bad: ['arn', 'arn:aws:iam::x:role/sns', 'arn:aws:iam::1:role/sns\n'],
  },
  '[^_\\p{Z}][\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}][^_\\p{Z}]+': { good: 'Provider', bad: ['_ab', 'ab', 'a b', ' ab'] },
  '[\\w\\s+=.@-]+': { good: 'example.com', bad: ['a,b', 'a/b', 'é'] },
  '^[\\w\\- ]+$': { good: 'resource 1', bad: ['a.b', 'a\n', 'é'] },
  '[\\x21\\x23-\\x5B\\x5D-\\x7E]+': { good: 'https://api.example', bad: ['a b', 'a"b', 'a\\b', 'é', 'a\n'] },
  '[\\w\\s+=,.@-]+': { good: 'name', bad: ['a/b', '<a>', 'é'] },
  '[\\x21\\x23-\\x2E\\x30-\\x5B\\x5D-\\x7E]+': { good: 'read', bad: ['a/b', 'a b', 'a"b', 'a\n'] },
  '^(terms-of-use|privacy-policy)$': { good: 'terms-of-use', bad: ['terms', 'terms-of-use\n', 'TERMS-OF-USE'] },
  '^cognito:(default|dutch|english|french|spanish|german|bahasa-indonesia|italian|japanese|korean|portuguese-brazil|chinese-(simplified|traditional))$':
    { good: 'cognito:default', bad: ['default', 'cognito:klingon', '__proto__'] },
  '.*\\{####\\}.*': { good: 'Your code is {####}', bad: ['Your code is {###}', '{####}\n{####}', 'no code'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*\\{####\\}[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*': {
    good: 'Your code is {####}',
    bad: ['Your code is here', '{####}\u0007'],
  },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s]+': { good: 'Subject', bad: ['\u0007', 'a\u202e'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*\\{##[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*##\\}[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*':
    { good: 'Click {##here##}', bad: ['Click here', '{##}here', '{##here##}\u0007'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+@[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+': {
    good: 'a@b.example',
    bad: ['a', '@b', 'a@', 'a @b', 'a@b\n', '@'.repeat(1)],
  },
  '^[a-zA-Z0-9_-]+$': { good: 'set-1', bad: ['a b', 'a.b', 'a\n'] },
  '(?s).*': { good: 'text {####}', bad: [] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*': { good: 'Your code is {####}', bad: ['text with \u0007'] },
  '^[0-9a-fA-F]+$': { good: '0a1b', bad: ['0g', '0a\n'] },
  '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[4][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$': {
    good: '01234567-89ab-4def-8123-456789abcdef',
    bad: ['01234567-89ab-3def-8123-456789abcdef', '01234567', '01234567-89ab-4def-8123-456789abcdef\n'],
  },
  'import-[0-9a-zA-Z-]+': { good: 'import-1', bad: ['1', 'import-', 'import-1\n'] },
  'arn:[\\w+=/,.@-]+:[\\w+=/,.@-]+:::[\\w+=/,.@-]+(:[\\w+=/,.@-]+)?(:[\\w+=/,.@-]+)?': {
    good: 'arn:aws:s3:::bucket',
    bad: ['arn:aws:s3:bucket', 'bucket'],
  },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]+': { good: 'text {####}', bad: ['text with \u0007'] },
  '[0-9]+': { good: '123456', bad: ['12345a', '１２３４５６'] },
}

/** Values for members by name, which win over made ones; for real pools, clients and users. */
export type Known = Readonly<Record<string, unknown>>

const noKnown: Known = {}

/** The smallest input of the operation that the model accepts. */
export const smallestInput = (operation: OperationName, known: Known = noKnown): Record<string, unknown> =>
  smallestStructure(operations[operation].input, known)

const smallestStructure = (name: string, known: Known): Record<string, unknown> => {
  const { required, members } = structureOf(name)
  return Object.fromEntries(required.map(member => [member, goodValue(shapeOf(members, member), known, member)]))
}

/** A value that the model accepts; structures with their required members only, one element in lists and maps. */
export const goodValue = (shape: Shape, known: Known = noKnown, name = ''): unknown => {
  if (Object.hasOwn(known, name)) return known[name]
  switch (shape.type) {
    case 'string':
      return goodText(shape)
    case 'integer':
    case 'long':
      return shape.min ?? 1
    case 'boolean':
      return true
    case 'timestamp':
      return 1_700_000_000
    case 'blob':
      return 'AAAA'
    case 'document':
      return {}
    case 'structure':
      return smallestStructure(nameOf(shape), known)
    case 'list':
      return Array.from({ length: shape.min || 1 }, () => goodValue(elementOf(shape), known))
    case 'map':
      return { [goodText(keyOf(shape))]: goodValue(elementOf(shape), known) }
  }
}

const goodText = (shape: Shape): string => {
  if (shape.enum !== undefined) return shape.enum[0] ?? ''
  if (shape.pattern === undefined) return 'a'.repeat(Math.max(shape.min ?? 1, 1))
  const texts = patternTexts[shape.pattern]
  if (texts === undefined) throw new Error(`There is no sample for the pattern ${shape.pattern}.`)
  return texts.good
}

// ---------------------------------------------------------------------------------------------- members

/** Every place in the input of an operation: how to build an input that has a given value there. */
export interface Place {
  path: string
  shape: Shape
  build(value: unknown): unknown
}

/** All places below the input of the operation, the members of nested structures and elements included. */
export const placesOf = (operation: OperationName, known: Known = noKnown): Place[] => {
  const places: Place[] = []
  const visit = (shape: Shape, path: string, build: Place['build']) => {
    places.push({ path, shape, build })
    if (shape.type === 'structure') visitMembers(nameOf(shape), path, build)
    if (shape.type === 'list') {
      const rest = Array.from({ length: Math.max((shape.min ?? 1) - 1, 0) }, () => goodValue(elementOf(shape), known))
      visit(elementOf(shape), `${path}[]`, value => build([...rest, value]))
    }
    if (shape.type === 'map') {
      const key = goodText(keyOf(shape))
      visit(elementOf(shape), `${path}{}`, value => build({ [key]: value }))
      visit(keyOf(shape), `${path}{key}`, value =>
        build(Object.fromEntries([[value as string, goodValue(elementOf(shape), known)]])),
      )
    }
  }
  const visitMembers = (name: string, path: string, build: Place['build']) => {
    const base = smallestStructure(name, known)
    for (const [member, shape] of Object.entries(structureOf(name).members)) {
      visit(shape, path === '' ? member : `${path}.${member}`, value => build({ ...base, [member]: value }))
    }
  }
  visitMembers(operations[operation].input, '', value => value)
  return places
}

/** All ways to break the input of the operation, one at a time. */
export const faultsOf = (operation: OperationName): Fault[] => {
  const faults: Fault[] = missingMembers(operations[operation].input, '', value => value)
  for (const { path, shape, build } of placesOf(operation)) {
    for (const fault of path.endsWith('{key}') ? textFaults(shape) : valueFaults(shape)) {
      faults.push({ ...fault, label: `${path}: ${fault.label}`, value: build(fault.value) })
    }
    if (shape.type === 'structure') faults.push(...missingMembers(nameOf(shape), path, build))
  }
  return faults
}

const missingMembers = (name: string, path: string, build: Place['build']): Fault[] => {
  const base = smallestStructure(name, noKnown)
  return structureOf(name).required.flatMap((member): Fault[] => {
    const { [member]: _, ...without } = base
    const label = path === '' ? member : `${path}.${member}`
    return [
      { label: `${label}: absent`, value: build(without), refusal: 'violation' },
      { label: `${label}: null`, value: build({ ...base, [member]: null }), refusal: 'violation' },
    ]
  })
}

const wrongTypes: Record<Shape['type'], unknown[]> = {
  string: [1, 1.5, true, {}, [], ['a'], [['a']]],
  integer: ['1', 1.5, true, {}, [1]],
  long: ['1', 1.5, true, {}, [1]],
  boolean: ['true', 1, 0, {}, [true]],
  timestamp: ['soon', true, {}, [], 1e20, '2024-02-30T99:00:00Z', ''],
  blob: [1, true, {}, [], '%%%%', 'abc', 'ab=c'],
  list: [1, true, 'a', {}, { 0: 'a' }],
  map: [1, true, 'a', [], [{}]],
  structure: [1, true, 'a', [], [{}]],
  document: [],
}

const valueFaults = (shape: Shape): Fault[] => [
  ...wrongTypes[shape.type].map((value): Fault => ({ label: `type ${JSON.stringify(value)}`, value, refusal: 'type' })),
  ...(shape.type === 'string' ? textFaults(shape) : []),
  ...(shape.type === 'integer' || shape.type === 'long' ? numberFaults(shape) : []),
  ...(shape.type === 'list' || shape.type === 'map' || shape.type === 'blob' ? sizeFaults(shape) : []),
  ...(shape.type === 'document' ? [malformed({ a: ['\ud800'] }), malformed({ 'a\0': 1 })] : []),
]

const malformed = (value: unknown): Fault => ({ label: `text ${JSON.stringify(value)}`, value, refusal: 'malformed' })

const textFaults = (shape: Shape): Fault[] => {
  const { min = 0, max, pattern, sensitive } = shape
  const good = goodText(shape)
  const broken: [string, string][] = (pattern === undefined ? [] : (patternTexts[pattern]?.bad ?? [])).map(text => [
    'pattern',
    text,
  ])
  if (shape.enum !== undefined) {
    broken.push(['enum', 'NO_SUCH_VALUE'], ['enum', `${good} `], ['enum', good.toLowerCase()], ['enum', '__proto__'])
  }
  if (min > 0 && !shape.allowEmpty) broken.push(['too short', good.slice(0, min - 1)])
  if (max !== undefined && shape.enum === undefined) {
    broken.push(['too long', good.padEnd(max + 1, 'a')])
    if (max <= 2_048) broken.push(['too long in 4 bytes', '𝒳'.repeat(max + 1)])
  }
  return [
    ...broken
      .filter(([, text]) => shape.enum?.includes(text) !== true)
      .map(([label, value]): Fault => {
        const secret = sensitive && value.length > 5 ? { secret: value } : {}
        return { label: `${label} ${JSON.stringify(value.slice(0, 40))}`, value, refusal: 'violation', ...secret }
      }),
    ...['\ud800', `${good}\udfff`, `${good}\0`].map(malformed),
  ]
}

const numberFaults = ({ type, min, max }: Shape): Fault[] => {
  const values = [
    min === undefined ? undefined : min - 1,
    max === undefined ? undefined : max + 1,
    type === 'integer' ? 2 ** 31 : 2 ** 60,
    type === 'integer' ? -(2 ** 31) - 1 : -(2 ** 60),
  ].filter(value => value !== undefined)
  return values.map(value => ({ label: `range ${value}`, value, refusal: 'violation' }))
}

const sizeFaults = (shape: Shape): Fault[] => {
  const { type, min = 0, max } = shape
  const faults: Fault[] = []
  const sized = (size: number): unknown => {
    if (type === 'blob') return Buffer.alloc(size).toString('base64')
    if (type === 'list') return Array.from({ length: size }, () => goodValue(elementOf(shape)))
    const key = goodText(keyOf(shape))
    return Object.fromEntries(
      Array.from({ length: size }, (_, index) => [`${key}${index}`, goodValue(elementOf(shape))]),
    )
  }
  if (min > 0) faults.push({ label: 'too few', value: sized(min - 1), refusal: 'violation' })
  if (max !== undefined) faults.push({ label: 'too many', value: sized(max + 1), refusal: 'violation' })
  return faults
}

/** Texts that are well formed and mean harm somewhere: in SQL, HTML, paths, headers, templates, or in JavaScript itself. */
export const oddTexts: readonly string[] = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '',
  ' ',
  "' or 1=1 --",
  '%_\\',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  'a\r\nX-Evil: 1',
  '\u202eabc',
  '\ufeffa\u2028\u0085\u0001',
  '{####}{##a##}{username}$&$1',
  '-1',
  '1e309',
  'NaN',
  '\u212aelvin\u0301\u0130',
  'https://a.example/%00?a=b#c',
  'user@a.example',
  '+12065551234',
  'custom:a',
  '😀'.repeat(32),
  '9'.repeat(300),
  'a'.repeat(2_048),
  'A'.repeat(131_072),
]

/** Values that the model may well accept in this place, at its edges and odd in meaning. */
export const oddValues = (shape: Shape, known: Known = noKnown): unknown[] => {
  const { type, min = 0, max } = shape
  switch (type) {
    case 'string':
      return [...(shape.enum ?? oddTexts), ...(max === undefined ? [] : [goodText(shape).padEnd(max, 'a')])]
    case 'integer':
      return [min, min + 1, max ?? 2 ** 31 - 1, 0, -1]
    case 'long':
      return [min, max ?? Number.MAX_SAFE_INTEGER, 0, -1]
    case 'boolean':
      return [true, false]
    case 'timestamp':
      return [0, -1, 1.5, 253_402_300_800, 8_640_000_000_000, '0000-01-01', '9999-12-31T23:59:59Z']
    case 'blob':
      return ['', Buffer.alloc(Math.min(max ?? 100_000, 100_000)).toString('base64')]
    case 'document':
      return [{}, [], 'text', 1e300, JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`), withPrototypeKeys({})]
    case 'structure':
      return [{}, smallestStructure(nameOf(shape), known)]
    case 'list': {
      const element = goodValue(elementOf(shape), known)
      return [[], [null], [element, element], Array.from({ length: max ?? 500 }, () => element)]
    }
    case 'map': {
      const element = goodValue(elementOf(shape), known)
      const many = Object.fromEntries(
        Array.from({ length: Math.min(max ?? 500, 500) }, (_, index) => [`k${index}`, element]),
      )
      return [{}, { a: null }, many, withPrototypeKeys(element)]
    }
  }
}

/** An object with own members by the names of what every object inherits; JSON.stringify writes them all. */
export const withPrototypeKeys = (value: unknown): Record<string, unknown> =>
  Object.fromEntries(
    ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'].map(key => [
      key,
      value,
    ]),
  )

// ---------------------------------------------------------------------------------------------- the model

const structureOf = (name: string) => {
  const structure = structures[name]
  if (structure === undefined) throw new Error(`The model has no structure ${name}.`)
  return structure
}

const shapeOf = (members: Readonly<Record<string, Shape>>, member: string): Shape => {
  const shape = members[member]
  if (shape === undefined) throw new Error(`The model has no member ${member}.`)
  return shape
}

const nameOf = (shape: Shape): string => shape.structure ?? ''

const elementOf = (shape: Shape): Shape => {
  if (shape.element === undefined) throw new Error('The shape has no elements.')
  return shape.element
}

const keyOf = (shape: Shape): Shape => {
  if (shape.key === undefined) throw new Error('The shape has no keys.')
  return shape.key
}
