/**
 * What the pages of a client look like: managed login with the client's branding style, or the classic pages with the
 * customization of the client or of all clients. The domain of the request says which of the two.
 */
import { type JsonObject, mergeBrandingSettings } from '../../core/branding-settings.ts'
import type { Client } from '../../features/app-clients/client.ts'
import type { ReadContext } from '../../features/context.ts'
import { type BrandingStyle, brandingOf } from '../../features/managed-login/branding.ts'
import { type UiCustomization, uiCustomizationOf } from '../../features/managed-login/ui-customization.ts'
import type { Pool } from '../../features/user-pools/pool.ts'
import { faviconPath } from './assets.ts'
import {
  type ColorScheme,
  colorSchemeOf,
  customProviderClass,
  customProviders,
  isOn,
  settingAt,
  wordAt,
} from './styles/branding.ts'
import { classicSheet, managedSheet } from './styles/index.ts'
import { picturesOf, providerIcons, type ShownPictures } from './styles/pictures.ts'

/** The address of a picture, and of another one for dark pages where the page follows the browser. */
export interface Picture {
  src: string
  dark?: string | undefined
}

type Location = 'start' | 'center' | 'end'

export interface Look {
  kind: 'managed' | 'classic'
  /** Address of the style sheet. */
  stylesheet: string
  colorScheme: ColorScheme
  favicons: readonly { href: string; type: string; media?: string | undefined }[]
  /** In the card or outside of it. */
  logo?: { picture: Picture; placement: 'top' | 'bottom' | 'above' | 'below'; location: Location } | undefined
  header?: { logo: Picture | undefined; location: Location } | undefined
  footer?: { logo: Picture | undefined; location: Location } | undefined
  /** Whether pages say what they are for. */
  showIntroduction: boolean
  /** Whether users can choose the language. */
  showLanguages: boolean
  providers: {
    /** Above the form for local users, or below it. */
    first: boolean
    /** A button for each provider, or one field that finds the provider by the domain of an e-mail address. */
    interface: 'buttons' | 'search'
    /** Names, the first ones first; the others follow. */
    order: readonly string[]
    showIcons: boolean
    /** By the name of the provider. */
    icons: ReadonlyMap<string, Picture>
    /** Class of the button by the name of the provider. */
    classes: ReadonlyMap<string, string>
  }
}

/**
 * The look for a client on a domain with this version of the pages (1 or 2). Undefined when managed login has no style
 * for the client, and with that no pages.
 */
export const lookOf = async (
  ctx: ReadContext,
  pool: Pool,
  client: Client,
  managedLoginVersion: number,
): Promise<Look | undefined> => {
  if (managedLoginVersion !== 2) return classicLook(await uiCustomizationOf(ctx, pool, client))
  const style = await brandingOf(ctx, pool, client)
  return style && managedLook(style)
}

/** The same look on a server that a proxy shows below a path; without a final slash, empty where there is none. */
export const lookBelow = (base: string, look: Look): Look => {
  const below = <Shown extends Picture | undefined>(picture: Shown): Shown =>
    picture && { ...picture, src: base + picture.src, dark: picture.dark && base + picture.dark }
  const { logo, header, footer, providers } = look
  return {
    ...look,
    stylesheet: base + look.stylesheet,
    favicons: look.favicons.map(icon => ({ ...icon, href: base + icon.href })),
    logo: logo && { ...logo, picture: below(logo.picture) },
    header: header && { ...header, logo: below(header.logo) },
    footer: footer && { ...footer, logo: below(footer.logo) },
    providers: { ...providers, icons: new Map([...providers.icons].map(([name, icon]) => [name, below(icon)])) },
  }
}

const favicon = { href: faviconPath, type: 'image/svg+xml' }

/** The look of pages that belong to no client, such as an error before the client is known. */
export const plainLook = (managedLoginVersion: number): Look =>
  managedLoginVersion === 2 ? managedLook(undefined) : classicLook(undefined)

export const classicLook = (customization: UiCustomization | undefined): Look => ({
  kind: 'classic',
  stylesheet: classicSheet(customization).path,
  colorScheme: 'light',
  favicons: [favicon],
  header: {
    logo: customization?.imagePath === undefined ? undefined : { src: customization.imagePath },
    location: 'center',
  },
  showIntroduction: true,
  showLanguages: false,
  providers: {
    first: true,
    interface: 'buttons',
    order: [],
    showIcons: true,
    icons: new Map(),
    classes: new Map(),
  },
})

const locations = ['start', 'center', 'end'] as const

export const managedLook = (style: BrandingStyle | undefined): Look => {
  const settings = style?.settings ?? mergeBrandingSettings()
  return {
    kind: 'managed',
    stylesheet: managedSheet(style).path,
    colorScheme: colorSchemeOf(settings),
    favicons: style === undefined ? [favicon] : faviconsOf(style),
    logo: style && formLogo(style),
    header: style && pageEdge(style, 'pageHeader', 'PAGE_HEADER_LOGO'),
    footer: style && pageEdge(style, 'pageFooter', 'PAGE_FOOTER_LOGO'),
    showIntroduction: isOn(settings, 'categories.form.instructions.enabled'),
    showLanguages: isOn(settings, 'categories.form.languageSelector.enabled'),
    providers: {
      first: areProvidersFirst(settings),
      interface:
        settingAt(settings, 'categories.auth.federation.interfaceStyle') === 'BUTTON_LIST' ? 'buttons' : 'search',
      order: textsAt(settings, 'categories.auth.federation.order'),
      showIcons: isOn(settings, 'componentClasses.idpButtons.icons.enabled'),
      icons: style === undefined ? new Map() : shownIcons(style),
      classes: new Map(customProviders(settings).map((name, index) => [name, customProviderClass(index)])),
    },
  }
}

const shownPicture = (style: BrandingStyle, category: string): Picture | undefined =>
  forScheme(style, picturesOf(style, category))

const shownIcons = (style: BrandingStyle): Map<string, Picture> =>
  new Map(
    [...providerIcons(style)].flatMap(([name, pictures]) => {
      const icon = forScheme(style, pictures)
      return icon === undefined ? [] : [[name, icon]]
    }),
  )

/** The picture for the scheme of the style. */
const forScheme = (style: BrandingStyle, { light, dark }: ShownPictures): Picture | undefined => {
  const scheme = colorSchemeOf(style.settings)
  const src = scheme === 'dark' ? dark : light
  return src === undefined ? undefined : { src, dark: scheme === 'light dark' && dark !== light ? dark : undefined }
}

const formLogo = (style: BrandingStyle): Look['logo'] => {
  const { settings } = style
  const picture = isOn(settings, 'components.form.logo.enabled') ? shownPicture(style, 'FORM_LOGO') : undefined
  if (picture === undefined) return undefined
  const isInside = wordAt(settings, 'components.form.logo.formInclusion', ['in', 'out']) === 'in'
  const isOnTop = wordAt(settings, 'components.form.logo.position', ['top', 'bottom']) === 'top'
  return {
    picture,
    placement: isInside ? (isOnTop ? 'top' : 'bottom') : isOnTop ? 'above' : 'below',
    location: wordAt(settings, 'components.form.logo.location', ['center', 'start', 'end']),
  }
}

const pageEdge = (style: BrandingStyle, edge: 'pageHeader' | 'pageFooter', category: string): Look['header'] => {
  const { settings } = style
  if (!isOn(settings, `categories.global.${edge}.enabled`)) return undefined
  return {
    logo: isOn(settings, `components.${edge}.logo.enabled`) ? shownPicture(style, category) : undefined,
    location: wordAt(settings, `components.${edge}.logo.location`, locations),
  }
}

const faviconKinds = [
  ['SVG', 'FAVICON_SVG', 'image/svg+xml'],
  ['ICO', 'FAVICON_ICO', 'image/x-icon'],
] as const

const faviconsOf = (style: BrandingStyle): Look['favicons'] => {
  const enabled = textsAt(style.settings, 'components.favicon.enabledTypes')
  const found = faviconKinds.flatMap(([kind, category, type]) => {
    const { light, dark } = picturesOf(style, category)
    if (!enabled.includes(kind)) return []
    if (light === undefined || dark === undefined || light === dark) {
      const href = light ?? dark
      return href === undefined ? [] : [{ href, type }]
    }
    return [
      { href: light, type, media: '(prefers-color-scheme: light)' },
      { href: dark, type, media: '(prefers-color-scheme: dark)' },
    ]
  })
  return found.length === 0 ? [favicon] : found
}

/** The list holds groups of methods, each a list in the order of the page. */
const areProvidersFirst = (settings: JsonObject): boolean => {
  const groups = settingAt(settings, 'categories.auth.authMethodOrder')
  const types = (Array.isArray(groups) ? groups.flat() : []).map(method => settingAt(method, 'type'))
  const [federated, local] = [types.indexOf('FEDERATED'), types.indexOf('USERNAME_PASSWORD')]
  return federated >= 0 && (local < 0 || federated < local)
}

const textsAt = (settings: JsonObject, path: string): string[] => {
  const value = settingAt(settings, path)
  return Array.isArray(value) ? value.filter(entry => typeof entry === 'string') : []
}
