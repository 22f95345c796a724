import { type Bytes, compare, contextHash, equal } from './encoding.ts'
import { insist } from './errors.ts'
import type { Author } from './keyring.ts'
import { type After, type By, byValue, readAfter, readBy } from './places.ts'
import { checkSigner } from './signers.ts'
import { asBytes, Fields, isStrictlySorted, parse, type Statement, sign, verify } from './statement.ts'
import type { Keyrings } from './thread_entry.ts'

/** Seconds for which a mandate can be in force at most. */
const LONGEST = 365 * 86_400
/** How the central authorities are kept informed. */
const INFORM: readonly string[] = ['copy', 'observer', 'summary']

/** A practitioner and the authority that sponsors him or her, both as principals. */
export interface Admitted {
  readonly principal: Bytes
  readonly sponsor: Bytes
}

/** What a thread keeps of a mandate: in force from `start` until `until` or its withdrawal. */
export interface MandateTerms {
  readonly hash: Bytes
  readonly admitted: readonly Admitted[]
  readonly start: number
  readonly until: number
  readonly isWithdrawn: boolean
}

export interface Mandate extends MandateTerms {
  readonly statement: Statement
  readonly by: By
  readonly thread: Bytes
  readonly parties: readonly Bytes[]
  readonly inform: string
  readonly terms: Bytes
}

export interface Withdrawal {
  readonly statement: Statement
  readonly by: By
  readonly thread: Bytes
  readonly of: Bytes
  readonly after: After
}

/** T5 */
export const isInForce = ({ isWithdrawn, start, until }: MandateTerms, now: number): boolean =>
  !isWithdrawn && start <= now && now < until

/** What a mandate says of its sealed text: purpose, measures excluded, persons. */
export const termsHash = (net: string, blind: Bytes, text: string): Promise<Bytes> =>
  contextHash(net, 'terms', blind, text)

/** A proposal; it binds nobody without the consents of all parties. `salt`: 16 random bytes. */
export function makeMandate(
  net: string,
  given: Pick<Mandate, 'by' | 'thread' | 'parties' | 'admitted' | 'start' | 'until' | 'inform' | 'terms'> & {
    salt: Bytes
  },
  { author, at }: { author: Author; at: number },
): Promise<Bytes> {
  const { by, thread, parties, admitted, start, until, inform, terms, salt } = given
  const rows = [...admitted].sort((a, b) => compare(a.principal, b.principal))
  const fields = {
    by: byValue(by),
    thread,
    parties: [...parties].sort(compare),
    admitted: rows.map(({ principal, sponsor }) => ({ principal, sponsor })),
    from: start,
    until,
    inform,
    terms,
    salt,
  }
  return sign(net, 'mandate', fields, { at, kid: author.id, key: author.key })
}

/** Takes a mandate apart; its signature is not verified. @throws Refused E1, E2, wrong-mandate */
export async function readMandate(net: string, raw: Bytes): Promise<Mandate> {
  const statement = await parse(net, raw, 'mandate')
  const { fields } = statement
  fields.bytes('salt', 16)
  const parties = fields.list('parties').map((party) => asBytes(party, 32, 'party'))
  const admitted = fields.list('admitted').map((value) => {
    const row = new Fields(value, ['principal', 'sponsor'])
    return { principal: row.bytes('principal', 32), sponsor: row.bytes('sponsor', 32) }
  })
  const [start, until] = [fields.uint('from'), fields.uint('until')]
  const inform = fields.text('inform')
  const by = readBy(fields)
  const thread = fields.bytes('thread', 32)
  const terms = fields.bytes('terms', 32)
  const isSorted = isStrictlySorted(parties) && isStrictlySorted(admitted.map(({ principal }) => principal))
  insist(isSorted, 'T3', 'wrong-mandate', 'its parties or persons are not sorted, or one stands twice') // T3
  const isTimed = start < until && until <= start + LONGEST
  const isFit = admitted.length > 0 && isTimed && INFORM.includes(inform)
  insist(isFit, 'T3', 'wrong-mandate', 'nobody admitted, an impossible time, or unknown terms') // T3
  const known = { hash: statement.hash, admitted, start, until, isWithdrawn: false }
  return { ...known, statement, by, thread, parties, inform, terms }
}

/** T3, T5: made for this thread and its parties by a supervisor of one of them, and in force.
 *  @throws Refused E1, E2, wrong-mandate, unlisted-device, not-a-supervisor, mandate-ended */
export async function checkMandate(
  net: string,
  raw: Bytes,
  place: { keyrings: Keyrings; thread: Bytes; parties: readonly Bytes[]; now: number },
): Promise<Mandate> {
  const mandate = await readMandate(net, raw)
  const { statement, by, parties } = mandate
  const signer = checkSigner('T3', by, statement.kid, { keyrings: place.keyrings, role: 'supervisor' }) // T3
  await verify(statement, signer.sig, net)
  const wanted = [...place.parties].sort(compare)
  const isSame =
    parties.length === wanted.length && parties.every((party, i) => equal(party, wanted[i] as Bytes))
  const isOurs = equal(mandate.thread, place.thread) && isSame
  const isParty = parties.some((party) => equal(party, by.principal))
  insist(isOurs && isParty, 'T3', 'wrong-mandate', 'a mandate for another thread or other parties') // T3
  const stands = isInForce(mandate, place.now)
  insist(stands, 'T5', 'mandate-ended', 'the mandate is not yet or no longer in force') // T5
  return mandate
}

/** The end of a mandate, signed at a verified place of the thread. */
export function makeWithdrawal(
  net: string,
  { by, thread, of, after }: Pick<Withdrawal, 'by' | 'thread' | 'of' | 'after'>,
  { author, at }: { author: Author; at: number },
): Promise<Bytes> {
  const fields = { by: byValue(by), thread, of, after: { seq: after.seq, hash: after.hash } }
  return sign(net, 'mandate-withdrawal', fields, { at, kid: author.id, key: author.key })
}

/** Takes a withdrawal apart; its signature is not verified. @throws Refused E1, E2 */
export async function readWithdrawal(net: string, raw: Bytes): Promise<Withdrawal> {
  const statement = await parse(net, raw, 'mandate-withdrawal')
  const { fields } = statement
  const [thread, of] = [fields.bytes('thread', 32), fields.bytes('of', 32)]
  return { statement, by: readBy(fields), thread, of, after: readAfter(fields) }
}
