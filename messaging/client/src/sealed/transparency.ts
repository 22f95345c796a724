import { type Bytes, concat, contextHash, decode, encode, equal, sha256, type Value } from './encoding.ts'
import { insist, Refused } from './errors.ts'

/** Leaves that follow each other by number under one label (L3). */
export const CHAINED: readonly string[] = ['keyring', 'anchor', 'bundle', 'server-key', 'restore']
/** Leaves of single statements: their number is 0, and a label may have several. */
const STATED: readonly string[] = ['confirm', 'mandate', 'mandate-withdrawal']

/** One line of the log: under `label`, number `n` is `value`. */
export interface Leaf {
  readonly type: string
  readonly label: Bytes
  readonly n: number
  readonly value: Bytes
}

/** A Merkle tree (RFC 6962, 2.1) by its size and frontier: the roots of its full subtrees, the largest first. */
export interface Tree {
  readonly size: number
  readonly frontier: readonly Bytes[]
}

export const EMPTY_TREE: Tree = { size: 0, frontier: [] }

/** Under which label a subject stands: HMAC-SHA256(label key, E1 [type, subject]). */
export async function logLabel(labelKey: Bytes, type: string, subject: Bytes): Promise<Bytes> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', labelKey, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encode([type, subject])))
}

/** The value of a leaf for a statement, from its hash. */
export const statementValue = (net: string, statement: Bytes): Promise<Bytes> =>
  contextHash(net, 'leaf', statement)

export const encodeLeaf = ({ type, label, n, value }: Leaf): Bytes =>
  encode(['S1', 'leaf', type, label, n, value])

const isHash = (value: Value | undefined): value is Bytes =>
  value instanceof Uint8Array && value.length === 32

/** @throws Refused bad-leaf (L2) */
export function readLeaf(raw: Bytes): Leaf {
  const fields = decodeLeaf(raw)
  const [family, kind, type, label, n, value] = Array.isArray(fields) && fields.length === 6 ? fields : []
  const isShaped = family === 'S1' && kind === 'leaf' && typeof type === 'string' && typeof n === 'number'
  insist(isShaped && isHash(label) && isHash(value), 'L2', 'bad-leaf', 'not a leaf of this log') // L2
  const isKnown = CHAINED.includes(type) || (STATED.includes(type) && n === 0)
  insist(isKnown, 'L2', 'bad-leaf', 'a leaf of an unknown type, or a statement with a number') // L2
  return { type, label, n, value }
}

function decodeLeaf(raw: Bytes): Value {
  try {
    return decode(raw)
  } catch (error) {
    if (error instanceof Refused) throw new Refused('L2', 'bad-leaf', error.detail)
    throw error
  }
}

export const leafHash = (raw: Bytes): Promise<Bytes> => sha256(concat(Uint8Array.of(0), raw))

export const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> =>
  sha256(concat(Uint8Array.of(1), left, right))

/** The tree with one more leaf, given by its hash. */
export async function appendLeaf(tree: Tree, leaf: Bytes): Promise<Tree> {
  const stack = [...tree.frontier, leaf]
  for (let size = tree.size + 1; size % 2 === 0; size /= 2) {
    const right = stack.pop() as Bytes
    stack.push(await nodeHash(stack.pop() as Bytes, right))
  }
  return { size: tree.size + 1, frontier: stack }
}

/** The root of the tree; that of an empty one is SHA-256 of nothing. */
export async function rootOf({ frontier }: Tree): Promise<Bytes> {
  let root = frontier.at(-1)
  if (root === undefined) return sha256(new Uint8Array())
  for (let i = frontier.length - 2; i >= 0; i--) root = await nodeHash(frontier[i] as Bytes, root)
  return root
}

/** A tree as stored. @throws Refused bad-log-state (L7) when the frontier cannot belong to the size */
export function checkTree(tree: Tree): Tree {
  const ones = [...tree.size.toString(2)].filter((bit) => bit === '1').length
  const isWhole = tree.frontier.length === ones && tree.frontier.every((value) => value.length === 32)
  insist(isWhole, 'L7', 'bad-log-state', 'what is stored of the log does not hold together') // L7
  return tree
}

/** That a leaf (its bytes) stands at `index` of the tree (RFC 9162, 2.1.3.2). @throws Refused not-in-the-log (L2) */
export async function checkInclusion(
  leaf: Bytes,
  { index, size, root }: { index: number; size: number; root: Bytes },
  proof: readonly Bytes[],
): Promise<void> {
  insist(index >= 0 && index < size, 'L2', 'not-in-the-log', 'the leaf does not stand in this tree') // L2
  const found = await climb(await leafHash(leaf), { node: index, last: size - 1 }, proof)
  insist(found !== null && equal(found, root), 'L2', 'not-in-the-log', 'the leaf does not stand in this tree') // L2
}

async function climb(
  leaf: Bytes,
  { node, last }: { node: number; last: number },
  proof: readonly Bytes[],
): Promise<Bytes | null> {
  let found = leaf
  for (const sibling of proof) {
    if (last === 0) return null
    if (node % 2 === 1 || node === last) {
      found = await nodeHash(sibling, found)
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
    } else found = await nodeHash(found, sibling)
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 ? found : null
}
