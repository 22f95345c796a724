import type { OpenedMessage } from '../sealed/client.ts'
import { clone, slot } from './page.ts'

/**
 * An acknowledgement is signed in a person's name and cannot be undone, so it is asked about once, in the message
 * itself: no dialog, no clock.
 */
export class Acknowledging {
  readonly #sign: (message: OpenedMessage) => Promise<void>

  constructor(sign: (message: OpenedMessage) => Promise<void>) {
    this.#sign = sign
  }

  ask(element: HTMLElement, message: OpenedMessage): void {
    const place = slot(element, 'ask')
    if (place.childElementCount > 0) return
    const question = clone('acknowledge-question')
    const leave = (focus: string) => {
      place.replaceChildren()
      ;(focus === 'message' ? element : slot(element, focus)).focus()
    }
    slot(question, 'sign').addEventListener('click', () => {
      leave('message')
      void this.#sign(message)
    })
    slot(question, 'leave').addEventListener('click', () => leave('acknowledge'))
    question.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return
      event.stopPropagation()
      leave('acknowledge')
    })
    place.replaceChildren(question)
    slot(question, 'sign').focus()
  }
}
