/**
 * The peer of the OAuth benchmarks: `oidc-provider` with what the comparison needs, on its own store in memory, which it
 * advises against for real use. It signs whoever comes in without asking, as the measured sign-ins do.
 */
import { Provider } from 'oidc-provider'

const [port = '', callback = ''] = process.argv.slice(2)

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'web',
      client_secret: 'a-secret-of-the-benchmark',
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid email offline_access',
    },
    {
      client_id: 'machine',
      client_secret: 'a-secret-of-the-benchmark',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
      scope: 'api:read',
    },
  ],
  scopes: ['openid', 'email', 'offline_access', 'api:read'],
  claims: { openid: ['sub'], email: ['email'] },
  cookies: { keys: ['a key of the benchmark'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    // Access tokens that are signed, as ours are, and not opaque.
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:api',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api:read openid email',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  ttl: {
    AccessToken: 3_600,
    ClientCredentials: 3_600,
    Grant: 86_400,
    IdToken: 3_600,
    Interaction: 600,
    Session: 86_400,
    RefreshToken: 86_400,
  },
  conformIdTokenClaims: false,
  issueRefreshToken: () => Promise.resolve(true),
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async ctx => {
    const grantId = ctx.oidc.session?.grantIdFor(ctx.oidc.client?.clientId)
    const known = grantId && (await ctx.oidc.provider.Grant.find(grantId))
    if (known) return known
    const grant = new ctx.oidc.provider.Grant({
      accountId: ctx.oidc.session?.accountId ?? '',
      clientId: ctx.oidc.client?.clientId ?? '',
    })
    grant.addOIDCScope('openid email offline_access')
    grant.addResourceScope('urn:api', 'openid email')
    await grant.save()
    return grant
  },
})

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next()
  const result = { login: { accountId: 'user0' } }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result))
})
provider.on('grant.error', (_ctx, error) => process.stderr.write(`${error.error_detail}\n`))
provider.listen(Number(port), '127.0.0.1')
