/** The pages without a browser: forms are read from the markup and posted, cookies are kept, redirects followed. */
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { answerIn, callback, createOAuthPool, type Fields, type OAuthClient, redeem } from './oauth.ts'
import { claimsOf } from './sign-in.ts'

export interface ShownForm {
  action: string
  /** Values of the hidden fields and of those that are filled in. */
  values: Record<string, string>
}

export interface ShownPage {
  status: number
  /** Path and query. */
  url: string
  body: string
  headers: Headers
  heading: string
  /** Messages about the page as a whole. */
  alerts: string[]
  /** The message beside a field, by the field's id. */
  errors: Record<string, string>
  forms: ShownForm[]
  /** Where the browser was sent outside of the pages; the page is empty then. */
  location: string | undefined
}

/** One browser with its cookies. */
export interface FormBrowser {
  cookies: Map<string, string>
  open(path: string): Promise<ShownPage>
  /** Fills in the first form (or the one with this number) of the page and posts it. */
  submit(page: ShownPage, values: Record<string, string>, form?: number): Promise<ShownPage>
  /** Posts fields as they are, with headers in place of the browser's. */
  post(path: string, values: Record<string, string>, headers?: Record<string, string>): Promise<ShownPage>
}

const redirectsMax = 10

export const formBrowser = (app: TestApp): FormBrowser => {
  const cookies = new Map<string, string>()
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(new URL(path, app.url), {
      redirect: 'manual',
      ...init,
      headers: { ...(init.headers as Record<string, string>), ...(cookie !== '' && { cookie }) },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  const follow = async (path: string, answer: Response): Promise<ShownPage> => {
    let [url, current] = [path, answer]
    for (let redirects = 0; redirects < redirectsMax; redirects += 1) {
      const location = current.headers.get('location')
      if (location === null) return readPage(url, current)
      if (!location.startsWith('/')) return { ...(await readPage(url, current)), location }
      url = location
      current = await send(url, {})
    }
    throw new Error('Redirects have no end.')
  }
  const post: FormBrowser['post'] = async (path, values, headers = { 'sec-fetch-site': 'same-origin' }) =>
    follow(path, await send(path, { method: 'POST', body: new URLSearchParams(values), headers }))
  return {
    cookies,
    open: async path => follow(path, await send(path, {})),
    submit: (page, values, index = 0) => {
      const form = page.forms[index]
      if (form === undefined) throw new Error(`${page.url} has no form ${index}: ${page.heading} ${page.alerts}`)
      return post(form.action, { ...form.values, ...values })
    },
    post,
  }
}

const readPage = async (url: string, answer: Response): Promise<ShownPage> => {
  const body = await answer.text()
  return {
    status: answer.status,
    url,
    body,
    headers: answer.headers,
    heading: textOf(/<h1>(.*?)<\/h1>/s.exec(body)?.[1]),
    alerts: [...body.matchAll(/<div class="alert .*?<div>(.*?)<\/div><\/div>/gs)].map(match => textOf(match[1])),
    errors: Object.fromEntries(
      [...body.matchAll(/<p class="field-error" id="(.*?)-error">(.*?)<\/p>/gs)].map(([, id = '', text]) => [
        id,
        textOf(text),
      ]),
    ),
    forms: [...body.matchAll(/<form\b(.*?)>(.*?)<\/form>/gs)].map(([, tag = '', content = '']) => ({
      action: attributeOf(tag, 'action') ?? '',
      values: Object.fromEntries(
        [...content.matchAll(/<input\b(.*?)>/gs)].flatMap(([, input = '']) => {
          const name = attributeOf(input, 'name')
          return name === undefined ? [] : [[name, attributeOf(input, 'value') ?? '']]
        }),
      ),
    })),
    location: undefined,
  }
}

const attributeOf = (tag: string, name: string): string | undefined => {
  const value = new RegExp(` ${name}="(.*?)"`, 's').exec(tag)?.[1]
  return value === undefined ? undefined : unescaped(value)
}

const textOf = (markup: string | undefined): string =>
  unescaped((markup ?? '').replace(/<svg.*?<\/svg>/gs, '').replace(/<[^>]*>/g, '')).trim()

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (whole, name: string) => entities[name] ?? whole)

/** A pool with a client that has pages; everybody can sign up, by mail. */
export const createPagePool = (
  app: TestApp,
  pool: Partial<CreateUserPoolCommandInput> = {},
  client: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<OAuthClient> =>
  createOAuthPool(app, { ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'], ...client }, pool)

/** The address of a page for the client. */
export const pagePath = ({ clientId }: Pick<OAuthClient, 'clientId'>, path = '/login', fields: Fields = {}): string => {
  const usual = { client_id: clientId, response_type: 'code', redirect_uri: callback, state: 'state-1', ...fields }
  const given = Object.entries(usual).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `${path}?${new URLSearchParams(given)}`
}

/** What a new browser is shown that has filled in the page at the path. */
export const submitted = async (
  app: TestApp,
  client: OAuthClient,
  path: string,
  values: Record<string, string>,
): Promise<{ browser: FormBrowser; page: ShownPage }> => {
  const browser = formBrowser(app)
  return { browser, page: await browser.submit(await browser.open(pagePath(client, path)), values) }
}

/** The claims of the ID token that the application gets for the answer it was sent. */
export const claimsAfter = async (
  app: TestApp,
  client: OAuthClient,
  { location, heading, alerts }: ShownPage,
): Promise<Record<string, unknown>> => {
  if (location === undefined) throw new Error(`The page leads nowhere: ${heading} ${alerts}`)
  const { json } = await redeem(app, client, answerIn(location).get('code') ?? '')
  return claimsOf(String(json['id_token']))
}
