import { type Bytes, equal, type ValueMap } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Author } from './keyring.ts'
import { type By, byValue, readBy } from './places.ts'
import { checkSigner } from './signers.ts'
import { type Fields, parse, type Statement, sign, verify } from './statement.ts'
import type { Keyrings } from './thread_entry.ts'

/** Seconds for which a consent can be used at most. */
const LONGEST = 30 * 86_400

/** The subject of a consent to `join`: a principal, and what it becomes. */
export interface Admission {
  readonly principal: Bytes
  readonly role: string
}

/** `subject` is an admission, or the hash of a mandate. `history`: earlier items may be shared. */
export interface Consent {
  readonly statement: Statement
  readonly by: By
  readonly thread: Bytes
  readonly subject: Admission | Bytes
  readonly history: boolean
  readonly until: number
}

export const isSameSubject = (a: Admission | Bytes, b: Admission | Bytes): boolean => {
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && equal(a, b)
  return equal(a.principal, b.principal) && a.role === b.role
}

/** A supervisor's consent, for a thread, to an admission or to the mandate of this hash. */
export function makeConsent(
  net: string,
  given: { by: By; thread: Bytes; subject: Admission | Bytes; history: boolean; until: number },
  { author, at }: { author: Author; at: number },
): Promise<Bytes> {
  const { by, thread, subject, history, until } = given
  const isMandate = subject instanceof Uint8Array
  const value: Bytes | ValueMap = isMandate ? subject : { principal: subject.principal, role: subject.role }
  const action = isMandate ? 'mandate' : 'join'
  const fields = { by: byValue(by), thread, action, subject: value, history, until }
  return sign(net, 'consent', fields, { at, kid: author.id, key: author.key })
}

function readSubject(fields: Fields): Admission | Bytes {
  const action = fields.text('action')
  if (action === 'mandate') return fields.bytes('subject', 32)
  insist(action === 'join', 'E2', 'bad-statement', 'a consent to something unknown') // E2
  const pair = fields.map('subject', ['principal', 'role'])
  return { principal: pair.bytes('principal', 32), role: pair.text('role') }
}

/** Takes a consent apart; its signature is not verified. @throws Refused E1, E2 */
export async function readConsent(net: string, raw: Bytes): Promise<Consent> {
  const statement = await parse(net, raw, 'consent')
  const { fields } = statement
  const history = fields.raw('history')
  if (typeof history !== 'boolean') throw new Refused('E2', 'bad-statement', 'history is true or false') // E2
  return {
    statement,
    by: readBy(fields),
    thread: fields.bytes('thread', 32),
    subject: readSubject(fields),
    history,
    until: fields.uint('until'),
  }
}

/** T3: it holds for this thread at `now`: signed by a listed supervisor, neither early nor expired.
 *  @throws Refused E1, E2, wrong-consent, consent-expired, unlisted-device, not-a-supervisor */
export async function checkConsent(
  net: string,
  raw: Bytes,
  { keyrings, thread, now }: { keyrings: Keyrings; thread: Bytes; now: number },
): Promise<Consent> {
  const consent = await readConsent(net, raw)
  const { statement, by, until } = consent
  const signer = checkSigner('T3', by, statement.kid, { keyrings, role: 'supervisor' }) // T3
  await verify(statement, signer.sig, net)
  insist(equal(consent.thread, thread), 'T3', 'wrong-consent', 'a consent for another thread') // T3
  const isTimely = statement.at <= now && now < until && until - statement.at <= LONGEST
  insist(isTimely, 'T3', 'consent-expired', 'a consent not yet or no longer in force, or for too long') // T3
  return consent
}
