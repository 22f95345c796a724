import type { Applied } from '../sealed/client.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf } from '../store/summary.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { byId, show } from './page.ts'
import type { Timeline } from './timeline.ts'

/** Items of a thread longer than this are shown before all of it is verified. */
const LONG = 300
const AT_ONCE = 100
/** What was not read yet is shown from its beginning, but never more than this. */
const UNREAD_MOST = 400

/** Which items of a thread stand on the page: the newest, and earlier ones when somebody wants them. */
export class ThreadWindow {
  /** Called when items were shown that were not on the page. */
  onShown: () => void = () => undefined
  readonly #reading: Reading
  readonly #timeline: Timeline
  #early: readonly Applied[] = []
  /** How many items stand before the first that is shown. */
  #from = 0

  constructor(reading: Reading, timeline: Timeline) {
    this.#reading = reading
    this.#timeline = timeline
    byId('show-earlier').addEventListener('click', () => this.#showFrom(this.#from - AT_ONCE))
    addEventListener('beforeprint', () => this.#showFrom(0))
    addEventListener('hashchange', () => this.#showNamed())
  }

  /** Show the newest items of a long thread ahead, until `begin`. False where there is nothing to show ahead. */
  async glimpse(within: Correspondence, { thread, seq }: ThreadRow): Promise<boolean> {
    if (seq <= LONG) return false
    const { newestItems } = await import('../store/early.ts')
    this.#early = await newestItems(within, thread, seq)
    const last = this.#early.at(-1)
    if (last === undefined) return false
    this.#timeline.add(this.#early)
    show(byId('verifying'), true)
    show(byId('composer'), false)
    show(byId('loading'), false)
    show(byId('thread'), true)
    this.#timeline.element(last.seq)?.scrollIntoView({ block: 'nearest' })
    return true
  }

  /** All is verified: what was shown ahead stays if it is the same, and goes if not. `unreadAfter`: the last item that
   *  was read before. Answers whether the page shows what it showed. */
  begin(unreadAfter: number): boolean {
    show(byId('verifying'), false)
    const { applied } = this.#reading
    const first = this.#early[0]
    const isSame = first !== undefined && this.#early.every((each) => isAsShown(each, applied[each.seq - 1]))
    if (isSame) this.#from = first.seq - 1
    else {
      this.#timeline.clear()
      const unread = messagesOf(applied).find((message) => !message.isOwn && message.seq > unreadAfter)
      const wanted = Math.min(applied.length - AT_ONCE, (unread?.seq ?? Number.POSITIVE_INFINITY) - 2)
      this.#from = Math.max(0, wanted, applied.length - UNREAD_MOST)
    }
    this.#timeline.add(applied.slice(isSame ? this.#timeline.seq : this.#from))
    this.#early = []
    show(byId('show-earlier'), this.#from > 0)
    this.#showNamed()
    return isSame
  }

  /** The item that the address names. */
  #showNamed(): void {
    const seq = Number(/^#item-(\d+)$/.exec(location.hash)?.[1] ?? 0)
    if (seq < 1 || seq > this.#reading.seq) return
    if (seq <= this.#from) this.#showFrom(seq - 1)
    this.#timeline.element(seq)?.scrollIntoView({ block: 'center' })
  }

  #showFrom(place: number): void {
    const from = Math.max(0, place)
    if (from >= this.#from) return
    this.#timeline.addEarlier(this.#reading.applied.slice(from, this.#from))
    this.#from = from
    show(byId('show-earlier'), from > 0)
    this.onShown()
  }
}

function isAsShown(shown: Applied, verified: Applied | undefined): boolean {
  const hasMarks = verified?.type === 'message' && verified.message.marks.length > 0
  return verified?.hash === shown.hash && !hasMarks
}
