/** The languages of the pages: which there are, which one a request gets, and how texts are filled in. */
import { type Html, html } from '../html.ts'
import type { en } from './en.ts'

export type TextKey = keyof typeof en
export type Texts = Readonly<Record<TextKey, string>>

export interface Language {
  /** BCP 47; also the value of the parameter and the cookie `lang`. */
  tag: string
  /** In the language itself. */
  name: string
  direction: 'ltr' | 'rtl'
  texts: Texts
}

interface LanguageEntry extends Omit<Language, 'tag' | 'texts'> {
  load: () => Promise<Texts>
}

const defaultTag = 'en'

/** By tag, in the order of a list for users. Texts are loaded when a page first needs them. */
const languages = new Map<string, LanguageEntry>([
  ['en', { name: 'English', direction: 'ltr', load: async () => (await import('./en.ts')).en }],
  ['de', { name: 'Deutsch', direction: 'ltr', load: async () => (await import('./de.ts')).de }],
  ['es', { name: 'Español', direction: 'ltr', load: async () => (await import('./es.ts')).es }],
  ['fr', { name: 'Français', direction: 'ltr', load: async () => (await import('./fr.ts')).fr }],
  ['id', { name: 'Bahasa Indonesia', direction: 'ltr', load: async () => (await import('./id.ts')).id }],
  ['it', { name: 'Italiano', direction: 'ltr', load: async () => (await import('./it.ts')).it }],
  ['nl', { name: 'Nederlands', direction: 'ltr', load: async () => (await import('./nl.ts')).nl }],
  ['pt-BR', { name: 'Português (Brasil)', direction: 'ltr', load: async () => (await import('./pt-br.ts')).ptBr }],
  ['ar', { name: 'العربية', direction: 'rtl', load: async () => (await import('./ar.ts')).ar }],
  ['ja', { name: '日本語', direction: 'ltr', load: async () => (await import('./ja.ts')).ja }],
  ['ko', { name: '한국어', direction: 'ltr', load: async () => (await import('./ko.ts')).ko }],
  ['zh-CN', { name: '简体中文', direction: 'ltr', load: async () => (await import('./zh-cn.ts')).zhCn }],
  ['zh-TW', { name: '繁體中文', direction: 'ltr', load: async () => (await import('./zh-tw.ts')).zhTw }],
])

/** All languages with their own names, for a list to choose from. */
export const languageList: readonly Pick<Language, 'tag' | 'name' | 'direction'>[] = [...languages].map(
  ([tag, { name, direction }]) => ({ tag, name, direction }),
)

/** The language with its texts. An unknown tag gets English. */
export const loadLanguage = async (tag: string): Promise<Language> => {
  const [known, { name, direction, load }] = entryOf(tag)
  return { tag: known, name, direction, texts: await load() }
}

const entryOf = (tag: string): [string, LanguageEntry] => {
  const entry = languages.get(tag) ?? languages.get(defaultTag)
  if (entry === undefined) throw new Error('the default language is missing')
  return [languages.has(tag) ? tag : defaultTag, entry]
}

/** Chinese is written in two ways; which one follows from the script or the region. */
const traditional = /^zh\b.*\b(?:hant|tw|hk|mo)\b/

/** The language of ours that a tag asks for (RFC 4647, look-up), or undefined. */
export const findLanguage = (tag: string): string | undefined => {
  const wanted = tag.trim().toLowerCase().replaceAll('_', '-')
  if (wanted.length > 35) return undefined
  const tags = [...languages.keys()]
  const same = tags.find(candidate => candidate.toLowerCase() === wanted)
  if (same !== undefined) return same
  const [language = ''] = wanted.split('-', 1)
  if (language === 'zh') return tags.find(candidate => candidate === (traditional.test(wanted) ? 'zh-TW' : 'zh-CN'))
  return tags.find(candidate => candidate.split('-', 1)[0] === language)
}

export interface LanguageWish {
  /** The parameter `lang` of the request. */
  parameter?: string | undefined
  /** The cookie `lang`, which keeps an earlier parameter. */
  cookie?: string | undefined
  /** The header Accept-Language. */
  accepted?: string | undefined
}

/** The tag for a request: its parameter, else the cookie, else the best of the browser's languages, else English. */
export const chooseLanguage = ({ parameter, cookie, accepted }: LanguageWish): string =>
  (parameter !== undefined && findLanguage(parameter)) ||
  (cookie !== undefined && findLanguage(cookie)) ||
  preferences(accepted ?? '')
    .map(findLanguage)
    .find(tag => tag !== undefined) ||
  defaultTag

const acceptedLengthMax = 1_000

/** The tags of an Accept-Language header, the most wanted first (RFC 9110, section 12.5.4). */
const preferences = (accepted: string): string[] =>
  accepted
    .slice(0, acceptedLengthMax)
    .split(',')
    .map(entry => {
      const [tag = '', ...parameters] = entry.split(';').map(part => part.trim())
      const quality = parameters.find(parameter => parameter.startsWith('q='))
      return { tag, quality: quality === undefined ? 1 : Number(quality.slice(2)) }
    })
    .filter(({ tag, quality }) => tag !== '' && tag !== '*' && quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)

const placeholder = /\{(\w+)\}/g

/** The text with its placeholders replaced; one without a value stays as it is. */
export const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(placeholder, (whole, name: string) => values[name] ?? whole)

/** The same with markup among the values; the text itself is escaped. */
export const fillHtml = (text: string, values: Readonly<Record<string, string | Html>>): Html =>
  html`${text.split(placeholder).map((part, index) => (index % 2 === 0 ? part : (values[part] ?? `{${part}}`)))}`
