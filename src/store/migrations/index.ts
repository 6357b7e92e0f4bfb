import type { Migration } from '../migrate.ts'
import { migration as ground } from './0001-ground.ts'

/** All migrations, in the order in which they run. */
export const migrations: Migration[] = [ground]
