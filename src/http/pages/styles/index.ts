/**
 * The style sheets as they are served, and their addresses, which change with their content so that browsers may keep
 * what they have. Each sheet can be made again from its address by every node.
 */
import { createHash } from 'node:crypto'
import { mergeBrandingSettings } from '../../../core/branding-settings.ts'
import type { BrandingStyle } from '../../../features/managed-login/branding.ts'
import type { UiCustomization } from '../../../features/managed-login/ui-customization.ts'
import { brandingCss, isOn, type Pictures } from './branding.ts'
import { classicCss } from './classic.ts'
import { managedCss } from './managed.ts'
import { sheetPictures } from './pictures.ts'
import { sharedCss } from './shared.ts'

const hashLength = 16

/** A short hash of texts, for addresses. */
export const contentHash = (...texts: string[]): string => {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text).update('\0')
  return hash.digest('base64url').slice(0, hashLength)
}

/** Stands behind the form where the style wants a picture and brings none. */
const pagePattern = `:root{--page-pattern:radial-gradient(60rem 40rem at 12% -8%,color-mix(in srgb,var(--primary) 13%,transparent),transparent 70%),
radial-gradient(56rem 44rem at 96% 108%,color-mix(in srgb,var(--primary) 9%,transparent),transparent 70%)}
`

/** Changes with the program. */
const programHash = contentHash(sharedCss, managedCss, classicCss, pagePattern)

export interface Sheet {
  path: string
  css: () => string
}

/** Managed login in a style, or with the provided values for pages of no client. */
export const managedSheet = (style: BrandingStyle | undefined): Sheet => {
  if (style === undefined) {
    return { path: `/pages/styles/managed/${programHash}.css`, css: () => managed(mergeBrandingSettings(), new Map()) }
  }
  return {
    path: `/pages/styles/managed/${style.id}/${contentHash(programHash, String(style.version))}.css`,
    css: () => managed(style.settings, sheetPictures(style)),
  }
}

const managed = (settings: BrandingStyle['settings'], pictures: Pictures): string => {
  const wantsPicture = isOn(settings, 'components.pageBackground.image.enabled') && !pictures.has('page-picture')
  return [
    sharedCss,
    managedCss,
    wantsPicture ? pagePattern : '',
    brandingCss(settings, pictures),
    graphicRules(pictures),
  ].join('')
}

/** A picture in the place of a drawing. */
const graphicRules = (pictures: Pictures): string =>
  [...pictures.keys()]
    .filter(property => property.startsWith('graphic-'))
    .map(
      property =>
        `.${property}{background:var(--${property}) center/contain no-repeat;border-radius:0}.${property} svg{display:none}\n`,
    )
    .join('')

/** The classic pages, with the customization behind everything else so that it has the last word. */
export const classicSheet = (customization: UiCustomization | undefined): Sheet => {
  if (customization === undefined) {
    return { path: `/pages/styles/classic/${programHash}.css`, css: () => sharedCss + classicCss }
  }
  const { poolId, target, css } = customization
  return {
    path: `/pages/styles/classic/${poolId}/${target}/${contentHash(programHash, css)}.css`,
    css: () => sharedCss + classicCss + css,
  }
}
