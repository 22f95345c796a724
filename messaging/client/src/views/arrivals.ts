import { number } from './format.ts'
import { announce, byId, show, text } from './page.ts'

const NEAR = 160

/** Keeps the reader's place while messages arrive, and says that there are new ones below. */
export class Arrivals {
  readonly #button = byId('jump')
  readonly #list: HTMLElement
  #unseen = 0

  constructor(list: HTMLElement, onSeen: () => void) {
    this.#list = list
    this.#button.addEventListener('click', () => {
      list.lastElementChild?.scrollIntoView({ block: 'nearest', behavior: motion() })
      this.#clear()
      onSeen()
    })
    addEventListener(
      'scroll',
      () => {
        if (this.#unseen === 0 || !isNearEnd(list)) return
        this.#clear()
        onSeen()
      },
      { passive: true },
    )
  }

  /** Call before the page grows. */
  wasAtEnd(): boolean {
    return isNearEnd(this.#list)
  }

  added(count: number, wasAtEnd: boolean): void {
    announce(text('new-messages', { count: number(count) }))
    if (wasAtEnd && !document.hidden) {
      this.#list.lastElementChild?.scrollIntoView({ block: 'nearest', behavior: motion() })
      return
    }
    this.#unseen += count
    this.#button
      .querySelector('[data-slot="words"]')
      ?.replaceChildren(text('new-messages', { count: number(this.#unseen) }))
    show(this.#button, true)
  }

  #clear(): void {
    this.#unseen = 0
    show(this.#button, false)
  }
}

function isNearEnd(list: HTMLElement): boolean {
  const last = list.lastElementChild
  return last === null || last.getBoundingClientRect().bottom <= innerHeight + NEAR
}

function motion(): ScrollBehavior {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth'
}
