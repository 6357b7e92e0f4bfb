/** What axe-core finds wrong with the page that a browser shows. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** The rules whose result depends on colours. */
export const colourRules = ['color-contrast', 'link-in-text-block']

/** One line for each fault: the rule, the element, and what is wrong. Without names of rules, all are checked. */
export const violationsOf = async (page: Page, rules?: readonly string[]): Promise<string[]> => {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source)
  // The sheet stands in the page, so there is nothing to load first.
  const options: axe.RunOptions = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: [...rules] }) }
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as axe.AxeResults
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  )
}
