import { number } from './format.ts'
import { announce, byId, show, text } from './page.ts'

const NEAR = 160

/** Keeps the reader's place while messages arrive, says that there are new ones below, and leads to the newest. */
export class Arrivals {
  readonly #button = byId('jump')
  readonly #list: HTMLElement
  #unseen = 0

  constructor(list: HTMLElement, onSeen: () => void) {
    this.#list = list
    this.#button.addEventListener('click', () => {
      const last = list.lastElementChild
      last?.scrollIntoView({ block: 'nearest', behavior: motion() })
      if (last instanceof HTMLElement) last.focus({ preventScroll: true })
      this.#unseen = 0
      this.look()
      onSeen()
    })
    const moved = () => {
      if (isNearEnd(list) && this.#unseen > 0) {
        this.#unseen = 0
        onSeen()
      }
      this.look()
    }
    addEventListener('scroll', moved, { passive: true })
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
    this.look()
  }

  /** Show the way to the newest message while it is out of sight. */
  look(): void {
    const last = this.#list.lastElementChild
    const isFar = last !== null && last.getBoundingClientRect().top > innerHeight
    const words = this.#unseen > 0 ? text('new-messages', { count: number(this.#unseen) }) : text('to-newest')
    const place = this.#button.querySelector('[data-slot="words"]')
    if (place !== null && place.textContent !== words) place.textContent = words
    show(this.#button, this.#unseen > 0 || isFar)
  }
}

function isNearEnd(list: HTMLElement): boolean {
  const last = list.lastElementChild
  return last === null || last.getBoundingClientRect().bottom <= innerHeight + NEAR
}

function motion(): ScrollBehavior {
  const isCalm =
    document.documentElement.dataset.motion === 'less' ||
    matchMedia('(prefers-reduced-motion: reduce)').matches
  return isCalm ? 'instant' : 'smooth'
}
