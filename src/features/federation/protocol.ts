/** What is common to the ways in which providers are spoken to. */
import type { Level } from '../../core/claims.ts'
import type { Context } from '../context.ts'
import type { Provider } from '../identity-providers/provider.ts'

/** What a user is sent to a provider for. */
export interface Departure {
  provider: Provider
  /** Where the endpoints of the pool stand, without a final slash. */
  baseUrl: string
  loginHint: string | undefined
  prompt: ReadonlySet<string>
  /** The levels of authentication that are asked for, the most wanted first. */
  levels: readonly Level[]
}

/** The way to a provider. */
export interface Way {
  /** What is to be known again when the user comes back. */
  remembered: Record<string, string>
  /** Where the browser is sent, with the state that it brings back. */
  address(state: string): string | Promise<string>
}

/** Prepares the way to a provider of some type. */
export type Depart = (ctx: Context, departure: Departure) => Way | Promise<Way>
