/**
 * Queries that nearly every request makes. Building and compiling one costs several times what running it does, so these
 * are compiled once for each kind of database and only their parameters change.
 */
import type { CompiledQuery, Kysely } from 'kysely'
import type { Tables } from './tables.ts'

type Argument = string | number

interface Template<Row> {
  compiled: CompiledQuery<Row>
  /** For each parameter of the statement the argument that it takes, or -1 for a constant. */
  argumentOf: number[]
}

/**
 * A function that runs the query with other arguments each time and resolves to its rows. `build` is called once for
 * each kind of database, with placeholders: it may pass its arguments on to the query and must not look at them.
 */
export const prepared = <Arguments extends Argument[], Row>(
  build: (db: Kysely<Tables>, ...args: Arguments) => { compile(): CompiledQuery<Row> },
): ((db: Kysely<Tables>, ...args: Arguments) => Promise<Row[]>) => {
  const templates = new Map<unknown, Template<Row>>()

  const compile = (db: Kysely<Tables>): Template<Row> => {
    const placeholders = Array.from({ length: build.length - 1 }, () => Object.freeze({}))
    const compiled = build(db, ...(placeholders as unknown as Arguments)).compile()
    return { compiled, argumentOf: compiled.parameters.map(parameter => placeholders.indexOf(parameter as object)) }
  }

  return async (db, ...args) => {
    const kind = db.getExecutor().adapter.constructor
    const template = templates.get(kind) ?? compile(db)
    templates.set(kind, template)
    const { compiled, argumentOf } = template
    const parameters = compiled.parameters.map((constant, at) => args[argumentOf[at] ?? -1] ?? constant)
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters })
    return rows
  }
}
