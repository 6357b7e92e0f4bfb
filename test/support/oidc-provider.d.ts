/** The part of oidc-provider that tests use; the package brings no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  export class Provider {
    constructor(issuer: string, configuration: ProviderConfiguration)
    callback(): RequestListener
  }

  interface ProviderConfiguration {
    clients: object[]
    claims: Record<string, string[]>
    cookies: { keys: string[] }
    pkce: { required: () => boolean }
    findAccount(context: unknown, accountId: string): { accountId: string; claims(): object }
  }
}
