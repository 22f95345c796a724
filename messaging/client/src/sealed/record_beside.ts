import { type Bytes, encode, fromBase64, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { checkOpened, type Opened } from './receipt.ts'
import type { Keyrings, ThreadState } from './thread_rules.ts'
import type { Base64, Hex } from './wire.ts'

// What stands in a record beside keyrings and items: who has opened the thread, and a contradiction of the server
// (R2, T8). The parts are those of messaging/sealed/record_beside.py.

export const EVIDENCE = 'evidence'
export const openedPath = (principal: Hex): string => `opened/${principal}`

export interface Reader {
  readonly net: string
  readonly state: ThreadState
  readonly keyrings: Keyrings
}

/** The parts of those of these statements that hold; what does not is only the server's word, and left out. */
export async function openedParts(
  { net, state, keyrings }: Reader,
  statements: readonly Base64[],
): Promise<Map<string, Bytes>> {
  const parts = new Map<string, Bytes>()
  for (const statement of statements) {
    const raw = fromBase64(statement)
    try {
      const { by } = await checkOpened(net, state, keyrings, raw)
      parts.set(openedPath(toHex(by.principal)), raw)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
  }
  return parts
}

/** @throws Refused E2, M1, M7; R2 wrong-place */
export async function readOpened(
  { net, state, keyrings }: Reader,
  path: string,
  raw: Bytes,
): Promise<Opened> {
  const opened = await checkOpened(net, state, keyrings, raw)
  const isIts = path === openedPath(toHex(opened.by.principal))
  insist(isIts, 'R2', 'wrong-place', 'another member than the name of the part says') // R2
  return opened
}

export interface Version {
  readonly item: Base64
  readonly receipt: Base64
  readonly ciphertext: Base64 | null
}

/** The part `evidence`: what the server handed out for a place, as messaging/sealed/evidence.py reads it. */
export function evidencePart(
  { net, serverKey, state }: { net: string; serverKey: Bytes; state: ThreadState },
  seq: number,
  versions: readonly Version[],
): Bytes {
  return encode({
    net,
    server_key: serverKey,
    thread: state.thread,
    seq,
    // X_(seq-1) as verified here; at the start of a thread there is none.
    transcript: seq > 1 ? (state.transcript[seq - 1] ?? null) : null,
    versions: versions.map(({ item, receipt, ciphertext }) => [
      fromBase64(item),
      fromBase64(receipt),
      ciphertext === null ? null : fromBase64(ciphertext),
    ]),
  })
}
