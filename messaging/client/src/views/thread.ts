import type { ItemJson, OpenedMessage } from '../sealed/client.ts'
import { summaryOf } from '../store/cards.ts'
import { type Draft, DraftKeeper } from '../store/drafts.ts'
import type { Copy, Outbox } from '../store/outbox.ts'
import type { Reading } from '../store/reading.ts'
import {
  acknowledgementsOf,
  messagesOf,
  nextLanguage,
  standing,
  summarise,
  takesAcknowledgement,
} from '../store/summary.ts'
import { retryDelay } from '../transport/backoff.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, Progress, ThreadRow } from '../transport/wire.ts'
import { Acknowledging } from './acknowledging.ts'
import { Arrivals } from './arrivals.ts'
import { Composer } from './composer.ts'
import { confirmDelivery, recordOpened, takeDelivery, takeKeyring } from './deliveries.ts'
import { offerEvidence } from './evidence.ts'
import type { FormalMarks } from './formal_marks.ts'
import { renderHandling } from './handling.ts'
import { inTurn } from './in_turn.ts'
import { beginAskedLetter, offerLetters } from './letters.ts'
import { isMemberChange, joinedAt, partOf, principalsOf } from './membership.ts'
import {
  type Authorities,
  renderAcknowledged,
  renderStanding,
  renderUnanchored,
  renderWaiting,
} from './message.ts'
import { OthersProgress } from './others_progress.ts'
import { announce, byId, show, slot, text } from './page.ts'
import { sentenceFor, showProblem } from './problem.ts'
import { RareParts } from './rare_parts.ts'
import { type Mailroom, openMailroom } from './session.ts'
import { ThreadFiles } from './thread_files.ts'
import { ThreadHead } from './thread_head.ts'
import { ThreadKeys } from './thread_keys.ts'
import { ThreadWindow } from './thread_window.ts'
import { Timeline } from './timeline.ts'

export async function showThread(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom === null) return
  const id = document.body.dataset.thread ?? ''
  const row = await mailroom.correspondence.thread(id)
  await new ThreadView(mailroom, row).start()
}

class ThreadView {
  readonly #mailroom: Mailroom
  readonly #id: Hex
  readonly #reading: Reading
  readonly #head: ThreadHead
  readonly #timeline: Timeline
  readonly #window: ThreadWindow
  readonly #keys: ThreadKeys
  readonly #others: OthersProgress
  readonly #rare: RareParts
  readonly #arrivals: Arrivals
  readonly #composer: Composer
  readonly #files: ThreadFiles
  readonly #keeper: DraftKeeper
  readonly #authorities: Authorities = new Map()
  readonly #asking = new Acknowledging((message) => this.#acknowledge(message))
  readonly #acknowledging = new Set<Hex>()
  /** In direct contact: what is to be asked for by a request. */
  #formal: FormalMarks | null = null
  readonly #showOutbox = inTurn(() => this.#readOutbox())
  /** Something was sent from this page and has not been shown as waiting. */
  #isSent = false
  #outbox: Awaited<ReturnType<Outbox['entries']>> = []
  #row: ThreadRow
  #openedSeq = 0

  constructor(mailroom: Mailroom, row: ThreadRow) {
    this.#mailroom = mailroom
    this.#row = row
    this.#id = row.thread
    this.#reading = mailroom.correspondence.reading(row.thread)
    this.#head = new ThreadHead(mailroom.correspondence)
    this.#timeline = new Timeline(byId('messages'), this.#authorities, (message) => this.#ask(message))
    this.#window = new ThreadWindow(this.#reading, this.#timeline)
    this.#window.onShown = () => this.#showAgain()
    this.#keys = new ThreadKeys(mailroom.correspondence, this.#timeline)
    this.#others = new OthersProgress(mailroom.correspondence, this.#reading)
    this.#rare = new RareParts(mailroom, this.#reading)
    this.#arrivals = new Arrivals(byId('messages'), () => void this.#markOpened())
    this.#keeper = new DraftKeeper(mailroom.correspondence, row.thread)
    this.#composer = new Composer(this.#keeper)
    this.#files = new ThreadFiles(mailroom.correspondence, row.thread, () => this.#composer.changed())
    this.#composer.files = this.#files
    this.#timeline.onMessage = (element, message) => {
      this.#files.show(element, message)
      this.#rare.showMoment(element, message, this.#row)
    }
    this.#composer.onUrgency = (place) => this.#rare.showReach(place, this.#row)
    mailroom.session.beforeLeaving = () => this.#composer.settle()
    this.#composer.onSend = async (note) => {
      this.#isSent = true
      await mailroom.outbox.addNote(this.#id, note)
    }
  }

  async start(): Promise<void> {
    const { session, outbox, correspondence } = this.#mailroom
    for (const member of this.#row.members) this.#authorities.set(member.principal, member.authority)
    this.#openedSeq = this.#own()?.opened_seq ?? 0
    const unreadAfter = this.#openedSeq
    this.#listen()
    const card = await correspondence.cards.read(this.#row)
    if ((await this.#window.glimpse(correspondence, this.#row)) && card.text)
      this.#head.show(this.#row, summaryOf(card.text, unreadAfter), false)
    await this.#reading.load(this.#row.seq)
    await correspondence.checkMembers(this.#row)
    if (card.standing !== 'current') correspondence.cards.note(this.#id)
    this.#showKeys()
    this.#nameMembers()
    this.#timeline.joinedAt = joinedAt(this.#reading.applied, correspondence.principal)
    const isAsBefore = this.#window.begin(unreadAfter)
    this.#timeline.drawUnreadLine(messagesOf(this.#reading.applied), unreadAfter)
    await this.#takeProgress(this.#row.progress)
    this.#describe()
    this.#outbox = await outbox.entries(this.#id)
    this.#composer.proposeLanguage(this.#languageWaiting() ?? nextLanguage(this.#reading.applied))
    show(byId('loading'), false)
    show(byId('thread'), true)
    this.#rare.showJoining()
    void this.#look() // after what is to be read: on a weak line one waits for the other
    if (!isAsBefore) this.#goTo(unreadAfter)
    outbox.onChange = () => void this.#showOutbox()
    session.socket.connect()
    await this.#showOutbox()
    await this.#restoreDraft()
    await beginAskedLetter(session.rest, this.#composer)
    if (this.#row.kind === 'direct') await this.#markFormal()
    void outbox.flush()
    await this.#seen()
  }

  async #markFormal(): Promise<void> {
    const { FormalMarks } = await import('./formal_marks.ts')
    this.#formal = new FormalMarks({
      outbox: this.#mailroom.outbox,
      reading: this.#reading,
      row: () => this.#row,
      own: this.#mailroom.correspondence.principal,
      element: (seq) => this.#timeline.element(seq),
      writes: () => !byId('composer').hidden,
      language: () => this.#composer.get('language'),
      onProblem: (error) => showProblem(byId('thread-problem'), error),
    })
    this.#formal.show()
  }

  #listen(): void {
    const { session, outbox } = this.#mailroom
    offerLetters(session.rest, this.#composer)
    session.hear = {
      'messaging.item.appended': (item) => {
        if (item.thread !== this.#id) return void takeDelivery(this.#mailroom, item)
        void this.#receive(item).catch((error) => this.#orAgain(error))
      },
      'messaging.keyring.grew': ({ principal }) => void this.#learnKeys(principal),
      'messaging.progress.made': (progress) => {
        if (progress.thread === this.#id) void this.#takeProgress([progress])
      },
      'messaging.thread.assigned': ({ thread, principal, handler }) => {
        if (thread !== this.#id) return
        for (const member of this.#row.members) if (member.principal === principal) member.handler = handler
        this.#describe()
      },
    }
    session.onOpen = () => {
      void outbox.flush()
      // An event may have been heard, and its item not fetched, when the line broke.
      this.#catchUpSoon()
    }
    session.onReload = () => this.#catchUpSoon()
    document.addEventListener('visibilitychange', () => void this.#markOpened())
    byId('retry').addEventListener('click', () => void outbox.flush(true))
    byId('take-thread').addEventListener('click', () => void this.#take())
  }

  async #learnKeys(principal: Hex): Promise<void> {
    await takeKeyring(this.#mailroom, principal)
    await this.#look()
  }

  /** K8: how far the others are known. */
  async #look(): Promise<void> {
    const others = this.#row.members.map(({ principal }) => principal)
    await this.#mailroom.correspondence.look(others).catch(orLater)
    this.#head.asked()
    this.#describe()
    this.#showKeys()
    this.#timeline.add([])
  }

  /** What happened to the keys of those in here since the thread began. */
  #showKeys(): void {
    this.#keys.show(this.#row, this.#reading.applied[0]?.at ?? Number.POSITIVE_INFINITY)
  }

  /** Earlier items have come to the page. */
  #showAgain(): void {
    this.#showStandings()
    this.#describe()
  }

  #own(): Progress | undefined {
    return this.#row.progress.find((each) => each.principal === this.#mailroom.correspondence.principal)
  }

  async #receive(item: ItemJson): Promise<void> {
    await this.#reading.receive(item)
    await this.#grown()
  }

  async #catchUp(): Promise<void> {
    await this.#reading.sync()
    await this.#grown()
    this.#row = await this.#mailroom.correspondence.thread(this.#id)
    await this.#takeProgress(this.#row.progress)
  }

  /** Without an answer: after the next connection, or a little later when the line is open. */
  #orAgain(error: unknown): void {
    orLater(error)
    if (!this.#mailroom.session.socket.isOpen) return
    setTimeout(() => this.#catchUpSoon(), retryDelay(3))
  }

  #catchUpSoon(): void {
    void this.#catchUp().catch((error) => this.#orAgain(error))
  }

  /** Show what was applied since the last look, without moving what is being read. */
  async #grown(): Promise<void> {
    const fresh = this.#reading.applied.filter((applied) => applied.seq > this.#timeline.seq)
    if (fresh.length > 0) {
      const wasAtEnd = this.#arrivals.wasAtEnd()
      if (fresh.some(isMemberChange)) await this.#learnMembers()
      this.#timeline.add(fresh)
      this.#rare.showJoining()
      const foreign = messagesOf(fresh).filter((message) => !message.isOwn).length
      if (foreign > 0) this.#arrivals.added(foreign, wasAtEnd)
      this.#showWaiting()
    }
    this.#describe()
    this.#showStandings()
    await this.#seen()
  }

  /** Who is in the thread now, after somebody came or went. */
  async #learnMembers(): Promise<void> {
    this.#row = await this.#mailroom.correspondence.thread(this.#id)
    for (const member of this.#row.members) this.#authorities.set(member.principal, member.authority)
    this.#nameMembers()
  }

  /** The names of those who were here once: their verified keyrings have them. */
  #nameMembers(): void {
    const { mailbox } = this.#mailroom.correspondence
    for (const principal of principalsOf(this.#reading.applied)) {
      const authority = mailbox.keyring(principal)?.authority
      if (!authority || this.#authorities.has(principal)) continue
      const { id, name, state = null, state_name = null } = authority
      this.#authorities.set(principal, { id, name, state, state_name })
    }
  }

  async #takeProgress(progress: readonly Progress[]): Promise<void> {
    const { correspondence } = this.#mailroom
    for (const each of progress) {
      this.#row.progress = [...this.#row.progress.filter((one) => one.principal !== each.principal), each]
      if (each.principal === correspondence.principal)
        this.#openedSeq = Math.max(this.#openedSeq, each.opened_seq)
      else await this.#others.take(each)
    }
    this.#showStandings()
  }

  #showStandings(): void {
    const acknowledgements = acknowledgementsOf(this.#reading.applied)
    const newest = this.#unacknowledged().at(-1)
    for (const message of messagesOf(this.#reading.applied)) {
      const element = this.#timeline.element(message.seq)
      if (element === undefined || !takesAcknowledgement(message)) continue
      if (message.isOwn)
        renderStanding(
          element,
          standing(message, acknowledgements, this.#others.of(message.seq, this.#row.members)),
        )
      else renderAcknowledged(element, acknowledgements.get(message.id), this.#acknowledging.has(message.id))
      slot(element, 'acknowledge').classList.toggle('primary', message === newest)
    }
    this.#rare.showPressing(this.#row, (seq) => this.#timeline.element(seq))
  }

  #describe(): void {
    const summary = summarise(this.#reading.applied, this.#openedSeq)
    this.#head.show(this.#row, summary, this.#reading.alarm !== null)
    this.#prefill('own_reference', summary.ownReference)
    this.#prefill('foreign_reference', summary.foreignReference)
    for (const message of messagesOf(this.#reading.applied)) {
      const element = this.#timeline.element(message.seq)
      if (element && message.kind === 'note')
        renderHandling(element, message, message.seq >= summary.openFrom)
    }
    this.#formal?.show()
    this.#showUnanchored()
    this.#showAlarm()
  }

  /** M8: what a removed device may have written later than it says. */
  #showUnanchored(): void {
    for (const seq of this.#mailroom.correspondence.mailbox.unanchored(this.#id)) {
      const element = this.#timeline.element(seq)
      if (element) renderUnanchored(element)
    }
  }

  #prefill(name: 'own_reference' | 'foreign_reference', reference: string | null): void {
    if (reference !== null && this.#composer.get(name) === '') this.#composer.set({ [name]: reference })
  }

  #showAlarm(): void {
    const alarm = this.#reading.alarm
    show(byId('alarm'), alarm !== null)
    const part = partOf(this.#mailroom.correspondence.mailbox.thread(this.#id), this.#mailroom.correspondence)
    this.#composer.enable(alarm === null && part === 'writes')
    show(byId('composer'), part === 'writes')
    show(byId('has-left'), part === 'left')
    show(byId('reads-along'), part === 'reads')
    byId('thread').classList.toggle('is-stopped', alarm !== null)
    show(byId('take-step'), alarm === null && part === 'writes' && this.#row.kind === 'case')
    show(byId('see-draft'), this.#rare.hasDraft(this.#row))
    if (alarm === null) return
    byId('alarm-words').textContent = sentenceFor(alarm.code)
    byId('alarm-place').textContent = `${alarm.rule} ${alarm.code}, ${alarm.seq}`
    void offerEvidence(this.#mailroom.correspondence, this.#id, alarm)
  }

  #goTo(unreadAfter: number): void {
    if (this.#reading.alarm) return
    const messages = messagesOf(this.#reading.applied).filter(({ kind }) => kind === 'note')
    const target = messages.find((message) => !message.isOwn && message.seq > unreadAfter) ?? messages.at(-1)
    const element = target && this.#timeline.element(target.seq)
    if (element && element.getBoundingClientRect().top > innerHeight * 0.6)
      element.scrollIntoView({ block: 'center' })
    this.#arrivals.look()
  }

  /** Say that the person at this desk handles the thread from now on; the event that follows shows it. */
  async #take(): Promise<void> {
    try {
      await this.#mailroom.session.rest.post(`threads/${this.#id}/handler`, {})
      announce(text('thread-taken'))
    } catch (error) {
      showProblem(byId('thread-problem'), error)
    }
  }

  // ---------------------------------------------------------------- acknowledging

  #unacknowledged(): OpenedMessage[] {
    const acknowledgements = acknowledgementsOf(this.#reading.applied)
    return messagesOf(this.#reading.applied).filter(
      (message) =>
        !message.isOwn &&
        takesAcknowledgement(message) &&
        message.failed === null &&
        !acknowledgements.has(message.id) &&
        !this.#acknowledging.has(message.id),
    )
  }

  #ask(message: OpenedMessage): void {
    const element = this.#timeline.element(message.seq)
    if (element) this.#asking.ask(element, message)
  }

  async #acknowledge(message: OpenedMessage): Promise<void> {
    this.#acknowledging.add(message.id)
    this.#showStandings()
    try {
      await this.#mailroom.outbox.addAcknowledgement(this.#id, { id: message.id, seq: message.seq })
      announce(text('acknowledgement-waiting'))
    } catch (error) {
      this.#acknowledging.delete(message.id)
      this.#showStandings()
      showProblem(byId('thread-problem'), error)
    }
  }

  // ---------------------------------------------------------------- what waits to be sent

  async #readOutbox(): Promise<void> {
    this.#outbox = await this.#mailroom.outbox.entries(this.#id)
    this.#acknowledging.clear()
    for (const { copy } of this.#outbox) if (copy?.of) this.#acknowledging.add(copy.of.id)
    this.#showWaiting()
    await this.#grown()
  }

  /** Show what is not yet in the thread: whose answer is late may be there already, and is shown once. */
  #showWaiting(): void {
    const { outbox } = this.#mailroom
    const arrived = new Set(messagesOf(this.#reading.applied).map((message) => message.id))
    const written = this.#outbox.filter(({ entry }) => entry.kind !== 'statement')
    const waiting = written.filter(({ entry }) => !arrived.has(entry.id))
    const notes = waiting.filter(({ entry }) => entry.kind !== 'acknowledgement' || entry.problem !== null)
    const actions = (id: Hex) => ({
      onRetry: () => void outbox.flush(true),
      onTakeBack: () => void this.#takeBack(id),
    })
    const list = byId('waiting')
    const isNew = this.#isSent && notes.length > list.childElementCount
    list.replaceChildren(...notes.map(({ entry, copy }) => renderWaiting(entry, copy, actions(entry.id))))
    show(byId('retry-row'), waiting.length > 0)
    if (!isNew) return
    this.#isSent = false
    list.lastElementChild?.scrollIntoView({ block: 'nearest' }) // where the text went that was just sent
  }

  /** What was written last may not have left yet. */
  #languageWaiting(): string | null {
    return this.#outbox.findLast(({ copy }) => copy?.note)?.copy?.note?.language ?? null
  }

  async #takeBack(id: Hex): Promise<void> {
    const copy: Copy | null = await this.#mailroom.outbox.takeBack(id)
    if (copy?.step) {
      const { keepAsDraft } = await import('./step_draft.ts')
      await keepAsDraft(this.#mailroom.correspondence, this.#id, copy.step)
      location.assign(`/threads/${this.#id}/step/`)
    }
    if (!copy?.note) return
    this.#composer.setNote(copy.note)
    this.#composer.changed()
    byId('text').focus()
  }

  async #restoreDraft(): Promise<void> {
    const draft: Draft | null = await this.#keeper.load()
    if ((draft?.text || hasFiles(draft)) && this.#composer.get('text') === '') this.#composer.restore(draft)
  }

  // ---------------------------------------------------------------- what was seen

  async #seen(): Promise<void> {
    this.#mailroom.correspondence.saveSoon()
    if ((this.#own()?.delivered_seq ?? 0) < this.#reading.seq) {
      await confirmDelivery(this.#mailroom, this.#id, this.#reading.seq)
    }
    await this.#markOpened()
  }

  /** Say that the thread was opened, once the last foreign message has really been on the screen. */
  async #markOpened(): Promise<void> {
    const last = messagesOf(this.#reading.applied).findLast((message) => !message.isOwn)
    if (last === undefined || document.hidden || last.seq <= this.#openedSeq || this.#reading.alarm) return
    const element = this.#timeline.element(last.seq)
    if (element === undefined || element.getBoundingClientRect().top > innerHeight) return
    const before = this.#openedSeq
    this.#openedSeq = this.#reading.seq
    try {
      await recordOpened(this.#mailroom, this.#id)
    } catch {
      // Cumulative: the next look says it again.
      this.#openedSeq = before
    }
  }
}

const hasFiles = (draft: Draft | null): draft is Draft =>
  typeof draft?.files === 'string' && draft.files !== '[]'
