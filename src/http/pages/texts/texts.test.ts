import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { html } from '../html.ts'
import { en } from './en.ts'
import { chooseLanguage, fill, fillHtml, findLanguage, languageList, loadLanguage, type TextKey } from './index.ts'

const keys = Object.keys(en) as TextKey[]
const placeholdersOf = (text: string): string[] => [...text.matchAll(/\{(\w*)\}/g)].map(match => match[1] ?? '').sort()

for (const { tag, name, direction } of languageList) {
  suite(`the texts in ${name}`, async () => {
    const { texts } = await loadLanguage(tag)

    test('there is one for each key, and none for another', () => {
      assert.deepEqual(Object.keys(texts).sort(), [...keys].sort())
      assert.deepEqual(
        keys.filter(key => texts[key].trim() === '' || texts[key] !== texts[key].trim()),
        [],
      )
    })

    test('each has the placeholders of the English one, and no others', () => {
      for (const key of keys) assert.deepEqual(placeholdersOf(texts[key]), placeholdersOf(en[key]), key)
    })

    test('none was left in English', () => {
      // Some words are the same in several languages, but hardly a sentence is.
      const same = keys.filter(key => texts[key] === en[key])
      assert.ok(tag === 'en' || same.every(key => !/\p{L} \p{L}/u.test(en[key])), same.join(', '))
    })

    test('letters are those of the language', () => {
      const written = keys.map(key => texts[key].replaceAll(/\{\w+\}/g, '')).join('')
      const scripts: Record<string, RegExp> = {
        ar: /\p{Script=Arabic}/u,
        ja: /\p{Script=Hiragana}/u,
        ko: /\p{Script=Hangul}/u,
        'zh-CN': /\p{Script=Han}/u,
        'zh-TW': /\p{Script=Han}/u,
      }
      const script = scripts[tag]
      const latin = keys.filter(key => script !== undefined && !/[^\p{ASCII}]/u.test(texts[key].replaceAll(/[…]/g, '')))
      assert.deepEqual(latin, [])
      assert.match(written, script ?? /\p{Script=Latin}/u)
      assert.equal(direction, tag === 'ar' ? 'rtl' : 'ltr')
    })
  })
}

test('simplified and traditional Chinese are told apart', async () => {
  const [simplified, traditional] = [await loadLanguage('zh-CN'), await loadLanguage('zh-TW')]
  const same = keys.filter(key => simplified.texts[key] === traditional.texts[key])
  assert.ok(same.length < keys.length / 10, same.join(', '))
})

test('the parameter comes before the cookie, and the cookie before the languages of the browser', () => {
  const accepted = 'fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5'
  assert.equal(chooseLanguage({ parameter: 'ja', cookie: 'ko', accepted }), 'ja')
  assert.equal(chooseLanguage({ parameter: undefined, cookie: 'ko', accepted }), 'ko')
  assert.equal(chooseLanguage({ accepted }), 'fr')
  assert.equal(chooseLanguage({ accepted: 'de;q=0.2, tlh, it;q=0.8' }), 'it')
  assert.equal(chooseLanguage({ accepted: 'it;q=0, tlh' }), 'en')
  assert.equal(chooseLanguage({}), 'en')
})

test('a language that is not there, or is none, is passed over', async () => {
  for (const parameter of ['xx', '', '../../en', 'en/../../x', '__proto__', 'constructor', 'd'.repeat(1e6)]) {
    assert.equal(findLanguage(parameter), undefined)
    assert.equal(chooseLanguage({ parameter, cookie: parameter, accepted: parameter }), 'en')
    assert.equal((await loadLanguage(parameter)).tag, 'en')
  }
})

test('a language is found by its tag in any case, and Chinese by its script or region', () => {
  const found = {
    'PT-br': 'pt-BR',
    pt: 'pt-BR',
    'pt-PT': 'pt-BR',
    de_AT: 'de',
    'es-419': 'es',
    'ar-EG': 'ar',
    zh: 'zh-CN',
    'zh-Hans-SG': 'zh-CN',
    'zh-HK': 'zh-TW',
    'zh-Hant': 'zh-TW',
    'zh-hant-mo': 'zh-TW',
  }
  for (const [tag, language] of Object.entries(found)) assert.equal(findLanguage(tag), language, tag)
})

test('placeholders take values as they are, and markup stays apart from text', () => {
  assert.equal(fill('{a} of {b} {c}', { a: '{b}', b: '2' }), '{b} of 2 {c}')
  assert.equal(
    fillHtml('<{who}> & {unknown}', { who: html`<b>${'<i>'}</b>` }).toString(),
    '&lt;<b>&lt;i&gt;</b>&gt; &amp; {unknown}',
  )
})
