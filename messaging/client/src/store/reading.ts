import type { Applied, ItemJson } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import type { Facts } from '../sealed/steps.ts'
import { OWN_KINDS } from '../sealed/thread_entry.ts'
import { orLater } from '../transport/failure.ts'
import type { Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import type { Alarm } from './store.ts'
import { messagesOf } from './summary.ts'

const PAGE = 100

/** What the facts of a step say in words. */
const sayings = (facts: Facts): string =>
  Object.values(facts)
    .flatMap((fact) => (typeof fact === 'number' ? [] : fact))
    .join('\n')

/** What the log is refused for is said by its own alarm. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof Refused)) orLater(error)
}

/**
 * One thread as verified on this device: its items in order, each applied once. Items come from this device's
 * own copy first, then from the server; whatever does not verify stops the thread and is kept beside it.
 */
export class Reading {
  readonly thread: Hex
  applied: Applied[] = []
  alarm: Alarm | null = null
  readonly #within: Correspondence
  #queue: Promise<unknown> = Promise.resolve()

  constructor(thread: Hex, within: Correspondence) {
    this.thread = thread
    this.#within = within
  }

  /** The sequence number of the newest verified item; 0 before the first. */
  get seq(): number {
    return this.applied.at(-1)?.seq ?? 0
  }

  /** Open what this device has, then fetch the rest up to `end` (or the server's end when not known). */
  load(end?: number): Promise<void> {
    return this.#inTurn(async () => {
      this.alarm ??= (await this.#within.store.alarm(this.thread)) ?? null
      await this.#applyKept()
      if (this.alarm) return
      // An end below the own may only be an older answer: the server is asked again before anything is concluded.
      if (end !== this.seq) await this.#fetch()
    })
  }

  /** Fetch what is new, on a first call after what this device has. Raises `Failure` without an answer. */
  sync(): Promise<void> {
    return this.load()
  }

  /** Take an item that the server pushed; earlier ones that were missed are fetched first. */
  receive(item: ItemJson): Promise<void> {
    return this.#inTurn(async () => {
      await this.#applyKept()
      if (item.seq > this.seq + 1) await this.#fetch()
      // One that is known is compared with what was kept: another item at its place is a fork (T8).
      else await this.#applyAll([item], item.seq === this.seq + 1)
    })
  }

  async #applyKept(): Promise<void> {
    if (this.applied.length > 0) return
    const kept = await this.#within.store.items(this.thread)
    // What a full storage left out here is fetched; it contradicts nothing.
    const whole = kept.findIndex((item, index) => item.seq !== index + 1)
    await this.#applyAll(whole < 0 ? kept : kept.slice(0, whole), false)
  }

  async #fetch(): Promise<void> {
    for (let asked = false; ; ) {
      const stopped = this.#within.mailbox.thread(this.thread)?.stopped
      // Another tab of this device has seen another transcript.
      if (stopped && !this.alarm) await this.#stop({ code: stopped.code, rule: 'T8', seq: stopped.seq })
      if (this.alarm) return
      const before = this.seq
      const page = await this.#within.rest.get<{ items: ItemJson[]; seq: number }>(
        `threads/${this.thread}/items?after=${before}&limit=${PAGE}`,
      )
      // Against what was known when asking: the items may already hold one more than the end that was read first.
      if (page.seq < before && !asked) {
        asked = true
        await this.#within.log.follow().catch(unlessRefused) // L8: a server that was put back gets what it lost
        continue
      }
      if (page.seq < before) return this.#stop({ code: 'server-went-back', rule: 'T8', seq: page.seq })
      asked = false
      // A page with a gap is no contradiction as long as it goes on; what is missing is asked for again.
      const next = page.items.filter((item, index) => item.seq === before + 1 + index)
      await this.#applyAll(next.length > 0 ? next : page.items, true)
      if (page.items.length === 0 || this.seq >= page.seq) return
    }
  }

  async #applyAll(items: ItemJson[], isNew: boolean): Promise<void> {
    for (const item of items) {
      if (this.alarm) return
      await this.#applyOne(item, isNew)
    }
  }

  async #applyOne(item: ItemJson, isNew: boolean): Promise<void> {
    const mailbox = this.#within.mailbox
    try {
      for (const need of await mailbox.needs(item)) await this.#within.learnKeyring(need.principal)
      const applied = await this.#apply(item)
      if (applied.seq > this.seq) this.applied.push(applied)
      if (isNew) await this.#within.store.saveItem(item)
      if (isNew) await this.#keepSubject(applied)
      if (isNew) await this.#keepText(applied)
      if (isNew) this.#within.cards.note(this.thread)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      await this.#within.store.saveEvidence(this.thread, item)
      await this.#stop({ code: error.code, rule: error.rule, seq: item.seq })
    }
  }

  /** L6: where the sender has seen more of the log, it is followed first. */
  async #apply(item: ItemJson): Promise<Applied> {
    const { mailbox, log } = this.#within
    try {
      return await mailbox.applyItem(item)
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'log-withheld')) throw error
      await log.follow()
      return mailbox.applyItem(item)
    }
  }

  /** The first subject that is said names the thread; pages that do not open it find it there. */
  async #keepSubject(applied: Applied): Promise<void> {
    if (applied.type !== 'message' || applied.message.subject === null) return
    const first = messagesOf(this.applied).find((message) => message.subject !== null)
    if (first?.seq !== applied.seq) return
    // A full storage is no reason not to read.
    await this.#within.subjects.keep(this.thread, applied.message.subject).catch(() => undefined)
  }

  /** What it says, for searching; what an authority writes for itself is in no list that is searched. */
  async #keepText(applied: Applied): Promise<void> {
    if (applied.type !== 'message') return
    if (OWN_KINDS.includes(this.#within.mailbox.thread(this.thread)?.kind ?? '')) return
    const { body, seq } = applied.message
    const said = body?.type === 'note' ? body.text : body?.type === 'stage' ? sayings(body.facts) : ''
    if (said !== '')
      await this.#within.texts.keep({ thread: this.thread, seq, text: said }).catch(() => undefined)
  }

  /** A fork or a rollback stays an alarm after a reload (T8); what merely did not verify is asked for again. */
  async #stop(alarm: Alarm): Promise<void> {
    this.alarm = alarm
    const isProven = alarm.code === 'server-went-back' || this.#within.mailbox.thread(this.thread)?.stopped
    if (isProven) await this.#within.store.saveAlarm(this.thread, alarm)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#queue.then(work, work)
    this.#queue = mine.catch(() => undefined)
    return mine
  }
}
