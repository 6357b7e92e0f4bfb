import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './iso-duration.ts'

test('durations come out in milliseconds', () => {
  const table: [string | number, number][] = [
    ['PT1H', 3_600_000],
    ['PT90M', 5_400_000],
    ['PT30S', 30_000],
    ['PT0.5S', 500],
    ['PT0,25S', 250],
    ['P1D', 86_400_000],
    ['P1DT2H', 93_600_000],
    ['P1DT2H3M4.5S', 93_784_500],
    ['P2W', 1_209_600_000],
    ['PT0S', 0],
    [0, 0],
    [3_600, 3_600_000],
    [1.5, 1_500],
    [0.0004, 0],
  ]
  for (const [duration, expected] of table) assert.equal(parseDuration(duration), expected, String(duration))
})

test('anything else is undefined', () => {
  const bad: (string | number)[] = [
    '',
    'P',
    'PT',
    'P1DT',
    '1H',
    'PT1',
    'P1H',
    'PT1D',
    'P1Y',
    'P1M',
    'P1W1D',
    'PT1M1H',
    'PT1.5H',
    '-PT1H',
    'PT-1H',
    '+PT1H',
    'pt1h',
    ' PT1H',
    'PT1H ',
    'PT1H\n',
    '3600',
    'PT.5S',
    'PT1.S',
    'P999999999999999W',
    'PT9999999999999999S',
    `PT${'1'.repeat(1_000_000)}H`,
    -1,
    -0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e20,
  ]
  for (const duration of bad) assert.equal(parseDuration(duration), undefined, String(duration).slice(0, 40))
})
