/**
 * The regular expressions of the model, checked in linear time. They are written in the dialect of Java and must match
 * the whole text. Two differences from JavaScript matter: `\s` and `\S` know only the six ASCII white-space characters,
 * and `.` also stops at U+0085.
 */

/** Whether the whole text matches. */
export type Matches = (text: string) => boolean

const javaSpace = ' \\t\\n\\v\\f\\r'
const lineTerminator = /[\n\r\u0085\u2028\u2029]/
const spaceCharacter = new RegExp(`[${javaSpace}]`)
const printable = '\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}'
const notPrintable = new RegExp(`[^${printable}]`, 'u')
const notPrintableOrSpace = new RegExp(`[^${printable}${javaSpace}]`, 'u')

const lastSpaceIndex = (text: string): number => {
  let index = text.length - 1
  while (index >= 0 && !spaceCharacter.test(text[index]!)) index--
  return index
}

/**
 * Patterns that take quadratic time or longer in a backtracking engine, because their parts overlap. Each is replaced
 * by a check that reads the text a fixed number of times.
 */
const handWritten: Readonly<Record<string, Matches>> = {
  // E-mail address: an "@" with something printable on both sides; "@" itself is printable.
  [`[${printable}]+@[${printable}]+`]: text => {
    const at = text.indexOf('@', 1)
    return at !== -1 && at < text.length - 1 && !notPrintable.test(text)
  },
  // Messages with a code.
  [`[${printable}\\s*]*\\{####\\}[${printable}\\s*]*`]: text =>
    text.includes('{####}') && !notPrintableOrSpace.test(text),
  // Messages with a link: the first opening mark and the last closing mark must not overlap.
  [`[${printable}\\s*]*\\{##[${printable}\\s*]*##\\}[${printable}\\s*]*`]: text => {
    const open = text.indexOf('{##')
    return open !== -1 && text.lastIndexOf('##}') >= open + 3 && !notPrintableOrSpace.test(text)
  },
  '.*\\{####\\}.*': text => text.includes('{####}') && !lineTerminator.test(text),
  '(?s).*': () => true,
  // Passwords: no space at either end, at least two characters, no line break from the first space to the last.
  '^[\\S]+.*[\\S]+$': text => {
    const first = text.search(spaceCharacter)
    if (first === -1) return [...text.slice(0, 3)].length >= 2
    const last = lastSpaceIndex(text)
    return first > 0 && last < text.length - 1 && !lineTerminator.test(text.slice(first, last + 1))
  },
}

/** One character class, repeated: `[class]+` or `[class]*`, with or without anchors. */
const repeatedClass = /^\^?\[([^\]^\\](?:[^\]\\]|\\.)*|\\.(?:[^\]\\]|\\.)*)\]([+*])\$?$/

const compile = (pattern: string): Matches => {
  const check = Object.hasOwn(handWritten, pattern) ? handWritten[pattern] : undefined
  if (check) return check
  const [, members, repetition] = repeatedClass.exec(pattern) ?? []
  if (members === undefined) {
    const whole = new RegExp(`^(?:${javaToJavaScript(pattern)})$`, 'u')
    return text => whole.test(text)
  }
  // The search for a character that does not belong never backtracks.
  const outside = members === '\\S' ? spaceCharacter : new RegExp(`[^${javaToJavaScript(members)}]`, 'u')
  const emptyMatches = repetition === '*'
  return text => (emptyMatches || text !== '') && !outside.test(text)
}

/** `\s` only occurs inside of character classes in the model; `\S` beside other members and `.` have no translation. */
const javaToJavaScript = (pattern: string): string => {
  if (/\\S|\(\?[a-z]/.test(pattern)) throw new Error(`The pattern ${pattern} has no linear-time check`)
  return pattern.replaceAll('\\s', javaSpace)
}

const compiled = new Map<string, Matches>()

/** The check of one of the model's patterns; compiled at first use and kept. */
export const matcher = (pattern: string): Matches => {
  let matches = compiled.get(pattern)
  if (!matches) {
    matches = compile(pattern)
    compiled.set(pattern, matches)
  }
  return matches
}
