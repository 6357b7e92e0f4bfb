import type { Operations } from '../context.ts'

export const tokenOperations = {} satisfies Operations<never>
