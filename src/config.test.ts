import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from './config.ts'

const key = 'CENOTEKEY:0123456789abcdef'

const rateLimits: [string, string[], Record<string, string>, Record<string, number> | undefined][] = [
  ['are off without an access key', [], {}, undefined],
  ['are on with an access key', ['--access-key', key], {}, {}],
  ['are switched off', ['--access-key', key, '--rate-limits', 'off'], {}, undefined],
  ['are switched on', ['--rate-limits', 'on'], {}, {}],
  ['are given one by one', ['--rate-limits', 'UserList=60, UserRead=5'], {}, { UserList: 60, UserRead: 5 }],
  ['come from the environment', [], { CENOTE_RATE_LIMITS: 'UserList=1' }, { UserList: 1 }],
]
for (const [title, args, environment, expected] of rateLimits) {
  test(`rate limits ${title}`, async () => {
    assert.deepEqual((await readConfig(args, environment)).rateLimits, expected)
  })
}

for (const [text, reason] of [
  ['fast', 'rate-limits must be on, off or CATEGORY=NUMBER,…; not fast'],
  ['__proto__=3', 'rate-limits must be on, off or CATEGORY=NUMBER,…; not __proto__=3'],
  ['UserList', 'rate-limits: UserList needs a number of requests per second'],
  ['UserList=0', 'rate-limits: UserList needs a number of requests per second'],
  ['UserList=1.5', 'rate-limits: UserList needs a number of requests per second'],
  ['UserList=1=2', 'rate-limits: UserList needs a number of requests per second'],
] as const) {
  test(`rate limits of ${text} are refused`, async () => {
    await assert.rejects(readConfig(['--rate-limits', text], {}), new ConfigError(reason))
  })
}
