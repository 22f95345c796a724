import { type Bytes, compare, sha256 } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { type Fields, isStrictlySorted, typeOf } from './statement.ts'

/** How many statements one entry or message can carry: two for each of sixteen members, and some. */
const ACTS_LIMIT = 40

function isOfKnownType(act: Bytes, known: readonly string[]): boolean {
  try {
    return known.includes(typeOf(act))
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

const hashes = (acts: readonly Bytes[]): Promise<Bytes[]> => Promise.all(acts.map((act) => sha256(act)))

/** The complete statements in `acts`, not yet verified: of known types, sorted by their hash, none twice.
 *  @throws Refused bad-statement, unknown-act */
export async function readActs(fields: Fields, rule: string, known: readonly string[]): Promise<Bytes[]> {
  const acts = fields.list('acts')
  const found = acts.filter((act): act is Bytes => act instanceof Uint8Array)
  const isWhole = found.length === acts.length && acts.length <= ACTS_LIMIT
  const isKnown = isWhole && found.every((act) => isOfKnownType(act, known))
  insist(isKnown, rule, 'unknown-act', 'something that has no place among the acts')
  const isSorted = isStrictlySorted(await hashes(found))
  insist(isSorted, rule, 'unknown-act', 'the acts are not sorted, or one stands twice')
  return found
}

/** Statements in the order in which `acts` holds them. */
export async function sortActs(acts: readonly Bytes[]): Promise<Bytes[]> {
  const order = await hashes(acts)
  return acts
    .map((act, i) => ({ act, hash: order[i] as Bytes }))
    .sort((a, b) => compare(a.hash, b.hash))
    .map(({ act }) => act)
}
