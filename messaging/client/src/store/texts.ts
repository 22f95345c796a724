// The texts of messages that this device has opened, kept for searching: one by one, so that tabs never write over each
// other's, each sealed under the key of this browser.
import type { Hex } from '../transport/wire.ts'
import { BrowserSeal, type KeptText } from './browser_seal.ts'
import type { Store } from './store.ts'

const PREFIX = 'text:'

export interface OpenedText {
  readonly thread: Hex
  readonly seq: number
  readonly text: string
}

export class Texts {
  readonly #store: Store
  readonly #seal: BrowserSeal

  constructor(store: Store) {
    this.#store = store
    this.#seal = new BrowserSeal(store)
  }

  async keep({ thread, seq, text }: OpenedText): Promise<void> {
    const name = `${PREFIX}${thread}:${seq}`
    await this.#store.saveFact(name, await this.#seal.seal(text, name))
  }

  /** Every text that opens, in no order. */
  async all(): Promise<OpenedText[]> {
    const kept = await this.#store.factsFrom<KeptText>(PREFIX)
    const opened = await Promise.all(
      kept.map(async ([name, sealed]) => {
        const [thread = '', seq = ''] = name.slice(PREFIX.length).split(':')
        return { thread, seq: Number(seq), text: (await this.#seal.open(sealed, name)) ?? '' }
      }),
    )
    return opened.filter(({ text }) => text !== '')
  }
}
