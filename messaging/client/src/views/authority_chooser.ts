import type { AuthorityRow, Hex } from '../transport/wire.ts'
import { dashed, folded, languageName, number } from './format.ts'
import { byId, clone, fill, show, slot, text } from './page.ts'

interface Choice {
  authority: AuthorityRow
  element: HTMLElement
  found: string
}

/** The list from which a counterpart is chosen: by words in any script, by mouse or by keyboard. */
export class AuthorityChooser {
  readonly #onChoose: (authority: AuthorityRow) => void
  readonly #search = byId<HTMLInputElement>('authority-search')
  #choices: Choice[] = []
  #isWalking = false

  constructor(onChoose: (authority: AuthorityRow) => void) {
    this.#onChoose = onChoose
    this.#search.addEventListener('input', () => this.#filter())
    this.#search.addEventListener('keydown', (event) => this.#press(event))
  }

  /** Who can be written to comes first. */
  fill(authorities: readonly AuthorityRow[]): void {
    const rows = authorities.toSorted((one, other) => Number(!one.principal) - Number(!other.principal))
    this.#choices = rows.map((authority) => this.#choice(authority))
    byId('authorities').replaceChildren(...this.#choices.map(({ element }) => element))
    this.#filter()
  }

  /** How far those who can be written to are known here. */
  showLevels(showFor: (element: HTMLElement, principal: Hex | null) => void): void {
    for (const { element, authority } of this.#choices) showFor(element, authority.principal)
  }

  find(fits: (authority: AuthorityRow) => boolean): AuthorityRow | undefined {
    return this.#choices.find(({ authority }) => fits(authority))?.authority
  }

  reset(): void {
    for (const { element } of this.#choices) slot<HTMLInputElement>(element, 'input').checked = false
    this.#search.focus()
  }

  #choice(authority: AuthorityRow): Choice {
    const element = clone('authority-choice')
    fill(element, { name: authority.name, state: authority.state_name ?? '' })
    const input = slot<HTMLInputElement>(element, 'input')
    input.value = authority.principal ?? ''
    show(slot(element, 'no-keys'), authority.principal === null)
    // Arrows only walk through the choices, although the browser calls that a click.
    input.addEventListener('click', () => this.#isWalking || this.#onChoose(authority))
    input.addEventListener('keyup', () => {
      this.#isWalking = false
    })
    input.addEventListener('keydown', (event) => {
      this.#isWalking = event.key.startsWith('Arrow')
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      this.#onChoose(authority)
    })
    const { name, state_name, state, names = [] } = authority
    return { authority, element, found: folded([name, state_name, state, ...names].join(' ')) }
  }

  #shown(): Choice[] {
    return this.#choices.filter(({ element }) => !element.hidden)
  }

  #press(event: KeyboardEvent): void {
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return
    event.preventDefault() // Enter here sends nothing
    const [first, second] = this.#shown()
    if (first === undefined) return
    if (event.key === 'Enter' && second === undefined) this.#onChoose(first.authority)
    else slot(first.element, 'input').focus()
  }

  #filter(): void {
    const words = folded(this.#search.value).split(/\s+/).filter(Boolean)
    for (const { element, found } of this.#choices)
      show(
        element,
        words.every((word) => found.includes(word)),
      )
    const count = this.#shown().length
    const isAsked = words.length > 0
    byId('authority-found').textContent = isAsked ? text('authorities-found', { count: number(count) }) : ''
    show(byId('authority-none'), isAsked && count === 0)
    show(byId('authorities'), count > 0)
  }
}

/** What somebody about to write has to know of the counterpart: its languages, and whether its office is open. */
export function describeDesk(place: HTMLElement, authority: AuthorityRow): void {
  const { languages = [], is_open: isOpen = null } = authority
  const names = languages.map(languageName).join(', ')
  slot(place, 'languages').textContent = names === '' ? '' : text('accepts-languages', { languages: names })
  slot(place, 'open').textContent = isOpen === null ? '' : text(isOpen ? 'office-open' : 'office-closed')
  slot<HTMLAnchorElement>(place, 'entry').href = `/directory/authorities/${dashed(authority.id)}/`
}

/** The authority that the address of this page names (`?authority=`), as 32 digits; null when it names none. */
export function askedAuthority(search: string): string | null {
  const asked = new URLSearchParams(search).get('authority')?.replaceAll('-', '').toLowerCase()
  return asked ?? null
}
