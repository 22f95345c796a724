import { type Bytes, compare, contextHash, equal, type Value } from './encoding.ts'
import { insist } from './errors.ts'
import type { Author } from './keyring.ts'
import { type By, byValue, readBy } from './places.ts'
import { checkSigner } from './signers.ts'
import {
  asBytes,
  asList,
  type Fields,
  isStrictlySorted,
  parse,
  type Statement,
  sign,
  verify,
} from './statement.ts'
import type { Keyrings } from './thread_entry.ts'

const AUTHORITY_LIMIT = 100
/** How a supervisor compared a fingerprint. */
export type How = 'voice' | 'person' | 'paper'
const HOW: readonly string[] = ['voice', 'person', 'paper']
/** As many as one sealed message holds. */
const PINS_LIMIT = 500

interface Named {
  readonly statement: Statement
  readonly by: By
  /** The directory's id of the authority. */
  readonly authority: string
  readonly principal: Bytes
  /** After a recovery: the entry that is meant. */
  readonly head: Bytes | null
}

/** A person of the secretariat: this principal is this authority's, by the State's notification. */
export interface Confirm extends Named {
  readonly document: Bytes
}

/** A supervisor has compared the fingerprint and accepts it. */
export interface Accept extends Named {
  readonly how: How
}

/** The newest entry of a principal that the signing device had verified. */
export interface PinnedHead {
  readonly principal: Bytes
  readonly n: number
  readonly head: Bytes
}

/** The log as far as the signing device had followed it. */
export interface LogReach {
  readonly size: number
  readonly root: Bytes
  readonly frontier: readonly Bytes[]
}

export interface Pins {
  readonly statement: Statement
  readonly by: By
  readonly log: LogReach | null
  readonly heads: readonly PinnedHead[]
}

interface Signing {
  readonly author: Author
  readonly at: number
}

/** What a confirm says of the State's notification, given by its SHA-256. */
export const noteHash = (net: string, blind: Bytes, notification: Bytes): Promise<Bytes> =>
  contextHash(net, 'note', blind, notification)

function readNamed(statement: Statement): Named {
  const { fields } = statement
  return {
    statement,
    by: readBy(fields),
    authority: fields.text('authority', AUTHORITY_LIMIT),
    principal: fields.bytes('principal', 32),
    head: fields.bytesOrNull('head', 32),
  }
}

const namedFields = ({ by, authority, principal, head }: Omit<Named, 'statement'>) => ({
  by: byValue(by),
  authority,
  principal,
  head,
})

/** One person's confirmation; it counts with that of another. */
export function makeConfirm(
  net: string,
  given: Omit<Confirm, 'statement'>,
  { author, at }: Signing,
): Promise<Bytes> {
  const fields = { ...namedFields(given), document: given.document }
  return sign(net, 'confirm', fields, { at, kid: author.id, key: author.key })
}

/** Takes a confirm apart; its signature is not verified. @throws Refused E1, E2 */
export async function readConfirm(net: string, raw: Bytes): Promise<Confirm> {
  const statement = await parse(net, raw, 'confirm')
  return { ...readNamed(statement), document: statement.fields.bytes('document', 32) }
}

/** K8: a confirm that holds, and the person who signed it. @throws Refused E1, E2, not-confirmed, unlisted-device */
export async function checkConfirm(
  net: string,
  raw: Bytes,
  keyrings: Keyrings,
): Promise<{ confirm: Confirm; person: string }> {
  const confirm = await readConfirm(net, raw)
  const isSecretariat = keyrings(confirm.by.principal)?.kind === 'secretariat'
  insist(isSecretariat, 'K8', 'not-confirmed', 'only the secretariat confirms') // K8
  const signer = checkSigner('K8', confirm.by, confirm.statement.kid, { keyrings, role: null }) // K8
  // Who could be let in by one person alone confirms nothing.
  const keepsKeys = signer.roles.includes('steward')
  insist(keepsKeys, 'K8', 'not-confirmed', 'its signer does not keep the keys of the secretariat') // K8
  await verify(confirm.statement, signer.sig, net)
  return { confirm, person: signer.person }
}

const isSameClaim = (a: Confirm, b: Confirm): boolean =>
  equal(a.by.principal, b.by.principal) &&
  a.authority === b.authority &&
  equal(a.principal, b.principal) &&
  (a.head === null || b.head === null ? a.head === b.head : equal(a.head, b.head))

/** K8: two persons of one secretariat say the same of this principal. @throws Refused not-confirmed */
export async function checkConfirms(
  net: string,
  raws: readonly Bytes[],
  { keyrings, principal }: { keyrings: Keyrings; principal: Bytes },
): Promise<Confirm> {
  const found = await Promise.all(raws.map((raw) => checkConfirm(net, raw, keyrings)))
  const first = found[0]?.confirm
  const persons = new Set(found.map(({ person }) => person))
  const isSame = first !== undefined && found.every(({ confirm }) => isSameClaim(confirm, first))
  const isEnough = persons.size >= 2 && isSame && equal(first.principal, principal)
  insist(isEnough, 'K8', 'not-confirmed', 'it takes two persons of the secretariat, who say the same') // K8
  return first
}

/** The own authority's acceptance, for its ledger. */
export function makeAccept(
  net: string,
  given: Omit<Accept, 'statement'>,
  { author, at }: Signing,
): Promise<Bytes> {
  const fields = { ...namedFields(given), how: given.how }
  return sign(net, 'accept', fields, { at, kid: author.id, key: author.key })
}

/** Takes an accept apart; its signature is not verified. @throws Refused E1, E2 */
export async function readAccept(net: string, raw: Bytes): Promise<Accept> {
  const statement = await parse(net, raw, 'accept')
  const how = statement.fields.text('how')
  insist(HOW.includes(how), 'E2', 'bad-statement', 'an unknown way of comparing') // E2
  return { ...readNamed(statement), how: how as How }
}

/** K8: an accept by a supervisor of `principal`. @throws Refused not-accepted, unlisted-device, not-a-supervisor */
export async function checkAccept(
  net: string,
  raw: Bytes,
  { keyrings, principal }: { keyrings: Keyrings; principal: Bytes },
): Promise<Accept> {
  const accept = await readAccept(net, raw)
  const isOwn = equal(accept.by.principal, principal)
  insist(isOwn, 'K8', 'not-accepted', 'another authority has accepted this') // K8
  const signer = checkSigner('K8', accept.by, accept.statement.kid, { keyrings, role: 'supervisor' }) // K8
  await verify(accept.statement, signer.sig, net)
  return accept
}

/** What this device has verified, for the ledger. */
export function makePins(
  net: string,
  { by, log, heads }: Omit<Pins, 'statement'>,
  { author, at }: Signing,
): Promise<Bytes> {
  const sorted = [...heads].sort((a, b) => compare(a.principal, b.principal))
  const fields = {
    by: byValue(by),
    log: log && { size: log.size, root: log.root, frontier: [...log.frontier] },
    heads: sorted.map(({ principal, n, head }) => [principal, n, head]),
  }
  return sign(net, 'pins', fields, { at, kid: author.id, key: author.key })
}

function readLog(fields: Fields): LogReach | null {
  if (fields.isNull('log')) return null
  const log = fields.map('log', ['size', 'root', 'frontier'])
  const frontier = log.list('frontier').map((node) => asBytes(node, 32, 'node'))
  return { size: log.uint('size'), root: log.bytes('root', 32), frontier }
}

function readHead(value: Value): PinnedHead {
  const [principal, n, head, ...rest] = asList(value, 'pin')
  const isPin = rest.length === 0 && typeof n === 'number'
  insist(isPin, 'E2', 'bad-statement', 'a pin is [principal, n, head]') // E2
  return { principal: asBytes(principal, 32, 'principal'), n, head: asBytes(head, 32, 'head') }
}

/** Takes pins apart; their signature is not verified. @throws Refused E1, E2 */
export async function readPins(net: string, raw: Bytes): Promise<Pins> {
  const statement = await parse(net, raw, 'pins')
  const { fields } = statement
  const log = readLog(fields)
  const heads = asList(fields.raw('heads'), 'pins', PINS_LIMIT).map(readHead)
  const isSorted = isStrictlySorted(heads.map(({ principal }) => principal))
  insist(isSorted, 'E2', 'bad-statement', 'pins are sorted, none twice') // E2
  return { statement, by: readBy(fields), log, heads }
}

/** K8: pins of a device of `principal`. @throws Refused not-accepted, unlisted-device */
export async function checkPins(
  net: string,
  raw: Bytes,
  { keyrings, principal }: { keyrings: Keyrings; principal: Bytes },
): Promise<Pins> {
  const pins = await readPins(net, raw)
  insist(equal(pins.by.principal, principal), 'K8', 'not-accepted', 'the pins of another authority') // K8
  const signer = checkSigner('K8', pins.by, pins.statement.kid, { keyrings, role: null }) // K8
  await verify(pins.statement, signer.sig, net)
  return pins
}
