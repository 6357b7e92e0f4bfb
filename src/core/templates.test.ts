import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  defaultMessages,
  escapeHtml,
  fillTemplate,
  hasCodePlaceholder,
  hasLinkPlaceholder,
  type TemplateValues,
} from './templates.ts'

const link = 'https://auth.example.com/confirmUser/?client_id=1&user_name=ann&confirmation_code=123456'

type Use = 'subject' | 'email' | 'sms'

const fill = (text: string, values: TemplateValues, use: Use) =>
  use === 'subject'
    ? fillTemplate({ subject: text, body: '' }, values, 'EMAIL').subject
    : fillTemplate({ subject: '', body: text }, values, use === 'email' ? 'EMAIL' : 'SMS').body

test('placeholders are filled', () => {
  const table: [string, TemplateValues, Use, string][] = [
    ['Your code is {####}.', { code: '123456' }, 'email', 'Your code is 123456.'],
    ['{####}{####}', { code: '1' }, 'sms', '11'],
    ['{username}: {####}', { code: '1', username: 'ann' }, 'sms', 'ann: 1'],
    ['{username}', { username: '<b>&"\'' }, 'email', '&lt;b&gt;&amp;&quot;&#39;'],
    ['{username}', { username: '<b>&"\'' }, 'sms', '<b>&"\''],
    ['{####}', { code: 'a<b&c' }, 'email', 'a<b&c'],
    ['{username} {####}', { code: '1', username: '{####}' }, 'email', '{####} 1'],
    ['{####} {username}', { code: '{username}', username: 'x' }, 'email', '{username} x'],
    [
      '<p>{##Verify Email##}</p>',
      { link },
      'email',
      `<p><a href="${link.replaceAll('&', '&amp;')}">Verify Email</a></p>`,
    ],
    ['{##A##} or {##B##}', { link: 'https://x/' }, 'email', '<a href="https://x/">A</a> or <a href="https://x/">B</a>'],
    ['{##Open', { link }, 'email', '{##Open'],
    ['##} {##Open', { link }, 'email', '##} {##Open'],
    ['{##}', { link }, 'email', '{##}'],
    ['{####} {##A##}', { link: 'https://x/' }, 'email', '{####} <a href="https://x/">A</a>'],
    ['{####}', { link }, 'email', '{####}'],
    ['{##', { link }, 'email', '{##'],
    ['{####', { code: '1', link }, 'email', '{####'],
    ['{##Click##}', { link }, 'sms', '{##Click##}'],
    ['{##Click##} {####}', { code: '1' }, 'email', '{##Click##} 1'],
    ['{####} {username}', {}, 'email', '{####} {username}'],
    ['{ {# {## {### {user} }', { code: '1', username: 'u', link }, 'email', '{ {# {## {### {user} }'],
    ['{{####}}', { code: '1' }, 'sms', '{1}'],
    ['', { code: '1' }, 'sms', ''],
    ['$& $1 {####}', { code: '$&' }, 'sms', '$& $1 $&'],
  ]
  for (const [template, values, use, expected] of table) {
    assert.equal(fill(template, values, use), expected, template)
  }
})

test('a subject stays on one line', () => {
  assert.equal(fill('Hi\r\nBcc: x@y', {}, 'subject'), 'Hi Bcc: x@y')
  assert.equal(
    fill('For {username}: {####}', { username: 'a\nb\u2028c\u0085d', code: '1\r2' }, 'subject'),
    'For a b c d: 1 2',
  )
  assert.equal(fill('For {username}', { username: 'O’Hara & <Co>' }, 'subject'), 'For O’Hara & <Co>')
})

test('the default texts hold the placeholders they need', () => {
  const { verification, link: byLink, authentication, invitation, invitationWithoutPassword } = defaultMessages
  for (const { body } of [verification, authentication, invitation]) assert.ok(hasCodePlaceholder(body))
  assert.ok(hasLinkPlaceholder(byLink.body))
  for (const { body } of [invitation, invitationWithoutPassword]) assert.ok(body.includes('{username}'))
  assert.deepEqual(fillTemplate(verification, { code: '123456' }, 'EMAIL'), {
    subject: 'Your verification code',
    body: 'Your verification code is 123456. ',
  })
  assert.equal(
    fillTemplate(invitation, { username: 'ann', code: 'Abc' }, 'SMS').body,
    'Your username is ann and temporary password is Abc. ',
  )
})

test('a place for a link has a beginning and, after it, an end', () => {
  for (const template of ['{##Click##}', 'a {##b##} c', '{####} {##b##}'])
    assert.equal(hasLinkPlaceholder(template), true, template)
  for (const template of ['', '{####}', '{##', '##}', '##}{##', '{##}', '{#Click#}']) {
    assert.equal(hasLinkPlaceholder(template), false, template)
  }
})

test('hostile templates take linear time', () => {
  const startedAt = process.cpuUsage()
  for (const template of [
    '{##'.repeat(200_000),
    `${'{##'.repeat(200_000)}##}`,
    '{'.repeat(600_000),
    '{##}'.repeat(150_000),
  ]) {
    fill(template, { code: '1', username: 'u', link }, 'email')
    hasLinkPlaceholder(template)
  }
  assert.ok(process.cpuUsage(startedAt).user < 1_000_000)
})

test('the five characters with a meaning in HTML become entities', () => {
  assert.equal(escapeHtml(`<a href="x" title='y'>&amp;`), '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;')
})
