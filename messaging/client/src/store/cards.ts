// What lists show of threads: cards that every device of the own authority can open, and that each renews when it has
// verified more. A card is a hint: it names and counts, and nothing is decided from it.
import type { CardText } from '../sealed/card.ts'
import { CAME_LIMIT } from '../sealed/card.ts'
import type { Applied } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import type { SeenCard } from '../sealed/own_cards.ts'
import { OWN_KINDS } from '../sealed/thread_entry.ts'
import { Failure } from '../transport/failure.ts'
import type { Base64, CardPage, CardPlace, Hex, ThreadRow } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { messagesOf, type Summary, summarise } from './summary.ts'

const SOON = 1_000
// So that two desks that hear of the same item do not both write.
const SPREAD = 2_000
const AT_ONCE = 100
const OPEN_AT_ONCE = 250

/** What the verified items of a thread say. */
export function cardTextOf(applied: readonly Applied[]): CardText {
  const { subject, ownReference, foreignReference, turn, urgency, due, stage } = summarise(applied, 0)
  const foreign = messagesOf(applied).filter(({ isOwn }) => !isOwn)
  const came = foreign.slice(-CAME_LIMIT).map(({ seq }) => seq)
  return { subject, ownReference, foreignReference, marks: [], stage, turn, urgency, due, came }
}

/** The same as of an opened thread, as far as a card says it. */
export function summaryOf(card: CardText, openedSeq: number): Summary {
  const { subject, ownReference, foreignReference, turn, urgency, due, stage, came } = card
  const unread = came.filter((seq) => seq > openedSeq).length
  return { subject, ownReference, foreignReference, turn, urgency, due, openFrom: 0, unread, stage }
}

/** A card in the list of all. */
export interface FoundCard {
  readonly thread: Hex
  readonly seen: SeenCard
}

export class Cards {
  readonly #within: Correspondence
  readonly #ids = new Map<Hex, Hex | null>()
  readonly #due = new Set<Hex>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(within: Correspondence) {
    this.#within = within
  }

  /** What the server has as the card of a thread. */
  async read({ thread, seq, card }: Pick<ThreadRow, 'thread' | 'seq' | 'card'>): Promise<SeenCard> {
    const seen = await this.#within.mailbox.cards.read(thread, card ?? null, seq)
    this.#ids.set(thread, seen.id)
    return seen
  }

  /** A thread has grown, or its card is not what it should be: it is written soon, with others. */
  note(thread: Hex): void {
    this.#due.add(thread)
    this.#timer ??= setTimeout(() => void this.#writeDue(), SOON + Math.random() * SPREAD)
  }

  /** Every card of the own principal, the newest change of a thread first, a page at a time. Raises `Failure`. */
  async all(take: (found: FoundCard[]) => void): Promise<void> {
    let before = ''
    do {
      const page = await this.#within.rest.get<CardPage>(`cards?before=${encodeURIComponent(before)}`)
      for (let start = 0; start < page.cards.length; start += OPEN_AT_ONCE) {
        const rows = page.cards.slice(start, start + OPEN_AT_ONCE)
        take(await Promise.all(rows.map(async (row) => ({ thread: row.thread, seen: await this.read(row) }))))
      }
      before = page.next ?? ''
    } while (before !== '')
  }

  async #writeDue(): Promise<void> {
    const due = [...this.#due]
    this.#due.clear()
    this.#timer = undefined
    try {
      for (let start = 0; start < due.length; start += AT_ONCE) {
        const behind = await this.#write(due.slice(start, start + AT_ONCE))
        if (behind.length > 0) await this.#write(behind)
      }
    } catch (error) {
      // Whoever shows the list next writes them.
      if (!(error instanceof Failure)) throw error
    }
  }

  /** Returns the threads of which a card stands there that is behind what is verified here. */
  async #write(threads: readonly Hex[]): Promise<Hex[]> {
    const made = new Map<Hex, { id: Hex; card: Base64 }>()
    for (const thread of threads) {
      const card = await this.#seal(thread)
      if (card) made.set(thread, card)
    }
    if (made.size === 0) return []
    const cards = [...made].map(([thread, { card }]) => ({
      thread,
      card,
      instead: this.#ids.get(thread) ?? null,
    }))
    const { cards: places } = await this.#within.rest.post<{ cards: CardPlace[] }>('cards', { cards })
    const behind: Hex[] = []
    for (const { thread, is_kept, card } of places) {
      if (is_kept) this.#ids.set(thread, made.get(thread)?.id ?? null)
      else if ((await this.read({ thread, card, seq: this.#seq(thread) })).standing !== 'current')
        behind.push(thread)
    }
    return behind
  }

  #seq(thread: Hex): number {
    return this.#within.mailbox.thread(thread)?.seq ?? 0
  }

  async #seal(thread: Hex): Promise<{ id: Hex; card: Base64 } | null> {
    const { mailbox } = this.#within
    const reading = this.#within.reading(thread)
    const kind = mailbox.thread(thread)?.kind
    if (kind === undefined || OWN_KINDS.includes(kind) || reading.alarm !== null) return null
    try {
      return await mailbox.cards.seal(thread, cardTextOf(reading.applied))
    } catch (error) {
      if (error instanceof Refused) return null // nothing is said of what does not hold
      throw error
    }
  }
}
