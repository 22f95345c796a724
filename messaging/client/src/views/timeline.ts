import type { Applied, Hex, OpenedMessage } from '../sealed/client.ts'
import { takesAcknowledgement } from '../store/summary.ts'
import { day, dayNumber, number } from './format.ts'
import { isMemberChange } from './membership.ts'
import { type Authorities, renderMessage, renderNotice } from './message.ts'
import { clone, fill, slot, text } from './page.ts'

/** A line that is no item, and when it belongs: a change of somebody's keys. What weighs is not folded. */
export interface Beside {
  /** Unix seconds. */
  readonly at: number
  readonly isFolded: boolean
  readonly element: HTMLElement
}

/** The items of a thread on the page: days, messages, and what is no message folded between them. */
export class Timeline {
  /** Where the own principal was let in without what was before; 0 from the beginning. */
  joinedAt = 0
  readonly list: HTMLElement
  readonly #authorities: Authorities
  readonly #onAcknowledge: (message: OpenedMessage) => void
  readonly #elements = new Map<number, HTMLElement>()
  /** Adds to a message what is not its text. */
  onMessage: (element: HTMLElement, message: OpenedMessage) => void = () => undefined
  /** The newest item shown. */
  seq = 0
  readonly #unacknowledged = new Map<Hex, OpenedMessage>()
  #lastDay = 0
  #firstDay = 0
  /** Where lines are put: the end of the list, or what is going to stand before it. */
  #place: ParentNode
  /** The notices since the last message, and the element that shows them. */
  #quiet: { element: HTMLElement; notices: HTMLElement[] } | null = null
  /** What comes before the next item that is newer, oldest first. */
  #beside: Beside[] = []

  constructor(list: HTMLElement, authorities: Authorities, onAcknowledge: (message: OpenedMessage) => void) {
    this.list = list
    this.#place = list
    this.#authorities = authorities
    this.#onAcknowledge = onAcknowledge
  }

  /** A message, or the notice or fold that an item is part of. */
  element(seq: number): HTMLElement | undefined {
    return this.#elements.get(seq)
  }

  /** Lines to show before the first item that is newer, or at the end. */
  addBeside(lines: readonly Beside[]): void {
    this.#beside = [...this.#beside, ...lines].sort((one, other) => one.at - other.at)
  }

  add(applied: readonly Applied[]): void {
    for (const each of applied) {
      this.#addBesideBefore(each.at)
      if (each.type === 'message' && isShownWhole(each.message)) this.#addMessage(each.message)
      else this.#addNotice(each)
      this.seq = each.seq
    }
    this.#addBesideBefore(Number.POSITIVE_INFINITY)
  }

  /** Items that come before all that are shown. What is being read keeps its place. */
  addEarlier(applied: readonly Applied[]): void {
    const first = this.list.firstElementChild
    const top = first?.getBoundingClientRect().top ?? 0
    const [seq, lastDay, firstDay, quiet, beside] = [
      this.seq,
      this.#lastDay,
      this.#firstDay,
      this.#quiet,
      this.#beside,
    ]
    this.#beginAnew(new DocumentFragment())
    this.add(applied)
    // The day that the later ones began with has its line already.
    if (this.#lastDay === firstDay) this.list.querySelector('[data-day]')?.remove()
    this.list.prepend(this.#place as DocumentFragment)
    this.#place = this.list
    if (this.#firstDay === 0) this.#firstDay = firstDay
    ;[this.seq, this.#quiet, this.#beside] = [seq, quiet, beside]
    if (lastDay !== 0) this.#lastDay = lastDay
    if (first?.isConnected) scrollBy({ top: first.getBoundingClientRect().top - top, behavior: 'instant' })
  }

  /** Take everything off the page again; what has not been shown yet waits for the next items. */
  clear(): void {
    const beside = this.#beside
    this.list.replaceChildren()
    this.#elements.clear()
    this.#unacknowledged.clear()
    this.#beginAnew(this.list)
    this.#beside = beside
  }

  #beginAnew(place: ParentNode): void {
    this.#place = place
    this.seq = 0
    this.#lastDay = 0
    this.#firstDay = 0
    this.#quiet = null
    this.#beside = []
  }

  #addBesideBefore(at: number): void {
    while (this.#beside[0] && this.#beside[0].at <= at) {
      const { element, isFolded } = this.#beside.shift() as Beside
      if (isFolded) this.#fold(element)
      else {
        this.#place.append(element)
        this.#quiet = null
      }
    }
  }

  #addMessage(message: OpenedMessage): void {
    const today = dayNumber(message.receivedAt)
    if (today !== this.#lastDay) {
      const line = clone('day-line')
      fill(line, { words: day(message.receivedAt) })
      line.dataset.day = String(today)
      this.#place.append(line)
      this.#lastDay = today
      if (this.#firstDay === 0) this.#firstDay = today
    }
    const isBeforeUs = message.failed === 'cannot-open' && message.seq < this.joinedAt
    const acknowledge = () => this.#onAcknowledge(message)
    const element = renderMessage(message, this.#authorities, acknowledge, isBeforeUs)
    this.onMessage(element, message)
    this.#elements.set(message.seq, element)
    this.#unacknowledged.set(message.id, message)
    this.#place.append(element)
    this.#quiet = null
  }

  /** A first acknowledgement stands on the message itself, so it takes no line of its own. */
  #isShownAbove(applied: Applied): boolean {
    if (applied.type !== 'message' || applied.message.body?.type !== 'acknowledgement') return false
    const acknowledged = this.#unacknowledged.get(applied.message.body.of)
    if (acknowledged === undefined || acknowledged.isOwn === applied.message.isOwn) return false
    this.#unacknowledged.delete(acknowledged.id)
    this.#elements.set(applied.seq, this.#elements.get(acknowledged.seq) as HTMLElement)
    return true
  }

  #addNotice(applied: Applied): void {
    if (this.#isShownAbove(applied)) return
    const message = applied.type === 'message' ? applied.message : null
    const notice = renderNotice(applied, this.#authorities, () => message && this.#onAcknowledge(message))
    const isStep = message?.kind === 'stage'
    if (message && takesAcknowledgement(message)) this.#unacknowledged.set(message.id, message)
    if (isStep || isMemberChange(applied) || applied.type === 'withdrawal') {
      this.#place.append(notice)
      this.#elements.set(applied.seq, notice)
      this.#quiet = null
      return
    }
    this.#elements.set(applied.seq, this.#fold(notice))
  }

  /** Put a notice with those before it; returns the element that shows it. */
  #fold(notice: HTMLElement): HTMLElement {
    if (this.#quiet === null) {
      this.#quiet = { element: notice, notices: [notice] }
      this.#place.append(notice)
      return notice
    }
    const { element, notices } = this.#quiet
    notices.push(notice)
    const fold = notices.length === 2 ? clone('thread-notices') : element
    if (fold !== element) element.replaceWith(fold)
    fill(fold, { words: text('notices', { count: number(notices.length) }) })
    slot(fold, 'list').append(...(fold === element ? [notice] : notices))
    this.#quiet.element = fold
    return fold
  }

  /** Draw the line above the first message of the others after `seq`; it stays where it is. */
  drawUnreadLine(messages: readonly OpenedMessage[], seq: number): void {
    const first = messages.find((message) => !message.isOwn && message.seq > seq && message.kind === 'note')
    if (first) this.#elements.get(first.seq)?.before(clone('unread-line'))
  }
}

/** A note, and what says that it is something else and is not (M5): it must not pass for that. */
const isShownWhole = ({ kind, failed }: OpenedMessage): boolean =>
  kind === 'note' || (failed !== null && !['cannot-open', 'wrong-facts', 'wrong-ground'].includes(failed))
