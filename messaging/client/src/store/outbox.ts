import type { SealedMessage } from '../generated/protocol.ts'
import type { NoteInput, Sealed, StepInput, TermsJson } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { retryDelay } from '../transport/backoff.ts'
import { Failure } from '../transport/failure.ts'
import type { Socket } from '../transport/socket.ts'
import type { Base64, Hex, SendResult } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { isTried, type OutboxEntry } from './store.ts'

/** What the outbox keeps sealed beside each entry, to show it and to seal it again. */
export type Copy = {
  to: { authority: string; principal: Hex } | null
  note: NoteInput | null
  of: { id: Hex; seq: number } | null
  /** A signed statement; `terms`: of a mandate. */
  statement?: { statement: Base64; terms: TermsJson | null } | null
  /** A step in a case. */
  step?: StepInput | null
}

const RESEALS = 3

// What can be sealed later, when more has been fetched: until then the text waits, sealed to the own mailbox.
const LATER = ['not-verified', 'stale-checkpoint', 'not-logged']

// The keys or the thread moved on between sealing and arriving: learn, and seal anew.
const OUTDATED = new Set([
  'stale-epoch',
  'stale-author-keyring',
  'stale-member-keyring',
  'stale-transcript',
  'wrong-epoch',
])

// In milliseconds. What an officer wrote is to be stored before patience ends, and the tab may be closed.
const CATCH_UP_WITHIN = 5_000

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

  /** Seal and queue a step in the case. Raises `Refused`. */
  addStep(thread: Hex, step: StepInput): Promise<void> {
    return this.#add(thread, 'step', { to: null, note: null, of: null, step })
  }

  /** Seal and queue a signed statement, for the others or for the own ledger. Raises `Refused`. */
  addStatement(thread: Hex, statement: Base64, terms: TermsJson | null = null): Promise<void> {
    return this.#add(thread, 'statement', { to: null, note: null, of: null, statement: { statement, terms } })
  }

  /** Seal and queue a new thread with its first note; returns its id, until `onMoved`. Raises `Refused`. */
  async addThread(authority: string, principal: Hex, note: NoteInput): Promise<Hex> {
    const entry = await this.#makeThread({ to: { authority, principal }, note, of: null })
    void this.flush()
    return entry.thread
  }

  /** Open a thread in which nothing is written yet, for files that go with its first message; returns its id.
   *  Raises `Refused`; `Failure` without an answer. */
  async openEmpty(authority: string, principal: Hex, kind: 'case' | 'direct' = 'case'): Promise<Hex> {
    for (let attempt = 0; ; attempt += 1) {
      await this.#within.learnKeyring(principal)
      await this.#within.makeReady([this.#within.principal, principal])
      const empty = { authority, to: principal, note: null, kind }
      const { thread, body } = await this.#within.mailbox.openThread(empty)
      try {
        await this.#within.rest.post('threads', body)
        await this.#within.reading(thread).load()
        return thread
      } catch (error) {
        const isOutdated = error instanceof Failure && OUTDATED.has(error.code) && attempt < RESEALS
        if (!isOutdated) throw error
      }
    }
  }

  /** Try everything that waits. `again` also tries what the server had refused, sealed anew. */
  async flush(again = false): Promise<void> {
    clearTimeout(this.#retry)
    try {
      await this.#sendAll(again)
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

  /** Give up an entry that the server refused or was never sent; its text is returned for the composer. Null when it
   *  is on its way, or may have arrived. */
  async takeBack(id: Hex): Promise<Copy | null> {
    const { store } = this.#within
    const thread = (await store.outboxEntry(id))?.thread
    if (thread === undefined) return null
    const copy = await this.#within.sending(thread, async () => {
      const entry = await store.outboxEntry(id)
      if (entry === undefined || (entry.problem === null && isTried(entry))) return null
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

  async #add(thread: Hex, kind: Exclude<OutboxEntry['kind'], 'thread'>, copy: Copy): Promise<void> {
    await this.#catchUp(thread)
    const later = (await this.#hasLooked(thread)) ? LATER : [...LATER, 'not-compared']
    try {
      await this.#make({ thread, kind }, copy)
    } catch (error) {
      if (!(error instanceof Refused && later.includes(error.code))) throw error
      await this.#within.writing(() => this.#store({ id: randomId(), thread, kind, body: null }, copy))
    }
    this.onChange()
    void this.flush()
  }

  // Before sealing, the thread is verified to its end and its keys are those of today (M9, T4). Without a line, or
  // with one that does not answer soon, the last verified state serves; the server's answer decides.
  async #catchUp(thread: Hex): Promise<void> {
    if (!this.#socket.isOpen) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const soon = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CATCH_UP_WITHIN)
    })
    await Promise.race([this.#askForNewest(thread), soon]).finally(() => clearTimeout(timer))
  }

  async #askForNewest(thread: Hex): Promise<void> {
    try {
      await this.#within.reading(thread).sync()
      await this.#makeReady(thread)
      if (this.#within.mailbox.needsRefresh(thread)) await this.#renewKeys(thread)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }

  /** K8: whether it is known how far the members are known; not without a line. */
  async #hasLooked(thread: Hex): Promise<boolean> {
    const members = this.#within.mailbox.thread(thread)?.members ?? []
    try {
      await this.#within.look(members.map(({ principal }) => principal))
      return true
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return false
    }
  }

  /** M9: the log is followed, and has the newest keys of all members. */
  #makeReady(thread: Hex): Promise<void> {
    const members = this.#within.mailbox.thread(thread)?.members ?? []
    return this.#within.makeReady(members.map(({ principal }) => principal))
  }

  /** Seal and store an entry, in the place of `replaces` if given. */
  #make({ thread, kind }: Pick<OutboxEntry, 'thread' | 'kind'>, copy: Copy, replaces?: OutboxEntry) {
    return this.#within.writing(async () => {
      const isStopped = this.#within.reading(thread).alarm !== null
      if (isStopped) throw new Refused('T8', 'thread-stopped', 'the thread stands still')
      this.#within.log.insistUnrefused()
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
    await this.#within.makeReady([this.#within.principal, to.principal])
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
    if (copy.step) return (await mailbox.cases()).seal(thread, copy.step)
    if (copy.statement) return mailbox.sealStatement(thread, copy.statement.statement, copy.statement.terms)
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
    const threads = new Set((await this.#within.store.outbox()).map(({ thread }) => thread))
    const sending = [...threads].map((thread) =>
      this.#within.sending(thread, () => this.#sendThread(thread, again)),
    )
    for (const end of await Promise.allSettled(sending)) if (end.status === 'rejected') throw end.reason
  }

  async #sendThread(thread: Hex, again: boolean): Promise<void> {
    const { store } = this.#within
    const waiting = (await store.outbox()).filter((entry) => entry.thread === thread)
    // Each as it stands when its turn comes: another tab may have sealed it anew or taken it back.
    for (const { id } of waiting) {
      const entry = await store.outboxEntry(id)
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
        entry = await this.#markTried(entry)
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
      const add = { ...entry, body: null, problem: null, tried: false }
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
    await this.#makeReady(entry.thread)
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

  /** From here on it may have arrived, whatever is heard. Raises `Failure` while the device knows of no line. */
  async #markTried(entry: OutboxEntry): Promise<OutboxEntry> {
    if (globalThis.navigator?.onLine === false && !this.#socket.isOpen) throw new Failure('no-answer')
    if (isTried(entry)) return entry
    const tried = { ...entry, tried: true }
    await this.#within.writing(() => this.#within.store.saveSealed(this.#within.nextState(), { add: tried }))
    return tried
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
