import type { Summary } from '../store/summary.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'
import { dueDate, dueOf, folded, number, setTime, shortTime } from './format.ts'
import { dueBadge, urgencyBadge } from './handling.ts'
import { clone, fill, show, slot, text } from './page.ts'
import { nameOfStage } from './stage_name.ts'
import type { Hit } from './text_search.ts'
import type { Facts } from './thread_filters.ts'

/** A thread in the list: what the server says of it at once, what it says itself when it was opened here. */
export class Row implements Facts {
  readonly element = clone('thread-row')
  thread: ThreadRow
  summary: Summary | null = null
  isStopped = false
  isMine = false
  /** Whom the thread is with. */
  counterpart: Hex | null = null
  /** What a search goes through. */
  #found = ''
  #hit: Hit | null = null

  constructor(thread: ThreadRow) {
    this.thread = thread
  }

  get link(): HTMLAnchorElement {
    return slot<HTMLAnchorElement>(this.element, 'link')
  }

  get changedAt(): number {
    return this.thread.changed_at
  }

  update(thread: ThreadRow, { principal, person }: { principal: Hex; person: string }): void {
    this.thread = thread
    const others = thread.members.filter((member) => member.principal !== principal)
    const [other] = others
    const parties = others.filter(({ role }) => role === 'party')
    const states = new Set(parties.map(({ authority }) => authority.state_name ?? authority.name))
    const isOfSeveral = states.size > 1
    this.counterpart = other?.principal ?? null
    const handler = thread.members.find((member) => member.principal === principal)?.handler
    this.isMine = handler?.person === person
    const until = dueOf(thread.kept?.until ?? '')
    this.link.href = `/threads/${thread.thread}/`
    fill(this.element, {
      authority: isOfSeveral ? [...states].toSorted().join(', ') : (other?.authority.name ?? ''),
      state: isOfSeveral ? '' : (other?.authority.state_name ?? ''),
      handler: this.isMine
        ? text('handled-by-me')
        : handler
          ? text('thread-handler', { name: handler.name })
          : '',
      kept: until === null ? '' : text('kept-until', { date: dueDate(until) }),
    })
    show(slot(this.element, 'held'), thread.kept?.is_held === true)
    show(slot(this.element, 'over'), thread.kept?.is_over === true)
    setTime(slot(this.element, 'time'), thread.changed_at, shortTime)
    this.#hideEmpty()
  }

  /** What is not known takes no place, and no dot before it. */
  #hideEmpty(): void {
    for (const fact of slot(this.element, 'facts').children)
      if (fact instanceof HTMLElement) show(fact, fact.textContent !== '')
  }

  /** `isVerified` is false for what a card says that a removed device could have written. */
  describe(summary: Summary, isStopped: boolean, isVerified = true): void {
    this.summary = summary
    this.isStopped = isStopped
    show(slot(this.element, 'unverified'), !isVerified)
    const references = [summary.ownReference, summary.foreignReference].filter((each) => each !== null)
    const { element } = this
    fill(element, {
      subject: summary.subject ?? text('no-subject'),
      references: references.join(' · '),
      stage: nameOfStage(summary.stage ?? ''),
    })
    element.classList.toggle('is-unread', summary.unread > 0)
    show(slot(element, 'needs-us'), summary.turn === 'us' && !isStopped)
    show(slot(element, 'needs-them'), summary.turn === 'them' && !isStopped)
    show(slot(element, 'stopped'), isStopped)
    const signs = [
      urgencyBadge(summary.urgency),
      summary.due === null ? null : dueBadge(summary.due, true),
    ].filter((sign) => sign !== null)
    slot(element, 'signs').replaceChildren(...(isStopped ? [] : signs))
    slot(element, 'unread').textContent = text('unread', { count: number(summary.unread) })
    show(slot(element, 'unread'), summary.unread > 0)
    this.#hideEmpty()
    this.#found = folded(this.link.textContent ?? '')
    this.showHit(this.#hit)
  }

  /** Whether it has all the (folded) words, itself or in one of its messages. */
  has(words: readonly string[]): boolean {
    return words.every((word) => this.#found.includes(word)) || (words.length > 0 && this.#hit !== null)
  }

  /** The line of a message that a search has found, leading there. */
  showHit(hit: Hit | null): void {
    this.#hit = hit
    const place = slot(this.element, 'hit')
    place.replaceChildren()
    if (hit === null) return
    const link = clone<HTMLAnchorElement>('thread-hit')
    link.href = `/threads/${this.thread.thread}/#item-${hit.seq}`
    slot(link, 'line').textContent = hit.line
    place.append(link)
  }
}
