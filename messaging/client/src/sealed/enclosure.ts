import type { Bytes, Value, ValueMap } from './encoding.ts'
import { insist } from './errors.ts'
import { Fields, typeOf } from './statement.ts'

/** Types of statements that travel in a sealed text. */
const ENCLOSED: readonly string[] = ['accept', 'consent', 'mandate', 'pins']
/** Characters of the text of a mandate. */
const TERMS_LIMIT = 10_000

/** A signed statement on its way to the others, or to the own colleagues in the ledger. `terms`: of a mandate,
 *  what it commits to. */
export interface Enclosure {
  readonly type: 'statement'
  readonly statement: Bytes
  readonly terms: { readonly blind: Bytes; readonly text: string } | null
}

export const enclosureValue = ({ type, statement, terms }: Enclosure): ValueMap =>
  terms === null ? { type, statement } : { type, statement, blind: terms.blind, text: terms.text }

/** M5: a statement of a type that travels so; the text of a mandate stands with it, and only with it.
 *  @throws Refused bad-statement, wrong-body */
export function readEnclosure(value: Value): Enclosure {
  const statement = (value as ValueMap).statement
  insist(statement instanceof Uint8Array, 'M5', 'wrong-body', 'a body without its statement') // M5
  const found = typeOf(statement)
  const hasTerms = found === 'mandate'
  insist(ENCLOSED.includes(found), 'M5', 'wrong-body', 'not a statement that is sent like this') // M5
  const fields = new Fields(value, ['type', 'statement', ...(hasTerms ? ['blind', 'text'] : [])])
  const terms = hasTerms ? { blind: fields.bytes('blind', 32), text: fields.text('text', TERMS_LIMIT) } : null
  return { type: 'statement', statement, terms }
}
