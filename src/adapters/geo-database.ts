/** Places of addresses, from a database in the format of MaxMind (MMDB) that the operator has. */
import { readFileSync } from 'node:fs'
import { type CityResponse, Reader } from 'mmdb-lib'
import type { Place, Places } from '../core/ports.ts'

/**
 * Reads the whole file, which may take a hundred megabytes of memory. Databases of cities and of countries will do.
 * @throws Error when the file cannot be read or is no such database.
 */
export const openGeoDatabase = (file: string): Places => {
  const reader = new Reader<CityResponse>(readFileSync(file))
  return { find: address => placeOf(reader.get(address)) }
}

const placeOf = (found: CityResponse | null): Place | undefined => {
  if (found === null) return undefined
  const city = found.city?.names.en
  const country = found.country?.names.en
  const { latitude, longitude } = found.location ?? {}
  return {
    ...(city !== undefined && { city }),
    ...(country !== undefined && { country }),
    ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }),
  }
}
