/**
 * User attributes: the schema of a pool, which client may read or write what, and the checks on every write.
 *
 * A request that names one attribute twice means the last value, in every operation: requests become a map first, and
 * what is checked is what is stored.
 */
import type { AttributeType, SchemaAttributeType } from '../contract/types.ts'
import {
  attributeAlreadyExists,
  attributeDataTypeMissing,
  attributeFaults,
  attributeLengthOverLimit,
  attributeNameMissing,
  attributesDidNotConform,
  invalidAttributeConstraints,
  invalidAttributeUpdate,
  invalidEmailFormat,
  invalidPhoneNumberFormat,
  invalidReadAttributes,
  invalidWriteAttributes,
  maxLengthBelowMinLength,
  maxValueBelowMinValue,
  requiredCustomAttribute,
  standardAttributeFixed,
  tooManyCustomAttributes,
  unauthorizedAttribute,
} from './errors.ts'
import { isEmailFormat, isPhoneFormat } from './usernames.ts'

/** The longest value of an attribute, in code points. */
export const attributeLengthMax = 2048

const customAttributesMax = 50

// ---------------------------------------------------------------------------------------------- the schema of a pool

/** The 20 attributes that every pool has, in the order in which Cognito returns them. */
export const standardAttributes = (): SchemaAttributeType[] => [
  { ...standardString('sub', '1', '2048'), Mutable: false, Required: true },
  standardString('name'),
  standardString('given_name'),
  standardString('family_name'),
  standardString('middle_name'),
  standardString('nickname'),
  standardString('preferred_username'),
  standardString('profile'),
  standardString('picture'),
  standardString('website'),
  standardString('email'),
  standardOf('email_verified', 'Boolean'),
  standardString('gender'),
  standardString('birthdate', '10', '10'),
  standardString('zoneinfo'),
  standardString('locale'),
  standardString('phone_number'),
  standardOf('phone_number_verified', 'Boolean'),
  standardString('address'),
  { ...standardOf('updated_at', 'Number'), NumberAttributeConstraints: { MinValue: '0' } },
]

const standardOf = (name: string, type: 'String' | 'Number' | 'Boolean'): SchemaAttributeType => ({
  Name: name,
  AttributeDataType: type,
  DeveloperOnlyAttribute: false,
  Mutable: true,
  Required: false,
})

const standardString = (name: string, minLength = '0', maxLength = '2048'): SchemaAttributeType => ({
  ...standardOf(name, 'String'),
  StringAttributeConstraints: { MinLength: minLength, MaxLength: maxLength },
})

/** The schema with the attribute `identities`, which pools have once they know an identity provider. */
export const withIdentities = (schema: readonly SchemaAttributeType[]): SchemaAttributeType[] => {
  if (schema.some(attribute => attribute.Name === 'identities')) return [...schema]
  const standardCount = schema.filter(attribute => !isCustomName(attribute.Name ?? '')).length
  return schema.toSpliced(standardCount, 0, {
    ...standardOf('identities', 'String'),
    StringAttributeConstraints: {},
  })
}

const isCustomName = (name: string): boolean => name.startsWith('custom:') || name.startsWith('dev:')

/** These have their value from the service: no schema changes them and no user must supply them. */
const verifiedFlags = new Set(['email_verified', 'phone_number_verified'])
const systemAttributes = new Set(['sub', 'identities'])

/**
 * The schema of a new pool: the standard attributes, with the changes that the request makes to them, and then its
 * custom attributes under the names custom:… and dev:custom:….
 *
 * A standard attribute takes Required, Mutable and constraints from the request. `sub` and `identities` can be named
 * and stay as they are; the verified flags are built in rather than standard, so that their names, too, make custom
 * attributes. Throws InvalidParameterException for what the schema cannot hold.
 */
export const buildSchema = (requested: readonly SchemaAttributeType[] | undefined): SchemaAttributeType[] => {
  let schema = standardAttributes()
  const custom: SchemaAttributeType[] = []
  const seen = new Set<string>()
  for (const attribute of requested ?? []) {
    const name = attribute.Name ?? ''
    const isStandard = name === 'identities' || schema.some(standard => standard.Name === name)
    if (!isStandard || verifiedFlags.has(name)) {
      custom.push(attribute)
      continue
    }
    if (seen.has(name)) throw attributeAlreadyExists(name, name)
    seen.add(name)
    if (name === 'identities') schema = withIdentities(schema)
    schema = schema.map(standard => (standard.Name === name ? overrideStandard(standard, attribute) : standard))
  }
  return addCustomAttributes(schema, custom)
}

const overrideStandard = (standard: SchemaAttributeType, requested: SchemaAttributeType): SchemaAttributeType => {
  const name = standard.Name ?? ''
  const type = standard.AttributeDataType
  if (requested.DeveloperOnlyAttribute || (requested.AttributeDataType ?? type) !== type) {
    throw standardAttributeFixed(name)
  }
  const constraints = readConstraints(name, type, requested)
  if (systemAttributes.has(name)) return standard
  return {
    ...standard,
    Mutable: requested.Mutable ?? standard.Mutable,
    Required: requested.Required ?? standard.Required,
    ...(Object.values(constraints).some(limits => Object.keys(limits).length > 0) ? constraints : {}),
  }
}

/**
 * The schema with further custom attributes at its end. Throws InvalidParameterException, and then adds none, when one
 * of them is not well defined or exists already, or when there would be more than 50.
 */
export const addCustomAttributes = (
  schema: readonly SchemaAttributeType[],
  added: readonly SchemaAttributeType[],
): SchemaAttributeType[] => {
  const result = [...schema]
  const names = new Set(schema.map(attribute => attribute.Name))
  for (const requested of added) {
    const attribute = customAttribute(requested)
    if (names.has(attribute.Name)) throw attributeAlreadyExists(`custom:${requested.Name}`, attribute.Name ?? '')
    names.add(attribute.Name)
    result.push(attribute)
  }
  if (result.filter(attribute => isCustomName(attribute.Name ?? '')).length > customAttributesMax) {
    throw tooManyCustomAttributes(customAttributesMax)
  }
  return result
}

const customAttribute = (requested: SchemaAttributeType): SchemaAttributeType => {
  if (!requested.Name) throw attributeNameMissing()
  if (requested.AttributeDataType === undefined) throw attributeDataTypeMissing()
  if (requested.Required) throw requiredCustomAttribute()
  const developerOnly = requested.DeveloperOnlyAttribute ?? false
  const name = `${developerOnly ? 'dev:' : ''}custom:${requested.Name}`
  return {
    Name: name,
    AttributeDataType: requested.AttributeDataType,
    DeveloperOnlyAttribute: developerOnly,
    Mutable: requested.Mutable ?? true,
    Required: false,
    ...readConstraints(name, requested.AttributeDataType, requested),
  }
}

/** The constraints that go with the type, as given (an empty object when none were); those of other types are dropped. */
const readConstraints = (
  name: string,
  type: SchemaAttributeType['AttributeDataType'],
  requested: SchemaAttributeType,
): Pick<SchemaAttributeType, 'StringAttributeConstraints' | 'NumberAttributeConstraints'> => {
  if (type === 'String') {
    const { MinLength, MaxLength } = requested.StringAttributeConstraints ?? {}
    for (const limit of [MinLength, MaxLength]) {
      if (!limit) continue
      if (!isNaturalNumber(limit)) throw invalidAttributeConstraints('StringAttributeConstraints', name)
      if (compareDecimals(limit, String(attributeLengthMax)) > 0) throw attributeLengthOverLimit(name)
    }
    if (MinLength && MaxLength && compareDecimals(MinLength, MaxLength) > 0) throw maxLengthBelowMinLength(name)
    return { StringAttributeConstraints: { ...(MinLength && { MinLength }), ...(MaxLength && { MaxLength }) } }
  }
  if (type === 'Number') {
    const { MinValue, MaxValue } = requested.NumberAttributeConstraints ?? {}
    for (const limit of [MinValue, MaxValue]) {
      if (limit && !isDecimal(limit)) throw invalidAttributeConstraints('NumberAttributeConstraints', name)
    }
    if (MinValue && MaxValue && compareDecimals(MinValue, MaxValue) > 0) throw maxValueBelowMinValue(name)
    return { NumberAttributeConstraints: { ...(MinValue && { MinValue }), ...(MaxValue && { MaxValue }) } }
  }
  return {}
}

// ---------------------------------------------------------------------------------------------- clients

/** What of an app client decides on attributes. */
export interface ClientAttributeSettings {
  ReadAttributes?: readonly string[]
  WriteAttributes?: readonly string[]
}

/**
 * Names of the attributes that users see through the client: those of its list, or all when it has none. `sub` is
 * always among them, developer-only attributes never are.
 */
export const readableAttributes = (
  client: ClientAttributeSettings,
  schema: readonly SchemaAttributeType[],
): ReadonlySet<string> => {
  const listed = client.ReadAttributes && new Set(client.ReadAttributes)
  return namesWhere(
    schema,
    attribute =>
      !attribute.DeveloperOnlyAttribute &&
      (listed === undefined || attribute.Name === 'sub' || listed.has(attribute.Name ?? '')),
  )
}

/**
 * Names of the attributes that users may set through the client: those of its list, or all when it has none. Never
 * among them are `sub`, `identities`, the verified flags and developer-only attributes.
 */
export const writableAttributes = (
  client: ClientAttributeSettings,
  schema: readonly SchemaAttributeType[],
): ReadonlySet<string> => {
  const listed = client.WriteAttributes && new Set(client.WriteAttributes)
  return namesWhere(
    schema,
    attribute => isForUsers(attribute) && (listed === undefined || listed.has(attribute.Name ?? '')),
  )
}

/** Whether users see the attribute through the client. */
export const canRead = (
  client: ClientAttributeSettings,
  schema: readonly SchemaAttributeType[],
  name: string,
): boolean => readableAttributes(client, schema).has(name)

/** Whether users may set the attribute through the client. */
export const canWrite = (
  client: ClientAttributeSettings,
  schema: readonly SchemaAttributeType[],
  name: string,
): boolean => writableAttributes(client, schema).has(name)

/**
 * Throws InvalidParameterException when a list of the client names an attribute that it cannot read or write. Write
 * attributes that leave out a required one are accepted; it is the sign-up through such a client that fails.
 */
export const checkClientAttributes = (
  client: ClientAttributeSettings,
  schema: readonly SchemaAttributeType[],
  activity: 'creating' | 'updating',
): void => {
  const everything = withIdentities(schema)
  const readable = readableAttributes({}, everything)
  const writable = writableAttributes({}, everything)
  if (client.ReadAttributes?.some(name => !readable.has(name))) throw invalidReadAttributes(activity)
  if (client.WriteAttributes?.some(name => !writable.has(name))) throw invalidWriteAttributes(activity)
}

const namesWhere = (
  schema: readonly SchemaAttributeType[],
  holds: (attribute: SchemaAttributeType) => boolean,
): ReadonlySet<string> => new Set(schema.filter(holds).map(attribute => attribute.Name ?? ''))

const isForUsers = ({ Name = '', DeveloperOnlyAttribute }: SchemaAttributeType): boolean =>
  !DeveloperOnlyAttribute && !systemAttributes.has(Name) && !verifiedFlags.has(Name)

// ---------------------------------------------------------------------------------------------- writes

/** Who writes attributes, and whether the user is new. */
export type AttributePhase = 'sign-up' | 'admin-create' | 'update' | 'admin-update'

export interface AttributeCheck {
  schema: readonly SchemaAttributeType[]
  phase: AttributePhase
  /** The attributes that the client may write; absent when an administrator writes. */
  writable?: ReadonlySet<string>
  /** The attributes that the user has now; absent for a new user. */
  current?: ReadonlyMap<string, string>
  /**
   * A new user who gets no password from an administrator is never asked for missing attributes at the first sign-in,
   * so all required ones must be there.
   */
  passwordless?: boolean
}

/** What a checked request changes. */
export interface AttributeChanges {
  values: Map<string, string>
  removed: Set<string>
}

/**
 * The changes that a request makes to a user's attributes. An empty value is left out for a new user and removes the
 * attribute of an existing one (which is also how attributes are deleted: the rules are the same). Booleans come out in
 * lower case. Removing email or phone_number removes its verified flag.
 *
 * Throws, in this order: InvalidParameterException for attributes that are not in the schema; NotAuthorizedException
 * for one that the client may not write; InvalidParameterException for an address or number that is not well formed,
 * and with all that is missing or wrong otherwise. An immutable attribute can be set only when the user is created, even
 * when it has no value yet.
 */
export const checkAttributes = (check: AttributeCheck, attributes: readonly AttributeType[]): AttributeChanges => {
  const requested = new Map(attributes.map(({ Name, Value }) => [Name, Value ?? '']))
  const schema = new Map(check.schema.map(attribute => [attribute.Name ?? '', attribute]))
  const isNew = check.phase === 'sign-up' || check.phase === 'admin-create'
  const byUser = check.phase === 'sign-up' || check.phase === 'update'
  const refuse = isNew ? attributesDidNotConform : invalidAttributeUpdate

  const unknown = [...requested.keys()].filter(name => !schema.has(name))
  if (unknown.length > 0) throw refuse(unknown.map(name => `${name}: ${attributeFaults.unknown}`))

  const known = [...requested].map(([name, value]) => ({ name, value, attribute: schema.get(name) ?? {} }))
  const mayWrite = (name: string, attribute: SchemaAttributeType) =>
    !byUser || (isForUsers(attribute) && (check.writable === undefined || check.writable.has(name)))
  if (known.some(({ name, attribute }) => !mayWrite(name, attribute))) throw unauthorizedAttribute()

  const changes: AttributeChanges = { values: new Map(), removed: new Set() }
  const faults: string[] = []
  for (const { name, value, attribute } of known) {
    if (systemAttributes.has(name) || (!isNew && !attribute.Mutable)) {
      faults.push(`${name}: ${attributeFaults.immutable}`)
    } else if (value !== '') {
      const fault = valueFault(attribute, value)
      if (fault !== undefined) faults.push(`${name}: ${fault}`)
      changes.values.set(name, attribute.AttributeDataType === 'Boolean' ? value.toLowerCase() : value)
    } else if (!isNew) {
      if (attribute.Required) faults.push(`${name}: ${attributeFaults.required}`)
      changes.removed.add(name)
    }
  }

  if (isNew) {
    const mustSupply = (name: string) =>
      check.phase === 'sign-up' || check.passwordless === true || !schema.get(name)?.Mutable
    for (const name of missingAttributes(check.schema, changes.values).filter(mustSupply)) {
      faults.push(`${name}: ${attributeFaults.required}`)
    }
  }
  settleVerifiedFlag('email', attributeFaults.emailMissing, changes, check.current, faults)
  settleVerifiedFlag('phone_number', attributeFaults.phoneNumberMissing, changes, check.current, faults)
  if (faults.length > 0) throw refuse(faults)
  return changes
}

/**
 * Names of the required attributes that are not among these, in the order of the schema. What the service itself
 * supplies is never missing.
 */
export const missingAttributes = (
  schema: readonly SchemaAttributeType[],
  present: { has(name: string): boolean },
): string[] =>
  schema
    .filter(attribute => attribute.Required && isForUsers(attribute))
    .map(attribute => attribute.Name ?? '')
    .filter(name => !present.has(name))

/** A flag that says "verified" needs something that is verified, and goes with it. */
const settleVerifiedFlag = (
  name: 'email' | 'phone_number',
  fault: string,
  changes: AttributeChanges,
  current: ReadonlyMap<string, string> | undefined,
  faults: string[],
): void => {
  const flag = `${name}_verified`
  const remains = changes.values.has(name) || (!changes.removed.has(name) && current?.has(name) === true)
  if (changes.values.get(flag) === 'true' && !remains) faults.push(`${flag}: ${fault}`)
  if (changes.removed.has(name) && !changes.values.has(flag)) changes.removed.add(flag)
}

/** What is wrong with the value of an attribute; throws for e-mail addresses and phone numbers, as Cognito does. */
const valueFault = (attribute: SchemaAttributeType, value: string): string | undefined => {
  if (isLongerThan(value, attributeLengthMax)) return attributeFaults.tooLong
  if (attribute.Name === 'email' && !isEmailFormat(value)) throw invalidEmailFormat()
  if (attribute.Name === 'phone_number' && !isPhoneFormat(value)) throw invalidPhoneNumberFormat()
  if (attribute.Name === 'birthdate' && !isCalendarDate(value)) return attributeFaults.birthdate
  switch (attribute.AttributeDataType) {
    case 'Boolean':
      return ['true', 'false'].includes(value.toLowerCase()) ? undefined : attributeFaults.boolean
    case 'DateTime':
      return isDateTime(value) ? undefined : attributeFaults.dateTime
    case 'Number':
      return isDecimal(value) ? numberFault(attribute, value) : attributeFaults.number
    default:
      return lengthFault(attribute, value)
  }
}

const numberFault = ({ NumberAttributeConstraints }: SchemaAttributeType, value: string): string | undefined => {
  const { MinValue, MaxValue } = NumberAttributeConstraints ?? {}
  if (MinValue && compareDecimals(value, MinValue) < 0) return attributeFaults.lessThan(MinValue)
  if (MaxValue && compareDecimals(value, MaxValue) > 0) return attributeFaults.greaterThan(MaxValue)
  return undefined
}

const lengthFault = ({ StringAttributeConstraints }: SchemaAttributeType, value: string): string | undefined => {
  const { MinLength, MaxLength } = StringAttributeConstraints ?? {}
  if (MinLength && !isLongerThan(value, Number(MinLength) - 1)) return attributeFaults.shorterThan(MinLength)
  if (MaxLength && isLongerThan(value, Number(MaxLength))) return attributeFaults.longerThan(MaxLength)
  return undefined
}

/** Whether the text has more code points than that; looks no further than it must. */
const isLongerThan = (text: string, length: number): boolean => {
  if (text.length <= length) return false
  let count = 0
  for (const _ of text) {
    count += 1
    if (count > length) return true
  }
  return false
}

// ---------------------------------------------------------------------------------------------- numbers and dates

const isNaturalNumber = (text: string): boolean => text.length <= attributeLengthMax && /^[0-9]+$/.test(text)

const isDecimal = (text: string): boolean => text.length <= attributeLengthMax && /^-?[0-9]+(\.[0-9]+)?$/.test(text)

/** Negative, zero or positive as the first decimal is less than, equal to or greater than the second; exact. */
const compareDecimals = (one: string, other: string): number => {
  const decimals = Math.max(decimalPlaces(one), decimalPlaces(other))
  const difference = scaled(one, decimals) - scaled(other, decimals)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const decimalPlaces = (text: string): number => text.split('.')[1]?.length ?? 0

const scaled = (text: string, decimals: number): bigint =>
  BigInt(text.replace('.', '') + '0'.repeat(decimals - decimalPlaces(text)))

/** YYYY-MM-DD, a day that exists. The year may be 0000, which OpenID Connect Core 5.1 uses for "not told". */
const isCalendarDate = (text: string): boolean => {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text)
  if (match === null) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  return days !== undefined && day >= 1 && day <= days
}

/** A date in ISO 8601 form, alone or with a time of day, which may have fractions of seconds and an offset. */
const isDateTime = (text: string): boolean => {
  if (text.length > 40) return false
  const [date = '', time, ...rest] = text.split('T')
  return rest.length === 0 && isCalendarDate(date) && (time === undefined || isTimeOfDay(time))
}

const isTimeOfDay = (text: string): boolean =>
  /^([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)(\.[0-9]{1,9})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$/.test(text)
