import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase } from '../../test/support/app.ts'
import { prepared } from './prepared.ts'

onEachDatabase(testApp => {
  test('a prepared query takes other arguments each time and keeps its constants', async () => {
    const { db } = (await testApp()).database
    const select = prepared((from, kind: string, since: number, limit: number) =>
      from
        .selectFrom('one_time_marks')
        .select(['id', 'expires_at'])
        .where('kind', '=', kind)
        .where('id', '!=', 'left-out')
        .where('expires_at', '>=', since)
        .orderBy('id')
        .limit(limit),
    )
    const row = (kind: string, id: string, expires_at: number) => ({ kind, id, expires_at })
    await db
      .insertInto('one_time_marks')
      .values([row('a', '1', 10), row('a', '2', 20), row('b', '3', 30), row('a', 'left-out', 40)])
      .execute()
    assert.deepEqual(await select(db, 'a', 0, 10), [
      { id: '1', expires_at: 10 },
      { id: '2', expires_at: 20 },
    ])
    assert.deepEqual(await select(db, 'a', 11, 10), [{ id: '2', expires_at: 20 }])
    assert.deepEqual(await select(db, 'a', 0, 1), [{ id: '1', expires_at: 10 }])
    assert.deepEqual(await select(db, 'b', 0, 10), [{ id: '3', expires_at: 30 }])
    assert.deepEqual(await select(db, '', 0, 10), [])
  })

  test('a prepared query sees the transaction it runs in', async () => {
    const { db } = (await testApp()).database
    const select = prepared((from, id: string) => from.selectFrom('one_time_marks').select('id').where('id', '=', id))
    await assert.rejects(
      db.transaction().execute(async tx => {
        await tx.insertInto('one_time_marks').values({ kind: 'k', id: 'inside', expires_at: 1 }).execute()
        assert.deepEqual(await select(tx, 'inside'), [{ id: 'inside' }])
        throw new Error('undo')
      }),
    )
    assert.deepEqual(await select(db, 'inside'), [])
  })
})
