/**
 * SVG files from callers. A file is accepted as it is or refused, never repaired: every element and every attribute
 * must be on a list, so there is no script, no HTML and nothing that is loaded from elsewhere. The reader knows only a
 * plain part of XML; document types, entities and processing instructions are refused unread.
 */

const svgNamespace = 'http://www.w3.org/2000/svg'
const xlinkNamespace = 'http://www.w3.org/1999/xlink'

/** Prefixes that may be declared, each for its own namespace only. */
const namespaces = new Map([
  ['xlink', xlinkNamespace],
  ['svg', svgNamespace],
  ['xml', 'http://www.w3.org/XML/1998/namespace'],
  ['rdf', 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'],
  ['cc', 'http://creativecommons.org/ns#'],
  ['dc', 'http://purl.org/dc/elements/1.1/'],
  ['inkscape', 'http://www.inkscape.org/namespaces/inkscape'],
  ['sodipodi', 'http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd'],
  ['serif', 'http://www.serif.com/'],
  ['sketch', 'http://www.bohemiancoding.com/sketch/ns'],
])

/** Prefixes of what drawing programs note down for themselves. Browsers neither show nor run it. */
const editorPrefixes = new Set(['rdf', 'cc', 'dc', 'inkscape', 'sodipodi', 'serif', 'sketch'])

const elements = new Set([
  ...['svg', 'g', 'defs', 'symbol', 'use', 'title', 'desc', 'metadata', 'style', 'image'],
  ...['path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'text', 'tspan', 'textPath'],
  ...['linearGradient', 'radialGradient', 'stop', 'clipPath', 'mask', 'pattern', 'marker', 'filter'],
  ...['feBlend', 'feColorMatrix', 'feComponentTransfer', 'feComposite', 'feDropShadow', 'feFlood'],
  ...[
    'feFuncA',
    'feFuncB',
    'feFuncG',
    'feFuncR',
    'feGaussianBlur',
    'feMerge',
    'feMergeNode',
    'feMorphology',
    'feOffset',
  ],
])

const attributes = new Set([
  ...['id', 'class', 'style', 'lang', 'role', 'version', 'baseProfile', 'type', 'media', 'xml:lang', 'xml:space'],
  ...['x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'dx', 'dy', 'fx', 'fy', 'fr', 'r', 'rx', 'ry', 'rotate'],
  ...['d', 'points', 'pathLength', 'width', 'height', 'viewBox', 'preserveAspectRatio', 'transform', 'overflow'],
  ...['fill', 'fill-opacity', 'fill-rule', 'stroke', 'stroke-dasharray', 'stroke-dashoffset', 'stroke-linecap'],
  ...['stroke-linejoin', 'stroke-miterlimit', 'stroke-opacity', 'stroke-width', 'paint-order', 'vector-effect'],
  ...['color', 'opacity', 'display', 'visibility', 'enable-background', 'color-interpolation', 'color-rendering'],
  ...['color-interpolation-filters', 'image-rendering', 'shape-rendering', 'text-rendering', 'mix-blend-mode'],
  ...['clip-path', 'clip-rule', 'clipPathUnits', 'mask', 'mask-type', 'maskUnits', 'maskContentUnits', 'isolation'],
  ...['filter', 'filterUnits', 'primitiveUnits', 'flood-color', 'flood-opacity', 'in', 'in2', 'result', 'operator'],
  ...['k1', 'k2', 'k3', 'k4', 'mode', 'values', 'stdDeviation', 'radius', 'edgeMode', 'tableValues', 'slope'],
  ...['intercept', 'amplitude', 'exponent', 'offset', 'stop-color', 'stop-opacity', 'gradientTransform'],
  ...['gradientUnits', 'spreadMethod', 'patternUnits', 'patternContentUnits', 'patternTransform'],
  ...[
    'marker-start',
    'marker-mid',
    'marker-end',
    'markerHeight',
    'markerWidth',
    'markerUnits',
    'orient',
    'refX',
    'refY',
  ],
  ...['font-family', 'font-size', 'font-stretch', 'font-style', 'font-variant', 'font-weight', 'letter-spacing'],
  ...['word-spacing', 'text-anchor', 'text-decoration', 'textLength', 'lengthAdjust', 'startOffset', 'method'],
  ...['spacing', 'direction', 'unicode-bidi', 'writing-mode', 'alignment-baseline', 'baseline-shift'],
  ...['dominant-baseline'],
])

/** Names for assistive technology and for the author's own use have no effect of their own. */
const isInertName = (name: string): boolean => /^(?:aria|data)-[a-z][a-z0-9-]*$/.test(name)

const depthMax = 100
const printedMax = 60

const namePattern = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y
const spacePattern = /[ \t\r\n]*/y
const equalsPattern = /[ \t\r\n]*=[ \t\r\n]*/y
const declarationPattern =
  /<\?xml[ \t\r\n]+version=["']1\.[01]["'](?:[ \t\r\n]+encoding=["']utf-8["'])?(?:[ \t\r\n]+standalone=["'](?:yes|no)["'])?[ \t\r\n]*\?>/iy

/**
 * What is wrong with the file, in words for its author; undefined when it is harmless. Takes time in proportion to the
 * length.
 */
export const findSvgFault = (bytes: Uint8Array): string | undefined => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return 'the SVG file is not encoded as UTF-8.'
  }
  try {
    readDocument(text)
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}

class Fault extends Error {}

interface Cursor {
  text: string
  at: number
}

const readDocument = (text: string): void => {
  const cursor: Cursor = { text, at: 0 }
  matchAt(declarationPattern, cursor)
  const open: string[] = []
  let hasRoot = false
  // A browser joins all text of a style element, whatever stands between the pieces.
  let style = ''
  while (cursor.at < text.length) {
    const inside = open.at(-1)
    if (text[cursor.at] !== '<') {
      const content = readText(cursor)
      if (inside === undefined && content.trim() !== '') throw notWellFormed()
      if (inside === 'style') style += content
    } else if (text.startsWith('<!--', cursor.at)) {
      skipTo(cursor, '<!--', '-->')
    } else if (inside === 'style' && text.startsWith('<![CDATA[', cursor.at)) {
      style += skipTo(cursor, '<![CDATA[', ']]>')
    } else if (text.startsWith('</', cursor.at)) {
      cursor.at += 2
      const name = matchAt(namePattern, cursor)
      matchAt(spacePattern, cursor)
      if (name === '' || name !== open.pop() || !takeAt(cursor, '>')) throw notWellFormed()
      if (name === 'style') checkStyle(style)
    } else {
      if (inside === 'style') throw notWellFormed()
      style = ''
      cursor.at += 1
      const { name, isClosed } = readTag(cursor, inside === undefined)
      if (inside === undefined && hasRoot) throw notWellFormed()
      hasRoot = true
      if (!isClosed) open.push(name)
      if (open.length > depthMax) throw new Fault('the elements of the SVG file are nested too deeply.')
    }
  }
  if (open.length > 0 || !hasRoot) throw notWellFormed()
}

const notAllowedAttribute = (name: string): Fault =>
  new Fault(`the attribute ${name.slice(0, printedMax)} is not allowed in an SVG file.`)

const notWellFormed = (): Fault => new Fault('the SVG file is not well-formed, or uses more of XML than is supported.')

/** Text up to the next tag. */
const readText = (cursor: Cursor): string => {
  const next = cursor.text.indexOf('<', cursor.at)
  const end = next < 0 ? cursor.text.length : next
  const text = cursor.text.slice(cursor.at, end)
  cursor.at = end
  return decodeReferences(text)
}

/** Name and end of a tag, behind its `<`; checks the attributes. */
const readTag = (cursor: Cursor, isRoot: boolean): { name: string; isClosed: boolean } => {
  const name = matchAt(namePattern, cursor)
  // What begins with ? or ! has no name: instructions, document types, other sections.
  if (name === '') throw notWellFormed()
  const isEditors = editorPrefixes.has(prefixOf(name))
  if (isRoot ? name !== 'svg' : !isEditors && !elements.has(name)) {
    throw new Fault(`the element ${name.slice(0, printedMax)} is not allowed in an SVG file.`)
  }
  const seen = new Set<string>()
  for (;;) {
    const space = matchAt(spacePattern, cursor)
    if (takeAt(cursor, '/>')) return { name: checkedRoot(name, isRoot, seen), isClosed: true }
    if (takeAt(cursor, '>')) return { name: checkedRoot(name, isRoot, seen), isClosed: false }
    const attribute = matchAt(namePattern, cursor)
    if (space === '' || attribute === '' || seen.has(attribute)) throw notWellFormed()
    seen.add(attribute)
    const value = readValue(cursor)
    if (attribute === 'xmlns' || prefixOf(attribute) === 'xmlns') checkNamespace(attribute, value)
    else if (!isEditors) checkAttribute(name, attribute, value)
    // Harmless in a file, but not if somebody put the elements into a page of HTML.
    else if (/^on/i.test(attribute)) throw notAllowedAttribute(attribute)
  }
}

/** Without its namespace a file is no SVG to a browser. */
const checkedRoot = (name: string, isRoot: boolean, seen: ReadonlySet<string>): string => {
  if (isRoot && !seen.has('xmlns')) throw new Fault(`the element svg needs xmlns="${svgNamespace}".`)
  return name
}

const readValue = (cursor: Cursor): string => {
  if (matchAt(equalsPattern, cursor) === '') throw notWellFormed()
  const quote = cursor.text[cursor.at]
  const end = quote === '"' || quote === "'" ? cursor.text.indexOf(quote, cursor.at + 1) : -1
  if (end < 0) throw notWellFormed()
  const value = cursor.text.slice(cursor.at + 1, end)
  if (value.includes('<')) throw notWellFormed()
  cursor.at = end + 1
  return decodeReferences(value)
}

const checkNamespace = (attribute: string, value: string): void => {
  const expected = attribute === 'xmlns' ? svgNamespace : namespaces.get(attribute.slice('xmlns:'.length))
  if (value !== expected) throw new Fault(`the namespace of ${attribute.slice(0, printedMax)} is not allowed.`)
}

const rasterImage = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/

const checkAttribute = (element: string, attribute: string, value: string): void => {
  if (attribute === 'href' || attribute === 'xlink:href') {
    const isInside = value.startsWith('#') || (element === 'image' && rasterImage.test(value))
    if (!isInside) throw new Fault(`${attribute} must refer to something inside the SVG file.`)
  } else if (!attributes.has(attribute)) {
    if (!isInertName(attribute) && !editorPrefixes.has(prefixOf(attribute))) {
      throw notAllowedAttribute(attribute)
    }
  } else if (attribute === 'style') checkStyle(value)
  else checkReferences(value)
}

const localUrl = /url\(\s*(["']?)#[\w.:-]+\1\s*\)/gi
const loading = /(?:url|src|image|image-set|cross-fade|element|paint|expression)\s*\(|\\/i

/** Presentation attributes are read as CSS, with its functions and its escapes. */
const checkReferences = (value: string): void => {
  if (loading.test(value.replace(localUrl, ''))) throw new Fault('the SVG file refers to something outside of it.')
}

const checkStyle = (css: string): void => {
  checkReferences(css)
  if (/@|javascript:|behaviou?r\s*:|-moz-binding/i.test(css)) {
    throw new Fault('the styles of the SVG file are not allowed.')
  }
}

const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const reference = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));|&/gi

/** The text with its character references replaced; other entities do not exist without a document type. */
const decodeReferences = (text: string): string =>
  text.replace(reference, (_, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return characters[name] ?? fail()
    const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : 0
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : fail()
  })

const fail = (): never => {
  throw notWellFormed()
}

const prefixOf = (name: string): string => (name.includes(':') ? name.slice(0, name.indexOf(':')) : '')

const matchAt = (pattern: RegExp, cursor: Cursor): string => {
  pattern.lastIndex = cursor.at
  const matched = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += matched.length
  return matched
}

const takeAt = (cursor: Cursor, text: string): boolean => {
  if (!cursor.text.startsWith(text, cursor.at)) return false
  cursor.at += text.length
  return true
}

/** Moves behind a section and returns what stands in it. */
const skipTo = (cursor: Cursor, start: string, end: string): string => {
  const from = cursor.at + start.length
  const found = cursor.text.indexOf(end, from)
  if (found < 0) throw notWellFormed()
  cursor.at = found + end.length
  return cursor.text.slice(from, found)
}
