import type { Summary } from '../store/summary.ts'
import type { KeptFacts } from '../transport/wire.ts'
import { number } from './format.ts'
import { byId, show, slot } from './page.ts'

export const FILTERS = ['all', 'answer', 'waiting', 'urgent', 'unread', 'mine'] as const
export type FilterName = (typeof FILTERS)[number]

/** What a row is picked by; `summary` is null until the thread was opened on this device. */
export interface Facts {
  summary: Summary | null
  isStopped: boolean
  isMine: boolean
}

export function matches(name: FilterName, { summary, isStopped, isMine }: Facts): boolean {
  if (name === 'all') return true
  if (name === 'mine') return isMine
  if (summary === null) return false
  if (name === 'unread') return summary.unread > 0
  if (name === 'urgent') return summary.urgency > 0 && !isStopped
  return summary.turn === (name === 'answer' ? 'us' : 'them') && !isStopped
}

/** Whether a thread is one of those that the page is about: all, or those kept in one way. */
export function isKept(which: string, kept: KeptFacts | null | undefined): boolean {
  if (which === '') return true
  if (which === 'held') return kept?.is_held === true
  return which === 'over' ? kept?.is_over === true : typeof kept?.closed_at === 'number'
}

/** The row of buttons above the list; exactly one is pressed. */
export class ThreadFilters {
  chosen: FilterName = 'all'
  readonly #buttons = new Map<FilterName, HTMLElement>()

  constructor(onChoose: () => void) {
    const asked = new URLSearchParams(location.search).get('show')
    for (const name of FILTERS) {
      const button = byId('filters').querySelector<HTMLElement>(`[data-filter="${name}"]`)
      if (button === null) continue
      this.#buttons.set(name, button)
      if (name === asked) this.chosen = name
      button.addEventListener('click', () => {
        this.chosen = name
        this.#press()
        onChoose()
      })
    }
    this.#press()
  }

  #press(): void {
    for (const [name, button] of this.#buttons) button.ariaPressed = String(name === this.chosen)
  }

  count(rows: readonly Facts[]): void {
    for (const [name, button] of this.#buttons) {
      const count = rows.filter((row) => matches(name, row)).length
      slot(button, 'count').textContent = number(count)
      // A choice that would show nothing is still there, so that nothing moves; it only looks so.
      slot(button, 'count').classList.toggle('is-none', count === 0)
    }
    show(byId('filters'), rows.length > 0)
  }
}
