import { fileJson } from './attachment.ts'
import type { LedgerView } from './counterparts.ts'
import { type Bytes, equal, fromBase64, fromHex, sha256, toBase64, toHex, ZERO } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { listedAt } from './keyring_rules.ts'
import type { KemKey } from './keys.ts'
import type { Verified } from './membership.ts'
import {
  acceptMessage,
  type LogPlace,
  type Message,
  openMessage,
  type Plaintext,
  VOID_LIMIT,
} from './message.ts'
import { checkReceiptPlace, readReceipt } from './receipt.ts'
import type { RecordSource } from './record.ts'
import { type Statement, typeOf } from './statement.ts'
import { openEpoch, openHistory } from './thread.ts'
import {
  acceptEntry,
  acceptWithdrawal,
  type Epoch,
  endOf,
  type Keyrings,
  type Member,
  memberOf,
  type ThreadState,
} from './thread_rules.ts'
import type {
  Applied,
  Base64,
  BodyView,
  ChangeView,
  Hex,
  ItemJson,
  MemberView,
  OpenedMessage,
  OwnCounter,
  ThreadPin,
  ThreadView,
} from './wire.ts'

/** What a thread needs of the mailbox that reads it. */
export interface Reader {
  readonly net: string
  readonly serverKey: Bytes
  readonly principal: Bytes
  readonly device: Bytes
  readonly keyrings: Keyrings
  mailbox(keyringN: number): Promise<KemKey>
  /** L6: what a verified message says of the log. @throws Refused log-withheld, other-log */
  checkLog?(place: LogPlace | null, note: string | null): void
}

/** T8: refusals by which the server contradicts its own signature or the members'. */
const CONTRADICTIONS = [
  'wrong-receipt',
  'wrong-transcript',
  'stale-transcript',
  'wrong-predecessor',
  'other-log',
]
const NOTHING_SIGNED: OwnCounter = { next: 0, prev: toHex(ZERO), void: [], pending: null }

function bodyView({ body }: Plaintext): BodyView {
  if (body.type === 'note') {
    const about = body.about && { ...body.about, of: toHex(body.about.of) }
    return { ...body, files: body.files.map(fileJson), about }
  }
  if (body.type === 'acknowledgement') return { type: body.type, of: toHex(body.of), seq: body.seq }
  if (body.type === 'stage') return { type: body.type, facts: body.facts }
  return { type: body.type, statement: toBase64(body.statement), terms: body.terms?.text ?? null }
}

interface Signature {
  readonly by: Bytes
  readonly device: Bytes
  readonly after: number
}

const memberView = ({ principal, role, keyringN }: Member): MemberView => ({
  principal: toHex(principal),
  role,
  keyringN,
})

const lastEpoch = (state: ThreadState): Epoch => state.epochs[state.n] as Epoch

/** What the newest entry of `after` changed. */
function changeView(before: ThreadState | null, after: ThreadState): ChangeView {
  const { reason, history, members } = lastEpoch(after)
  const was = before?.members ?? []
  const raised = members.filter((member) => {
    const role = memberOf(was, member.principal)?.role
    return role !== undefined && role !== member.role
  })
  return {
    reason,
    n: after.n,
    by: toHex(after.lastBy),
    came: members.filter(({ principal }) => !memberOf(was, principal)).map(memberView),
    gone: was.filter(({ principal }) => !memberOf(members, principal)).map(memberView),
    raised: raised.map(memberView),
    sharesHistory: history !== null,
  }
}

/** One thread as this device has verified it, item by item from the first. */
export class KnownThread {
  readonly #reader: Reader
  #pin: ThreadPin | null
  readonly #applied: Applied[] = []
  readonly #items: ItemJson[] = []
  /** Epoch secrets by n; in memory only. */
  readonly #secrets = new Map<number, Bytes>()
  /** Who signed each item, and how far that device had seen; and the messages by place. */
  readonly #signed: Signature[] = []
  readonly #messages = new Map<number, Message>()
  /** The newest accepted message of this device. */
  #lastOwn: Message | null = null
  state: ThreadState | null = null
  own: OwnCounter
  stopped: ThreadView['stopped'] = null
  broken: string | null = null
  isMember = false

  constructor(reader: Reader, pin: ThreadPin | null) {
    this.#reader = reader
    this.#pin = pin
    this.own = pin?.own ?? NOTHING_SIGNED
  }

  get seq(): number {
    return this.state?.seq ?? 0
  }

  /** The place last seen, now or on an earlier visit. */
  pin(thread: Hex): ThreadPin | null {
    if (this.#pin && this.#pin.seq > this.seq) return { ...this.#pin, own: this.own }
    if (!this.state) {
      if (this.own === NOTHING_SIGNED) return null
      return { n: 0, head: toHex(ZERO), seq: 0, transcript: thread, own: this.own }
    }
    const { n, head, seq } = this.state
    return { n, head: toHex(head), seq, transcript: toHex(endOf(this.state).hash), own: this.own }
  }

  /** What the last message of this device here said of the log. */
  get sentPlace(): LogPlace | null {
    return this.#lastOwn?.log ?? null
  }

  /** M9: true when everything that this device has ever seen here is verified again. */
  get isComplete(): boolean {
    return this.seq >= (this.#pin?.seq ?? 0)
  }

  /** The state, where it is verified as far as ever before and does not stand still. */
  get runningState(): ThreadState | null {
    return this.isComplete && this.stopped === null ? this.state : null
  }

  /** The epochs that are open here. */
  get epochs(): number[] {
    return [...this.#secrets.keys()]
  }

  /** Signed statements of this type that were sent here, oldest first; not what a removed device may have written
   *  since (M8). */
  statements(type: string): Base64[] {
    const loose = this.unanchored()
    const bodies = this.#applied.map((each) => (each.type === 'message' ? each.message.body : null))
    return bodies.flatMap((body, i) => {
      if (body?.type !== 'statement' || loose.has(i + 1)) return []
      return typeOf(fromBase64(body.statement)) === type ? [body.statement] : []
    })
  }

  secret(n: number): Bytes | null {
    return this.#secrets.get(n) ?? null
  }

  /** M9: the state, where nothing of this device is underway and nothing contradicts. @throws Refused not-verified,
   *  thread-stopped, message-pending */
  verifiedEnd(): Verified {
    const { state, broken, epochs } = this
    insist(state && this.isComplete, 'M9', 'not-verified', 'the thread is not verified to its end') // M9
    insist(this.stopped === null, 'T8', 'thread-stopped', 'this thread has two versions') // T8
    insist(this.own.pending === null, 'M9', 'message-pending', 'a message is underway') // M9
    return { state, broken, epochs, secret: (n) => this.secret(n) }
  }

  /** What a record of this thread holds. @throws Refused not-verified */
  verified(): Pick<RecordSource, 'state' | 'items' | 'secret'> {
    insist(this.state && this.isComplete, 'M9', 'not-verified', 'the thread is not verified to its end') // M9
    return { state: this.state, items: this.#items, secret: (n) => this.secret(n) }
  }

  /** Takes the next item. What is refused leaves everything as it was; where the server contradicts its own
   *  signature or the members', the thread is stopped (T8). @throws Refused E1, E2, T1 to T8, M1 to M3, M7 */
  async apply(json: ItemJson): Promise<Applied> {
    const item = fromBase64(json.item)
    const hash = await sha256(item)
    if (json.seq <= this.seq) return this.#repeated(json, hash)
    insist(this.stopped === null, 'T8', 'thread-stopped', 'this thread has two versions') // T8
    insist(json.seq === this.seq + 1, 'T8', 'missing-item', 'not the next item of this thread') // T8
    try {
      return await this.#append(json, item, hash)
    } catch (error) {
      if (error instanceof Refused && CONTRADICTIONS.includes(error.code))
        this.#stop(null, json, error.detail)
      throw error
    }
  }

  /** T8: the same place holds the same bytes for ever. */
  #repeated(json: ItemJson, hash: Bytes): Applied {
    const known = this.#applied[json.seq - 1] as Applied
    const kept = this.#items[json.seq - 1] as ItemJson
    const isSame = known.hash === toHex(hash) && kept.ciphertext === json.ciphertext
    if (!isSame) this.#stop(kept, json, 'another item stands at a known place')
    return { ...known, known: true }
  }

  #stop(known: ItemJson | null, item: ItemJson, detail: string): never {
    this.stopped ??= { code: 'forked-thread', seq: item.seq, kept: known ? [known, item] : [item] }
    throw new Refused('T8', 'forked-thread', detail) // T8
  }

  async #append(json: ItemJson, item: Bytes, hash: Bytes): Promise<Applied> {
    const { net, keyrings, serverKey } = this.#reader
    const receipt = await readReceipt(net, serverKey, fromBase64(json.receipt))
    const now = receipt.at
    if (json.type === 'entry') {
      const envelopes = json.envelopes === null ? null : fromBase64(json.envelopes)
      const next = await acceptEntry(net, this.state, item, { envelopes, keyrings, now })
      insist(toHex(next.thread) === json.thread, 'T3', 'wrong-thread', 'an entry of another thread')
      const at = this.#checkEnd(receipt, next, hash)
      await this.#openEpoch(next, envelopes)
      this.#signed.push({ by: next.lastBy, device: lastEpoch(next).author, after: json.seq - 1 })
      const applied = this.#keep(next, json, {
        ...this.#place(json, hash, at),
        ...changeView(this.state, next),
        type: 'entry',
      })
      await this.#openAgain()
      return applied
    }
    insist(this.state !== null, 'T1', 'missing-entry', 'a thread starts with its genesis')
    insist(toHex(this.state.thread) === json.thread, 'M1', 'wrong-thread', 'a message of another thread')
    if (json.type === 'withdrawal') {
      const { state: next, withdrawal } = await acceptWithdrawal(net, this.state, item, keyrings)
      const at = this.#checkEnd(receipt, next, hash)
      const { by, after, statement, of } = withdrawal
      this.#signed.push({ by: by.principal, device: statement.kid, after: after.seq })
      const place = this.#place(json, hash, at)
      return this.#keep(next, json, { ...place, type: 'withdrawal', of: toHex(of), by: toHex(by.principal) })
    }
    const ciphertext = fromBase64(json.ciphertext ?? '')
    const sent = { item, ciphertext, now }
    const { state: next, message } = await acceptMessage(net, this.state, keyrings, sent)
    const at = this.#checkEnd(receipt, next, hash)
    const { opened, note } = await this.#open(message, ciphertext, { seq: next.seq, receivedAt: at })
    this.#reader.checkLog?.(message.log, note) // L6
    this.#signed.push({ by: message.by.principal, device: message.device.id, after: message.after.seq })
    this.#messages.set(next.seq, message)
    if (opened.isThisDevice) this.#countOwn(message)
    return this.#keep(next, json, { ...this.#place(json, hash, at), type: 'message', message: opened })
  }

  #place(json: ItemJson, hash: Bytes, at: number) {
    return { thread: json.thread, seq: json.seq, known: false, at, hash: toHex(hash) }
  }

  #keep(next: ThreadState, json: ItemJson, applied: Applied): Applied {
    this.state = next
    this.#items.push(json)
    this.#applied.push(applied)
    return applied
  }

  /** T8: the receipt and what an earlier visit saw agree with the transcript. Gives the time of the receipt. */
  #checkEnd(receipt: Statement, next: ThreadState, hash: Bytes): number {
    const pin = this.#pin
    const isSame = pin?.seq !== next.seq || pin.transcript === toHex(endOf(next).hash)
    insist(isSame, 'T8', 'wrong-transcript', 'another transcript than at an earlier visit') // T8
    return checkReceiptPlace(receipt, next, hash) // T8
  }

  /** T7: opens the new epoch, and back along the histories what is not open yet (T6). */
  async #openEpoch(next: ThreadState, envelopes: Bytes | null): Promise<void> {
    const { net, principal, mailbox } = this.#reader
    this.isMember = memberOf(next.members, principal) !== undefined
    if (!this.isMember) return
    try {
      insist(envelopes !== null, 'T7', 'cannot-open', 'the envelopes are missing')
      const secret = await openEpoch(net, next, next.n, { principal, envelopes, mailbox })
      this.#secrets.set(next.n, secret)
      await this.#openHistories(next, secret)
      if (lastEpoch(next).reason === 'repair') this.broken = null
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.broken ??= error.code // T7: nothing is sealed here until a repair
    }
  }

  async #openHistories(state: ThreadState, newest: Bytes): Promise<void> {
    let [n, secret] = [state.n, newest]
    for (;;) {
      const history = state.epochs[n]?.history ?? null
      if (history === null) return
      const older = await openHistory(this.#reader.net, state, n, secret) // T7
      const known = this.#secrets.get(history.of)
      insist(!known || equal(known, older), 'T7', 'wrong-history', 'the history holds another secret') // T7
      if (known) return
      this.#secrets.set(history.of, older)
      n = history.of
      secret = older
    }
  }

  /** T6: what could not be opened before, because its epoch is shared only now. */
  async #openAgain(): Promise<void> {
    for (const [seq, message] of this.#messages) {
      const applied = this.#applied[seq - 1]
      if (applied?.type !== 'message' || applied.message.failed !== 'cannot-open') continue
      if (!this.#secrets.has(message.n)) continue
      const { ciphertext } = this.#items[seq - 1] as ItemJson
      const place = { seq, receivedAt: applied.at }
      const { opened } = await this.#open(message, fromBase64(ciphertext ?? ''), place)
      this.#applied[seq - 1] = { ...applied, message: opened }
    }
  }

  /** M8: places of items by devices no longer listed, which no still listed device of the same principal has
   *  covered by a later `after`: whoever took such a device could have written them later. */
  unanchored(): ReadonlySet<number> {
    const covered = new Map<Hex, number>()
    const found = new Set<number>()
    for (let seq = this.#signed.length; seq > 0; seq--) {
      const { by, device, after } = this.#signed[seq - 1] as Signature
      const keyring = this.#reader.keyrings(by)
      const name = toHex(by)
      const reach = covered.get(name) ?? 0
      if (keyring && listedAt(keyring, keyring.n, device)) covered.set(name, Math.max(reach, after))
      else if (reach < seq) found.add(seq) // M8
    }
    return found
  }

  async #open(
    message: Message,
    ciphertext: Bytes,
    place: { seq: number; receivedAt: number },
  ): Promise<{ opened: OpenedMessage; note: string | null }> {
    const { net, principal, device } = this.#reader
    const secret = this.#secrets.get(message.n)
    let plaintext: Plaintext | null = null
    let failed: string | null = secret ? null : 'cannot-open'
    try {
      const text = secret ? await openMessage(net, message, ciphertext, secret) : null // M5
      if (text?.checkpoint != null)
        await (await import('./gossip.ts')).checkSent(this.#reader, text.checkpoint, message.log) // L6
      plaintext = text
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      failed = error.code
    }
    const { person, name, office, id } = message.device
    const opened = {
      ...place,
      id: toHex(message.id),
      at: message.at,
      kind: message.kind,
      urgency: message.urgency,
      due: message.due,
      step: message.step,
      isOwn: equal(message.by.principal, principal),
      isThisDevice: equal(id, device),
      principal: toHex(message.by.principal),
      device: toHex(id),
      person,
      name,
      office,
      language: plaintext?.language ?? '',
      subject: plaintext?.subject ?? null,
      ownReference: plaintext?.ownReference ?? null,
      foreignReference: plaintext?.foreignReference ?? null,
      body: plaintext && bodyView(plaintext),
      failed,
      marks: [...message.marks, ...(plaintext?.marks ?? [])],
    }
    return { opened, note: plaintext?.checkpoint ?? null }
  }

  /** M4: an accepted message of this device; what was void is named now. */
  #countOwn(message: Message): void {
    this.#lastOwn = message
    const id = toHex(message.id)
    if (message.counter + 1 < this.own.next) {
      if (this.own.pending === id) this.own = { ...this.own, pending: null }
      return
    }
    const pending = this.own.pending === id ? null : this.own.pending
    this.own = { next: message.counter + 1, prev: toHex(message.hash), void: [], pending }
  }

  /** M4: counts a message that was just signed. */
  signed(id: Hex, item: Hex): void {
    this.own = { ...this.own, next: this.own.next + 1, prev: item, pending: id }
  }

  /** M4: the pending message will never be delivered; the next one names it. */
  refused(id: Hex): void {
    if (this.own.pending !== id) return
    const refused = [...this.own.void, id]
    // M4: a message names no more; the oldest counts as never signed.
    const dropped = Math.max(refused.length - VOID_LIMIT, 0)
    this.own = {
      ...this.own,
      next: this.own.next - dropped,
      void: refused.slice(dropped),
      pending: null,
    }
  }

  /** What another tab of this device has signed and seen here. A place not verified yet has to be fetched (M9);
   *  only another transcript at a verified place contradicts (T8). */
  takeOver(pin: ThreadPin): void {
    this.own = pin.own
    if (this.#lastOwn) this.#countOwn(this.#lastOwn)
    const hash = this.state?.transcript[pin.seq]
    const here = this.#pin?.seq === pin.seq ? this.#pin.transcript : hash && toHex(hash)
    if (pin.seq > 0 && here !== undefined && here !== pin.transcript)
      this.stopped ??= { code: 'forked-thread', seq: pin.seq, kept: [] } // T8
    if (pin.seq > Math.max(this.seq, this.#pin?.seq ?? 0)) this.#pin = pin
  }

  view(thread: Hex): ThreadView | null {
    if (!this.state) return null
    const { kind, link, n, head, seq, members, openedBy } = this.state
    return {
      thread,
      kind,
      n,
      head: toHex(head),
      seq,
      transcript: toHex(endOf(this.state).hash),
      link: link && toHex(link),
      members: members.map(memberView),
      openedBy: toHex(openedBy),
      stopped: this.stopped,
      broken: this.broken,
      isMember: this.isMember,
    }
  }
}

export const voidBytes = (own: OwnCounter): Bytes[] => own.void.map(fromHex)

/** The own ledger among these threads, as far as it is verified: `place` changes with everything in it. */
export function ledgerAmong(threads: ReadonlyMap<Hex, KnownThread>): LedgerView | null {
  for (const [thread, known] of threads) {
    if (known.state?.kind !== 'ledger' || !known.isMember) continue
    return { place: `${thread} ${known.seq}`, statements: (type) => known.statements(type) }
  }
  return null
}
