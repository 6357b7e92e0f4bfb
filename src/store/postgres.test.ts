import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { sql } from 'kysely'
import { temporarySchema } from '../../test/support/databases.ts'
import { type Database, openDatabase, transaction } from './database.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'

const opened: Database[] = []
after(async () => {
  for (const database of opened) await database.close()
})

const open = async (options: Parameters<typeof openDatabase>[0]): Promise<Database> => {
  const database = await openDatabase(options)
  opened.push(database)
  return database
}

/** Nodes that share one new schema. */
const openNodes = async (count: number, connectionsMax?: number): Promise<Database[]> => {
  const place = { ...temporarySchema(), connectionsMax }
  const nodes: Database[] = []
  for (let index = 0; index < count; index++) nodes.push(await open(place))
  await migrate(nodes[0] as Database, migrations)
  return nodes
}

const openNode = async (connectionsMax?: number): Promise<Database> =>
  (await openNodes(1, connectionsMax))[0] as Database

const put = ({ db }: Pick<Database, 'db'>, key: string, value = 'v') =>
  db.insertInto('settings').values({ key, value }).execute()

const processIdOf = async ({ db }: Pick<Database, 'db'>): Promise<number> =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid as number

const terminate = async ({ db }: Database, pid: number) => {
  await sql`select pg_terminate_backend(${pid})`.execute(db)
}

test('every connection has limits for connecting, statements, locks and idle transactions, and a name', async () => {
  const { db } = await openNode()
  const setting = async (name: string) =>
    Object.values((await sql`show ${sql.raw(name)}`.execute(db)).rows[0] as object)[0]
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'application_name']
  assert.deepEqual(await Promise.all(names.map(setting)), ['5s', '4s', '10s', 'cenote'])
})

test('a server that gives up durability is reported', async () => {
  const { warnings } = await openNode()
  assert.deepEqual(
    warnings.map(line => /with (\w+)=off/.exec(line)?.[1]),
    ['fsync', 'full_page_writes', 'synchronous_commit'],
  )
})

for (const [what, change, message] of [
  ['a text that is no URL', () => 'not a url with pa55word', /^The database URL is not a URL\.$/],
  ['another scheme', () => 'mysql://u:pa55word@127.0.0.1/x', /^The database URL does not begin with postgres:\/\/\.$/],
  [
    'a port where nothing listens',
    () => 'postgres://u:pa55word@127.0.0.1:1/x',
    /^The PostgreSQL database cannot be used: connect ECONNREFUSED/,
  ],
  [
    'a wrong password',
    (url: string) => Object.assign(new URL(url), { password: 'pa55word' }).href,
    /^The PostgreSQL database cannot be used: password authentication failed for user "cenote"\.$/,
  ],
  [
    'a database that does not exist',
    (url: string) => Object.assign(new URL(url), { pathname: '/nowhere' }).href,
    /^The PostgreSQL database cannot be used: database "nowhere" does not exist\.$/,
  ],
] as const) {
  test(`${what} is refused with one line that holds no password`, async () => {
    const { url } = temporarySchema()
    await assert.rejects(openDatabase({ url: change(url) }), (error: Error) => {
      assert.equal(error.name, 'StartRefusal')
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /pa55word|\n/)
      return true
    })
  })
}

test('a statement that comes again is prepared once and its plan is reused', async () => {
  const { db } = await openNode(1)
  for (let index = 0; index < 4; index++) {
    await db.selectFrom('settings').select('value').where('key', '=', `k${index}`).execute()
  }
  const { rows } = await sql<{ uses: number }>`
    select generic_plans + custom_plans as uses from pg_prepared_statements where statement like '%from "settings"%'`.execute(
    db,
  )
  // The first sight of a text does not prepare it.
  assert.deepEqual(rows, [{ uses: 3 }])
})

test('statements that a migration of another node has outdated run on, outside and inside of transactions', async () => {
  const [old, newer] = (await openNodes(2, 1)) as [Database, Database]
  await put(old, 'a')
  const all = (db: Database['db']) => db.selectFrom('settings').selectAll().where('key', '=', 'a').execute()
  for (let index = 0; index < 3; index++) await all(old.db)
  await newer.exclusive(run => run("alter table settings add column one text not null default '1'"))
  assert.deepEqual(await all(old.db), [{ key: 'a', value: 'v', one: '1' }])
  for (let index = 0; index < 3; index++) await all(old.db)
  await newer.exclusive(run => run("alter table settings add column two text not null default '2'"))
  assert.deepEqual(await transaction(old.db, tx => all(tx)), [{ key: 'a', value: 'v', one: '1', two: '2' }])
})

test('two transactions that wait for each other both succeed', async () => {
  const database = await openNode()
  await put(database, 'a', '')
  await put(database, 'b', '')
  let meet = () => {}
  const met = new Promise<void>(resolve => {
    meet = resolve
  })
  let arrived = 0
  const append = (first: string, second: string, letter: string) =>
    transaction(database.db, async tx => {
      const change = (key: string) =>
        tx
          .updateTable('settings')
          .set({ value: sql`value || ${letter}` })
          .where('key', '=', key)
          .execute()
      await change(first)
      if (++arrived === 2) meet()
      await met
      await change(second)
    })
  await Promise.all([append('a', 'b', 'x'), append('b', 'a', 'y')])
  const rows = await database.db.selectFrom('settings').select('value').execute()
  assert.deepEqual(
    rows.map(({ value }) => [...value].sort().join('')),
    ['xy', 'xy'],
  )
  assert.equal(arrived, 3)
})

test('a connection that breaks between two statements of a transaction fails that transaction only', async () => {
  const [node, other] = (await openNodes(2)) as [Database, Database]
  await assert.rejects(
    transaction(node.db, async tx => {
      await put({ db: tx }, 'lost')
      await terminate(other, await processIdOf({ db: tx }))
      await new Promise(resolve => setTimeout(resolve, 50))
      await put({ db: tx }, 'lost as well')
    }),
  )
  assert.deepEqual(await node.db.selectFrom('settings').selectAll().execute(), [])
  await put(node, 'kept')
})

test('connections that were cut while they were idle do not fail the transaction that comes next', async () => {
  const [node, other] = (await openNodes(2, 2)) as [Database, Database]
  const pids = await Promise.all([processIdOf(node), processIdOf(node)])
  for (const pid of pids) await terminate(other, pid)
  await transaction(node.db, tx => put({ db: tx }, 'kept'))
})

test('callers beyond the bound of the queue are turned away at once', async () => {
  const node = await openNode(1)
  const started = Promise.withResolvers<void>()
  const letGo = Promise.withResolvers<void>()
  const held = transaction(node.db, async tx => {
    await sql`select 1`.execute(tx)
    started.resolve()
    await letGo.promise
  })
  await started.promise
  const select = () => node.db.selectFrom('settings').selectAll().execute()
  const waiting = Array.from({ length: 400 }, select)
  await new Promise(resolve => setImmediate(resolve))
  await assert.rejects(select(), { name: 'TooManyRequestsException' })
  letGo.resolve()
  await held
  await Promise.all(waiting)
  await select()
})

describe('notifications', () => {
  /** Collects what is heard, and waits for it. */
  const createEar = () => {
    const heard: string[] = []
    let wake = () => {}
    return {
      heard,
      hear: (word: string) => {
        heard.push(word)
        wake()
      },
      async until(count: number) {
        while (heard.length < count) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      },
    }
  }

  test('they reach all nodes of a schema and no other schema', async () => {
    const [a, b] = (await openNodes(2)) as [Database, Database]
    const stranger = await openNode()
    const ear = createEar()
    await a.listen('news', payload => ear.hear(`a ${payload}`))
    await b.listen('news', payload => ear.hear(`b ${payload}`))
    await stranger.listen('news', () => ear.hear('stranger'))
    await stranger.notify('news', 'elsewhere')
    await a.notify('news', 'one')
    await ear.until(3)
    assert.deepEqual(ear.heard.sort(), ['a one', 'b one', 'stranger'])
  })

  test('a listener whose connection was cut reports the gap, listens again and reports when it does', async () => {
    const [node, other] = (await openNodes(2)) as [Database, Database]
    const ear = createEar()
    await node.listen(
      'news',
      payload => ear.hear(payload),
      () => ear.hear('gap'),
    )
    ear.heard.length = 0
    const { rows } = await sql<{ pid: number }>`
      select pid from pg_stat_activity
      where application_name = 'cenote listener' and query = 'listen "' || current_schema() || '_news"'`.execute(
      other.db,
    )
    assert.equal(rows.length, 1)
    for (const { pid } of rows) await terminate(other, pid)
    await ear.until(2)
    await other.notify('news', 'heard again')
    await ear.until(3)
    assert.deepEqual(ear.heard, ['gap', 'gap', 'heard again'])
  })
})

test('a network that swallows everything is given up on in time, and used again when it is back', async () => {
  const { url, schema } = temporarySchema()
  const proxy = await startProxy(url)
  const node = await open({ url: proxy.url, schema, connectionsMax: 2 })
  await migrate(node, migrations)
  proxy.swallow()
  const startedAt = performance.now()
  const results = await Promise.allSettled([
    put(node, 'a'),
    put(node, 'b'),
    transaction(node.db, tx => put({ db: tx }, 'c')),
    node.ping(),
  ])
  const tookMs = performance.now() - startedAt
  assert.deepEqual(
    results.map(result => result.status),
    ['rejected', 'rejected', 'rejected', 'rejected'],
  )
  assert.ok(tookMs < 6500, `${tookMs} ms`)
  proxy.pass()
  await put(node, 'd')
  await node.ping()
  await node.close()
  await proxy.close()
})

/** Stands between client and server, and can fall silent without closing anything. */
const startProxy = async (target: string) => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let isPassing = true
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', data => isPassing && to.write(data))
      from.on('error', () => to.destroy())
      from.on('close', () => isPassing && to.end())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: Object.assign(new URL(target), { port: String((server.address() as AddressInfo).port) }).href,
    swallow: () => {
      isPassing = false
    },
    pass: () => {
      isPassing = true
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
