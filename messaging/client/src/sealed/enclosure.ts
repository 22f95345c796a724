import type { Bytes, Value, ValueMap } from './encoding.ts'
import { insist } from './errors.ts'
import { Fields, typeOf } from './statement.ts'

/** Types of statements that travel in a sealed text. */
const ENCLOSED: readonly string[] = ['accept', 'consent', 'mandate', 'pins']
/** Characters of the text of a mandate, and of what a consent says why. */
const TERMS_LIMIT = 10_000

/** A signed statement on its way to the others, or to the own colleagues in the ledger. `terms`: of a mandate,
 *  what it commits to; of a consent, without a blind, why. */
export interface Enclosure {
  readonly type: 'statement'
  readonly statement: Bytes
  readonly terms: { readonly blind: Bytes | null; readonly text: string } | null
}

export function enclosureValue({ type, statement, terms }: Enclosure): ValueMap {
  if (terms === null) return { type, statement }
  const { blind, text } = terms
  return blind === null ? { type, statement, text } : { type, statement, blind, text }
}

/** M5: a statement of a type that travels so; the text of a mandate stands with it, and that of a consent where it
 *  says why. @throws Refused bad-statement, wrong-body */
export function readEnclosure(value: Value): Enclosure {
  const statement = (value as ValueMap).statement
  insist(statement instanceof Uint8Array, 'M5', 'wrong-body', 'a body without its statement') // M5
  const found = typeOf(statement)
  insist(ENCLOSED.includes(found), 'M5', 'wrong-body', 'not a statement that is sent like this') // M5
  const isMandate = found === 'mandate'
  const hasText = isMandate || (found === 'consent' && 'text' in (value as ValueMap))
  const beside = [...(isMandate ? ['blind'] : []), ...(hasText ? ['text'] : [])]
  const fields = new Fields(value, ['type', 'statement', ...beside])
  if (!hasText) return { type: 'statement', statement, terms: null }
  const blind = isMandate ? fields.bytes('blind', 32) : null
  const text = fields.text('text', TERMS_LIMIT)
  insist(isMandate || text !== '', 'M5', 'wrong-body', 'a consent that says why, without words') // M5
  return { type: 'statement', statement, terms: { blind, text } }
}
