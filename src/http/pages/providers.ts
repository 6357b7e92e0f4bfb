/** The identity providers on the sign-in page: a button for each, or one field that finds a provider by a mail domain. */
import { soleProvider } from '../../features/authorization/federated-sign-in.ts'
import { supportedProviders } from '../../features/authorization/request.ts'
import {
  findOfferedProviders,
  isSocial,
  localProvider,
  type OfferedProvider,
} from '../../features/identity-providers/provider.ts'
import { basePath } from '../request-context.ts'
import { button, buttons, field, legal, paragraph, providerButtons } from './components.ts'
import { fieldOf } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type Page, pageForm, seeOther } from './page.ts'

/** The field that asks for the address; no other form of the page has it. */
const searchField = 'email'
const searchLengthMax = 254

/** Whether users of the pool itself can sign in, with the client and by what the application asks for. */
export const signsInLocally = ({ client, request }: Page): boolean =>
  supportedProviders(client).includes(localProvider) && (request.identityProvider ?? localProvider) === localProvider

/** The way to a provider without a page; undefined when there is something to choose or to fill in. */
export const wayToProvider = (page: Page): string | undefined => {
  const name = soleProvider(page.request)
  return name === undefined ? undefined : authorizeUrl(page, name)
}

const authorizeUrl = ({ ctx, query }: Page, name: string): string => {
  const parameters = new URLSearchParams(query)
  parameters.delete('idp_identifier')
  parameters.set('identity_provider', name)
  return `${basePath(ctx)}/oauth2/authorize?${parameters}`
}

/** The providers that the page offers; none when the application asks for the users of the pool itself. */
const offered = async ({ ctx, pool, client, request }: Page): Promise<OfferedProvider[]> =>
  request.identityProvider === undefined ? findOfferedProviders(ctx, pool, supportedProviders(client)) : []

/**
 * Those of the providers that are found by a domain instead of having a button each. On the classic pages they are, once
 * there are several of them and each can be found.
 */
const searched = ({ managed, frame }: Page, providers: readonly OfferedProvider[]): OfferedProvider[] => {
  const corporate = providers.filter(({ type }) => !isSocial(type))
  const findable = corporate.filter(({ identifiers }) => identifiers.length > 0)
  if (managed) return frame.look.providers.interface === 'search' ? findable : []
  return corporate.length > 1 && findable.length === corporate.length ? findable : []
}

export interface ProviderSection {
  content: HtmlValue
  /** Whether a form of it leads to a provider. */
  hasSearch: boolean
}

/** The part of the page that leads to providers; undefined when it offers none. `fault` is about the address. */
export const providerSection = async (page: Page, fault?: string): Promise<ProviderSection | undefined> => {
  const { texts, frame, managed, form } = page
  const providers = await offered(page)
  if (providers.length === 0) return undefined
  const found = searched(page, providers)
  const shown = providers
    .filter(provider => !found.includes(provider))
    .map(({ name, type }) => ({ name, type, href: authorizeUrl(page, name) }))
  const listed = (of: typeof shown): Html => providerButtons(texts, frame.look, of)
  const search =
    found.length > 0 &&
    pageForm(page, '/login', [
      field({
        name: searchField,
        id: 'providerSearch',
        type: 'email',
        label: texts.corporateEmail,
        hint: texts.corporateEmailHint,
        autocomplete: 'email',
        maxLength: searchLengthMax,
        value: fieldOf(form, searchField),
        error: fault,
      }),
      buttons(button({ label: texts.continue, kind: 'secondary' })),
    ])
  if (managed) return { content: html`${shown.length > 0 && listed(shown)}${search}`, hasSearch: found.length > 0 }
  const social = shown.filter(({ type }) => isSocial(type))
  const corporate = shown.filter(({ type }) => !isSocial(type))
  return {
    content: html`${
      social.length > 0 &&
      html`${paragraph(texts.signInWithSocialAccount)}${listed(social)}${legal(texts.noPostsToAccounts)}`
    }${(corporate.length > 0 || found.length > 0) && paragraph(texts.signInWithCorporateId)}${
      corporate.length > 0 && listed(corporate)
    }${search}`,
    hasSearch: found.length > 0,
  }
}

/** Whether the form is the one that asks for a provider. */
export const isProviderSearch = ({ form }: Page): boolean => form.has(searchField)

/** Leads to the provider that has the domain of the address for an identifier; undefined when none has. */
export const findByDomain = async (page: Page): Promise<Response | undefined> => {
  const address = fieldOf(page.form, searchField).trim().toLowerCase()
  if (address === '' || address.length > searchLengthMax) return undefined
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const providers = searched(page, await offered(page))
  const provider = providers.find(({ identifiers }) => identifiers.some(one => one.toLowerCase() === domain))
  return provider && seeOther(page, authorizeUrl(page, provider.name))
}
