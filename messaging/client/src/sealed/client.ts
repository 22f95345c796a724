import { Counterparts } from './counterparts.ts'
import { openDraft, sealDraft } from './drafts.ts'
import { type Bytes, fromBase64, fromHex, sha256, toBase64, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import type { Follower } from './follower.ts'
import type { Author } from './keyring.ts'
import { withSponsors } from './keyring_acts.ts'
import type { KeyringState, Role } from './keyring_rules.ts'
import { type KemKey, openDeviceKeys, type SigningKey } from './keys.ts'
import { KnownKeyrings, OwnSecrets } from './known_keyrings.ts'
import { KnownThread, ledgerAmong, type Reader, voidBytes } from './known_thread.ts'
import type { Membership, Verified } from './membership.ts'
import { type LogPlace, type Plaintext, sealMessage } from './message.ts'
import { acknowledgementOf, asPlaintext, statementOf } from './note_input.ts'
import { OwnCards } from './own_cards.ts'
import type { OwnCases } from './own_cases.ts'
import { OwnKeyring } from './own_keyring.ts'
import { checkOpened, makeOpened } from './receipt.ts'
import type { RecordSource } from './record.ts'
import type { Stewardship } from './stewardship.ts'
import { makeRefresh, makeGenesis as makeThreadGenesis } from './thread.ts'
import { byOf, endOf, mustGo, readPlaces, type ThreadState } from './thread_rules.ts'
import type {
  Applied,
  Base64,
  Device,
  EntryBody,
  Hex,
  ItemJson,
  Json,
  KeyringJson,
  KeyringView,
  NewThread,
  NoteInput,
  OpenedView,
  PublicState,
  Sealed,
  TermsJson,
  ThreadPin,
  ThreadView,
} from './wire.ts'

export { makeDeviceRequest, makeGenesis } from './own_device.ts'
export type * from './wire.ts'
export type { Role }

const entryBody = (made: { entry: Bytes; envelopes: Bytes }): EntryBody => ({
  entry: toBase64(made.entry),
  envelopes: toBase64(made.envelopes),
})

interface Setup {
  readonly net: string
  readonly serverKey: Base64
  readonly device: Device
  readonly state?: PublicState
  /** The principal that confirms, by the server's word; undefined where nobody is asked whom to seal to. */
  readonly secretariat?: Hex | null
  /** Unix seconds. */
  readonly now?: () => number
}

/** One device's view of its principal's correspondence. What the server answers goes in, what it is sent comes out. */
export class Mailbox {
  readonly net: string
  readonly principal: Hex
  readonly device: Hex
  /** What is known of the log; null only where it is not followed at all. Without it nothing is proven new (M9). */
  log: Follower | null = null
  /** Whom this device may seal to (K8, K11). */
  readonly others: Counterparts
  readonly #serverKey: Base64
  readonly #author: Author
  readonly #now: () => number
  readonly #keyrings: KnownKeyrings
  readonly #secrets: OwnSecrets
  /** The own keyring, and what this device can do in it. */
  readonly own: OwnKeyring
  readonly #threads = new Map<Hex, KnownThread>()
  readonly #reader: Reader
  readonly cards: OwnCards // hints for lists
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(setup: Setup, keys: { signing: SigningKey; kem: KemKey }) {
    const { net, serverKey, device, state } = setup
    this.net = net
    this.principal = device.principal
    this.device = device.id
    this.#serverKey = serverKey
    this.#author = { id: fromHex(device.id), key: keys.signing }
    this.#now = setup.now ?? (() => Math.floor(Date.now() / 1000))
    this.#keyrings = new KnownKeyrings(net, state)
    this.others = new Counterparts(
      {
        net,
        own: device.principal,
        keyrings: this.#keyrings,
        log: () => this.log,
        ledger: () => ledgerAmong(this.#threads),
      },
      setup.secretariat === undefined ? undefined : (state?.secretariat ?? setup.secretariat),
      Object.keys(state?.keyrings ?? {}),
    )
    this.#secrets = new OwnSecrets(net, { id: device.id, kem: keys.kem })
    this.own = new OwnKeyring({
      net,
      principal: device.principal,
      device: device.id,
      keyrings: this.#keyrings,
      secrets: this.#secrets,
      signer: () => this.#signer(),
    })
    const principal = fromHex(device.principal)
    this.#reader = {
      net,
      serverKey: fromBase64(serverKey),
      principal,
      device: this.#author.id,
      keyrings: this.#keyrings.lookup,
      mailbox: (n) => this.#secrets.mailbox(principal, n),
      checkLog: (place, note) => this.log?.checkMessage(place, note),
    }
    for (const [thread, pin] of Object.entries(state?.threads ?? {})) {
      this.#threads.set(thread, new KnownThread(this.#reader, pin))
    }
    this.cards = new OwnCards({
      net,
      principal: this.principal,
      newest: () => this.own.state,
      own: () => this.own.open(),
      secret: (n) => this.#secrets.secret(n),
      verified: (thread) => this.#threads.get(thread)?.runningState ?? null,
      transcriptAt: (thread, seq) => this.#threads.get(thread)?.state?.transcript[seq] ?? null,
    })
  }

  /** @throws Refused wrong-network, server-key-changed when the server is not the one of earlier visits */
  static async open(setup: Setup): Promise<Mailbox> {
    const { state, net, serverKey } = setup
    insist(!state || state.net === net, 'E2', 'wrong-network', 'another network than at the first visit') // E2
    const isSameKey = !state || state.serverKey === serverKey
    insist(isSameKey, 'T8', 'server-key-changed', 'another server key than at the first visit') // T8
    const mailbox = new Mailbox(setup, await openDeviceKeys(setup.device.keys))
    mailbox.others.meet(setup.secretariat ?? null) // K8
    return mailbox
  }

  /** Changes happen one after the other, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  // -------------------------------------------------------------- keyrings

  /** Verifies an answer of GET /api/keyrings/{principal}; of the own keyring also opens the secrets.
   *  @throws Refused K1 to K10 */
  applyKeyring(json: KeyringJson): Promise<KeyringView> {
    return this.#inTurn(async () => {
      const state = await this.#keyrings.apply(json)
      if (json.principal === this.principal) await this.#secrets.open(state, json)
      this.others.take(json.principal, json.confirms, json.note)
      return this.keyring(json.principal) as KeyringView
    })
  }

  /** Whose keyrings have to be known before this answer is applied (K9, K12). */
  neededFor(json: KeyringJson): Promise<Hex[]> {
    return this.#keyrings.neededFor(json)
  }

  /** The `from` to ask for next. */
  keyringFrom(principal: Hex): number {
    const state = this.#keyrings.get(principal)
    return state ? state.n + 1 : 0
  }

  keyring(principal: Hex): KeyringView | null {
    const own = { principal: this.principal, broken: this.#secrets.broken }
    const view = this.#keyrings.view(principal, own)
    const isUnconfirmed = view !== null && this.others.isUnconfirmed(principal, view.n)
    return view && { ...view, level: this.others.level(principal), isUnconfirmed }
  }

  /** Whether the newest own entry known lists this device. */
  isListed(): boolean {
    return this.myRoles.length > 0
  }

  /** Whether this device holds the newest mailbox secret. */
  isReady(): boolean {
    return this.own.isReady
  }

  get myRoles(): readonly Role[] {
    return this.own.roles
  }

  /** What this device can do with the own keyring. */
  get stewardship(): Stewardship {
    return this.own.stewardship
  }

  /** Who is in threads, and what goes into the own ledger. */
  async membership(): Promise<Membership> {
    const { Membership } = await import('./membership.ts')
    return new Membership({
      net: this.net,
      keyrings: this.#keyrings.lookup,
      own: () => this.own.open().state,
      signer: () => this.#signer(),
      verified: (thread) => this.#verifiedEnd(thread),
      sealable: (principals) => this.#ready(principals.map((principal) => ({ principal }))),
      heads: () => this.#keyrings.heads(),
      reach: () => this.log?.reach ?? null,
    })
  }

  #signer() {
    return { author: this.#author, at: this.#now() }
  }

  // -------------------------------------------------------------- threads

  #thread(thread: Hex): KnownThread {
    const found = this.#threads.get(thread) ?? new KnownThread(this.#reader, null)
    this.#threads.set(thread, found)
    return found
  }

  /** The keyrings to fetch and apply before {@link applyItem}. */
  async needs(item: ItemJson): Promise<{ principal: Hex; from: number }[]> {
    const places = await readPlaces(this.net, fromBase64(item.item), item.type)
    const missing = new Map<Hex, number>()
    for (const { principal, n } of places) {
      const from = this.keyringFrom(toHex(principal))
      if (n >= from) missing.set(toHex(principal), from)
    }
    return [...missing].map(([principal, from]) => ({ principal, from }))
  }

  /** Verifies and opens the next item of its thread; an item applied before gives the same again.
   *  @throws Refused keyring-unknown when {@link needs} was not met; E, T and M rules; the thread is then stopped */
  applyItem(item: ItemJson): Promise<Applied> {
    return this.#inTurn(async () => {
      const missing = await this.needs(item)
      insist(missing.length === 0, 'M1', 'keyring-unknown', 'a keyring has to be fetched first') // M1
      return this.#thread(item.thread).apply(item)
    })
  }

  /** The newest items of a long thread, before all of it is verified: for reading only (glimpse.ts). @throws Refused */
  async glimpse(entries: readonly ItemJson[], tail: readonly ItemJson[]): Promise<Applied[]> {
    const { glimpse } = await import('./glimpse.ts')
    return glimpse(this.#reader, entries, tail)
  }

  thread(thread: Hex): ThreadView | null {
    return this.#threads.get(thread)?.view(thread) ?? null
  }

  /** M8: places of items that a removed device may have written later than they say. */
  unanchored(thread: Hex): ReadonlySet<number> {
    return this.#threads.get(thread)?.unanchored() ?? new Set()
  }

  /** How far this device has ever verified a thread; null before the first item. */
  pin(thread: Hex): ThreadPin | null {
    return this.#threads.get(thread)?.pin(thread) ?? null
  }

  nextSeq(thread: Hex): number {
    return (this.#threads.get(thread)?.seq ?? 0) + 1
  }

  /** The message sealed and not yet seen in the transcript. */
  pending(thread: Hex): Hex | null {
    return this.#threads.get(thread)?.own.pending ?? null
  }

  /** M4: the server refused this message for good. */
  markRefused(thread: Hex, id: Hex): void {
    this.#threads.get(thread)?.refused(id)
  }

  /** K8: `principal` is the verified one of this authority. @throws Refused keyring-unknown, changed-principal */
  checkAuthority(authority: string, principal: Hex): void {
    this.#keyrings.checkAuthority(authority, principal)
  }

  /** Without a note the thread is empty, and so is `id`. @throws Refused keyring-unknown, changed-principal, K7, K11, M9 */
  openThread(first: NewThread): Promise<{
    thread: Hex
    id: Hex
    body: EntryBody & { messages: { item: Base64; ciphertext: Base64 }[] }
  }> {
    return this.#inTurn(async () => {
      const { authority, to, note, kind = 'case' } = first
      const { state: own } = this.own.open()
      const other = this.#keyrings.get(to)
      insist(other !== null, 'M9', 'keyring-unknown', 'the keyring of the counterpart is not verified') // M9
      this.checkAuthority(authority, to) // K8
      await this.others.refresh()
      this.others.check(other) // K8 K11
      const members = to === this.principal ? [own] : [own, other]
      const author = { ...this.#signer(), by: own, members }
      const made = await makeThreadGenesis(this.net, author, { kind, link: null })
      const thread = toHex(made.thread)
      if (note === null) await this.#logged(made.state) // M9
      const sent =
        note && (await this.#seal(this.#thread(thread), made.state, made.secret, asPlaintext(note)))
      const messages = sent ? [{ item: sent.item, ciphertext: sent.ciphertext }] : []
      return { thread, id: sent?.id ?? '', body: { ...entryBody(made), messages } }
    })
  }

  /** @throws Refused message-pending, not-verified, thread-stopped, broken-thread, stale-epoch, bad-size */
  sealNote(thread: Hex, note: NoteInput): Promise<Sealed> {
    return this.#inTurn(() => this.#sealNext(thread, asPlaintext(note)))
  }

  /** A statement for the others, or for the own ledger; `terms`: of a mandate. @throws Refused as {@link sealNote} */
  sealStatement(thread: Hex, statement: Base64, terms: TermsJson | null = null): Promise<Sealed> {
    return this.#inTurn(() => this.#sealNext(thread, statementOf(statement, terms)))
  }

  /** @throws Refused as {@link sealNote} */
  sealAcknowledgement(thread: Hex, { of, seq }: { of: Hex; seq: number }): Promise<Sealed> {
    return this.#inTurn(() => this.#sealNext(thread, acknowledgementOf(fromHex(of), seq)))
  }

  /** Steps in the cases of threads. */
  async cases(): Promise<OwnCases> {
    const { OwnCases } = await import('./own_cases.ts')
    const verified = (thread: Hex) => this.#thread(thread).verified().state
    return new OwnCases(this.#reader, verified, (thread, make) =>
      this.#inTurn(async () => this.#sealNext(thread, make(this.#now()))),
    )
  }

  #verifiedEnd(thread: Hex): Verified {
    const known = this.#threads.get(thread)
    insist(known, 'M9', 'not-verified', 'the thread is not verified to its end') // M9
    return known.verifiedEnd()
  }

  /** M9: verified to its end, nothing of this device underway, nobody's mailbox fallen behind (T4). */
  #writable(thread: Hex): { known: KnownThread; state: ThreadState; secret: Bytes } {
    const { state, broken } = this.#verifiedEnd(thread)
    const known = this.#thread(thread)
    const secret = known.secret(state.n)
    insist(secret && broken === null, 'T7', 'broken-thread', 'the newest epoch does not hold') // T7
    return { known, state, secret }
  }

  async #sealNext(thread: Hex, plaintext: Plaintext): Promise<Sealed> {
    const { known, state, secret } = this.#writable(thread)
    await this.others.sealable(state.members)
    insist(!this.needsRefresh(thread), 'T4', 'stale-epoch', 'the thread needs a refresh first') // T4
    return this.#seal(known, state, secret, plaintext)
  }

  async #seal(known: KnownThread, state: ThreadState, secret: Bytes, plaintext: Plaintext): Promise<Sealed> {
    const { own } = known
    const draft = {
      thread: state.thread,
      n: state.n,
      head: state.head,
      by: byOf(this.own.open().state),
      counter: own.next,
      prev: fromHex(own.prev),
      void: voidBytes(own),
      after: endOf(state),
      log: await this.#logged(state, plaintext.urgency > 0),
    }
    const whole = await this.#withLog(known, plaintext)
    const made = await sealMessage(this.net, draft, whole, { secret, ...this.#signer() })
    const id = toHex(made.id)
    known.signed(id, toHex(await sha256(made.item)))
    const { item, ciphertext } = made
    return { thread: toHex(state.thread), id, item: toBase64(item), ciphertext: toBase64(ciphertext) }
  }

  /** L6: what is written carries the log's newest checkpoint, where that is news here. */
  async #withLog(known: KnownThread, plaintext: Plaintext): Promise<Plaintext> {
    if (this.log === null) return plaintext
    const { withCheckpoint } = await import('./gossip.ts')
    return withCheckpoint(plaintext, this.log, { sent: known.sentPlace, now: this.#now() })
  }

  /** M9 by the log: fresh, and with each member's newest entry. What the message says of it. @throws Refused L1 to L5 */
  async #logged({ members }: ThreadState, isUrgent = false): Promise<LogPlace | null> {
    const known = await this.others.sealable(members)
    return this.log === null ? null : this.log.checkSealing(this.#answering(known), this.#now(), isUrgent)
  }

  /** M9: the newest keyrings of those to whom an entry is sealed. */
  async #ready(members: readonly { readonly principal: Bytes }[]): Promise<KeyringState[]> {
    const known = await this.others.sealable(members)
    await this.log?.checkSealing(this.#answering(known), this.#now(), false)
    return known
  }

  #answering(known: KeyringState[]): KeyringState[] {
    return withSponsors(known, this.#keyrings.lookup)
  }

  /** That the log has the newest entry known of this keyring. @throws Refused L1 to L3 */
  async checkLogged(principal: Hex): Promise<void> {
    const state = this.#keyrings.get(principal)
    insist(state !== null, 'M9', 'keyring-unknown', 'this keyring is not verified') // M9
    await this.log?.checkNewest(state)
  }

  /** T4: whether an entry has to come before the next message: a member's keyring place lies below that
   *  principal's floor, a mandate (T5) or sponsor (K9) has ended, or the newest entry is by one who left (T9). */
  needsRefresh(thread: Hex): boolean {
    const state = this.#threads.get(thread)?.state
    if (!state) return false
    const isBelow = state.members.some(
      ({ principal, keyringN }) => keyringN < (this.#keyrings.lookup(principal)?.floor ?? 0),
    )
    return isBelow || state.isLeft || this.#mustGo(state).length > 0
  }

  #mustGo(state: ThreadState): Hex[] {
    return mustGo(state, this.#keyrings.lookup, this.#now()).map(({ principal }) => toHex(principal))
  }

  /** A new epoch to the members' newest keyring entries, without whose mandate or sponsor has ended.
   *  @throws Refused not-verified, message-pending, mandate-ended for oneself */
  refresh(thread: Hex): Promise<EntryBody> {
    return this.#inTurn(async () => {
      const { state, secret } = this.#writable(thread)
      const gone = this.#mustGo(state)
      insist(!gone.includes(this.principal), 'T5', 'mandate-ended', 'the own mandate or sponsor has ended') // T5
      if (gone.length > 0) return (await this.membership()).dropEnded(thread)
      const { state: by } = this.own.open()
      const members = await this.#ready(state.members) // K8 M9
      return entryBody(await makeRefresh(this.net, state, secret, { ...this.#signer(), by, members }))
    })
  }

  /** Says that all verified items were opened. @throws Refused not-verified */
  async makeOpened(thread: Hex): Promise<{ opened: Base64 }> {
    const known = this.#threads.get(thread)
    insist(known?.state && known.stopped === null, 'M9', 'not-verified', 'the thread is not verified') // M9
    const by = byOf(this.own.open().state)
    return { opened: toBase64(await makeOpened(this.net, known.state, { by, ...this.#signer() })) }
  }

  /** @throws Refused E2, M1, M7 */
  async checkOpened(thread: Hex, opened: Base64): Promise<OpenedView> {
    const state = this.#threads.get(thread)?.state
    insist(state, 'M9', 'not-verified', 'the thread is not verified') // M9
    const found = await checkOpened(this.net, state, this.#keyrings.lookup, fromBase64(opened))
    return { ...found, principal: toHex(found.by.principal), device: toHex(found.device) }
  }

  /** What a record or a report of this thread is made from (record.ts, report.ts). @throws Refused not-verified */
  recordSource(thread: Hex): RecordSource {
    const facts = { net: this.net, serverKey: fromBase64(this.#serverKey), author: this.#author }
    const keyring = this.#keyrings.lookup
    return { ...facts, own: this.own.open().state, keyring, ...this.#thread(thread).verified() }
  }

  /** Seals `draft` to the own mailbox, for every device of this principal. `key`: thread id or "new". */
  async sealDraft(key: string, draft: Json): Promise<{ sealed: Base64 }> {
    return { sealed: await sealDraft({ ...this.#reader, key }, this.own.open().state, draft) }
  }

  /** @throws Refused bad-encoding, bad-statement, cannot-open */
  openDraft(key: string, sealed: Base64): Promise<Json> {
    return openDraft({ ...this.#reader, key }, sealed, this.#reader.mailbox)
  }

  // -------------------------------------------------------------- what survives

  /** What another tab of this device has stored: its counters are the newer ones, its places have to be fetched
   *  before anything is sealed (M9). Nothing verified here is lost. @throws Refused changed-principal, forked-keyring */
  takeOver(state: PublicState): Promise<void> {
    return this.#inTurn(async () => {
      this.#keyrings.takeOver(state)
      this.others.meet(state.secretariat ?? null)
      for (const [thread, pin] of Object.entries(state.threads)) this.#thread(thread).takeOver(pin)
    })
  }

  /** Counters, heads and pins; no secret and no text. */
  exportPublicState(): PublicState {
    const threads: Record<Hex, ThreadPin> = {}
    for (const [thread, known] of this.#threads) {
      const pin = known.pin(thread)
      if (pin) threads[thread] = pin
    }
    const secretariat = this.others.secretariat ?? null
    return { v: 1, net: this.net, serverKey: this.#serverKey, ...this.#keyrings.pins(), secretariat, threads }
  }
}
