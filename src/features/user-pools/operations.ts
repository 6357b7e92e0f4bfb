import type { Operations } from '../context.ts'

export const userPoolOperations = {} satisfies Operations<never>
