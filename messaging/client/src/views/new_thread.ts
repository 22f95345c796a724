import type { NoteInput } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { DraftKeeper } from '../store/drafts.ts'
import { isTried } from '../store/store.ts'
import { Failure, orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow, Hex } from '../transport/wire.ts'
import { askedAuthority } from './authority_chooser.ts'
import { ChosenAuthority } from './chosen_authority.ts'
import { Composer } from './composer.ts'
import { takeDelivery, takeKeyring } from './deliveries.ts'
import { inTurn } from './in_turn.ts'
import { NewThreadFiles } from './new_thread_files.ts'
import { byId, show, text } from './page.ts'
import { sentenceFor } from './problem.ts'
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
  readonly #chosen: ChosenAuthority
  /** Where the thread goes on: only correspondence, or a question or draft before a request. */
  readonly #begins = byId<HTMLSelectElement>('begins')
  /** The thread that waits to be opened; it gets another id when it has to be sealed again. */
  #sentThread: Hex | null = null

  constructor(mailroom: Mailroom) {
    this.#mailroom = mailroom
    this.#chosen = new ChosenAuthority(mailroom, () => this.#composer.changed())
    this.#keeper = new DraftKeeper(mailroom.correspondence, 'new')
    this.#composer = new Composer(this.#keeper, () => ({
      to: this.#chosen.authority?.id ?? '',
      begins: this.#begins.value,
    }))
    this.#chosen.onChosen = () => this.#composer.askUrgency()
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
    const { authority } = this.#chosen
    await showReach(place, this.#mailroom.session.rest, authority ? [authority] : [])
  }

  #counterpart(): { authority: string; principal: Hex } {
    if (this.#chosen.to !== null) return this.#chosen.to
    const code = this.#chosen.authority ? 'authority-without-keys' : 'choose-authority'
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
    const authority = this.#chosen.find(({ id, principal }) => id === wanted || principal === wanted)
    if (authority) this.#chosen.choose(authority)
    else if (asked !== null) this.#chosen.showUnknown()
    byId(authority ? 'subject-field' : 'authority-search').focus()
  }

  async #loadAuthorities(): Promise<void> {
    const { session, correspondence } = this.#mailroom
    const { authorities } = await session.rest.get<{ authorities: AuthorityRow[] }>('authorities')
    await this.#chosen.load(authorities, ({ principal }) => principal !== correspondence.principal)
  }

  /** An authority that had no keys may have some now. */
  async #keyringGrew(principal: Hex): Promise<void> {
    await takeKeyring(this.#mailroom, principal)
    const { authority, to } = this.#chosen
    if (to !== null) return
    await this.#loadAuthorities()
    const waiting = authority && this.#chosen.find(({ id }) => id === authority.id)
    if (waiting) this.#chosen.choose(waiting)
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
    const authority = this.#chosen.find(({ principal }) => principal === copy.to?.principal)
    if (authority) this.#chosen.choose(authority)
  }
}
