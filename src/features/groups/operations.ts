import type { Operations } from '../context.ts'

export const groupOperations = {} satisfies Operations<never>
