import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cpuMsOf } from '../../../test/support/cpu-time.ts'
import { canonicalElsewhere } from '../../../test/support/saml-idp.ts'
import { childElements, parseXml, XmlFault } from '../xml.ts'
import { canonicalize } from './canonical-xml.ts'

describe('the canonical form', () => {
  const documents: [string, string, string][] = [
    ['an empty element', '<a/>', '<a></a>'],
    ['space in tags', '<a  b = "1"\n></a >', '<a b="1"></a>'],
    ['quotation marks', `<a b='"'/>`, '<a b="&quot;"></a>'],
    ['sections', '<a>x<![CDATA[<&>]]></a>', '<a>x&lt;&amp;&gt;</a>'],
    ['what is escaped in text', '<a>&lt;&gt;&amp;&quot;&#9;</a>', '<a>&lt;&gt;&amp;"\t</a>'],
    ['the ends of lines', '<a>x\r\ny</a>', '<a>x\ny</a>'],
    ['attributes by name', '<a c="3" a="1" b="2"/>', '<a a="1" b="2" c="3"></a>'],
    [
      'attributes by namespace, not by prefix',
      '<r xmlns:a="urn:z" xmlns:z="urn:a" a:x="1" z:x="2" x="3"/>',
      '<r xmlns:a="urn:z" xmlns:z="urn:a" x="3" z:x="2" a:x="1"></r>',
    ],
    [
      'namespaces where they are used first',
      '<p:a xmlns:p="urn:p" xmlns:q="urn:q"><q:b/><c q:d=""/></p:a>',
      '<p:a xmlns:p="urn:p"><q:b xmlns:q="urn:q"></q:b><c xmlns:q="urn:q" q:d=""></c></p:a>',
    ],
    ['a namespace that is declared again', '<a xmlns="u"><b xmlns="u"/></a>', '<a xmlns="u"><b></b></a>'],
    ['a namespace that is undone', '<a xmlns="u"><b xmlns=""/></a>', '<a xmlns="u"><b xmlns=""></b></a>'],
    [
      'a prefix with another meaning',
      '<p:a xmlns:p="u"><p:b xmlns:p="v"/></p:a>',
      '<p:a xmlns:p="u"><p:b xmlns:p="v"></p:b></p:a>',
    ],
    ['the prefix xml', '<a xml:lang="en"/>', '<a xml:lang="en"></a>'],
    ['an unused namespace', '<a xmlns:p="u">p:b</a>', '<a>p:b</a>'],
    ['names beyond ASCII', '<größe·1 ä="ö">ü</größe·1>', '<größe·1 ä="ö">ü</größe·1>'],
  ]
  for (const [what, text, expected] of documents) {
    test(what, () => {
      assert.equal(canonicalize(parseXml(text)), expected)
      assert.equal(canonicalize(parseXml(expected)), expected, 'it is its own canonical form')
      assert.equal(canonicalElsewhere(text.replaceAll('\r\n', '\n')), expected, 'others agree')
    })
  }

  test('white space of attributes and references to carriage returns', () => {
    assert.equal(canonicalize(parseXml('<a b="&#9;&#10;&#13;">&#13;</a>')), '<a b="&#x9;&#xA;&#xD;">&#xD;</a>')
  })

  test('prefixes that are listed are written where they are in scope', () => {
    const text = '<r xmlns:xs="urn:xs" xmlns="urn:d"><p:a xmlns:p="urn:p">xs:string</p:a></r>'
    const [inner] = childElements(parseXml(text), 'urn:p', 'a')
    assert.ok(inner)
    assert.equal(canonicalize(inner), '<p:a xmlns:p="urn:p">xs:string</p:a>')
    assert.equal(
      canonicalize(inner, { inclusivePrefixes: ['xs', '', 'unknown'] }),
      '<p:a xmlns="urn:d" xmlns:p="urn:p" xmlns:xs="urn:xs">xs:string</p:a>',
    )
  })

  test('a descendant is left out, and what stands around it stays', () => {
    const root = parseXml('<a>1<b><c/></b>2<b/></a>')
    const [without] = childElements(root, '', 'b')
    assert.ok(without)
    assert.equal(canonicalize(root, { without }), '<a>12<b></b></a>')
  })

  test('what would grow out of proportion is refused', () => {
    const text = `<r xmlns:p="${'u'.repeat(1_000)}">${'<p:a/>'.repeat(14_000)}</r>`
    assert.ok(text.length < 100_000)
    const cost = cpuMsOf(() => assert.throws(() => canonicalize(parseXml(text)), XmlFault))
    assert.ok(cost < 3_000, `${cost} ms`)
  })
})
