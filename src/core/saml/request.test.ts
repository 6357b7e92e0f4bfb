import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { canonicalElsewhere } from '../../../test/support/saml-idp.ts'
import { parseXml } from '../xml.ts'
import { authnRequest, logoutRequest, redirectTo } from './request.ts'

const head = { id: '_1', now: 0, destination: 'https://idp.example/a?b="&c=<', issuer: 'urn:<sp>&' }

test('requests are XML, whatever stands in them', () => {
  const consumerUrl = 'https://id.example/saml2/idpresponse'
  const request = authnRequest({ ...head, consumerUrl, forceAuthn: true })
  const { attributes, children } = parseXml(request)
  assert.deepEqual(Object.fromEntries(attributes), {
    AssertionConsumerServiceURL: consumerUrl,
    Destination: head.destination,
    ForceAuthn: 'true',
    ID: '_1',
    IssueInstant: '1970-01-01T00:00:00.000Z',
    ProtocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    Version: '2.0',
  })
  assert.equal(children.length, 1)
  const logout = logoutRequest({ ...head, nameId: { value: '<a>&', format: '"' }, sessionIndex: ']]>' })
  // A parser of others reads the same.
  assert.match(
    canonicalElsewhere(logout),
    /<saml2:NameID xmlns:saml2="[^"]+" Format="&quot;">&lt;a&gt;&amp;<\/saml2:NameID>/,
  )
  assert.match(canonicalElsewhere(logout), /<saml2p:SessionIndex>\]\]&gt;<\/saml2p:SessionIndex>/)
})

test('a request goes into the query, behind what stands there, and is signed only when it is asked for', async () => {
  const message = { request: '<a/>', relayState: 'r&=+ ' }
  const plain = new URL(await redirectTo('https://idp.example/sso?tenant=1', message, undefined))
  assert.deepEqual([...plain.searchParams.keys()], ['tenant', 'SAMLRequest', 'RelayState'])
  assert.equal(plain.searchParams.get('RelayState'), 'r&=+ ')
  const compressed = Buffer.from(plain.searchParams.get('SAMLRequest') ?? '', 'base64')
  assert.equal(inflateRawSync(compressed).toString(), '<a/>')
  let octets = ''
  const signed = await redirectTo('https://idp.example/sso', message, async text => {
    octets = text
    return 'a+b='
  })
  assert.equal(signed, `https://idp.example/sso?${octets}&Signature=a%2Bb%3D`)
})
