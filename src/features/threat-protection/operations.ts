import { getClient } from '../app-clients/client.ts'
import type { Context, Operations } from '../context.ts'
import { inPool, type Pool } from '../user-pools/pool.ts'
import { describeRisk, setRisk } from './risk-configuration.ts'

export const threatProtectionOperations = {
  DescribeRiskConfiguration: inPool(async (ctx, pool, input) => ({
    RiskConfiguration: await describeRisk(ctx, await ownerOf(ctx, pool, input.ClientId)),
  })),

  SetRiskConfiguration: inPool(async (ctx, pool, { UserPoolId, ClientId, ...requested }) => ({
    RiskConfiguration: await setRisk(ctx, await ownerOf(ctx, pool, ClientId), requested),
  })),
} satisfies Operations<'DescribeRiskConfiguration' | 'SetRiskConfiguration'>

const ownerOf = async (ctx: Context, pool: Pool, clientId: string | undefined) => ({
  pool,
  client: clientId === undefined ? undefined : await getClient(ctx, clientId, pool),
})
