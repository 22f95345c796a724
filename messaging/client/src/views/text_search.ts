// Search through what the messages say that this device has opened, in memory.
import type { OpenedText, Texts } from '../store/texts.ts'
import type { Hex } from '../transport/wire.ts'
import { folded } from './format.ts'

/** The newest message of a thread that has all the words, and the line in which the first of them stands. */
export interface Hit {
  readonly seq: number
  readonly line: string
}

type Said = OpenedText & { readonly said: string }

export class TextSearch {
  readonly #texts: Texts
  #said: Said[] = []

  constructor(texts: Texts) {
    this.#texts = texts
  }

  /** Open what is kept; again, when something has come since. */
  async load(): Promise<void> {
    const all = await this.#texts.all()
    this.#said = all.map((each) => ({ ...each, said: folded(each.text) }))
  }

  /** By thread. The words are folded. */
  find(words: readonly string[]): Map<Hex, Hit> {
    const newest = new Map<Hex, Said>()
    for (const each of this.#said) {
      const isNewer = each.seq > (newest.get(each.thread)?.seq ?? 0)
      if (isNewer && words.every((word) => each.said.includes(word))) newest.set(each.thread, each)
    }
    return new Map([...newest].map(([thread, { seq, text }]) => [thread, { seq, line: lineOf(text, words) }]))
  }
}

function lineOf(text: string, [first = '']: readonly string[]): string {
  const lines = text.split('\n')
  return (lines.find((line) => folded(line).includes(first)) ?? lines[0] ?? '').trim()
}
