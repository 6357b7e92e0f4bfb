/** The image files of a branding style: which one is shown where, and under which address. */
import type { BrandingAsset, BrandingStyle } from '../../../features/managed-login/branding.ts'
import { colorSchemeOf, isOn, type Pictures } from './branding.ts'

export interface ShownPictures {
  light: string | undefined
  dark: string | undefined
}

/** Changes with each update of the style, so that browsers may keep what they have. */
const assetPath = (style: BrandingStyle, asset: BrandingAsset): string =>
  `/pages/assets/${style.id}/${style.version}/${asset.position}`

/** The files of the category for light and for dark pages. */
export const picturesOf = (style: BrandingStyle, category: string): ShownPictures =>
  shownOf(
    style,
    style.assets.filter(asset => asset.category === category),
  )

/**
 * A file for the mode itself comes first, then one for both, then, where the browser decides and only one is there, that
 * one.
 */
const shownOf = (style: BrandingStyle, assets: readonly BrandingAsset[]): ShownPictures => {
  const ofMode = (mode: string): string | undefined => {
    const asset = assets.find(({ colorMode }) => colorMode === mode)
    return asset && assetPath(style, asset)
  }
  const [light, dark, both] = [ofMode('LIGHT'), ofMode('DARK'), ofMode('DYNAMIC')]
  const follows = colorSchemeOf(style.settings) === 'light dark'
  return { light: light ?? both ?? (follows ? dark : undefined), dark: dark ?? both ?? (follows ? light : undefined) }
}

/** Icons of buttons by the name of their provider. */
export const providerIcons = (style: BrandingStyle): Map<string, ShownPictures> => {
  const icons = style.assets.filter(({ category }) => category === 'IDP_BUTTON_ICON')
  const names = new Set(icons.flatMap(({ resourceId }) => resourceId ?? []))
  return new Map(
    [...names].map(name => [
      name,
      shownOf(
        style,
        icons.filter(({ resourceId }) => resourceId === name),
      ),
    ]),
  )
}

const graphics = {
  'graphic-password': 'PASSWORD_GRAPHIC',
  'graphic-email': 'EMAIL_GRAPHIC',
  'graphic-sms': 'SMS_GRAPHIC',
  'graphic-authenticator': 'AUTH_APP_GRAPHIC',
  'graphic-passkey': 'PASSKEY_GRAPHIC',
}

const backgrounds = {
  'page-picture': ['PAGE_BACKGROUND', 'components.pageBackground.image.enabled'],
  'form-picture': ['FORM_BACKGROUND', 'components.form.backgroundImage.enabled'],
  'header-picture': ['PAGE_HEADER_BACKGROUND', 'components.pageHeader.backgroundImage.enabled'],
  'footer-picture': ['PAGE_FOOTER_BACKGROUND', 'components.pageFooter.backgroundImage.enabled'],
} as const

/** What the sheet shows, by the name of its custom property. */
export const sheetPictures = (style: BrandingStyle): Pictures => {
  const shown = [
    ...Object.entries(graphics),
    ...Object.entries(backgrounds).flatMap(([property, [category, setting]]) =>
      isOn(style.settings, setting) ? [[property, category] as const] : [],
    ),
  ].map(([property, category]) => [property, picturesOf(style, category)] as const)
  return new Map(shown.filter(([, { light, dark }]) => light !== undefined || dark !== undefined))
}
