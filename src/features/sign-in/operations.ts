import type { Operations } from '../context.ts'

export const signInOperations = {} satisfies Operations<never>
