import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cpuMsOf } from '../../test/support/cpu-time.ts'
import { childElements, parseXml, textOf, type XmlElement, XmlFault } from './xml.ts'

/** The element in a short form: name in braces with namespace, attributes, children. */
const outline = (element: XmlElement): unknown => ({
  name: element.namespace === '' ? element.name : `{${element.namespace}}${element.name}`,
  ...(element.attributes.size > 0 && { attributes: Object.fromEntries(element.attributes) }),
  ...(element.children.length > 0 && {
    children: element.children.map(child => (typeof child === 'string' ? child : outline(child))),
  }),
})

describe('what is read', () => {
  const documents: [string, string, unknown][] = [
    ['an empty element', '<a/>', { name: 'a' }],
    ['a begin and an end', '<a></a >', { name: 'a' }],
    ['text', '<a>b</a>', { name: 'a', children: ['b'] }],
    [
      'a declaration, comments, instructions and space around the root',
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- c -->\n<?style a?>\n<a/>\n<!----><?b?>\n',
      { name: 'a' },
    ],
    ['a byte order mark', '\ufeff<a/>', { name: 'a' }],
    [
      'attributes in both quotation marks',
      `<a b='1"' c = "2'"\n\td=""/>`,
      { name: 'a', attributes: { b: '1"', c: "2'", d: '' } },
    ],
    [
      'nested elements',
      '<a><b><c/></b>x<b/></a>',
      { name: 'a', children: [{ name: 'b', children: [{ name: 'c' }] }, 'x', { name: 'b' }] },
    ],
    [
      'namespaces, with and without prefix, redeclared and undone',
      '<p:a xmlns:p="urn:p" xmlns="urn:d"><b p:c="1" c="2"/><b xmlns=""/><p:b xmlns:p="urn:q"/><p:b/></p:a>',
      {
        name: '{urn:p}a',
        children: [
          { name: '{urn:d}b', attributes: { '{urn:p}c': '1', c: '2' } },
          { name: 'b' },
          { name: '{urn:q}b' },
          { name: '{urn:p}b' },
        ],
      },
    ],
    [
      'the prefix xml',
      '<a xml:lang="en"/>',
      { name: 'a', attributes: { '{http://www.w3.org/XML/1998/namespace}lang': 'en' } },
    ],
    [
      'entities and numbers',
      '<a b="&lt;&#9;&#x41;">&amp;&gt;&quot;&apos;&#128512;</a>',
      { name: 'a', attributes: { b: '<\tA' }, children: ['&>"\'😀'] },
    ],
    ['sections', '<a>x<![CDATA[<b>&amp;]]]]>y</a>', { name: 'a', children: ['x', '<b>&amp;]]', 'y'] }],
    [
      'lines however they end',
      '<a b="1\r\n2\t3">\r\n\r\n</a>',
      { name: 'a', attributes: { b: '1 2 3' }, children: ['\n\n'] },
    ],
    ['names beyond ASCII', '<größe a·b="1"/>', { name: 'größe', attributes: { a·b: '1' } }],
  ]
  for (const [what, text, expected] of documents) {
    test(what, () => assert.deepEqual(outline(parseXml(text)), expected))
  }

  test('text is whole, whatever stands in it', () => {
    assert.equal(
      textOf(parseXml('<a>admin@corp.com<!---->.evil<?x y?>.com<b>!<![CDATA[?]]></b></a>')),
      'admin@corp.com.evil.com!?',
    )
  })

  test('children are found by namespace and name', () => {
    const root = parseXml('<a xmlns:p="urn:p"><p:b>1</p:b><b>2</b><p:b>3</p:b>b</a>')
    assert.deepEqual(childElements(root, 'urn:p', 'b').map(textOf), ['1', '3'])
    assert.deepEqual(childElements(root, '', 'b').map(textOf), ['2'])
    assert.deepEqual(childElements(root, '', 'c'), [])
  })
})

describe('what is refused', () => {
  const documents: [string, string][] = [
    ['nothing', ''],
    ['space', ' \n'],
    ['text alone', 'hello'],
    ['text before the root', 'x<a/>'],
    ['text behind the root', '<a/>x'],
    ['a section outside of the root', '<![CDATA[x]]><a/>'],
    ['two roots', '<a/><b/>'],
    ['a document type', '<!DOCTYPE a><a/>'],
    ['a document type in lower case', '<!doctype html><a/>'],
    ['an internal entity', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['an external subset', '<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>'],
    ['a document type inside of the root', '<a><!DOCTYPE b></a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an entity named like a member of objects', '<a>&constructor;</a>'],
    ['a loose ampersand', '<a>b & c</a>'],
    ['an ampersand at the end', '<a>b&</a>'],
    ['a reference to NUL', '<a>&#0;</a>'],
    ['a reference to a control character', '<a>&#x1F;</a>'],
    ['a reference to half a character', '<a>&#xD800;</a>'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>'],
    ['a reference without digits', '<a>&#;</a>'],
    ['NUL', '<a>\0</a>'],
    ['a control character', '<a>\x07</a>'],
    ['half a character', '<a>\ud800</a>'],
    ['no end', '<a>'],
    ['an end too many', '<a/></a>'],
    ['ends in the wrong order', '<a><b></a></b>'],
    ['an end with another prefix', '<p:a xmlns:p="urn:p" xmlns:q="urn:p"></q:a>'],
    ['an end with an attribute', '<a></a b="1">'],
    ['a tag that does not end', '<a b="1"'],
    ['a comment that does not end', '<a/><!--'],
    ['two hyphens in a comment', '<a><!-- b -- c --></a>'],
    ['a comment that ends in three hyphens', '<a><!-- b ---></a>'],
    ['a section that does not end', '<a><![CDATA[b</a>'],
    ['the end of a section alone', '<a>b]]>c</a>'],
    ['a declaration behind the beginning', ' <?xml version="1.0"?><a/>'],
    ['a second declaration', '<?xml version="1.0"?><?xml version="1.0"?><a/>'],
    ['an attribute without value', '<a b/>'],
    ['a value without quotation marks', '<a b=1/>'],
    ['a value that does not end', '<a b="1/>'],
    ['a tag in a value', '<a b="<"/>'],
    ['attributes without space', '<a b="1"c="2"/>'],
    ['the same attribute twice', '<a b="1" b="2"/>'],
    ['the same attribute twice by namespace', '<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>'],
    ['an undeclared prefix', '<p:a/>'],
    ['an undeclared prefix of an attribute', '<a p:b="1"/>'],
    ['two colons', '<a xmlns:b="urn:b" b:c:d="1"/>'],
    ['a name that begins with a digit', '<1a/>'],
    ['a name that begins with a colon', '<:a/>'],
    ['a space before the name', '< a/>'],
    ['a prefix for no namespace', '<a xmlns:p=""/>'],
    ['another meaning of xml', '<a xmlns:xml="urn:x"/>'],
    ['another prefix for xml', '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>'],
    ['the prefix xmlns', '<a xmlns:xmlns="urn:x"/>'],
    ['a long namespace', `<a xmlns="${'u'.repeat(1_025)}"/>`],
    ['too many attributes', `<a ${Array.from({ length: 65 }, (_, index) => `a${index}="1"`).join(' ')}/>`],
    ['65 levels', '<a>'.repeat(65) + '</a>'.repeat(65)],
    ['too many elements', `<a>${'<b/>'.repeat(50_000)}</a>`],
  ]
  for (const [what, text] of documents) test(what, () => assert.throws(() => parseXml(text), XmlFault))

  test('the limits are reached by what is one less', () => {
    assert.equal(parseXml('<a>'.repeat(64) + '</a>'.repeat(64)).name, 'a')
    assert.equal(parseXml(`<a>${'<b/>'.repeat(49_999)}</a>`).children.length, 49_999)
    assert.equal(
      parseXml(`<a ${Array.from({ length: 64 }, (_, index) => `a${index}="1"`).join(' ')}/>`).attributes.size,
      64,
    )
  })

  test('comments and instructions where only elements and text are wanted', () => {
    for (const text of ['<a><!-- b --></a>', '<a><?b?></a>', '<!-- b --><a/>', '<a/><?b?>']) {
      assert.throws(() => parseXml(text, { plain: true }), XmlFault)
      assert.equal(parseXml(text).name, 'a')
    }
    assert.equal(textOf(parseXml('<?xml version="1.0"?><a>b<![CDATA[c]]></a>', { plain: true })), 'bc')
  })

  const million = 1_000_000
  const hostile: [string, string][] = [
    ['a million openings', '<a>'.repeat(million / 4)],
    ['a million angle brackets', '<'.repeat(million)],
    ['a million ampersands', `<a>${'&'.repeat(million)}</a>`],
    ['a million references', `<a>${'&amp'.repeat(million / 4)}</a>`],
    ['a million hyphens', `<!--${'-'.repeat(million)}`],
    ['a million spaces in a tag', `<a${' '.repeat(million)}`],
    ['a long name', `<${'a'.repeat(million)}`],
    ['a long prefix', `<${'a:'.repeat(million / 2)}`],
    ['many comments that do not end', `<a>${'<!-- '.repeat(million / 5)}`],
    ['many sections', `<a>${'<![CDATA['.repeat(million / 9)}`],
    ['a long declaration', `<?xml version="1.0"${' '.repeat(million)}`],
  ]
  for (const [what, text] of hostile) {
    test(`${what} cost little`, () => {
      assert.ok(cpuMsOf(() => assert.throws(() => parseXml(text), XmlFault)) < 3_000)
    })
  }
})
