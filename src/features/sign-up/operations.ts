import type { Operations } from '../context.ts'

export const signUpOperations = {} satisfies Operations<never>
