/**
 * `npm run bench`, the part about OAuth: tokens that clients get for themselves, and code flows of a browser that is signed
 * in, beside `oidc-provider` in the same run. Ours are on disk, its own are in memory.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { agent, call, type Measured, measure } from './load.ts'
import { freePort, launch, type Server } from './processes.ts'

const seconds = process.argv.includes('--brief') ? 2 : 4
const callback = 'https://app.example/callback'
const password = 'Passw0rd!'
const secret = 'a-secret-of-the-benchmark'

interface Answer {
  status: number
  location: string
  cookies: string[]
  body: string
}

const send = (url: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
  new Promise<Answer>((fulfil, reject) => {
    const { body = '', ...others } = options
    const outgoing = request(url, { agent, ...others }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () =>
        fulfil({
          status: response.statusCode ?? 0,
          location: response.headers.location ?? '',
          cookies: response.headers['set-cookie'] ?? [],
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

/** A server as the flows see it. */
interface Subject {
  server: Server
  authorize: string
  token: string
  web: string
  machine: string
  scope: string
  machineScope: string
  /** The cookies of a browser whose user is signed in. */
  cookie: string
}

const postToken = async ({ token }: Subject, client: string, fields: Record<string, string>): Promise<void> => {
  const { status, body } = await send(token, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(client).toString('base64')}`,
    },
    body: new URLSearchParams(fields).toString(),
  })
  if (status !== 200) throw new Error(`The token endpoint answered ${status} ${body.slice(0, 300)}`)
}

const clientCredentials = (subject: Subject) =>
  postToken(subject, subject.machine, { grant_type: 'client_credentials', scope: subject.machineScope })

const authorizeUrl = ({ authorize, web, scope }: Omit<Subject, 'cookie'>): string =>
  `${authorize}?${new URLSearchParams({
    response_type: 'code',
    client_id: web.slice(0, web.indexOf(':')),
    redirect_uri: callback,
    scope,
    state: 'state',
    nonce: 'nonce',
  })}`

/** From the browser's request, which its session answers, to the tokens. */
const codeFlow = async (subject: Subject): Promise<void> => {
  const { location, status } = await send(authorizeUrl(subject), { headers: { cookie: subject.cookie } })
  const code = location.startsWith(callback) ? new URL(location).searchParams.get('code') : null
  if (code === null) throw new Error(`The authorization endpoint answered ${status} ${location}`)
  await postToken(subject, subject.web, { grant_type: 'authorization_code', code, redirect_uri: callback })
}

// ---------------------------------------------------------------------------------------------- the two servers

const cookieOf = (cookies: Map<string, string>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

const keep = (cookies: Map<string, string>, lines: string[]): void => {
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
}

const openCenote = async (data: string): Promise<Subject> => {
  const port = await freePort()
  const args = [resolve('dist/cenote.js'), 'start', '--data', data, '--port', String(port), '--log-level', 'error']
  const server = await launch({ name: 'cenote', args, port, probe: '/health' })
  const { UserPool } = await call<{ UserPool: { Id: string } }>(server, 'CreateUserPool', { PoolName: 'bench' })
  const UserPoolId = UserPool.Id
  await call(server, 'CreateResourceServer', {
    UserPoolId,
    Identifier: 'api',
    Name: 'api',
    Scopes: [{ ScopeName: 'read', ScopeDescription: 'read' }],
  })
  const createClient = async (members: object) => {
    const { UserPoolClient } = await call<{ UserPoolClient: { ClientId: string; ClientSecret: string } }>(
      server,
      'CreateUserPoolClient',
      { UserPoolId, ClientName: 'bench', GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, ...members },
    )
    return `${UserPoolClient.ClientId}:${UserPoolClient.ClientSecret}`
  }
  const web = await createClient({
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid', 'email'],
    CallbackURLs: [callback],
    SupportedIdentityProviders: ['COGNITO'],
  })
  const machine = await createClient({ AllowedOAuthFlows: ['client_credentials'], AllowedOAuthScopes: ['api/read'] })
  const ids = { UserPoolId, Username: 'user0' }
  await call(server, 'AdminCreateUser', {
    ...ids,
    MessageAction: 'SUPPRESS',
    UserAttributes: [{ Name: 'email', Value: 'user0@example.com' }],
  })
  await call(server, 'AdminSetUserPassword', { ...ids, Password: password, Permanent: true })
  const subject = {
    server,
    authorize: `${server.url}/oauth2/authorize`,
    token: `${server.url}/oauth2/token`,
    web,
    machine,
    scope: 'openid email',
    machineScope: 'api/read',
  }
  return { ...subject, cookie: await signInOnPage(server, authorizeUrl(subject)) }
}

/** Signs in on the page as a browser without scripts does; the cookies afterwards. */
const signInOnPage = async (server: Server, url: string): Promise<string> => {
  const cookies = new Map<string, string>()
  const begun = await send(url)
  const page = await send(server.url + begun.location)
  keep(cookies, page.cookies)
  const hidden = [...page.body.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)].map(([input]): [string, string] => [
    /name="([^"]*)"/.exec(input)?.[1] ?? '',
    /value="([^"]*)"/.exec(input)?.[1] ?? '',
  ])
  const done = await send(server.url + begun.location, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      cookie: cookieOf(cookies),
    },
    body: new URLSearchParams([...hidden, ['username', 'user0'], ['password', password]]).toString(),
  })
  keep(cookies, done.cookies)
  if (!done.location.startsWith(callback)) throw new Error(`The sign-in page answered ${done.status} ${done.location}`)
  return cookieOf(cookies)
}

const openPeer = async (): Promise<Subject> => {
  const port = await freePort()
  const server = await launch({
    name: 'oidc-provider',
    args: [resolve('bench/oidc-provider.mjs'), String(port), callback],
    port,
    probe: '/.well-known/openid-configuration',
  })
  const subject = {
    server,
    authorize: `${server.url}/auth`,
    token: `${server.url}/token`,
    web: `web:${secret}`,
    machine: `machine:${secret}`,
    scope: 'openid email',
    machineScope: 'api:read',
  }
  const cookies = new Map<string, string>()
  let url = authorizeUrl(subject)
  for (let redirects = 0; redirects < 8 && !url.startsWith(callback); redirects += 1) {
    const { location, status, body, cookies: lines } = await send(url, { headers: { cookie: cookieOf(cookies) } })
    keep(cookies, lines)
    if (location === '') throw new Error(`oidc-provider answered ${status} ${body.slice(0, 300)}`)
    url = new URL(location, server.url).href
  }
  return { ...subject, cookie: cookieOf(cookies) }
}

// ---------------------------------------------------------------------------------------------- the run

const flows = { 'client_credentials token': clientCredentials, 'code flow with a session': codeFlow }

const measureAll = async (subject: Subject): Promise<Record<string, Measured>> => {
  const table: Record<string, Measured> = {}
  try {
    for (const [name, flow] of Object.entries(flows)) {
      table[name] = await measure(subject.server, () => flow(subject), { seconds, warmUp: 2 })
    }
  } finally {
    await subject.server.stop()
  }
  return table
}

const temporary = mkdtempSync(join(tmpdir(), 'cenote-bench-oauth-'))
try {
  execFileSync(process.execPath, ['tools/build.ts', '--if-stale'], { stdio: 'inherit' })
  const ours = await measureAll(await openCenote(join(temporary, 'data')))
  const theirs = await measureAll(await openPeer())
  const rows = Object.keys(flows).map(name => {
    const [own, other] = [ours[name], theirs[name]]
    if (own === undefined || other === undefined) throw new Error(`${name} was not measured.`)
    const figures = [own.perSecond, own.cpuMs, own.p99Ms, other.perSecond, other.cpuMs, other.cpuMs / own.cpuMs]
    return `| ${name} | ${figures.map(value => value.toFixed(2)).join(' | ')} |`
  })
  const text = [
    '## OAuth',
    '| flow | cenote /s | CPU ms | p99 ms | oidc-provider /s | CPU ms | its CPU ÷ ours |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
  process.stdout.write(text)
  mkdirSync('bench/results', { recursive: true })
  writeFileSync(`bench/results/${new Date().toISOString().replaceAll(':', '-')}-oauth.md`, text)
} finally {
  agent.destroy()
  rmSync(temporary, { recursive: true, force: true })
}
