import { readCheckpoint } from './checkpoint.ts'
import { type Bytes, decode, encode, equal, fromBase64, toHex, type Value } from './encoding.ts'
import { insist } from './errors.ts'
import { ANCHOR, type AnchorEnd, type AnchorPlace, anchorPart, anchorPath, isLine } from './record_anchors.ts'
import { asBytes, Fields } from './statement.ts'
import { checkInclusion, leafHash, nodeHash, readLeaf, statementValue } from './transparency.ts'
import type { Base64, Hex } from './wire.ts'

// The log of keys in a record: each entry of a keyring stood in it, under a signed checkpoint (L2, R2). The parts are
// those of messaging/sealed/record_log.py.

export const CHECKPOINT = 'log/checkpoint'
const [KEYRING, CONFIRM] = ['keyring', 'confirm']

export const proofPath = (principal: Hex, n: number): string =>
  `log/${principal}/${String(n).padStart(8, '0')}`

export const confirmProofPath = (statement: Bytes): string => `log/confirm/${toHex(statement)}`

/** Of an entry of a keyring. */
export interface Head {
  readonly principal: Hex
  readonly n: number
  readonly head: Bytes
}

/** The newest checkpoint, and all leaves up to it. */
export interface WholeLog {
  readonly checkpoint: string
  readonly leaves: readonly Base64[]
  /** Where the thread stands in daily anchors; only those that hold go in. */
  readonly anchors?: readonly AnchorPlace[]
}

interface Log {
  readonly net: string
  readonly serverKey: Bytes
}

/** Every node of the tree over the leaves, level by level (RFC 6962, 2.1): a last one without a pair goes up as it is. */
async function levelsOf(hashes: readonly Bytes[]): Promise<Bytes[][]> {
  const levels = [[...hashes]]
  for (let level = levels[0] as Bytes[]; level.length > 1; ) {
    const above: Bytes[] = []
    for (let i = 0; i + 1 < level.length; i += 2)
      above.push(await nodeHash(level[i] as Bytes, level[i + 1] as Bytes))
    if (level.length % 2 === 1) above.push(level.at(-1) as Bytes)
    levels.push(above)
    level = above
  }
  return levels
}

function pathTo(index: number, levels: readonly Bytes[][]): Bytes[] {
  const path: Bytes[] = []
  let at = index
  for (const level of levels.slice(0, -1)) {
    const sibling = level[at % 2 === 0 ? at + 1 : at - 1]
    if (sibling) path.push(sibling)
    at = Math.floor(at / 2)
  }
  return path
}

interface Wanted {
  readonly path: string
  readonly type: string
  readonly n: number
  readonly value: Bytes
}

const keyOf = ({ type, n, value }: Omit<Wanted, 'path'>): string => `${type} ${n} ${toHex(value)}`

/** What has to stand in the log, with the part that proves it. */
async function wantedOf(net: string, heads: readonly Head[], confirms: readonly Bytes[]): Promise<Wanted[]> {
  const entries = heads.map(({ principal, n, head }) => ({
    path: proofPath(principal, n),
    type: KEYRING,
    n,
    value: head,
  }))
  const stated = confirms.map(async (statement) => ({
    path: confirmProofPath(statement),
    type: CONFIRM,
    n: 0,
    value: await statementValue(net, statement),
  }))
  return [...entries, ...(await Promise.all(stated))]
}

/** The parts that prove these entries, and confirms by their hashes.
 *  @throws Refused bad-checkpoint (L5), not-in-the-log (L2) */
export async function logParts(
  { net, serverKey }: Log,
  { checkpoint, leaves }: WholeLog,
  heads: readonly Head[],
  confirms: readonly Bytes[] = [],
  anchors: readonly AnchorEnd[] = [],
): Promise<Map<string, Bytes>> {
  const { size, root } = await readCheckpoint(net, serverKey, checkpoint)
  const raw = leaves.slice(0, size).map(fromBase64)
  const levels = await levelsOf(await Promise.all(raw.map(leafHash)))
  const isIts = raw.length === size && equal(levels.at(-1)?.[0] ?? new Uint8Array(), root)
  insist(isIts, 'L2', 'not-in-the-log', 'these are not the leaves of this checkpoint') // L2
  const [places, days] = [new Map<string, number>(), new Map<number, number>()]
  for (const [index, one] of raw.entries()) {
    const leaf = readLeaf(one)
    if (leaf.type === KEYRING || leaf.type === CONFIRM) places.set(keyOf(leaf), index)
    if (leaf.type === ANCHOR) days.set(leaf.n, index)
  }
  const parts = new Map([[CHECKPOINT, new TextEncoder().encode(checkpoint) as Bytes]])
  for (const wanted of await wantedOf(net, heads, confirms)) {
    const index = places.get(keyOf(wanted))
    insist(
      index !== undefined,
      'L2',
      'not-in-the-log',
      'an entry of a keyring, or a confirm, is not in the log',
    ) // L2
    parts.set(wanted.path, encode({ leaf: raw[index] as Bytes, index, proof: pathTo(index, levels) }))
  }
  for (const end of anchors) {
    const index = days.get(end.place.day) ?? -1
    const leaf = raw[index]
    if (!leaf || !(await isLine(end, leaf))) continue
    parts.set(anchorPath(end.place.day), anchorPart(end.place, { leaf, index, proof: pathTo(index, levels) }))
  }
  return parts
}

/** Each of these entries stood in the log of this key. Gives its size, root and time.
 *  @throws Refused bad-checkpoint (L5), not-in-the-log (L2), missing-part (R1) */
export async function checkLog(
  { net, serverKey }: Log,
  parts: ReadonlyMap<string, Bytes>,
  heads: readonly Head[],
): Promise<{ size: number; at: number; root: Bytes }> {
  const note = new TextDecoder().decode(parts.get(CHECKPOINT))
  const { size, root, at } = await readCheckpoint(net, serverKey, note)
  for (const { principal, n, head } of heads) {
    const raw = parts.get(proofPath(principal, n))
    insist(raw !== undefined, 'R1', 'missing-part', 'the proof of an entry is missing') // R1
    const fields = new Fields(decode(raw), ['leaf', 'index', 'proof'])
    const found = fields.raw('leaf')
    const bytes = found instanceof Uint8Array ? (found as Bytes) : new Uint8Array()
    const leaf = readLeaf(bytes)
    const isIts = leaf.type === KEYRING && leaf.n === n && equal(leaf.value, head)
    insist(isIts, 'L2', 'not-in-the-log', "the leaf is another entry's") // L2
    const proof = fields.list('proof').map((value: Value) => asBytes(value, 32, 'proof'))
    await checkInclusion(bytes, { index: fields.uint('index'), size, root }, proof)
  }
  return { size, at, root }
}
