import { type Device, type ItemJson, type KeyringView, Mailbox } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, Progress, SessionInfo, ThreadRow } from '../transport/wire.ts'
import { Cards } from './cards.ts'
import { Keyrings } from './keyrings.ts'
import { LogKeeper } from './log.ts'
import { Reading } from './reading.ts'
import type { Store } from './store.ts'
import { Subjects } from './subjects.ts'
import { Texts } from './texts.ts'

const SAVE_AFTER = 1_500
// What a Date can hold, in seconds.
const isDate = (at: number): boolean => at <= 8_640_000_000_000

/**
 * The mailbox of this device, with the input and output that it does not do itself: keyrings and items are
 * fetched, public state is kept. Signing happens under one lock for all tabs (M4), see `writing`.
 */
export class Correspondence {
  readonly info: SessionInfo
  readonly rest: Rest
  readonly store: Store
  readonly device: Device
  readonly mailbox: Mailbox
  readonly subjects: Subjects
  readonly texts: Texts
  readonly cards: Cards
  readonly log: LogKeeper
  readonly #readings = new Map<Hex, Reading>()
  readonly #keyrings: Keyrings
  #stamp: number
  #saving: ReturnType<typeof setTimeout> | undefined

  private constructor(info: SessionInfo, rest: Rest, store: Store, opened: [Device, Mailbox, number]) {
    this.info = info
    this.rest = rest
    this.store = store
    this.subjects = new Subjects(store)
    this.texts = new Texts(store)
    this.device = opened[0]
    this.mailbox = opened[1]
    this.#stamp = opened[2]
    this.#keyrings = new Keyrings(rest, store, this.mailbox)
    this.log = new LogKeeper(this)
    this.cards = new Cards(this)
  }

  static async open(info: SessionInfo, rest: Rest, store: Store, device: Device): Promise<Correspondence> {
    const kept = await store.state()
    const secretariat = info.secretariat ?? null
    const setup = { net: info.net, serverKey: info.server_key, device, secretariat }
    const mailbox = await Mailbox.open(kept ? { ...setup, state: kept.state } : setup)
    const correspondence = new Correspondence(info, rest, store, [device, mailbox, kept?.stamp ?? 0])
    await correspondence.learnKeyring(device.principal)
    await correspondence.log.open()
    return correspondence
  }

  get principal(): Hex {
    return this.device.principal
  }

  /** The thread as read on this page; nothing is fetched before `load`. */
  reading(thread: Hex): Reading {
    let reading = this.#readings.get(thread)
    if (reading === undefined) {
      reading = new Reading(thread, this)
      this.#readings.set(thread, reading)
    }
    return reading
  }

  thread(thread: Hex): Promise<ThreadRow> {
    return this.rest.get<ThreadRow>(`threads/${thread}`)
  }

  /** Fetch and verify what is new in a keyring. @throws Refused, Failure */
  learnKeyring(principal: Hex): Promise<KeyringView> {
    return this.#keyrings.learn(principal)
  }

  /**
   * K8: the authorities that the server shows as members are those whose verified keyrings these are; else the
   * thread stands still.
   */
  async checkMembers(row: ThreadRow): Promise<void> {
    try {
      for (const { principal, authority } of row.members) {
        const keyring = this.mailbox.keyring(principal) ?? (await this.learnKeyring(principal))
        if (keyring.kind !== 'practitioner') this.mailbox.checkAuthority(authority.id, principal)
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.reading(row.thread).alarm ??= { code: error.code, rule: error.rule, seq: row.seq }
    }
  }

  /** K8, M9: log, keyrings and ledger are brought up to date, as far as sealing to these needs it. */
  async makeReady(principals: readonly Hex[]): Promise<void> {
    const { makeReady } = await import('./others.ts')
    await makeReady(this, principals)
  }

  /** K8: finds out how far these are known. */
  async look(principals: readonly Hex[]): Promise<void> {
    const { look } = await import('./others.ts')
    await look(this, principals)
  }

  receive(item: ItemJson): Promise<void> {
    const reading = this.reading(item.thread)
    this.saveSoon()
    return reading.receive(item)
  }

  /** The last item that the other side has opened, by its own verified statement; null when none holds. */
  async openedBy(thread: Hex, progress: Progress): Promise<{ seq: number; at: number } | null> {
    if (progress.opened === null) return null
    const check = this.mailbox.checkOpened.bind(this.mailbox, thread, progress.opened)
    try {
      // The opening device may be newer than the keyring known here.
      const opened = await check().catch(() => this.learnKeyring(progress.principal).then(check))
      return isDate(opened.at) ? opened : null
    } catch {
      // An unproven claim of having opened is shown as nothing at all.
      return null
    }
  }

  /** Run `work` while no other tab signs. If another tab signed meanwhile, its counters are taken over first. */
  writing<T>(work: () => Promise<T>): Promise<T> {
    return navigator.locks.request(`messaging:${this.info.membership.id}`, async () => {
      const kept = await this.store.state()
      if (kept && kept.stamp !== this.#stamp) {
        await this.mailbox.takeOver(kept.state)
        // Last: what was not taken over in full is taken over again.
        this.#stamp = kept.stamp
      }
      return work()
    }) as Promise<T>
  }

  /** Run `work` while no other tab sends in this thread; what one thread waits for holds up no other. Not inside
   *  `writing`: sealing never waits for the line. */
  sending<T>(thread: Hex, work: () => Promise<T>): Promise<T> {
    const name = `messaging:${this.info.membership.id}:sending:${thread}`
    return navigator.locks.request(name, work) as Promise<T>
  }

  /** Inside `writing`: the state to store together with what was just sealed. */
  nextState(): { stamp: number; state: ReturnType<Mailbox['exportPublicState']> } {
    this.#stamp += 1
    return { stamp: this.#stamp, state: this.mailbox.exportPublicState() }
  }

  /** Keep heads and transcripts seen; skipped when another tab has written, whose state is then the newer one. */
  saveSoon(): void {
    clearTimeout(this.#saving)
    this.#saving = setTimeout(() => void this.#save().catch(() => undefined), SAVE_AFTER)
  }

  #save(): Promise<void> {
    return navigator.locks.request(`messaging:${this.info.membership.id}`, async () => {
      const kept = await this.store.state()
      if ((kept?.stamp ?? 0) === this.#stamp) await this.store.saveState(this.nextState())
    }) as Promise<void>
  }
}
