/** The template that all markup of the pages is written with. Whatever is put into it is escaped. */
import { html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that is safe to send. */
export type Html = HtmlEscapedString

/** Texts and numbers are escaped; markup stays as it is; lists are joined; `undefined` and `false` are nothing. */
export type HtmlValue = string | number | Html | false | undefined | readonly HtmlValue[]

/** The library answers later only when a value does; none of these does. */
export const html = (strings: TemplateStringsArray, ...values: HtmlValue[]): Html =>
  template(strings, ...values) as Html

/** Attributes by name, in order; one that is `undefined` or `false` is left out, and `true` has no value. */
export const attributes = (named: Record<string, string | number | boolean | undefined>): Html[] =>
  Object.entries(named).flatMap(([name, value]) => {
    if (value === undefined || value === false) return []
    return [value === true ? html` ${name}` : html` ${name}="${value}"`]
  })
