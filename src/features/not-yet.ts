/** Operations that this version does not offer. Each answers with an error that names it; this is the only list. */

import type { OperationName } from '../contract/types.ts'
import { notYetAvailable } from '../core/errors.ts'
import type { Operations } from './context.ts'

export const notYetNames = [
  'AdminListUserAuthEvents',
  'AdminUpdateAuthEventFeedback',
  'UpdateAuthEventFeedback',
] as const satisfies readonly OperationName[]

type NotYetName = (typeof notYetNames)[number]

export const notYet = Object.fromEntries(
  notYetNames.map(name => [name, () => Promise.reject(notYetAvailable(name))]),
) as Record<NotYetName, () => Promise<never>> satisfies Operations<NotYetName>
