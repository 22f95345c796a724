import type { Correspondence } from '../store/correspondence.ts'
import type { Summary } from '../store/summary.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { dueBadge, urgencyBadge } from './handling.ts'
import { comparisonOf } from './levels.ts'
import { announce, byId, fill, show, slot, text } from './page.ts'
import { renderParty } from './parties.ts'

/** What stands above the messages: subject, references, whose turn it is, the parties and their keys. */
export class ThreadHead {
  readonly #within: Correspondence
  #references: string[] = []

  constructor(within: Correspondence) {
    this.#within = within
    // Beside the messages where there is room; else closed, so that the messages come first.
    byId<HTMLDetailsElement>('parties-fold').open = matchMedia('(min-width: 60rem)').matches
    byId('print-thread').addEventListener('click', () => print())
    byId('copy-references').addEventListener('click', () => void this.#copy())
  }

  show(row: ThreadRow, summary: Summary, isStopped: boolean): void {
    const { principal, mailbox } = this.#within
    byId('subject').textContent = summary.subject ?? text('no-subject')
    fill(byId('references'), { own: summary.ownReference ?? '—', foreign: summary.foreignReference ?? '—' })
    this.#references = [summary.ownReference, summary.foreignReference].filter((each) => each !== null)
    show(byId('copy-references'), this.#references.length > 0)
    this.#showTurn(summary, isStopped)
    // The other side first: its digits are those to compare.
    const members = row.members.toSorted((one) => (one.principal === principal ? 1 : -1))
    const opened = new Set(
      [...byId('parties').querySelectorAll<HTMLDetailsElement>('details[open]')].map(({ id }) => id),
    )
    byId('parties').replaceChildren(
      ...members.map((member) => {
        const isOwn = member.principal === principal
        const party = renderParty(member, mailbox.keyring(member.principal), isOwn)
        const fold = slot<HTMLDetailsElement>(party, 'fold')
        fold.id = `party-${member.principal.slice(0, 16)}`
        fold.open = opened.has(fold.id)
        return party
      }),
    )
    const own = members.find((member) => member.principal === principal)
    show(byId('take-thread'), own?.handler?.person !== this.#within.info.person.id)
    this.#showReaders(members.filter((member) => member.principal !== principal))
    this.#showUncompared(members.filter((member) => member.principal !== principal))
  }

  /** Whom one writes to, where that is not one authority alone. */
  #showReaders(others: ThreadRow['members']): void {
    const names = others.map(({ authority }) => authority.state_name ?? authority.name)
    show(byId('readers'), others.length > 1)
    byId('readers').textContent = text('readers', { names: [...new Set(names)].toSorted().join(', ') })
  }

  #showTurn(summary: Summary, isStopped: boolean): void {
    const turn = byId('turn')
    show(slot(turn, 'needs-us'), summary.turn === 'us' && !isStopped)
    show(slot(turn, 'needs-them'), summary.turn === 'them' && !isStopped)
    const signs = [
      urgencyBadge(summary.urgency),
      summary.due === null ? null : dueBadge(summary.due, true),
    ].filter((sign) => sign !== null)
    slot(turn, 'signs').replaceChildren(...signs)
  }

  /** K8: to whom nothing is sealed yet, and where that is mended. */
  #showUncompared(others: ThreadRow['members']): void {
    const { mailbox } = this.#within
    const stranger = others.find(({ principal }) => {
      const level = mailbox.keyring(principal)?.level
      return level === 'seen' || level === 'new'
    })
    const notice = byId('not-compared')
    show(notice, stranger !== undefined && this.#isAsked)
    if (stranger === undefined) return
    slot(notice, 'words').textContent = text('not-compared', { authority: stranger.authority.name })
    slot<HTMLAnchorElement>(notice, 'comparison').href = comparisonOf(stranger.authority.id)
  }

  /** Whether it was asked how far the others are known. */
  #isAsked = false

  asked(): void {
    this.#isAsked = true
  }

  async #copy(): Promise<void> {
    await navigator.clipboard.writeText(this.#references.join(' · '))
    announce(text('references-copied'))
    byId('copy-references').querySelector('[data-slot="words"]')?.replaceChildren(text('references-copied'))
  }
}
