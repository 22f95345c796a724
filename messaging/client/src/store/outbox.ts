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
export type Copy = {
  to: { authority: string; principal: Hex } | null
  note: NoteInput | null
  of: { id: Hex; seq: number } | null
}

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
 * Sends what was written. Bytes are stored before they are sent, and the same bytes are sent until there is a
 * definite answer; only an outdated epoch makes new ones, and names the old in `void` (M4). What is written while
 * an earlier message of the thread is underway waits, sealed to the own mailbox, for its turn (M9).
 */
export class Outbox {
  onChange: () => void = () => undefined
  /** A new thread that was sealed again has another id. */
  onMoved: (from: Hex, to: Hex) => void = () => undefined
  readonly #within: Correspondence
  readonly #socket: Socket
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined

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

  /** Seal and queue a note, or queue it unsealed behind one that is underway. Raises `Refused`. */
  addNote(thread: Hex, note: NoteInput): Promise<void> {
    return this.#add(thread, 'note', { to: null, note, of: null })
  }

  addAcknowledgement(thread: Hex, of: { id: Hex; seq: number }): Promise<void> {
    return this.#add(thread, 'acknowledgement', { to: null, note: null, of })
  }

  /** Seal and queue a new thread with its first note; returns its id, until `onMoved`. Raises `Refused`. */
  async addThread(authority: string, principal: Hex, note: NoteInput): Promise<Hex> {
    const entry = await this.#makeThread({ to: { authority, principal }, note, of: null })
    void this.flush()
    return entry.thread
  }

  /** Try everything that waits. `again` also tries what the server had refused, sealed anew. */
  async flush(again = false): Promise<void> {
    clearTimeout(this.#retry)
    try {
      await this.#within.sending(() => this.#sendAll(again))
      this.#attempt = 0
      // The server answers again: no need to wait out the socket's own delay.
      this.#socket.connect()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.isSignedOut) this.#socket.end()
      else this.#retry = setTimeout(() => void this.flush(), retryDelay(this.#attempt++))
    }
    this.onChange()
  }

  /** Give up an entry the server refused; its text is returned for the composer. Null when it is on its way again. */
  async takeBack(id: Hex): Promise<Copy | null> {
    const { store } = this.#within
    const copy = await this.#within.sending(async () => {
      const entry = await store.outboxEntry(id)
      if (!entry?.problem) return null
      const copy = await this.#copyOf(entry)
      await this.#within.writing(async () => {
        this.#markRefused(entry)
        await store.saveSealed(this.#within.nextState(), { remove: id })
      })
      return copy
    })
    void this.flush()
    return copy
  }

  // ---------------------------------------------------------------- sealing

  async #add(thread: Hex, kind: 'note' | 'acknowledgement', copy: Copy): Promise<void> {
    await this.#catchUp(thread)
    try {
      await this.#make({ thread, kind }, copy)
    } catch (error) {
      // Another tab saw more than this one has verified: the text waits, sealed, until that is fetched.
      if (!(error instanceof Refused && error.code === 'not-verified')) throw error
      await this.#within.writing(() => this.#store({ id: randomId(), thread, kind, body: null }, copy))
    }
    this.onChange()
    void this.flush()
  }

  // Before sealing, the thread is verified to its end and its keys are those of today (M9, T4). Without a line
  // the last verified state serves; the server's answer decides.
  async #catchUp(thread: Hex): Promise<void> {
    if (!this.#socket.isOpen) return
    try {
      await this.#within.reading(thread).sync()
      if (this.#within.mailbox.needsRefresh(thread)) await this.#renewKeys(thread)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }

  /** Seal and store an entry, in the place of `replaces` if given. */
  #make({ thread, kind }: Pick<OutboxEntry, 'thread' | 'kind'>, copy: Copy, replaces?: OutboxEntry) {
    return this.#within.writing(async () => {
      const isStopped = this.#within.reading(thread).alarm !== null
      if (isStopped) throw new Refused('T8', 'thread-stopped', 'the thread stands still')
      const isBehind = !replaces && (await this.#isAnyWaiting(thread))
      if (isBehind || this.#within.mailbox.pending(thread) !== null) {
        return replaces ?? this.#store({ id: randomId(), thread, kind, body: null }, copy)
      }
      const { id, item, ciphertext } = await this.#seal(thread, copy)
      return this.#store({ id, thread, kind, body: { item, ciphertext } }, copy, replaces)
    })
  }

  /** Whether an earlier entry of the thread has not been sent; what comes later keeps its place behind it. */
  async #isAnyWaiting(thread: Hex): Promise<boolean> {
    const entries = await this.#within.store.outbox()
    return entries.some((entry) => entry.thread === thread && entry.problem === null)
  }

  async #makeThread(copy: Copy, replaces?: OutboxEntry): Promise<OutboxEntry> {
    const { to, note } = copy
    if (to === null || note === null) throw new Refused('T3', 'empty-message', 'nothing to seal')
    await this.#within.learnKeyring(to.principal)
    return this.#within.writing(async () => {
      const whom = { authority: to.authority, to: to.principal }
      const { thread, id, body } = await this.#within.mailbox.openThread({ ...whom, note })
      const entry = await this.#store({ id, thread, kind: 'thread', body }, copy, replaces)
      if (replaces) this.onMoved(replaces.thread, thread)
      return entry
    })
  }

  async #seal(thread: Hex, copy: Copy): Promise<Sealed> {
    const mailbox = this.#within.mailbox
    if (copy.of) return mailbox.sealAcknowledgement(thread, { of: copy.of.id, seq: copy.of.seq })
    if (copy.note) return mailbox.sealNote(thread, copy.note)
    throw new Refused('M5', 'empty-message', 'nothing to seal')
  }

  async #store(
    made: Pick<OutboxEntry, 'id' | 'thread' | 'kind' | 'body'>,
    copy: Copy,
    replaces?: OutboxEntry,
  ): Promise<OutboxEntry> {
    const { sealed } = await this.#within.mailbox.sealDraft(`outbox:${made.id}`, copy as never)
    // Strictly rising, so that two notes of one millisecond keep their order; what replaces keeps its place.
    const last = (await this.#within.store.outbox()).at(-1)?.queuedAt ?? 0
    const queuedAt = replaces?.queuedAt ?? Math.max(Date.now(), last + 1)
    const entry = { ...made, copy: sealed, queuedAt, problem: null }
    const change = replaces ? { add: entry, remove: replaces.id } : { add: entry }
    await this.#within.store.saveSealed(this.#within.nextState(), change)
    return entry
  }

  async #copyOf(entry: OutboxEntry): Promise<Copy> {
    return (await this.#within.mailbox.openDraft(`outbox:${entry.id}`, entry.copy)) as unknown as Copy
  }

  #markRefused(entry: OutboxEntry): void {
    const { mailbox } = this.#within
    if (mailbox.pending(entry.thread) === entry.id) mailbox.markRefused(entry.thread, entry.id)
  }

  // ---------------------------------------------------------------- sending

  async #sendAll(again: boolean): Promise<void> {
    // Each as it stands when its turn comes: another tab may have sealed it anew or taken it back.
    for (const { id } of await this.#within.store.outbox()) {
      const entry = await this.#within.store.outboxEntry(id)
      if (entry && (entry.problem === null || again)) await this.#send(entry)
    }
  }

  async #send(waiting: OutboxEntry): Promise<void> {
    let entry = waiting
    try {
      if (entry.problem !== null) entry = await this.#withdraw(entry)
      for (let reseals = 0; ; reseals += 1) {
        if (entry.body === null) entry = await this.#sealNow(entry)
        if (entry.body === null) return // an earlier one of this thread is still underway
        const failure = await this.#deliver(entry)
        if (failure === null) return await this.#sent(entry)
        if (failure.isTemporary) throw failure
        if (!OUTDATED.has(failure.code) || reseals >= RESEALS) {
          return await this.#note(entry, { code: failure.code, message: failure.message })
        }
        entry = await this.#withdraw(entry)
      }
    } catch (error) {
      // It cannot be sealed as things stand; the others shall not wait for it.
      if (!(error instanceof Refused)) throw error
      await this.#note(entry, { code: error.code, message: '' })
    }
  }

  async #sent(entry: OutboxEntry): Promise<void> {
    await this.#within.store.removeFromOutbox(entry.id)
    await this.#within.reading(entry.thread).sync()
    this.onChange()
  }

  /** The bytes were refused: never to be sent again, and named by the next message (M4). The text waits. */
  #withdraw(entry: OutboxEntry): Promise<OutboxEntry> {
    return this.#within.writing(async () => {
      this.#markRefused(entry)
      const add = { ...entry, body: null, problem: null }
      await this.#within.store.saveSealed(this.#within.nextState(), { add })
      return add
    })
  }

  /** Seal what waits for its turn, in the newest keys and at the verified end of its thread (M9, T4). */
  async #sealNow(entry: OutboxEntry): Promise<OutboxEntry> {
    const { mailbox } = this.#within
    const copy = await this.#copyOf(entry)
    await this.#within.learnKeyring(this.#within.principal)
    if (entry.kind === 'thread') return this.#makeThread(copy, entry)
    await this.#within.reading(entry.thread).sync()
    if (mailbox.pending(entry.thread) === null && mailbox.needsRefresh(entry.thread)) {
      await this.#renewKeys(entry.thread)
    }
    return this.#make(entry, copy, entry)
  }

  #note(entry: OutboxEntry, problem: OutboxEntry['problem']): Promise<void> {
    const { store } = this.#within
    return this.#within.writing(() =>
      store.saveSealed(this.#within.nextState(), { add: { ...entry, problem } }),
    )
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

  async #renewKeys(thread: Hex): Promise<void> {
    const view = this.#within.mailbox.thread(thread)
    for (const member of view?.members ?? []) await this.#within.learnKeyring(member.principal)
    const body = await this.#within.mailbox.refresh(thread)
    try {
      await this.#within.rest.post(`threads/${thread}/entries`, body)
    } catch (error) {
      // A colleague or the other side was faster: their entry serves as well.
      if (!(error instanceof Failure && error.status === 409)) throw error
    }
    await this.#within.reading(thread).sync()
  }
}

const randomId = (): Hex => crypto.randomUUID().replaceAll('-', '')
