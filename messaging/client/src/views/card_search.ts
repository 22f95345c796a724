// Search through all threads of the own authority, in memory: their cards are fetched and opened once, when somebody
// searches and not every thread is on the page.
import { cardTextOf } from '../store/cards.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { Hex } from '../transport/wire.ts'
import { folded } from './format.ts'

const LOADED_AT_ONCE = 3

export class CardSearch {
  /** Threads whose card cannot be searched: nobody of the authority has opened them yet. */
  readonly unopened: Hex[] = []
  readonly #within: Correspondence
  readonly #said = new Map<Hex, string>()
  #loading: Promise<void> | null = null

  constructor(within: Correspondence) {
    this.#within = within
  }

  /** Fetch and open every card, once. Raises `Failure` without an answer: ask again. */
  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = null
      throw error
    })
    return this.#loading
  }

  async #load(): Promise<void> {
    this.#said.clear()
    this.unopened.length = 0
    await this.#within.cards.all((found) => {
      for (const { thread, seen } of found) {
        const { text } = seen
        if (text) this.#keep(thread, [text.subject, text.ownReference, text.foreignReference])
        else this.unopened.push(thread)
      }
    })
  }

  #keep(thread: Hex, said: readonly (string | null)[]): void {
    this.#said.set(thread, folded(said.filter((each) => each !== null).join(' ')))
  }

  /** The threads whose subject or references have all the (folded) words, the newest change first. */
  find(words: readonly string[]): Hex[] {
    return [...this.#said].filter(([, said]) => words.every((word) => said.includes(word))).map(([id]) => id)
  }

  /** Open threads that nobody has opened yet, so that they can be searched; `said` hears how many are left. */
  async openAll(said: (left: number) => void): Promise<void> {
    const open = async (): Promise<void> => {
      for (let thread = this.unopened.shift(); thread !== undefined; thread = this.unopened.shift()) {
        const reading = this.#within.reading(thread)
        await reading.load().catch(() => undefined)
        const { subject, ownReference, foreignReference } = cardTextOf(reading.applied)
        this.#keep(thread, [subject, ownReference, foreignReference])
        this.#within.cards.note(thread)
        said(this.unopened.length)
      }
    }
    await Promise.all(Array.from({ length: LOADED_AT_ONCE }, open))
  }
}
