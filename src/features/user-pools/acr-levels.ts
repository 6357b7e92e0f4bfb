/** Names of the levels of authentication (`acr` values). A pool can rename them; what they stand for is fixed. */
import type { AcrLevelConfigType } from '../../contract/types.ts'
import { invalidPoolSetting } from '../../core/errors.ts'

type AcrLevels = Record<string, AcrLevelConfigType>

/** The names in force where a pool gives none. */
export const defaultAcrLevels: Readonly<AcrLevels> = {
  Level1: { AcrValue: 'urn:cognito:loa:1' },
  Level2: { AcrValue: 'urn:cognito:loa:2' },
  Level3: { AcrValue: 'urn:cognito:loa:3' },
  Level4: { AcrValue: 'urn:cognito:loa:4' },
}

/**
 * The names of all four levels, those that the request leaves out with their default.
 * @throws InvalidParameterException for an unknown level, for a value that is no name, and for one used twice.
 */
export const completeAcrLevels = (requested: AcrLevels | undefined): AcrLevels => {
  const levels = new Map(Object.entries(defaultAcrLevels))
  for (const [level, { AcrValue }] of Object.entries(requested ?? {})) {
    if (!levels.has(level)) throw invalidPoolSetting('acrLevel')
    if (!/^[^\s"\\]{1,64}$/u.test(AcrValue)) throw invalidPoolSetting('acrValue')
    levels.set(level, { AcrValue })
  }
  const values = new Set([...levels.values()].map(level => level.AcrValue))
  if (values.size < levels.size) throw invalidPoolSetting('acrRepeated')
  return Object.fromEntries(levels)
}

/** True when a level has another name than the default one. */
export const isCustomAcr = (levels: AcrLevels | undefined): boolean =>
  Object.entries(levels ?? {}).some(([level, { AcrValue }]) => defaultAcrLevels[level]?.AcrValue !== AcrValue)
