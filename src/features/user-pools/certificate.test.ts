import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { before, test } from 'node:test'
import { days, onEachDatabase, type TestApp } from '../../../test/support/app.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const createPool = async (): Promise<string> =>
    (await app.aws.createUserPool({ PoolName: 'signed' })).UserPool?.Id ?? ''
  const getText = async (UserPoolId: string): Promise<string> =>
    (await app.aws.getSigningCertificate({ UserPoolId })).Certificate ?? ''
  const getCertificate = async (UserPoolId: string): Promise<X509Certificate> =>
    new X509Certificate(Buffer.from(await getText(UserPoolId), 'base64'))

  test('the certificate is signed by the key it certifies, which is the key of the ID tokens', async () => {
    const id = await createPool()
    const text = await getText(id)
    assert.match(text, /^[A-Za-z0-9+/]+=*$/)
    const certificate = new X509Certificate(Buffer.from(text, 'base64'))
    assert.equal(certificate.verify(certificate.publicKey), true)
    assert.equal(certificate.checkIssued(certificate), true)
    assert.equal(certificate.subject, `CN=${id}`)
    assert.equal(certificate.issuer, `CN=${id}`)
    assert.equal(certificate.ca, false)
    const { public_jwk } = await app.database.db
      .selectFrom('signing_keys')
      .select('public_jwk')
      .where('pool_id', '=', id)
      .where('token_use', '=', 'id')
      .executeTakeFirstOrThrow()
    assert.deepEqual(certificate.publicKey.export({ format: 'jwk' }), JSON.parse(public_jwk))
  })

  test('it is the same each time, for ten years from the creation of the pool', async () => {
    const id = await createPool()
    const second = Math.floor(app.now() / 1_000) * 1_000
    const certificate = await getCertificate(id)
    assert.equal(certificate.validFromDate.getTime(), second)
    assert.equal(certificate.validToDate.getTime(), second + days(3_650))
    app.advance(days(300))
    assert.equal((await getCertificate(id)).fingerprint256, certificate.fingerprint256)
  })

  test('each year it is renewed with the same key and another number', async () => {
    const id = await createPool()
    const old = await getCertificate(id)
    app.advance(days(365))
    const renewed = await getCertificate(id)
    assert.equal(renewed.validFromDate.getTime(), old.validFromDate.getTime() + days(365))
    assert.notEqual(renewed.serialNumber, old.serialNumber)
    assert.equal(renewed.verify(old.publicKey), true)
    app.advance(days(365 * 30))
    const late = await getCertificate(id)
    assert.equal(late.validFromDate.getTime(), old.validFromDate.getTime() + days(365 * 31))
    assert.equal(late.validToDate.getTime(), late.validFromDate.getTime() + days(3_650))
    assert.equal(late.verify(late.publicKey), true)
  })

  test('two pools have two certificates', async () => {
    const [one, other] = [await getCertificate(await createPool()), await getCertificate(await createPool())]
    assert.notEqual(one.fingerprint256, other.fingerprint256)
  })

  test('a pool that does not exist has none', async () => {
    await assert.rejects(app.aws.getSigningCertificate({ UserPoolId: 'us-east-1_none' }), {
      name: 'ResourceNotFoundException',
    })
  })
})
