import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textLengthMax } from './decode.ts'
import { structures } from './model.ts'
import { matcher } from './patterns.ts'

/** Every pattern of the model with the greatest length its members allow. */
const patterns = new Map<string, number>()
for (const { members } of Object.values(structures)) {
  for (const shape of Object.values(members)) {
    for (const { pattern, max } of [shape, shape.element ?? {}, shape.key ?? {}] as {
      pattern?: string
      max?: number
    }[]) {
      if (pattern !== undefined) patterns.set(pattern, Math.max(patterns.get(pattern) ?? 0, max ?? textLengthMax))
    }
  }
}

const letters = '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+'
const text = '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s*]*'
const uuid = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[4][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$'
const arn = 'arn:[\\w+=/,.@-]+:[\\w+=/,.@-]+:([\\w+=/,.@-]*)?:[0-9]+:[\\w+=/,.@-]+(:[\\w+=/,.@-]+)?(:[\\w+=/,.@-]+)?'
const language =
  '^cognito:(default|dutch|english|french|spanish|german|bahasa-indonesia|italian|japanese|korean|portuguese-brazil|chinese-(simplified|traditional))$'

const arns = [
  'arn:aws:ses:us-east-1:123456789012:identity/ann@example.com',
  'arn:aws:iam::1:role/x',
  'arn:a:b::1:c:d:e',
]
const noArns = [
  'arn:aws:ses',
  'arn:aws:ses:us-east-1:x:y',
  'arn:aws:ses:us-east-1:1:',
  ' arn:aws:iam::1:r',
  'arn:a:b::1:c:d:e:f',
]

const examples: Record<string, { good: string[]; bad: string[] }> = {
  '[\\w-]+_[0-9a-zA-Z]+': {
    good: ['us-east-1_o9y9Yq5pO', 'a_b', '__x'],
    bad: ['', 'us-east-1', '_x', 'us-east-1_', 'us-east-1_a-b', 'us east_1', 'é_a', 'a_b\n', 'a_b '],
  },
  '[\\w+]+': {
    good: ['6ph57qfck44f8d4jgf47if0s11', 'a_+', 'Z'],
    bad: ['', 'a-b', 'a b', 'é', 'a\n', '\u2028', '\u017f', '\u212a'],
  },
  [letters]: {
    good: ['ann@example.com', '名前', '🦀', 'e\u0301', '$<>'],
    bad: ['', ' ', 'a b', 'a\n', '\u00a0', '\u200b', '\u0007', '\ufeff'],
  },
  '[\\S]+': {
    good: ['123456', 'ABC-def.g', '\u00a0', '\u2028', '\ufeff', '🦀'],
    bad: ['', ' ', 'a b', 'a\n', '\t', 'a\u000bb', '\r'],
  },
  '^[\\S]+.*[\\S]+$': {
    good: ['Passw0rd!', 'inner space', 'ab', '🦀🦀', 'a\u2028b', 'a  b'],
    bad: ['', 'a', '🦀', ' leading', 'trailing ', 'trailing\n', 'a\nb', 'a \u2028 b', 'a \u0085 b', '\tab'],
  },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r ]+': {
    good: ['custom:my name', 'a\n', 'é\t'],
    bad: ['', '\u000b', '\f', '\u00a0', '\u0000', '\u200d'],
  },
  '[\\w-]+_[0-9a-f-]+': {
    good: ['us-east-2_596db07d-793a-4070-8140-27f321ccf01c', 'a_0', '-_-'],
    bad: ['', 'us-east-2', 'a_G', 'a_A', 'a_0\n', 'a_', '_'],
  },
  '[\\w+-]+': { good: ['a-b', '+', '_'], bad: ['', 'a b', 'é', 'a\n'] },
  '^[0-9a-fA-F]+$': { good: ['0123abcDEF', 'f', '0'], bad: ['', 'g', '0x1', 'a\n', ' a'] },
  [arn]: { good: arns, bad: [...noArns, ''] },
  [`(${arn})?`]: { good: [...arns, ''], bad: noArns },
  '^[\\w\\- ]+$': { good: ['a-b c', '_', ' '], bad: ['', 'a\n', 'a\u00a0b', 'é', 'a/b'] },
  '[A-Za-z0-9-_=.]+': { good: ['a.b-c_d=', 'eyJ', '.'], bad: ['', 'a b', 'a+b', 'a/b', 'a\n', 'é'] },
  '[\\w+=/]+': { good: ['ab+/==', '_', 'A'], bad: ['', 'a-b', 'a b', 'a\n'] },
  '[^_\\p{Z}][\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}][^_\\p{Z}]+': {
    good: ['Okta', 'a_b', 'MyIdP1', '🦀🦀🦀'],
    bad: ['', 'ab', '_abc', ' abc', 'a bc', 'abc ', 'abc_', 'a\u0007c'],
  },
  '[\\w\\s+=.@-]+': { good: ['a.b@c', 'a b', 'a\n'], bad: ['', 'a,b', 'é', '\u00a0', 'a/b'] },
  '[\\x21\\x23-\\x5B\\x5D-\\x7E]+': {
    good: ['https://api.example.com', '!', 'a~'],
    bad: ['', '"', '\\', 'a b', '\x7f', 'é', 'a\n'],
  },
  '[\\w\\s+=,.@-]+': { good: ['My pool', 'a,b@c.d', 'a\n'], bad: ['', 'é', 'a/b', '\u00a0', '\u2028', "it's"] },
  '^(terms-of-use|privacy-policy)$': {
    good: ['terms-of-use', 'privacy-policy'],
    bad: ['', 'terms', 'terms-of-use\n', 'xterms-of-use', 'privacy-policyx'],
  },
  [language]: {
    good: ['cognito:default', 'cognito:chinese-simplified', 'cognito:bahasa-indonesia'],
    bad: ['', 'default', 'cognito:', 'cognito:klingon', 'cognito:default\n', 'cognito:chinese-'],
  },
  [`^${letters}$`]: { good: ['https://example.com', '🦀', '.'], bad: ['', 'a b', 'a\n', '\u00a0'] },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\p{Z}]+': {
    good: ['COGNITO', 'My IdP', 'a\u00a0b', '\u2028'],
    bad: ['', 'a\n', '\t', '\u0007'],
  },
  '.*\\{####\\}.*': {
    good: ['{####}', 'Your code is {####}.', 'a\u000b{####}', '{{####}}'],
    bad: ['', '{###}', 'a\n{####}', '{####}\n', '{####}\u0085', '{####}\u2028', '{####\n}'],
  },
  [`${text}\\{####\\}${text}`]: {
    good: ['{####}', 'Code:\n{####}\n', '{#####}{####}', '<b>{####}</b>'],
    bad: ['', '{###}', '{# ###}', '\u0007{####}', '{####}\u00a0', '{####}\u200b'],
  },
  '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\s]+': {
    good: ['Your code', 'a\n', 'é *'],
    bad: ['', '\u00a0', '\u0007', '\u200b'],
  },
  [uuid]: {
    good: ['0b8e1ee5-0a1c-4f2c-8a3b-0123456789ab', '0B8E1EE5-0A1C-4F2C-BA3B-0123456789AB'],
    bad: [
      '',
      '0b8e1ee5-0a1c-1f2c-8a3b-0123456789ab',
      '0b8e1ee5-0a1c-4f2c-7a3b-0123456789ab',
      'x',
      '0b8e1ee5-0a1c-4f2c-8a3b-0123456789ab\n',
    ],
  },
  'import-[0-9a-zA-Z-]+': {
    good: ['import-a', 'import--', 'import-A1'],
    bad: ['', 'import-', 'Import-a', 'import-a\n', 'import-é'],
  },
  '[0-9]+': { good: ['0', '123456', '999'], bad: ['', 'a', '1.5', '-1', '٣', '1\n', ' 1'] },
  [`${letters}@${letters}`]: {
    good: ['ann@example.com', '@@@', 'a@b', 'a@@', '@@a', '🦀@🦀', 'a@b@c'],
    bad: ['', '@', '@@', 'a@', '@a', 'a', 'a @b', 'a@b\n', 'a@\u0007b', 'a@b\u0000'],
  },
  '^[a-zA-Z0-9_-]+$': { good: ['set-1', '_', 'A'], bad: ['', 'a.b', 'a b', 'a\n', 'é'] },
  '(?s).*': { good: ['', 'a\nb', '\u0007'], bad: [] },
  [text]: { good: ['', 'Hello\nworld', '*'], bad: ['\u0007', 'a\u00a0b', '\u200b'] },
  [`${text.slice(0, -1)}+`]: { good: ['Hello\nworld', '*', ' '], bad: ['', '\u0007', 'a\u00a0b', '\u200b'] },
  '[\\x21\\x23-\\x2E\\x30-\\x5B\\x5D-\\x7E]+': {
    good: ['read', 'a:b', '!'],
    bad: ['', 'a/b', 'a b', '"', '\\', 'a\n'],
  },
  'arn:[\\w+=/,.@-]+:[\\w+=/,.@-]+:::[\\w+=/,.@-]+(:[\\w+=/,.@-]+)?(:[\\w+=/,.@-]+)?': {
    good: ['arn:aws:s3:::bucket', 'arn:aws:s3:::a:b', 'arn:aws:s3:::a:b:c'],
    bad: ['', 'arn:aws:s3::1:bucket', 'arn:aws:s3:::', 'arn:aws:s3:::a\n', 'arn:aws:s3:::a:b:c:d'],
  },
  [`${text}\\{##${text}##\\}${text}`]: {
    good: ['{##Verify##}', '{####}', 'a {## b\nc ##} d', '{##}##}', '{##a##}##}'],
    bad: ['', '{##}', '{###}', '##}{##', '{##Verify', '{##\u0007##}', '{##a##}\u00a0'],
  },
}

test('every pattern of the model has examples', () => {
  assert.deepEqual([...patterns.keys()].sort(), Object.keys(examples).sort())
})

test('patterns accept and refuse what they should', () => {
  for (const [pattern, { good, bad }] of Object.entries(examples)) {
    for (const value of good) assert.equal(matcher(pattern)(value), true, `${pattern} ${JSON.stringify(value)}`)
    for (const value of bad) assert.equal(matcher(pattern)(value), false, `${pattern} ${JSON.stringify(value)}`)
  }
})

/** The pattern as V8 would run it, with the meaning that the classes have in Java. */
const reference = (pattern: string): RegExp => {
  const space = ' \\t\\n\\x0B\\f\\r'
  const translated = pattern
    .replaceAll('[\\S]', `[^${space}]`)
    .replaceAll('\\s', space)
    .replaceAll('(?s).', '[^]')
    .replaceAll(/(?<!\\|\[[^\]]*)\./g, '[^\\n\\r\\u0085\\u2028\\u2029]')
  return new RegExp(`^(?:${translated})$`, 'u')
}

test('the linear checks agree with the regular expressions on short texts', () => {
  const alphabet = [
    'a',
    '_',
    '-',
    '@',
    '{',
    '#',
    '#',
    '}',
    ' ',
    '\n',
    '\u2028',
    '\u0085',
    '\u00a0',
    '\u0007',
    '🦀',
    ':',
    '0',
  ]
  // A small linear congruential generator: the same texts in every run.
  let seed = 12345
  const next = (limit: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * limit)
  }
  const texts = Array.from({ length: 6000 }, () =>
    Array.from({ length: next(9) }, () => alphabet[next(alphabet.length)]).join(''),
  )
  const marks = ['{####}', '{##', '##}', '@', 'a', ' ', '\n']
  for (let count = 0; count < 3000; count++) {
    texts.push(Array.from({ length: next(6) }, () => marks[next(marks.length)]).join(''))
  }
  for (const pattern of patterns.keys()) {
    const expected = reference(pattern)
    for (const value of texts) {
      assert.equal(matcher(pattern)(value), expected.test(value), `${pattern} ${JSON.stringify(value)}`)
    }
  }
})

/** The shortest of a few runs, because the machine may be busy with something else. */
const elapsedMs = (work: () => void): number => {
  let shortest = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5 && shortest >= 50; run++) {
    const started = performance.now()
    work()
    shortest = Math.min(shortest, performance.now() - started)
  }
  return shortest
}

test('no pattern takes longer than 50 ms on a hostile text of the greatest length', () => {
  const seeds = [
    '@',
    'a',
    '{##',
    '##}',
    '{####}',
    '0',
    '-',
    '_',
    'a:',
    ':',
    'a ',
    ' ',
    '\n',
    '🦀',
    'é',
    'a_',
    '{',
    '#',
    '/',
  ]
  const hostile = (max: number) =>
    seeds.flatMap(seed => {
      const body = seed.repeat(Math.ceil(max / seed.length)).slice(0, max - 1)
      return ['', '\u0000', '@'].map(ending => body + ending)
    })
  const textsByLength = new Map<number, string[]>()
  for (const [pattern, max] of patterns) {
    const texts = textsByLength.get(max) ?? hostile(max)
    textsByLength.set(max, texts)
    const matches = matcher(pattern)
    // Texts that begin as the pattern wants it lead deeper into it.
    const start = /^[a-z]+(?=[:-])|arn:/.exec(pattern)?.[0] ?? ''
    for (const value of [...texts, ...texts.map(value => `${start}a:b:c:1:${value}`.slice(0, max))]) {
      const elapsed = elapsedMs(() => matches(value))
      assert.ok(elapsed < 50, `${pattern} took ${elapsed} ms on ${JSON.stringify(value.slice(0, 20))}`)
    }
  }
})

test('a pattern without a linear check is refused when it is compiled', () => {
  assert.throws(() => matcher('[\\S ]+'), /no linear-time check/)
})
