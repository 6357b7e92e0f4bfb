/** The QR code of a software token, drawn on the server: the secret leaves it for nobody but the user. */
import { encode } from 'uqr'
import { attributes, type Html, html } from './html.ts'
import type { Texts } from './texts/index.ts'

/** Modules around the code, as ISO/IEC 18004 asks. */
const quietZone = 4
const groupLength = 4

export interface QrBlock {
  /** The `otpauth:` URI. */
  uri: string
  /** The secret in base32. */
  secret: string
}

/** The code, the secret to type instead, and a link for an app on the same device. */
export const qrBlock = (texts: Texts, { uri, secret }: QrBlock): Html =>
  html`<div class="qr">${qrCode(uri, texts.qrCodeAlternative)}<details class="secret"><summary>${texts.showSecretKey}</summary><p class="hint" id="secret-key-label">${texts.secretKey}</p><p><code dir="ltr" aria-labelledby="secret-key-label">${grouped(secret)}</code></p></details><p class="row"><a href="${uri}">${texts.openAuthenticatorApp}</a></p></div>`

/** Dark modules as one path, a row of neighbours at a time. The colours are fixed: readers want dark on light. */
const qrCode = (text: string, alternative: string): Html => {
  const { data, size } = encode(text, { ecc: 'M', border: quietZone })
  let path = ''
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue
      const from = x
      while (row[x + 1]) x += 1
      path += `M${from} ${y}h${x - from + 1}v1h-${x - from + 1}z`
    }
  }
  return html`<svg class="qr-code" role="img"${attributes({ 'aria-label': alternative, viewBox: `0 0 ${size} ${size}` })} shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${path}"/></svg>`
}

/** In groups of four, which are easier to copy; apps ignore the spaces. */
const grouped = (secret: string): string => (secret.match(new RegExp(`.{1,${groupLength}}`, 'g')) ?? []).join(' ')
