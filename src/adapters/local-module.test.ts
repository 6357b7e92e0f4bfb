import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { localModuleTriggers } from './local-module.ts'

const folder = mkdtempSync(join(tmpdir(), 'cenote-module-'))
const opened: { close(): Promise<void> }[] = []
after(async () => {
  for (const triggers of opened) await triggers.close()
  rmSync(folder, { recursive: true })
})

let files = 0
const moduleWith = (source: string, extension = 'mjs') => {
  files += 1
  const file = join(folder, `module-${files}.${extension}`)
  writeFileSync(file, source)
  const triggers = localModuleTriggers(file)
  opened.push(triggers)
  return { file, invoke: (event: object, timeoutMs = 5_000) => triggers.invoke({ target: 'any', event, timeoutMs }) }
}

test('the default export is called with the event, and so is handler', async () => {
  const one = moduleWith('export default async event => ({ ...event, response: { autoConfirmUser: true } })')
  assert.deepEqual(await one.invoke({ userName: 'änn' }), { userName: 'änn', response: { autoConfirmUser: true } })
  const other = moduleWith('export const handler = event => event')
  assert.deepEqual(await other.invoke({ a: 1 }), { a: 1 })
})

test('a module may be TypeScript', async () => {
  const { invoke } = moduleWith('export default (event: { a: number }): object => ({ b: event.a })', 'mts')
  assert.deepEqual(await invoke({ a: 1 }), { b: 1 })
})

test('what it throws is the error of the function', async () => {
  const { invoke } = moduleWith("export default () => { throw new Error('Not you') }")
  await assert.rejects(invoke({}), { name: 'TriggerFailure', reason: 'function', message: 'Not you' })
  const empty = moduleWith('export const something = 1')
  await assert.rejects(empty.invoke({}), { reason: 'function', message: /exports no function/ })
})

test('what is no object comes back as it is, for others to refuse', async () => {
  assert.equal(await moduleWith('export default () => {}').invoke({}), null)
  assert.equal(await moduleWith("export default () => 'yes'").invoke({}), 'yes')
})

test('a change of the file is in force at the next call', async () => {
  const { file, invoke } = moduleWith('export default () => ({ version: 1 })')
  assert.deepEqual(await invoke({}), { version: 1 })
  writeFileSync(file, 'export default () => ({ version: 2 })')
  utimesSync(file, new Date(), new Date(Date.now() + 5_000))
  assert.deepEqual(await invoke({}), { version: 2 })
})

test('a file that is not there cannot be run', async () => {
  const triggers = localModuleTriggers(join(folder, 'nothing.mjs'))
  await assert.rejects(triggers.invoke({ target: 'any', event: {}, timeoutMs: 5_000 }), {
    reason: 'refused',
    message: 'ResourceNotFoundException',
  })
})

test('a function that never comes back is given up, and the next call has a thread of its own', async () => {
  const { invoke } = moduleWith('export default event => { if (event.loop) for (;;); return event }')
  await assert.rejects(invoke({ loop: true }, 300), { reason: 'timeout' })
  assert.deepEqual(await invoke({ fine: true }), { fine: true })
})

test('a slow call does not end others on its thread', async () => {
  const { invoke } = moduleWith(
    'export default event => new Promise(resolve => setTimeout(() => resolve(event), event.ms))',
  )
  await invoke({ ms: 0 })
  const [slow, other] = await Promise.allSettled([invoke({ ms: 600 }, 100), invoke({ ms: 250 })])
  assert.equal(slow.status, 'rejected')
  assert.deepEqual(other, { status: 'fulfilled', value: { ms: 250 } })
})

test('a module that ends its thread fails the call and no other', async () => {
  const { invoke } = moduleWith('export default event => { if (event.exit) process.exit(1); return event }')
  await assert.rejects(invoke({ exit: true }), { reason: 'refused', message: 'ServiceException' })
  assert.deepEqual(await invoke({ a: 1 }), { a: 1 })
})
