import type { SealedMessage } from '../generated/protocol.ts'
import type { NoteInput, Sealed } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { retryDelay } from '../transport/backoff.ts'
import { Failure } from '../transport/failure.ts'
import type { Socket } from '../transport/socket.ts'
import type { Hex, SendResult } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import type { OutboxEntry } from './store.ts'

/** What the outbox keeps sealed beside each entry, to show it and to seal it again. */
export type Copy = { to: Hex | null; note: NoteInput | null; of: { id: Hex; seq: number } | null }

const RESEALS = 3

// The keys or the thread moved on between sealing and arriving: learn, and seal anew.
const OUTDATED = new Set([
  'stale-epoch',
  'stale-author-keyring',
  'stale-member-keyring',
  'stale-transcript',
  'wrong-epoch',
])

/**
 * Sends what was sealed. Bytes are stored before they are sent, and the same bytes are sent until there is a
 * definite answer; only `stale-epoch` makes new ones, and names the old in `void` (M4).
 */
export class Outbox {
  onChange: () => void = () => undefined
  readonly #within: Correspondence
  readonly #socket: Socket
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #queuedAt = 0

  constructor(within: Correspondence, socket: Socket) {
    this.#within = within
    this.#socket = socket
  }

  async entries(thread?: Hex): Promise<{ entry: OutboxEntry; copy: Copy | null }[]> {
    const entries = (await this.#within.store.outbox()).filter((entry) => !thread || entry.thread === thread)
    return Promise.all(
      entries.map(async (entry) => ({ entry, copy: await this.#copyOf(entry).catch(() => null) })),
    )
  }

  /** Seal and queue a note. Raises `Refused` (`message-pending` while an earlier one has no answer yet). */
  async addNote(thread: Hex, note: NoteInput): Promise<void> {
    await this.#within.writing(async () => {
      await this.#prepare(thread)
      await this.#keep(thread, 'note', { to: null, note, of: null })
    })
    this.onChange()
    void this.flush()
  }

  async addAcknowledgement(thread: Hex, of: { id: Hex; seq: number }): Promise<void> {
    await this.#within.writing(async () => {
      await this.#prepare(thread)
      await this.#keep(thread, 'acknowledgement', { to: null, note: null, of })
    })
    this.onChange()
    void this.flush()
  }

  /** Seal and queue a new thread with its first note; returns its id. */
  async addThread(to: Hex, note: NoteInput): Promise<Hex> {
    const thread = await this.#within.writing(() => this.#keepThread({ to, note, of: null }))
    void this.flush()
    return thread
  }

  /** Try everything that waits. `again` also tries what the server had refused, sealed anew. */
  async flush(again = false): Promise<void> {
    clearTimeout(this.#retry)
    try {
      await this.#within.writing(() => this.#sendAll(again))
      this.#attempt = 0
      // The server answers again: no need to wait out the socket's own delay.
      this.#socket.connect()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (!error.isSignedOut) this.#retry = setTimeout(() => void this.flush(), retryDelay(this.#attempt++))
    }
    this.onChange()
  }

  /** Give up an entry the server refused; its text is returned for the composer. */
  async takeBack(id: Hex): Promise<Copy | null> {
    const entry = (await this.#within.store.outbox()).find((each) => each.id === id)
    if (!entry) return null
    const copy = await this.#copyOf(entry)
    await this.#within.writing(async () => {
      if (entry.kind !== 'thread') this.#within.mailbox.markRefused(entry.thread, entry.id)
      await this.#within.store.saveSealed(this.#within.nextState(), { remove: id })
    })
    this.onChange()
    return copy
  }

  async #copyOf(entry: OutboxEntry): Promise<Copy> {
    return (await this.#within.mailbox.openDraft(`outbox:${entry.id}`, entry.copy)) as unknown as Copy
  }

  // Before sealing: earlier messages out, the thread verified to its end, its keys those of today (M9, T4).
  // Without a line the last verified state serves; the server's answer decides.
  async #prepare(thread: Hex): Promise<void> {
    try {
      if (!navigator.onLine) throw new Failure('no-answer')
      await this.#sendAll(false)
      await this.#within.reading(thread).sync()
      if (this.#within.mailbox.needsRefresh(thread)) await this.#renewKeys(thread)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    if (this.#within.reading(thread).alarm)
      throw new Refused('T8', 'thread-stopped', 'the thread stands still')
  }

  async #seal(thread: Hex, copy: Copy): Promise<Sealed> {
    const mailbox = this.#within.mailbox
    if (copy.of) return mailbox.sealAcknowledgement(thread, { of: copy.of.id, seq: copy.of.seq })
    if (copy.note) return mailbox.sealNote(thread, copy.note)
    throw new Refused('M5', 'empty-message', 'nothing to seal')
  }

  async #keep(thread: Hex, kind: OutboxEntry['kind'], copy: Copy, remove?: Hex): Promise<void> {
    const { id, item, ciphertext } = await this.#seal(thread, copy)
    await this.#store({ id, thread, kind, body: { item, ciphertext } }, copy, remove)
  }

  async #keepThread(copy: Copy, remove?: Hex): Promise<Hex> {
    if (copy.to === null || copy.note === null) throw new Refused('T3', 'empty-message', 'nothing to seal')
    await this.#within.learnKeyring(copy.to)
    const { thread, id, body } = await this.#within.mailbox.openThread({ to: copy.to, note: copy.note })
    await this.#store({ id, thread, kind: 'thread', body }, copy, remove)
    return thread
  }

  async #store(
    entry: Pick<OutboxEntry, 'id' | 'thread' | 'kind' | 'body'>,
    copy: Copy,
    remove?: Hex,
  ): Promise<void> {
    const { sealed } = await this.#within.mailbox.sealDraft(`outbox:${entry.id}`, copy as never)
    // Strictly rising, so that two notes of one millisecond keep their order.
    this.#queuedAt = Math.max(Date.now(), this.#queuedAt + 1)
    const add = { ...entry, copy: sealed, queuedAt: this.#queuedAt, problem: null }
    await this.#within.store.saveSealed(
      this.#within.nextState(),
      remove === undefined ? { add } : { add, remove },
    )
  }

  async #sendAll(again: boolean): Promise<void> {
    for (const entry of await this.#within.store.outbox()) {
      try {
        if (entry.problem === null) await this.#send(entry, 0)
        else if (again) await this.#sealAgain(entry, 0)
      } catch (error) {
        // It cannot be sealed as things stand; the others shall not wait for it.
        if (!(error instanceof Refused)) throw error
        await this.#note(entry, { code: error.code, message: '' })
      }
    }
  }

  #note(entry: OutboxEntry, problem: OutboxEntry['problem']): Promise<void> {
    return this.#within.store.saveSealed(this.#within.nextState(), { add: { ...entry, problem } })
  }

  async #send(entry: OutboxEntry, reseals: number): Promise<void> {
    const failure = await this.#deliver(entry)
    if (failure === null) {
      await this.#within.store.removeFromOutbox(entry.id)
      await this.#within.reading(entry.thread).sync()
      return
    }
    if (failure.isTemporary) throw failure
    if (OUTDATED.has(failure.code) && reseals < RESEALS) return this.#sealAgain(entry, reseals + 1)
    await this.#note(entry, { code: failure.code, message: failure.message })
  }

  async #deliver(entry: OutboxEntry): Promise<Failure | null> {
    try {
      if (entry.kind === 'thread') await this.#within.rest.post('threads', entry.body)
      else {
        const [result] = (await this.#append(entry.body as SealedMessage)).results
        if (result && 'error' in result) return new Failure(result.error.code, result.error.message, 409)
      }
      return null
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }

  #append(message: SealedMessage): Promise<{ results: SendResult[] }> {
    const body = { messages: [message] }
    if (this.#socket.isOpen) return this.#socket.command('messaging.messages.append', body)
    return this.#within.rest.post('messages', body)
  }

  async #sealAgain(entry: OutboxEntry, reseals: number): Promise<void> {
    const copy = await this.#copyOf(entry)
    await this.#within.learnKeyring(this.#within.principal)
    if (entry.kind === 'thread') await this.#keepThread(copy, entry.id)
    else {
      this.#within.mailbox.markRefused(entry.thread, entry.id)
      await this.#within.reading(entry.thread).sync()
      if (this.#within.mailbox.needsRefresh(entry.thread)) await this.#renewKeys(entry.thread)
      await this.#keep(entry.thread, entry.kind, copy, entry.id)
    }
    const fresh = (await this.#within.store.outbox()).at(-1)
    if (fresh) await this.#send(fresh, reseals)
  }

  async #renewKeys(thread: Hex): Promise<void> {
    const reading = this.#within.reading(thread)
    const view = this.#within.mailbox.thread(thread)
    for (const member of view?.members ?? []) await this.#within.learnKeyring(member.principal)
    const body = await this.#within.mailbox.refresh(thread)
    try {
      await this.#within.rest.post(`threads/${thread}/entries`, body)
    } catch (error) {
      // A colleague or the other side was faster: their entry serves as well.
      if (!(error instanceof Failure && error.status === 409)) throw error
    }
    await reading.sync()
  }
}
