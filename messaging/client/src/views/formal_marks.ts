// What practitioners ask, in direct contact, to have asked for by a request: the act on each message, and the mark of
// those it was done for. Loaded only where they write to each other.
import type { OpenedMessage } from '../sealed/client.ts'
import { asksIn, type FormalAsk, isOfOwnState } from '../store/formal_asks.ts'
import type { Outbox } from '../store/outbox.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf } from '../store/summary.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { clone, fill, hasElement, slot, text } from './page.ts'

interface Place {
  readonly outbox: Outbox
  readonly reading: Reading
  /** Who is in the thread now. */
  readonly row: () => ThreadRow
  readonly own: string
  readonly element: (seq: number) => HTMLElement | undefined
  readonly writes: () => boolean
  /** In which language the next note is written. */
  readonly language: () => string
  readonly onProblem: (error: unknown) => void
}

export class FormalMarks {
  readonly #place: Place
  /** A practitioner asks; an officer of the central authority begins the request. */
  readonly #isPractitioner = hasElement('formal-question')

  constructor(place: Place) {
    this.#place = place
  }

  /** Of every message on the page; what was done is not done again. */
  show(): void {
    const { applied } = this.#place.reading
    const asks = asksIn(applied)
    for (const message of messagesOf(applied)) {
      const element = message.kind === 'note' ? this.#place.element(message.seq) : undefined
      if (element === undefined || message.failed !== null) continue
      if (element.dataset.formal === undefined) this.#offer(element, message)
      this.#mark(
        element,
        asks.filter(({ of }) => of.id === message.id),
      )
    }
  }

  #offer(element: HTMLElement, message: OpenedMessage): void {
    element.dataset.formal = '0'
    if (this.#isPractitioner && !this.#place.writes()) return
    const act = clone('formal-act')
    if (this.#isPractitioner) act.addEventListener('click', () => this.#ask(element, message))
    else (act as HTMLAnchorElement).href = this.#address(message)
    slot(element, 'more').querySelector('.row')?.prepend(act)
  }

  #address = ({ seq }: OpenedMessage): string =>
    `/threads/${this.#place.reading.thread}/formal/?message=${seq}`

  #mark(element: HTMLElement, asks: readonly FormalAsk[]): void {
    for (const { by, of } of asks.slice(Number(element.dataset.formal))) {
      const mark = clone('formal-mark')
      fill(mark, { words: text('formal-mark', { name: by.name, office: by.office }) })
      // Whose practitioner asks: that State's central authority goes on with it.
      if (!this.#isPractitioner && isOfOwnState(this.#place.row(), this.#place.own, by.principal)) {
        const act = clone<HTMLAnchorElement>('formal-act')
        act.href = this.#address(of)
        slot(mark, 'place').append(act)
      }
      slot(element, 'text').after(mark)
    }
    element.dataset.formal = String(asks.length)
  }

  #ask(element: HTMLElement, message: OpenedMessage): void {
    const place = slot(element, 'ask')
    const question = clone('formal-question')
    const words = slot<HTMLTextAreaElement>(question, 'words')
    const leave = () => {
      place.replaceChildren()
      element.focus()
    }
    slot(question, 'ask').addEventListener('click', () => {
      leave()
      void this.#send(message, words.value.trim()).catch(this.#place.onProblem)
    })
    slot(question, 'leave').addEventListener('click', leave)
    question.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return
      event.stopPropagation()
      leave()
    })
    place.replaceChildren(question)
    words.focus()
  }

  /** In words too, so that it is said in every client and in the record. */
  async #send({ id, seq }: OpenedMessage, words: string): Promise<void> {
    const { outbox, reading, language } = this.#place
    await outbox.addNote(reading.thread, {
      text: [text('formal-asks'), words].filter(Boolean).join('\n\n'),
      language: language(),
      about: { of: id, seq, part: 'formally' },
    })
  }
}
