import {
  type Bytes,
  compare,
  context,
  contextHash,
  decode,
  deriveKey,
  encode,
  equal,
  type Value,
} from './encoding.ts'
import { insist } from './errors.ts'
import { aeadOpen, aeadSeal, seal } from './keys.ts'
import type { Fields } from './statement.ts'

const ENVELOPE_SIZE = 1168
const WRAP_SIZE = 48

export interface History {
  readonly of: number
  /** AES-256-GCM of the secret of `of`, 48 bytes. */
  readonly wrap: Bytes
}

type Rule = 'K4' | 'T1'

/** The blob as `[recipient id, bytes]`. @throws Refused E1, wrong-recipients */
function read(rule: Rule, blob: Bytes): [Bytes, Bytes][] {
  const list = decode(blob)
  const rows = Array.isArray(list) ? list : [null]
  return rows.map((row: Value): [Bytes, Bytes] => {
    const [id, sealed] = Array.isArray(row) && row.length === 2 ? row : []
    const isPair = id instanceof Uint8Array && sealed instanceof Uint8Array
    insist(isPair, rule, 'wrong-recipients', 'not a list of [recipient, bytes]')
    return [id as Bytes, sealed as Bytes]
  })
}

/** K4, T1: exactly the recipients, sorted, 1,168 bytes each, hash as signed in `sealed`. */
export async function checkEnvelopes(
  net: string,
  blob: Bytes,
  { recipients, sealed, rule }: { recipients: readonly Bytes[]; sealed: Bytes; rule: Rule },
): Promise<void> {
  const list = read(rule, blob)
  const expected = [...recipients].sort(compare)
  const isExact = list.length === expected.length && list.every(([id], i) => equal(id, expected[i] as Bytes))
  insist(isExact, rule, 'wrong-recipients', 'the envelopes are not exactly those of the recipients')
  const isSized = list.every(([, box]) => box.length === ENVELOPE_SIZE)
  insist(isSized, rule, 'bad-envelope-size', 'an envelope of another size')
  const hash = await contextHash(net, 'envelopes', list)
  insist(equal(hash, sealed), rule, 'wrong-sealed', 'the entry was signed for other envelopes')
}

/** The sealed bytes for `recipient` (32 bytes). @throws Refused wrong-recipients when there are none */
export function pickEnvelope(rule: Rule, blob: Bytes, recipient: Bytes): Bytes {
  const found = read(rule, blob).find(([id]) => equal(id, recipient))
  insist(found !== undefined, rule, 'wrong-recipients', 'no envelope for this recipient')
  return found[1]
}

/** Seals `secret` to each recipient and sorts. */
export async function makeEnvelopes(
  net: string,
  secret: Bytes,
  recipients: readonly { readonly id: Bytes; readonly kem: Bytes; readonly info: Bytes }[],
): Promise<{ blob: Bytes; sealed: Bytes }> {
  const rows = await Promise.all(
    recipients.map(async ({ id, kem, info }): Promise<[Bytes, Bytes]> => [id, await seal(kem, secret, info)]),
  )
  rows.sort(([a], [b]) => compare(a, b))
  return { blob: encode(rows), sealed: await contextHash(net, 'envelopes', rows) }
}

/** The field `history` of an entry. @throws Refused bad-statement */
export function readHistory(fields: Fields): History | null {
  if (fields.isNull('history')) return null
  const history = fields.map('history', ['of', 'wrap'])
  return { of: history.uint('of'), wrap: history.bytes('wrap', WRAP_SIZE) }
}

/** The secret of `of` under that of `n`. Purpose: "keyring history" or "thread history". */
export async function wrapSecret(
  net: string,
  place: { purpose: string; subject: Bytes; n: number },
  secret: Bytes,
  earlier: { of: number; secret: Bytes },
): Promise<{ of: number; wrap: Bytes }> {
  const { purpose, subject, n } = place
  const key = await deriveKey(net, secret, purpose, subject, n)
  return {
    of: earlier.of,
    wrap: await aeadSeal(key, earlier.secret, context(net, purpose, subject, n, earlier.of)),
  }
}

/** The earlier secret, not yet checked against its commit; null when it does not open. */
export async function unwrapSecret(
  net: string,
  place: { purpose: string; subject: Bytes; n: number },
  secret: Bytes,
  history: History,
): Promise<Bytes | null> {
  const { purpose, subject, n } = place
  const key = await deriveKey(net, secret, purpose, subject, n)
  return aeadOpen(key, history.wrap, context(net, purpose, subject, n, history.of)).catch(() => null)
}
