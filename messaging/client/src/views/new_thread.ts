import type { NoteInput } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { DraftKeeper } from '../store/drafts.ts'
import { isTried } from '../store/store.ts'
import { Failure, orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow, Hex } from '../transport/wire.ts'
import { AuthorityChooser, askedAuthority, describeDesk } from './authority_chooser.ts'
import { Composer } from './composer.ts'
import { takeDelivery, takeKeyring } from './deliveries.ts'
import { inTurn } from './in_turn.ts'
import { comparisonOf, knownLevels, showLevel } from './levels.ts'
import { NewThreadFiles } from './new_thread_files.ts'
import { byId, fill, show, text } from './page.ts'
import { sentenceFor, showProblem } from './problem.ts'
import { type Mailroom, openMailroom } from './session.ts'

export async function showNewThread(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom !== null) await new NewThreadView(mailroom).start()
}

class NewThreadView {
  readonly #mailroom: Mailroom
  readonly #keeper: DraftKeeper
  readonly #composer: Composer
  readonly #files: NewThreadFiles
  readonly #showOutbox = inTurn(() => this.#readOutbox())
  readonly #chooser = new AuthorityChooser((authority) => {
    this.#choose(authority)
    this.#composer.changed()
  })
  /** Where the thread goes on: only correspondence, or a question or draft before a request. */
  readonly #begins = byId<HTMLSelectElement>('begins')
  #chosen: AuthorityRow | null = null
  #to: { authority: string; principal: Hex } | null = null
  /** The thread that waits to be opened; it gets another id when it has to be sealed again. */
  #sentThread: Hex | null = null

  constructor(mailroom: Mailroom) {
    this.#mailroom = mailroom
    this.#keeper = new DraftKeeper(mailroom.correspondence, 'new')
    this.#composer = new Composer(this.#keeper, () => ({
      to: this.#chosen?.id ?? '',
      begins: this.#begins.value,
    }))
    this.#files = new NewThreadFiles(mailroom.correspondence, () => this.#openForFiles())
    mailroom.session.beforeLeaving = () => this.#composer.settle()
    this.#composer.onSend = async (note) => {
      const { authority, principal } = this.#counterpart()
      const { thread } = this.#files
      if (thread !== null) await this.#sendInto(thread, note)
      else this.#sentThread = await mailroom.outbox.addThread(authority, principal, note)
      this.#composer.enable(false)
    }
    this.#composer.files = this.#files
    this.#composer.onUrgency = (place) => void this.#showReach(place).catch(orLater)
  }

  async #showReach(place: HTMLElement | null): Promise<void> {
    if (place === null) return
    const { showReach } = await import('./reach.ts')
    await showReach(place, this.#mailroom.session.rest, this.#chosen ? [this.#chosen] : [])
  }

  #counterpart(): { authority: string; principal: Hex } {
    if (this.#to !== null) return this.#to
    const code = this.#chosen ? 'authority-without-keys' : 'choose-authority'
    throw new Refused('T3', code, 'no counterpart chosen')
  }

  /** Files belong to a thread, so it is opened first. What is written is from now on the draft of that thread: whoever
   *  is interrupted finds it there. */
  async #openForFiles(): Promise<Hex> {
    const { correspondence, outbox } = this.#mailroom
    const { authority, principal } = this.#counterpart()
    const thread = await outbox.openEmpty(authority, principal)
    const draft = new DraftKeeper(correspondence, thread)
    draft.save({ ...this.#composer.written() })
    await draft.flush()
    await this.#keeper.clear()
    byId<HTMLButtonElement>('authority-change').disabled = true
    return thread
  }

  async #sendInto(thread: Hex, note: NoteInput): Promise<void> {
    await this.#mailroom.outbox.addNote(thread, note)
    await new DraftKeeper(this.#mailroom.correspondence, thread).clear()
    this.#sentThread = thread
    void this.#showOutbox()
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    await this.#loadAuthorities()
    byId('authority-change').addEventListener('click', () => this.#choose(null))
    byId('retry').addEventListener('click', () => void outbox.flush(true))
    outbox.onChange = () => void this.#showOutbox()
    outbox.onMoved = (from, to) => {
      if (this.#sentThread === from) this.#sentThread = to
    }
    session.hear = {
      'messaging.item.appended': (item) => void takeDelivery(this.#mailroom, item),
      'messaging.keyring.grew': ({ principal }) => void this.#keyringGrew(principal),
    }
    session.onOpen = () => void outbox.flush()
    show(byId('loading'), false)
    show(byId('new-thread'), true)
    session.socket.connect()
    await this.#begin()
    await this.#showOutbox()
  }

  /** The draft, and whom the address of the page or the draft names. */
  async #begin(): Promise<void> {
    const draft = await this.#keeper.load()
    if (draft) this.#composer.restore(draft)
    const begins = new URLSearchParams(location.search).get('begins') ?? draft?.begins
    if ([...this.#begins.options].some(({ value }) => value === begins)) this.#begins.value = String(begins)
    const asked = askedAuthority(location.search)
    const wanted = asked ?? draft?.to ?? ''
    const authority = this.#chooser.find(({ id, principal }) => id === wanted || principal === wanted)
    if (authority) this.#choose(authority)
    else if (asked !== null) {
      byId('authority-problem').textContent = text('authority-unknown')
      show(byId('authority-problem'), true)
    }
    byId(authority ? 'subject-field' : 'authority-search').focus()
  }

  async #loadAuthorities(): Promise<void> {
    const { session, correspondence } = this.#mailroom
    const { authorities } = await session.rest.get<{ authorities: AuthorityRow[] }>('authorities')
    // The secretariat can never be in a thread.
    this.#chooser.fill(
      authorities.filter((each) => each.state !== null && each.principal !== correspondence.principal),
    )
    this.#chooser.showLevels(await knownLevels(correspondence.store))
  }

  /** An authority that had no keys may have some now. */
  async #keyringGrew(principal: Hex): Promise<void> {
    await takeKeyring(this.#mailroom, principal)
    if (this.#to !== null) return
    await this.#loadAuthorities()
    const waiting = this.#chosen && this.#chooser.find(({ id }) => id === this.#chosen?.id)
    if (waiting) this.#choose(waiting)
  }

  #choose(authority: AuthorityRow | null): void {
    this.#chosen = authority
    this.#to = authority?.principal ? { authority: authority.id, principal: authority.principal } : null
    show(byId('authority-chooser'), authority === null)
    show(byId('authority-chosen'), authority !== null)
    show(byId('authority-problem'), false)
    if (authority === null) {
      this.#chooser.reset()
      return
    }
    const place = byId('authority-chosen')
    fill(place, { name: authority.name, state: authority.state_name ?? '' })
    describeDesk(place, authority)
    this.#composer.askUrgency()
    show(byId('authority-keys'), authority.principal !== null)
    show(byId('authority-no-keys'), authority.principal === null)
    byId('authority-change').focus()
    void this.#showFingerprint()
  }

  /** K8: digits are shown, and anything is sealed, only when keyring and authority belong together. */
  async #showFingerprint(): Promise<void> {
    const [place, to] = [byId('authority-chosen'), this.#to]
    fill(place, { digits: '' })
    if (to === null) return
    const { correspondence } = this.#mailroom
    try {
      const keyring = await correspondence.learnKeyring(to.principal)
      correspondence.mailbox.checkAuthority(to.authority, to.principal)
      if (this.#to !== to) return
      fill(place, { digits: keyring.fingerprint })
      await this.#showLevel(place, to)
    } catch (error) {
      if (this.#to !== to) return
      if (error instanceof Refused) this.#choose(null)
      showProblem(byId('authority-problem'), error)
    }
  }

  /** K8: how far it is known; nothing is sealed to a stranger, and where that is mended is said before writing. */
  async #showLevel(place: HTMLElement, to: { authority: string; principal: Hex }): Promise<void> {
    const { correspondence } = this.#mailroom
    await correspondence.look([to.principal])
    const level = correspondence.mailbox.keyring(to.principal)?.level ?? 'new'
    if (this.#to !== to) return
    showLevel(place, { level })
    show(byId('not-compared'), level === 'seen' || level === 'new')
    for (const link of place.querySelectorAll<HTMLAnchorElement>('[data-slot="comparison"]'))
      link.href = comparisonOf(to.authority)
  }

  async #readOutbox(): Promise<void> {
    const { outbox } = this.#mailroom
    const waiting = (await outbox.entries()).filter(({ entry }) => entry.kind === 'thread')
    const problem = waiting.find(({ entry }) => entry.problem !== null)
    this.#sentThread = waiting[0]?.entry.thread ?? this.#sentThread
    this.#composer.enable(waiting.length === 0)
    show(byId('new-waiting'), waiting.length > 0)
    byId('new-waiting-words').textContent = problem?.entry.problem
      ? problem.entry.problem.message || sentenceFor(problem.entry.problem.code)
      : text('thread-waiting')
    const mine = problem ?? waiting.find(({ entry }) => !isTried(entry))
    show(byId('take-back'), mine !== undefined)
    if (mine) byId('take-back').onclick = () => void this.#takeBack(mine.entry.id)
    if (waiting.length === 0 && this.#sentThread !== null) await this.#leaveFor(this.#sentThread)
  }

  /** To the thread, or to the list when another tab has sealed it again, under an id not known here. */
  async #leaveFor(thread: Hex): Promise<void> {
    const [isThere] = await Promise.all([
      this.#mailroom.correspondence.thread(thread).then(
        () => true,
        (error) => !(error instanceof Failure && error.status === 404),
      ),
      this.#keeper.clear(),
    ])
    const { value: begins } = this.#begins
    location.assign(isThere ? `/threads/${thread}/${begins && `${begins}/`}` : '/threads/')
  }

  async #takeBack(id: Hex): Promise<void> {
    const copy = await this.#mailroom.outbox.takeBack(id)
    if (copy === null) return
    this.#composer.enable(true)
    this.#sentThread = null
    if (copy.note === null) return
    this.#composer.setNote(copy.note)
    const authority = this.#chooser.find(({ principal }) => principal === copy.to?.principal)
    if (authority) this.#choose(authority)
  }
}
