import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { cpuMsOf } from '../../../test/support/cpu-time.ts'
import {
  assertionPath,
  encryptAssertion,
  enveloped,
  exclusive,
  idpEntityId,
  instant,
  makeIdpKey,
  messagePath,
  type ResponseContent,
  responseXml,
  type Signing,
  sharedIdpKey,
  signedResponse,
  signWithPrefixes,
  signXml,
} from '../../../test/support/saml-idp.ts'
import { SamlFault, type SamlReason } from './fault.ts'
import { type ExpectedResponse, readResponse, type SamlAnswer } from './response.ts'
import { verificationKeys } from './signature.ts'

const now = Date.now()
const minute = 60_000
const key = sharedIdpKey()
const encryption = makeIdpKey()
const stranger = makeIdpKey()
const expected: ExpectedResponse = {
  now,
  issuer: idpEntityId,
  audience: 'urn:amazon:cognito:sp:us-east-1_pool',
  recipient: 'https://id.example.com/saml2/idpresponse',
  requestId: '_request',
  keys: verificationKeys([key.certificate], now),
  privateKey: encryption.privateKey,
  mustBeEncrypted: false,
}
const usual = { now, audience: expected.audience, recipient: expected.recipient, requestId: expected.requestId }
const honest = (changes: Partial<ResponseContent> = {}, signing: Partial<Signing> = {}): string =>
  signedResponse({ ...usual, ...changes }, signing)

/** What comes of the response: the subject when it is believed, else the reason. */
const outcome = (text: string, changes: Partial<ExpectedResponse> = {}): string => {
  try {
    return readResponse(text, { ...expected, ...changes }).nameId.value
  } catch (error) {
    if (error instanceof SamlFault) return `refused: ${error.reason}`
    throw error
  }
}

const ann = 'ann@corp.example'
const refused = (reason: SamlReason) => `refused: ${reason}`

describe('responses that are believed', () => {
  test('what an assertion says', () => {
    const answer: SamlAnswer = readResponse(
      honest({
        assertionId: '_a1',
        nameIdAttributes: ' Format="urn:f" NameQualifier="q" SPNameQualifier="s"',
        attributes: { email: ann, groups: ['a&amp;b', 'c'], 'urn:oid:1': '' },
      }),
      expected,
    )
    assert.deepEqual(answer, {
      assertionId: '_a1',
      expiresAt: now + 8 * minute,
      nameId: { value: ann, format: 'urn:f', nameQualifier: 'q', spNameQualifier: 's' },
      sessionIndex: '_session1',
      attributes: new Map([
        ['email', [ann]],
        ['groups', ['a&b', 'c']],
        ['urn:oid:1', ['']],
      ]),
    })
  })

  const sha512 = 'http://www.w3.org/2001/04/xmlenc#sha512'
  const ways: [string, () => string][] = [
    ['a signed assertion', () => honest()],
    ['a signed response', () => honest({}, { of: messagePath })],
    ['both signed', () => signXml(honest(), { of: messagePath })],
    [
      'RSA with SHA-512',
      () =>
        honest(
          {},
          { signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', digestAlgorithm: sha512 },
        ),
    ],
    [
      'prefixes of the response that the signature of the assertion includes',
      () => signXml(signWithPrefixes(responseXml(usual), ['samlp', 'xs']), { of: messagePath }),
    ],
    ['no destination', () => honest({ destination: '' })],
    ['clocks that differ by three minutes', () => honest({ now: now + 3 * minute - 1 })],
    ['space and line ends between the elements', () => signXml(responseXml(usual).replaceAll('><', '>\n  <'))],
    ['CDATA, which says no more than text', () => honest({ nameId: '<![CDATA[ann@corp.]]>example' })],
    ['an attribute that is an element', () => honest({ attributes: { id: '<saml:NameID>x</saml:NameID>' } })],
    [
      'a confirmation of another method beside the bearer',
      () =>
        honest({
          confirmation: `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/>${confirmation({})}`,
        }),
    ],
  ]
  for (const [what, make] of ways) test(what, () => assert.equal(outcome(make()), ann))

  test('one of several keys', () => {
    const keys = verificationKeys([stranger.certificate, key.certificate], now)
    assert.equal(outcome(honest({}, { key: stranger }), { keys }), ann)
    assert.equal(outcome(honest(), { keys }), ann)
  })

  test('a signature on each curve', () => {
    for (const [hash, namedCurve] of [
      ['sha256', 'P-256'],
      ['sha384', 'P-384'],
      ['sha512', 'P-521'],
    ] as const) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
      const text = signWithPrefixes(responseXml(usual), ['xs'], { privateKey, hash })
      assert.equal(outcome(text, { keys: [...expected.keys, publicKey] }), ann)
      assert.equal(outcome(text), refused('signature'))
      const short = text.replace(/(<ds:SignatureValue>)[^<]*/, '$1AAAA')
      assert.equal(outcome(short, { keys: [publicKey] }), refused('signature'))
    }
  })

  test('an assertion that nobody asked for, where that is allowed', () => {
    const unasked = { ...expected, requestId: undefined }
    const { expiresAt } = readResponse(honest({ requestId: undefined }), unasked)
    assert.equal(expiresAt, now + 6 * minute + 1)
    assert.equal(
      outcome(honest({ requestId: undefined, issueInstant: instant(now) }), { ...unasked, now: expiresAt }),
      refused('tooOld'),
    )
  })

  test('an assertion is kept in mind for as long as any of its confirmations holds', () => {
    const early = confirmation({ until: ` NotOnOrAfter="${instant(now + minute)}"` })
    const late = confirmation({ until: ` NotOnOrAfter="${instant(now + 4 * minute)}"` })
    for (const both of [early + late, late + early]) {
      assert.equal(readResponse(honest({ confirmation: both }), expected).expiresAt, now + 7 * minute)
    }
  })
})

const confirmation = ({
  method = 'bearer',
  recipient = ` Recipient="${expected.recipient}"`,
  until = ` NotOnOrAfter="${instant(now + 5 * minute)}"`,
  answers = ' InResponseTo="_request"',
  more = '',
}) =>
  `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:${method}"><saml:SubjectConfirmationData${recipient}${until}${answers}${more}/></saml:SubjectConfirmation>`

const conditions = (content: string, from = now - minute, until = now + 5 * minute) =>
  `<saml:Conditions NotBefore="${instant(from)}" NotOnOrAfter="${instant(until)}">${content}</saml:Conditions>`
const audience = (...names: string[]) =>
  `<saml:AudienceRestriction>${names.map(name => `<saml:Audience>${name}</saml:Audience>`).join('')}</saml:AudienceRestriction>`
const ours = audience(expected.audience)
const status = (code: string, more = '') =>
  `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${code}"/>${more}</samlp:Status>`

describe('signed responses that do not fit', () => {
  const changes: [string, Partial<ResponseContent>, SamlReason][] = [
    ['another issuer', { issuer: 'https://other.example.com/saml' }, 'issuer'],
    ['another destination', { destination: 'https://evil.example/acs' }, 'destination'],
    [
      'another recipient',
      { confirmation: confirmation({ recipient: ' Recipient="https://evil.example/acs"' }) },
      'recipient',
    ],
    ['no recipient', { confirmation: confirmation({ recipient: '' }) }, 'recipient'],
    ['no confirmation', { confirmation: '' }, 'confirmation'],
    ['confirmation by holder of key', { confirmation: confirmation({ method: 'holder-of-key' }) }, 'confirmation'],
    [
      'a confirmation without data',
      { confirmation: '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>' },
      'malformed',
    ],
    ['a confirmation without an end', { confirmation: confirmation({ until: '' }) }, 'period'],
    [
      'a confirmation that has ended',
      { confirmation: confirmation({ until: ` NotOnOrAfter="${instant(now - 3 * minute)}"` }) },
      'period',
    ],
    [
      'a confirmation of the future',
      { confirmation: confirmation({ more: ` NotBefore="${instant(now + 4 * minute)}"` }) },
      'period',
    ],
    ['the answer to another request', { requestId: '_other' }, 'inResponseTo'],
    ['an answer to nothing', { requestId: undefined }, 'inResponseTo'],
    [
      'a confirmation for another request',
      { confirmation: confirmation({ answers: ' InResponseTo="_other"' }) },
      'inResponseTo',
    ],
    ['a confirmation for no request', { confirmation: confirmation({ answers: '' }) }, 'inResponseTo'],
    ['another audience', { conditions: conditions(audience('urn:other')) }, 'audience'],
    ['no audience', { conditions: conditions('') }, 'audience'],
    ['an empty restriction', { conditions: conditions(audience()) }, 'audience'],
    ['two audiences', { conditions: conditions(audience(expected.audience, 'urn:other')) }, 'audience'],
    ['two restrictions', { conditions: conditions(ours + audience('urn:other')) }, 'audience'],
    ['no conditions', { conditions: '' }, 'conditions'],
    ['conditions twice', { conditions: conditions(ours) + conditions(ours) }, 'conditions'],
    ['a condition that nobody knows', { conditions: conditions(`${ours}<saml:Condition/>`) }, 'conditions'],
    ['conditions of the future', { conditions: conditions(ours, now + 3 * minute + 1) }, 'period'],
    ['conditions of the past', { conditions: conditions(ours, now - 9 * minute, now - 3 * minute) }, 'period'],
    ['a moment without a zone', { conditions: conditions(ours).replaceAll('Z"', '"') }, 'malformed'],
    [
      'a moment that is none',
      { conditions: conditions(ours).replace(/NotBefore="[^"]*"/, 'NotBefore="2026-99-99T00:00:00Z"') },
      'malformed',
    ],
    ['an assertion of the future', { issueInstant: instant(now + 3 * minute + 1) }, 'period'],
    ['nobody who has signed in', { statement: '' }, 'authentication'],
    [
      'a session that has ended',
      {
        statement: `<saml:AuthnStatement AuthnInstant="${instant(now)}" SessionNotOnOrAfter="${instant(now - 3 * minute)}"/>`,
      },
      'session',
    ],
    ['a refusal', { status: status('Responder') }, 'status'],
    ['a refusal that looks like success', { status: status('Success:x') }, 'status'],
    ['no status', { status: '' }, 'malformed'],
    ['two statuses', { status: status('Success') + status('Success') }, 'malformed'],
    ['an empty subject', { nameId: ' ' }, 'subject'],
    ['a long subject', { nameId: 'x'.repeat(1_025) }, 'subject'],
    ['an element in the subject', { nameId: `${ann}<saml:x>.evil.example</saml:x>` }, 'malformed'],
    ['a comment in the subject', { nameId: `${ann}<!---->.evil.example` }, 'malformed'],
    ['an instruction in the subject', { nameId: `${ann}<?x?>.evil.example` }, 'malformed'],
    ['a comment in an attribute', { attributes: { email: `${ann}<!-- -->.evil.example` } }, 'malformed'],
    ['a character beyond the basic plane', { attributes: { email: '😀' } }, 'attributes'],
    ['a long value', { attributes: { email: 'x'.repeat(2_049) } }, 'attributes'],
    ['an attribute without a name', { attributes: { '': 'x' } }, 'malformed'],
    ['the same ID twice', { assertionId: '_1', responseId: '_1' }, 'malformed'],
    ['an id of another spelling twice', { assertionId: '_1', extra: '<x Id="_1"/>' }, 'malformed'],
    [
      'an assertion in the assertion',
      { extra: '<saml:Advice><saml:Assertion ID="_x" Version="2.0"/></saml:Advice>' },
      'malformed',
    ],
  ]
  for (const [what, change, reason] of changes) {
    test(what, () => {
      // Some of these a signing library would refuse to sign; then it is the document that is refused.
      const unsigned = responseXml({ ...usual, ...change })
      let text = unsigned
      try {
        text = signXml(unsigned)
      } catch {
        assert.equal(reason, 'malformed')
      }
      assert.equal(outcome(text), refused(reason))
    })
  }

  test('an answer is not unasked for, nor the other way round', () => {
    assert.equal(outcome(honest(), { requestId: undefined }), refused('unsolicited'))
    const mixed = honest({ requestId: undefined, confirmation: confirmation({}) })
    assert.equal(outcome(mixed, { requestId: undefined }), refused('unsolicited'))
    const old = honest({ requestId: undefined, issueInstant: instant(now - 6 * minute - 1) })
    assert.equal(outcome(old, { requestId: undefined }), refused('tooOld'))
    const young = honest({ requestId: undefined, issueInstant: instant(now - 6 * minute) })
    assert.equal(outcome(young, { requestId: undefined }), ann)
  })

  test('a refusal is told in the words of the provider, whether it is signed or not', () => {
    const message = status('Responder', '<samlp:StatusMessage>Account\nlocked</samlp:StatusMessage>')
    assert.throws(() => readResponse(responseXml({ ...usual, status: message }), expected), {
      reason: 'status',
      detail: 'Account locked',
    })
    const nested = status('Responder').replace(
      '/></samlp:Status>',
      '><samlp:StatusCode Value="urn:inner"/></samlp:StatusCode></samlp:Status>',
    )
    assert.throws(() => readResponse(honest({ status: nested }), expected), { reason: 'status', detail: 'urn:inner' })
  })
})

describe('signatures that do not hold', () => {
  const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
  const weak = makeIdpKey(undefined, 1_024)
  const edit = (change: (text: string) => string, signing: Partial<Signing> = {}) => {
    const text = honest({}, signing)
    const edited = change(text)
    assert.notEqual(edited, text, 'the edit applies')
    return edited
  }
  const signature = /<ds:Signature .*<\/ds:Signature>/s
  const hmac = (text: string) => {
    const changed = text.replace(
      'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
    )
    const value = createHmac('sha256', Buffer.from(key.certificate, 'base64'))
      .update(/<ds:SignedInfo.*<\/ds:SignedInfo>/s.exec(changed)?.[0] ?? '')
      .digest('base64')
    return changed.replace(/(<ds:SignatureValue>)[^<]*/, `$1${value}`)
  }
  const attacks: [string, () => string][] = [
    ['none at all', () => responseXml(usual)],
    ['removed', () => edit(text => text.replace(signature, ''))],
    ['of another key', () => honest({}, { key: stranger })],
    ['of a weak key', () => honest({}, { key: weak })],
    ['with SHA-1', () => honest({}, { signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })],
    ['with a digest by SHA-1', () => honest({}, { digestAlgorithm: sha1 })],
    ['with the certificate as a secret', () => edit(hmac)],
    [
      'with inclusive canonicalization',
      () => honest({}, { canonicalizationAlgorithm: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315' }),
    ],
    ['with comments', () => honest({}, { transforms: [enveloped, `${exclusive}WithComments`] })],
    ['with one transform', () => honest({}, { transforms: [exclusive] })],
    ['with the transforms in another order', () => honest({}, { transforms: [exclusive, enveloped] })],
    [
      'with an XSL transform',
      () =>
        edit(text =>
          text.replace(
            `<ds:Transform Algorithm="${exclusive}"/>`,
            `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>`,
          ),
        ),
    ],
    [
      'with an XPath transform',
      () =>
        edit(text =>
          text.replace(
            `<ds:Transform Algorithm="${enveloped}"/>`,
            `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1=1</ds:XPath></ds:Transform>`,
          ),
        ),
    ],
    ['about the whole document', () => edit(text => text.replace(/URI="#[^"]*"/, 'URI=""'))],
    ['about an XPointer', () => edit(text => text.replace(/URI="#([^"]*)"/, `URI="#xpointer(id('$1'))"`))],
    ['about something far away', () => edit(text => text.replace(/URI="#[^"]*"/, 'URI="http://127.0.0.1/x"'))],
    ['with two references', () => edit(text => text.replace(/<ds:Reference.*<\/ds:Reference>/s, '$&$&'))],
    ['with two SignedInfo', () => edit(text => text.replace(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s, '$&$&'))],
    ['with an object', () => edit(text => text.replace('</ds:Signature>', '<ds:Object/></ds:Signature>'))],
    ['with text between its parts', () => edit(text => text.replace('<ds:SignatureValue>', 'x$&'))],
    ['with a space in the digest', () => edit(text => text.replace(/(<ds:DigestValue>.)/, '$1!'))],
    ['with a short digest', () => edit(text => text.replace(/(<ds:DigestValue>)[^<]*/, '$1AAAA'))],
    ['with an empty digest', () => edit(text => text.replace(/(<ds:DigestValue>)[^<]*/, '$1'))],
    ['with an empty value', () => edit(text => text.replace(/(<ds:SignatureValue>)[^<]*/, '$1'))],
    ['with another subject', () => edit(text => text.replaceAll(ann, 'eve@corp.example'))],
    [
      'with an attribute more',
      () => edit(text => text.replace('<saml:AttributeStatement>', '$&<saml:Attribute Name="x"/>')),
    ],
  ]
  for (const [what, make] of attacks) test(what, () => assert.equal(outcome(make()), refused('signature')))

  test('even when the weak key stands in the metadata', () => {
    const keys = verificationKeys([weak.certificate], now)
    assert.deepEqual(keys, [])
    assert.equal(outcome(honest({}, { key: weak }), { keys }), refused('signature'))
  })

  test('a key counts while its certificate is valid', () => {
    const later = now + 10 * 365 * 86_400_000
    assert.equal(verificationKeys([key.certificate], later).length, 0)
    assert.equal(verificationKeys([key.certificate], now - 2 * 365 * 86_400_000).length, 0)
  })

  test('without keys nothing is believed', () => assert.equal(outcome(honest(), { keys: [] }), refused('signature')))

  test('of the response, which must hold when there is one', () => {
    const forged = signXml(honest(), { of: messagePath, key: stranger })
    assert.equal(outcome(forged), refused('responseSignature'))
    const assertionForged = signXml(honest({}, { key: stranger }), { of: messagePath })
    assert.equal(outcome(assertionForged), refused('signature'))
  })

  test('comments in digest and value, and a signature in another place', () => {
    for (const name of ['DigestValue', 'SignatureValue']) {
      assert.equal(outcome(edit(text => text.replace(`<ds:${name}>`, '$&<!-- x -->'))), refused('malformed'))
    }
    const twice = edit(text => text.replace(signature, '$&$&'))
    assert.equal(outcome(twice), refused('malformed'))
    const moved = edit(text => {
      const [found = ''] = signature.exec(text) ?? []
      return text.replace(signature, '').replace('</saml:AuthnContext>', `${found}</saml:AuthnContext>`)
    })
    assert.equal(outcome(moved), refused('malformed'))
  })
})

describe('wrapping: a signed assertion beside a forged one', () => {
  const of = { response: messagePath, assertion: assertionPath }
  const assertionElement = /<saml:Assertion .*<\/saml:Assertion>/s
  const signatureElement = /<ds:Signature .*<\/ds:Signature>/s
  const forge = (text: string) => text.replaceAll(ann, 'eve@corp.example')
  /** Each puts the forged content where a careless reader looks, and the signed one where the reference leads. */
  const wrappings: Record<string, (text: string) => string> = {
    'the original in the signature of a forged response': text => {
      const [signature = ''] = signatureElement.exec(text) ?? []
      const inner = text.replace(signature, '')
      const evil = forge(inner).replace(/ID="_r[^"]*"/, 'ID="_evil"')
      return evil.replace(
        '</saml:Issuer>',
        `$&${signature.replace('</ds:Signature>', `<ds:Object>${inner}</ds:Object></ds:Signature>`)}`,
      )
    },
    'the original behind the signature of a forged response': text => {
      const [signature = ''] = signatureElement.exec(text) ?? []
      const evil = forge(text.replace(signature, '')).replace(/ID="_r[^"]*"/, 'ID="_evil"')
      return evil.replace('</saml:Issuer>', `$&${signature}${text.replace(signature, '')}`)
    },
    'a forged assertion first': text => text.replace(assertionElement, found => `${evilAssertion(found)}${found}`),
    'a forged assertion last': text => text.replace(assertionElement, found => `${found}${evilAssertion(found)}`),
    'the original in the forged assertion': text =>
      text.replace(assertionElement, found =>
        evilAssertion(found).replace('</saml:Assertion>', `${found}</saml:Assertion>`),
      ),
    'the original in the signature of the forged assertion': text =>
      text.replace(assertionElement, found => {
        const [signature = ''] = signatureElement.exec(found) ?? []
        const inside = signature.replace(
          '</ds:Signature>',
          `<ds:Object>${found.replace(signature, '')}</ds:Object></ds:Signature>`,
        )
        return evilAssertion(found).replace('</saml:Issuer>', `$&${inside}`)
      }),
    'the original in extensions': text =>
      text.replace(assertionElement, found => `<samlp:Extensions>${found}</samlp:Extensions>${evilAssertion(found)}`),
    'the original in advice': text =>
      text.replace(assertionElement, found =>
        evilAssertion(found).replace('</saml:Subject>', `$&<saml:Advice>${found}</saml:Advice>`),
      ),
    'a forged assertion with the same ID last': text =>
      text.replace(assertionElement, found => `${found}${forge(found.replace(signatureElement, ''))}`),
    'the signature kept, the content forged': text => text.replace(assertionElement, forge),
  }
  const evilAssertion = (found: string) =>
    forge(found.replace(signatureElement, '')).replace(/ID="[^"]*"/, 'ID="_evil"')
  for (const [what, wrap] of Object.entries(wrappings)) {
    for (const [signed, path] of Object.entries(of)) {
      test(`${what}, with a signed ${signed}`, () => {
        const wrapped = wrap(honest({}, { of: path }))
        assert.ok(wrapped.includes('eve@corp.example'))
        assert.match(outcome(wrapped), /^refused: /)
      })
    }
  }
})

describe('encrypted assertions', () => {
  const { certificate } = encryption
  const xenc = 'http://www.w3.org/2001/04/xmlenc#'
  const xenc11 = 'http://www.w3.org/2009/xmlenc11#'
  const ways: [string, Omit<Parameters<typeof encryptAssertion>[1], 'certificate'>][] = [
    ['AES-256-GCM', {}],
    ['AES-128-GCM', { cipher: `${xenc11}aes128-gcm` }],
    ['AES-256-CBC', { cipher: `${xenc}aes256-cbc` }],
    ['AES-128-CBC', { cipher: `${xenc}aes128-cbc` }],
    [
      'OAEP with SHA-256',
      { keyEncryption: `${xenc11}rsa-oaep`, keyEncryptionDigest: 'sha256', keyEncryptionMgf: 'sha256' },
    ],
  ]
  for (const [what, options] of ways) {
    test(`${what}, signed inside, outside or both`, async () => {
      const inside = await encryptAssertion(honest(), { certificate, ...options })
      assert.equal(outcome(inside, { mustBeEncrypted: true }), ann)
      const outside = signXml(await encryptAssertion(responseXml(usual), { certificate, ...options }), {
        of: messagePath,
      })
      assert.equal(outcome(outside), ann)
      assert.equal(outcome(signXml(inside, { of: messagePath })), ann)
    })
  }

  test('the namespaces around an encrypted assertion are its own', async () => {
    const encrypted = await encryptAssertion(honest(), { certificate })
    assert.match(
      outcome(encrypted.replaceAll('xmlns:saml=', 'xmlns:x=').replaceAll('saml:', 'x:')),
      /^ann|refused: signature$/,
    )
  })

  test('a signature is needed all the same', async () => {
    for (const cipher of [`${xenc11}aes256-gcm`, `${xenc}aes256-cbc`]) {
      assert.equal(outcome(await encryptAssertion(responseXml(usual), { certificate, cipher })), refused('signature'))
    }
    assert.equal(outcome(await encryptAssertion(honest({}, { key: stranger }), { certificate })), refused('signature'))
  })

  test('an assertion in the clear is refused where it must be encrypted', () => {
    assert.equal(outcome(honest(), { mustBeEncrypted: true }), refused('notEncrypted'))
    assert.equal(outcome(honest({}, { of: messagePath }), { mustBeEncrypted: true }), refused('notEncrypted'))
  })

  test('whatever is wrong with the ciphertext is the same fault', async () => {
    const gcm = await encryptAssertion(honest(), { certificate })
    const cbc = await encryptAssertion(honest(), { certificate, cipher: `${xenc}aes256-cbc` })
    const values = /(<\w+:CipherValue>)([^<]*)/g
    const flip = (text: string, which: number, at: number, bits = 1) => {
      let index = 0
      return text.replace(values, (whole, tag: string, value: string) => {
        if (index++ !== which) return whole
        const bytes = Buffer.from(value, 'base64')
        bytes[(at + bytes.length) % bytes.length] = (bytes.at(at) ?? 0) ^ bits
        return `${tag}${bytes.toString('base64')}`
      })
    }
    const [keyValue, contentValue] = [0, 1]
    const edits = [
      ...[0, 13, -1].map(at => flip(gcm, contentValue, at)),
      flip(gcm, keyValue, 5),
      flip(cbc, keyValue, 5),
      // Each possible value of the last byte of padding.
      ...Array.from({ length: 255 }, (_, bits) => flip(cbc, contentValue, -17, bits + 1)),
      flip(cbc, contentValue, 0),
      gcm.replace(`${xenc}rsa-oaep-mgf1p`, `${xenc}rsa-1_5`),
      gcm.replace(`${xenc11}aes256-gcm`, `${xenc}tripledes-cbc`),
      gcm.replace(`${xenc11}aes256-gcm`, `${xenc}aes256-cbc`),
      cbc.replace(`${xenc}aes256-cbc`, `${xenc11}aes256-gcm`),
      gcm.replace(
        /(<[\w:]*CipherValue>)[^<]*(<\/[\w:]*CipherValue>\s*<\/[\w:]*CipherData>\s*<\/[\w:]*EncryptedData>)/,
        '$1AAAA$2',
      ),
      gcm.replace(/<e:EncryptedKey.*<\/e:EncryptedKey>/s, ''),
      gcm.replace(/<e:EncryptedKey.*<\/e:EncryptedKey>/s, '$&$&'),
      await encryptAssertion(honest(), { certificate: stranger.certificate }),
      await encryptAssertion(honest(), { certificate, keyEncryption: `${xenc}rsa-1_5` }),
    ]
    for (const edited of edits) {
      assert.ok(edited !== gcm && edited !== cbc)
      assert.equal(outcome(edited), refused('signature'))
    }
  })
})

describe('hostile documents', () => {
  const deep = `${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}`
  const documents: [string, string][] = [
    ['nothing', ''],
    ['no XML', 'hello'],
    ['another message', '<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>'],
    ['an assertion alone', /<saml:Assertion.*<\/saml:Assertion>/s.exec(honest())?.[0] ?? ''],
    ['a document type', `<!DOCTYPE x>${honest()}`],
    ['an internal entity', `<!DOCTYPE x [<!ENTITY e "eve">]>${honest()}`],
    ['an external entity', `<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1/">]>${honest()}`],
    ['entities in entities', `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>${honest()}`],
    ['an unknown entity', honest().replace(ann, '&e;')],
    ['two roots', `${honest()}${honest()}`],
    ['a comment before the root', `<!-- x -->${honest()}`],
    ['20,000 levels', deep],
    ['20,000 levels in a response', honest().replace('</saml:Issuer>', `$&${deep}`)],
    ['a relative namespace with nothing behind it', honest().replace('<saml:Assertion', '<saml:Assertion xmlns:v="1')],
    ['elements without end', `<samlp:Response ${'<'.repeat(99_000)}`],
  ]
  for (const [what, text] of documents) {
    test(what, () => {
      let result = ''
      const cost = cpuMsOf(() => {
        result = outcome(text)
      })
      assert.equal(result, refused('malformed'))
      assert.ok(cost < 1_000, `${cost} ms`)
    })
  }

  test('a place for schemas is text like any other', () => {
    assert.equal(outcome(honest({ extra: '<x xsi:schemaLocation="http://127.0.0.1/a http://127.0.0.1/b"/>' })), ann)
  })

  test('as much as fits into a request costs little', () => {
    const full = honest({
      attributes: Object.fromEntries(Array.from({ length: 460 }, (_, index) => [`urn:${index}`, 'x'.repeat(30)])),
    })
    assert.ok(full.length > 60_000 && full.length < 75_000, String(full.length))
    const cost = cpuMsOf(() => assert.equal(outcome(full), ann))
    assert.ok(cost < 1_000, `${cost} ms`)
  })
})
