import type { SeenCard } from '../sealed/own_cards.ts'
import { summaryOf } from '../store/cards.ts'
import { byNeed, summarise } from '../store/summary.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, Progress, ThreadRow } from '../transport/wire.ts'
import type { CardSearch } from './card_search.ts'
import { folded, number } from './format.ts'
import { inTurn } from './in_turn.ts'
import { knownLevels } from './levels.ts'
import { byId, clone, fill, show, slot, text } from './page.ts'
import { type Mailroom, openMailroom } from './session.ts'
import type { Hit, TextSearch } from './text_search.ts'
import { isKept, matches, ThreadFilters } from './thread_filters.ts'
import { Row } from './thread_row.ts'

const AT_ONCE = 3
// Threads that a search found and the page did not have: as many as can be read through.
const FOUND_MOST = 50

export async function showThreads(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom !== null) await new ThreadsView(mailroom).start()
}

class ThreadsView {
  readonly #mailroom: Mailroom
  readonly #rows = new Map<Hex, Row>()
  readonly #list = byId('threads')
  readonly #filters = new ThreadFilters(() => this.#filter())
  readonly #showOutbox = inTurn(() => this.#readOutbox())
  readonly #findMore = inTurn(() => this.#find())
  /** In which way the threads of this page are kept; empty for all threads. */
  readonly #kept = document.body.dataset.kept ?? ''
  #search: CardSearch | null = null
  #texts: TextSearch | null = null
  #areTextsOld = true
  #isSearching = false
  #next: string | null = null
  #opening: Row[] = []
  #running = 0

  constructor(mailroom: Mailroom) {
    this.#mailroom = mailroom
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    session.hear = {
      'messaging.item.appended': (item) => {
        this.#areTextsOld = true
        void this.#refresh(item.thread)
      },
      'messaging.progress.made': (progress) => void this.#refresh(progress.thread),
      'messaging.thread.assigned': ({ thread }) => void this.#refresh(thread),
    }
    session.onReload = () => void this.#reload()
    let wasOpen = false
    session.onOpen = () => {
      void outbox.flush()
      if (wasOpen) void this.#reload().catch(orLater)
      wasOpen = true
    }
    outbox.onChange = () => void this.#showOutbox()
    byId('search').addEventListener('input', () => {
      this.#filter()
      void this.#findMore()
    })
    byId('open-unsearched').addEventListener('click', () => void this.#openUnsearched())
    byId('search-form').addEventListener('submit', (event) => event.preventDefault())
    byId('more').addEventListener('click', () => void this.#loadPage())
    await this.#loadPage()
    show(byId('loading'), false)
    session.socket.connect()
    await this.#showOutbox()
  }

  async #loadPage(): Promise<void> {
    const before = this.#next === null ? '' : `&before=${encodeURIComponent(this.#next)}`
    const page = await this.#mailroom.session.rest.get<{ threads: ThreadRow[]; next: string | null }>(
      `threads?limit=50${this.#kept && `&kept=${this.#kept}`}${before}`,
    )
    this.#next = page.next
    const showFor = await knownLevels(this.#mailroom.correspondence.store)
    for (const thread of page.threads) {
      const { element, counterpart } = this.#place(thread)
      showFor(element, counterpart)
      if (element.parentNode === null) this.#list.append(element)
    }
    show(byId('more'), page.next !== null)
    this.#showEmpty()
    this.#filter()
  }

  async #reload(): Promise<void> {
    this.#next = null
    await this.#loadPage()
    this.#sort()
  }

  /** Make or update the row of a thread, and queue the thread for opening. */
  #place(thread: ThreadRow): Row {
    const row = this.#rows.get(thread.thread) ?? new Row(thread)
    this.#rows.set(thread.thread, row)
    const { principal, info } = this.#mailroom.correspondence
    row.update(thread, { principal, person: info.person.id })
    this.#opening.push(row)
    this.#openNext()
    return row
  }

  // First screenful first: rows are queued in the order in which they stand on the page.
  #openNext(): void {
    while (this.#running < AT_ONCE) {
      const row = this.#opening.shift()
      if (row === undefined) break
      this.#running += 1
      void this.#open(row).finally(() => {
        this.#running -= 1
        this.#openNext()
      })
    }
    // Once for all that was opened: what is urgent goes to the top, and nothing else moves.
    if (this.#running === 0) this.#sort()
  }

  /** Show what the card says; a thread of which it does not say enough is opened. */
  async #open(row: Row): Promise<void> {
    const { correspondence } = this.#mailroom
    const seen = await correspondence.cards.read(row.thread)
    const openedSeq = this.#mine(row)?.opened_seq ?? 0
    const alarm = await correspondence.store.alarm(row.thread.thread)
    const isKnown = correspondence.reading(row.thread.thread).seq > 0
    if (seen.text && !isKnown) {
      const isVerified = seen.standing !== 'unverified'
      row.describe(summaryOf(seen.text, openedSeq), alarm !== undefined, isVerified)
      this.#filter()
    }
    if (isKnown || alarm !== undefined || !this.#isEnough(row, seen)) await this.#verify(row, seen)
  }

  /** Nothing came since the card was made that this device has to tell of, and nothing it has seen is gone. */
  #isEnough(row: Row, { standing }: SeenCard): boolean {
    const { thread, seq, transcript } = row.thread
    const pin = this.#mailroom.correspondence.mailbox.pin(thread)
    const isAsSeen = pin === null || pin.seq < seq || (pin.seq === seq && pin.transcript === transcript)
    const isDelivered = row.thread.progress.length === 0 || (this.#mine(row)?.delivered_seq ?? 0) >= seq
    return standing === 'current' && isAsSeen && isDelivered
  }

  #mine(row: Row): Progress | undefined {
    return row.thread.progress.find((each) => each.principal === this.#mailroom.correspondence.principal)
  }

  async #verify(row: Row, { standing }: SeenCard): Promise<void> {
    const { correspondence } = this.#mailroom
    const reading = correspondence.reading(row.thread.thread)
    try {
      await reading.load(row.thread.seq)
      await correspondence.checkMembers(row.thread)
    } catch {
      fill(row.element, { subject: text('thread-not-opened') })
      return
    }
    row.describe(summarise(reading.applied, this.#mine(row)?.opened_seq ?? 0), reading.alarm !== null)
    this.#filter()
    if (standing !== 'current') correspondence.cards.note(row.thread.thread)
    void this.#confirmDelivery(row, reading.seq)
    correspondence.saveSoon()
  }

  async #confirmDelivery(row: Row, seq: number): Promise<void> {
    const { session } = this.#mailroom
    if (seq === 0 || (this.#mine(row)?.delivered_seq ?? 0) >= seq) return
    await session.rest.post(`threads/${row.thread.thread}/delivered`, { seq }).catch(() => undefined)
  }

  async #refresh(thread: Hex): Promise<void> {
    const fresh = await this.#mailroom.correspondence.thread(thread).catch(() => null)
    const isOurs = fresh?.kind === 'ledger' || fresh?.kind === 'notes' // what we write for ourselves is in no list
    if (fresh === null || isOurs) return
    const { element } = this.#place(fresh)
    if (element.parentNode === null) this.#list.prepend(element)
    this.#showEmpty()
  }

  #sort(): void {
    const rows = [...this.#rows.values()].sort(byNeed)
    const isInOrder = rows.every(({ element }, index) => this.#list.children[index] === element)
    if (isInOrder) return
    // Moving the row that holds the focus would drop it.
    const focused = document.activeElement as HTMLElement | null
    for (const row of rows) this.#list.append(row.element)
    if (focused && this.#list.contains(focused)) focused.focus({ preventScroll: true })
  }

  get #words(): string[] {
    return folded(byId<HTMLInputElement>('search').value).split(/\s+/).filter(Boolean)
  }

  /** Search the texts that this device has opened, and the cards of all threads where not all are on the page. */
  async #find(): Promise<void> {
    if (this.#words.length === 0) {
      this.#showHits(new Map())
      return
    }
    this.#isSearching = true
    this.#filter()
    try {
      const hits = await this.#findTexts()
      this.#showHits(hits)
      this.#filter()
      const found = [...hits.keys(), ...(await this.#findCards())].filter((thread) => !this.#rows.has(thread))
      for (const thread of new Set(found.slice(0, FOUND_MOST))) await this.#refresh(thread)
      this.#showHits(hits)
    } catch (error) {
      orLater(error)
    } finally {
      this.#isSearching = false
      this.#showUnsearched()
      this.#filter()
    }
  }

  #showHits(hits: ReadonlyMap<Hex, Hit>): void {
    for (const [thread, row] of this.#rows) row.showHit(hits.get(thread) ?? null)
  }

  async #findTexts(): Promise<Map<Hex, Hit>> {
    const { TextSearch } = await import('./text_search.ts')
    this.#texts ??= new TextSearch(this.#mailroom.correspondence.texts)
    if (this.#areTextsOld) {
      this.#areTextsOld = false
      await this.#texts.load()
    }
    return this.#texts.find(this.#words)
  }

  async #findCards(): Promise<Hex[]> {
    if (this.#next === null && this.#search === null) return []
    const { CardSearch } = await import('./card_search.ts')
    this.#search ??= new CardSearch(this.#mailroom.correspondence)
    await this.#search.load()
    return this.#search.find(this.#words)
  }

  #showUnsearched(): void {
    const left = this.#search?.unopened.length ?? 0
    show(byId('unsearched'), left > 0 && this.#words.length > 0)
    byId('unsearched-words').textContent = text('unsearched', { count: number(left) })
  }

  async #openUnsearched(): Promise<void> {
    const button = byId<HTMLButtonElement>('open-unsearched')
    button.disabled = true
    await this.#search?.openAll(() => this.#showUnsearched()).catch(orLater)
    button.disabled = false
    await this.#findMore()
  }

  #filter(): void {
    const words = this.#words
    const rows: Row[] = []
    let shown = 0
    for (const row of this.#rows.values()) {
      const isOfPage = isKept(this.#kept, row.thread.kept)
      if (isOfPage) rows.push(row)
      const isShown = isOfPage && matches(this.#filters.chosen, row) && row.has(words)
      show(row.element, isShown)
      if (isShown) shown += 1
    }
    this.#filters.count(rows)
    const isNarrowed = words.length > 0 || this.#filters.chosen !== 'all' || this.#kept !== ''
    const sentence = this.#isSearching ? 'search-going-on' : 'search-found'
    const status = isNarrowed ? text(sentence, { count: number(shown) }) : ''
    if (byId('search-status').textContent !== status) byId('search-status').textContent = status
    const isDone = this.#running === 0 && !this.#isSearching
    show(byId('none-found'), isNarrowed && shown === 0 && isDone)
    byId('counted').textContent =
      this.#next === null ? '' : text('counted-over', { count: number(rows.length) })
  }

  #showEmpty(): void {
    show(byId('empty'), this.#rows.size === 0 && this.#kept === '')
    show(byId('search-form'), this.#rows.size > 0)
  }

  async #readOutbox(): Promise<void> {
    const all = await this.#mailroom.outbox.entries()
    const entries = all.filter(({ entry }) => entry.kind !== 'statement') // what goes to the own ledger goes by itself
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
