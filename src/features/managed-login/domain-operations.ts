/** The operations on the domains of user pools. */
import type { Operations } from '../context.ts'
import { inPool } from '../user-pools/pool.ts'
import {
  createDomain,
  deleteDomain,
  findDomainInRegion,
  presentDomain,
  presentDomainChange,
  updateDomain,
} from './domains.ts'

export const domainOperations = {
  CreateUserPoolDomain: inPool(async (ctx, pool, input) =>
    presentDomainChange(ctx, await createDomain(ctx, pool.id, input)),
  ),

  // A name that is nobody's domain is no error: clients learn from the empty description that it is free or gone.
  DescribeUserPoolDomain: async (ctx, input) => {
    const domain = await findDomainInRegion(ctx, input.Domain)
    return { DomainDescription: domain === undefined ? {} : presentDomain(ctx, domain) }
  },

  UpdateUserPoolDomain: inPool(async (ctx, pool, input) =>
    presentDomainChange(ctx, await updateDomain(ctx, pool.id, input)),
  ),

  DeleteUserPoolDomain: async (ctx, input) => {
    await deleteDomain(ctx, input.UserPoolId, input.Domain)
    return {}
  },
} satisfies Operations<
  'CreateUserPoolDomain' | 'DescribeUserPoolDomain' | 'UpdateUserPoolDomain' | 'DeleteUserPoolDomain'
>
