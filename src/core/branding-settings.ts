/**
 * The settings document of a managed login branding style: its members, their defaults, and how a caller's document is
 * checked and completed. The defaults are those that the service shows for a style without changes; they are also the
 * list of what a document may contain.
 */
import { invalidBrandingSettings } from './errors.ts'

export type Json = null | boolean | number | string | Json[] | { [member: string]: Json }
export type JsonObject = { [member: string]: Json }

/** One member for each of the two colour schemes. */
const modes = (darkMode: JsonObject, lightMode: JsonObject): JsonObject => ({ darkMode, lightMode })

const colours = (names: readonly string[], values: readonly string[]): JsonObject =>
  Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
const plain = (...values: string[]) => colours(['backgroundColor', 'borderColor'], values)
const framed = (...values: string[]) => colours(['backgroundColor', 'borderColor', 'textColor'], values)
const filled = (...values: string[]) => colours(['backgroundColor', 'textColor'], values)
const chosen = (...values: string[]) => colours(['backgroundColor', 'foregroundColor'], values)
const indicated = (...values: string[]) => colours(['backgroundColor', 'borderColor', 'indicatorColor'], values)
const written = (...values: string[]) => colours(['bodyColor', 'descriptionColor', 'headingColor'], values)
const item = (...values: string[]) => colours(['itemBackgroundColor', 'itemBorderColor', 'itemTextColor'], values)
const match = (...values: string[]) => colours(['itemBackgroundColor', 'itemTextColor'], values)

/** Header and footer of the page are alike. */
const pageEdge = (): JsonObject => ({
  backgroundImage: { enabled: false },
  logo: { enabled: false, location: 'START' },
  ...modes(
    { background: { color: '0f141aff' }, borderColor: '424650ff' },
    { background: { color: 'fafafaff' }, borderColor: 'd5dbdbff' },
  ),
})

/** Colours are eight hexadecimal digits: red, green, blue, opacity. */
export const defaultBrandingSettings: JsonObject = {
  categories: {
    auth: {
      authMethodOrder: [
        [
          { display: 'BUTTON', type: 'FEDERATED' },
          { display: 'INPUT', type: 'USERNAME_PASSWORD' },
        ],
      ],
      federation: { interfaceStyle: 'BUTTON_LIST', order: [] },
    },
    form: {
      displayGraphics: true,
      instructions: { enabled: false },
      languageSelector: { enabled: false },
      location: { horizontal: 'CENTER', vertical: 'CENTER' },
      sessionTimerDisplay: 'NONE',
    },
    global: {
      colorSchemeMode: 'LIGHT',
      pageFooter: { enabled: false },
      pageHeader: { enabled: false },
      spacingDensity: 'REGULAR',
    },
    signUp: { acceptanceElements: [{ enforcement: 'NONE', textKey: 'en' }] },
  },
  componentClasses: {
    buttons: { borderRadius: 8 },
    divider: modes({ borderColor: '232b37ff' }, { borderColor: 'ebebf0ff' }),
    dropDown: {
      borderRadius: 8,
      ...modes(
        {
          defaults: { itemBackgroundColor: '192534ff' },
          hover: item('081120ff', '5f6b7aff', 'e9ebedff'),
          match: match('d1d5dbff', '89bdeeff'),
        },
        {
          defaults: { itemBackgroundColor: 'ffffffff' },
          hover: item('f4f4f4ff', '7d8998ff', '000716ff'),
          match: match('414d5cff', '0972d3ff'),
        },
      ),
    },
    focusState: modes({ borderColor: '539fe5ff' }, { borderColor: '0972d3ff' }),
    idpButtons: { icons: { enabled: true } },
    input: {
      borderRadius: 8,
      ...modes(
        { defaults: plain('0f1b2aff', '5f6b7aff'), placeholderColor: '8d99a8ff' },
        { defaults: plain('ffffffff', '7d8998ff'), placeholderColor: '5f6b7aff' },
      ),
    },
    inputDescription: modes({ textColor: '8d99a8ff' }, { textColor: '5f6b7aff' }),
    inputLabel: modes({ textColor: 'd1d5dbff' }, { textColor: '000716ff' }),
    link: modes(
      { defaults: { textColor: '539fe5ff' }, hover: { textColor: '89bdeeff' } },
      { defaults: { textColor: '0972d3ff' }, hover: { textColor: '033160ff' } },
    ),
    optionControls: modes(
      { defaults: plain('0f1b2aff', '7d8998ff'), selected: chosen('539fe5ff', '000716ff') },
      { defaults: plain('ffffffff', '7d8998ff'), selected: chosen('0972d3ff', 'ffffffff') },
    ),
    statusIndicator: modes(
      {
        error: indicated('1a0000ff', 'eb6f6fff', 'eb6f6fff'),
        pending: { indicatorColor: 'AAAAAAAA' },
        success: indicated('001a02ff', '29ad32ff', '29ad32ff'),
        warning: indicated('1d1906ff', 'e0ca57ff', 'e0ca57ff'),
      },
      {
        error: indicated('fff7f7ff', 'd91515ff', 'd91515ff'),
        pending: { indicatorColor: 'AAAAAAAA' },
        success: indicated('f2fcf3ff', '037f0cff', '037f0cff'),
        warning: indicated('fffce9ff', '8d6605ff', '8d6605ff'),
      },
    ),
  },
  components: {
    alert: {
      borderRadius: 12,
      ...modes({ error: plain('1a0000ff', 'eb6f6fff') }, { error: plain('fff7f7ff', 'd91515ff') }),
    },
    favicon: { enabledTypes: ['ICO', 'SVG'] },
    form: {
      backgroundImage: { enabled: false },
      borderRadius: 8,
      logo: { enabled: false, formInclusion: 'IN', location: 'CENTER', position: 'TOP' },
      ...modes(plain('0f1b2aff', '424650ff'), plain('ffffffff', 'c6c6cdff')),
    },
    idpButton: {
      custom: {},
      standard: modes(
        {
          active: framed('354150ff', '89bdeeff', '89bdeeff'),
          defaults: framed('0f1b2aff', 'c6c6cdff', 'c6c6cdff'),
          hover: framed('192534ff', '89bdeeff', '89bdeeff'),
        },
        {
          active: framed('d3e7f9ff', '033160ff', '033160ff'),
          defaults: framed('ffffffff', '424650ff', '424650ff'),
          hover: framed('f2f8fdff', '033160ff', '033160ff'),
        },
      ),
    },
    pageBackground: { image: { enabled: true }, ...modes({ color: '0f1b2aff' }, { color: 'ffffffff' }) },
    pageFooter: pageEdge(),
    pageHeader: pageEdge(),
    pageText: modes(written('b6bec9ff', 'b6bec9ff', 'd1d5dbff'), written('414d5cff', '414d5cff', '000716ff')),
    phoneNumberSelector: { displayType: 'TEXT' },
    primaryButton: modes(
      {
        active: filled('539fe5ff', '000716ff'),
        defaults: filled('539fe5ff', '000716ff'),
        disabled: plain('ffffffff', 'ffffffff'),
        hover: filled('89bdeeff', '000716ff'),
      },
      {
        active: filled('033160ff', 'ffffffff'),
        defaults: filled('0972d3ff', 'ffffffff'),
        disabled: plain('ffffffff', 'ffffffff'),
        hover: filled('033160ff', 'ffffffff'),
      },
    ),
    secondaryButton: modes(
      {
        active: framed('354150ff', '89bdeeff', '89bdeeff'),
        defaults: framed('0f1b2aff', '539fe5ff', '539fe5ff'),
        hover: framed('192534ff', '89bdeeff', '89bdeeff'),
      },
      {
        active: framed('d3e7f9ff', '033160ff', '033160ff'),
        defaults: framed('ffffffff', '0972d3ff', '0972d3ff'),
        hover: framed('f2f8fdff', '033160ff', '033160ff'),
      },
    ),
  },
}

/** Room for the full document many times over, with custom buttons for every provider. */
const documentLengthMax = 262_144
const depthMax = 16
const textLengthMax = 256
const listLengthMax = 300
const numberMax = 10_000
const printedMax = 200

/** Members whose default is empty, so that it does not tell what they hold. */
const listOfText: Json = ['']
const emptyDefaults = new Map<string, 'list of text' | 'by provider'>([
  ['categories.auth.federation.order', 'list of text'],
  ['components.idpButton.custom', 'by provider'],
])

/**
 * Checks a caller's settings and returns them. Every member must be one of the defaults' and of their type; where the
 * default is a colour, it must be a colour. Words like `CENTER` are kept as they are. What stands below
 * `components.idpButton.custom` has names of providers as members and is free in its shape.
 * @throws InvalidParameterException
 */
export const checkBrandingSettings = (settings: unknown): JsonObject => {
  if (!isObject(settings)) throw invalidBrandingSettings('settings', 'it must be an object.')
  if (JSON.stringify(settings).length > documentLengthMax) throw invalidBrandingSettings('settings', 'it is too large.')
  checkMembers(settings, defaultBrandingSettings, '')
  return settings
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (path: string, reason: string): Error => invalidBrandingSettings(path.slice(0, printedMax), reason)

const checkMembers = (settings: JsonObject, allowed: JsonObject, path: string): void => {
  for (const [name, value] of Object.entries(settings)) {
    const place = path === '' ? name : `${path}.${name}`
    const like = Object.hasOwn(allowed, name) ? allowed[name] : undefined
    if (like === undefined) throw invalid(place, 'there is no such member.')
    const special = emptyDefaults.get(place)
    if (special === 'by provider') checkFree(value, place, 0)
    else checkValue(value, special === 'list of text' ? listOfText : like, place)
  }
}

const colour = /^[0-9a-fA-F]{8}$/

const checkValue = (value: Json, like: Json, path: string): void => {
  if (Array.isArray(like)) {
    if (!Array.isArray(value) || value.length > listLengthMax) throw invalid(path, 'it must be a list.')
    for (const [index, element] of value.entries()) checkValue(element, like[0] ?? '', `${path}.${index}`)
  } else if (isObject(like)) {
    if (!isObject(value)) throw invalid(path, 'it must be an object.')
    checkMembers(value, like, path)
  } else if (typeof value !== typeof like) throw invalid(path, `it must be a ${typeof like}.`)
  else if (typeof like === 'string' && colour.test(like) && !colour.test(String(value))) {
    throw invalid(path, 'it must be a colour of eight hexadecimal digits.')
  } else checkScalar(value, path)
}

const checkScalar = (value: Json, path: string): void => {
  if (typeof value === 'string' && value.length > textLengthMax) throw invalid(path, 'it is too long.')
  if (typeof value === 'number' && !(value >= 0 && value <= numberMax)) throw invalid(path, 'it is out of range.')
}

const checkFree = (value: Json, path: string, depth: number): void => {
  if (depth === 0 && !isObject(value)) throw invalid(path, 'it must be an object.')
  if (depth > depthMax) throw invalid(path, 'it is nested too deeply.')
  checkScalar(value, path)
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) checkFree(child, `${path}.${name}`, depth + 1)
}

/**
 * The whole document: the defaults with the caller's settings in place of their own. Objects are merged member by
 * member, everything else is replaced. Objects of the result have no prototype.
 */
export const mergeBrandingSettings = (settings: JsonObject = {}): JsonObject =>
  merged(defaultBrandingSettings, settings)

const merged = (base: JsonObject, over: JsonObject): JsonObject => {
  const result: JsonObject = Object.create(null)
  for (const [name, value] of Object.entries(base)) result[name] = value
  for (const [name, value] of Object.entries(over)) {
    const before = result[name]
    result[name] = isObject(before) && isObject(value) ? merged(before, value) : value
  }
  return result
}
