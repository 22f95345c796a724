import { type Bytes, compare, contextHash, decode, encode, equal } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { seal } from './keys.ts'
import { asBytes, asList, type Fields } from './statement.ts'

const ENVELOPE_SIZE = 1168
const WRAP_SIZE = 48

export interface History {
  readonly of: number
  /** AES-256-GCM of the secret of `of`, 48 bytes. */
  readonly wrap: Bytes
}

/** K4, T1: exactly the recipients, sorted, 1,168 bytes each, hash as signed in `sealed`. */
export async function readEnvelopes(
  net: string,
  blob: Bytes,
  { recipients, sealed, rule }: { recipients: readonly Bytes[]; sealed: Bytes; rule: 'K4' | 'T1' },
): Promise<void> {
  const list = asList(decode(blob), 'envelopes').map((row) => asList(row, 'envelope'))
  const expected = [...recipients].sort(compare)
  const isExact =
    list.length === expected.length &&
    list.every((row, i) => row.length === 2 && equal(asBytes(row[0], 32, 'recipient'), expected[i] as Bytes))
  insist(isExact, rule, 'wrong-recipients', 'the envelopes are not exactly those of the recipients')
  const isSized = list.every(
    ([, sealedTo]) => sealedTo instanceof Uint8Array && sealedTo.length === ENVELOPE_SIZE,
  )
  insist(isSized, rule, 'bad-envelope-size', 'an envelope of another size')
  const hash = await contextHash(net, 'envelopes', list)
  insist(equal(hash, sealed), rule, 'wrong-sealed', 'the envelopes are not the signed ones')
}

/** The envelope for `recipient` (32 bytes). @throws Refused cannot-open when there is none */
export function pickEnvelope(blob: Bytes, recipient: Bytes): Bytes {
  for (const row of asList(decode(blob), 'envelopes')) {
    const [id, sealed] = asList(row, 'envelope')
    if (equal(asBytes(id, 32, 'recipient'), recipient)) return asBytes(sealed, ENVELOPE_SIZE, 'envelope')
  }
  throw new Refused('E5', 'cannot-open', 'no envelope for this recipient')
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

/** K3, T6: an entry wraps the secret before its own; a genesis has none. */
export function readHistory(fields: Fields, rule: 'K3' | 'T6'): History | null {
  const n = fields.uint('n')
  insist(fields.isNull('history') === (n === 0), rule, 'bad-history', 'a history belongs to each later entry')
  if (n === 0) return null
  const history = fields.map('history', ['of', 'wrap'])
  const wrap = history.raw('wrap')
  const isWrap = wrap instanceof Uint8Array && wrap.length === WRAP_SIZE && history.uint('of') === n - 1
  insist(isWrap, rule, 'bad-history', 'the history is of another entry or size')
  return { of: n - 1, wrap }
}
