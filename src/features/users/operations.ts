import type { Operations } from '../context.ts'

export const userOperations = {} satisfies Operations<never>
