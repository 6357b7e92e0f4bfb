/**
 * The style sheet of the classic pages. Only a small part of CSS is understood: flat rules for the published classes,
 * with properties and functions from a list. Whatever else is written is refused, and the pages get a style sheet that
 * is put together anew from the parts that were understood, so that nothing passes by being read differently.
 */
import { invalidCss, invalidCssClass } from './errors.ts'

/** The classes that can be styled, and the states of each. */
const classes = new Map<string, readonly string[]>([
  ['background-customizable', []],
  ['banner-customizable', []],
  ['errorMessage-customizable', []],
  ['idpButton-customizable', ['hover']],
  ['idpDescription-customizable', []],
  ['inputField-customizable', ['focus']],
  ['label-customizable', []],
  ['legalText-customizable', []],
  ['logo-customizable', []],
  ['passwordCheck-notValid-customizable', []],
  ['passwordCheck-valid-customizable', []],
  ['redirect-customizable', []],
  ['socialButton-customizable', []],
  ['submitButton-customizable', ['hover']],
  ['textDescription-customizable', []],
])

const sides = ['top', 'right', 'bottom', 'left']
const corners = ['top-left', 'top-right', 'bottom-right', 'bottom-left']

/** Properties that change how an element looks but neither where on the page it stands nor what it says. */
const properties = new Set([
  ...['color', 'opacity', 'background', 'background-color', 'box-shadow', 'box-sizing', 'display', 'vertical-align'],
  ...['width', 'height', 'min-width', 'min-height', 'max-width', 'max-height'],
  ...['margin', 'padding'].flatMap(name => [name, ...sides.map(side => `${name}-${side}`)]),
  ...['border', ...sides.map(side => `border-${side}`)].flatMap(name => [
    name,
    `${name}-color`,
    `${name}-style`,
    `${name}-width`,
  ]),
  ...['border-radius', ...corners.map(corner => `border-${corner}-radius`)],
  ...['outline', 'outline-color', 'outline-offset', 'outline-style', 'outline-width'],
  ...['font', 'font-family', 'font-size', 'font-style', 'font-variant', 'font-weight', 'line-height'],
  ...['letter-spacing', 'word-spacing', 'white-space', 'overflow-wrap', 'word-break', 'word-wrap'],
  ...['text-align', 'text-decoration', 'text-indent', 'text-overflow', 'text-shadow', 'text-transform'],
])

/** Functions that load nothing and read nothing of the page. */
const functions = new Set([
  ...['rgb', 'rgba', 'hsl', 'hsla', 'hwb', 'lab', 'lch', 'oklab', 'oklch'],
  ...['calc', 'min', 'max', 'clamp'],
  ...['linear-gradient', 'radial-gradient', 'conic-gradient'],
])

/** In the order of the groups: white space, word, number with its unit, colour, quoted text, punctuation. */
const tokenPattern =
  /(\s+)|(-{0,2}[a-z_][\w-]*)|([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:%|[a-z]+)?)|(#[\w-]+)|("[\w ,.-]*"|'[\w ,.-]*')|([{}:;,()/.!+*-])/iy

type TokenKind = 'space' | 'word' | 'number' | 'colour' | 'quoted' | 'mark'
const kinds: readonly TokenKind[] = ['space', 'word', 'number', 'colour', 'quoted', 'mark']

interface Token {
  kind: TokenKind
  text: string
}

/** Names are repeated in messages up to this length. */
const nameLengthMax = 100
const depthMax = 8

/**
 * The style sheet that the pages may use: the caller's rules, written anew. Empty when there are none. Takes time in
 * proportion to the length.
 * @throws InvalidParameterException for a selector that is not published, and for any content beyond the lists.
 */
export const safeCss = (css: string): string => {
  const reader = createReader(tokens(withoutComments(css)))
  let safe = ''
  for (reader.skipSpace(); reader.peek() !== undefined; reader.skipSpace()) {
    const selectors = readSelectors(reader)
    safe += `${selectors.join(',')}{${readDeclarations(reader).join(';')}}\n`
  }
  return safe
}

const withoutComments = (css: string): string => {
  let text = ''
  let from = 0
  for (let start = css.indexOf('/*'); start >= 0; start = css.indexOf('/*', from)) {
    const end = css.indexOf('*/', start + 2)
    if (end < 0) throw invalidCss('a comment is not closed.')
    text += `${css.slice(from, start)} `
    from = end + 2
  }
  return text + css.slice(from)
}

const tokens = (text: string): Token[] => {
  const found: Token[] = []
  for (let at = 0; at < text.length; ) {
    tokenPattern.lastIndex = at
    const match = tokenPattern.exec(text)
    if (match === null) throw invalidCss(`unexpected character at position ${at + 1}.`)
    const group = match.slice(1).findIndex(part => part !== undefined)
    found.push({ kind: kinds[group] ?? 'mark', text: match[0] })
    at += match[0].length
  }
  return found
}

type Reader = ReturnType<typeof createReader>

const createReader = (all: readonly Token[]) => {
  let position = 0
  const skipSpace = (): void => {
    while (all[position]?.kind === 'space') position += 1
  }
  return {
    skipSpace,
    peek: (): Token | undefined => all[position],
    next: (): Token | undefined => all[position++],
    /** Takes the mark when it stands here. */
    take: (mark: string): boolean => {
      const token = all[position]
      const stands = token?.kind === 'mark' && token.text === mark
      if (stands) position += 1
      return stands
    },
  }
}

const readSelectors = (reader: Reader): string[] => {
  const selectors: string[] = []
  do {
    reader.skipSpace()
    selectors.push(readSelector(reader))
    reader.skipSpace()
  } while (reader.take(','))
  if (!reader.take('{')) throw invalidCssClass(printed(reader.peek()))
  return selectors
}

/** One class, with at most one of its states: nothing that could single out other elements or their attributes. */
const readSelector = (reader: Reader): string => {
  if (!reader.take('.')) throw invalidCssClass(printed(reader.peek()))
  const name = reader.next()
  const states = name?.kind === 'word' ? classes.get(name.text) : undefined
  if (name === undefined || states === undefined) throw invalidCssClass(printed(name))
  if (!reader.take(':')) return `.${name.text}`
  const state = reader.next()
  if (state === undefined || !states.includes(state.text)) throw invalidCssClass(`${name.text}:${printed(state)}`)
  return `.${name.text}:${state.text}`
}

const readDeclarations = (reader: Reader): string[] => {
  const declarations: string[] = []
  for (;;) {
    reader.skipSpace()
    if (reader.take('}')) return declarations
    if (reader.take(';')) continue
    const property = reader.next()
    const name = property?.text.toLowerCase() ?? ''
    if (property?.kind !== 'word' || !properties.has(name)) {
      throw invalidCss(`the property ${printed(property)} is not supported.`)
    }
    reader.skipSpace()
    if (!reader.take(':')) throw invalidCss(`a colon is missing after ${name}.`)
    declarations.push(`${name}:${readValue(reader, name)}`)
  }
}

/** Up to the end of the declaration, which it leaves in place. */
const readValue = (reader: Reader, property: string): string => {
  let value = ''
  let depth = 0
  reader.skipSpace()
  for (let token = reader.peek(); ; token = reader.peek()) {
    if (token === undefined) throw invalidCss('a rule is not closed.')
    if (token.kind === 'mark' && (token.text === ';' || token.text === '}')) break
    reader.next()
    value += token.kind === 'space' ? ' ' : token.text
    if (token.kind === 'word' && reader.take('(')) {
      if (!functions.has(token.text.toLowerCase())) throw invalidCss(`the function ${printed(token)} is not supported.`)
      value += '('
      depth += 1
    } else if (token.kind === 'mark') {
      if (token.text === '(') depth += 1
      else if (token.text === ')') depth -= 1
      else if (token.text === '!') expectImportant(reader, property)
      else if (!',/+-*'.includes(token.text)) throw invalidCss(`the value of ${property} is not supported.`)
      if (token.text === '!') value += 'important'
    }
    if (depth < 0 || depth > depthMax) throw invalidCss(`the parentheses in ${property} are not supported.`)
  }
  if (depth !== 0 || value.trim() === '') throw invalidCss(`the value of ${property} is not complete.`)
  return value.trim()
}

/** `!important` ends a value. */
const expectImportant = (reader: Reader, property: string): void => {
  reader.skipSpace()
  const word = reader.next()
  reader.skipSpace()
  const end = reader.peek()
  if (word?.text.toLowerCase() !== 'important' || (end?.text !== ';' && end?.text !== '}')) {
    throw invalidCss(`the value of ${property} is not supported.`)
  }
}

const printed = (token: Token | undefined): string => token?.text.trim().slice(0, nameLengthMax) ?? ''
