import { summarise } from '../store/summary.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'
import { folded, number, setTime } from './format.ts'
import { byId, clone, fill, show, slot, text } from './page.ts'
import { type Mailroom, openMailroom } from './session.ts'

interface Row {
  thread: ThreadRow
  element: HTMLElement
  found: string
}

const AT_ONCE = 3

export async function showThreads(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom !== null) await new ThreadsView(mailroom).start()
}

class ThreadsView {
  readonly #mailroom: Mailroom
  readonly #rows = new Map<Hex, Row>()
  readonly #list = byId('threads')
  #next: string | null = null
  #opening: Row[] = []
  #running = 0

  constructor(mailroom: Mailroom) {
    this.#mailroom = mailroom
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    session.hear = {
      'messaging.item.appended': (item) => void this.#hearItem(item.thread),
      'messaging.progress.made': (progress) => void this.#refresh(progress.thread),
    }
    session.onReload = () => void this.#reload()
    let wasOpen = false
    session.onOpen = () => {
      void outbox.flush()
      if (wasOpen) void this.#reload().catch(orLater)
      wasOpen = true
    }
    outbox.onChange = () => void this.#showWaiting()
    byId('search').addEventListener('input', () => this.#filter())
    byId('search-form').addEventListener('submit', (event) => event.preventDefault())
    byId('more').addEventListener('click', () => void this.#loadPage())
    await this.#loadPage()
    show(byId('loading'), false)
    session.socket.connect()
    await this.#showWaiting()
  }

  async #loadPage(): Promise<void> {
    const before = this.#next === null ? '' : `&before=${encodeURIComponent(this.#next)}`
    const page = await this.#mailroom.session.rest.get<{ threads: ThreadRow[]; next: string | null }>(
      `threads?limit=50${before}`,
    )
    this.#next = page.next
    for (const thread of page.threads) this.#list.append(this.#place(thread).element)
    show(byId('more'), page.next !== null)
    this.#showEmpty()
  }

  async #reload(): Promise<void> {
    this.#next = null
    await this.#loadPage()
    this.#sort()
  }

  /** Make or update the row of a thread, and queue the thread for opening. */
  #place(thread: ThreadRow): Row {
    const known = this.#rows.get(thread.thread)
    const row = known ?? { thread, element: clone('thread-row'), found: '' }
    row.thread = thread
    this.#rows.set(thread.thread, row)
    const other = this.#other(thread)
    slot<HTMLAnchorElement>(row.element, 'link').href = `/threads/${thread.thread}/`
    fill(row.element, { authority: other?.authority.name ?? '', state: other?.authority.state_name ?? '' })
    setTime(slot(row.element, 'time'), thread.changed_at)
    this.#opening.push(row)
    this.#openNext()
    return row
  }

  #other(thread: ThreadRow): ThreadRow['members'][number] | undefined {
    return thread.members.find((member) => member.principal !== this.#mailroom.correspondence.principal)
  }

  // First screenful first: rows are queued in the order in which they stand on the page.
  #openNext(): void {
    while (this.#running < AT_ONCE) {
      const row = this.#opening.shift()
      if (row === undefined) return
      this.#running += 1
      void this.#open(row).finally(() => {
        this.#running -= 1
        this.#openNext()
      })
    }
  }

  async #open(row: Row): Promise<void> {
    const { correspondence } = this.#mailroom
    const reading = correspondence.reading(row.thread.thread)
    try {
      await reading.load(row.thread.seq)
      await correspondence.checkMembers(row.thread)
    } catch {
      fill(row.element, { subject: text('thread-not-opened') })
      return
    }
    this.#describe(row)
    void this.#confirmDelivery(row, reading.seq)
    correspondence.saveSoon()
  }

  #describe(row: Row): void {
    const { correspondence } = this.#mailroom
    const reading = correspondence.reading(row.thread.thread)
    const mine = row.thread.progress.find((each) => each.principal === correspondence.principal)
    const summary = summarise(reading.applied, mine?.opened_seq ?? 0)
    const references = [summary.ownReference, summary.foreignReference].filter((each) => each !== null)
    fill(row.element, { subject: summary.subject ?? text('no-subject'), references: references.join(' · ') })
    row.element.classList.toggle('is-unread', summary.unread > 0)
    show(slot(row.element, 'needs-us'), summary.turn === 'us' && reading.alarm === null)
    show(slot(row.element, 'needs-them'), summary.turn === 'them' && reading.alarm === null)
    show(slot(row.element, 'stopped'), reading.alarm !== null)
    const unread = slot(row.element, 'unread')
    unread.textContent = text('unread', { count: number(summary.unread) })
    show(unread, summary.unread > 0)
    row.found = folded([row.element.textContent ?? '', ...references].join(' '))
    this.#filter()
  }

  async #confirmDelivery(row: Row, seq: number): Promise<void> {
    const { correspondence, session } = this.#mailroom
    const mine = row.thread.progress.find((each) => each.principal === correspondence.principal)
    if (seq === 0 || (mine?.delivered_seq ?? 0) >= seq) return
    await session.rest.post(`threads/${row.thread.thread}/delivered`, { seq }).catch(() => undefined)
  }

  async #hearItem(thread: Hex): Promise<void> {
    await this.#refresh(thread)
    this.#sort()
  }

  async #refresh(thread: Hex): Promise<void> {
    const fresh = await this.#mailroom.correspondence.thread(thread).catch(() => null)
    if (fresh === null) return
    const isNew = !this.#rows.has(thread)
    const row = this.#place(fresh)
    if (isNew) this.#list.prepend(row.element)
    this.#showEmpty()
  }

  #sort(): void {
    const rows = [...this.#rows.values()].sort(
      (one, other) => other.thread.changed_at - one.thread.changed_at,
    )
    // Moving the row that holds the focus would drop it.
    const focused = document.activeElement as HTMLElement | null
    for (const row of rows) this.#list.append(row.element)
    if (focused && this.#list.contains(focused)) focused.focus({ preventScroll: true })
  }

  #filter(): void {
    const words = folded(byId<HTMLInputElement>('search').value).split(/\s+/).filter(Boolean)
    let shown = 0
    for (const row of this.#rows.values()) {
      const matches = words.every((word) => row.found.includes(word))
      show(row.element, matches)
      if (matches) shown += 1
    }
    byId('search-status').textContent = words.length > 0 ? text('search-found', { count: number(shown) }) : ''
  }

  #showEmpty(): void {
    show(byId('empty'), this.#rows.size === 0)
    show(byId('search-form'), this.#rows.size > 0)
  }

  async #showWaiting(): Promise<void> {
    const entries = await this.#mailroom.outbox.entries()
    show(byId('outbox'), entries.length > 0)
    byId('outbox-count').textContent = text('outbox-count', { count: number(entries.length) })
    const list = byId('outbox-list')
    list.replaceChildren(
      ...entries.map(({ entry, copy }) => {
        const item = clone('outbox-row')
        const link = slot<HTMLAnchorElement>(item, 'link')
        link.href = entry.kind === 'thread' ? '/threads/new/' : `/threads/${entry.thread}/`
        link.textContent = copy?.note?.subject ?? text(`waiting-${entry.kind}`)
        slot(item, 'problem').textContent = entry.problem ? entry.problem.message || text('not-accepted') : ''
        return item
      }),
    )
  }
}
