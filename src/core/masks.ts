/** Masked addresses: what CodeDeliveryDetails and challenges show of where a code went. */

/** First character of the local part and of the domain: `t***@t***` for `test@test.com`. */
export const maskEmail = (email: string): string => {
  const at = email.lastIndexOf('@')
  return `${firstCharacter(email.slice(0, at))}***@${firstCharacter(email.slice(at + 1))}***`
}

const firstCharacter = (text: string): string => [...text.slice(0, 2)][0] ?? ''

/** The last four digits, an asterisk for each digit before them: `+*******1234` for `+12065551234`. */
export const maskPhoneNumber = (phoneNumber: string): string => {
  const digits = phoneNumber.replace(/^\+/, '')
  const shown = digits.length > 4 ? digits.slice(-4) : ''
  return `+${'*'.repeat(digits.length - shown.length)}${shown}`
}

/** The masked form of the value of an attribute that messages go to. */
export const maskDestination = (attribute: 'email' | 'phone_number', destination: string): string =>
  attribute === 'email' ? maskEmail(destination) : maskPhoneNumber(destination)
