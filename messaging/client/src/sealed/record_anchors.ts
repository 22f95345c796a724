import { type Bytes, contextHash, decode, encode, fromBase64, sha256 } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { asBytes, Fields } from './statement.ts'
import type { ThreadState } from './thread_rules.ts'
import { checkInclusion, readLeaf } from './transparency.ts'
import type { Base64, ItemJson } from './wire.ts'

// The daily anchors in a record: when a thread stood there, by hashes alone (L2, R2). The parts are those of
// messaging/sealed/record_anchors.py.

export const ANCHOR = 'anchor'
export const LINK = 'log/transcript'
const PREFIX = 'log/anchor/'

/** Where a thread stands in a day's anchor, by the server's word: `line` of `lines`, then upwards. */
export interface AnchorPlace {
  readonly day: number
  readonly seq: number
  readonly line: number
  readonly lines: number
  readonly path: readonly Base64[]
}

/** An anchor with the thread's entry in it. */
export interface AnchorEnd {
  readonly place: AnchorPlace
  readonly entry: Bytes
}

export const anchorPath = (day: number): string => `${PREFIX}${String(day).padStart(8, '0')}`

export const isAnchorPart = (path: string): boolean => path.startsWith(PREFIX)

/** The oldest anchor that has the item at `seq`. */
export const firstAfter = (places: readonly AnchorPlace[], seq: number): AnchorPlace[] =>
  places
    .filter((place) => place.seq >= seq)
    .sort((one, other) => one.day - other.day)
    .slice(0, 1)

const entryOf = (net: string, thread: Bytes, seq: number, transcript: Bytes): Promise<Bytes> =>
  contextHash(net, 'anchor', thread, seq, transcript)

/** Each anchor with the thread's entry in it, as far as the thread is verified. */
export async function endsOf(
  net: string,
  { thread, transcript }: ThreadState,
  places: readonly AnchorPlace[],
): Promise<AnchorEnd[]> {
  const ends: AnchorEnd[] = []
  for (const place of places) {
    const end = transcript[place.seq]
    if (end) ends.push({ place, entry: await entryOf(net, thread, place.seq, end) })
  }
  return ends
}

/** Whether the thread's entry stands in the list that this leaf was made over. */
export async function isLine({ place, entry }: AnchorEnd, leaf: Bytes): Promise<boolean> {
  const { line, lines, path } = place
  try {
    const tree = { index: line, size: lines, root: readLeaf(leaf).value }
    await checkInclusion(entry, tree, path.map(fromBase64))
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

export function anchorPart(
  { seq, line, lines, path }: AnchorPlace,
  at: { leaf: Bytes; index: number; proof: readonly Bytes[] },
): Bytes {
  return encode({ ...at, proof: [...at.proof], seq, line, lines, path: path.map(fromBase64) })
}

/** What leads from the message at `seq` to an anchored end, by the items' hashes. */
export async function linkPart(
  { transcript }: ThreadState,
  items: readonly ItemJson[],
  { seq, end }: { seq: number; end: number },
): Promise<Bytes> {
  const later: Bytes[] = []
  for (const { item } of items.slice(seq, end)) later.push(await sha256(fromBase64(item)))
  return encode({ before: seq > 1 ? (transcript[seq - 1] ?? null) : null, later })
}

/** What an anchor proves of a thread; `log`: size and root of the checkpoint.
 *  @throws Refused not-in-the-log (L2), wrong-place (R2) */
export async function readAnchor(
  net: string,
  { thread, transcript }: Pick<ThreadState, 'thread' | 'transcript'>,
  { path, raw, log }: { path: string; raw: Bytes; log: { size: number; root: Bytes } },
): Promise<{ day: number; seq: number }> {
  const fields = new Fields(decode(raw), ['leaf', 'index', 'proof', 'seq', 'line', 'lines', 'path'])
  const found = fields.raw('leaf')
  const bytes = found instanceof Uint8Array ? (found as Bytes) : new Uint8Array()
  const [leaf, seq] = [readLeaf(bytes), fields.uint('seq')]
  const end = transcript[seq]
  const isIts = leaf.type === ANCHOR && path === anchorPath(leaf.n) && seq > 0 && end !== undefined
  insist(isIts, 'R2', 'wrong-place', 'not the anchor of this day, or of an end that the thread never had') // R2
  const hashes = (name: string) => fields.list(name).map((value) => asBytes(value, 32, name))
  await checkInclusion(bytes, { index: fields.uint('index'), ...log }, hashes('proof'))
  const tree = { index: fields.uint('line'), size: fields.uint('lines'), root: leaf.value }
  await checkInclusion(await entryOf(net, thread, seq, end), tree, hashes('path'))
  return { day: leaf.n, seq }
}
