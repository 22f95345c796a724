import { Refused } from '../sealed/errors.ts'
import { DraftKeeper } from '../store/drafts.ts'
import { Failure } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow, Hex } from '../transport/wire.ts'
import { Composer } from './composer.ts'
import { takeDelivery, takeKeyring } from './deliveries.ts'
import { folded, number } from './format.ts'
import { byId, clone, fill, show, slot, text } from './page.ts'
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
  #choices: { authority: AuthorityRow; element: HTMLElement; found: string }[] = []
  #to: { authority: string; principal: Hex } | null = null
  /** The thread that waits to be opened; it gets another id when it has to be sealed again. */
  #sentThread: Hex | null = null

  constructor(mailroom: Mailroom) {
    this.#mailroom = mailroom
    this.#keeper = new DraftKeeper(mailroom.correspondence, 'new')
    this.#composer = new Composer(this.#keeper, () => ({ to: this.#to?.principal ?? '' }))
    mailroom.session.beforeLeaving = () => this.#composer.settle()
    this.#composer.onSend = async (note) => {
      if (this.#to === null) throw new Refused('T3', 'choose-authority', 'no counterpart chosen')
      const { authority, principal } = this.#to
      this.#sentThread = await mailroom.outbox.addThread(authority, principal, note)
      this.#composer.enable(false)
    }
  }

  async start(): Promise<void> {
    const { session, outbox } = this.#mailroom
    await this.#loadAuthorities()
    byId('authority-search').addEventListener('input', () => this.#filter())
    byId('authority-change').addEventListener('click', () => this.#choose(null))
    byId('retry').addEventListener('click', () => void outbox.flush(true))
    outbox.onChange = () => void this.#outboxChanged()
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
    const draft = await this.#keeper.load()
    if (draft) {
      this.#composer.restore(draft)
      const choice = this.#choices.find(
        ({ authority }) => authority.principal && authority.principal === draft.to,
      )
      if (choice) this.#choose(choice.authority)
    }
    await this.#outboxChanged()
  }

  async #loadAuthorities(): Promise<void> {
    const { session, correspondence } = this.#mailroom
    const { authorities } = await session.rest.get<{ authorities: AuthorityRow[] }>('authorities')
    // The secretariat can never be in a thread. Who can be written to comes first.
    const others = authorities
      .filter((each) => each.state !== null && each.principal !== correspondence.principal)
      .toSorted((one, other) => Number(one.principal === null) - Number(other.principal === null))
    this.#choices = others.map((authority) => this.#choice(authority))
    byId('authorities').replaceChildren(...this.#choices.map((choice) => choice.element))
  }

  /** An authority that had no keys may have some now. */
  async #keyringGrew(principal: Hex): Promise<void> {
    await takeKeyring(this.#mailroom, principal)
    if (this.#to !== null) return
    await this.#loadAuthorities()
    this.#filter()
  }

  #choice(authority: AuthorityRow): { authority: AuthorityRow; element: HTMLElement; found: string } {
    const element = clone('authority-choice')
    fill(element, { name: authority.name, state: authority.state_name ?? '' })
    const input = slot<HTMLInputElement>(element, 'input')
    input.value = authority.principal ?? ''
    input.disabled = authority.principal === null
    show(slot(element, 'no-keys'), authority.principal === null)
    input.addEventListener('change', () => {
      this.#choose(authority)
      this.#composer.changed()
    })
    return {
      authority,
      element,
      found: folded(`${authority.name} ${authority.state_name ?? ''} ${authority.state ?? ''}`),
    }
  }

  #choose(authority: AuthorityRow | null): void {
    this.#to = authority?.principal ? { authority: authority.id, principal: authority.principal } : null
    show(byId('authority-chooser'), authority === null)
    show(byId('authority-chosen'), authority !== null)
    show(byId('authority-problem'), false)
    if (authority === null) {
      for (const { element } of this.#choices) slot<HTMLInputElement>(element, 'input').checked = false
      byId('authority-search').focus()
      return
    }
    fill(byId('authority-chosen'), { name: authority.name, state: authority.state_name ?? '' })
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
      if (this.#to === to) fill(place, { digits: keyring.fingerprint })
    } catch (error) {
      if (this.#to !== to) return
      if (error instanceof Refused) this.#choose(null)
      showProblem(byId('authority-problem'), error)
    }
  }

  #filter(): void {
    const words = folded(byId<HTMLInputElement>('authority-search').value).split(/\s+/).filter(Boolean)
    let shown = 0
    for (const { element, found } of this.#choices) {
      const matches = words.every((word) => found.includes(word))
      show(element, matches)
      if (matches) shown += 1
    }
    byId('authority-found').textContent =
      words.length > 0 ? text('authorities-found', { count: number(shown) }) : ''
  }

  async #outboxChanged(): Promise<void> {
    const { outbox } = this.#mailroom
    const waiting = (await outbox.entries()).filter(({ entry }) => entry.kind === 'thread')
    const problem = waiting.find(({ entry }) => entry.problem !== null)
    this.#sentThread = waiting[0]?.entry.thread ?? this.#sentThread
    this.#composer.enable(waiting.length === 0)
    show(byId('new-waiting'), waiting.length > 0)
    byId('new-waiting-words').textContent = problem?.entry.problem
      ? problem.entry.problem.message || sentenceFor(problem.entry.problem.code)
      : text('thread-waiting')
    show(byId('take-back'), problem !== undefined)
    if (problem) byId('take-back').onclick = () => void this.#takeBack(problem.entry.id)
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
    location.assign(isThere ? `/threads/${thread}/` : '/threads/')
  }

  async #takeBack(id: Hex): Promise<void> {
    const copy = await this.#mailroom.outbox.takeBack(id)
    this.#composer.enable(true)
    this.#sentThread = null
    if (!copy?.note) return
    const { text: written, subject, ownReference, foreignReference, language } = copy.note
    this.#composer.set({
      text: written,
      subject: subject ?? '',
      own_reference: ownReference ?? '',
      foreign_reference: foreignReference ?? '',
      language,
    })
    const choice = this.#choices.find(({ authority }) => authority.principal === copy.to?.principal)
    if (choice) this.#choose(choice.authority)
  }
}
