import type { OpenedMessage } from '../sealed/client.ts'
import { toBase64 } from '../sealed/encoding.ts'
import { type DisclosedMessage, disclose } from '../sealed/record.ts'
import { type Cause, MESSAGES_MOST, makeReport } from '../sealed/report.ts'
import { messagesOf } from '../store/summary.ts'
import type { Rest } from '../transport/rest.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { setTime } from './format.ts'
import { authorityText } from './message.ts'
import { byId, clone, fill, show, slot, splitParagraphs, text } from './page.ts'
import { showProblem } from './problem.ts'
import type { Mailroom } from './session.ts'
import { openThreadOfPage } from './thread_of_page.ts'

const START_LENGTH = 160

export async function showReport(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened === null) return
  const { mailroom, row, reading } = opened
  const messages = messagesOf(reading.applied).filter(
    ({ isOwn, failed, kind }) => !isOwn && failed === null && kind === 'note',
  )
  new ReportView(mailroom, row, messages).start()
}

class ReportView {
  readonly #mailroom: Mailroom
  readonly #row: ThreadRow
  readonly #messages: readonly OpenedMessage[]

  constructor(mailroom: Mailroom, row: ThreadRow, messages: readonly OpenedMessage[]) {
    this.#mailroom = mailroom
    this.#row = row
    this.#messages = messages
  }

  start(): void {
    const wanted = Number(new URLSearchParams(location.search).get('message'))
    byId('report-messages').replaceChildren(...this.#messages.map((each) => this.#choice(each, wanted)))
    byId<HTMLFormElement>('report-form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#send()
    })
    show(byId('loading'), false)
    show(byId('report'), true)
    byId('report-messages').querySelector<HTMLInputElement>('input:checked')?.focus()
  }

  #choice(message: OpenedMessage, wanted: number): HTMLElement {
    const row = clone('report-row')
    const choice = slot<HTMLInputElement>(row, 'choice')
    choice.value = String(message.seq)
    choice.checked = message.seq === wanted
    const member = this.#row.members.find(({ principal }) => principal === message.principal)
    const written = message.body?.type === 'note' ? splitParagraphs(message.body.text).join(' ') : ''
    const start = written.length > START_LENGTH ? `${written.slice(0, START_LENGTH)} …` : written
    fill(row, {
      name: message.name,
      authority: authorityText(member?.authority),
      start: start || text('report-no-text'),
    })
    setTime(slot(row, 'time'), message.receivedAt)
    return row
  }

  #refuse(key: string, element: HTMLElement): void {
    byId('report-problem').textContent = text(key)
    show(byId('report-problem'), true)
    element.focus()
  }

  async #send(): Promise<void> {
    const form = new FormData(byId<HTMLFormElement>('report-form'))
    const places = form.getAll('message').map(Number)
    const cause = byId<HTMLSelectElement>('report-cause')
    const first = byId('report-messages').querySelector<HTMLElement>('input')
    if (places.length === 0) return this.#refuse('report-nothing', first ?? cause)
    if (places.length > MESSAGES_MOST) return this.#refuse('report-too-many', first ?? cause)
    if (cause.value === '') return this.#refuse('report-cause-missing', cause)
    const button = byId<HTMLButtonElement>('report-send')
    button.disabled = true
    showProblem(byId('report-problem'), null)
    try {
      await this.#disclose(places, cause.value as Cause, String(form.get('words') ?? ''))
      show(byId('report'), false)
      show(byId('report-done'), true)
      byId('report-done').focus()
    } catch (error) {
      showProblem(byId('report-problem'), error)
    } finally {
      button.disabled = false
    }
  }

  async #disclose(places: readonly number[], cause: Cause, words: string): Promise<void> {
    const { correspondence, session } = this.#mailroom
    await correspondence.learnKeyring(correspondence.principal)
    const source = correspondence.mailbox.recordSource(this.#row.thread)
    const messages: DisclosedMessage[] = []
    for (const seq of places) {
      const found = await disclose(source, seq)
      if (found) messages.push(found)
    }
    const report = await makeReport(source, { cause, words, messages }, Math.floor(Date.now() / 1000))
    const shown = messages.map(({ blind, padded }) => ({ blind: toBase64(blind), padded: toBase64(padded) }))
    await session.rest.post(`threads/${this.#row.thread}/reports`, {
      report: toBase64(report),
      messages: shown,
    })
  }
}
