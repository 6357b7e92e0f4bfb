import { userPoolNotFound } from '../../core/errors.ts'
import { getClient } from '../app-clients/client.ts'
import type { Context, Operations } from '../context.ts'
import { findPool, inPool, type Pool } from '../user-pools/pool.ts'
import { getUserByName } from '../users/user.ts'
import { listEvents } from './auth-events.ts'
import { giveFeedback, giveFeedbackAsAdmin } from './feedback.ts'
import { assertProtected } from './protection.ts'
import { describeRisk, setRisk } from './risk-configuration.ts'

export const threatProtectionOperations = {
  DescribeRiskConfiguration: inPool(async (ctx, pool, input) => ({
    RiskConfiguration: await describeRisk(ctx, await ownerOf(ctx, pool, input.ClientId)),
  })),

  SetRiskConfiguration: inPool(async (ctx, pool, { UserPoolId, ClientId, ...requested }) => ({
    RiskConfiguration: await setRisk(ctx, await ownerOf(ctx, pool, ClientId), requested),
  })),

  AdminListUserAuthEvents: inPool(async (ctx, pool, input) => {
    assertProtected(pool)
    const user = await getUserByName(ctx, pool, input.Username)
    return listEvents(ctx, pool, user, { limit: input.MaxResults, token: input.NextToken })
  }),

  AdminUpdateAuthEventFeedback: inPool(async (ctx, pool, input) => {
    await giveFeedbackAsAdmin(ctx, pool, {
      username: input.Username,
      eventId: input.EventId,
      value: input.FeedbackValue,
    })
    return {}
  }),

  UpdateAuthEventFeedback: async (ctx, input) => {
    // No signature names a region; the pool's own decides.
    const pool = await findPool(ctx, input.UserPoolId)
    if (pool === undefined) throw userPoolNotFound(input.UserPoolId)
    await giveFeedback(ctx, pool, {
      username: input.Username,
      eventId: input.EventId,
      token: input.FeedbackToken,
      value: input.FeedbackValue,
    })
    return {}
  },
} satisfies Operations<
  | 'AdminListUserAuthEvents'
  | 'AdminUpdateAuthEventFeedback'
  | 'DescribeRiskConfiguration'
  | 'SetRiskConfiguration'
  | 'UpdateAuthEventFeedback'
>

const ownerOf = async (ctx: Context, pool: Pool, clientId: string | undefined) => ({
  pool,
  client: clientId === undefined ? undefined : await getClient(ctx, clientId, pool),
})
