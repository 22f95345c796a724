// The page on which an officer takes a step in a case: what can come next, and what the step has to say.
import {
  ANSWER_SECONDS,
  CLOSED,
  FACTS,
  GROUNDS_FOR,
  OTHER_TREATY,
  STAGES,
  TREATY_GROUND,
} from '../generated/stages.ts'
import type { StepInput } from '../sealed/client.ts'
import type { Urgency } from '../sealed/message.ts'
import type { OwnCase } from '../sealed/own_cases.ts'
import type { Fact, Facts, Step } from '../sealed/steps.ts'
import type { Draft, DraftKeeper } from '../store/drafts.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf, nextLanguage, summarise } from '../store/summary.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityName, Hex, ThreadRow } from '../transport/wire.ts'
import { CLOSING_FIELDS, closingFacts, closingField } from './closing.ts'
import { dateTime, dayNumber, dueOf, fieldOf } from './format.ts'
import { announce, byId, clone, hasText, show, slot, splitParagraphs, text } from './page.ts'
import { sentenceFor, showProblem } from './problem.ts'
import { othersOf, showReach } from './reach.ts'
import type { Mailroom } from './session.ts'
import { restsOf, stepDraft } from './step_draft.ts'
import { stepFacts } from './step_facts.ts'
import { openThreadOfPage } from './thread_of_page.ts'

const DAY = 86_400
/** Before the name of a fact, in fields and drafts. */
const FACT = 'fact:'
const now = (): number => Math.floor(Date.now() / 1000)
type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

export async function showStep(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened === null) return
  const { mailroom, reading, row } = opened
  await new StepView(mailroom, reading, row).start()
}

class StepView {
  readonly #mailroom: Mailroom
  readonly #id: Hex
  readonly #reading: Reading
  readonly #others: readonly AuthorityName[]
  readonly #keeper: DraftKeeper
  readonly #form = byId<HTMLFormElement>('step-form')
  /** What was written for each fact, also of a step that is not chosen now. */
  readonly #said = new Map<string, string>()
  #own: OwnCase | null = null
  #isSending = false

  constructor(mailroom: Mailroom, reading: Reading, row: ThreadRow) {
    this.#others = othersOf(row, mailroom.correspondence.principal)
    this.#mailroom = mailroom
    this.#id = reading.thread
    this.#reading = reading
    this.#keeper = stepDraft(mailroom.correspondence, reading.thread)
  }

  async start(): Promise<void> {
    const { session } = this.#mailroom
    slot(byId('step-subject'), 'subject').textContent =
      summarise(this.#reading.applied, 0).subject ?? text('no-subject')
    const language = nextLanguage(this.#reading.applied)?.slice(0, 2)
    if (language) byId<HTMLSelectElement>('step-language').value = language
    const draft = await this.#keeper.load()
    await this.#see(draft)
    this.#keeper.onSaved = (where) => this.#say(where === 'device' ? 'draft-on-device' : 'draft-saved')
    if (draft) this.#say('draft-restored')
    show(byId('loading'), false)
    show(byId('step'), true)
    this.#form.addEventListener('input', (event) => this.#changed(event.target as Input))
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#send()
    })
    addEventListener('pagehide', () => void this.#keeper.flush())
    session.beforeLeaving = () => this.#keeper.flush()
    session.hear = {
      'messaging.item.appended': (item) => {
        if (item.thread === this.#id)
          void this.#reading
            .receive(item)
            .then(() => this.#look())
            .catch(orLater)
      },
    }
    session.onOpen = () =>
      void this.#reading
        .sync()
        .then(() => this.#look())
        .catch(orLater)
    session.socket.connect()
  }

  /** Somebody else may have taken a step while this one is written: what was written stays. */
  async #look(): Promise<void> {
    const before = this.#own?.case.on
    if (this.#isSending || before === (await this.#case())?.case.on) return
    await this.#see(this.#written())
    show(byId('step-moved'), true)
    announce(byId('step-moved').textContent ?? '')
  }

  async #case(): Promise<OwnCase | null> {
    if (this.#reading.alarm !== null) return null
    return (await this.#mailroom.correspondence.mailbox.cases()).see(this.#id)
  }

  /** Show where the case stands and what can come next, with what was written. */
  async #see(written: Draft | null): Promise<void> {
    this.#own = await this.#case()
    const { alarm } = this.#reading
    if (alarm) byId('step-none').textContent = sentenceFor('thread-stopped')
    const may = this.#own?.may ?? []
    show(byId('step-none'), may.length === 0)
    show(this.#form, may.length > 0)
    this.#showStanding()
    this.#showDraft()
    const { variant } = this.#own?.case ?? { variant: null }
    show(byId('variant-place'), variant === null)
    fillChoices('step-variant', unique(may.map((step) => step.variant)), 'variant')
    if (typeof written?.variant === 'string') choose('step-variant', written.variant)
    this.#showStages(typeof written?.code === 'string' ? written.code : null)
    this.#restore(written)
  }

  #showStanding(): void {
    const found = this.#own?.case
    if (!found) return
    const stage = hasText(`stage-${found.stage}`) ? text(`stage-${found.stage}`) : text('case-not-begun')
    byId('case-stage').textContent = stage
    byId('case-variant').textContent = found.variant ? text(`variant-${found.variant}`) : ''
    byId('case-side').textContent =
      found.requesting !== null && this.#own?.side ? text(`side-${this.#own.side}`) : ''
    show(byId('case-unconfirmed'), found.isUnconfirmed)
  }

  /** The draft that was shared last, at hand while the request is sent. */
  #showDraft(): void {
    const drafts = messagesOf(this.#reading.applied).filter(({ step }) => step?.code === 'draft-shared')
    const newest = drafts.at(-1)
    const facts = newest ? stepFacts(newest) : null
    show(byId('step-draft'), facts !== null)
    if (facts) slot(byId('step-draft'), 'facts').replaceChildren(facts)
  }

  get #variant(): string {
    return this.#own?.case.variant ?? byId<HTMLSelectElement>('step-variant').value
  }

  get #code(): string {
    return byId<HTMLSelectElement>('step-code').value
  }

  /** The chosen step, once for each thing it can rest on. */
  get #chosen(): readonly Step[] {
    const [variant, code] = [this.#variant, this.#code]
    return (this.#own?.may ?? []).filter((step) => step.variant === variant && step.code === code)
  }

  #showStages(code: string | null): void {
    const may = (this.#own?.may ?? []).filter(({ variant }) => variant === this.#variant)
    fillChoices('step-code', unique(may.map((step) => step.code)), 'stage')
    if (code !== null) choose('step-code', code)
    this.#showParts()
  }

  /** What the chosen step rests on, and what it has to say. */
  #showParts(): void {
    const steps = this.#chosen
    const rests = steps.filter((step) => !isFree(step))
    show(byId('rests-place'), rests.length > 0)
    const select = byId<HTMLSelectElement>('step-rests')
    const before = select.value
    select.replaceChildren(
      ...rests.map((step) => {
        const { consultation, override } = step
        const isOverride = override !== null
        const words = isOverride ? text(`override-${override}`) : this.#consultation(consultation ?? 0)
        return new Option(words, restsOf(step))
      }),
    )
    choose('step-rests', before)
    const stage = STAGES[this.#code]
    show(byId('urgency-place'), stage?.urgent === true)
    this.#showReach(stage?.urgent === true)
    show(byId('due-place'), stage?.due === true)
    const due = byId<HTMLInputElement>('step-due')
    due.required = stage?.due === true
    due.disabled = !due.required // what is hidden is not asked for
    const least = this.#code === 'consultation' ? now() + ANSWER_SECONDS + DAY : now()
    due.min = fieldOf(dayNumber(least) * DAY)
    this.#showFacts()
  }

  /** Who is there now, where the step cannot wait. */
  #showReach(isUrgent: boolean): void {
    const asked = isUrgent ? this.#others : []
    void showReach(byId('reach-place'), this.#mailroom.session.rest, asked).catch(orLater)
  }

  #consultation(seq: number): string {
    const message = messagesOf(this.#reading.applied).find((one) => one.seq === seq)
    return text('consultation-of', { date: message ? dateTime(message.receivedAt) : String(seq) })
  }

  /** Fields that were there keep what stands in them. */
  #showFacts(): void {
    const place = byId('step-facts-place')
    const names = this.#isClosing ? CLOSING_FIELDS : this.#wanted()
    const kept = new Map([...place.children].map((field) => [(field as HTMLElement).dataset.fact, field]))
    place.replaceChildren(...names.map((name) => kept.get(name) ?? this.#field(name)))
    const ground = this.#input('ground')
    if (ground instanceof HTMLSelectElement) {
      fillChoices(ground, GROUNDS_FOR[`${this.#variant} ${this.#code}`] ?? [], 'ground')
      choose(ground.id, this.#said.get('ground') ?? '')
    }
    this.#showTreaty()
  }

  #wanted(): string[] {
    const names = [...(STAGES[this.#code]?.facts ?? [])]
    const { override } = this.#step() ?? { override: null }
    if (override !== null) names.push('override_reason')
    const isOfTreaty = override === OTHER_TREATY || this.#input('ground')?.value === TREATY_GROUND
    return names.includes('ground') || override !== null
      ? [...names, ...(isOfTreaty ? ['treaty'] : [])]
      : names
  }

  /** The case is closed by a form of its own. */
  get #isClosing(): boolean {
    return this.#code === CLOSED
  }

  #field(name: string): HTMLElement {
    const field = this.#isClosing ? closingField(name) : factField(name)
    field.dataset.fact = name
    const input = slot<Input>(field, 'input')
    input.id = `fact-field-${name}`
    input.name = `${FACT}${name}`
    slot<HTMLLabelElement>(field, 'label').htmlFor = input.id
    if (this.#isClosing || !(input instanceof HTMLSelectElement)) input.value = this.#said.get(name) ?? ''
    return field
  }

  #showTreaty(): void {
    const has = byId('step-facts-place').querySelector('[data-fact="treaty"]') !== null
    if (has !== this.#wanted().includes('treaty')) this.#showFacts()
  }

  #input(fact: string): Input | null {
    return this.#form.elements.namedItem(`${FACT}${fact}`) as Input | null
  }

  #changed(target: Input): void {
    target.setCustomValidity('')
    if (target.name.startsWith(FACT)) this.#said.set(target.name.slice(FACT.length), target.value)
    if (target.id === 'step-variant') this.#showStages(null)
    else if (target.id === 'step-code' || target.id === 'step-rests') this.#showParts()
    else this.#showTreaty()
    this.#say('draft-unsaved')
    const { at: _, ...fields } = this.#written()
    this.#keeper.save(fields)
  }

  #written(): Draft {
    const facts = [...this.#said].map(([name, value]) => [`${FACT}${name}`, value])
    const field = (id: string) => byId<Input>(id).value
    return {
      at: Date.now(),
      variant: this.#variant,
      code: this.#code,
      rests: field('step-rests'),
      urgency: field('step-urgency'),
      due: field('step-due'),
      language: field('step-language'),
      ...Object.fromEntries(facts),
    }
  }

  #restore(written: Draft | null): void {
    if (written === null) return
    for (const [id, name] of [
      ['step-rests', 'rests'],
      ['step-urgency', 'urgency'],
      ['step-language', 'language'],
    ] as const)
      if (typeof written[name] === 'string') choose(id, written[name])
    if (typeof written.due === 'string') byId<HTMLInputElement>('step-due').value = written.due
    for (const [name, value] of Object.entries(written))
      if (name.startsWith(FACT) && typeof value === 'string') this.#said.set(name.slice(FACT.length), value)
    byId('step-facts-place').replaceChildren()
    this.#showParts()
  }

  #step(): Step | null {
    const rests = byId<HTMLSelectElement>('step-rests').value
    return this.#chosen.find((step) => isFree(step) || restsOf(step) === rests) ?? null
  }

  #facts(): Facts {
    if (this.#isClosing) return closingFacts((name) => this.#input(name)?.value ?? '')
    return Object.fromEntries(this.#wanted().map((name) => [name, this.#fact(name)]))
  }

  #fact(name: string): Fact {
    const value = this.#input(name)?.value ?? ''
    const kind = FACTS[name]?.kind
    if (kind === 'date') return dueOf(value) ?? 0
    return kind === 'list' ? splitParagraphs(value).map((line) => line.trim()) : value.trim()
  }

  async #send(): Promise<void> {
    this.#refuseBlanks()
    const step = this.#step()
    if (this.#isSending || step === null || !this.#form.reportValidity()) return
    const problem = byId('step-problem')
    showProblem(problem, null)
    this.#setSending(true)
    try {
      await this.#mailroom.outbox.addStep(this.#id, this.#signed(step))
      // The time for which a closed case is kept begins at the server: the thread's page says it at once.
      if (this.#isClosing) await this.#mailroom.outbox.flush()
      await this.#keeper.clear()
      location.assign(`/threads/${this.#id}/`)
    } catch (error) {
      showProblem(problem, error)
      this.#setSending(false)
    }
  }

  #signed(step: Step): StepInput {
    const stage = STAGES[step.code]
    return {
      step,
      facts: this.#facts(),
      language: byId<HTMLSelectElement>('step-language').value,
      urgency: (stage?.urgent ? Number(byId<HTMLSelectElement>('step-urgency').value) : 0) as Urgency,
      due: stage?.due ? dueOf(byId<HTMLInputElement>('step-due').value) : null,
    }
  }

  /** Blanks alone are no text; the browser's own check takes them for some. */
  #refuseBlanks(): void {
    for (const one of this.#form.elements) {
      const input = one as Input
      if (!input.name?.startsWith(FACT)) continue
      input.setCustomValidity(input.required && input.value.trim() === '' ? text('write-something') : '')
    }
  }

  #setSending(isSending: boolean): void {
    this.#isSending = isSending
    byId<HTMLButtonElement>('step-send').disabled = isSending
  }

  #say(key: string): void {
    byId('draft-state').textContent = text(key)
  }
}

/** The field in which a fact is written. */
function factField(name: string): HTMLElement {
  const rule = FACTS[name]
  const isShort = rule?.kind === 'text' && rule.most <= 200
  const field = clone(`fact-${isShort ? 'short' : (rule?.kind ?? 'text')}`)
  const input = slot<Input>(field, 'input')
  slot(field, 'label').textContent = text(`fact-${name}`)
  input.required = rule?.kind === 'date' || (rule?.least ?? 0) > 0
  if (!input.required) slot(field, 'optional').hidden = false
  if (rule?.kind === 'text' && 'maxLength' in input) input.maxLength = rule.most
  return field
}

/** It rests on no consultation and no override. */
const isFree = ({ consultation, override }: Step): boolean => consultation === null && override === null

const unique = (codes: readonly string[]): string[] => [...new Set(codes)]

/** Offer these, named by the page; what was chosen stays chosen where it is still offered. */
function fillChoices(place: string | HTMLSelectElement, codes: readonly string[], kind: string): void {
  const select = typeof place === 'string' ? byId<HTMLSelectElement>(place) : place
  const before = select.value
  select.replaceChildren(...codes.map((code) => new Option(text(`${kind}-${code}`), code)))
  if (codes.includes(before)) select.value = before
}

function choose(id: string, value: string): void {
  const select = byId<HTMLSelectElement>(id)
  if ([...select.options].some((option) => option.value === value)) select.value = value
}
