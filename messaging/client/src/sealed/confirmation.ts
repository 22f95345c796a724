import { type Bytes, encode, sha256, toBase64 } from './encoding.ts'
import type { Author } from './keyring.ts'
import type { KeyringState } from './keyring_entry.ts'
import { byOf } from './places.ts'
import { makeConfirm, noteHash } from './trust.ts'
import type { Base64 } from './wire.ts'

/** The statement, and the blind that opens its `document`: kept together, for whoever reads the note. */
export interface SignedConfirm {
  readonly statement: Base64
  readonly blind: Base64
}

/** The State's note as it is cited: its reference, and its date as YYYY-MM-DD. */
export interface Note {
  readonly reference: string
  readonly date: string
}

/** The entry that a confirm names: of a recovery that nobody confirmed yet, else none (K11). */
export const namedHead = (state: KeyringState): Bytes | null =>
  state.unconfirmed === null ? null : (state.generations[state.unconfirmed]?.head ?? null)

/** What a device of the secretariat, whose keyring is `own`, signs of a verified keyring. Whether its fingerprint is
 *  that of the note is asked before, of a person. */
export async function signConfirm(
  net: string,
  {
    own,
    keyring,
    authority,
    note,
  }: { own: KeyringState; keyring: KeyringState; authority: string; note: Note },
  signer: { author: Author; at: number },
): Promise<SignedConfirm> {
  const blind = crypto.getRandomValues(new Uint8Array(32))
  const document = await noteHash(net, blind, await sha256(encode([note.reference, note.date])))
  const { principal } = keyring
  const given = { by: byOf(own), authority, principal, head: namedHead(keyring), document }
  const statement = await makeConfirm(net, given, signer)
  return { statement: toBase64(statement), blind: toBase64(blind) }
}
