// The common moments of a correspondence: naming one, and agreeing to what another party named.
import { partiesIn } from '../store/joining.ts'
import { type Moment, momentsIn } from '../store/moments.ts'
import type { Reading } from '../store/reading.ts'
import { orLater } from '../transport/failure.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { type Office, showMoment } from './moment.ts'
import { announce, byId, clone, fill, paragraphs, show, slot, text } from './page.ts'
import type { Mailroom } from './session.ts'
import { momentOf, UTC } from './zones.ts'

const now = (): number => Math.floor(Date.now() / 1000)
type Act = (element: HTMLElement, work: () => Promise<void>) => Promise<void>

export class MomentsView {
  readonly #mailroom: Mailroom
  readonly #reading: Reading
  readonly #act: Act
  readonly #time = byId<HTMLInputElement>('moment-time')
  readonly #zone = byId<HTMLSelectElement>('moment-zone')
  #shown: string | null = null

  /** `act` does what was asked for, and says what went wrong. */
  constructor(mailroom: Mailroom, reading: Reading, act: Act) {
    this.#mailroom = mailroom
    this.#reading = reading
    this.#act = act
    for (const field of [this.#time, this.#zone])
      field.addEventListener('input', () => this.#time.setCustomValidity(''))
    const form = byId<HTMLFormElement>('moment-form')
    form.noValidate = true // only when it is sent: what is wrong may hang on the zone
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const at = this.#chosen()
      if (form.reportValidity() && at !== null) void this.#act(form, () => this.#name(at))
    })
  }

  /** Shows the moments on the clocks of these offices; `mayName`: and lets the own authority name one. */
  show(offices: readonly Office[], { members }: ThreadRow, mayName: boolean): void {
    const { correspondence } = this.#mailroom
    const moments = momentsIn(this.#reading.applied, partiesIn(correspondence, this.#reading.thread))
    show(byId('moment-fold'), mayName)
    this.#offerZones(offices)
    const seen = JSON.stringify([moments, offices, mayName])
    if (seen === this.#shown) return
    this.#shown = seen
    const nameOf = (principal: string) => {
      const authority = members.find((one) => one.principal === principal)?.authority
      return authority?.state_name ?? authority?.name ?? ''
    }
    const rows = moments.map((moment) => this.#render(moment, offices, mayName, nameOf))
    byId('moments').replaceChildren(...rows)
    show(byId('no-moments'), rows.length === 0)
  }

  #render(
    moment: Moment,
    offices: readonly Office[],
    mayName: boolean,
    nameOf: (principal: string) => string,
  ): HTMLElement {
    const element = clone('moment-row')
    const { at, state, standing, missing, by } = moment
    showMoment(slot(element, 'moment'), at, offices)
    const authority = missing.map(nameOf).join(', ')
    const words = state === 'left' ? text('moment-replaced') : text(`moment-${state}`, { authority })
    fill(element, { standing: words, by: nameOf(by) })
    slot(element, 'what').lang = moment.language
    slot(element, 'what').replaceChildren(...paragraphs(moment.text))
    const isAsked = mayName && at > now() && !standing.includes(this.#mailroom.correspondence.principal)
    show(slot(element, 'agree'), isAsked && state !== 'left')
    slot(element, 'agree').onclick = () =>
      void this.#act(element, () => this.#send(text('moment-we-agree'), at))
    return element
  }

  /** The zones of the offices, the own first, and UTC. What was chosen stays chosen. */
  #offerZones(offices: readonly Office[]): void {
    const names = new Map<string, string[]>()
    for (const { name, zone } of offices) names.set(zone, [...(names.get(zone) ?? []), name])
    if (!names.has(UTC)) names.set(UTC, [])
    const options = [...names].map(([zone, who]) => {
      const words = who.length > 0 ? text('zone-of', { name: who.join(', '), zone }) : zone
      return new Option(words, zone)
    })
    if (options.length === this.#zone.options.length) return
    const chosen = this.#zone.value || this.#ownZone(offices)
    this.#zone.replaceChildren(...options)
    this.#zone.value = names.has(chosen) ? chosen : UTC
  }

  #ownZone(offices: readonly Office[]): string {
    const { state_name, name } = this.#mailroom.session.info.authority
    return offices.find((office) => office.name === (state_name ?? name))?.zone ?? UTC
  }

  /** What the form says; null with a sentence at the field where no clock shows it, or it has passed. */
  #chosen(): number | null {
    const at = momentOf(this.#time.value, this.#zone.value)
    if (this.#time.value === '') return null
    const problem = at === null ? 'none' : at <= now() ? 'too-late' : ''
    this.#time.setCustomValidity(problem === '' ? '' : text(`moment-${problem}`))
    return problem === '' ? at : null
  }

  async #name(at: number): Promise<void> {
    await this.#send(byId<HTMLTextAreaElement>('moment-what').value.trim(), at)
    byId<HTMLFormElement>('moment-form').reset()
    byId<HTMLDetailsElement>('moment-fold').open = false
    announce(text('moment-named'))
  }

  async #send(words: string, moment: number): Promise<void> {
    const { outbox } = this.#mailroom
    const language = document.documentElement.lang.slice(0, 2)
    await outbox.addNote(this.#reading.thread, { text: words, language, moment })
    await outbox.flush().catch(orLater)
  }
}
