import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainTextOf } from './plain-text.ts'

for (const [html, text] of [
  ['Your verification code is 123456. ', 'Your verification code is 123456.'],
  ['<p>Hello <b>Ann</b>,</p><p>your code: 123456</p>', 'Hello Ann,\n\nyour code: 123456'],
  ['one<br>two<br/>three', 'one\ntwo\nthree'],
  [
    'Please <a href="https://id.example.com/?a=1&amp;b=2">click</a>.',
    'Please click (https://id.example.com/?a=1&b=2).',
  ],
  ['<a href="https://id.example.com/">https://id.example.com/</a>', 'https://id.example.com/'],
  ['<head><title>x</title><style>p { color: red }</style></head>seen<script>if (a<b) c()</script>', 'seen'],
  ['a &lt;b&gt; &amp; &#39;c&#x27; &nbsp; &unknown; &#55296;', "a <b> & 'c' &unknown; &#55296;"],
  ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
  ['<!-- a remark -->text', 'text'],
  ['open <b', 'open <b'],
  ['<div>\n  <div>a</div>\n\n\n\n<div>b</div></div>', 'a\n\nb'],
  ['', ''],
] as const) {
  test(`${JSON.stringify(html)} reads as ${JSON.stringify(text)}`, () => {
    assert.equal(plainTextOf(html), text)
  })
}

test('hostile markup takes linear time', () => {
  for (const piece of ['<', '<a href="', '&', '<a>', '<script>', ' ', '\n', '<a href=']) {
    const began = performance.now()
    for (const end of ['', '>', '</script>']) plainTextOf(piece.repeat(20_000) + end)
    assert.ok(performance.now() - began < 2_000, piece)
  }
})
