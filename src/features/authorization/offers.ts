/** Which of the extensions of OAuth are switched on. */
import { defaultExtensions, type OAuthExtension } from '../../core/oauth-extensions.ts'
import type { Services } from '../context.ts'

export const offers = ({ settings }: Pick<Services, 'settings'>, extension: OAuthExtension): boolean =>
  (settings.oauthExtensions ?? defaultExtensions).includes(extension)
