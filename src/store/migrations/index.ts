import type { Migration } from '../migrate.ts'
import { migration as ground } from './0001-ground.ts'
import { migration as resourceServersDomains } from './0002-resource-servers-domains.ts'

/** All migrations, in the order in which they run. */
export const migrations: Migration[] = [ground, resourceServersDomains]
