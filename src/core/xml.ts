/**
 * XML 1.0 with namespaces, read strictly and without anything that reaches out of the document: no document type, so
 * no entities but the five that are built in. Whatever is not well-formed is refused instead of repaired, and takes
 * time in proportion to its length.
 */

/** An element with its names resolved. Comments and processing instructions are left out. */
export interface XmlElement {
  /** The name without prefix. */
  name: string
  /** The namespace's URI; empty for none. */
  namespace: string
  /** Values by name; attributes with a prefix have the name `{namespace}name`. */
  attributes: ReadonlyMap<string, string>
  children: readonly (XmlElement | string)[]
  /** How the element and its attributes were written, for those who have to write them again. */
  written: WrittenNames
}

export interface WrittenNames {
  /** The prefix of the element; empty for none. */
  prefix: string
  /** The prefixes of the attributes that have one, by the names that these have in `attributes`. */
  attributePrefixes: ReadonlyMap<string, string>
  /** The namespaces that prefixes stand for in the element. */
  scope: Scope
}

/** Namespaces by prefix, the default one under the empty prefix, innermost first. */
export interface Scope {
  parent: Scope | undefined
  prefixes: ReadonlyMap<string, string>
}

/** The document is not well-formed, or has more of something than is accepted. */
export class XmlFault extends Error {
  override readonly name = 'XmlFault'
}

const depthMax = 64
const elementsMax = 50_000
const attributesMax = 64
/** Names are written with their namespaces again and again, so these must be short. */
const namespaceLengthMax = 1_024

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'
const builtInEntities = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

// NameStartChar and NameChar of XML 1.0, sections 2.3, without the colon, which separates the prefix.
const nameStart =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const namePart = `[${nameStart}][${nameStart}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040]*`
const qualifiedName = new RegExp(`(?:(${namePart}):)?(${namePart})`, 'uy')
const whitespace = /[ \t\r\n]*/y
const notXmlCharacter = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u
const declaration = /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')[^<>?]{0,200}\?>/y

export interface ReadingOptions {
  /** The namespaces of the place that the text was taken from; those of a document of its own when absent. */
  scope?: Scope
  /** Whether comments and processing instructions are refused instead of left out. */
  plain?: boolean
}

/**
 * The root element of a document. A declared encoding is not looked at, because the text is decoded already.
 * @throws XmlFault
 */
export const parseXml = (text: string, options: ReadingOptions = {}): XmlElement => {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text
  if (notXmlCharacter.test(source)) throw new XmlFault('a character that XML does not have')
  return new Reader(source, options).document()
}

interface OpenElement {
  tag: string
  element: XmlElement & { children: (XmlElement | string)[] }
}

const outermost: Scope = {
  parent: undefined,
  prefixes: new Map([
    ['', ''],
    ['xml', xmlNamespace],
  ]),
}

/** Reads from left to right; `at` never goes back. */
class Reader {
  readonly #source: string
  readonly #options: ReadingOptions
  readonly #open: OpenElement[] = []
  #at = 0
  #elements = 0
  #root: XmlElement | undefined

  constructor(source: string, options: ReadingOptions) {
    this.#source = source
    this.#options = options
  }

  document(): XmlElement {
    this.#match(declaration)
    while (this.#at < this.#source.length) {
      if (this.#source[this.#at] === '<') this.#markup()
      else this.#text()
    }
    if (this.#root === undefined || this.#open.length > 0) throw new XmlFault('the document ends too early')
    return this.#root
  }

  #markup(): void {
    if (this.#take('<!--')) this.#comment()
    else if (this.#take('<![CDATA[')) this.#append(normalizeLines(this.#until(']]>')))
    else if (this.#take('<!')) throw new XmlFault('a document type')
    else if (this.#take('<?')) this.#instruction()
    else if (this.#take('</')) this.#endTag()
    else this.#startTag()
  }

  #comment(): void {
    if (this.#options.plain) throw new XmlFault('a comment')
    this.#until('--')
    if (!this.#take('>')) throw new XmlFault('two hyphens in a comment')
  }

  #instruction(): void {
    if (this.#options.plain) throw new XmlFault('a processing instruction')
    const [, prefix, name = ''] = this.#name()
    if (prefix !== undefined || name.toLowerCase() === 'xml') throw new XmlFault('a declaration out of place')
    const rest = this.#until('?>')
    if (rest !== '' && !/^[ \t\r\n]/.test(rest)) throw new XmlFault('a processing instruction without a space')
  }

  #startTag(): void {
    this.#at += 1
    const [tag, prefix = '', name = ''] = this.#name()
    this.#elements += 1
    if (this.#elements > elementsMax) throw new XmlFault('too many elements')
    if (this.#open.length === depthMax) throw new XmlFault('too deep')
    if (this.#open.length === 0 && this.#root !== undefined) throw new XmlFault('two roots')
    const { written, declared } = this.#attributes()
    const parent = this.#open.at(-1)?.element.written.scope ?? this.#options.scope ?? outermost
    const scope = declared.size === 0 ? parent : { parent, prefixes: declared }
    const { attributes, attributePrefixes } = resolveAttributes(scope, written)
    const element = {
      name,
      namespace: resolve(scope, prefix),
      attributes,
      children: [],
      written: { prefix, attributePrefixes, scope },
    }
    const isEmpty = this.#take('/')
    if (!this.#take('>')) throw new XmlFault('a tag that does not end')
    const holder = this.#open.at(-1)
    if (holder === undefined) this.#root = element
    else holder.element.children.push(element)
    if (!isEmpty) this.#open.push({ tag, element })
  }

  /** The attributes up to the end of the tag, and the namespaces that they declare by prefix. */
  #attributes() {
    const written = new Map<string, { prefix: string | undefined; name: string; value: string }>()
    const declared = new Map<string, string>()
    for (;;) {
      const spaced = this.#space()
      const next = this.#source[this.#at]
      if (next === '>' || next === '/' || next === undefined) return { written, declared }
      if (!spaced) throw new XmlFault('attributes without a space between them')
      const [qualified, prefix, name = ''] = this.#name()
      this.#space()
      if (!this.#take('=')) throw new XmlFault('an attribute without a value')
      this.#space()
      const value = this.#attributeValue()
      if (written.has(qualified)) throw new XmlFault('the same attribute twice')
      written.set(qualified, { prefix, name, value })
      if (written.size > attributesMax) throw new XmlFault('too many attributes')
      if (prefix === 'xmlns') declare(declared, name, value)
      else if (qualified === 'xmlns') declare(declared, '', value)
    }
  }

  #attributeValue(): string {
    const quote = this.#source[this.#at]
    if (quote !== '"' && quote !== "'") throw new XmlFault('a value without quotation marks')
    this.#at += 1
    const raw = this.#until(quote)
    if (raw.includes('<')) throw new XmlFault('a value with a tag in it')
    return decodeReferences(normalizeLines(raw).replace(/[\t\n]/g, ' '))
  }

  #endTag(): void {
    const [tag] = this.#name()
    this.#space()
    if (!this.#take('>') || this.#open.pop()?.tag !== tag) throw new XmlFault('an end that belongs to no beginning')
  }

  #text(): void {
    const end = this.#source.indexOf('<', this.#at)
    const raw = this.#source.slice(this.#at, end === -1 ? undefined : end)
    this.#at += raw.length
    if (raw.includes(']]>')) throw new XmlFault('the end of a section without its beginning')
    this.#append(decodeReferences(normalizeLines(raw)))
  }

  #append(text: string): void {
    const holder = this.#open.at(-1)
    if (holder !== undefined) holder.element.children.push(text)
    else if (/[^ \t\n]/.test(text)) throw new XmlFault('text outside of the root')
  }

  #name(): [string, string | undefined, string | undefined] {
    const match = this.#match(qualifiedName)
    if (match === null || this.#source[this.#at] === ':') throw new XmlFault('a name that is none')
    return [match[0], match[1], match[2]]
  }

  #space(): boolean {
    return this.#match(whitespace)?.[0] !== ''
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#source)
    this.#at += match?.[0].length ?? 0
    return match
  }

  #take(literal: string): boolean {
    if (!this.#source.startsWith(literal, this.#at)) return false
    this.#at += literal.length
    return true
  }

  /** The text before the mark; reading goes on behind it. */
  #until(mark: string): string {
    const end = this.#source.indexOf(mark, this.#at)
    if (end === -1) throw new XmlFault('something that does not end')
    const text = this.#source.slice(this.#at, end)
    this.#at = end + mark.length
    return text
  }
}

const declare = (declared: Map<string, string>, prefix: string, uri: string): void => {
  const reserved = prefix === 'xmlns' || uri === xmlnsNamespace || (prefix === 'xml') !== (uri === xmlNamespace)
  if (uri.length > namespaceLengthMax) throw new XmlFault('a long namespace')
  if (reserved || (prefix !== '' && uri === '')) throw new XmlFault('a namespace that cannot be declared')
  declared.set(prefix, uri)
}

/** The namespace that the prefix stands for; undefined when it is not declared. */
export const findNamespace = (scope: Scope, prefix: string): string | undefined => {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const uri = at.prefixes.get(prefix)
    if (uri !== undefined) return uri
  }
  return undefined
}

const resolve = (scope: Scope, prefix: string): string => {
  const uri = findNamespace(scope, prefix)
  if (uri === undefined) throw new XmlFault('a prefix that is not declared')
  return uri
}

const resolveAttributes = (
  scope: Scope,
  written: ReadonlyMap<string, { prefix: string | undefined; name: string; value: string }>,
): { attributes: Map<string, string>; attributePrefixes: Map<string, string> } => {
  const attributes = new Map<string, string>()
  const attributePrefixes = new Map<string, string>()
  for (const [qualified, { prefix, name, value }] of written) {
    if (qualified === 'xmlns' || prefix === 'xmlns') continue
    const key = prefix === undefined ? name : `{${resolve(scope, prefix)}}${name}`
    if (attributes.has(key)) throw new XmlFault('the same attribute twice')
    attributes.set(key, value)
    if (prefix !== undefined) attributePrefixes.set(key, prefix)
  }
  return { attributes, attributePrefixes }
}

/** Section 2.11: the end of a line is one line feed, however it was written. */
const normalizeLines = (text: string): string => (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text)

const decodeReferences = (text: string): string => {
  if (!text.includes('&')) return text
  return text.replace(/&([^&;]{0,12};?)/g, (_, reference: string) => {
    const name = reference.endsWith(';') ? reference.slice(0, -1) : ''
    const character = name.startsWith('#') ? characterOf(name.slice(1)) : builtInEntities.get(name)
    if (character === undefined) throw new XmlFault('an entity that is not built in')
    return character
  })
}

/** The character with this number, decimal or, after an x, hexadecimal. */
const characterOf = (digits: string): string | undefined => {
  const hexadecimal = /^x([0-9A-Fa-f]{1,8})$/.exec(digits)?.[1]
  const code =
    hexadecimal === undefined ? (/^[0-9]{1,9}$/.test(digits) ? Number(digits) : -1) : parseInt(hexadecimal, 16)
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined
  const character = String.fromCodePoint(code)
  return notXmlCharacter.test(character) ? undefined : character
}

// ---------------------------------------------------------------------------------------------- looking into it

/** The child elements with this name, in order. */
export const childElements = (element: XmlElement, namespace: string, name: string): XmlElement[] =>
  element.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && child.namespace === namespace && child.name === name,
  )

/** All text inside of the element, that of its descendants included. */
export const textOf = (element: XmlElement): string =>
  element.children.map(child => (typeof child === 'string' ? child : textOf(child))).join('')
