/**
 * The one script of the pages: it hands the request of the page to the browser, and the browser's answer to the form.
 * Nothing else works in a page that has no use for a passkey.
 */
import { contentHash } from './styles/index.ts'

/** What of a browser the script uses. */
interface Browser {
  document: { getElementById(id: string): Element | null }
  navigator: { credentials?: Record<'create' | 'get', (options: object) => Promise<Credential | null>> }
  PublicKeyCredential?: unknown
  atob(text: string): string
  btoa(text: string): string
}

interface Element {
  hidden: boolean
  value: string
  dataset: Record<string, string | undefined>
  form: { requestSubmit(): void } | null
  addEventListener(event: 'click', listen: () => void): void
}

/** PublicKeyCredential (WebAuthn Level 3, section 5.1). */
interface Credential {
  id: string
  rawId: ArrayBuffer
  type: string
  authenticatorAttachment: string | null
  response: Record<string, ArrayBuffer | null> & { getTransports?(): string[] }
}

/** A credential in options: its id is text on the page and bytes in the browser. */
interface Descriptor {
  id: string
}

/** Runs in the browser, as it stands here. It must not name anything outside of itself. */
const usePasskey = (): void => {
  const { document, navigator, PublicKeyCredential, atob, btoa } = globalThis as unknown as Browser
  const element = (name: string): Element | null => document.getElementById(`passkey-${name}`)
  const show = (name: string, isShown: boolean): void => {
    const shown = element(name)
    if (shown !== null) shown.hidden = !isShown
  }
  const bytes = (text: string): Uint8Array =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), character => character.charCodeAt(0))
  const text = (buffer: ArrayBuffer): string =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '')
  const binary = (options: Record<string, unknown>): object => {
    const read: Record<string, unknown> = { ...options, challenge: bytes(String(options['challenge'])) }
    const user = options['user'] as Descriptor | undefined
    if (user !== undefined) read['user'] = { ...user, id: bytes(user.id) }
    for (const list of ['allowCredentials', 'excludeCredentials']) {
      const credentials = options[list] as Descriptor[] | undefined
      if (credentials !== undefined) read[list] = credentials.map(known => ({ ...known, id: bytes(known.id) }))
    }
    return read
  }
  const json = ({ id, rawId, type, authenticatorAttachment, response }: Credential): string => {
    const written: Record<string, unknown> = {}
    for (const part of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
      const value = response[part]
      if (value) written[part] = text(value)
    }
    if (response.getTransports !== undefined) written['transports'] = response.getTransports()
    return JSON.stringify({
      id,
      rawId: text(rawId),
      type,
      ...(authenticatorAttachment !== null && { authenticatorAttachment }),
      clientExtensionResults: {},
      response: written,
    })
  }

  const request = element('request')
  const input = element('credential')
  const button = element('button')
  if (request === null || input === null || button === null) return
  const { kind, options, now } = request.dataset
  const ask = navigator.credentials?.[kind === 'create' ? 'create' : 'get'].bind(navigator.credentials)
  if (PublicKeyCredential === undefined || ask === undefined) {
    show('unsupported', true)
    return
  }
  const prompt = async (): Promise<void> => {
    show('button', false)
    show('failed', false)
    show('pending', true)
    try {
      const credential = await ask({ publicKey: binary(JSON.parse(options ?? '{}')) })
      if (credential === null) throw new Error('There is no credential.')
      input.value = json(credential)
      input.form?.requestSubmit()
    } catch {
      show('pending', false)
      show('failed', true)
      show('button', true)
    }
  }
  button.addEventListener('click', () => void prompt())
  if (now === undefined) button.hidden = false
  else void prompt()
}

export const passkeyScript = `(${usePasskey.toString()})()\n`

/** Where it is served. */
export const passkeyScriptPath = `/pages/passkey/${contentHash(passkeyScript)}.js`
