import type { Operations } from '../context.ts'

export const passwordOperations = {} satisfies Operations<never>
