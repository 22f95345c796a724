// What few threads have on their page: the scripts for it come where they are needed.
import type { OpenedMessage } from '../sealed/client.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf } from '../store/summary.ts'
import { orLater } from '../transport/failure.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { slot } from './page.ts'
import type { Mailroom } from './session.ts'

// Steps after which something ends or is owed by a date.
const PRESSING = /^(sent-urgently|frozen|freezing-ending|preserved)$/

export class RareParts {
  readonly #mailroom: Mailroom
  readonly #reading: Reading

  constructor(mailroom: Mailroom, reading: Reading) {
    this.#mailroom = mailroom
    this.#reading = reading
  }

  /** A draft is shared before a request was sent, and stands wherever one was. */
  hasDraft({ kind }: ThreadRow): boolean {
    const codes = this.#messages.flatMap(({ step }) => step?.code ?? [])
    return kind === 'case' && (codes.includes('draft-shared') || codes.every((code) => code === 'inquiry'))
  }

  /** What is urgent, ends or is owed by a date. */
  showPressing(row: ThreadRow, element: (seq: number) => HTMLElement | undefined): void {
    const presses = ({ urgency, step }: OpenedMessage) => urgency > 0 || PRESSING.test(step?.code ?? '')
    if (this.#messages.some(presses)) void this.#showPressing(row, element).catch(orLater)
  }

  /** Who is there at the others now, in the place where something urgent is written. */
  showReach(place: HTMLElement | null, row: ThreadRow): void {
    if (place !== null) void this.#showReach(place, row).catch(orLater)
  }

  /** When all are to act together. */
  showMoment(element: HTMLElement, { body }: OpenedMessage, row: ThreadRow): void {
    if (body?.type === 'note' && body.moment !== null)
      void this.#showMoment(slot(element, 'moment'), body.moment, row).catch(orLater)
  }

  /** Whom somebody wants to let in: looked for only where signed statements stand. */
  showJoining(): void {
    if (this.#messages.some(({ kind }) => kind === 'statement')) void this.#showJoining().catch(orLater)
  }

  get #messages(): OpenedMessage[] {
    return messagesOf(this.#reading.applied)
  }

  async #showPressing(row: ThreadRow, element: (seq: number) => HTMLElement | undefined): Promise<void> {
    const { showPressing } = await import('./pressing.ts')
    const { principal } = this.#mailroom.correspondence
    const found = { row, applied: this.#reading.applied, principal, element }
    await showPressing(this.#mailroom.session.rest, found)
  }

  async #showReach(place: HTMLElement, row: ThreadRow): Promise<void> {
    const { othersOf, showReach } = await import('./reach.ts')
    await showReach(
      place,
      this.#mailroom.session.rest,
      othersOf(row, this.#mailroom.correspondence.principal),
    )
  }

  async #showMoment(place: HTMLElement, moment: number, row: ThreadRow): Promise<void> {
    const { officesOf, showMoment } = await import('./moment.ts')
    showMoment(place, moment, await officesOf(this.#mailroom.session.rest, row))
  }

  async #showJoining(): Promise<void> {
    const { showWaiting } = await import('./joining_notice.ts')
    await showWaiting(this.#mailroom.correspondence, this.#reading)
  }
}
