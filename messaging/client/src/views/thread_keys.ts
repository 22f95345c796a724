// What happened to the keys of those in a thread, beside its messages; and going on with a
// counterpart that restored its keys with nobody's approval (K11).
import type { KeyringView } from '../sealed/client.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { dateTime } from './format.ts'
import { KeyChanges } from './key_changes.ts'
import { comparisonOf } from './levels.ts'
import { byId, fill, show, slot, text } from './page.ts'
import type { Timeline } from './timeline.ts'

export class ThreadKeys {
  readonly #within: Correspondence
  readonly #timeline: Timeline
  readonly #changes = new KeyChanges()

  constructor(within: Correspondence, timeline: Timeline) {
    this.#within = within
    this.#timeline = timeline
  }

  /** Give the timeline what it has not shown yet. `since`: unix seconds of the thread's first item. */
  show(row: ThreadRow, since: number): void {
    const { mailbox, principal } = this.#within
    const restored: [string, KeyringView][] = []
    for (const member of row.members) {
      const keyring = mailbox.keyring(member.principal)
      if (keyring === null) continue
      this.#timeline.addBeside(this.#changes.take(keyring, member.authority.name, since))
      if (keyring.isUnconfirmed && member.principal !== principal)
        restored.push([member.authority.name, keyring])
    }
    this.#showRestored(restored[0])
  }

  #showRestored(restored: [string, KeyringView] | undefined): void {
    const notice = byId('restored')
    show(notice, restored !== undefined)
    if (restored === undefined) return
    const [authority, keyring] = restored
    const at = keyring.changes.findLast(({ reason }) => reason === 'recover')?.at ?? 0
    fill(notice, { words: text('restored-alone', { authority, time: dateTime(at) }) })
    slot<HTMLAnchorElement>(notice, 'comparison').href = comparisonOf(keyring.authority?.id ?? '')
  }
}
