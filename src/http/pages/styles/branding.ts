/**
 * A branding style as CSS: each setting that is a colour, a radius or a place becomes a custom property that the sheet
 * of managed login uses. What reaches the text is checked here again, so that no setting can be read as more than a
 * value: colours are digits, places are words of a list.
 */
import type { Json, JsonObject } from '../../../core/branding-settings.ts'

/** Which of the colours are shown. `light dark` follows the browser. */
export type ColorScheme = 'light' | 'dark' | 'light dark'
type Mode = 'lightMode' | 'darkMode'

/** The value at a path of members; undefined when there is none. */
export const settingAt = (settings: Json | undefined, path: string): Json | undefined => {
  let value = settings
  for (const name of path.split('.')) value = memberOf(value, name)
  return value
}

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isOn = (settings: JsonObject, path: string): boolean => settingAt(settings, path) === true

/** The one of the words that is set there, in lower case; the first one when it is none of them. */
export const wordAt = <Word extends string>(
  settings: JsonObject,
  path: string,
  words: readonly [Word, ...Word[]],
): Word => {
  const value = settingAt(settings, path)
  return words.find(word => typeof value === 'string' && word === value.toLowerCase()) ?? words[0]
}

export const colorSchemeOf = (settings: JsonObject): ColorScheme => {
  const mode = wordAt(settings, 'categories.global.colorSchemeMode', ['light', 'dark', 'dynamic'])
  return mode === 'dynamic' ? 'light dark' : mode
}

/** Eight hexadecimal digits: red, green, blue, opacity. */
const colour = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && /^[\da-f]{8}$/i.test(value) ? `#${value.toLowerCase()}` : undefined

/** Custom properties by the place of their colour; `*` stands for the mode. */
const colours: readonly (readonly [property: string, path: string])[] = [
  ['page', 'components.pageBackground.*.color'],
  ['header', 'components.pageHeader.*.background.color'],
  ['header-border', 'components.pageHeader.*.borderColor'],
  ['footer', 'components.pageFooter.*.background.color'],
  ['footer-border', 'components.pageFooter.*.borderColor'],
  ['heading', 'components.pageText.*.headingColor'],
  ['body', 'components.pageText.*.bodyColor'],
  ['description', 'components.pageText.*.descriptionColor'],
  ['form', 'components.form.*.backgroundColor'],
  ['form-border', 'components.form.*.borderColor'],
  ['alert-error', 'components.alert.*.error.backgroundColor'],
  ['alert-error-border', 'components.alert.*.error.borderColor'],
  ['primary', 'components.primaryButton.*.defaults.backgroundColor'],
  ['primary-text', 'components.primaryButton.*.defaults.textColor'],
  ['primary-hover', 'components.primaryButton.*.hover.backgroundColor'],
  ['primary-hover-text', 'components.primaryButton.*.hover.textColor'],
  ['primary-active', 'components.primaryButton.*.active.backgroundColor'],
  ['primary-active-text', 'components.primaryButton.*.active.textColor'],
  ...buttonColours('secondary', 'components.secondaryButton'),
  ...buttonColours('provider', 'components.idpButton.standard'),
  ['divider', 'componentClasses.divider.*.borderColor'],
  ['menu', 'componentClasses.dropDown.*.defaults.itemBackgroundColor'],
  ['menu-hover', 'componentClasses.dropDown.*.hover.itemBackgroundColor'],
  ['menu-hover-border', 'componentClasses.dropDown.*.hover.itemBorderColor'],
  ['menu-hover-text', 'componentClasses.dropDown.*.hover.itemTextColor'],
  ['menu-match-text', 'componentClasses.dropDown.*.match.itemTextColor'],
  ['focus', 'componentClasses.focusState.*.borderColor'],
  ['input', 'componentClasses.input.*.defaults.backgroundColor'],
  ['input-border', 'componentClasses.input.*.defaults.borderColor'],
  ['hint', 'componentClasses.inputDescription.*.textColor'],
  ['label', 'componentClasses.inputLabel.*.textColor'],
  ['link', 'componentClasses.link.*.defaults.textColor'],
  ['link-hover', 'componentClasses.link.*.hover.textColor'],
  ['option', 'componentClasses.optionControls.*.defaults.backgroundColor'],
  ['option-border', 'componentClasses.optionControls.*.defaults.borderColor'],
  ['option-selected', 'componentClasses.optionControls.*.selected.backgroundColor'],
  ['option-selected-mark', 'componentClasses.optionControls.*.selected.foregroundColor'],
  ...['error', 'success', 'warning'].flatMap(state => [
    [state, `componentClasses.statusIndicator.*.${state}.backgroundColor`] as const,
    [`${state}-border`, `componentClasses.statusIndicator.*.${state}.borderColor`] as const,
    [`${state}-mark`, `componentClasses.statusIndicator.*.${state}.indicatorColor`] as const,
  ]),
  ['pending-mark', 'componentClasses.statusIndicator.*.pending.indicatorColor'],
]

function buttonColours(property: string, path: string): (readonly [string, string])[] {
  return (['defaults', 'hover', 'active'] as const).flatMap(state => {
    const name = state === 'defaults' ? property : `${property}-${state}`
    return [
      [name, `${path}.*.${state}.backgroundColor`] as const,
      [`${name}-border`, `${path}.*.${state}.borderColor`] as const,
      [`${name}-text`, `${path}.*.${state}.textColor`] as const,
    ]
  })
}

const radii: readonly (readonly [property: string, path: string])[] = [
  ['radius-button', 'componentClasses.buttons.borderRadius'],
  ['radius-menu', 'componentClasses.dropDown.borderRadius'],
  ['radius-input', 'componentClasses.input.borderRadius'],
  ['radius-alert', 'components.alert.borderRadius'],
  ['radius-form', 'components.form.borderRadius'],
]

const declared = (property: string, value: string | undefined): string =>
  value === undefined ? '' : `--${property}:${value};`

const coloursOf = (settings: JsonObject, mode: Mode): string =>
  colours.map(([property, path]) => declared(property, colour(settingAt(settings, path.replace('*', mode))))).join('')

const places = { start: 'flex-start', center: 'center', end: 'flex-end' } as const
const placeAt = (settings: JsonObject, path: string): string =>
  places[wordAt(settings, path, ['center', 'start', 'end'])]

/** What does not depend on the mode. */
const shapeOf = (settings: JsonObject): string =>
  radii
    .map(([property, path]) => {
      const value = settingAt(settings, path)
      return declared(property, typeof value === 'number' ? `${value}px` : undefined)
    })
    .join('') +
  declared('form-x', placeAt(settings, 'categories.form.location.horizontal')) +
  declared('form-y', placeAt(settings, 'categories.form.location.vertical')) +
  (isOn(settings, 'categories.form.displayGraphics') ? '' : declared('graphics', 'none')) +
  (wordAt(settings, 'categories.global.spacingDensity', ['regular', 'compact']) === 'compact'
    ? declared('density', '.7')
    : '')

/** Pictures by the name of their property: the addresses for both modes, which must need no escape in CSS. */
export type Pictures = ReadonlyMap<string, { light: string | undefined; dark: string | undefined }>

const picturesOf = (pictures: Pictures, mode: Mode): string =>
  [...pictures]
    .map(([property, { light, dark }]) => {
      const address = mode === 'lightMode' ? light : dark
      return address === undefined ? '' : declared(property, `url(${fromSheet(address)})`)
    })
    .join('')

/** As the sheet of a style sees it, which need not be where the server's own paths begin. */
const fromSheet = (address: string): string => address.replace(/^\/pages\//, '../../../')

/** Providers that have colours of their own, in the order of the class names. */
export const customProviders = (settings: JsonObject): string[] => {
  const custom = settingAt(settings, 'components.idpButton.custom')
  return isObject(custom) ? Object.keys(custom) : []
}

export const customProviderClass = (index: number): string => `provider-own-${index + 1}`

/** The colours of the standard button, again, below the class of one provider. */
const providerRules = (settings: JsonObject, mode: Mode): string =>
  customProviders(settings)
    .map((name, index) => {
      const own = memberOf(settingAt(settings, 'components.idpButton.custom'), name)
      const values = buttonColours('provider', mode)
        .map(([property, path]) => declared(property, colour(settingAt(own, path.replace('.*.', '.')))))
        .join('')
      return values === '' ? '' : `.${customProviderClass(index)}{${values}}`
    })
    .join('')

/** The custom properties of a style, for the colours that its scheme can show. */
export const brandingCss = (settings: JsonObject, pictures: Pictures): string => {
  const scheme = colorSchemeOf(settings)
  const rules = (mode: Mode): string =>
    `:root{${coloursOf(settings, mode)}${picturesOf(pictures, mode)}}${providerRules(settings, mode)}`
  const first = rules(scheme === 'dark' ? 'darkMode' : 'lightMode')
  const other = scheme === 'light dark' ? `@media (prefers-color-scheme:dark){${rules('darkMode')}}` : ''
  return `:root{color-scheme:${scheme};${shapeOf(settings)}}${first}${other}\n`
}
