// Comparing the fingerprint of a counterpart, and accepting it for the own authority (K8, K11).
import type { KeyringView } from '../sealed/client.ts'
import type { How } from '../sealed/trust.ts'
import { accept, keepLedger } from '../store/ledger.ts'
import { look, readLedger } from '../store/others.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow } from '../transport/wire.ts'
import { takeDelivery } from './deliveries.ts'
import { dateTime, dueDate } from './format.ts'
import { showLevel } from './levels.ts'
import { announce, byId, fill, show, slot, text } from './page.ts'
import { showProblem } from './problem.ts'
import { drawQr } from './qr.ts'
import { type Mailroom, openMailroom } from './session.ts'

export async function showCounterpart(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom !== null) await new CounterpartView(mailroom).start()
}

class CounterpartView {
  readonly #mailroom: Mailroom
  readonly #id = document.body.dataset.authority ?? ''
  #row: AuthorityRow | undefined

  constructor(mailroom: Mailroom) {
    this.#mailroom = mailroom
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    session.hear = {
      'messaging.keyring.grew': () => void this.#load().catch(orLater),
      'messaging.item.appended': (item) => void this.#arrived(item),
    }
    session.onOpen = () => void outbox.flush()
    byId('accept-form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#accept()
    })
    byId('same').addEventListener('change', () => this.#enable())
    for (const radio of this.#ways()) radio.addEventListener('change', () => this.#enable())
    await this.#load()
    show(byId('loading'), false)
    show(byId('counterpart'), true)
    session.socket.connect()
  }

  async #arrived(item: Parameters<typeof takeDelivery>[1]): Promise<void> {
    await takeDelivery(this.#mailroom, item)
    await this.#load().catch(orLater)
  }

  async #load(): Promise<void> {
    const { session, correspondence } = this.#mailroom
    const { authorities } = await session.rest.get<{ authorities: AuthorityRow[] }>('authorities')
    this.#row = authorities.find(({ id }) => id === this.#id)
    const principal = this.#row?.principal ?? null
    show(byId('no-keys'), principal === null)
    show(byId('compare'), principal !== null)
    if (this.#row === undefined || principal === null) return
    try {
      await correspondence.learnKeyring(principal)
      correspondence.mailbox.checkAuthority(this.#id, principal)
      await readLedger(correspondence)
      await look(correspondence, [principal])
      this.#show(correspondence.mailbox.keyring(principal) as KeyringView)
    } catch (error) {
      show(byId('compare'), false)
      showProblem(byId('counterpart-problem'), error)
    }
  }

  #show(keyring: KeyringView): void {
    const { mailbox, principal } = this.#mailroom.correspondence
    const place = byId('compare')
    fill(place, { digits: keyring.fingerprint })
    slot(place, 'qr').replaceChildren(drawQr(keyring.fingerprint.replaceAll(' ', '')))
    showLevel(byId('counterpart'), keyring)
    const [note, accepted] = [
      mailbox.others.noteOf(keyring.principal),
      mailbox.others.acceptOf(keyring.principal),
    ]
    const isConfirmed = keyring.level === 'confirmed'
    show(byId('confirmed'), isConfirmed)
    byId('confirmed-words').textContent = note
      ? text('confirmed-by-note', { reference: note.reference, date: dueDate(Date.parse(note.date) / 1000) })
      : text('confirmed-by-secretariat')
    show(byId('accepted'), accepted !== null)
    if (accepted !== null) {
      const { name = '', office = '' } = mailbox.keyring(principal)?.people[accepted.device] ?? {}
      const who = { name, office, time: dateTime(accepted.at), how: text(`how-${accepted.how}`) }
      byId('accepted').textContent = text('accepted-by', who)
    }
    const restored = keyring.changes.findLast(({ reason }) => reason === 'recover')
    show(byId('taken-over'), keyring.isUnconfirmed)
    byId('taken-over-words').textContent = restored
      ? text('restored-at', { time: dateTime(restored.at) })
      : ''
    show(byId('nobody-compared'), keyring.level === 'seen' || keyring.level === 'new')
    this.#offer(keyring)
    void this.#offerSuccession(keyring).catch(orLater)
  }

  /** T10: a supervisor puts the new keys of an authority that lost its own into the threads with it. */
  async #offerSuccession({ principal, succeeds }: KeyringView): Promise<void> {
    const { correspondence } = this.#mailroom
    const before = succeeds !== null && correspondence.mailbox.keyring(succeeds) !== null ? succeeds : null
    if (before === null) return show(byId('succession'), false)
    const { threadsWith, trustIn } = await import('../store/succeeding.ts')
    const threads = await threadsWith(correspondence, before)
    const acts = trustIn(correspondence, principal)
    show(byId('succession'), threads.length > 0)
    byId('succession-threads').textContent = text('succession-threads', { count: threads.length })
    show(byId('put-in'), acts !== null)
    const button = byId<HTMLButtonElement>('put-in')
    button.onclick = () => void this.#putIn(threads, { before, after: principal, acts: acts ?? [] })
  }

  async #putIn(
    threads: readonly string[],
    how: { before: string; after: string; acts: readonly string[] },
  ): Promise<void> {
    const { putIn } = await import('../store/succeeding.ts')
    const button = byId<HTMLButtonElement>('put-in')
    button.disabled = true
    showProblem(byId('succession-problem'), null)
    try {
      for (const thread of threads) await putIn(this.#mailroom.correspondence, thread, how)
      announce(text('succession-done'))
    } catch (error) {
      showProblem(byId('succession-problem'), error)
    } finally {
      button.disabled = false
      await this.#load().catch(orLater)
    }
  }

  /** A supervisor accepts what is not confirmed, or was taken over since. */
  #offer({ principal, level, isUnconfirmed, isOwn, succeeds }: KeyringView): void {
    const { mailbox } = this.#mailroom.correspondence
    const isNew = level === 'seen' || level === 'new'
    // T10: to put new keys in the place of others takes an accept beside the confirms.
    const isHeir =
      succeeds !== null && mailbox.keyring(succeeds) !== null && !mailbox.others.acceptOf(principal)
    const isNeeded = !isOwn && (isUnconfirmed || isNew || isHeir)
    const isSupervisor = this.#mailroom.correspondence.mailbox.myRoles.includes('supervisor')
    show(byId('accept-form'), isNeeded && isSupervisor)
    show(byId('ask-supervisor'), isNeeded && !isSupervisor)
    show(byId('write'), !isNeeded && !isOwn)
    this.#enable()
  }

  #ways(): NodeListOf<HTMLInputElement> {
    return byId('accept-form').querySelectorAll<HTMLInputElement>('[name=how]')
  }

  #chosen(): How | undefined {
    return [...this.#ways()].find(({ checked }) => checked)?.value as How | undefined
  }

  #enable(): void {
    const isSame = byId<HTMLInputElement>('same').checked
    byId<HTMLButtonElement>('accept').disabled = !isSame || this.#chosen() === undefined
  }

  async #accept(): Promise<void> {
    const { correspondence, outbox } = this.#mailroom
    const [how, principal] = [this.#chosen(), this.#row?.principal]
    if (how === undefined || !principal) return
    const button = byId<HTMLButtonElement>('accept')
    button.disabled = true
    showProblem(byId('accept-problem'), null)
    try {
      await accept(correspondence, outbox, { authority: this.#id, principal, how })
      await this.#load()
      announce(text('accepted-now'))
      byId('counterpart-heading').focus()
      await keepLedger(correspondence, outbox)
    } catch (error) {
      showProblem(byId('accept-problem'), error)
    } finally {
      this.#enable()
    }
  }
}
