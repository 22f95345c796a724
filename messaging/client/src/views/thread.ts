import type { Applied, ItemJson, OpenedMessage } from '../sealed/client.ts'
import { type Draft, DraftKeeper } from '../store/drafts.ts'
import type { Copy } from '../store/outbox.ts'
import type { Reading } from '../store/reading.ts'
import { acknowledgementsOf, messagesOf, type OtherSide, standing, summarise } from '../store/summary.ts'
import { retryDelay } from '../transport/backoff.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, Progress, ThreadRow } from '../transport/wire.ts'
import { Arrivals } from './arrivals.ts'
import { Composer } from './composer.ts'
import { confirmDelivery, recordOpened, takeDelivery, takeKeyring } from './deliveries.ts'
import {
  type Authorities,
  renderAcknowledged,
  renderMessage,
  renderNotice,
  renderStanding,
  renderWaiting,
} from './message.ts'
import { announce, byId, fill, show, text } from './page.ts'
import { renderParty } from './parties.ts'
import { sentenceFor, showProblem } from './problem.ts'
import { type Mailroom, openMailroom } from './session.ts'

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
  readonly #list = byId('messages')
  readonly #arrivals = new Arrivals(this.#list, () => void this.#markOpened())
  readonly #composer: Composer
  readonly #keeper: DraftKeeper
  readonly #authorities: Authorities = new Map()
  readonly #elements = new Map<number, HTMLElement>()
  readonly #acknowledging = new Set<Hex>()
  #row: ThreadRow
  #other: OtherSide = { deliveredSeq: 0, opened: null }
  #openedSeq = 0

  constructor(mailroom: Mailroom, row: ThreadRow) {
    this.#mailroom = mailroom
    this.#row = row
    this.#id = row.thread
    this.#reading = mailroom.correspondence.reading(row.thread)
    this.#keeper = new DraftKeeper(mailroom.correspondence, row.thread)
    this.#composer = new Composer(this.#keeper)
    mailroom.session.beforeLeaving = () => this.#composer.settle()
    this.#composer.onSend = (note) => mailroom.outbox.addNote(this.#id, note)
  }

  async start(): Promise<void> {
    const { session, outbox, correspondence } = this.#mailroom
    for (const member of this.#row.members) this.#authorities.set(member.principal, member.authority)
    this.#openedSeq = this.#own()?.opened_seq ?? 0
    const unreadAfter = this.#openedSeq
    this.#listen()
    await this.#reading.load(this.#row.seq)
    await correspondence.checkMembers(this.#row)
    this.#add(this.#reading.applied)
    await this.#takeProgress(this.#row.progress)
    this.#describe()
    // Beside the messages where there is room; else closed, so that the messages come first.
    byId<HTMLDetailsElement>('parties-fold').open = matchMedia('(min-width: 60rem)').matches
    show(byId('loading'), false)
    show(byId('thread'), true)
    this.#goTo(unreadAfter)
    outbox.onChange = () => void this.#outboxChanged()
    session.socket.connect()
    await this.#outboxChanged()
    await this.#restoreDraft()
    void outbox.flush()
    await this.#seen()
  }

  #listen(): void {
    const { session, outbox } = this.#mailroom
    session.hear = {
      'messaging.item.appended': (item) => {
        if (item.thread !== this.#id) return void takeDelivery(this.#mailroom, item)
        void this.#receive(item).catch((error) => this.#orAgain(error))
      },
      'messaging.keyring.grew': ({ principal }) => void takeKeyring(this.#mailroom, principal),
      'messaging.progress.made': (progress) => {
        if (progress.thread === this.#id) void this.#takeProgress([progress])
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
  }

  #own(): Progress | undefined {
    return this.#row.progress.find((each) => each.principal === this.#mailroom.correspondence.principal)
  }

  /** The other side first: its digits are those to compare. */
  #parties(): ThreadRow['members'] {
    const { principal } = this.#mailroom.correspondence
    return this.#row.members.toSorted((one) => (one.principal === principal ? 1 : -1))
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
    const fresh = this.#reading.applied.filter((applied) => !this.#elements.has(applied.seq))
    if (fresh.length > 0) {
      const wasAtEnd = this.#arrivals.wasAtEnd()
      this.#add(fresh)
      const foreign = messagesOf(fresh).filter((message) => !message.isOwn).length
      if (foreign > 0) this.#arrivals.added(foreign, wasAtEnd)
    }
    this.#describe()
    this.#showStandings()
    await this.#seen()
  }

  #add(applied: readonly Applied[]): void {
    for (const each of applied) {
      const element =
        each.type === 'message' && each.message.kind === 'note'
          ? renderMessage(each.message, this.#authorities, () => void this.#acknowledge(each.message))
          : renderNotice(each, this.#authorities)
      this.#elements.set(each.seq, element)
      this.#list.append(element)
    }
  }

  async #takeProgress(progress: readonly Progress[]): Promise<void> {
    const { correspondence } = this.#mailroom
    for (const each of progress) {
      if (each.principal === correspondence.principal) {
        this.#openedSeq = Math.max(this.#openedSeq, each.opened_seq)
        continue
      }
      const opened = await correspondence.openedBy(this.#id, each)
      this.#other = {
        deliveredSeq: Math.max(this.#other.deliveredSeq, each.delivered_seq),
        opened: opened ?? this.#other.opened,
      }
    }
    this.#showStandings()
  }

  #showStandings(): void {
    const acknowledgements = acknowledgementsOf(this.#reading.applied)
    for (const message of messagesOf(this.#reading.applied)) {
      const element = this.#elements.get(message.seq)
      if (element === undefined || message.kind !== 'note') continue
      if (message.isOwn) renderStanding(element, standing(message, acknowledgements, this.#other))
      else renderAcknowledged(element, acknowledgements.get(message.id), this.#acknowledging.has(message.id))
    }
  }

  #describe(): void {
    const { correspondence } = this.#mailroom
    const summary = summarise(this.#reading.applied, this.#openedSeq)
    const subject = summary.subject ?? text('no-subject')
    byId('subject').textContent = subject
    fill(byId('references'), { own: summary.ownReference ?? '—', foreign: summary.foreignReference ?? '—' })
    this.#prefill('own_reference', summary.ownReference)
    this.#prefill('foreign_reference', summary.foreignReference)
    byId('parties').replaceChildren(
      ...this.#parties().map((member) => {
        const isOwn = member.principal === correspondence.principal
        return renderParty(member, correspondence.mailbox.keyring(member.principal), isOwn)
      }),
    )
    this.#showAlarm()
  }

  #prefill(name: 'own_reference' | 'foreign_reference', reference: string | null): void {
    if (reference !== null && this.#composer.get(name) === '') this.#composer.set({ [name]: reference })
  }

  #showAlarm(): void {
    const alarm = this.#reading.alarm
    show(byId('alarm'), alarm !== null)
    this.#composer.enable(alarm === null)
    byId('thread').classList.toggle('is-stopped', alarm !== null)
    if (alarm === null) return
    byId('alarm-words').textContent = sentenceFor(alarm.code)
    byId('alarm-place').textContent = `${alarm.rule} ${alarm.code}, ${alarm.seq}`
  }

  #goTo(unreadAfter: number): void {
    if (this.#reading.alarm) return
    const messages = messagesOf(this.#reading.applied)
    const target = messages.find((message) => !message.isOwn && message.seq > unreadAfter) ?? messages.at(-1)
    const element = target && this.#elements.get(target.seq)
    if (element && element.getBoundingClientRect().top > innerHeight * 0.6)
      element.scrollIntoView({ block: 'center' })
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

  async #outboxChanged(): Promise<void> {
    const { outbox } = this.#mailroom
    const entries = await outbox.entries(this.#id)
    this.#acknowledging.clear()
    for (const { copy } of entries) if (copy?.of) this.#acknowledging.add(copy.of.id)
    const actions = (id: Hex) => ({
      onRetry: () => void outbox.flush(true),
      onTakeBack: () => void this.#takeBack(id),
    })
    const notes = entries.filter(({ entry }) => entry.kind !== 'acknowledgement' || entry.problem !== null)
    byId('waiting').replaceChildren(
      ...notes.map(({ entry, copy }) => renderWaiting(entry, copy, actions(entry.id))),
    )
    show(byId('retry-row'), entries.length > 0)
    await this.#grown()
  }

  async #takeBack(id: Hex): Promise<void> {
    const copy: Copy | null = await this.#mailroom.outbox.takeBack(id)
    if (!copy?.note) return
    this.#composer.set({ text: [copy.note.text, this.#composer.get('text')].filter(Boolean).join('\n\n') })
    this.#composer.changed()
  }

  async #restoreDraft(): Promise<void> {
    const draft: Draft | null = await this.#keeper.load()
    if (draft?.text && this.#composer.get('text') === '') this.#composer.restore(draft)
  }

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
    const element = this.#elements.get(last.seq)
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
