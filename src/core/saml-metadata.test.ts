import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { keyDescriptor, samlMetadata, service, testCertificate } from '../../test/support/saml.ts'
import { samlMetadataFaults } from './errors.ts'
import { readSamlMetadata } from './saml-metadata.ts'

const now = Date.now()
const day = 86_400_000
const certificate = testCertificate()
const key = keyDescriptor(certificate)
const signOn = service('SingleSignOnService', 'https://idp.example.com/sso')
const role = (...parts: string[]) => samlMetadata({ role: parts.join('') })

describe('metadata that is read', () => {
  test('entity, addresses and certificate', () => {
    assert.deepEqual(readSamlMetadata(samlMetadata(), now), {
      entityId: 'https://idp.example.com/saml',
      signOnUrl: 'https://idp.example.com/sso',
      logoutUrl: 'https://idp.example.com/slo',
      certificates: [certificate],
    })
  })

  test('the prefixes do not matter, nor does the order of what is in it', () => {
    const renamed = samlMetadata()
      .replaceAll('md:', '')
      .replaceAll(':md=', '=')
      .replaceAll('ds:', 'sig:')
      .replaceAll(':ds=', ':sig=')
    assert.deepEqual(readSamlMetadata(renamed, now), readSamlMetadata(samlMetadata(), now))
    assert.equal(readSamlMetadata(role(signOn, key), now).signOnUrl, 'https://idp.example.com/sso')
  })

  test('without a place to sign out', () => {
    assert.equal('logoutUrl' in readSamlMetadata(role(key, signOn), now), false)
  })

  test('the redirect among several bindings', () => {
    const post = service(
      'SingleSignOnService',
      'https://idp.example.com/post',
      'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    )
    assert.equal(readSamlMetadata(role(key, post, signOn), now).signOnUrl, 'https://idp.example.com/sso')
  })

  test('several certificates, each once, without those for encryption and those that have expired', () => {
    const second = testCertificate(now - day, 'second')
    const future = testCertificate(now + day, 'future')
    const expired = testCertificate(now - 11 * 365 * day, 'expired')
    const parts = [
      key,
      keyDescriptor(expired),
      keyDescriptor(second, ''),
      keyDescriptor(testCertificate(now - day, 'encryption'), ' use="encryption"'),
      key,
      keyDescriptor(future),
      signOn,
    ]
    assert.deepEqual(readSamlMetadata(role(...parts), now).certificates, [certificate, second, future])
  })

  test('one identity provider in a list of entities', () => {
    const entity = samlMetadata().replace(/<\?xml.*?\?>/, '')
    const other = '<md:EntityDescriptor entityID="sp"><md:SPSSODescriptor/></md:EntityDescriptor>'
    const list = (...entities: string[]) =>
      `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${entities.join('')}</md:EntitiesDescriptor>`
    assert.equal(readSamlMetadata(list(other, entity), now).entityId, 'https://idp.example.com/saml')
    assert.throws(() => readSamlMetadata(list(entity, entity), now), { message: samlMetadataFaults.provider })
    assert.throws(() => readSamlMetadata(list(other), now), { message: samlMetadataFaults.provider })
  })
})

describe('metadata that is refused', () => {
  const documents: [string, string, string][] = [
    ['nothing', '', 'Input XML is invalid'],
    ['a page', '<html><body/></html>', 'Input XML is invalid'],
    ['torn XML', samlMetadata().slice(0, -10), 'Input XML is invalid'],
    ['a document type', samlMetadata().replace('<md:Entity', '<!DOCTYPE x><md:Entity'), 'Input XML is invalid'],
    [
      'an external entity',
      samlMetadata({ entityId: '&x;' }).replace(
        '<md:Entity',
        '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><md:Entity',
      ),
      'Input XML is invalid',
    ],
    [
      'a message instead of metadata',
      samlMetadata().replaceAll('2.0:metadata', '2.0:assertion'),
      'Input XML is invalid',
    ],
    ['no entity id', samlMetadata().replace(/ entityID="[^"]*"/, ''), samlMetadataFaults.provider],
    ['an empty entity id', samlMetadata({ entityId: '' }), samlMetadataFaults.provider],
    [
      'a service provider',
      samlMetadata().replaceAll('IDPSSODescriptor', 'SPSSODescriptor'),
      samlMetadataFaults.provider,
    ],
    ['SAML 1.1', samlMetadata().replace('SAML:2.0:protocol', 'SAML:1.1:protocol'), samlMetadataFaults.provider],
    ['no place to sign in', role(key), 'No SingleSignOn Http redirect binding location found in metadata.'],
    [
      'POST alone',
      role(
        key,
        service('SingleSignOnService', 'https://idp.example.com/', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'),
      ),
      samlMetadataFaults.signOn,
    ],
    [
      'a script as the place',
      role(key, service('SingleSignOnService', 'javascript:alert(1)')),
      samlMetadataFaults.signOn,
    ],
    ['a file as the place', role(key, service('SingleSignOnService', 'file:///etc/passwd')), samlMetadataFaults.signOn],
    ['a relative place', role(key, service('SingleSignOnService', '/sso')), samlMetadataFaults.signOn],
    ['no key', role(signOn), samlMetadataFaults.certificate],
    [
      'a key for encryption alone',
      role(keyDescriptor(certificate, ' use="encryption"'), signOn),
      samlMetadataFaults.certificate,
    ],
    [
      'a key without a certificate',
      role('<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>a</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>', signOn),
      samlMetadataFaults.certificate,
    ],
    [
      'an expired certificate alone',
      role(keyDescriptor(testCertificate(now - 11 * 365 * day)), signOn),
      samlMetadataFaults.expired,
    ],
    ['something else than a certificate', role(keyDescriptor('aGVsbG8='), signOn), samlMetadataFaults.certificateForm],
    ['an empty certificate', role(keyDescriptor(''), signOn), samlMetadataFaults.certificateForm],
    [
      'a certificate that is not base64',
      role(keyDescriptor(`${certificate}!`), signOn),
      samlMetadataFaults.certificateForm,
    ],
    ['a long certificate', role(keyDescriptor('A'.repeat(4_097)), signOn), samlMetadataFaults.certificateLength],
    [
      'very many certificates',
      role(...Array.from({ length: 21 }, (_, index) => keyDescriptor(testCertificate(now - day, `c${index}`))), signOn),
      samlMetadataFaults.certificates,
    ],
  ]
  for (const [what, document, message] of documents) {
    test(what, () =>
      assert.throws(() => readSamlMetadata(document, now), { name: 'InvalidParameterException', message }),
    )
  }
})
