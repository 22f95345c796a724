import { type Checkpoint, readCheckpoint, readSigner, type Signer, signerLine } from './checkpoint.ts'
import { type Bytes, equal, fromBase64, toBase64, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { KeyringState } from './keyring_rules.ts'
import type { LogPlace } from './message.ts'
import {
  appendLeaf,
  CHAINED,
  checkTree,
  EMPTY_TREE,
  encodeLeaf,
  type Leaf,
  leafHash,
  logLabel,
  readLeaf,
  rootOf,
  statementValue,
  type Tree,
} from './transparency.ts'
import type { LogReach } from './trust.ts'
import type { Base64, Hex, LogEvidence, LogState } from './wire.ts'

export const FRESH_SECONDS = 24 * 3600
const URGENT_HOURS_MOST = 72
export const FUTURE_SECONDS = 300
const ROOTS_KEPT = 256
const EVIDENCE_KEPT = 16

interface Setup {
  readonly net: string
  readonly serverKey: Bytes
  readonly labelKey: Bytes
  readonly witnesses?: readonly Signer[]
  readonly quorum?: number
}

interface Logged {
  readonly n: number
  readonly value: Bytes
}

/** What a device knows of the log (L1 to L8): it takes every leaf, computes the root, and remembers. Pure: whoever
 *  uses it fetches checkpoints and leaves. */
export class Follower {
  readonly #net: string
  readonly #serverKey: Bytes
  readonly #labelKey: Bytes
  readonly #witnesses: readonly Signer[]
  readonly #frozen = new Set<Hex>()
  readonly #chained = new Map<string, Logged>()
  /** Label and value of every confirm, in hex. */
  readonly #stated = new Set<string>()
  #roots = new Map<number, Bytes>()
  #tree: Tree = EMPTY_TREE
  #root: Bytes = new Uint8Array(32)
  #note = ''
  /** Unix seconds: when as many as are asked for last vouched for a state that was passed here. */
  freshAt = 0
  /** How many witnesses must have signed: 0, where nobody outside watches. */
  readonly quorum: number
  evidence: readonly LogEvidence[] = []
  /** Why nothing may be sealed any more. */
  broken: string | null = null
  /** How old a checkpoint may be for an urgent message (L4). */
  #urgentSeconds = FRESH_SECONDS

  private constructor({ net, serverKey, labelKey, witnesses = [], quorum = 0 }: Setup) {
    this.#net = net
    this.#serverKey = serverKey
    this.#labelKey = labelKey
    this.#witnesses = witnesses
    this.quorum = quorum
  }

  /** A follower as stored, or a new one. Witnesses once known stay, and the quorum never falls (L4).
   *  @throws Refused bad-log-state (L7), label-key-changed (L5) */
  static async open(setup: Setup, stored?: LogState | null): Promise<Follower> {
    if (!stored) return new Follower(setup)
    const isSame = equal(fromBase64(stored.labelKey), setup.labelKey)
    insist(isSame, 'L5', 'label-key-changed', 'the log hides its labels in another way than before') // L5
    const lines = new Set(stored.witnesses)
    for (const witness of setup.witnesses ?? []) lines.add(await signerLine(witness))
    const witnesses = await Promise.all([...lines].map(readSigner))
    const quorum = Math.max(stored.quorum, setup.quorum ?? 0)
    const found = new Follower({ ...setup, witnesses, quorum })
    await found.#load(stored)
    return found
  }

  async #load(stored: LogState): Promise<void> {
    this.#tree = checkTree({ size: stored.size, frontier: stored.frontier.map(fromBase64) }) // L7
    this.#root = await rootOf(this.#tree)
    this.#note = stored.note
    this.freshAt = stored.freshAt
    this.evidence = stored.evidence
    this.broken = stored.broken
    for (const label of stored.frozen) this.#frozen.add(label)
    for (const [key, n, value] of stored.chained) this.#chained.set(key, { n, value: fromBase64(value) })
    for (const stated of stored.stated ?? []) this.#stated.add(stated)
    this.#roots = new Map(stored.roots.map(([size, root]) => [size, fromBase64(root)]))
  }

  /** Survives a reload (L7). */
  async export(): Promise<LogState> {
    const { size, frontier } = this.#tree
    return {
      size,
      frontier: frontier.map(toBase64),
      note: this.#note,
      freshAt: this.freshAt,
      labelKey: toBase64(this.#labelKey),
      witnesses: await Promise.all(this.#witnesses.map(signerLine)),
      quorum: this.quorum,
      chained: [...this.#chained].map(([key, { n, value }]) => [key, n, toBase64(value)]),
      frozen: [...this.#frozen],
      stated: [...this.#stated],
      roots: [...this.#roots].map(([at, root]) => [at, toBase64(root)]),
      evidence: this.evidence,
      broken: this.broken,
    }
  }

  get size(): number {
    return this.#tree.size
  }

  /** The signed checkpoint of what was followed. */
  get note(): string {
    return this.#note
  }

  /** L4: how old a checkpoint may be for urgent messages: 24 to 72 hours, whatever the server says. */
  allowUrgent(hours: number): void {
    this.#urgentSeconds = Math.min(Math.max(hours * 3600, FRESH_SECONDS), URGENT_HOURS_MOST * 3600)
  }

  /** Whether only urgent messages may still be sealed, with a mark (L4). */
  isOld(now: number): boolean {
    return now - this.freshAt > FRESH_SECONDS
  }

  /** The root at this size, as far as it is remembered. */
  rootAt(size: number): Bytes | null {
    return size === this.#tree.size && size > 0 ? this.#root : (this.#roots.get(size) ?? null)
  }

  #keep(code: string, given: string): void {
    const found = { code, kept: this.#note, given }
    const isKnown = this.evidence.some((each) => each.code === code && each.given === given)
    if (!isKnown) this.evidence = [...this.evidence, found].slice(0, EVIDENCE_KEPT)
  }

  /** @throws Refused bad-checkpoint, future-checkpoint, forked-log (L5) */
  async #read(note: string, now: number): Promise<Checkpoint> {
    const found = await readCheckpoint(this.#net, this.#serverKey, note, this.#witnesses)
    const latest = Math.max(found.at, ...found.witnesses.values())
    insist(latest <= now + FUTURE_SECONDS, 'L5', 'future-checkpoint', 'a checkpoint of the future') // L5
    const known = this.rootAt(found.size)
    if (known !== null && !equal(known, found.root)) {
      this.#keep('forked-log', note)
      this.broken = 'forked-log' // T8: two states signed by the log itself stop everything
      throw new Refused('L5', 'forked-log', 'the log has signed two states of one size') // L5
    }
    return found
  }

  /** Takes the leaves from the own size on; they must lead to this checkpoint (L2). What is refused leaves
   *  everything as it was, but for the evidence. @throws Refused L2, L5 */
  async follow(note: string, leaves: readonly Base64[], now: number): Promise<void> {
    const found = await this.#read(note, now)
    if (found.size < this.size) {
      this.#keep('smaller-checkpoint', note)
      throw new Refused('L5', 'smaller-checkpoint', 'the log is shorter than it was') // L5 L8
    }
    const count = found.size - this.size
    insist(leaves.length >= count, 'L2', 'missing-leaves', 'leaves of the log are missing') // L2
    const read: Leaf[] = []
    const roots = new Map(this.#roots)
    let tree = this.#tree
    let root = this.#root
    // Only the last roots are kept: a device that begins does not compute those of every size.
    const kept = count - ROOTS_KEPT
    for (const [at, written] of leaves.slice(0, count).entries()) {
      const raw = fromBase64(written)
      read.push(readLeaf(raw))
      if (tree.size > 0 && at >= kept) roots.set(tree.size, root)
      tree = await appendLeaf(tree, await leafHash(raw))
      if (at >= kept - 1) root = await rootOf(tree)
    }
    if (tree.size === 0) root = await rootOf(tree)
    if (!equal(root, found.root)) {
      this.#keep('inconsistent-log', note)
      throw new Refused('L5', 'inconsistent-log', 'the leaves do not lead to the root that was signed') // L5
    }
    this.#tree = tree
    this.#root = root
    this.#note = note
    this.#roots = new Map([...roots].slice(-ROOTS_KEPT))
    for (const leaf of read) this.#take(leaf)
    this.#refresh(found)
  }

  /** L3: under one label numbers only rise, and one number has one value. */
  #take(leaf: Leaf): void {
    const label = toHex(leaf.label)
    if (leaf.type === 'confirm') this.#stated.add(`${label} ${toHex(leaf.value)}`)
    if (!CHAINED.includes(leaf.type)) return
    const key = `${leaf.type} ${label}`
    const before = this.#chained.get(key)
    if (before === undefined || leaf.n > before.n) {
      this.#chained.set(key, { n: leaf.n, value: leaf.value })
      return
    }
    this.#frozen.add(label) // L3
    this.#keep('contradicting-leaves', toHex(encodeLeaf(leaf)))
  }

  /** Takes the time of an older checkpoint that witnesses have cosigned, if it was passed here (L4).
   *  @throws Refused L5 */
  async refresh(note: string, now: number): Promise<void> {
    const found = await this.#read(note, now)
    if (this.rootAt(found.size) !== null) this.#refresh(found)
  }

  #refresh(found: Checkpoint): void {
    const times = this.quorum === 0 ? [found.at] : [...found.witnesses.values()].sort((a, b) => b - a)
    const enough = times[Math.max(this.quorum, 1) - 1]
    if (enough !== undefined) this.freshAt = Math.max(this.freshAt, enough)
  }

  /** The newest number and value under a label whose leaves follow each other. */
  async newestOf(type: string, subject: Bytes): Promise<Logged | null> {
    const label = toHex(await logLabel(this.#labelKey, type, subject))
    return this.#chained.get(`${type} ${label}`) ?? null
  }

  /** The number of the newest logged entry of a principal's keyring. */
  async newest(principal: Bytes): Promise<number | null> {
    return (await this.newestOf('keyring', principal))?.n ?? null
  }

  /** L4: as many as are asked for have seen the log within a day, or what is allowed for urgent. @throws Refused forked-log, stale-checkpoint,
   *  too-few-witnesses */
  checkFresh(now: number, isUrgent = false): void {
    insist(this.broken === null, 'L5', 'forked-log', 'the log has two versions; nothing is sealed') // L5
    const areEnough = this.quorum <= this.#witnesses.length
    insist(areEnough, 'L4', 'too-few-witnesses', 'fewer witnesses are known than must have signed') // L4
    const most = isUrgent ? this.#urgentSeconds : FRESH_SECONDS
    const isFresh = this.size > 0 && now - this.freshAt <= most
    insist(isFresh, 'L4', 'stale-checkpoint', 'nobody has vouched for the state of the log within a day') // L4
  }

  /** That the log has exactly this entry as the newest of its principal.
   *  @throws Refused not-logged (L1), withheld-entry (L2), contradicting-leaves (L3) */
  async checkNewest(state: Pick<KeyringState, 'principal' | 'n' | 'head'>): Promise<void> {
    const label = toHex(await logLabel(this.#labelKey, 'keyring', state.principal))
    const logged = this.#chained.get(`keyring ${label}`)
    const contradicting = 'the log says two things of this keyring'
    insist(!this.#frozen.has(label), 'L3', 'contradicting-leaves', contradicting) // L3
    const isLogged = logged !== undefined && logged.n >= state.n
    insist(isLogged, 'L1', 'not-logged', 'the newest entry of this keyring is not in the log yet') // L1
    insist(logged.n === state.n, 'L2', 'withheld-entry', 'the log has a newer entry of this keyring') // L2 K10
    if (equal(logged.value, state.head)) return
    this.#frozen.add(label)
    this.#keep('contradicting-leaves', toHex(state.head))
    throw new Refused('L3', 'contradicting-leaves', contradicting) // L3
  }

  /** That the log has a statement, given by its hash, about this subject. @throws Refused not-logged (L1) */
  async checkStated(type: string, subject: Bytes, statement: Bytes): Promise<void> {
    const label = toHex(await logLabel(this.#labelKey, type, subject))
    const value = toHex(await statementValue(this.#net, statement))
    insist(this.#stated.has(`${label} ${value}`), 'L1', 'not-logged', 'this statement is not in the log') // L1
  }

  /** How far this device has followed, for pins (L7). */
  get reach(): LogReach | null {
    const { size, frontier } = this.#tree
    return size === 0 ? null : { size, root: this.#root, frontier }
  }

  /** M9 by the log: it is fresh, and has each of these as the newest. Gives what the message names. */
  async checkSealing(states: readonly KeyringState[], now: number, isUrgent = false): Promise<LogPlace> {
    this.checkFresh(now, isUrgent) // M9
    for (const state of states) await this.checkNewest(state) // M9
    return { size: this.size, root: this.#root }
  }

  /** Whether a message's sender had seen more of the log: then follow first (L6). */
  isBehind(place: LogPlace | null): boolean {
    return place !== null && place.size > this.size
  }

  /** L6: the sender saw the same log, as far as its roots are remembered here. `note` is the checkpoint that came in
   *  the text, by which the log has signed that place: another root is then proof against the log itself, and stops
   *  everything. @throws Refused log-withheld, other-log */
  checkMessage(place: LogPlace | null, note: string | null = null): void {
    if (place === null) return
    const isBehind = this.isBehind(place)
    insist(!isBehind, 'L6', 'log-withheld', 'the sender of this message has seen more of the log') // L6
    const known = this.rootAt(place.size)
    const isSame = known === null || equal(known, place.root)
    if (!isSame && note) {
      this.#keep('forked-log', note)
      this.broken = 'forked-log' // T8: two states signed by the log itself stop everything
    }
    insist(isSame, 'L6', 'other-log', 'the sender of this message was shown another log') // L6 T8
  }
}

/** What the server says of the log; the label key hides whom its lines are about. */
export async function openFollower(
  { net, serverKey }: { net: string; serverKey: Base64 },
  said: { label_key: Base64; witnesses: readonly string[]; quorum: number },
  stored: LogState | null,
): Promise<Follower> {
  const witnesses = await Promise.all(said.witnesses.map(readSigner))
  const labelKey = fromBase64(said.label_key)
  return Follower.open(
    { net, serverKey: fromBase64(serverKey), labelKey, witnesses, quorum: said.quorum },
    stored,
  )
}
