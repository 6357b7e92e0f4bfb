/** Durations as ISO 8601 writes them, or as a plain number of seconds. */

/** The longest span that dates of JavaScript can be apart from the epoch. */
const durationMaxMs = 8.64e15

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const weeks = /^P([0-9]{1,15})W$/
const daysAndTime =
  /^P(?:([0-9]{1,15})D)?(?:T(?:([0-9]{1,15})H)?(?:([0-9]{1,15})M)?(?:([0-9]{1,15}(?:[.,][0-9]{1,9})?)S)?)?$/

/**
 * The duration in whole milliseconds (rounded), or undefined when it is malformed, negative or beyond what a date can
 * hold. Weeks stand alone (P2W); days are 24 hours; years and months have no fixed length and are not accepted; seconds
 * may have a fraction.
 */
export const parseDuration = (duration: string | number): number | undefined => {
  const milliseconds = typeof duration === 'number' ? duration * secondMs : parseText(duration)
  return milliseconds !== undefined && milliseconds >= 0 && milliseconds <= durationMaxMs
    ? Math.round(milliseconds)
    : undefined
}

const parseText = (text: string): number | undefined => {
  if (text.length > 100) return undefined
  const week = weeks.exec(text)
  if (week !== null) return Number(week[1]) * 7 * dayMs
  const match = daysAndTime.exec(text)
  if (match === null || text.endsWith('P') || text.endsWith('T')) return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return (
    Number(days) * dayMs +
    Number(hours) * hourMs +
    Number(minutes) * minuteMs +
    Number(seconds.replace(',', '.')) * secondMs
  )
}
