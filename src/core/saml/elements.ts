/** Looking into messages: what must be there once, what may be, and nothing else. */
import { parseXml, type ReadingOptions, textOf, type XmlElement, XmlFault } from '../xml.ts'
import { SamlFault } from './fault.ts'

/** The root of a message, in which comments and processing instructions have no business. @throws SamlFault */
export const readMessage = (text: string, options: Pick<ReadingOptions, 'scope'> = {}): XmlElement => {
  try {
    return parseXml(text, { ...options, plain: true })
  } catch (error) {
    throw error instanceof XmlFault ? malformed(error.message) : error
  }
}

export const malformed = (message: string): SamlFault => new SamlFault('malformed', message)

/** The child elements in order. */
export const elementsOf = (element: XmlElement): XmlElement[] =>
  element.children.filter((child): child is XmlElement => typeof child !== 'string')

export const isNamed = (element: XmlElement, namespace: string, name: string): boolean =>
  element.namespace === namespace && element.name === name

/** The children with this name. */
export const all = (element: XmlElement, namespace: string, name: string): XmlElement[] =>
  elementsOf(element).filter(child => isNamed(child, namespace, name))

/** The one child with this name, or undefined. @throws SamlFault when there are several */
export const atMostOne = (element: XmlElement, namespace: string, name: string): XmlElement | undefined => {
  const [found, second] = all(element, namespace, name)
  if (second !== undefined) throw malformed(`${name} is there twice`)
  return found
}

/** @throws SamlFault when there is none, or more than one */
export const exactlyOne = (element: XmlElement, namespace: string, name: string): XmlElement => {
  const found = atMostOne(element, namespace, name)
  if (found === undefined) throw malformed(`${name} is missing`)
  return found
}

/** The text of an element that holds nothing else, without the space around it. @throws SamlFault */
export const plainText = (element: XmlElement): string => {
  if (elementsOf(element).length > 0) throw malformed(`${element.name} holds more than text`)
  return textOf(element).trim()
}

/** The bytes of an element that holds base64, written in the one way there is. @throws SamlFault */
export const base64Of = (element: XmlElement): Buffer => {
  const text = plainText(element).replaceAll(/[ \t\r\n]/g, '')
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw malformed(`${element.name} is not base64`)
  return bytes
}

/** The element and all that is in it, outer ones first. */
export const everyElement = (element: XmlElement): XmlElement[] => {
  const found = [element]
  for (const one of found) {
    for (const child of one.children) if (typeof child !== 'string') found.push(child)
  }
  return found
}

const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?Z$/

/** The moment that an attribute names, in milliseconds since the epoch; undefined when it is absent. @throws SamlFault */
export const momentOf = (element: XmlElement, attribute: string): number | undefined => {
  const text = element.attributes.get(attribute)
  if (text === undefined) return undefined
  // SAML Core, section 1.3.3: in UTC.
  const moment = text.length <= 40 && dateTime.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(moment)) throw malformed(`${attribute} is no moment`)
  return moment
}
