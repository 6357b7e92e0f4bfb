/** What HTML says without its markup: the plain text that stands beside it in a mail. */

/** Elements after which a new line begins. */
const lines = new Set(['br', 'p', 'div', 'tr', 'li', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'ul', 'ol', 'hr'])
/** Elements whose content nobody sees. */
const unseen = new Set(['head', 'style', 'script', 'title', 'template'])

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/**
 * The text of the HTML, in linear time. Links are followed by their address in parentheses, and what is not well-formed
 * is taken as text.
 */
export const plainTextOf = (html: string): string => {
  let text = ''
  let hidden: string | undefined
  let link: { address: string; from: number } | undefined
  let at = 0
  let close = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    // Looked for once only, however many tags are opened before it.
    if (open !== -1 && close !== -1 && close <= open) close = html.indexOf('>', open)
    const isTag = open !== -1 && close !== -1
    if (hidden === undefined) text += decoded(html.slice(at, isTag ? open : undefined)).replace(/\s+/g, ' ')
    if (!isTag) break
    const tag = html.slice(open + 1, close)
    const [, slash = '', name = ''] = /^(\/?)([a-z][a-z\d]{0,15})(?![a-z\d])/i.exec(tag) ?? []
    const element = name.toLowerCase()
    at = close + 1
    if (hidden !== undefined) {
      if (slash !== '' && element === hidden) hidden = undefined
    } else if (element === '' && !tag.startsWith('!')) {
      text += '<'
      at = open + 1
    } else if (slash === '' && unseen.has(element)) hidden = element
    else if (element === 'a' && slash === '') link = { address: addressOf(tag), from: text.length }
    else if (element === 'a' && link !== undefined) {
      if (link.address !== '' && text.slice(link.from).trim() !== link.address) text += ` (${link.address})`
      link = undefined
    } else if (lines.has(element)) text += '\n'
  }
  return text
    .split('\n')
    .map(line => line.replace(/ +/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const addressOf = (tag: string): string => {
  const [, quoted = '', single = ''] = /\shref\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')/i.exec(tag) ?? []
  return decoded(quoted || single).trim()
}

const decoded = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name?: string) => {
    if (name !== undefined) return entities[name.toLowerCase()] ?? whole
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? whole : String.fromCodePoint(point)
  })
