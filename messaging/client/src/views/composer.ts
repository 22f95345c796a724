import type { FileJson, NoteInput } from '../sealed/client.ts'
import { HANDLING, type HandlingMark } from '../sealed/marks.ts'
import type { Urgency } from '../sealed/message.ts'
import type { Draft, DraftKeeper } from '../store/drafts.ts'
import { dayNumber, dueOf, fieldOf, number } from './format.ts'
import { announce, byId, show, text } from './page.ts'
import { showProblem } from './problem.ts'

// The largest sealed size is 40,960 bytes; tag, blind and the other fields take the rest.
const MOST_BYTES = 39_500
// Before half of a message is written, its length is nobody's concern.
const SHOWN_FROM = 0.5
const GROUPS = Object.keys(HANDLING) as (keyof typeof HANDLING)[]
const FIELDS = [
  ...GROUPS,
  'subject',
  'text',
  'language',
  'own_reference',
  'foreign_reference',
  'urgency',
  'due',
  'reason',
] as const
type Field = (typeof FIELDS)[number]
type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

/** The files that go with the note. `kept` is what a draft remembers of them. */
export interface NoteFiles {
  ready(): Promise<readonly FileJson[]>
  kept(): string
  restore(files: readonly FileJson[]): void
  clear(): void
}

/** The form in which a note is written: keeps a draft, shows its length, sends on Ctrl+Enter. */
export class Composer {
  readonly form = byId<HTMLFormElement>('composer')
  /** Seals and queues the note. What it raises is shown, and the text stays. */
  onSend: (note: NoteInput) => Promise<void> = async () => undefined
  files: NoteFiles | null = null
  /** Called when what is written becomes urgent, with the place for what is to be known then; null when it is not. */
  onUrgency: (place: HTMLElement | null) => void = () => undefined
  #isUrgent = false
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
    byId<HTMLInputElement>('due-field').min = fieldOf(dayNumber(Date.now() / 1000) * 86_400)
    this.#showState()
  }

  set(values: Partial<Record<Field, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      const input = this.#input(name as Field)
      if (input) input.value = value
    }
    this.#showState()
  }

  /** Not another than the form offers; what the person or a draft chooses afterwards stands. */
  proposeLanguage(language: string | null): void {
    const select = byId<HTMLSelectElement>('language')
    const offered = [...select.options].find(({ value }) => value === language?.slice(0, 2))
    if (offered) select.value = offered.value
  }

  /** Put back what was taken back, before what has been written since. */
  setNote(note: NoteInput): void {
    this.set({
      text: [note.text, this.get('text')].filter(Boolean).join('\n\n'),
      subject: note.subject ?? '',
      own_reference: note.ownReference ?? '',
      foreign_reference: note.foreignReference ?? '',
      language: note.language,
      urgency: String(note.urgency ?? 0),
      due: note.due == null ? '' : fieldOf(note.due),
      reason: note.reason ?? '',
      ...marksByGroup(note.marks ?? []),
    })
    this.files?.restore(note.files ?? [])
  }

  /** Put a model text behind what is written, and choose its first bracket, to be written over. */
  insert(model: string): void {
    const field = byId<HTMLTextAreaElement>('text')
    const before = field.value.trimEnd()
    const from = before === '' ? 0 : before.length + 2
    this.set({ text: [before, model].filter(Boolean).join('\n\n') })
    this.changed()
    field.focus()
    const blank = /[[［][^\]］]*[\]］]/.exec(model)
    const end = from + model.length
    field.setSelectionRange(
      blank ? from + blank.index : end,
      blank ? from + blank.index + blank[0].length : end,
    )
  }

  get(name: Field): string {
    return this.#input(name)?.value ?? ''
  }

  changed(): void {
    this.#showState()
    this.#say('draft-unsaved')
    this.#keeper.save({
      ...this.written(),
      ...(this.files ? { files: this.files.kept() } : {}),
      ...this.#extra(),
    })
  }

  /** What stands in the fields. */
  written(): Record<Field, string> {
    return Object.fromEntries(FIELDS.map((name) => [name, this.get(name)])) as Record<Field, string>
  }

  restore(draft: Draft): void {
    const values = FIELDS.filter((name) => typeof draft[name] === 'string').map((name) => [name, draft[name]])
    this.set(Object.fromEntries(values))
    if (typeof draft.files === 'string') this.files?.restore(JSON.parse(draft.files) as FileJson[])
    this.#say('draft-restored')
    announce(text('draft-restored'))
  }

  enable(isEnabled: boolean): void {
    byId<HTMLFieldSetElement>('composer-fields').disabled = !isEnabled
  }

  note(): NoteInput {
    const urgency = Number(this.get('urgency')) as Urgency
    const due = dueOf(this.get('due'))
    return {
      text: this.get('text').trim(),
      subject: this.get('subject').trim() || null,
      ownReference: this.get('own_reference').trim() || null,
      foreignReference: this.get('foreign_reference').trim() || null,
      language: this.get('language'),
      urgency,
      due,
      reason: this.#isHandled() ? this.get('reason').trim() : null,
      marks: GROUPS.map((group) => this.get(group)).filter((mark) => mark !== '') as HandlingMark[],
    }
  }

  #isHandled(): boolean {
    return this.get('urgency') !== '0' || dueOf(this.get('due')) !== null
  }

  #input(name: Field): Input | null {
    return this.form.elements.namedItem(name) as Input | null
  }

  #say(key: string): void {
    byId('draft-state').textContent = text(key)
  }

  /** Its length, and whether an urgency or a date asks for a reason. */
  #showState(): void {
    const isHandled = this.#isHandled()
    show(byId('reason-place'), isHandled)
    byId<HTMLInputElement>('reason-field').required = isHandled
    if (isHandled) byId<HTMLDetailsElement>('handling-fold').open = true
    this.#showUrgency()
    const used = new TextEncoder().encode(this.get('text')).length / MOST_BYTES
    const length = used < SHOWN_FROM ? '' : text('length', { percent: number(Math.ceil(used * 100)) })
    byId('length').textContent = length
    byId('length').classList.toggle('is-over', used > 1)
    byId<HTMLButtonElement>('send').disabled = used > 1 || this.#isSending
    show(byId('length-over'), used > 1)
  }

  #showUrgency(): void {
    const isUrgent = this.get('urgency') > '0'
    if (isUrgent === this.#isUrgent) return
    this.#isUrgent = isUrgent
    this.askUrgency()
  }

  /** Say once more whether what is written is urgent: to whom may be another now. */
  askUrgency(): void {
    show(byId('reach-place'), this.#isUrgent)
    this.onUrgency(this.#isUrgent ? byId('reach-place') : null)
  }

  async #send(): Promise<void> {
    this.#refuseBlanks()
    if (this.#isSending || byId<HTMLButtonElement>('send').disabled || !this.form.reportValidity()) return
    const problem = byId('composer-problem')
    showProblem(problem, null)
    this.#setSending(true)
    try {
      const files = (await this.files?.ready()) ?? []
      await this.onSend(files.length > 0 ? { ...this.note(), files } : this.note())
      this.files?.clear()
      this.set({ text: '', urgency: '0', due: '', reason: '', ...marksByGroup([]) })
      byId<HTMLDetailsElement>('handling-fold').open = false
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
    for (const name of ['subject', 'text', 'reason'] as const) {
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
    for (const name of ['subject', 'text', 'reason'] as const) {
      const input = this.#input(name)
      if (input && 'readOnly' in input) input.readOnly = isSending
    }
    this.#showState()
  }
}

/** What each group of marks says; nothing where it has none. */
const marksByGroup = (marks: readonly HandlingMark[]) =>
  Object.fromEntries(
    GROUPS.map((group) => [
      group,
      HANDLING[group].find((mark) => (marks as readonly string[]).includes(mark)) ?? '',
    ]),
  )
