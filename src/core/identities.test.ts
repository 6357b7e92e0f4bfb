import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idClaims } from './claims.ts'
import { type Identity, identitiesClaim, writeIdentities } from './identities.ts'

const identities: Identity[] = [
  {
    userId: '1098',
    providerName: 'Google',
    providerType: 'Google',
    issuer: null,
    primary: true,
    dateCreated: 1671416345385,
  },
  {
    dateCreated: 1,
    primary: false,
    issuer: 'http://auth.example.com',
    providerType: 'SAML',
    providerName: 'ADFS1',
    userId: 'carlos',
  },
]

test('the attribute has booleans and numbers, in its own order', () => {
  assert.equal(
    writeIdentities(identities),
    '[{"userId":"1098","providerName":"Google","providerType":"Google","issuer":null,"primary":true,"dateCreated":1671416345385},' +
      '{"userId":"carlos","providerName":"ADFS1","providerType":"SAML","issuer":"http://auth.example.com","primary":false,"dateCreated":1}]',
  )
})

test('the claim has texts', () => {
  assert.equal(
    JSON.stringify(identitiesClaim(writeIdentities(identities))),
    '[{"dateCreated":"1671416345385","userId":"1098","providerName":"Google","providerType":"Google","issuer":null,"primary":"true"},' +
      '{"dateCreated":"1","userId":"carlos","providerName":"ADFS1","providerType":"SAML","issuer":"http://auth.example.com","primary":"false"}]',
  )
})

test('an ID token tells the identities behind its audience, whatever the client may read', () => {
  const facts = {
    issuer: 'https://id.example.com/p',
    clientId: 'client',
    sub: 'sub',
    username: 'ann',
    groups: [],
    eventId: 'event',
    authTime: 1,
    issuedAt: 1,
    originJti: undefined,
    authentication: undefined,
  }
  const lifetime = { jti: 'jti', lifetimeSeconds: 60 }
  const attributes = new Map([['identities', writeIdentities(identities)]])
  const claims = idClaims(facts, lifetime, attributes, () => false)
  assert.deepEqual(claims['identities'], identitiesClaim(writeIdentities(identities)))
  assert.equal(Object.keys(claims).indexOf('identities'), Object.keys(claims).indexOf('aud') + 1)
  assert.equal('identities' in idClaims(facts, lifetime, new Map(), () => true), false)
})
