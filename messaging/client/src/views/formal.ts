// The page on which an officer of a central authority begins a request from something said in direct contact: in which
// case, and with what. The draft is kept sealed for this person; nothing of it goes into an address.
import type { OpenedMessage } from '../sealed/client.ts'
import { DRAFT, REQUEST_FACTS, versionsIn } from '../store/draft_versions.ts'
import type { Draft, DraftKeeper } from '../store/drafts.ts'
import { asksIn, type FormalAsk, isOfOwnState } from '../store/formal_asks.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf, type Summary, summarise } from '../store/summary.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'
import { dateTime } from './format.ts'
import { authorityText } from './message.ts'
import { byId, clone, fill, paragraphs, show, slot, text } from './page.ts'
import { showProblem } from './problem.ts'
import type { Mailroom } from './session.ts'
import { stepDraft } from './step_draft.ts'
import { openThreadOfPage } from './thread_of_page.ts'

const MOST = 100
/** Where a case stands in which a draft can still be shared. */
const BEFORE_REQUEST = [null, 'inquiry', DRAFT]

interface FoundCase {
  readonly thread: Hex
  readonly subject: string | null
  readonly reference: string | null
}

export async function showFormal(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened !== null) await new FormalView(opened).start()
}

class FormalView {
  readonly #mailroom: Mailroom
  readonly #row: ThreadRow
  readonly #reading: Reading
  readonly #summary: Summary
  readonly #message: OpenedMessage | undefined
  readonly #ask: FormalAsk | undefined

  constructor({ mailroom, row, reading }: { mailroom: Mailroom; row: ThreadRow; reading: Reading }) {
    this.#mailroom = mailroom
    this.#row = row
    this.#reading = reading
    this.#summary = summarise(reading.applied, 0)
    const seq = Number(new URLSearchParams(location.search).get('message'))
    this.#message = messagesOf(reading.applied).find(
      (one) => one.seq === seq && one.kind === 'note' && one.failed === null,
    )
    this.#ask = asksIn(reading.applied).findLast(({ of, by }) => of.seq === seq && this.#isOwn(by))
  }

  get #within() {
    return this.#mailroom.correspondence
  }

  get #other(): ThreadRow['members'][number] | undefined {
    return this.#row.members.find(
      ({ principal, role }) => principal !== this.#within.principal && role === 'party',
    )
  }

  async start(): Promise<void> {
    const isDirect = this.#row.kind === 'direct' && this.#reading.alarm === null
    const message = isDirect ? this.#message : undefined
    show(byId('formal-none'), message === undefined)
    show(byId('formal-parts'), message !== undefined)
    if (message) await this.#offer(message)
    show(byId('loading'), false)
    show(byId('formal'), true)
    this.#mailroom.session.socket.connect()
  }

  async #offer(message: OpenedMessage): Promise<void> {
    const place = byId('formal-parts')
    fill(place, {
      by: text('formal-by', this.#who(message)),
      asked: this.#ask ? text('formal-mark', this.#who(this.#ask.by)) : '',
    })
    slot(place, 'text').lang = message.language
    slot(place, 'text').append(...paragraphs(textOf(message)))
    this.#showCases(await this.#cases())
    byId('formal-form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#begin(message)
    })
  }

  /** As their cards say it: of the newest correspondence with the other central authority. */
  async #cases(): Promise<FoundCase[]> {
    const { rest, cards } = this.#within
    const page = await rest.get<{ threads: ThreadRow[] }>(`threads?limit=${MOST}`)
    const theirs = page.threads.filter(
      ({ kind, members }) =>
        kind === 'case' && members.some(({ principal }) => principal === this.#other?.principal),
    )
    const found = await Promise.all(
      theirs.map(async (row) => {
        const { stage, subject, ownReference } = (await cards.read(row)).text ?? (await this.#opened(row))
        return BEFORE_REQUEST.includes(stage)
          ? [{ thread: row.thread, subject, reference: ownReference }]
          : []
      }),
    )
    return found.flat()
  }

  /** Where no card says it yet. */
  async #opened({ thread, seq }: ThreadRow): Promise<Summary> {
    const reading = this.#within.reading(thread)
    await reading.load(seq)
    return summarise(reading.applied, 0)
  }

  #showCases(cases: readonly FoundCase[]): void {
    const { subject, ownReference } = this.#summary
    const likely =
      cases.find(({ reference }) => ownReference !== null && reference === ownReference) ??
      cases.find((one) => subject !== null && one.subject === subject)
    const rows = cases.map((one) => caseRow(one.thread, one.subject ?? text('no-subject'), one.reference))
    const fresh = caseRow('', text('formal-new', { subject: subject ?? text('no-subject') }), ownReference)
    byId('formal-cases').replaceChildren(...rows, fresh)
    for (const row of [...rows, fresh]) {
      const input = slot<HTMLInputElement>(row, 'input')
      input.checked = input.value === (likely?.thread ?? '')
    }
  }

  async #begin(message: OpenedMessage): Promise<void> {
    const form = byId('formal-form')
    showProblem(byId('formal-problem'), null)
    form.inert = true
    try {
      const chosen = form.querySelector<HTMLInputElement>('input:checked')?.value
      const thread = chosen || (await this.#open())
      await this.#fill(thread, this.#partsFrom(message))
      location.assign(`/threads/${thread}/draft/`)
    } catch (error) {
      showProblem(byId('formal-problem'), error)
      byId('formal-problem').focus()
      form.inert = false
    }
  }

  /** A correspondence of the two central authorities; practitioners never see it. */
  async #open(): Promise<Hex> {
    const { outbox } = this.#mailroom
    const other = this.#other
    if (other === undefined) throw new Error('nobody to ask')
    const thread = await outbox.openEmpty(other.authority.id, other.principal)
    const { subject, ownReference } = this.#summary
    await outbox.addNote(thread, {
      text: text('formal-begins'),
      subject,
      ownReference,
      language: pageLanguage(),
    })
    await outbox.flush()
    return thread
  }

  /** Behind what this person, or the newest version, already says there. */
  async #fill(thread: Hex, parts: Readonly<Record<string, string>>): Promise<void> {
    const reading = this.#within.reading(thread)
    await reading.load()
    const keeper: DraftKeeper = stepDraft(this.#within, thread)
    const kept: Draft | null = await keeper.load()
    const newest = versionsIn(reading.applied).at(-1)?.facts ?? {}
    const facts = REQUEST_FACTS.map((name) => {
      const before = String(kept?.[`fact:${name}`] ?? newest[name] ?? '')
      return [`fact:${name}`, [before, parts[name] ?? ''].filter(Boolean).join('\n\n')]
    })
    const { at: _, ...fields } = kept ?? { at: 0, language: pageLanguage(), urgency: '0', due: '', rests: '' }
    keeper.save({ ...fields, code: DRAFT, ...Object.fromEntries(facts) })
    await keeper.flush()
  }

  /** What is known of (a) to (e); for which purpose it is sought, only a person can say. */
  #partsFrom(message: OpenedMessage): Record<string, string> {
    const { authority, person } = this.#within.info
    const { subject, ownReference } = this.#summary
    const conducting = [this.#ask?.by, message].find((one) => one && this.#isPractitioner(one))
    const proceeding = [
      ownReference ? text('formal-reference', { reference: ownReference }) : '',
      subject ? text('formal-proceeding', { subject }) : '',
      conducting ? text('formal-conducted', this.#who(conducting)) : '',
    ]
    const told = `${text('formal-told', this.#who(message))}\n${textOf(message)}`
    const asked = this.#ask ? `${text('formal-told', this.#who(this.#ask.by))}\n${textOf(this.#ask.by)}` : ''
    const isTheirs = !this.#isOwn(message)
    return {
      requesting_authority: [authority.name, authority.state_name, `${person.name}, ${person.office}`]
        .filter(Boolean)
        .join('\n'),
      proceeding: plain(proceeding.filter(Boolean).join('\n')),
      summary: isTheirs ? plain(told) : '',
      assistance: plain([isTheirs ? '' : told, asked].filter(Boolean).join('\n\n')),
    }
  }

  /** Of the own State: the authority itself, or a practitioner. */
  #isOwn = ({ principal }: OpenedMessage): boolean =>
    isOfOwnState(this.#row, this.#within.principal, principal)

  #isPractitioner = (message: OpenedMessage): boolean =>
    this.#isOwn(message) && this.#within.mailbox.keyring(message.principal)?.kind === 'practitioner'

  #who({ name, office, principal, receivedAt }: OpenedMessage): Record<string, string> {
    const member = this.#row.members.find((one) => one.principal === principal)
    return { name, office, authority: authorityText(member?.authority), time: dateTime(receivedAt) }
  }
}

const pageLanguage = (): string => document.documentElement.lang.slice(0, 2)
const textOf = ({ body }: OpenedMessage): string => (body?.type === 'note' ? body.text : '')
/** What is sent on has no marks of direction that a page has put round names. */
const plain = (words: string): string => words.replace(/[\u2066-\u2069]/g, '')

function caseRow(thread: Hex, subject: string, reference: string | null): HTMLElement {
  const row = clone('formal-case')
  fill(row, { subject, reference: reference ?? '' })
  slot<HTMLInputElement>(row, 'input').value = thread
  return row
}
