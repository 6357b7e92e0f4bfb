/** The operations on resource servers. */
import type { Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { inPool } from '../user-pools/pool.ts'
import {
  createResourceServer,
  deleteResourceServer,
  getResourceServer,
  listResourceServers,
  presentResourceServer,
  updateResourceServer,
} from './resource-server.ts'

/** The largest page is also the one for requests that name no size. */
const pageSizeMax = 50

export const resourceServerOperations = {
  CreateResourceServer: inPool(async (ctx, pool, input) => ({
    ResourceServer: presentResourceServer(pool, await createResourceServer(ctx, pool, input.Identifier, input)),
  })),

  DescribeResourceServer: inPool(async (ctx, pool, input) => ({
    ResourceServer: presentResourceServer(pool, await getResourceServer(ctx, pool, input.Identifier)),
  })),

  ListResourceServers: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListResourceServers', scope: pool.id }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.MaxResults ?? pageSizeMax)
    const found = await listResourceServers(ctx, pool, page.after?.[0] ?? '', page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, found, server => [server.identifier])
    return { ResourceServers: rows.map(server => presentResourceServer(pool, server)), NextToken: nextToken }
  }),

  UpdateResourceServer: inPool(async (ctx, pool, input) => ({
    ResourceServer: presentResourceServer(pool, await updateResourceServer(ctx, pool, input.Identifier, input)),
  })),

  DeleteResourceServer: inPool((ctx, pool, input) => deleteResourceServer(ctx, pool, input.Identifier)),
} satisfies Operations<
  | 'CreateResourceServer'
  | 'DescribeResourceServer'
  | 'ListResourceServers'
  | 'UpdateResourceServer'
  | 'DeleteResourceServer'
>
