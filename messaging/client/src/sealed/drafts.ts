import { type Bytes, context, decode, encode, fromBase64, toBase64 } from './encoding.ts'
import { insist } from './errors.ts'
import { type KeyringState, latest } from './keyring_rules.ts'
import { type KemKey, seal } from './keys.ts'
import { draftSize } from './message.ts'
import { asBytes, asList } from './statement.ts'
import type { Base64, Json } from './wire.ts'

interface Place {
  readonly net: string
  readonly principal: Bytes
  /** Thread id or "new", or whatever names the draft. */
  readonly key: string
}

const infoOf = ({ net, principal, key }: Place, n: number): Bytes => context(net, 'draft', principal, n, key)

/** Seals `draft` to the own mailbox, for every device of this principal. */
export async function sealDraft(place: Place, state: KeyringState, draft: Json): Promise<Base64> {
  const text = new TextEncoder().encode(JSON.stringify(draft))
  // Blanks after JSON mean nothing; they keep the server from seeing the text grow key by key.
  const padded = new Uint8Array(draftSize(text.length)).fill(0x20)
  padded.set(text)
  return toBase64(encode([state.n, await seal(latest(state).mailbox, padded, infoOf(place, state.n))]))
}

/** @throws Refused bad-encoding, bad-statement, cannot-open */
export async function openDraft(
  place: Place,
  sealed: Base64,
  mailboxOf: (n: number) => Promise<KemKey>,
): Promise<Json> {
  const [n, box] = asList(decode(fromBase64(sealed)), 'draft')
  insist(typeof n === 'number' && box instanceof Uint8Array, 'E2', 'bad-statement', 'not a draft')
  const mailbox = await mailboxOf(n)
  const text = await mailbox.open(asBytes(box, box.length, 'draft'), infoOf(place, n))
  return JSON.parse(new TextDecoder().decode(text)) as Json
}
