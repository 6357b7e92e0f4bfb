import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findSvgFault } from './svg.ts'

const namespace = 'xmlns="http://www.w3.org/2000/svg"'
const root = (content: string, attributes = '') => `<svg ${namespace} ${attributes}>${content}</svg>`
const faultOf = (text: string) => findSvgFault(Buffer.from(text))
const pixel = 'data:image/png;base64,iVBORw0KGgo='

describe('an SVG file is accepted', () => {
  const accepted: Record<string, string> = {
    'when it is empty': `<svg ${namespace}/>`,
    'with shapes': root(
      '<g id="a"><path d="M0 0L1 1z" fill="#fff"/><circle cx="1" cy="1" r="1"/></g>',
      'viewBox="0 0 1 1"',
    ),
    'with declaration, comments and text': `\ufeff<?xml version='1.0' encoding='UTF-8'?>\n<!-- é -->${root('<title>A &amp; B &#228;&#xe4;</title>')}\n<!-- end -->\n`,
    'with references inside': root(
      `<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>
       <rect fill="url(#g)" style="stroke: url('#g'); opacity: .5"/><use href="#g"/><use xlink:href="#g"/>`,
      'xmlns:xlink="http://www.w3.org/1999/xlink"',
    ),
    'with styles': root('<style type="text/css"><![CDATA[.a{fill:#f00}]]> .b{clip-path:url(#c)}</style>'),
    'with a picture in itself': root(`<image width="1" height="1" href="${pixel}"/>`),
    'with the notes of a drawing program': root(
      '<sodipodi:namedview pagecolor="#fff"><inkscape:grid type="xygrid"/></sodipodi:namedview><metadata><rdf:RDF><cc:Work rdf:about=""><dc:title/></cc:Work></rdf:RDF></metadata><g inkscape:label="a"/>',
      'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cc="http://creativecommons.org/ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:svg="http://www.w3.org/2000/svg"',
    ),
    'with names for assistive technology': root('<g role="img" aria-label="Logo" data-name="Layer 1"/>'),
  }
  for (const [when, text] of Object.entries(accepted)) test(when, () => assert.equal(faultOf(text), undefined))
})

describe('an SVG file is refused', () => {
  const refused: Record<string, string> = {
    'with a script': root('<script>alert(1)</script>'),
    'with a script in capitals': root('<SCRIPT>alert(1)</SCRIPT>'),
    'with HTML': root('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>'),
    'with a handler': `<svg ${namespace} onload="alert(1)"/>`,
    'with a handler behind a line break': `<svg ${namespace}\nonload\n=\n'alert(1)'/>`,
    'with a handler on a note of a drawing program': root(
      '<rdf:RDF onclick="alert(1)"/>',
      'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"',
    ),
    'with a link': root('<a href="#x"><text>x</text></a>'),
    'with an animation': root('<rect><set attributeName="href" to="javascript:alert(1)"/></rect>'),
    'with a script URL': root('<use href="javascript:alert(1)"/>'),
    'with a file from elsewhere': root('<image href="https://evil.example/a.png"/>'),
    'with a document in itself': root('<use href="data:image/svg+xml;base64,PHN2Zy8+#a"/>'),
    'with an SVG as picture': root('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>'),
    'with a colour from elsewhere': root('<rect fill="url(https://evil.example/a#b)"/>'),
    'with a colour from elsewhere by character references': root('<rect fill="&#x75;rl(//evil.example/a)"/>'),
    'with an escape in a value': root('<rect fill="\\75rl(//evil.example/a)"/>'),
    'with a behaviour in a style': root('<g style="behavior: none"/>'),
    'with a script in a style': root('<g style="fill: javascript:alert"/>'),
    'with a style from elsewhere': root('<style>@import "//evil.example/a.css";</style>'),
    'with a style that loads': root('<style>.a{background:url(//evil.example/a)}</style>'),
    'with a style that loads, in pieces': root('<style>.a{background:u<!-- -->rl(//evil.example/a)}</style>'),
    'with a style that loads, in sections': root('<style>.a{background:u<![CDATA[rl(//evil.example/a)]]>}</style>'),
    'with an element in a style': root('<style>u<title/>rl(//evil.example/a)</style>'),
    'with a document type': `<!DOCTYPE svg [<!ENTITY a "b">]>${root('&a;')}`,
    'with an unknown entity': root('&a;'),
    'with a bare ampersand': root('a & b'),
    'with a reference to no character': root('&#x110000;'),
    'with an instruction': `<?xml-stylesheet href="//evil.example/a.css"?>${root('')}`,
    'with an instruction inside': root('<?php echo 1 ?>'),
    'with another namespace': root('<g xmlns="http://www.w3.org/1999/xhtml"/>'),
    'with a known prefix for another namespace': root('<dc:script/>', 'xmlns:dc="http://www.w3.org/1999/xhtml"'),
    'with an unknown prefix': root('<h:script/>', 'xmlns:h="http://www.w3.org/1999/xhtml"'),
    'with the prefix of SVG itself': root('<svg:script/>', 'xmlns:svg="http://www.w3.org/2000/svg"'),
    'with a base': root('', 'xml:base="https://evil.example/"'),
    'without a namespace': '<svg/>',
    'with another root': `<g ${namespace}/>`,
    'with two roots': `<svg ${namespace}/><svg ${namespace}/>`,
    'with text before the root': `a<svg ${namespace}/>`,
    'with a page behind it': `${root('')}<html>`,
    'when a tag is not closed': `<svg ${namespace}><g>`,
    'when tags cross': root('<g><path></g></path>'),
    'when a tag ends before it begins': `</svg>${root('')}`,
    'when an attribute is repeated': root('<g id="a" id="b"/>'),
    'when an attribute has no quotes': root('<g id=a/>'),
    'when an attribute has no value': root('<g id/>'),
    'when attributes touch': root('<g id="a"class="b"/>'),
    'when a comment is open': root('<!-- '),
    'when it is empty': '',
    'when it is nested too deeply': root('<g>'.repeat(100) + '</g>'.repeat(100)),
  }
  for (const [when, text] of Object.entries(refused)) {
    test(when, () => assert.equal(typeof faultOf(text), 'string'))
  }

  test('when it is no UTF-8', () => {
    assert.match(findSvgFault(Buffer.from([0x3c, 0xff, 0xfe])) ?? '', /UTF-8/)
    assert.equal(typeof findSvgFault(Buffer.from(root(''), 'utf16le')), 'string')
  })
})

test('a hostile file of the greatest size takes no more than a moment', () => {
  const units = ['<', '<g>', '<!--', 'url(', '&', '<g a="', ' ', '<style>', 'url( ', '&#x1;']
  const before = process.cpuUsage().user
  for (const unit of units) {
    const text = unit.repeat(Math.floor(1_000_000 / unit.length))
    faultOf(root(text))
    faultOf(root(`<rect fill="${text}"/>`))
    faultOf(root(`<style>${text}</style>`))
  }
  assert.ok(process.cpuUsage().user - before < 8_000_000)
})
