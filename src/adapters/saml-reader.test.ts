import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { idpEntityId, makeIdpKey, sharedIdpKey, signedResponse } from '../../test/support/saml-idp.ts'
import { isCognitoError } from '../core/errors.ts'
import { SamlFault } from '../core/saml/fault.ts'
import type { ExpectedResponse } from '../core/saml/response.ts'
import { verificationKeys } from '../core/saml/signature.ts'
import { createSamlReader } from './saml-reader.ts'

const reader = createSamlReader()
after(() => reader.close())

const now = Date.now()
const usual = {
  now,
  audience: 'urn:amazon:cognito:sp:us-east-1_pool',
  recipient: 'https://id.example.com/saml2/idpresponse',
  requestId: '_request',
}
const expected: ExpectedResponse = {
  ...usual,
  issuer: idpEntityId,
  keys: verificationKeys([sharedIdpKey().certificate], now),
  privateKey: makeIdpKey().privateKey,
  mustBeEncrypted: false,
}

test('what a thread has read is the answer, values by name included', async () => {
  const answer = await reader.response(
    signedResponse({ ...usual, attributes: { mail: ['ann@corp.example'] } }),
    expected,
  )
  assert.equal(answer.nameId.value, 'ann@corp.example')
  assert.deepEqual(answer.attributes.get('mail'), ['ann@corp.example'])
})

test('a fault arrives with its reason, and with what the provider has said', async () => {
  const faultOf = (text: string) =>
    reader.response(text, expected).then(
      () => undefined,
      (error: unknown) => error,
    )
  const forged = await faultOf(signedResponse({ ...usual, audience: 'urn:another' }))
  assert.ok(forged instanceof SamlFault)
  assert.equal(forged.reason, 'audience')
  assert.notEqual(forged.message, '')
  const malformed = await faultOf('<')
  assert.ok(malformed instanceof SamlFault)
  assert.equal(malformed.reason, 'malformed')
  await assert.rejects(
    reader.logoutResponse(signedResponse(usual), { ...expected, requestId: '_request' }),
    (error: unknown) => error instanceof SamlFault && error.reason === 'malformed',
  )
})

test('beyond the limit messages are refused at once, and read again when there is room', async () => {
  const text = signedResponse(usual)
  const results = await Promise.allSettled(Array.from({ length: 70 }, () => reader.response(text, expected)))
  const refused = results.filter(result => result.status === 'rejected')
  assert.equal(refused.length, 6)
  assert.ok(refused.every(({ reason }) => isCognitoError(reason, 'TooManyRequestsException')))
  assert.equal((await reader.response(text, expected)).nameId.value, 'ann@corp.example')
})
