import { type Bytes, contextHash, encode, equal, fromBase64, fromHex, sha256, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Keyrings } from './thread_rules.ts'
import { checkConfirms, readConfirm } from './trust.ts'
import type { Base64, Hex, KeyringJson } from './wire.ts'

// What the secretariat has confirmed about the keys in a record (K8, R2). The parts are those of
// messaging/sealed/record_confirms.py, which reads them.

const NOTE = 'note'
export const confirmsPath = (principal: Hex, name: string): string => `confirms/${principal}/${name}`

/** A keyring with what the secretariat has confirmed of it, as the server hands both out. */
export interface ConfirmedKeyring extends KeyringJson {
  readonly confirms?: readonly Base64[]
  readonly note?: {
    readonly reference: string
    readonly date: string
    readonly blinds: readonly Base64[]
  } | null
}

/** The parts of confirms that hold, and the hashes of the statements, for the log; null where they do not hold. */
export async function confirmParts(
  net: string,
  keyrings: Keyrings,
  { principal, confirms = [], note = null }: ConfirmedKeyring,
): Promise<{ parts: Map<string, Bytes>; hashes: Bytes[]; secretariat: Hex } | null> {
  if (confirms.length === 0 || note === null) return null
  const raws = confirms.map(fromBase64)
  const state = keyrings(fromHex(principal))
  try {
    if (state === null) return null
    await checkConfirms(net, raws, { keyrings, principal: state.principal })
    const secretariat = await checkNote(net, raws, note)
    const parts = new Map<string, Bytes>()
    const hashes: Bytes[] = []
    for (const raw of raws) {
      const hash = await sha256(raw)
      hashes.push(hash)
      parts.set(confirmsPath(principal, toHex(hash)), raw)
    }
    const blinds = note.blinds.map(fromBase64)
    parts.set(confirmsPath(principal, NOTE), encode({ reference: note.reference, date: note.date, blinds }))
    return { parts, hashes, secretariat }
  } catch (error) {
    // K8: what does not hold counts for nothing.
    if (error instanceof Refused) return null
    throw error
  }
}

/** K8: each confirm was signed for this note, with one of the blinds. Gives the secretariat.
 *  @throws Refused not-confirmed */
async function checkNote(
  net: string,
  raws: readonly Bytes[],
  { reference, date, blinds }: NonNullable<ConfirmedKeyring['note']>,
): Promise<Hex> {
  const digest = await sha256(encode([reference, date]))
  const documents = await Promise.all(
    blinds.map((blind) => contextHash(net, 'note', fromBase64(blind), digest)),
  )
  const found = await Promise.all(raws.map((raw) => readConfirm(net, raw)))
  const isIts = found.every(({ document }) => documents.some((each) => equal(each, document)))
  insist(isIts, 'K8', 'not-confirmed', 'another notification than this was confirmed') // K8
  return toHex(found[0]?.by.principal ?? new Uint8Array())
}
