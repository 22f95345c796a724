import {
  type Bytes,
  compare,
  concat,
  decode,
  encode,
  equal,
  sha256,
  type Value,
  type ValueMap,
} from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { type SigningKey, verifySignature } from './keys.ts'

/** E1, E2: the exact fields of each type beside t, v, suite, net, at. */
const FIELDS: Readonly<Record<StatementType, readonly string[]>> = {
  device: ['principal', 'salt', 'person', 'name', 'office', 'sig', 'kem'],
  keyring:
    'principal kind n prev salt sponsor succeeds devices recovery sponsored floor mailbox commit history sealed reason acts'.split(
      ' ',
    ),
  thread: 'thread n prev after salt kind link members by commit history sealed reason acts'.split(' '),
  message:
    'thread n head by id counter prev void after kind stage urgency due plain cipher files log acts'.split(
      ' ',
    ),
  receipt: ['thread', 'seq', 'item', 'transcript'],
  opened: ['by', 'thread', 'seq', 'transcript'],
  approval: ['by', 'about', 'on', 'change', 'until'],
  sponsor: ['by', 'person', 'office', 'device', 'replaces', 'from', 'until'],
  'sponsor-end': ['by', 'practitioner', 'of'],
  consent: ['by', 'thread', 'action', 'subject', 'history', 'until'],
  mandate: ['by', 'thread', 'parties', 'admitted', 'from', 'until', 'inform', 'terms', 'salt'],
  'mandate-withdrawal': ['by', 'thread', 'of', 'after'],
  confirm: ['by', 'authority', 'principal', 'head', 'document'],
  accept: ['by', 'authority', 'principal', 'head', 'how'],
  pins: ['by', 'log', 'heads'],
  restore: ['by', 'serial', 'log', 'cause', 'acts'],
  record: ['by', 'thread', 'seq', 'transcript', 'parts'],
  report: ['by', 'thread', 'cause', 'words', 'messages'],
}
const COMMON = ['t', 'v', 'suite', 'net', 'at']
const VERSION = 1
const SUITE = 1
const PROTECTED_PREFIX = Uint8Array.of(0xa2, 0x01, 0x32, 0x04) // E2: {1: -19, 4: …}, which E1 cannot hold

export type StatementType =
  | 'device'
  | 'keyring'
  | 'thread'
  | 'message'
  | 'receipt'
  | 'opened'
  | 'approval'
  | 'sponsor'
  | 'sponsor-end'
  | 'consent'
  | 'mandate'
  | 'mandate-withdrawal'
  | 'confirm'
  | 'accept'
  | 'pins'
  | 'restore'
  | 'record'
  | 'report'

/** A parsed statement. Its signature holds only after {@link verify}. */
export interface Statement {
  readonly type: StatementType
  /** Unix seconds, as the signer says. */
  readonly at: number
  /** Device id, recovery id or server key id (32 bytes); empty for a device statement. */
  readonly kid: Bytes
  readonly fields: Fields
  /** The complete bytes as sent (E3). */
  readonly raw: Bytes
  /** SHA-256 of `raw`. */
  readonly hash: Bytes
  readonly signed: { readonly header: Bytes; readonly payload: Bytes; readonly signature: Bytes }
}

const bad = (detail: string): Refused => new Refused('E2', 'bad-statement', detail)

export const isMap = (value: Value | undefined): value is ValueMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

/** Typed access to a decoded map; whatever has another type or size is refused. */
export class Fields {
  readonly #map: ValueMap

  constructor(value: Value | undefined, keys: readonly string[]) {
    if (!isMap(value)) throw bad('a map is missing')
    const isExact =
      Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key))
    if (!isExact) throw bad(`the fields are not exactly ${keys.join(', ')}`)
    this.#map = value
  }

  raw(name: string): Value {
    const value = this.#map[name]
    if (value === undefined) throw bad(`${name} is missing`)
    return value
  }

  isNull(name: string): boolean {
    return this.raw(name) === null
  }

  bytes(name: string, size: number): Bytes {
    return asBytes(this.raw(name), size, name)
  }

  bytesOrNull(name: string, size: number): Bytes | null {
    return this.isNull(name) ? null : this.bytes(name, size)
  }

  /** Bytes of any size. */
  anyBytes(name: string): Bytes {
    const value = this.raw(name)
    if (!(value instanceof Uint8Array)) throw bad(`${name} is not bytes`)
    return value
  }

  uint(name: string): number {
    const value = this.raw(name)
    if (typeof value !== 'number') throw bad(`${name} is no number`)
    return value
  }

  /** Text of at most `max` characters (code points). */
  text(name: string, max = 32): string {
    return asText(this.raw(name), max, name)
  }

  textOrNull(name: string, max = 32): string | null {
    return this.isNull(name) ? null : this.text(name, max)
  }

  list(name: string): readonly Value[] {
    return asList(this.raw(name), name)
  }

  map(name: string, keys: readonly string[]): Fields {
    return new Fields(this.raw(name), keys)
  }
}

export function asBytes(value: Value | undefined, size: number, name: string): Bytes {
  if (!(value instanceof Uint8Array) || value.length !== size) throw bad(`${name} is not ${size} bytes`)
  return value
}

export function asText(value: Value | undefined, max: number, name: string): string {
  if (typeof value !== 'string' || [...value].length > max)
    throw bad(`${name} is no text of ${max} characters`)
  return value
}

export function asList(value: Value | undefined, name: string, max = Infinity): readonly Value[] {
  if (!Array.isArray(value) || value.length > max) throw bad(`${name} is no list, or too long`)
  return value
}

/** True when sorted bytewise without doubles. */
export const isStrictlySorted = (keys: readonly Uint8Array[]): boolean =>
  keys.every((key, i) => i === 0 || compare(keys[i - 1] as Uint8Array, key) < 0)

const protectedHeader = (kid: Bytes): Bytes => concat(PROTECTED_PREFIX, encode(kid))

/** RFC 9052 4.4 Sig_structure with the external_aad of E2. */
const toBeSigned = (header: Bytes, net: string, type: string, payload: Bytes): Bytes =>
  encode(['Signature1', header, encode(['S1', type, net]), payload])

/** A complete statement: COSE_Sign1 bytes (RFC 9052 4.2, untagged). `at` in unix seconds. */
export async function sign(
  net: string,
  type: StatementType,
  fields: ValueMap,
  { at, kid, key }: { at: number; kid: Bytes; key: SigningKey },
): Promise<Bytes> {
  const header = protectedHeader(kid)
  const payload = encode({ t: type, v: VERSION, suite: SUITE, net, at, ...fields })
  const signature = await key.sign(toBeSigned(header, net, type, payload))
  return encode([header, {}, payload, signature])
}

function readKid(header: Bytes): Bytes {
  const start = PROTECTED_PREFIX.length
  if (!equal(header.subarray(0, start), PROTECTED_PREFIX)) throw bad('another protected header')
  const kid = decode(header.subarray(start))
  if (!(kid instanceof Uint8Array) || (kid.length !== 0 && kid.length !== 32))
    throw bad('kid has another size')
  return kid
}

function readPayload(net: string, payload: Bytes, expect: StatementType): { at: number; fields: Fields } {
  const value = decode(payload)
  const { t, v, suite, net: found } = isMap(value) ? value : ({} as ValueMap)
  if (typeof t !== 'string') throw bad('the payload has no type')
  insist(Object.hasOwn(FIELDS, t), 'E2', 'unknown-type', 'a statement of an unknown type')
  insist(t === expect, 'E2', 'wrong-type', `a ${t} where a ${expect} belongs`)
  if (v !== VERSION) throw bad('an unknown version')
  insist(suite === SUITE, 'E2', 'unknown-suite', 'an unknown suite')
  insist(found === net, 'E2', 'wrong-network', 'a statement of another network')
  const fields = new Fields(value, [...COMMON, ...FIELDS[expect]])
  return { at: fields.uint('at'), fields }
}

function takeApart(raw: Bytes): Statement['signed'] {
  const parts = asList(decode(raw), 'statement')
  const [header, unprotected, payload, signature] = parts
  if (parts.length !== 4) throw bad('not four parts')
  new Fields(unprotected, [])
  if (!(header instanceof Uint8Array) || !(payload instanceof Uint8Array))
    throw bad('header or payload missing')
  return { header, payload, signature: asBytes(signature, 64, 'signature') }
}

/** The type that a statement says it has; nothing else of it is checked. @throws Refused E1, E2 */
export function typeOf(raw: Bytes): string {
  const value = decode(takeApart(raw).payload)
  const { t } = isMap(value) ? value : ({} as ValueMap)
  if (typeof t !== 'string') throw bad('the payload has no type')
  return t
}

/** Reads a statement without checking its signature. @throws Refused E1, E2 */
export async function parse(net: string, raw: Bytes, expect: StatementType): Promise<Statement> {
  const signed = takeApart(raw)
  const kid = readKid(signed.header)
  const { at, fields } = readPayload(net, signed.payload, expect)
  return { type: expect, at, kid, fields, raw, hash: await sha256(raw), signed }
}

/** @throws Refused bad-signature unless `publicKey` (32 bytes, from the verified chain) signed it. */
export async function verify(statement: Statement, publicKey: Bytes, net: string): Promise<void> {
  const { header, payload, signature } = statement.signed
  const isSigned = await verifySignature(
    publicKey,
    signature,
    toBeSigned(header, net, statement.type, payload),
  )
  insist(isSigned, 'E2', 'bad-signature', `the signature of a ${statement.type} does not hold`)
}
