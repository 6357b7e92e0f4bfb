/** The frame of every page: document, logo, card, language, and the links below. */
import { alert, newWindowLink, pictureOf } from './components.ts'
import { attributes, type Html, type HtmlValue, html } from './html.ts'
import { globe } from './icons.ts'
import type { Look, Picture } from './look.ts'
import { fill, type Language, languageList } from './texts/index.ts'

/** What all pages for one request have in common. */
export interface Frame {
  look: Look
  language: Language
  /** The address of this page in another language; without it there is no choice of language. */
  languageHref?: (tag: string) => string
}

export interface PageOptions {
  /** The heading, and with it the title of the window. */
  heading: string
  /** Says what the page is for. The branding decides whether it is shown; what the user must know belongs into `content`. */
  introduction?: string
  content: HtmlValue
  /** Above everything else in the card. */
  message?: Parameters<typeof alert>[0]
  /** True when the input was refused: the title says so first, because it is read out first. */
  failed?: boolean
  /** Links of terms of use and privacy policy at the foot of the page. */
  terms?: { termsOfUse: string; privacyPolicy: string }
  /** Whether a form of the page leads to an identity provider. */
  leadsToProviders?: boolean
  /** Address of a script that the page needs. */
  script?: string
}

/** The whole document. */
export const renderPage = (frame: Frame, options: PageOptions): Html => {
  const { look, language } = frame
  const { texts } = language
  const { heading, introduction, message, failed = false } = options
  const title = failed ? fill(texts.errorTitle, { title: heading }) : heading
  const logo = look.logo && picture(look.logo.picture, texts.logo, `form-logo form-logo-${look.logo.location}`)
  const card = html`<h1>${heading}</h1>${
    introduction !== undefined &&
    look.showIntroduction &&
    html`<p class="introduction textDescription-customizable">${introduction}</p>`
  }${message && alert(message)}${options.content}`
  return html`<!doctype html>
<html lang="${language.tag}" dir="${language.direction}" class="look-${look.kind}">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${look.colorScheme}">
<meta name="robots" content="noindex">
<link rel="stylesheet" href="${look.stylesheet}">
${look.favicons.map(icon => html`<link rel="icon"${attributes({ href: icon.href, type: icon.type, media: icon.media })}>\n`)}${
  options.script !== undefined && html`<script type="module" src="${options.script}"></script>\n`
}</head>
<body class="background-customizable">
<a class="skip" href="#main">${texts.skipToContent}</a>
${pageEdge(look, 'header', texts.logo)}<div class="stage">
<div class="column">
${logo && look.logo?.placement === 'above' && logo}<main id="main" class="card" tabindex="-1">
${logo && look.logo?.placement === 'top' && logo}${card}${logo && look.logo?.placement === 'bottom' && logo}
</main>
${logo && look.logo?.placement === 'below' && logo}${foot(frame, options)}</div>
</div>
${pageEdge(look, 'footer', texts.logo)}</body>
</html>
`
}

const picture = (shown: Picture, alternative: string, name: string): Html =>
  html`<p class="${name}">${pictureOf(shown, { class: 'logo-customizable', alt: alternative })}</p>`

const pageEdge = (look: Look, edge: 'header' | 'footer', alternative: string): Html | undefined => {
  const shown = look[edge]
  if (shown === undefined) return undefined
  const content = shown.logo && picture(shown.logo, alternative, `page-logo page-logo-${shown.location}`)
  return edge === 'header'
    ? html`<header class="page-header banner-customizable">${content}</header>\n`
    : html`<footer class="page-footer">${content}</footer>\n`
}

const foot = (frame: Frame, { terms }: PageOptions): Html | undefined => {
  const { look, language, languageHref } = frame
  const { texts } = language
  const hasLanguages = look.showLanguages && languageHref !== undefined
  if (!hasLanguages && terms === undefined) return undefined
  return html`<nav class="foot">${
    hasLanguages &&
    html`<details class="languages"><summary>${globe}<span class="hidden">${texts.changeLanguage}: </span>${language.name}</summary><ul>${languageList.map(
      ({ tag, name }) =>
        html`<li><a href="${languageHref(tag)}" lang="${tag}" hreflang="${tag}"${attributes({
          'aria-current': tag === language.tag && 'true',
        })}>${name}</a></li>`,
    )}</ul></details>`
  }${
    terms &&
    html`<p class="legal legalText-customizable">${newWindowLink(texts.termsOfUse, terms.termsOfUse)} ${newWindowLink(texts.privacyPolicy, terms.privacyPolicy)}</p>`
  }</nav>`
}
