import { makeDeviceStatement, readDeviceStatement } from './device.ts'
import {
  type Bytes,
  context,
  decode,
  encode,
  fromBase64,
  fromHex,
  randomBytes,
  sha256,
  toBase64,
  toHex,
} from './encoding.ts'
import { insist } from './errors.ts'
import { type Author, makeAddition, makeGenesis as makeKeyringGenesis } from './keyring.ts'
import { type KeyringState, latest, type Role } from './keyring_rules.ts'
import {
  type DeviceKeys,
  deviceWords,
  type KemKey,
  openDeviceKeys,
  RecoveryKit,
  SigningKey,
  seal,
} from './keys.ts'
import { KnownKeyrings, OwnSecrets } from './known_keyrings.ts'
import { KnownThread, type Reader, voidBytes } from './known_thread.ts'
import { type Body, draftSize, type Plaintext, sealMessage } from './message.ts'
import { checkOpened, makeOpened } from './receipt.ts'
import { asBytes, asList } from './statement.ts'
import { makeRefresh, makeGenesis as makeThreadGenesis } from './thread.ts'
import { byOf, endOf, readPlaces, type ThreadState } from './thread_rules.ts'
import type {
  Applied,
  Base64,
  Device,
  EntryBody,
  Hex,
  ItemJson,
  Json,
  KeyringBody,
  KeyringJson,
  KeyringView,
  NoteInput,
  Person,
  PublicState,
  Sealed,
  ThreadView,
} from './wire.ts'

export type * from './wire.ts'
export type { Role }

const ALL_ROLES: readonly Role[] = ['officer', 'steward', 'supervisor']

async function stateDevice(
  net: string,
  owner: { principal: Bytes | null; salt: Bytes | null },
  { person, keys, at }: { person: Person; keys: DeviceKeys; at: number },
): Promise<{ id: Bytes; statement: Bytes; key: SigningKey }> {
  const key = new SigningKey(keys.sig, keys.signing)
  const fields = { ...owner, person: person.person, name: person.name, office: person.office }
  const statement = await makeDeviceStatement(net, { ...fields, sig: keys.sig, kem: keys.kem }, { at, key })
  return { id: await sha256(statement), statement, key }
}

/** The first device of an authority without a principal: its keyring, and the recovery kit to print. */
export async function makeGenesis(first: {
  readonly net: string
  readonly person: Person
  readonly keys: DeviceKeys
  readonly at: number
  readonly roles?: readonly Role[]
  readonly kind?: 'authority' | 'secretariat'
}): Promise<{ device: Device; kit: RecoveryKit; body: KeyringBody }> {
  const { net, keys, at, kind = 'authority', roles = ALL_ROLES } = first
  const salt = randomBytes(16)
  const { id, statement, key } = await stateDevice(net, { principal: null, salt }, first)
  const kit = RecoveryKit.create()
  const { signing, kem, id: recovery } = await kit.keys(net)
  const made = await makeKeyringGenesis(
    net,
    {
      kind,
      salt,
      devices: [{ id, roles }],
      statements: [statement],
      recovery: { sig: signing.public, kem: kem.public, id: recovery },
    },
    { author: { id, key }, at },
  )
  const { entry, envelopes } = entryBody(made)
  const device = { principal: toHex(made.principal), id: toHex(id), statement, keys }
  return { device, kit, body: { entry, envelopes, statements: [toBase64(statement)] } }
}

/** A further device of a principal; a steward's `add` entry lets it in. */
export async function makeDeviceRequest(request: {
  readonly net: string
  readonly principal: Hex
  readonly person: Person
  readonly keys: DeviceKeys
  readonly at: number
}): Promise<{ device: Device; body: { statement: Base64 } }> {
  const { net, principal, keys } = request
  const { id, statement } = await stateDevice(net, { principal: fromHex(principal), salt: null }, request)
  return { device: { principal, id: toHex(id), statement, keys }, body: { statement: toBase64(statement) } }
}

const entryBody = (made: { entry: Bytes; envelopes: Bytes }): EntryBody => ({
  entry: toBase64(made.entry),
  envelopes: toBase64(made.envelopes),
})

const asPlaintext = (note: NoteInput): Plaintext => ({
  body: { type: 'note', text: note.text },
  language: note.language,
  subject: note.subject ?? null,
  ownReference: note.ownReference ?? null,
  foreignReference: note.foreignReference ?? null,
})

interface Setup {
  readonly net: string
  readonly serverKey: Base64
  readonly device: Device
  readonly state?: PublicState
  /** Unix seconds. */
  readonly now?: () => number
}

/** One device's view of its principal's correspondence. Does no input or output: what the server answers goes
 *  in, what it is sent comes out. */
export class Mailbox {
  readonly net: string
  readonly principal: Hex
  readonly device: Hex
  readonly #serverKey: Base64
  readonly #author: Author
  readonly #now: () => number
  readonly #keyrings: KnownKeyrings
  readonly #secrets: OwnSecrets
  readonly #threads = new Map<Hex, KnownThread>()
  readonly #reader: Reader
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
    this.#secrets = new OwnSecrets(net, { id: device.id, kem: keys.kem })
    const principal = fromHex(device.principal)
    this.#reader = {
      net,
      serverKey: fromBase64(serverKey),
      principal,
      device: this.#author.id,
      keyrings: this.#keyrings.lookup,
      mailbox: (n) => this.#secrets.mailbox(principal, n),
    }
    for (const [thread, pin] of Object.entries(state?.threads ?? {})) {
      this.#threads.set(thread, new KnownThread(this.#reader, pin))
    }
  }

  /** @throws Refused wrong-network, server-key-changed when the server is not the one of earlier visits */
  static async open(setup: Setup): Promise<Mailbox> {
    const { state, net, serverKey } = setup
    insist(!state || state.net === net, 'E2', 'wrong-network', 'another network than at the first visit') // E2
    const isSameKey = !state || state.serverKey === serverKey
    insist(isSameKey, 'T8', 'server-key-changed', 'another server key than at the first visit') // T8
    return new Mailbox(setup, await openDeviceKeys(setup.device.keys))
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
      return this.keyring(json.principal) as KeyringView
    })
  }

  /** The `from` to ask for next. */
  keyringFrom(principal: Hex): number {
    const state = this.#keyrings.get(principal)
    return state ? state.n + 1 : 0
  }

  keyring(principal: Hex): KeyringView | null {
    return this.#keyrings.view(principal, { principal: this.principal, broken: this.#secrets.broken })
  }

  /** Whether the newest own entry known lists this device. */
  isListed(): boolean {
    return this.myRoles.length > 0
  }

  /** Whether this device holds the newest mailbox secret. */
  isReady(): boolean {
    const own = this.#keyrings.get(this.principal)
    return own !== null && this.#secrets.secret(own.n) !== null && this.#secrets.broken === null
  }

  get myRoles(): readonly Role[] {
    const own = this.#keyrings.get(this.principal)
    return (own && latest(own).devices.find(({ id }) => toHex(id) === this.device)?.roles) ?? []
  }

  /** Reads a request for a further device of this principal. @throws Refused E1, E2, E7, K3 */
  async readDeviceRequest(statement: Base64): Promise<Person & { device: Hex; words: string }> {
    const request = await readDeviceStatement(this.net, fromBase64(statement))
    const isOurs = request.principal !== null && toHex(request.principal) === this.principal
    insist(isOurs, 'K3', 'wrong-statement', 'a device statement for another principal')
    const { person, name, office } = request
    const device = toHex(request.id)
    return { device, person, name, office, words: await deviceWords(this.net, device) }
  }

  /** An `add` entry. @throws Refused K2 to K7, not-verified */
  async makeAddition(
    requests: readonly { readonly statement: Base64; readonly roles: readonly Role[] }[],
  ): Promise<KeyringBody> {
    const own = this.#own()
    const added = requests.map(({ statement, roles }) => ({ statement: fromBase64(statement), roles }))
    const made = await makeAddition(this.net, own.state, own.secret, added, this.#signer())
    return { ...entryBody(made), statements: requests.map(({ statement }) => statement) }
  }

  #signer() {
    return { author: this.#author, at: this.#now() }
  }

  /** M9, K7: the own newest generation, listed, opened and sound. */
  #own(): { state: KeyringState; secret: Bytes } {
    const state = this.#keyrings.get(this.principal)
    insist(state && this.isListed(), 'M9', 'unlisted-device', "this device is not in its principal's keyring") // M9
    const secret = this.#secrets.secret(state.n)
    const isSound = secret !== null && this.#secrets.broken === null
    insist(isSound, 'K7', 'broken-keyring', 'the newest own secret cannot be opened or does not hold') // K7
    return { state, secret }
  }

  // -------------------------------------------------------------- threads

  #thread(thread: Hex): KnownThread {
    const found = this.#threads.get(thread) ?? new KnownThread(this.#reader, null)
    this.#threads.set(thread, found)
    return found
  }

  /** The keyrings to fetch and apply before {@link applyItem}. */
  async needs(item: ItemJson): Promise<{ principal: Hex; from: number }[]> {
    const places = await readPlaces(
      this.net,
      fromBase64(item.item),
      item.type === 'entry' ? 'thread' : 'message',
    )
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

  thread(thread: Hex): ThreadView | null {
    return this.#threads.get(thread)?.view(thread) ?? null
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

  /** A new `case` thread of which the first message goes to `to`, the principal of `authority`.
   *  @throws Refused keyring-unknown, changed-principal, unlisted-device, broken-keyring */
  openThread({ authority, to, note }: { authority: string; to: Hex; note: NoteInput }): Promise<{
    thread: Hex
    id: Hex
    body: EntryBody & { messages: { item: Base64; ciphertext: Base64 }[] }
  }> {
    return this.#inTurn(async () => {
      const { state: own } = this.#own()
      const other = this.#keyrings.get(to)
      insist(other !== null, 'M9', 'keyring-unknown', 'the keyring of the counterpart is not verified') // M9
      this.checkAuthority(authority, to) // K8
      const members = to === this.principal ? [own] : [own, other]
      const made = await makeThreadGenesis(this.net, { ...this.#signer(), by: own, members })
      const thread = toHex(made.thread)
      const sealed = await this.#seal(this.#thread(thread), made.state, made.secret, asPlaintext(note))
      const messages = [{ item: sealed.item, ciphertext: sealed.ciphertext }]
      return { thread, id: sealed.id, body: { ...entryBody(made), messages } }
    })
  }

  /** @throws Refused message-pending, not-verified, thread-stopped, broken-thread, stale-epoch, bad-size */
  sealNote(thread: Hex, note: NoteInput): Promise<Sealed> {
    return this.#inTurn(() => this.#sealNext(thread, asPlaintext(note)))
  }

  /** @throws Refused as {@link sealNote} */
  sealAcknowledgement(thread: Hex, { of, seq }: { of: Hex; seq: number }): Promise<Sealed> {
    const body: Body = { type: 'acknowledgement', of: fromHex(of), seq }
    const empty = { language: '', subject: null, ownReference: null, foreignReference: null }
    return this.#inTurn(() => this.#sealNext(thread, { body, ...empty }))
  }

  /** M9: verified to its end, nothing of this device underway, nobody's mailbox fallen behind (T4). */
  #writable(thread: Hex): { known: KnownThread; state: ThreadState; secret: Bytes } {
    const known = this.#threads.get(thread)
    const state = known?.state ?? null
    const secret = state && (known?.secret(state.n) ?? null)
    insist(known && state && known.isComplete, 'M9', 'not-verified', 'the thread is not verified to its end') // M9
    insist(known.stopped === null, 'T8', 'thread-stopped', 'this thread has two versions') // T8
    insist(secret && known.broken === null, 'T7', 'broken-thread', 'the newest epoch does not hold') // T7
    insist(known.own.pending === null, 'M9', 'message-pending', 'a message is underway') // M9
    return { known, state, secret }
  }

  #sealNext(thread: Hex, plaintext: Plaintext): Promise<Sealed> {
    const { known, state, secret } = this.#writable(thread)
    insist(!this.needsRefresh(thread), 'T4', 'stale-epoch', 'the thread needs a refresh first') // T4
    return this.#seal(known, state, secret, plaintext)
  }

  async #seal(known: KnownThread, state: ThreadState, secret: Bytes, plaintext: Plaintext): Promise<Sealed> {
    const { own } = known
    const draft = {
      thread: state.thread,
      n: state.n,
      head: state.head,
      by: byOf(this.#own().state),
      counter: own.next,
      prev: fromHex(own.prev),
      void: voidBytes(own),
      after: endOf(state),
    }
    const made = await sealMessage(this.net, draft, plaintext, { secret, ...this.#signer() })
    const id = toHex(made.id)
    known.signed(id, toHex(await sha256(made.item)))
    const { item, ciphertext } = made
    return { thread: toHex(state.thread), id, item: toBase64(item), ciphertext: toBase64(ciphertext) }
  }

  /** T4: whether a member's keyring place lies below that principal's floor. */
  needsRefresh(thread: Hex): boolean {
    const members = this.#threads.get(thread)?.state?.members ?? []
    return members.some(
      ({ principal, keyringN }) => keyringN < (this.#keyrings.lookup(principal)?.floor ?? 0),
    )
  }

  /** A new epoch to the members' newest keyring entries. @throws Refused not-verified, message-pending */
  refresh(thread: Hex): Promise<EntryBody> {
    return this.#inTurn(async () => {
      const { state, secret } = this.#writable(thread)
      const { state: by } = this.#own()
      const members = state.members.map(({ principal }) => this.#keyrings.lookup(principal) as KeyringState)
      return entryBody(await makeRefresh(this.net, state, secret, { ...this.#signer(), by, members }))
    })
  }

  /** Says that all verified items were opened. @throws Refused not-verified */
  async makeOpened(thread: Hex): Promise<{ opened: Base64 }> {
    const known = this.#threads.get(thread)
    insist(known?.state && known.stopped === null, 'M9', 'not-verified', 'the thread is not verified') // M9
    const by = byOf(this.#own().state)
    return { opened: toBase64(await makeOpened(this.net, known.state, { by, ...this.#signer() })) }
  }

  /** @throws Refused E2, M1, M7 */
  async checkOpened(
    thread: Hex,
    opened: Base64,
  ): Promise<{ principal: Hex; device: Hex; seq: number; at: number }> {
    const state = this.#threads.get(thread)?.state
    insist(state, 'M9', 'not-verified', 'the thread is not verified') // M9
    const { by, device, seq, at } = await checkOpened(
      this.net,
      state,
      this.#keyrings.lookup,
      fromBase64(opened),
    )
    return { principal: toHex(by.principal), device: toHex(device), seq, at }
  }

  // -------------------------------------------------------------- drafts

  #draftInfo(n: number, key: string): Bytes {
    return context(this.net, 'draft', fromHex(this.principal), n, key)
  }

  /** Seals `draft` to the own mailbox, for every device of this principal. `key`: thread id or "new". */
  async sealDraft(key: string, draft: Json): Promise<{ sealed: Base64 }> {
    const { state } = this.#own()
    const text = new TextEncoder().encode(JSON.stringify(draft))
    // Blanks after JSON mean nothing; they keep the server from seeing the text grow key by key.
    const padded = new Uint8Array(draftSize(text.length)).fill(0x20)
    padded.set(text)
    const sealed = await seal(latest(state).mailbox, padded, this.#draftInfo(state.n, key))
    return { sealed: toBase64(encode([state.n, sealed])) }
  }

  /** @throws Refused bad-encoding, bad-statement, cannot-open */
  async openDraft(key: string, sealed: Base64): Promise<Json> {
    const [n, box] = asList(decode(fromBase64(sealed)), 'draft')
    insist(typeof n === 'number' && box instanceof Uint8Array, 'E2', 'bad-statement', 'not a draft')
    const mailbox = await this.#reader.mailbox(n)
    const text = await mailbox.open(asBytes(box, box.length, 'draft'), this.#draftInfo(n, key))
    return JSON.parse(new TextDecoder().decode(text)) as Json
  }

  // -------------------------------------------------------------- what survives

  /** What another tab of this device has stored: its counters are the newer ones, its places have to be fetched
   *  before anything is sealed (M9). Nothing verified here is lost. @throws Refused changed-principal, forked-keyring */
  takeOver(state: PublicState): Promise<void> {
    return this.#inTurn(async () => {
      this.#keyrings.takeOver(state)
      for (const [thread, pin] of Object.entries(state.threads)) this.#thread(thread).takeOver(pin)
    })
  }

  /** Counters, heads and pins; no secret and no text. */
  exportPublicState(): PublicState {
    const threads: Record<Hex, PublicState['threads'][string]> = {}
    for (const [thread, known] of this.#threads) {
      const pin = known.pin(thread)
      if (pin) threads[thread] = pin
    }
    return { v: 1, net: this.net, serverKey: this.#serverKey, ...this.#keyrings.pins(), threads }
  }
}
