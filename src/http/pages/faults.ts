/** What features refuse, in the language of the page and beside the field that it is about. */
import type { ErrorName } from '../../contract/types.ts'
import {
  attributeFaults,
  type CognitoError,
  invalidEmailFormat,
  invalidPhoneNumberFormat,
  invalidSession,
  isCognitoError,
  sessionExpired,
  sessionUsed,
  signUpPasswordBlank,
  signUpPasswordMissing,
  usernameAttributeExists,
  usernameExists,
  usernameShouldBeEmail,
  usernameShouldBeEmailOrPhoneNumber,
  usernameShouldBePhoneNumber,
} from '../../core/errors.ts'
import { errorText } from './texts/errors.ts'
import type { TextKey, Texts } from './texts/index.ts'

/** A message for the user; without a field it is about the page as a whole. */
export interface Fault {
  field?: string
  text: string
}

const fieldByName: Partial<Record<ErrorName, string>> = {
  CodeMismatchException: 'code',
  ExpiredCodeException: 'code',
  EnableSoftwareTokenMFAException: 'code',
  InvalidPasswordException: 'password',
  PasswordHistoryPolicyViolationException: 'password',
}

/** By message, where the name of the error says too little. */
const fieldByMessage = new Map<string, string>(
  (
    [
      [usernameExists(), 'username'],
      [usernameAttributeExists('email'), 'email'],
      [usernameAttributeExists('phone_number'), 'phone_number'],
      [usernameShouldBeEmail(), 'username'],
      [usernameShouldBePhoneNumber(), 'username'],
      [usernameShouldBeEmailOrPhoneNumber(), 'username'],
      [invalidEmailFormat(), 'email'],
      [invalidPhoneNumberFormat(), 'phone_number'],
      [signUpPasswordMissing(), 'password'],
      [signUpPasswordBlank(), 'password'],
    ] as const
  ).map(([{ message }, field]) => [message, field]),
)

const attributeTexts = new Map<string, TextKey>([
  [attributeFaults.required, 'fieldRequired'],
  [attributeFaults.birthdate, 'invalidDate'],
  [attributeFaults.tooLong, 'fieldTooLong'],
])

/** The fields of the constraints of the API. */
const constrained: Record<string, string | undefined> = {
  username: 'username',
  confirmationCode: 'code',
  userCode: 'code',
  friendlyDeviceName: 'deviceName',
}

const sessionFaults = new Set([invalidSession(), sessionExpired(), sessionUsed()].map(({ message }) => message))

/** True when the sign-in has to begin anew. */
export const isSessionOver = (error: CognitoError): boolean =>
  error.name === 'NotAuthorizedException' && sessionFaults.has(error.message)

/**
 * The messages of a refusal.
 * @throws whatever is no refusal
 */
export const faultsOf = (texts: Texts, error: unknown): Fault[] => {
  if (!isCognitoError(error)) throw error
  const single = [...attributeFaultsIn(texts, error.message), ...violationsIn(texts, error.message)]
  if (single.length > 0) return single
  const field = fieldByMessage.get(error.message) ?? fieldByName[error.name]
  return [{ text: errorText(texts, error), ...(field !== undefined && { field }) }]
}

/** The faults of single attributes, which the API lists in one message, each ending its own line. */
const attributeFaultsIn = (texts: Texts, message: string): Fault[] => {
  if (!message.endsWith('\n')) return []
  return message
    .replace(/^Attributes did not conform to the schema: /, '')
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const at = line.indexOf(': ')
      const [field, fault] = [line.slice(0, at).replace(/^user\./, ''), line.slice(at + 2)]
      const text = attributeTexts.get(fault)
      return { field, text: text === undefined ? fault : texts[text] }
    })
}

/** Values that break a constraint of the model; the page says so with its own limits before it comes to that. */
const violationsIn = (texts: Texts, message: string): Fault[] =>
  /^\d+ validation errors? detected: /.test(message)
    ? [...message.matchAll(/ at '([A-Za-z]{1,40})' failed to satisfy constraint/g)].flatMap(([, path = '']) => {
        const field = constrained[path]
        return field === undefined ? [] : [{ field, text: texts.invalidValue }]
      })
    : []
