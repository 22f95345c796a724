// Direct contact: mandates by which practitioners of two States write to each other in a correspondence of its own.
import { admit, consentTo, type Proposal, proposalsIn, propose, withdraw } from '../store/mandates.ts'
import type { Reading } from '../store/reading.ts'
import { summarise } from '../store/summary.ts'
import { Failure, orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'
import { dayNumber, dueDate, dueOf, fieldOf } from './format.ts'
import { inTurn } from './in_turn.ts'
import { announce, byId, clone, fill, paragraphs, show, slot, text } from './page.ts'
import { sentence, showProblem } from './problem.ts'
import type { Mailroom } from './session.ts'
import { openThreadOfPage } from './thread_of_page.ts'

const USUAL_DAYS = 90
// A year, less what days of the calendar and the clock may add.
const LONGEST_DAYS = 363
const now = (): number => Math.floor(Date.now() / 1000)
type Inform = 'copy' | 'observer' | 'summary'

interface PractitionerRow {
  principal: Hex | null
  statement: string
}

export async function showContact(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened !== null) await new ContactView(opened).start()
}

class ContactView {
  readonly #mailroom: Mailroom
  readonly #row: ThreadRow
  readonly #reading: Reading
  readonly #form = byId<HTMLFormElement>('contact-form')
  readonly #show = inTurn(() => this.#read())
  #shown: string | null = null

  constructor({ mailroom, row, reading }: { mailroom: Mailroom; row: ThreadRow; reading: Reading }) {
    this.#mailroom = mailroom
    this.#row = row
    this.#reading = reading
  }

  get #within() {
    return this.#mailroom.correspondence
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    const subject = summarise(this.#reading.applied, 0).subject ?? text('no-subject')
    slot(byId('contact-subject'), 'subject').textContent = subject
    const isDirect = this.#row.kind === 'direct'
    show(byId('contact-open'), !isDirect)
    show(byId('contact-mandates'), isDirect)
    byId('open-contact').onclick = () => void this.#act(byId('contact-open'), () => this.#open())
    const until = byId<HTMLInputElement>('contact-until')
    const today = dayNumber(now())
    until.min = fieldOf((today + 1) * 86_400)
    until.max = fieldOf((today + LONGEST_DAYS) * 86_400)
    until.defaultValue = fieldOf((today + USUAL_DAYS) * 86_400) // also after the form was sent
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#act(this.#form, () => this.#propose())
    })
    this.#form.addEventListener('change', () => this.#refuseNobody())
    if (isDirect) {
      await this.#offerPractitioners()
      await this.#show()
    }
    session.hear = {
      'messaging.item.appended': (item) => {
        if (item.thread === this.#row.thread)
          void this.#reading
            .receive(item)
            .then(() => this.#show())
            .catch(orLater)
      },
    }
    outbox.onChange = () =>
      void this.#reading
        .sync()
        .then(() => this.#show())
        .catch(orLater)
    show(byId('loading'), false)
    show(byId('contact'), true)
    session.socket.connect()
    void outbox.flush()
  }

  /** A correspondence of its own with the same authority: practitioners see it, and never the case. */
  async #open(): Promise<void> {
    const other = this.#row.members.find(
      ({ principal, role }) => principal !== this.#within.principal && role === 'party',
    )
    if (other === undefined) return
    const { outbox } = this.#mailroom
    const thread = await outbox.openEmpty(other.authority.id, other.principal, 'direct')
    const { subject, ownReference } = summarise(this.#reading.applied, 0)
    const language = document.documentElement.lang.slice(0, 2)
    await outbox.addNote(thread, { text: text('contact-begins'), subject, ownReference, language })
    await outbox.flush()
    location.assign(`/threads/${thread}/contact/`)
  }

  /** Those for whom the own authority answers. */
  async #offerPractitioners(): Promise<void> {
    const { rest, mailbox } = this.#within
    const { practitioners } = await rest.get<{ practitioners: PractitionerRow[] }>('practitioners')
    const { practice } = await mailbox.membership()
    const answered = (await practice.answered()).filter(({ until }) => until > now())
    const rows = await Promise.all(
      practitioners
        .filter((row) => answered.some(({ practitioner }) => practitioner === row.principal))
        .map(async ({ principal, statement }) => {
          const element = clone('contact-person')
          const { name, office } = await practice.read(statement)
          slot<HTMLInputElement>(element, 'chosen').value = principal ?? ''
          fill(element, { name, office })
          return element
        }),
    )
    byId('contact-persons').replaceChildren(...rows)
    show(byId('contact-nobody'), rows.length === 0)
    show(this.#form, rows.length > 0)
    this.#refuseNobody()
  }

  get #boxes(): HTMLInputElement[] {
    return [...byId('contact-persons').querySelectorAll<HTMLInputElement>('input')]
  }

  #refuseNobody(): void {
    const isNobody = !this.#boxes.some(({ checked }) => checked)
    this.#boxes[0]?.setCustomValidity(isNobody ? text('contact-choose') : '')
  }

  async #propose(): Promise<void> {
    const value = (id: string) => byId<HTMLInputElement>(id).value.trim()
    const parts = [text('contact-purpose', { words: value('contact-purpose') })]
    if (value('contact-excluded')) parts.push(text('contact-excluded', { words: value('contact-excluded') }))
    await propose(this.#within, this.#mailroom.outbox, this.#row.thread, {
      practitioners: this.#boxes.filter(({ checked }) => checked).map((box) => box.value),
      text: parts.join('\n\n'),
      until: dueOf(value('contact-until')) ?? now() + USUAL_DAYS * 86_400,
      inform: value('contact-inform') as Inform,
    })
    this.#form.reset()
    this.#refuseNobody()
    announce(text('contact-proposed'))
    await this.#mailroom.outbox.flush()
  }

  async #read(): Promise<void> {
    const proposals = await proposalsIn(this.#within, this.#reading, now())
    // What is as before stays as it is, with what was folded out.
    const seen = JSON.stringify(proposals.map((one) => ({ ...one, consents: [...one.consents.keys()] })))
    if (seen === this.#shown) return
    this.#shown = seen
    const rows = await Promise.all(proposals.reverse().map((one) => this.#render(one)))
    byId('mandates').replaceChildren(...rows)
    show(byId('no-mandates'), rows.length === 0)
  }

  async #render(proposal: Proposal): Promise<HTMLElement> {
    const element = clone('mandate-row')
    const { state, missing, practitioners, until, inform, by, consents } = proposal
    const names = await Promise.all(practitioners.map((one) => this.#nameOf(one)))
    const waitsFor = missing.map((one) => this.#authorityOf(one)).join(', ')
    fill(element, {
      names: names.join(', '),
      by: this.#authorityOf(by),
      until: dueDate(until),
      inform: text(`inform-${inform}`),
      state: text(`mandate-${state}`, { authority: waitsFor }),
    })
    slot(element, 'text').replaceChildren(...paragraphs(proposal.text))
    const own = this.#within.principal
    show(slot(element, 'consent'), state === 'waits' && !consents.has(own))
    show(slot(element, 'admit'), state === 'ready')
    show(slot(element, 'withdrawing'), state === 'in-force')
    slot(element, 'consent').onclick = () => void this.#act(element, () => this.#consent(proposal))
    slot(element, 'admit').onclick = () =>
      void this.#act(element, () => admit(this.#within, this.#row.thread, proposal))
    this.#askForNote(element, proposal)
    return element
  }

  /** A mandate is withdrawn with a closing note, which whom it admitted can still read. */
  #askForNote(element: HTMLElement, proposal: Proposal): void {
    const form = slot<HTMLFormElement>(element, 'withdraw')
    const field = slot<HTMLTextAreaElement>(form, 'note')
    const hint = slot(form, 'note-hint')
    field.id = `closing-note-${proposal.hash.slice(0, 16)}`
    hint.id = `${field.id}-hint`
    field.setAttribute('aria-describedby', hint.id)
    slot<HTMLLabelElement>(form, 'note-label').htmlFor = field.id
    field.oninput = () => field.setCustomValidity('')
    form.onsubmit = (event) => {
      event.preventDefault()
      const words = field.value.trim()
      field.setCustomValidity(words === '' ? text('write-something') : '')
      if (form.reportValidity()) void this.#act(element, () => this.#withdraw(proposal, words))
    }
  }

  async #withdraw(proposal: Proposal, words: string): Promise<void> {
    const { outbox } = this.#mailroom
    const { thread } = this.#row
    const { subject, ownReference } = summarise(this.#reading.applied, 0)
    const language = document.documentElement.lang.slice(0, 2)
    const note = `${text('contact-closing')}\n\n${words}`
    await outbox.addNote(thread, { text: note, subject, ownReference, language })
    await outbox.flush()
    const waiting = (await outbox.entries()).some(({ entry }) => entry.thread === thread)
    if (waiting) throw new Failure('no-answer', text('contact-note-waits'))
    await withdraw(this.#within, thread, proposal)
  }

  /** Where this consent was the last that was missing, whom the mandate names is let in at once. */
  async #consent({ hash }: Proposal): Promise<void> {
    const { outbox } = this.#mailroom
    await consentTo(this.#within, outbox, this.#row.thread, hash)
    await outbox.flush()
    await this.#reading.sync()
    const found = await proposalsIn(this.#within, this.#reading, now())
    const ready = found.find((one) => one.hash === hash && one.state === 'ready')
    if (ready) await admit(this.#within, this.#row.thread, ready)
  }

  async #nameOf(practitioner: Hex): Promise<string> {
    await this.#within.learnKeyring(practitioner)
    const [person] = this.#within.mailbox.keyring(practitioner)?.devices ?? []
    return person ? `${person.name}, ${person.office}` : practitioner.slice(0, 8)
  }

  #authorityOf(principal: Hex): string {
    return this.#row.members.find((one) => one.principal === principal)?.authority.name ?? ''
  }

  async #act(element: HTMLElement, work: () => Promise<void>): Promise<void> {
    element.inert = true
    showProblem(byId('contact-problem'), null)
    try {
      await work()
      byId('contact-heading').focus()
    } catch (error) {
      byId('contact-problem').textContent = sentence(error)
      show(byId('contact-problem'), true)
      byId('contact-problem').focus()
    } finally {
      element.inert = false
    }
    if (this.#row.kind === 'direct') await this.#show().catch(orLater)
  }
}
