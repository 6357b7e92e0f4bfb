/** Passkeys on the pages: the prompt of the browser, and the page of a sign-in that waits for a passkey. */
import { isOriginOf } from '../../core/relying-party.ts'
import { findUsableRelyingPartyId } from '../../features/passkeys/relying-party.ts'
import { answerStep } from './advance.ts'
import { alert, linkRow, paragraph, scriptButton } from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { type Html, html } from './html.ts'
import { missingFields, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { passkeyScriptPath } from './passkey-script.ts'
import type { ChallengeStep } from './steps.ts'
import type { Texts } from './texts/index.ts'

export interface PromptOptions {
  /** Whether a passkey is made or used. */
  kind: 'create' | 'get'
  /** For the browser, as JSON. */
  options: string
  /** Of the button that asks for the prompt. */
  label: string
  /** The prompt comes by itself. */
  isImmediate: boolean
}

/** What stands in the form to which the browser's answer goes; the ids are those that the script looks for. */
export const passkeyPrompt = (texts: Texts, { kind, options, label, isImmediate }: PromptOptions): Html =>
  html`<noscript>${alert({ kind: 'warning', text: texts.passkeyNeedsScript })}</noscript><div id="passkey-request" data-kind="${kind}" data-options="${options}"${
    isImmediate && html` data-now`
  } hidden></div><input type="hidden" id="passkey-credential" name="credential" value=""><div id="passkey-unsupported" hidden>${alert(
    { kind: 'error', text: texts.passkeyNotSupported },
  )}</div><div id="passkey-failed" hidden>${alert({ kind: 'error', text: texts.passkeyFailed })}</div><p id="passkey-pending" class="pending" role="status" hidden>${
    texts.waitingForPasskey
  }</p>${scriptButton({ label, id: 'passkey-button' })}`

export const showPasskey = (page: Page, step: ChallengeStep, faults: readonly Fault[] = []): Response => {
  const { texts } = page
  const { message, failed } = sortFaults(faults, [])
  return sendPage(page, {
    heading: texts.passkeySignInHeading,
    ...(message && { message }),
    failed,
    script: passkeyScriptPath,
    content: html`${paragraph(texts.passkeySignInHint)}${pageForm(
      page,
      '/passkey',
      passkeyPrompt(texts, {
        kind: 'get',
        options: step.parameters['CREDENTIAL_REQUEST_OPTIONS'] ?? '{}',
        label: texts.usePasskey,
        // After a refusal it would come again and again.
        isImmediate: !failed,
      }),
    )}${linkRow({ label: texts.tryAnotherWay, href: pageUrl(page, '/login') })}`,
  })
}

export const takePasskey = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  const show = (faults: readonly Fault[]) => showPasskey(page, step, faults)
  const missing = missingFields(page, ['credential'])
  if (missing.length > 0) return show([{ text: page.texts.passkeyFailed }])
  return answerStep(page, step, { CREDENTIAL: fieldOf(page.form, 'credential') }, show)
}

/**
 * Whether users of the pool can have passkeys and browsers can use them on this page: its host must be the relying party
 * or below it, which the server's own host need not be.
 */
export const passkeysWorkHere = async ({ c, ctx, pool }: Pick<Page, 'c' | 'ctx' | 'pool'>): Promise<boolean> => {
  const relyingPartyId = await findUsableRelyingPartyId(ctx, pool)
  const origin = `${new URL(ctx.publicUrl).protocol}//${c.req.header('host')?.toLowerCase()}`
  return relyingPartyId !== undefined && isOriginOf(relyingPartyId, origin, ctx.publicUrl)
}
