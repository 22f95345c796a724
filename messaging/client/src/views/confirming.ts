// A directory officer confirms the keys of an authority: what was typed from the State's note is compared with the
// verified keyring here, and signed here. The page works with its server alone for everything else.
import { fingerprintDigits } from '../sealed/keys.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow, Hex } from '../transport/wire.ts'
import { byId, show, text } from './page.ts'
import { showProblem } from './problem.ts'
import { Session } from './session.ts'

const DIGITS = 60
// The first of each ten digits that people type: European, Arabic, Persian, full width.
const ZEROS = [0x30, 0x660, 0x6f0, 0xff10]

export async function showConfirming(rest: Rest): Promise<void> {
  const session = await Session.open(rest)
  const correspondence = await session.openMailbox()
  session.socket.connect()
  const isReady = correspondence?.mailbox.isReady() ?? false
  show(byId('confirming-no-device'), !isReady)
  if (correspondence !== null && isReady) new Confirming(correspondence).offer()
}

/** The 60 digits in what was typed, as the server reads them; null where there are others, or other signs. */
export function digitsOf(typed: string): string | null {
  const signs = [...typed].filter((sign) => !/[\s\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/.test(sign))
  const values = signs.map((sign) => {
    const code = sign.codePointAt(0) as number
    const zero = ZEROS.find((first) => code >= first && code < first + 10)
    return zero === undefined ? null : code - zero
  })
  return values.length === DIGITS && !values.includes(null) ? values.join('') : null
}

class Confirming {
  readonly #within: Correspondence
  readonly #form = byId<HTMLFormElement>('confirming')
  readonly #buttons: HTMLButtonElement[]

  constructor(within: Correspondence) {
    this.#within = within
    this.#buttons = [...this.#form.querySelectorAll<HTMLButtonElement>('[data-signs]')]
  }

  offer(): void {
    for (const button of this.#buttons) button.disabled = false
    // What was signed is sent once: a page that comes back from the history is made anew.
    addEventListener('pageshow', (event) => event.persisted && location.reload())
    this.#form.addEventListener('submit', (event) => {
      const button = event.submitter as HTMLButtonElement | null
      if (button === null || !this.#buttons.includes(button) || this.#value('statement')) return
      event.preventDefault()
      void this.#signAndSend(button)
    })
  }

  async #signAndSend(button: HTMLButtonElement): Promise<void> {
    const problem = byId('confirming-problem')
    showProblem(problem, null)
    button.disabled = true
    try {
      if (!(await this.#sign())) {
        problem.textContent = text('confirming-differs')
        show(problem, true)
        problem.focus()
        return
      }
    } catch (error) {
      showProblem(problem, error)
      return
    } finally {
      button.disabled = false
    }
    this.#form.requestSubmit(button)
  }

  /** False where the digits are not those of the verified keyring. What is no fingerprint at all the server says. */
  async #sign(): Promise<boolean> {
    const { authority = '' } = this.#form.dataset
    const digits = digitsOf(this.#value('fingerprint') || this.#value('answer'))
    const principal = await this.#principalOf(authority)
    if (digits === null || principal === null) return this.#keep({ statement: ' ', blind: ' ' })
    await this.#within.learnKeyring(principal)
    await this.#within.log.makeReady([this.#within.principal, principal])
    this.#within.mailbox.checkAuthority(authority, principal) // K8
    if (fingerprintDigits(principal).replaceAll(' ', '') !== digits) return false
    const { reference = this.#value('notification'), date = this.#value('notified_on') } = this.#form.dataset
    const note = { reference: reference.trim(), date }
    return this.#keep(await this.#within.mailbox.stewardship.confirm(authority, principal, note))
  }

  async #principalOf(authority: string): Promise<Hex | null> {
    const { authorities } = await this.#within.rest.get<{ authorities: AuthorityRow[] }>('authorities')
    const row = authorities.find(({ id }) => id === authority)
    return row?.waiting ?? row?.principal ?? null // K12: whose fingerprint the State has sent
  }

  #keep(signed: { statement: string; blind: string }): true {
    for (const [name, value] of Object.entries(signed)) this.#field(name).value = value
    return true
  }

  #value(name: string): string {
    return (this.#form.elements.namedItem(name) as HTMLInputElement | null)?.value ?? ''
  }

  #field(name: string): HTMLInputElement {
    return this.#form.elements.namedItem(name) as HTMLInputElement
  }
}
