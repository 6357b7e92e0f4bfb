/**
 * IAM policy documents as the permissions of an access key: AWS's "IAM JSON policy reference" for identity-based
 * policies. What this evaluator does not know is refused when the document is read, never skipped when it is applied: a
 * condition that is not understood must not turn into a permission.
 *
 * Policy variables (`${aws:username}`) are not supported and therefore refused.
 */
import { BlockList, isIP, isIPv4 } from 'node:net'
import { ipv4Of } from './network-addresses.ts'

/** A policy that has been read and checked. */
export interface Policy {
  readonly statements: readonly Statement[]
}

type Effect = 'Allow' | 'Deny'

interface Statement {
  effect: Effect
  matchesAction: (action: string) => boolean
  matchesResource: (resource: string) => boolean
  conditions: readonly Condition[]
}

type Condition = (context: RequestContext) => boolean

/** What a request asks for. */
export interface PolicyRequest {
  /** For example `cognito-idp:ListUsers`. */
  action: string
  /** The ARN of what the action is done to; `*` for actions without a resource. */
  resource: string
  context: RequestContext
}

/** What conditions can be about; each absent member leaves its condition key absent. */
export interface RequestContext {
  /** Milliseconds since the epoch: `aws:CurrentTime`, `aws:EpochTime`. */
  now?: number | undefined
  /** `aws:RequestedRegion` */
  region?: string | undefined
  /** IPv4 or IPv6, IPv4 also in its IPv6 form: `aws:SourceIp`. */
  sourceIp?: string | undefined
  /** `aws:SecureTransport` */
  secureTransport?: boolean | undefined
  /** `aws:UserAgent` */
  userAgent?: string | undefined
  /** Tags that the resource has: `aws:ResourceTag/…`. */
  resourceTags?: Readonly<Record<string, string>> | undefined
  /** Tags that the request sets: `aws:RequestTag/…`, `aws:TagKeys`. */
  requestTags?: Readonly<Record<string, string>> | undefined
  /** Keys of tags that the request names, when it does so without values: `aws:TagKeys`. */
  tagKeys?: readonly string[] | undefined
  /** `aws:username` */
  username?: string | undefined
  /** `aws:userid` */
  userid?: string | undefined
  /** `aws:PrincipalArn` */
  principalArn?: string | undefined
  /** `aws:PrincipalAccount` */
  principalAccount?: string | undefined
}

/** An explicit deny wins over every allow; nothing is allowed that no statement allows. */
export type Decision = 'Allow' | 'ExplicitDeny' | 'ImplicitDeny'

/** The policy's decision on the request. */
export const evaluatePolicy = (policy: Policy, request: PolicyRequest): Decision => {
  const effects = new Set(
    policy.statements.filter(statement => applies(statement, request)).map(({ effect }) => effect),
  )
  if (effects.has('Deny')) return 'ExplicitDeny'
  return effects.has('Allow') ? 'Allow' : 'ImplicitDeny'
}

/** True when the policy allows the request. */
export const isAllowed = (policy: Policy, request: PolicyRequest): boolean =>
  evaluatePolicy(policy, request) === 'Allow'

const applies = (statement: Statement, request: PolicyRequest): boolean =>
  statement.matchesAction(request.action) &&
  statement.matchesResource(request.resource) &&
  statement.conditions.every(condition => condition(request.context))

// ---------------------------------------------------------------------------------------------- reading

/**
 * Reads a policy document, given as JSON text or as the value it stands for.
 * @throws Error with a reason of one line that names the statement and the member at fault.
 */
export const parsePolicy = (document: unknown): Policy => {
  const policy = members('The policy', typeof document === 'string' ? parseText(document) : document)
  refuseOthers('The policy', policy, ['Version', 'Id', 'Statement'])
  const version = policy.has('Version') ? policy.get('Version') : '2008-10-17'
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    throw new Error("The policy: Version must be '2012-10-17' or '2008-10-17'")
  }
  const statements = asList(policy.get('Statement'))
  if (statements.length === 0) throw new Error('The policy: Statement must hold at least one statement')
  return { statements: statements.map((statement, index) => readStatement(`Statement ${index + 1}`, statement)) }
}

const parseText = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('The policy is not valid JSON')
  }
}

const readStatement = (where: string, value: unknown): Statement => {
  const statement = members(where, value)
  refuseOthers(where, statement, ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'])
  const effect = statement.get('Effect')
  if (effect !== 'Allow' && effect !== 'Deny') throw new Error(`${where}: Effect must be Allow or Deny`)
  return {
    effect,
    matchesAction: readMatcher(where, statement, 'Action', readAction),
    matchesResource: readMatcher(where, statement, 'Resource', readResource),
    conditions: statement.has('Condition') ? readConditions(where, effect, statement.get('Condition')) : [],
  }
}

type Matcher = (text: string) => boolean

/** Reads `Action` or `NotAction`, `Resource` or `NotResource`. */
const readMatcher = (
  where: string,
  statement: ReadonlyMap<string, unknown>,
  name: string,
  read: (where: string, pattern: string) => Matcher,
): Matcher => {
  const negated = statement.has(`Not${name}`)
  if (negated === statement.has(name)) throw new Error(`${where}: there must be either ${name} or Not${name}`)
  const place = `${where}: ${negated ? `Not${name}` : name}`
  const matchers = texts(place, statement.get(negated ? `Not${name}` : name)).map(text => read(place, text))
  return text => matchers.some(matches => matches(text)) !== negated
}

const readAction = (where: string, pattern: string): Matcher => {
  if (pattern !== '*' && !/^[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+$/.test(pattern)) {
    throw new Error(`${where}: ${quote(pattern)} is neither * nor of the form service:Operation`)
  }
  const matches = glob(pattern.toLowerCase())
  return action => matches(action.toLowerCase())
}

/** A wildcard in a resource also spans colons. */
const readResource = (where: string, pattern: string): Matcher => {
  refuseVariable(where, pattern)
  if (pattern !== '*' && !isArn(pattern)) throw new Error(`${where}: ${quote(pattern)} is neither * nor an ARN`)
  return glob(pattern)
}

/** With a wildcard an ARN pattern may be shorter than the six parts of an ARN. */
const isArn = (pattern: string): boolean =>
  pattern.startsWith('arn:') && (pattern.split(':').length >= 6 || pattern.includes('*'))

// ---------------------------------------------------------------------------------------------- conditions

const readConditions = (where: string, effect: Effect, value: unknown): Condition[] =>
  [...members(`${where}: Condition`, value)].flatMap(([operator, keys]) =>
    [...members(`${where}: ${operator}`, keys)].map(([key, values]) =>
      readCondition(`${where}: ${operator} ${key}`, effect, operator, key, values),
    ),
  )

/** Says whether a value of the context matches one value of the policy. */
type Comparison = (policyValue: string, where: string) => Matcher

interface Operator {
  compare: Comparison
  /** True for the operators that hold when no value of the policy matches. */
  negated: boolean
}

/** One key of one operator; it holds by one of its values, or with a negated operator by none of them. */
const readCondition = (where: string, effect: Effect, name: string, key: string, value: unknown): Condition => {
  const { quantifier, base, ifExists } = splitOperator(name)
  const find = conditionKey(key)
  const values = texts(where, value)
  for (const text of values) refuseVariable(where, text)

  if (base === 'Null' && quantifier === undefined && !ifExists) return readNull(where, find, values)
  const operator = operators.get(base)
  if (operator === undefined) throw new Error(`${where}: the operator ${quote(name)} is not known`)
  if (quantifier === undefined && isMultivalued(key)) {
    throw new Error(`${where}: a key with several values needs ForAllValues: or ForAnyValue:`)
  }
  const matchers = values.map(text => operator.compare(text, where))
  // Two tags whose keys differ in case alone give one key two values: one is enough to deny, all are needed to allow.
  const anyIsEnough = quantifier === 'ForAnyValue' || (quantifier === undefined && effect === 'Deny')
  const holds: Matcher = text => matchers.some(matches => matches(text)) !== operator.negated
  return context => {
    const found = find(context)
    if (found.length === 0) {
      if (ifExists || quantifier === 'ForAllValues') return true
      return quantifier === undefined && operator.negated
    }
    return anyIsEnough ? found.some(holds) : found.every(holds)
  }
}

const splitOperator = (name: string) => {
  const [, quantifier, base = '', suffix] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? []
  return { quantifier, base, ifExists: suffix !== undefined }
}

/** `"true"`: the key must be absent. `"false"`: it must be there. */
const readNull = (where: string, find: FindValues, values: readonly string[]): Condition => {
  const absent = values.map(value => readBoolean(where, value))
  return context => absent.includes(find(context).length === 0)
}

const readBoolean = (where: string, value: string): boolean => {
  const text = value.toLowerCase()
  if (text !== 'true' && text !== 'false') throw new Error(`${where}: ${quote(value)} is neither true nor false`)
  return text === 'true'
}

const equalText: Comparison = expected => text => text === expected
const equalIgnoringCase: Comparison = expected => text => text.toLowerCase() === expected.toLowerCase()
const likeText: Comparison = pattern => glob(pattern)
const equalBoolean: Comparison = (expected, where) => {
  const value = readBoolean(where, expected)
  return text => text.toLowerCase() === String(value)
}

/** ARNs are compared part by part; a wildcard stays within its part. */
const likeArn: Comparison = (pattern, where) => {
  const parts = arnParts(pattern)
  if (parts === undefined) throw new Error(`${where}: ${quote(pattern)} is not an ARN`)
  const matchers = parts.map(glob)
  return text => arnParts(text)?.every((part, index) => matchers[index]?.(part) ?? false) ?? false
}

/** The six parts of an ARN; the last may hold colons itself. */
const arnParts = (text: string): string[] | undefined => {
  const parts = text.split(':')
  return parts.length >= 6 ? [...parts.slice(0, 5), parts.slice(5).join(':')] : undefined
}

/** NaN, which no number equals and no number is smaller or larger than, stands for what is no number. */
const toNumber = (text: string): number => (/^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN)

/** Milliseconds since the epoch of an ISO 8601 date or of a number of seconds since the epoch. */
const toTime = (text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1000
  return isoDate.test(text) ? Date.parse(text) : Number.NaN
}

const isoDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

const compareBy =
  (read: (text: string) => number, what: string) =>
  (holds: (actual: number, expected: number) => boolean): Comparison =>
  (policyValue, where) => {
    const expected = read(policyValue)
    if (Number.isNaN(expected)) throw new Error(`${where}: ${quote(policyValue)} is not a ${what}`)
    return text => holds(read(text), expected)
  }

const numeric = compareBy(toNumber, 'number')
const date = compareBy(toTime, 'date')
const equal = (actual: number, expected: number) => actual === expected
const less = (actual: number, expected: number) => actual < expected
const lessOrEqual = (actual: number, expected: number) => actual <= expected
const greater = (actual: number, expected: number) => actual > expected
const greaterOrEqual = (actual: number, expected: number) => actual >= expected

/** An address or a range in CIDR notation. IPv4 addresses in IPv6 form count as IPv4, in the policy and in the request. */
const inRange: Comparison = (range, where) => {
  const slash = range.indexOf('/')
  const address = slash === -1 ? range : range.slice(0, slash)
  const bits = isIPv4(address) ? 32 : 128
  const length = slash === -1 ? bits : toPrefixLength(range.slice(slash + 1), bits)
  if (isIP(address) === 0 || address.includes('%') || length === undefined) {
    throw new Error(`${where}: ${quote(range)} is not an IP address or a range in CIDR notation`)
  }
  const list = new BlockList()
  const mapped = ipv4Of(address)
  const isMapped = mapped !== undefined && bits === 128 && length >= 96
  if (isMapped) list.addSubnet(mapped, length - 96, 'ipv4')
  else list.addSubnet(address, length, bits === 32 ? 'ipv4' : 'ipv6')
  const family = isMapped || bits === 32 ? 'ipv4' : 'ipv6'
  return text => {
    const actual = ipv4Of(text) ?? text
    // The list itself would find every IPv4 address in ::/0, which is meant for IPv6 alone.
    return isIP(actual) === (family === 'ipv4' ? 4 : 6) && list.check(actual, family)
  }
}

const toPrefixLength = (text: string, bits: number): number | undefined => {
  const length = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  return length <= bits ? length : undefined
}

const positive = (compare: Comparison): Operator => ({ compare, negated: false })
const negative = (compare: Comparison): Operator => ({ compare, negated: true })

const operators: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', positive(equalText)],
  ['StringNotEquals', negative(equalText)],
  ['StringEqualsIgnoreCase', positive(equalIgnoringCase)],
  ['StringNotEqualsIgnoreCase', negative(equalIgnoringCase)],
  ['StringLike', positive(likeText)],
  ['StringNotLike', negative(likeText)],
  ['NumericEquals', positive(numeric(equal))],
  ['NumericNotEquals', negative(numeric(equal))],
  ['NumericLessThan', positive(numeric(less))],
  ['NumericLessThanEquals', positive(numeric(lessOrEqual))],
  ['NumericGreaterThan', positive(numeric(greater))],
  ['NumericGreaterThanEquals', positive(numeric(greaterOrEqual))],
  ['DateEquals', positive(date(equal))],
  ['DateNotEquals', negative(date(equal))],
  ['DateLessThan', positive(date(less))],
  ['DateLessThanEquals', positive(date(lessOrEqual))],
  ['DateGreaterThan', positive(date(greater))],
  ['DateGreaterThanEquals', positive(date(greaterOrEqual))],
  ['Bool', positive(equalBoolean)],
  ['IpAddress', positive(inRange)],
  ['NotIpAddress', negative(inRange)],
  // AWS documents the two pairs as identical.
  ['ArnEquals', positive(likeArn)],
  ['ArnLike', positive(likeArn)],
  ['ArnNotEquals', negative(likeArn)],
  ['ArnNotLike', negative(likeArn)],
])

// ---------------------------------------------------------------------------------------------- condition keys

/** The values of a condition key in the context; none when it is absent. */
type FindValues = (context: RequestContext) => readonly string[]

const optional = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value])

const conditionKeys: ReadonlyMap<string, FindValues> = new Map<string, FindValues>([
  ['aws:currenttime', ({ now }) => optional(now === undefined ? undefined : new Date(now).toISOString())],
  ['aws:epochtime', ({ now }) => optional(now === undefined ? undefined : String(Math.floor(now / 1000)))],
  ['aws:requestedregion', ({ region }) => optional(region)],
  ['aws:sourceip', ({ sourceIp }) => optional(sourceIp)],
  ['aws:securetransport', ({ secureTransport }) => optional(secureTransport?.toString())],
  ['aws:useragent', ({ userAgent }) => optional(userAgent)],
  ['aws:username', ({ username }) => optional(username)],
  ['aws:userid', ({ userid }) => optional(userid)],
  ['aws:principalarn', ({ principalArn }) => optional(principalArn)],
  ['aws:principalaccount', ({ principalAccount }) => optional(principalAccount)],
  ['aws:tagkeys', ({ requestTags, tagKeys }) => [...new Set([...Object.keys(requestTags ?? {}), ...(tagKeys ?? [])])]],
])

const isMultivalued = (key: string): boolean => key.toLowerCase() === 'aws:tagkeys'

/** Condition keys, and the tag keys within them, are case-insensitive. A key that is not known is always absent. */
const conditionKey = (key: string): FindValues => {
  const slash = key.indexOf('/')
  const tag = key.slice(slash + 1)
  const name = (slash === -1 ? key : key.slice(0, slash)).toLowerCase()
  if (slash === -1) return conditionKeys.get(name) ?? (() => [])
  if (name === 'aws:resourcetag') return ({ resourceTags }) => tagValues(resourceTags, tag)
  if (name === 'aws:requesttag') return ({ requestTags }) => tagValues(requestTags, tag)
  return () => []
}

/** Several values when tags differ in case alone. */
const tagValues = (tags: RequestContext['resourceTags'], key: string): string[] =>
  Object.entries(tags ?? {})
    .filter(([name]) => name.toLowerCase() === key.toLowerCase())
    .map(([, value]) => value)

// ---------------------------------------------------------------------------------------------- wildcards

/**
 * Matches the whole text against a pattern with `*` (any characters) and `?` (one character). Takes at most as many
 * steps as the text is long times the pattern: after a mismatch only the last `*` is widened, because an earlier one
 * could gain nothing.
 */
const glob = (pattern: string): Matcher => {
  if (!/[*?]/.test(pattern)) return text => text === pattern
  return text => {
    let [at, star, resume, position] = [0, -1, 0, 0]
    while (position < text.length) {
      if (pattern[at] === '*') {
        star = at
        resume = position
        at += 1
      } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[position])) {
        at += 1
        position += 1
      } else if (star !== -1) {
        at = star + 1
        resume += 1
        position = resume
      } else {
        return false
      }
    }
    while (pattern[at] === '*') at += 1
    return at === pattern.length
  }
}

// ---------------------------------------------------------------------------------------------- shapes

const members = (where: string, value: unknown): Map<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} must be an object`)
  return new Map(Object.entries(value))
}

const refuseOthers = (where: string, value: ReadonlyMap<string, unknown>, names: readonly string[]): void => {
  const other = [...value.keys()].find(name => !names.includes(name))
  if (other !== undefined) throw new Error(`${where}: ${quote(other)} is not known here`)
}

const asList = (value: unknown): readonly unknown[] => {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/** One text or several; numbers and booleans count as their text, as YAML and JSON write them without quotes. */
const texts = (where: string, value: unknown): string[] => {
  const list = asList(value).map(item => (typeof item === 'number' || typeof item === 'boolean' ? String(item) : item))
  if (list.length === 0 || !list.every(item => typeof item === 'string')) {
    throw new Error(`${where} must be a text or a list of texts`)
  }
  return list
}

const refuseVariable = (where: string, text: string): void => {
  if (text.includes('${')) throw new Error(`${where}: policy variables such as ${quote(text)} are not supported`)
}

const quote = (text: string): string => `'${text.length > 100 ? `${text.slice(0, 100)}…` : text}'`
