/** The connections of the server, kept in view so that it can stop without breaking a promise or waiting for idlers. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'

export interface Connections {
  /**
   * Takes no new connections, closes the idle ones at once and each other one when its requests are answered; whatever
   * is left after `limitMs` milliseconds is cut off. Resolves when there are none.
   */
  drain(limitMs: number): Promise<void>
}

/** Watches a server from before its first connection. */
export const watchConnections = (server: Server): Connections => {
  /** Requests under way, by connection. */
  const open = new Map<Socket, Set<ServerResponse>>()
  /** Beneath TLS, which may still be shaking hands. */
  const sockets = new Set<Socket>()
  let draining = false

  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (draining) socket.destroy()
    open.set(socket, new Set())
    socket.once('close', () => open.delete(socket))
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const underWay = open.get(socket)
    underWay?.add(response)
    if (draining) response.setHeader('connection', 'close')
    response.once('close', () => {
      underWay?.delete(response)
      if (draining && underWay?.size === 0) socket.destroySoon()
    })
  })

  return {
    drain: limitMs =>
      new Promise(resolve => {
        draining = true
        const force = setTimeout(() => {
          for (const socket of sockets) socket.destroy()
        }, limitMs)
        server.close(() => {
          clearTimeout(force)
          resolve()
        })
        for (const [socket, underWay] of open) {
          if (underWay.size === 0) socket.destroy()
          for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close')
        }
      }),
  }
}
