/** The forms of the pages: of modest size, each field at most once. */
import { readForm } from '../form.ts'
import type { RequestContext } from '../request-context.ts'

export type Form = ReadonlyMap<string, string>

/** The fields by name; a word for what is wrong when the body is no such form. */
export const readPageForm = async (c: RequestContext): Promise<Form | 'too large' | 'malformed'> => {
  const form = await readForm(c)
  if (typeof form === 'string') return form
  const fields = new Map<string, string>()
  for (const [name, value] of form) {
    // The databases do not keep NUL, so it must not reach them.
    if (fields.has(name) || value.includes('\0')) return 'malformed'
    fields.set(name, value)
  }
  return fields
}

/** The value of a field; the empty text when it is missing. */
export const fieldOf = (form: Form, name: string): string => form.get(name) ?? ''
