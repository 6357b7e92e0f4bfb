/**
 * What a User-Agent header says of the device, in the words of session lists and event histories: browser and operating
 * system, each with its version. Headers lie; nothing is decided by what is read here.
 */

export interface Device {
  /** For example `Chrome 125`; undefined for what is no known browser. */
  browser: string | undefined
  /** For example `macOS 15.0`; undefined when it is not known. */
  system: string | undefined
}

/** Longer than any honest header. */
const lengthMax = 1_024

/** In the order of trial: most browsers also name those that they resemble. */
const browsers: [name: string, marker: string][] = [
  ['Edge', 'Edg/'],
  ['Edge', 'EdgA/'],
  ['Edge', 'EdgiOS/'],
  ['Opera', 'OPR/'],
  ['Samsung Internet', 'SamsungBrowser/'],
  ['Firefox', 'FxiOS/'],
  ['Firefox', 'Firefox/'],
  ['Chrome', 'CriOS/'],
  ['Chrome', 'Chrome/'],
]

const systems: [name: string, marker: string][] = [
  ['Windows', 'Windows NT '],
  ['Android', 'Android '],
  ['iOS', 'CPU iPhone OS '],
  ['iPadOS', 'CPU OS '],
  ['macOS', 'Mac OS X '],
]

/** Device of a User-Agent header. */
export const deviceOf = (userAgent: string | undefined): Device => {
  const text = (userAgent ?? '').slice(0, lengthMax)
  return { browser: browserOf(text), system: systemOf(text) }
}

/** `Chrome 125 / macOS 15.0`, one of the two, or `unknown`. */
export const deviceType = (userAgent: string | undefined): string => {
  const { browser, system } = deviceOf(userAgent)
  return [browser, system].filter(part => part !== undefined).join(' / ') || 'unknown'
}

const browserOf = (text: string): string | undefined => {
  for (const [name, marker] of browsers) {
    if (text.includes(marker)) return named(name, versionAfter(text, marker).split('.')[0] ?? '')
  }
  // Only Safari states its version apart from its name.
  return text.includes('Safari/') && text.includes('Version/')
    ? named('Safari', versionAfter(text, 'Version/').split('.')[0] ?? '')
    : undefined
}

const systemOf = (text: string): string | undefined => {
  for (const [name, marker] of systems) {
    if (!text.includes(marker)) continue
    const version = versionAfter(text, marker)
    // Windows 11 says so in no header: it calls itself 10.0.
    return named(name, name === 'Windows' ? version.replace(/\.0$/, '') : version)
  }
  if (text.includes('CrOS ')) return 'ChromeOS'
  return text.includes('Linux') ? 'Linux' : undefined
}

const named = (name: string, version: string): string => (version === '' ? name : `${name} ${version}`)

/** The number with dots that follows the marker; underscores count as dots. Empty when there is none. */
const versionAfter = (text: string, marker: string): string => {
  const start = text.indexOf(marker) + marker.length
  return (/^\d{1,6}(?:[._]\d{1,6}){0,3}/.exec(text.slice(start, start + 32))?.[0] ?? '').replaceAll('_', '.')
}
