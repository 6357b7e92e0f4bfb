import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newPasskey } from '../../../test/support/passkeys.ts'
import { readAssertion } from './credential-json.ts'
import { verifyAssertion } from './webauthn.ts'

const challenge = 'zsBch6DlNLUb6SgRdzHysw'
const expectation = {
  relyingPartyId: 'example.com',
  isOrigin: (origin: string) => origin === 'https://example.com',
  userVerification: 'preferred',
} as const

const inverted = (bytes: Buffer, bit: number): string => {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return changed.toString('base64url')
}

for (const algorithm of ['ES256', 'RS256'] as const) {
  describe(`an assertion with ${algorithm}`, () => {
    const passkey = newPasskey(algorithm)
    const registered = { credentialId: passkey.id, publicKey: passkey.publicKey.toString('base64url') }
    const assertion = readAssertion(passkey.assert({ challenge }, { signCount: 7, userVerified: false }))

    test('says what its authenticator has said', async () => {
      assert.deepEqual(await verifyAssertion(assertion, registered, challenge, expectation), {
        signCount: 7,
        backupEligible: false,
        backedUp: false,
        userVerified: false,
      })
    })

    for (const member of ['signature', 'authenticatorData', 'clientDataJSON'] as const) {
      test(`says nothing when any bit of ${member} is another`, async () => {
        const bytes = Buffer.from(assertion[member], 'base64url')
        for (let bit = 0; bit < bytes.length * 8; bit += 1) {
          const changed = { ...assertion, [member]: inverted(bytes, bit) }
          assert.equal(await verifyAssertion(changed, registered, challenge, expectation), undefined, `bit ${bit}`)
        }
      })
    }

    test('says nothing under another key, or of another algorithm', async () => {
      for (const other of [newPasskey('ES256'), newPasskey('RS256')]) {
        const publicKey = other.publicKey.toString('base64url')
        assert.equal(await verifyAssertion(assertion, { ...registered, publicKey }, challenge, expectation), undefined)
      }
    })
  })
}
