import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideMfa, type MfaDecision, type MfaFactor, type MfaFacts, mfaFactors } from './mfa-decision.ts'

const none: MfaDecision = { step: 'none' }
const refuse: MfaDecision = { step: 'refuse' }
const challenge = (factor: MfaFactor): MfaDecision => ({ step: 'challenge', factor })
const select = (...factors: MfaFactor[]): MfaDecision => ({ step: 'select', factors })
const setup = (...factors: MfaFactor[]): MfaDecision => ({ step: 'setup', factors })

const sms = 'SMS_MFA'
const totp = 'SOFTWARE_TOKEN_MFA'
const mail = 'EMAIL_OTP'

/** A pool with all factors, a user with none. */
const facts = (changes: Partial<MfaFacts>): MfaFacts => ({
  mode: 'ON',
  poolFactors: mfaFactors,
  enabled: [],
  preferred: undefined,
  hasSoftwareToken: false,
  hasPhoneNumber: false,
  hasEmail: false,
  recovery: undefined,
  ...changes,
})

const everything: Partial<MfaFacts> = { hasSoftwareToken: true, hasPhoneNumber: true, hasEmail: true }

const cases: [string, Partial<MfaFacts>, MfaDecision][] = [
  ['off, whatever the user has', { mode: 'OFF', ...everything, enabled: [sms, totp], preferred: totp }, none],
  ['off, even when risk asks', { mode: 'OFF', ...everything, enabled: [totp], isAssigned: true }, none],

  ['optional, nothing', { mode: 'OPTIONAL' }, none],
  ['optional, addresses that nobody switched on', { mode: 'OPTIONAL', hasPhoneNumber: true, hasEmail: true }, none],
  ['optional, a token that is not switched on', { mode: 'OPTIONAL', hasSoftwareToken: true }, none],
  ['optional, a token', { mode: 'OPTIONAL', hasSoftwareToken: true, enabled: [totp] }, challenge(totp)],
  ['optional, SMS', { mode: 'OPTIONAL', hasPhoneNumber: true, enabled: [sms] }, challenge(sms)],
  ['optional, mail', { mode: 'OPTIONAL', hasEmail: true, enabled: [mail] }, challenge(mail)],
  [
    'optional, mail that recovers',
    { mode: 'OPTIONAL', hasEmail: true, enabled: [mail], recovery: mail },
    challenge(mail),
  ],
  [
    'optional, a preferred one',
    { mode: 'OPTIONAL', ...everything, enabled: [sms, totp], preferred: sms },
    challenge(sms),
  ],
  ['optional, several', { mode: 'OPTIONAL', ...everything, enabled: [totp, sms] }, select(sms, totp)],
  ['optional, all', { mode: 'OPTIONAL', ...everything, enabled: [mail, totp, sms] }, select(sms, totp, mail)],
  ['optional, SMS without a number', { mode: 'OPTIONAL', hasEmail: true, enabled: [sms], preferred: sms }, refuse],
  ['optional, mail without an address', { mode: 'OPTIONAL', hasPhoneNumber: true, enabled: [mail] }, refuse],
  ['optional, a token that is gone', { mode: 'OPTIONAL', enabled: [totp], preferred: totp }, refuse],
  [
    'optional, the preferred one is unusable and another is not',
    { mode: 'OPTIONAL', hasSoftwareToken: true, enabled: [sms, totp], preferred: sms },
    challenge(totp),
  ],
  [
    'optional, mail in a pool that has switched it off',
    { mode: 'OPTIONAL', poolFactors: [totp], hasEmail: true, enabled: [mail], preferred: mail },
    none,
  ],
  [
    'optional, a token in a pool that has switched them off',
    { mode: 'OPTIONAL', poolFactors: [sms], hasSoftwareToken: true, enabled: [totp] },
    challenge(totp),
  ],
  ['optional, risk asks, nothing', { mode: 'OPTIONAL', isAssigned: true }, setup(sms, totp, mail)],
  ['optional, risk asks, a number', { mode: 'OPTIONAL', isAssigned: true, hasPhoneNumber: true }, challenge(sms)],

  ['on, preferred', { ...everything, enabled: [sms, totp, mail], preferred: mail }, challenge(mail)],
  ['on, preferred that recovers', { ...everything, enabled: [mail], preferred: mail, recovery: mail }, challenge(mail)],
  ['on, a token', { hasSoftwareToken: true }, challenge(totp)],
  [
    'on, a token and an address of a factor that the pool has not',
    { ...everything, poolFactors: [totp] },
    challenge(totp),
  ],
  ['on, a token and a number', { hasSoftwareToken: true, hasPhoneNumber: true }, select(sms, totp)],
  [
    'on, a token and the number that recovers',
    { hasSoftwareToken: true, hasPhoneNumber: true, recovery: sms },
    challenge(totp),
  ],
  ['on, everything', everything, select(sms, totp, mail)],
  ['on, everything, mail recovers', { ...everything, recovery: mail }, select(sms, totp)],
  [
    'on, everything, mail recovers and is switched on',
    { ...everything, enabled: [mail], recovery: mail },
    select(sms, totp, mail),
  ],
  ['on, a token in a pool without', { hasSoftwareToken: true, poolFactors: [sms] }, challenge(totp)],
  ['on, a number', { hasPhoneNumber: true }, challenge(sms)],
  ['on, an address', { hasEmail: true }, challenge(mail)],
  ['on, the address that recovers', { hasEmail: true, recovery: mail }, setup(totp)],
  ['on, the number that recovers', { hasPhoneNumber: true, recovery: sms }, setup(totp)],
  ['on, the address that recovers, no tokens', { hasEmail: true, recovery: mail, poolFactors: [sms, mail] }, refuse],
  ['on, an address, SMS and tokens only', { hasEmail: true, poolFactors: [sms, totp] }, setup(totp)],
  ['on, an address, SMS only', { hasEmail: true, poolFactors: [sms] }, refuse],
  ['on, number and address', { hasPhoneNumber: true, hasEmail: true }, select(sms, mail)],
  ['on, number and address that recovers', { hasPhoneNumber: true, hasEmail: true, recovery: mail }, challenge(sms)],
  ['on, number that recovers and address', { hasPhoneNumber: true, hasEmail: true, recovery: sms }, challenge(mail)],
  ['on, number and address, mail only', { hasPhoneNumber: true, hasEmail: true, poolFactors: [mail] }, challenge(mail)],
  ['on, nothing', {}, setup(sms, totp, mail)],
  ['on, nothing, mail recovers', { recovery: mail }, setup(sms, totp)],
  ['on, nothing, SMS recovers', { recovery: sms }, setup(totp, mail)],
  ['on, nothing, tokens only', { poolFactors: [totp] }, setup(totp)],
  ['on, nothing, and the only factor recovers', { poolFactors: [sms], recovery: sms }, refuse],
  [
    'on, SMS switched on without a number',
    { enabled: [sms], preferred: sms, poolFactors: [sms, totp] },
    setup(sms, totp),
  ],
  ['on, a remembered device instead of the token', { hasSoftwareToken: true, deviceSkipsMfa: true }, none],
  ['on, a remembered device instead of the choice', { ...everything, deviceSkipsMfa: true }, none],
  ['on, a remembered device does not replace the set-up', { poolFactors: [totp], deviceSkipsMfa: true }, setup(totp)],
  ['on, a remembered device does not open what is refused', { poolFactors: [], deviceSkipsMfa: true }, refuse],
]

for (const [name, changes, expected] of cases) {
  test(name, () => assert.deepEqual(decideMfa(facts(changes)), expected))
}

/** Every combination of what the decision looks at. */
function* all(): Generator<MfaFacts> {
  const subsets = Array.from({ length: 8 }, (_, bits) => mfaFactors.filter((_, index) => (bits >> index) & 1))
  for (const mode of ['OFF', 'OPTIONAL', 'ON'] as const) {
    for (const poolFactors of subsets) {
      for (const enabled of subsets) {
        for (const preferred of [undefined, ...enabled]) {
          for (const owned of subsets) {
            for (const recovery of [undefined, sms, mail] as const) {
              const has = (factor: MfaFactor) => owned.includes(factor)
              const user = { hasSoftwareToken: has(totp), hasPhoneNumber: has(sms), hasEmail: has(mail) }
              yield { mode, poolFactors, enabled, preferred, recovery, ...user }
            }
          }
        }
      }
    }
  }
}

test('a pool that asks for MFA never does without, and only what the user has is asked for', () => {
  let count = 0
  for (const each of all()) {
    count += 1
    const decision = decideMfa(each)
    const text = JSON.stringify({ each, decision })
    if (each.mode === 'ON') assert.notEqual(decision.step, 'none', text)
    if (each.mode === 'OFF') assert.equal(decision.step, 'none', text)
    if (each.mode === 'OPTIONAL') assert.notEqual(decision.step, 'setup', text)
    const asked = decision.step === 'challenge' ? [decision.factor] : decision.step === 'select' ? decision.factors : []
    const owned = { [totp]: each.hasSoftwareToken, [sms]: each.hasPhoneNumber, [mail]: each.hasEmail }
    for (const factor of asked) assert.equal(owned[factor], true, text)
    // Who has a token is never asked to set up anything, or whoever knows the password could replace it.
    if (decision.step === 'setup') assert.equal(each.hasSoftwareToken, false, text)
    if (decision.step === 'select') assert.ok(decision.factors.length > 1, text)
  }
  assert.ok(count > 10_000)
})
