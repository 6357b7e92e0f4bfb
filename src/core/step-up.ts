/**
 * Levels of authentication that a sign-in is asked to reach, and the factors that lead there. What the levels stand for
 * is the rule of `acr` in `claims.ts`.
 */
import { type Factor, type Level, type LevelNames, levelOf, levels, nameOfLevel } from './claims.ts'

/** Whether what is proven is enough for the level. */
export const reaches = (proven: readonly Factor[], level: Level): boolean =>
  proven.length > 0 && levels.indexOf(levelOf(new Set(proven))) >= levels.indexOf(level)

/** The factors of these that lift what is proven to the level, each by itself. */
export const liftingFactors = <Candidate extends Factor>(
  proven: readonly Factor[],
  level: Level,
  candidates: readonly Candidate[],
): Candidate[] => candidates.filter(factor => !proven.includes(factor) && reaches([...proven, factor], level))

/** Whether a first factor leads to the level: by itself, or a password with one of these codes. */
export const leadsTo = (first: Factor, proven: readonly Factor[], level: Level, codes: readonly Factor[]): boolean => {
  if (proven.includes(first)) return false
  const then = [...proven, first]
  return reaches(then, level) || (first === 'pwd' && liftingFactors(then, level, codes).length > 0)
}

/** The levels of these names, in their order. Names that are none of the pool's are passed over. */
export const levelsNamed = (wanted: readonly string[], names: LevelNames | undefined): Level[] =>
  wanted.flatMap(name => levels.find(level => nameOfLevel(level, names) === name) ?? [])
