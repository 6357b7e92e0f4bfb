/**
 * The sample pages in a browser, without a server: the sheet stands in the page, and nothing is loaded. For what can be
 * told from markup and styles alone.
 */
import type { Page } from 'playwright-core'
import { type JsonObject, mergeBrandingSettings } from '../../src/core/branding-settings.ts'
import type { BrandingStyle } from '../../src/features/managed-login/branding.ts'
import type { UiCustomization } from '../../src/features/managed-login/ui-customization.ts'
import { classicLook, type Look, managedLook } from '../../src/http/pages/look.ts'
import { classicSheet, managedSheet, type Sheet } from '../../src/http/pages/styles/index.ts'
import { loadLanguage } from '../../src/http/pages/texts/index.ts'
import { samplePages } from './sample-pages.ts'

export interface Appearance {
  look: Look
  sheet: Sheet
}

/** Managed login, in a style or with the provided values. */
export const managed = (style?: BrandingStyle): Appearance => ({ look: managedLook(style), sheet: managedSheet(style) })

export const classic = (customization?: UiCustomization): Appearance => ({
  look: classicLook(customization),
  sheet: classicSheet(customization),
})

/** A style without files; with everything that can be switched on. */
export const styleOf = (colorSchemeMode: string, settings: JsonObject = {}): BrandingStyle => ({
  id: '11111111-2222-4333-8444-555555555555',
  version: 1,
  settings: mergeBrandingSettings({
    categories: {
      global: { colorSchemeMode, pageHeader: { enabled: true }, pageFooter: { enabled: true } },
      form: { languageSelector: { enabled: true }, instructions: { enabled: true } },
    },
    ...settings,
  }),
  assets: [],
})

/** The documents of all states by name. */
export const documentsOf = async ({ look, sheet }: Appearance, language = 'en'): Promise<Map<string, string>> => {
  const pages = samplePages({ look, language: await loadLanguage(language), languageHref: tag => `?lang=${tag}` })
  return new Map([...pages].map(([name, render]) => [name, withSheet(render(), sheet)]))
}

/** The document with a sheet in the place of its link, and without its icons. */
export const withSheet = (content: string, sheet: Sheet): string =>
  content
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${sheet.css()}</style>`)
    .replace(/<link rel="icon"[^>]*>/g, '')

export const showDocument = (page: Page, content: string): Promise<void> =>
  page.setContent(content, { waitUntil: 'domcontentloaded' })
