import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeCss } from './hosted-ui-css.ts'

test('published classes and their states keep their declarations, written anew', () => {
  const table: [string, string][] = [
    ['', ''],
    [' \n\t', ''],
    ['.label-customizable {font-weight: 400;}', '.label-customizable{font-weight:400}\n'],
    [
      '.banner-customizable { padding: 25px 0px 25px 0px; background-color: lightgray; }',
      '.banner-customizable{padding:25px 0px 25px 0px;background-color:lightgray}\n',
    ],
    [
      '.submitButton-customizable:hover{COLOR:#fff;;background-color:#286090}',
      '.submitButton-customizable:hover{color:#fff;background-color:#286090}\n',
    ],
    ['.inputField-customizable:focus { outline: 0 }', '.inputField-customizable:focus{outline:0}\n'],
    [
      '.passwordCheck-valid-customizable, .passwordCheck-notValid-customizable { color: #19BF00 }',
      '.passwordCheck-valid-customizable,.passwordCheck-notValid-customizable{color:#19BF00}\n',
    ],
    ['/* </style> @import */ .logo-customizable/**/{ max-width: 60% }', '.logo-customizable{max-width:60%}\n'],
    [
      '.background-customizable { background: linear-gradient(90deg, rgba(0, 0, 0, .5), #fff) !important }',
      '.background-customizable{background:linear-gradient(90deg, rgba(0, 0, 0, .5), #fff) !important}\n',
    ],
    ['.label-customizable{width:calc(100% - (2 * 3px))}', '.label-customizable{width:calc(100% - (2 * 3px))}\n'],
    ['.label-customizable{font:12px/1.5 "Open Sans"}', '.label-customizable{font:12px/1.5 "Open Sans"}\n'],
    ['.label-customizable{margin:-1px}', '.label-customizable{margin:-1px}\n'],
    ['.legalText-customizable{}', '.legalText-customizable{}\n'],
  ]
  for (const [css, expected] of table) assert.equal(safeCss(css), expected, css)
})

test('any other selector is refused by its name', () => {
  const table: [string, string][] = [
    ['.other{color:red}', 'other'],
    ['body{color:red}', 'body'],
    ['*{color:red}', '*'],
    ['#id{color:red}', '#id'],
    ['.label-customizable:hover{color:red}', 'label-customizable:hover'],
    ['.submitButton-customizable::before{color:red}', 'submitButton-customizable::'],
    ['.label-customizable .logo-customizable{color:red}', '.'],
    ['.label-customizable>a{color:red}', ''],
    ['.LABEL-customizable{color:red}', 'LABEL-customizable'],
    ['.constructor{color:red}', 'constructor'],
    ['.label-customizable,{color:red}', '{'],
    ['color:red', 'color'],
  ]
  for (const [css, name] of table) {
    const message = css.includes('>') ? /^Invalid CSS: unexpected character/ : `CSS has invalid class: ${name}`
    assert.throws(() => safeCss(css), { name: 'InvalidParameterException', message }, css)
  }
})

test('whatever loads, runs, escapes or moves something is refused', () => {
  const refused = [
    '</style><script>alert(1)</script>',
    '@import "//evil.example/a.css";',
    '@media screen{.label-customizable{color:red}}',
    '@supports (color:red){.label-customizable{color:red}}',
    'input[value^=a]{background:red}',
    '.label-customizable{background:url(//evil.example/a)}',
    '.label-customizable{background:URL("//evil.example/a")}',
    '.label-customizable{background:\\75rl(//evil.example/a)}',
    '.label-customizable{background:u/**/rl(a)}',
    '.label-customizable{background:image-set("a" 1x)}',
    '.label-customizable{width:expression(alert(1))}',
    '.label-customizable{width:var(--a)}',
    '.label-customizable{--a:red}',
    '.label-customizable{color:attr(value)}',
    '.label-customizable{behavior:none}',
    '.label-customizable{-moz-binding:none}',
    '.label-customizable{position:fixed}',
    '.label-customizable{content:"a"}',
    '.label-customizable{color:red;}}',
    '.label-customizable{color:red',
    '.label-customizable{color:rgb(1,2,3}',
    '.label-customizable{color:rgb(1,2,3))}',
    '.label-customizable{color:red;{}}',
    '.label-customizable{color}',
    '.label-customizable{color:}',
    '.label-customizable{color: ;}',
    '.label-customizable{color:red!}',
    '.label-customizable{color:red!important blue}',
    '.label-customizable{color:red:blue}',
    '.label-customizable{font-family:"a\\"}',
    '.label-customizable{font-family:"</style>"}',
    '.label-customizable{color:red}<!--',
    '/* open',
    `.label-customizable{width:${'('.repeat(9)}1px${')'.repeat(9)}}`,
  ]
  for (const css of refused) assert.throws(() => safeCss(css), { name: 'InvalidParameterException' }, css)
})

test('what was written anew is understood and stays as it is', () => {
  const css = safeCss('.label-customizable{color : red ! important;font:12px / 1.5 a , "b"}\n\n.logo-customizable{}')
  assert.equal(safeCss(css), css)
})

test('a hostile text of the greatest length takes no more than a moment', () => {
  const unit = ['(', '{', '/*', '/**', '.', '.label-customizable{', 'a', '1', '"', '-', ' ', 'rgb(', '}']
  const before = process.cpuUsage().user
  for (const text of unit) {
    const prefix = '.label-customizable{color:'
    for (const css of [text, prefix + text]) {
      const repeated = css === text ? text.repeat(131_072 / text.length) : prefix + text.repeat(131_000 / text.length)
      try {
        safeCss(repeated)
      } catch (error) {
        assert.equal((error as Error).name, 'InvalidParameterException')
      }
    }
  }
  assert.ok(process.cpuUsage().user - before < 4_000_000)
})
