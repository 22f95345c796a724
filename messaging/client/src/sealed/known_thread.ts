import { type Bytes, equal, fromBase64, fromHex, sha256, toHex, ZERO } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { KemKey } from './keys.ts'
import { acceptMessage, type Message, openMessage, type Plaintext, VOID_LIMIT } from './message.ts'
import { checkReceipt } from './receipt.ts'
import { openEpoch, openHistory } from './thread.ts'
import { acceptEntry, endOf, type Keyrings, type ThreadState } from './thread_rules.ts'
import type {
  Applied,
  BodyView,
  Hex,
  ItemJson,
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
}

/** T8: refusals by which the server contradicts its own signature or the members'. */
const CONTRADICTIONS = ['wrong-receipt', 'wrong-transcript', 'stale-transcript', 'wrong-predecessor']
const NOTHING_SIGNED: OwnCounter = { next: 0, prev: toHex(ZERO), void: [], pending: null }

function bodyView({ body }: Plaintext): BodyView {
  return body.type === 'note' ? body : { type: body.type, of: toHex(body.of), seq: body.seq }
}

/** One thread as this device has verified it, item by item from the first. */
export class KnownThread {
  readonly #reader: Reader
  #pin: ThreadPin | null
  readonly #applied: Applied[] = []
  readonly #items: ItemJson[] = []
  /** Epoch secrets by n; in memory only. */
  readonly #secrets = new Map<number, Bytes>()
  /** The newest accepted message of this device. */
  #lastOwn: Message | null = null
  state: ThreadState | null = null
  own: OwnCounter
  stopped: ThreadView['stopped'] = null
  broken: string | null = null

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

  /** M9: true when everything that this device has ever seen here is verified again. */
  get isComplete(): boolean {
    return this.seq >= (this.#pin?.seq ?? 0)
  }

  secret(n: number): Bytes | null {
    return this.#secrets.get(n) ?? null
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
    const { net, keyrings } = this.#reader
    if (json.type === 'entry') {
      const envelopes = json.envelopes === null ? null : fromBase64(json.envelopes)
      const next = await acceptEntry(net, this.state, item, { envelopes, keyrings })
      insist(toHex(next.thread) === json.thread, 'T3', 'wrong-thread', 'an entry of another thread')
      const at = await this.#checkEnd(json, next, hash)
      await this.#openEpoch(next, envelopes)
      const reason = next.n === 0 ? 'genesis' : 'refresh'
      const by = toHex(next.lastBy)
      return this.#keep(next, json, { ...this.#place(json, hash, at), type: 'entry', reason, n: next.n, by })
    }
    insist(this.state !== null, 'T1', 'missing-entry', 'a thread starts with its genesis')
    insist(toHex(this.state.thread) === json.thread, 'M1', 'wrong-thread', 'a message of another thread')
    const ciphertext = fromBase64(json.ciphertext ?? '')
    const { state: next, message } = await acceptMessage(net, this.state, keyrings, { item, ciphertext })
    const at = await this.#checkEnd(json, next, hash)
    const opened = await this.#open(message, ciphertext, { seq: next.seq, receivedAt: at })
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
  async #checkEnd(json: ItemJson, next: ThreadState, hash: Bytes): Promise<number> {
    const { net, serverKey } = this.#reader
    const pin = this.#pin
    const isSame = pin?.seq !== next.seq || pin.transcript === toHex(endOf(next).hash)
    insist(isSame, 'T8', 'wrong-transcript', 'another transcript than at an earlier visit') // T8
    return checkReceipt(net, serverKey, fromBase64(json.receipt), next, hash) // T8
  }

  /** T7: opens the new epoch and checks that its history leads to the one before. */
  async #openEpoch(next: ThreadState, envelopes: Bytes | null): Promise<void> {
    const { net, principal, mailbox } = this.#reader
    try {
      insist(envelopes !== null, 'T7', 'cannot-open', 'the envelopes are missing')
      const secret = await openEpoch(net, next, next.n, { principal, envelopes, mailbox })
      this.#secrets.set(next.n, secret)
      if (next.n > 0) {
        const older = await openHistory(net, next, next.n, secret) // T7
        this.#secrets.set(next.n - 1, older)
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.broken ??= error.code // T7: nothing is sealed here any more
    }
  }

  async #open(
    message: Message,
    ciphertext: Bytes,
    place: { seq: number; receivedAt: number },
  ): Promise<OpenedMessage> {
    const { net, principal, device } = this.#reader
    const secret = this.#secrets.get(message.n)
    let plaintext: Plaintext | null = null
    let failed: string | null = secret ? null : 'cannot-open'
    try {
      if (secret) plaintext = await openMessage(net, message, ciphertext, secret) // M5
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      failed = error.code
    }
    const { person, name, office, id } = message.device
    return {
      ...place,
      id: toHex(message.id),
      at: message.at,
      kind: message.kind,
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
      marks: message.marks,
    }
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
    const { kind, n, head, seq, members, openedBy } = this.state
    return {
      thread,
      kind,
      n,
      head: toHex(head),
      seq,
      transcript: toHex(endOf(this.state).hash),
      members: members.map(({ principal, role, keyringN }) => ({
        principal: toHex(principal),
        role,
        keyringN,
      })),
      openedBy: toHex(openedBy),
      stopped: this.stopped,
      broken: this.broken,
    }
  }
}

export const voidBytes = (own: OwnCounter): Bytes[] => own.void.map(fromHex)
