// Typing a recovery kit in from paper: one page, or two of three.
import { Refused } from '../sealed/errors.ts'
import { RecoveryKit } from '../sealed/keys.ts'
import { joinShares, parseShare } from '../sealed/kit.ts'
import { asGroup } from './kit.ts'
import { show, slot, text } from './page.ts'
import { showProblem } from './problem.ts'

const CHARACTERS = 60
const GROUP = 5

/** @throws Refused recovery-kit-mistyped, recovery-kit-in-parts, recovery-share-mistyped, recovery-shares-differ */
export async function readKit(net: string, first: string, second: string): Promise<RecoveryKit> {
  if (asGroup(second) !== '') return joinShares(net, parseShare(first), parseShare(second))
  try {
    return await RecoveryKit.parse(net, first)
  } catch (error) {
    // Pages of three begin with their number.
    const mayBePart = (() => {
      try {
        return parseShare(first) !== null
      } catch {
        return false
      }
    })()
    throw mayBePart ? new Refused('E6', 'recovery-kit-in-parts', 'one page of three, or typed wrong') : error
  }
}

/** The fields of a kit and what is said about them. `use` gets the kit; the fields are empty afterwards. */
export class KitEntry {
  readonly #form: HTMLFormElement
  readonly #fields: HTMLTextAreaElement[]
  readonly #net: string

  constructor(form: HTMLFormElement, net: string, use: (kit: RecoveryKit) => Promise<void>) {
    this.#form = form
    this.#net = net
    this.#fields = ['first', 'second'].map((name) => slot<HTMLTextAreaElement>(form, name))
    for (const name of ['first', 'second']) this.#count(name)
    form.onsubmit = (event) => {
      event.preventDefault()
      void this.#use(use)
    }
  }

  /** Say how much is typed: whoever reads from paper loses the place. */
  #count(name: string): void {
    const [field, said] = [slot<HTMLTextAreaElement>(this.#form, name), slot(this.#form, `${name}-count`)]
    const say = () => {
      const typed = asGroup(field.value).length
      said.textContent = typed
        ? text('kit-typed', { groups: Math.floor(typed / GROUP), all: CHARACTERS / GROUP })
        : ''
    }
    field.oninput = say
    say()
  }

  async #use(use: (kit: RecoveryKit) => Promise<void>): Promise<void> {
    const [problem, button] = [slot(this.#form, 'problem'), slot<HTMLButtonElement>(this.#form, 'submit')]
    showProblem(problem, null)
    button.disabled = true
    try {
      const [first = '', second = ''] = this.#fields.map(({ value }) => value)
      await use(await readKit(this.#net, first, second))
      this.clear()
    } catch (error) {
      showProblem(problem, error)
      this.#fields[0]?.focus()
    } finally {
      button.disabled = false
    }
  }

  clear(): void {
    for (const field of this.#fields) {
      field.value = ''
      field.dispatchEvent(new Event('input'))
    }
    show(slot(this.#form, 'problem'), false)
  }
}
