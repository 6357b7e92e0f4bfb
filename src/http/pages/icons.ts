/** Drawings inside the markup: they take the colour of the text around them, and no request is needed for them. */
import type { Html } from './html.ts'
import { html } from './html.ts'

const drawn = (content: Html): Html =>
  html`<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${content}</svg>`

/** What a choice or a heading is about. Branding may put a picture of its own in the place of each. */
export const graphics = {
  password: drawn(
    html`<rect x="4" y="10.5" width="16" height="10" rx="2.5"/><path d="M8 10.5V7a4 4 0 0 1 8 0v3.5M12 14.5v2"/>`,
  ),
  email: drawn(html`<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m4 7.5 8 6 8-6"/>`),
  sms: drawn(
    html`<path d="M5.5 4h13A2.5 2.5 0 0 1 21 6.5v8a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4h-1A2.5 2.5 0 0 1 3 14.5v-8A2.5 2.5 0 0 1 5.5 4Z"/><path d="M8 10.5h.01M12 10.5h.01M16 10.5h.01"/>`,
  ),
  authenticator: drawn(
    html`<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="m9.5 12 2 2 3.5-4M11 18.5h2"/>`,
  ),
  passkey: drawn(
    html`<circle cx="8" cy="8" r="4"/><path d="M2.5 20c0-3.5 2.5-5.5 5.5-5.5 1.2 0 2.3.3 3.2.9"/><circle cx="17" cy="12" r="3"/><path d="M17 15v6l1.7-1.5M17 17.5l1.5 1"/>`,
  ),
} as const

export type Graphic = keyof typeof graphics

export const marks = {
  error: drawn(html`<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5M12 16.5h.01"/>`),
  warning: drawn(html`<path d="M12 3.5 21.5 20h-19L12 3.5Z"/><path d="M12 10v4.5M12 17h.01"/>`),
  success: drawn(html`<circle cx="12" cy="12" r="9"/><path d="m8 12.5 2.8 2.8L16.5 9.5"/>`),
  info: drawn(html`<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5h.01"/>`),
} as const

export const globe = drawn(
  html`<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c2.8 2.6 4 5.6 4 9s-1.2 6.4-4 9c-2.8-2.6-4-5.6-4-9s1.2-6.4 4-9Z"/>`,
)
export const chevron = drawn(html`<path d="m9 6 6 6-6 6"/>`)

const filled = (size: string, content: Html): Html =>
  html`<svg class="icon" viewBox="0 0 ${size} ${size}" fill="currentColor" aria-hidden="true" focusable="false">${content}</svg>`

/** The marks of the social providers, by the type of the provider; others have the drawing of a building. */
export const providerMarks = new Map<string, Html>([
  [
    'Google',
    filled(
      '48',
      html`<path fill="#ea4335" d="M24 9.5c3.54 0 6.71 1.22 9.21 3.6l6.85-6.85C35.9 2.38 30.47 0 24 0 14.62 0 6.51 5.38 2.56 13.22l7.98 6.19C12.43 13.72 17.74 9.5 24 9.5z"/><path fill="#4285f4" d="M46.98 24.55c0-1.57-.15-3.09-.38-4.55H24v9.02h12.94c-.58 2.96-2.26 5.48-4.78 7.18l7.73 6c4.51-4.18 7.09-10.36 7.09-17.65z"/><path fill="#fbbc05" d="M10.53 28.59c-.48-1.45-.76-2.99-.76-4.59s.27-3.14.76-4.59l-7.98-6.19C.92 16.46 0 20.12 0 24c0 3.88.92 7.54 2.56 10.78l7.97-6.19z"/><path fill="#34a853" d="M24 48c6.48 0 11.93-2.13 15.89-5.81l-7.73-6c-2.15 1.45-4.92 2.3-8.16 2.3-6.26 0-11.57-4.22-13.47-9.91l-7.98 6.19C6.51 42.62 14.62 48 24 48z"/>`,
    ),
  ],
  [
    'Facebook',
    filled(
      '24',
      html`<path fill="#1877f2" d="M24 12.073c0-6.627-5.373-12-12-12s-12 5.373-12 12c0 5.99 4.388 10.954 10.125 11.854v-8.385H7.078v-3.47h3.047V9.43c0-3.007 1.792-4.669 4.533-4.669 1.312 0 2.686.235 2.686.235v2.953H15.83c-1.491 0-1.956.925-1.956 1.874v2.25h3.328l-.532 3.47h-2.796v8.385C19.612 23.027 24 18.062 24 12.073z"/>`,
    ),
  ],
  [
    'SignInWithApple',
    filled(
      '24',
      html`<path d="M16.365 1.43c0 1.14-.493 2.27-1.177 3.08-.744.9-1.99 1.57-2.987 1.57-.12 0-.23-.02-.3-.03-.01-.06-.04-.22-.04-.39 0-1.15.572-2.27 1.206-2.98.804-.94 2.142-1.64 3.248-1.68.03.13.05.28.05.43zm4.565 15.71c-.03.07-.463 1.58-1.518 3.12-.945 1.34-1.94 2.71-3.43 2.71-1.517 0-1.9-.88-3.63-.88-1.698 0-2.302.91-3.67.91-1.377 0-2.332-1.26-3.428-2.8-1.287-1.82-2.323-4.63-2.323-7.28 0-4.28 2.797-6.55 5.552-6.55 1.448 0 2.675.95 3.6.95.865 0 2.222-1.01 3.902-1.01.613 0 2.886.06 4.374 2.19-.13.09-2.383 1.37-2.383 4.19 0 3.26 2.854 4.42 2.955 4.45z"/>`,
    ),
  ],
  [
    'LoginWithAmazon',
    drawn(
      html`<path d="M15.5 14V9a3.5 3.5 0 0 0-6.7-1.4M15.5 10.5c-4 0-7 .7-7 3a2.3 2.3 0 0 0 2.5 2.3c2 0 3.6-1.2 4.5-3"/><path stroke="#ff9900" d="M3.5 17.5c5 4 12 4 16.5.5M20.5 20.5l.2-3-2.9.2"/>`,
    ),
  ],
])
export const organizationMark = drawn(
  html`<path d="M5 21V5a1.5 1.5 0 0 1 1.5-1.5h8A1.5 1.5 0 0 1 16 5v16M16 10h2.5A1.5 1.5 0 0 1 20 11.5V21M3 21h18M8.5 7.5h1M11.5 7.5h1M8.5 11h1M11.5 11h1M8.5 14.5h1M11.5 14.5h1M9 21v-3h3v3"/>`,
)
