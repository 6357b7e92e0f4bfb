/** A connection to PostgreSQL that only listens, and that is opened again when it was lost. */
import { Client, type ClientConfig } from 'pg'

interface Subscription {
  handler: (payload: string) => void
  onGap: () => void
}

export interface Listener {
  listen(channel: string, subscription: Subscription): Promise<() => void>
  /** Connects again when the connection was lost; does nothing when it stands, or when nobody listens. */
  revive(): void
  /** Throws away a connection that does not answer. */
  ping(): Promise<void>
  close(): Promise<void>
}

export function createListener(config: ClientConfig): Listener {
  const channels = new Map<string, Set<Subscription>>()
  let current: Client | undefined
  let connecting: Promise<Client> | undefined
  let closed = false

  const reportGap = () => {
    for (const subscriptions of channels.values()) for (const { onGap } of subscriptions) onGap()
  }
  const lose = (client: Client) => {
    if (current !== client) return
    current = undefined
    void client.end().catch(() => {})
    reportGap()
    revive()
  }
  const open = async (): Promise<Client> => {
    const client = new Client({ ...config, application_name: 'cenote listener' })
    client.on('error', () => lose(client))
    client.on('end', () => lose(client))
    client.on('notification', ({ channel, payload }) => {
      for (const { handler } of channels.get(channel) ?? []) handler(payload ?? '')
    })
    try {
      await client.connect()
      for (const channel of channels.keys()) await client.query(`listen "${channel}"`)
    } catch (error) {
      void client.end().catch(() => {})
      throw error
    }
    current = client
    reportGap()
    return client
  }
  const connected = (): Promise<Client> => {
    if (closed) return Promise.reject(new Error('The database is closed.'))
    if (current !== undefined) return Promise.resolve(current)
    connecting ??= open().finally(() => {
      connecting = undefined
    })
    return connecting
  }
  const revive = () => {
    if (current === undefined && !closed && channels.size > 0) connected().catch(() => {})
  }
  return {
    async listen(channel, subscription) {
      const subscriptions = channels.get(channel) ?? new Set()
      channels.set(channel, subscriptions)
      subscriptions.add(subscription)
      try {
        const client = await connected()
        // A second LISTEN on the same channel does nothing, so it need not be known whether the opening has done it.
        await client.query(`listen "${channel}"`)
      } catch (error) {
        subscriptions.delete(subscription)
        throw error
      }
      return () => {
        subscriptions.delete(subscription)
      }
    },
    revive,
    async ping() {
      const client = current
      if (client === undefined) return revive()
      try {
        await client.query('select 1')
      } catch {
        lose(client)
      }
    },
    async close() {
      closed = true
      const client = await (connecting?.catch(() => undefined) ?? current)
      current = undefined
      channels.clear()
      await client?.end()
    },
  }
}
