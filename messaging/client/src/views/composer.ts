import type { NoteInput } from '../sealed/client.ts'
import type { Draft, DraftKeeper } from '../store/drafts.ts'
import { number } from './format.ts'
import { byId, show, text } from './page.ts'
import { showProblem } from './problem.ts'

// The largest sealed size is 40,960 bytes; tag, blind and the other fields take the rest.
const MOST_BYTES = 39_500
const FIELDS = ['subject', 'text', 'language', 'own_reference', 'foreign_reference'] as const
type Field = (typeof FIELDS)[number]
type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

/** The form in which a note is written: keeps a draft, shows its length, sends on Ctrl+Enter. */
export class Composer {
  readonly form = byId<HTMLFormElement>('composer')
  /** Seals and queues the note. What it raises is shown, and the text stays. */
  onSend: (note: NoteInput) => Promise<void> = async () => undefined
  readonly #keeper: DraftKeeper
  readonly #extra: () => Record<string, string>
  #isSending = false

  constructor(keeper: DraftKeeper, extra: () => Record<string, string> = () => ({})) {
    this.#keeper = keeper
    this.#extra = extra
    keeper.onSaved = (where) => this.#say(where === 'device' ? 'draft-on-device' : 'draft-saved')
    this.form.addEventListener('input', (event) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)
        event.target.setCustomValidity('')
      this.changed()
    })
    this.form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#send()
    })
    this.form.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.form.requestSubmit()
    })
    addEventListener('pagehide', () => void keeper.flush())
    document.addEventListener('visibilitychange', () => document.hidden && void keeper.flush())
    this.#showLength()
  }

  set(values: Partial<Record<Field, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      const input = this.#input(name as Field)
      if (input) input.value = value
    }
    this.#showLength()
  }

  get(name: Field): string {
    return this.#input(name)?.value ?? ''
  }

  changed(): void {
    this.#showLength()
    this.#say('draft-unsaved')
    this.#keeper.save({
      ...Object.fromEntries(FIELDS.map((name) => [name, this.get(name)])),
      ...this.#extra(),
    })
  }

  restore(draft: Draft): void {
    const values = FIELDS.filter((name) => typeof draft[name] === 'string').map((name) => [name, draft[name]])
    this.set(Object.fromEntries(values))
    this.#say('draft-restored')
  }

  enable(isEnabled: boolean): void {
    byId<HTMLFieldSetElement>('composer-fields').disabled = !isEnabled
  }

  note(): NoteInput {
    return {
      text: this.get('text').trim(),
      subject: this.get('subject').trim() || null,
      ownReference: this.get('own_reference').trim() || null,
      foreignReference: this.get('foreign_reference').trim() || null,
      language: this.get('language'),
    }
  }

  #input(name: Field): Input | null {
    return this.form.elements.namedItem(name) as Input | null
  }

  #say(key: string): void {
    byId('draft-state').textContent = text(key)
  }

  #showLength(): void {
    const used = new TextEncoder().encode(this.get('text')).length / MOST_BYTES
    byId('length').textContent = text('length', { percent: number(Math.ceil(used * 100)) })
    byId('length').classList.toggle('is-over', used > 1)
    byId<HTMLButtonElement>('send').disabled = used > 1 || this.#isSending
    show(byId('length-over'), used > 1)
  }

  async #send(): Promise<void> {
    this.#refuseBlanks()
    if (this.#isSending || byId<HTMLButtonElement>('send').disabled || !this.form.reportValidity()) return
    const problem = byId('composer-problem')
    showProblem(problem, null)
    this.#setSending(true)
    try {
      await this.onSend(this.note())
      this.set({ text: '' })
      void this.#keeper.clear()
      byId('draft-state').textContent = ''
    } catch (error) {
      showProblem(problem, error)
    } finally {
      this.#setSending(false)
    }
  }

  /** Blanks alone are no text and no subject; the browser's own check takes them for some. */
  #refuseBlanks(): void {
    for (const name of ['subject', 'text'] as const) {
      const input = this.#input(name)
      const isBlank = input?.required === true && input.value.trim() === ''
      input?.setCustomValidity(isBlank ? text('write-something') : '')
    }
  }

  /** Resolves when what is written is kept on this device. */
  settle(): Promise<void> {
    return this.#keeper.flush()
  }

  /** While a note is being sealed its text stands still: what is cleared afterwards is what was sealed. */
  #setSending(isSending: boolean): void {
    this.#isSending = isSending
    for (const name of ['subject', 'text'] as const) {
      const input = this.#input(name)
      if (input && 'readOnly' in input) input.readOnly = isSending
    }
    this.#showLength()
  }
}
