// The subjects of threads that this device has opened: a page may name a thread without opening all of it again. A
// subject of a thread never changes.
import type { Hex } from '../transport/wire.ts'
import { BrowserSeal, type KeptText } from './browser_seal.ts'
import type { Store } from './store.ts'

export class Subjects {
  readonly #store: Store
  readonly #seal: BrowserSeal

  constructor(store: Store) {
    this.#store = store
    this.#seal = new BrowserSeal(store)
  }

  /** Null when no message with a subject of this thread was opened in this browser; empty when it has none. */
  async get(thread: Hex): Promise<string | null> {
    const kept = await this.#store.fact<KeptText>(factOf(thread))
    return kept === undefined ? null : this.#seal.open(kept, thread)
  }

  async keep(thread: Hex, subject: string): Promise<void> {
    await this.#store.saveFact(factOf(thread), await this.#seal.seal(subject, thread))
  }
}

const factOf = (thread: Hex): string => `subject:${thread}`
