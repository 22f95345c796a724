// The page on which a draft request is shared for comment: its versions, what each says otherwise than the one before,
// and what both sides say of its parts. Nothing on it is a request.
import type { NoteInput } from '../sealed/client.ts'
import type { OwnCase } from '../sealed/own_cases.ts'
import type { Facts, Step } from '../sealed/steps.ts'
import {
  type Comment,
  commentsOn,
  DRAFT,
  REQUEST_FACTS,
  type Version,
  versionsIn,
} from '../store/draft_versions.ts'
import type { Draft, DraftKeeper } from '../store/drafts.ts'
import type { Reading } from '../store/reading.ts'
import { nextLanguage, summarise } from '../store/summary.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex } from '../transport/wire.ts'
import { differences, type Piece } from './difference.ts'
import { dateTime, number } from './format.ts'
import { inTurn } from './in_turn.ts'
import { partOf } from './membership.ts'
import { announce, byId, clone, fill, paragraphs, show, slot, text, withoutControls } from './page.ts'
import { showProblem } from './problem.ts'
import type { Mailroom } from './session.ts'
import { stepDraft } from './step_draft.ts'
import { ThreadFiles } from './thread_files.ts'
import { openThreadOfPage } from './thread_of_page.ts'

/** Before the name of a fact in drafts, as on the page of steps: both keep one draft. */
const FACT = 'fact:'
const field = <T extends HTMLElement = HTMLTextAreaElement>(name: string): T => byId<T>(`draft-field-${name}`)

export async function showDraft(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened !== null) await new DraftView(opened.mailroom, opened.reading).start()
}

class DraftView {
  readonly #mailroom: Mailroom
  readonly #id: Hex
  readonly #reading: Reading
  readonly #keeper: DraftKeeper
  readonly #files: ThreadFiles
  readonly #form = byId<HTMLFormElement>('draft-form')
  readonly #show = inTurn(() => this.#read())
  #own: OwnCase | null = null
  #versions: Version[] = []
  /** The version that is looked at; the newest until another is chosen. */
  #chosen: Hex | null = null
  #isSending = false

  constructor(mailroom: Mailroom, reading: Reading) {
    this.#mailroom = mailroom
    this.#id = reading.thread
    this.#reading = reading
    this.#keeper = stepDraft(mailroom.correspondence, reading.thread)
    this.#files = new ThreadFiles(mailroom.correspondence, reading.thread, () => this.#changed())
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    slot(byId('draft-subject'), 'subject').textContent =
      summarise(this.#reading.applied, 0).subject ?? text('no-subject')
    const language = nextLanguage(this.#reading.applied)?.slice(0, 2)
    if (language) byId<HTMLSelectElement>('draft-language').value = language
    await this.#show()
    await this.#restore()
    this.#listen()
    outbox.onChange = () => void this.#grown()
    session.onOpen = () => void this.#grown()
    session.hear = {
      'messaging.item.appended': (item) => {
        if (item.thread === this.#id)
          void this.#reading
            .receive(item)
            .then(() => this.#show())
            .catch(orLater)
      },
    }
    show(byId('loading'), false)
    show(byId('draft'), true)
    session.socket.connect()
    void outbox.flush()
  }

  #listen(): void {
    this.#keeper.onSaved = (where) => this.#say(where === 'device' ? 'draft-on-device' : 'draft-saved')
    this.#form.addEventListener('input', (event) => {
      const target = event.target as HTMLInputElement
      if (target.type !== 'file') this.#changed()
    })
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#share()
    })
    byId('draft-send').addEventListener('click', () => void this.#goToRequest())
    for (const part of this.#parts())
      slot<HTMLFormElement>(part, 'form').addEventListener('submit', (event) => {
        event.preventDefault()
        void this.#comment(part)
      })
    addEventListener('pagehide', () => void this.#keeper.flush())
    this.#mailroom.session.beforeLeaving = () => this.#keeper.flush()
  }

  #grown(): void {
    void this.#reading
      .sync()
      .then(() => this.#show())
      .catch(orLater)
  }

  #parts(): HTMLElement[] {
    return [...byId('draft-parts').querySelectorAll<HTMLElement>('[data-part]')]
  }

  // ---------------------------------------------------------------- what was shared

  async #read(): Promise<void> {
    const { correspondence, outbox } = this.#mailroom
    const { alarm, applied } = this.#reading
    this.#own = alarm === null ? (await correspondence.mailbox.cases()).see(this.#id) : null
    const waiting = await outbox.entries(this.#id)
    this.#versions = versionsIn(applied)
    const isShared = this.#versions.length > 0
    const writes =
      alarm === null && partOf(correspondence.mailbox.thread(this.#id), correspondence) === 'writes'
    show(byId('draft-none'), !isShared && !this.#may(DRAFT))
    show(byId('draft-shown'), isShared)
    show(this.#form, this.#may(DRAFT) !== undefined)
    show(byId('draft-writing'), writes && (isShared || this.#may(DRAFT) !== undefined))
    show(byId('draft-sending'), isShared && this.#may('sent') !== undefined)
    show(byId('draft-waiting'), waiting.length > 0)
    fill(byId('draft-waiting'), { count: text('outbox-count', { count: number(waiting.length) }) })
    this.#showVariants()
    this.#showVersions()
    for (const part of this.#parts()) show(slot(part, 'commenting'), writes)
  }

  /** The step to `code`, if it may come next. */
  #may(code: string): Step | undefined {
    return this.#own?.may.find((step) => step.code === code)
  }

  /** What the case is about is said with its first step. */
  #showVariants(): void {
    const select = byId<HTMLSelectElement>('draft-variant')
    const before = select.value
    const variants = (this.#own?.may ?? []).filter(({ code }) => code === DRAFT).map(({ variant }) => variant)
    select.replaceChildren(...variants.map((variant) => new Option(text(`variant-${variant}`), variant)))
    if (variants.includes(before)) select.value = before
    show(byId('draft-variant-place'), variants.length > 1)
  }

  get #shown(): number {
    const chosen = this.#versions.findIndex(({ message }) => message.id === this.#chosen)
    return chosen < 0 ? this.#versions.length - 1 : chosen
  }

  #showVersions(): void {
    const shown = this.#versions[this.#shown]
    if (shown === undefined) return
    const focused = (document.activeElement as HTMLElement | null)?.dataset.version
    const rows = this.#versions.map((version) => this.#row(version, version === shown))
    byId('draft-versions').replaceChildren(...rows.toReversed())
    if (focused) byId('draft-versions').querySelector<HTMLElement>(`[data-version="${focused}"]`)?.focus()
    const { name, office, receivedAt, failed } = shown.message
    byId('draft-version').textContent = text('draft-version', { version: shown.facts.version ?? '—' })
    byId('draft-by').textContent = text('draft-by', { name, office, time: dateTime(receivedAt) })
    show(byId('draft-failed'), failed !== null)
    show(byId('draft-compared'), this.#shown > 0)
    const comments = commentsOn(this.#versions, this.#reading.applied)
    const known = this.#versions.slice(0, this.#shown + 1)
    for (const part of this.#parts()) {
      const own = comments.filter((one) => one.part === part.dataset.part && known.includes(one.version))
      this.#showPart(part, own)
    }
  }

  #row(version: Version, isShown: boolean): HTMLElement {
    const row = clone('draft-version-row')
    const { id, name, office, receivedAt } = version.message
    fill(row, {
      words: text('draft-version', { version: version.facts.version ?? '—' }),
      by: text('draft-by', { name, office, time: dateTime(receivedAt) }),
    })
    const button = slot<HTMLButtonElement>(row, 'show')
    button.dataset.version = id
    button.setAttribute('aria-pressed', String(isShown))
    button.addEventListener('click', () => {
      this.#chosen = id
      this.#showVersions()
      announce(byId('draft-version').textContent ?? '')
    })
    return row
  }

  #showPart(part: HTMLElement, comments: readonly Comment[]): void {
    const name = part.dataset.part ?? ''
    const [before, now] = [this.#versions[this.#shown - 1], this.#versions[this.#shown]]
    if (name !== 'version') {
      const said = withoutControls(now?.facts[name] ?? '')
      const pieces = differences(
        before === undefined ? said : withoutControls(before.facts[name] ?? ''),
        said,
      )
      const place = slot(part, 'said')
      place.lang = now?.message.language ?? ''
      place.replaceChildren(...written(pieces))
      show(slot(part, 'empty'), pieces.length === 0)
    }
    const place = slot(part, 'comments')
    const kept = new Map([...place.children].map((row) => [(row as HTMLElement).dataset.comment, row]))
    place.replaceChildren(...comments.map((one) => kept.get(one.message.id) ?? this.#rowOf(one)))
  }

  #rowOf({ message, version, text: words }: Comment): HTMLElement {
    const row = clone('draft-comment')
    row.dataset.comment = message.id
    fill(row, {
      by: text('draft-by', {
        name: message.name,
        office: message.office,
        time: dateTime(message.receivedAt),
      }),
      side: text(message.isOwn ? 'side-own' : 'side-foreign'),
      version: text('draft-version', { version: version.facts.version ?? '—' }),
    })
    const place = slot(row, 'text')
    place.lang = message.language
    place.append(...paragraphs(words))
    this.#files.show(row, message)
    return row
  }

  // ---------------------------------------------------------------- commenting

  async #comment(part: HTMLElement): Promise<void> {
    const words = slot<HTMLTextAreaElement>(part, 'words')
    const shown = this.#versions[this.#shown]
    if (shown === undefined || words.value.trim() === '') {
      words.setCustomValidity(text('write-something'))
      words.reportValidity()
      words.oninput = () => words.setCustomValidity('')
      return
    }
    const note = this.#noteOn(shown, part.dataset.part ?? '', words.value.trim())
    await this.#act(part, async () => {
      await this.#mailroom.outbox.addNote(this.#id, note)
      words.value = ''
      slot<HTMLDetailsElement>(part, 'commenting').open = false
      announce(text('draft-commented'))
    })
  }

  #noteOn({ message: { id, seq } }: Version, part: string, words: string): NoteInput {
    return { text: words, language: this.#language, about: { of: id, seq, part } }
  }

  get #language(): string {
    return byId<HTMLSelectElement>('draft-language').value
  }

  // ---------------------------------------------------------------- sharing a version

  /** The own draft; else the newest version, to be gone on with. */
  async #restore(): Promise<void> {
    const draft = await this.#keeper.load()
    const newest = this.#versions.at(-1)?.facts ?? {}
    for (const name of REQUEST_FACTS)
      field(name).value = String(draft?.[`${FACT}${name}`] ?? newest[name] ?? '')
    const version = draft?.[`${FACT}version`] ?? String(this.#versions.length + 1)
    field<HTMLInputElement>('version').value = String(version)
    if (draft === null) return
    const variant = byId<HTMLSelectElement>('draft-variant')
    if ([...variant.options].some(({ value }) => value === draft.variant))
      variant.value = String(draft.variant)
    if (typeof draft.language === 'string') byId<HTMLSelectElement>('draft-language').value = draft.language
    if (typeof draft.files === 'string') this.#files.restore(JSON.parse(draft.files))
    this.#say('draft-restored')
  }

  #changed(): void {
    this.#say('draft-unsaved')
    this.#keeper.save(this.#written(DRAFT))
  }

  /** As the page of steps keeps it, so that the one goes on where the other stopped. */
  #written(code: string): Omit<Draft, 'at'> {
    const facts = Object.entries(this.#facts()).map(([name, said]) => [`${FACT}${name}`, String(said)])
    const variant = this.#own?.case.variant ?? byId<HTMLSelectElement>('draft-variant').value
    return {
      variant,
      code,
      rests: '',
      urgency: '0',
      due: '',
      language: this.#language,
      files: this.#files.kept(),
      ...Object.fromEntries(facts),
    }
  }

  #facts(): Facts {
    const said = [...REQUEST_FACTS, 'version'].map((name) => [name, field(name).value.trim()])
    return Object.fromEntries(said)
  }

  async #share(): Promise<void> {
    const step = this.#own?.may.find(
      ({ code, variant }) =>
        code === DRAFT &&
        (this.#own?.case.variant !== null || variant === byId<HTMLSelectElement>('draft-variant').value),
    )
    const isSaid = REQUEST_FACTS.some((name) => field(name).value.trim() !== '')
    showProblem(byId('draft-problem'), null)
    if (!isSaid) {
      byId('draft-problem').textContent = text('write-something')
      return show(byId('draft-problem'), true)
    }
    if (step === undefined || this.#isSending || !this.#form.reportValidity()) return
    this.#isSending = true
    await this.#act(this.#form, () => this.#send(step))
    this.#isSending = false
  }

  /** The version, then its files in a note about it: a step itself has none. */
  async #send(step: Step): Promise<void> {
    const { outbox } = this.#mailroom
    const [facts, language] = [this.#facts(), this.#language]
    const files = await this.#files.ready()
    await outbox.addStep(this.#id, { step, facts, language, urgency: 0, due: null })
    await this.#keeper.clear()
    this.#files.clear()
    await outbox.flush()
    await this.#reading.sync().catch(orLater)
    const versions = versionsIn(this.#reading.applied)
    const shared = versions.findLast(({ message }) => message.isOwn)
    const words = text('draft-files', { version: String(facts.version) })
    if (files.length > 0) {
      const note = shared ? this.#noteOn(shared, 'version', words) : { text: words, language }
      await outbox.addNote(this.#id, { ...note, files })
    }
    this.#chosen = null
    byId('draft-state').textContent = ''
    field<HTMLInputElement>('version').value = String(versions.length + 1)
    announce(text('draft-shared'))
    byId('draft-heading').focus()
  }

  /** To the page of steps, which signs what is formal: with the draft at hand, and its files named as annexes. */
  async #goToRequest(): Promise<void> {
    const comments = commentsOn(this.#versions, this.#reading.applied)
    const names = comments
      .filter(({ message, version }) => message.isOwn && version === this.#versions.at(-1))
      .flatMap(({ message: { body } }) => (body?.type === 'note' ? body.files.map(({ name }) => name) : []))
    this.#keeper.save({ ...this.#written('sent'), [`${FACT}annexes`]: names.join('\n') })
    await this.#keeper.flush()
    location.assign(`/threads/${this.#id}/step/`)
  }

  async #act(element: HTMLElement, work: () => Promise<void>): Promise<void> {
    const problem = byId('draft-problem')
    showProblem(problem, null)
    element.inert = true
    try {
      await work()
      await this.#mailroom.outbox.flush()
    } catch (error) {
      showProblem(problem, error)
      problem.scrollIntoView({ block: 'nearest' })
    } finally {
      element.inert = false
    }
  }

  #say(key: string): void {
    byId('draft-state').textContent = text(key)
  }
}

/** The pieces of a text as paragraphs; what was taken away and what is new in words too, never by colour alone. */
function written(pieces: readonly Piece[]): HTMLElement[] {
  const found = [paragraph()]
  for (const { kind, text: words } of pieces)
    for (const [index, line] of words.split('\n').entries()) {
      if (index > 0) found.push(paragraph())
      if (line !== '') found.at(-1)?.append(kind === 'same' ? line : marked(kind, line))
    }
  return found.filter(({ childNodes }) => childNodes.length > 0)
}

function paragraph(): HTMLElement {
  const element = document.createElement('p')
  element.dir = 'auto'
  return element
}

function marked(kind: 'gone' | 'new', words: string): HTMLElement {
  const element = clone(`draft-${kind}`)
  fill(element, { words })
  return element
}
