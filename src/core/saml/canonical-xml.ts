/**
 * Exclusive XML Canonicalization 1.0 without comments (W3C, 2002): the one way to write an element that signer and verifier
 * agree on.
 *
 * Its purpose is to arrive at the bytes that the signer has hashed. What a verified element says is read from these very
 * bytes, so a mistake here can make an honest signature look wrong, but can never make a forged one look right.
 */
import { findNamespace, type XmlElement, XmlFault } from '../xml.ts'

export interface Canonicalization {
  /** A descendant that is left out: the signature that the element carries. */
  without?: XmlElement
  /** Prefixes whose namespaces are written wherever they are in scope; empty for the default namespace. */
  inclusivePrefixes?: readonly string[]
}

/** Short namespaces that many elements repeat could otherwise grow to much more than was read. */
const lengthMax = 2_000_000

/** The canonical form of the element. @throws XmlFault when it is out of all proportion. */
export const canonicalize = (
  element: XmlElement,
  { without, inclusivePrefixes = [] }: Canonicalization = {},
): string => {
  const parts: string[] = []
  let length = 0
  const put = (part: string): void => {
    length += part.length
    if (length > lengthMax) throw new XmlFault('too long when it is written in full')
    parts.push(part)
  }
  const write = (current: XmlElement, rendered: ReadonlyMap<string, string>): void => {
    const { prefix } = current.written
    const tag = prefix === '' ? current.name : `${prefix}:${current.name}`
    let declared = rendered
    put(`<${tag}`)
    for (const [used, uri] of namespacesOf(current, inclusivePrefixes)) {
      // An element without a namespace need not say so where no default namespace has been written.
      if ((declared.get(used) ?? (used === '' ? '' : undefined)) === uri) continue
      declared = new Map(declared).set(used, uri)
      put(` ${used === '' ? 'xmlns' : `xmlns:${used}`}="${escapeAttribute(uri)}"`)
    }
    for (const [name, value] of attributesOf(current)) put(` ${name}="${escapeAttribute(value)}"`)
    put('>')
    for (const child of current.children) {
      if (typeof child === 'string') put(escapeText(child))
      else if (child !== without) write(child, declared)
    }
    put(`</${tag}>`)
  }
  write(element, new Map())
  return parts.join('')
}

/** What the names of the element use, and of the prefixes asked for those that are in scope; by prefix, in order. */
const namespacesOf = (element: XmlElement, inclusivePrefixes: readonly string[]): [string, string][] => {
  const { prefix, attributePrefixes, scope } = element.written
  const used = new Map([[prefix, element.namespace]])
  for (const [key, attributePrefix] of attributePrefixes) used.set(attributePrefix, splitKey(key).namespace)
  for (const inclusive of inclusivePrefixes) {
    const uri = findNamespace(scope, inclusive)
    if (uri !== undefined) used.set(inclusive, uri)
  }
  used.delete('xml')
  return [...used].sort(([a], [b]) => compare(a, b))
}

/** Names as they were written and values, ordered by namespace and then by name; those without a namespace come first. */
const attributesOf = ({ attributes, written }: XmlElement): [string, string][] =>
  [...attributes]
    .map(([key, value]) => ({ ...splitKey(key), prefix: written.attributePrefixes.get(key), value }))
    .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name))
    .map(({ prefix, name, value }) => [prefix === undefined ? name : `${prefix}:${name}`, value])

const splitKey = (key: string): { namespace: string; name: string } => {
  const end = key.startsWith('{') ? key.lastIndexOf('}') : -1
  return { namespace: key.slice(1, Math.max(1, end)), name: key.slice(end + 1) }
}

/** By code points; JavaScript compares halves of them. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The text between the tags of an element. */
export const escapeText = (text: string): string =>
  !/[&<>\r]/.test(text)
    ? text
    : text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#xD;')

/** The text as the value of an attribute between double quotation marks. */
export const escapeAttribute = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#x9;')
    .replaceAll('\n', '&#xA;')
    .replaceAll('\r', '&#xD;')
