// The authorities in a correspondence: who is in it, whom somebody wants to let in, and when all act together.
import { TRUSTED } from '../sealed/counterparts.ts'
import { consentToJoin, type Joining, joiningsIn, letIn, type Role } from '../store/joining.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf, summarise } from '../store/summary.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow, Hex, ThreadRow } from '../transport/wire.ts'
import { ChosenAuthority } from './chosen_authority.ts'
import { dateTime, dueDate } from './format.ts'
import { inTurn } from './in_turn.ts'
import { comparisonOf, showLevel } from './levels.ts'
import { cameAt, joinedAt } from './membership.ts'
import { listAuthorities, officesOf, timeIn } from './moment.ts'
import { MomentsView } from './moments.ts'
import { announce, byId, clone, fill, paragraphs, show, slot, text } from './page.ts'
import { sentence, showProblem } from './problem.ts'
import type { Mailroom } from './session.ts'
import { openThreadOfPage } from './thread_of_page.ts'

const now = (): number => Math.floor(Date.now() / 1000)

export async function showParties(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened !== null) await new PartiesView(opened).start()
}

class PartiesView {
  readonly #mailroom: Mailroom
  readonly #reading: Reading
  readonly #chosen: ChosenAuthority
  readonly #moments: MomentsView
  readonly #show = inTurn(() => this.#read())
  #row: ThreadRow
  #authorities: readonly AuthorityRow[] = []
  #shown: string | null = null

  constructor({ mailroom, row, reading }: { mailroom: Mailroom; row: ThreadRow; reading: Reading }) {
    this.#mailroom = mailroom
    this.#row = row
    this.#reading = reading
    this.#chosen = new ChosenAuthority(mailroom, () => undefined)
    this.#moments = new MomentsView(mailroom, reading, (element, work) => this.#act(element, work))
  }

  get #within() {
    return this.#mailroom.correspondence
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    this.#authorities = await listAuthorities(session.rest)
    byId('joining-form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#act(byId('joining-form'), () => this.#propose())
    })
    byId('share-subject').onclick = () => void this.#act(byId('subject-offer'), () => this.#shareSubject())
    await this.#show()
    await this.#offerAuthorities()
    const again = () => void this.#show().catch(orLater)
    session.hear = {
      'messaging.item.appended': (item) => {
        if (item.thread === this.#row.thread) void this.#reading.receive(item).then(again).catch(orLater)
      },
    }
    outbox.onChange = () => void this.#reading.sync().then(again).catch(orLater)
    session.onOpen = () => void this.#reading.sync().then(again).catch(orLater)
    show(byId('loading'), false)
    show(byId('parties-page'), true)
    session.socket.connect()
    void outbox.flush()
  }

  /** Those who are not here yet. */
  #offerAuthorities(): Promise<void> {
    const here = this.#row.members.map(({ principal }) => principal)
    return this.#chosen.load(this.#authorities, ({ principal }) => !here.includes(principal ?? ''))
  }

  async #propose(): Promise<void> {
    const { to } = this.#chosen
    if (to === null) {
      byId('authority-problem').textContent = text('joining-choose')
      show(byId('authority-problem'), true)
      return
    }
    const [reason, role] = [
      byId<HTMLTextAreaElement>('joining-reason'),
      byId<HTMLSelectElement>('joining-role'),
    ]
    await consentToJoin(this.#within, this.#mailroom.outbox, this.#row.thread, {
      authority: to.authority,
      newcomer: to.principal,
      role: role.value as Role,
      history: byId<HTMLInputElement>('joining-history').checked,
      reason: reason.value.trim(),
    })
    byId<HTMLFormElement>('joining-form').reset()
    this.#chosen.choose(null)
    byId<HTMLDetailsElement>('joining-fold').open = false
    announce(text('joining-proposed'))
    await this.#mailroom.outbox.flush()
  }

  /** Where this consent was the last that was missing, the newcomer is let in at once. */
  async #consent({ newcomer, role, seq }: Joining, authority: string, history: boolean): Promise<void> {
    const { outbox } = this.#mailroom
    await consentToJoin(this.#within, outbox, this.#row.thread, { authority, newcomer, role, history })
    await outbox.flush()
    await this.#reading.sync()
    const found = await joiningsIn(this.#within, this.#reading, now())
    const ready = found.find((one) => one.seq === seq && one.state === 'ready')
    if (ready) await letIn(this.#within, this.#row.thread, ready)
  }

  /** Who reads only what is written now finds what it is about. */
  async #shareSubject(): Promise<void> {
    const { subject, ownReference } = summarise(this.#reading.applied, 0)
    const language = document.documentElement.lang.slice(0, 2)
    const note = { text: text('subject-shared'), subject, ownReference, language }
    await this.#mailroom.outbox.addNote(this.#row.thread, note)
    await this.#mailroom.outbox.flush()
  }

  // ---------------------------------------------------------------- what is shown

  get #ownRole(): string | undefined {
    const { principal, mailbox } = this.#within
    return mailbox.thread(this.#row.thread)?.members.find((one) => one.principal === principal)?.role
  }

  async #read(): Promise<void> {
    this.#row = await this.#within.thread(this.#row.thread)
    const { applied } = this.#reading
    const offices = await officesOf(this.#within.rest, this.#row)
    const { subject } = summarise(applied, 0)
    byId('parties-subject').textContent = subject ?? text('no-subject')
    byId('present').replaceChildren(...this.#row.members.map((member) => this.#renderMember(member)))
    const isParty = this.#ownRole === 'party' && this.#reading.alarm === null
    const told = messagesOf(applied).findLast((message) => message.subject !== null)?.seq ?? 0
    const closed = this.#row.members.map(({ principal }) => joinedAt(applied, principal))
    show(byId('subject-offer'), isParty && subject !== null && Math.max(...closed) > told)
    const isSupervisor = this.#within.mailbox.myRoles.includes('supervisor')
    show(byId('joining-fold'), isParty && isSupervisor)
    show(byId('joining-ask'), isParty && !isSupervisor)
    this.#moments.show(offices, this.#row, isParty)
    await this.#readJoinings(isParty && isSupervisor)
  }

  #renderMember({ principal, role, authority }: ThreadRow['members'][number]): HTMLElement {
    const element = clone('present-row')
    const { applied } = this.#reading
    const seq = cameAt(applied, principal)
    const entry = applied.find((each) => each.seq === seq)
    const isFirst = entry?.type !== 'entry' || entry.reason === 'genesis'
    const later = entry?.type === 'entry' && entry.sharesHistory ? 'since-later-all' : 'since-later'
    const zone = this.#authorities.find(({ id }) => id === authority.id)?.time_zone ?? ''
    fill(element, {
      name: authority.name,
      state: authority.state_name ?? '',
      role: text(`as-${role}`),
      since: isFirst ? text('since-beginning') : text(later, { time: dateTime(entry.at) }),
      clock: zone ? text('clock-now', { time: timeIn(now(), zone) }) : '',
      zone,
    })
    show(slot(element, 'own'), principal === this.#within.principal)
    return element
  }

  async #readJoinings(mayConsent: boolean): Promise<void> {
    const joinings = await joiningsIn(this.#within, this.#reading, now())
    // What is as before stays as it is, with what is being pressed.
    const told = joinings.map((one) => ({ ...one, consents: [...one.consents.keys()] }))
    const seen = JSON.stringify([told, mayConsent])
    if (seen === this.#shown) return
    const rows = await Promise.all(joinings.reverse().map((one) => this.#renderJoining(one, mayConsent)))
    byId('joinings').replaceChildren(...rows)
    show(byId('no-joinings'), rows.length === 0)
    this.#shown = seen
  }

  async #renderJoining(joining: Joining, mayConsent: boolean): Promise<HTMLElement> {
    const element = clone('joining-row')
    const { newcomer, role, by, state, history, consents, missing, until } = joining
    await this.#within.learnKeyring(newcomer)
    await this.#within.look([newcomer])
    const keyring = this.#within.mailbox.keyring(newcomer)
    const authority = this.#authorities.find(({ principal }) => principal === newcomer)
    const isOpen = state === 'waits' || state === 'ready'
    fill(element, {
      name: authority?.name ?? this.#nameOf(newcomer),
      by: this.#nameOf(by),
      role: text(`as-${role}`),
      history: text(history ? 'reads-all' : 'reads-from-then'),
      consented: [...consents.keys()].map((one) => this.#nameOf(one)).join(', '),
      until: dueDate(until),
      standing: text(`joining-${state}`, { authority: missing.map((one) => this.#nameOf(one)).join(', ') }),
    })
    slot(element, 'reason').replaceChildren(...paragraphs(joining.reason))
    showLevel(element, keyring)
    const isKnown = keyring !== null && (TRUSTED.includes(keyring.level) || keyring.level === 'own')
    show(slot(element, 'lapsing'), isOpen)
    show(slot(element, 'stranger'), isOpen && !isKnown)
    if (authority) slot<HTMLAnchorElement>(element, 'comparison').href = comparisonOf(authority.id)
    const isAsked = mayConsent && isOpen && isKnown && missing.includes(this.#within.principal)
    this.#offer(element, 'consent', isAsked, () => this.#consent(joining, authority?.id ?? '', history))
    this.#offer(element, 'consent-closed', isAsked && history, () =>
      this.#consent(joining, authority?.id ?? '', false),
    )
    const mayLetIn = state === 'ready' && this.#ownRole === 'party'
    this.#offer(element, 'admit', mayLetIn, () => letIn(this.#within, this.#row.thread, joining))
    return element
  }

  #offer(element: HTMLElement, name: string, isOffered: boolean, work: () => Promise<void>): void {
    show(slot(element, name), isOffered)
    slot(element, name).onclick = () => void this.#act(element, work)
  }

  #nameOf(principal: Hex): string {
    const here = this.#row.members.find((one) => one.principal === principal)?.authority
    const { mailbox } = this.#within
    return (here ?? mailbox.keyring(principal)?.authority)?.name ?? principal.slice(0, 8)
  }

  async #act(element: HTMLElement, work: () => Promise<void>): Promise<void> {
    element.inert = true
    showProblem(byId('parties-problem'), null)
    try {
      await work()
      byId('parties-heading').focus()
    } catch (error) {
      byId('parties-problem').textContent = sentence(error)
      show(byId('parties-problem'), true)
      byId('parties-problem').focus()
    } finally {
      element.inert = false
    }
    await this.#show().catch(orLater)
  }
}
