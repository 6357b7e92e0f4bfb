import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Triggers } from '../../core/ports.ts'
import { inTurn } from './turns.ts'

const port: Triggers = { invoke: async () => ({}) }

test('a pool whose functions hang holds up no other pool, and waits within bounds', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let running = 0
  const hanging = Array.from({ length: 150 }, () =>
    inTurn(port, 'slow', async () => {
      running += 1
      await released
      return 'done'
    }),
  )
  await assert.rejects(
    inTurn(port, 'slow', async () => 'late'),
    { name: 'TooManyRequestsException' },
  )
  assert.equal(running, 50)
  assert.equal(await inTurn(port, 'other', async () => 'at once'), 'at once')
  release()
  assert.deepEqual(new Set(await Promise.all(hanging)), new Set(['done']))
  assert.equal(running, 150)
  assert.equal(await inTurn(port, 'slow', async () => 'again'), 'again')
})

test('a call that fails gives its turn on', async () => {
  const calls = Array.from({ length: 60 }, (_, index) =>
    inTurn(port, 'failing', async () => {
      if (index < 50) throw new Error('no')
      return index
    }),
  )
  const results = await Promise.allSettled(calls)
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 10)
})
