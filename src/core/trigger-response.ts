/**
 * Reading what the function of a trigger returned. Members are taken by name and must have their type; null and absence
 * are the same. What is not asked for is not looked at.
 */
import { triggerOutputUnusable } from './errors.ts'

/** An object as it came out of JSON. */
export type Members = Readonly<Record<string, unknown>>

/**
 * The `response` of a returned event.
 * @throws InvalidLambdaResponseException when what was returned is no event.
 */
export const responseOf = (returned: unknown): Members => asMembers(memberOf(asMembers(returned), 'response'))

/** @throws InvalidLambdaResponseException for anything but an object. */
export const asMembers = (value: unknown): Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw triggerOutputUnusable()
  return value as Members
}

/** The own member of this name; undefined when there is none or it is null. */
export const memberOf = (members: Members, name: string): unknown =>
  Object.hasOwn(members, name) ? (members[name] ?? undefined) : undefined

/** @throws InvalidLambdaResponseException */
export const booleanOf = (members: Members, name: string): boolean | undefined => {
  const value = memberOf(members, name)
  if (value === undefined || typeof value === 'boolean') return value
  throw triggerOutputUnusable()
}

/** @throws InvalidLambdaResponseException, also for text that cannot be stored or sent. */
export const textOf = (members: Members, name: string): string | undefined => {
  const value = memberOf(members, name)
  return value === undefined ? undefined : asText(value)
}

/** @throws InvalidLambdaResponseException */
export const textsOf = (members: Members, name: string): string[] | undefined => {
  const value = memberOf(members, name)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw triggerOutputUnusable()
  return value.map(asText)
}

/** Texts by name. @throws InvalidLambdaResponseException */
export const textMapOf = (members: Members, name: string): Map<string, string> | undefined => {
  const value = memberOf(members, name)
  if (value === undefined) return undefined
  return new Map(Object.entries(asMembers(value)).map(([key, text]) => [asText(key), asText(text)]))
}

/** An object inside. @throws InvalidLambdaResponseException */
export const membersOf = (members: Members, name: string): Members | undefined => {
  const value = memberOf(members, name)
  return value === undefined ? undefined : asMembers(value)
}

const asText = (value: unknown): string => {
  if (typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000')) return value
  throw triggerOutputUnusable()
}
