import type { Correspondence } from '../store/correspondence.ts'
import type { Reading } from '../store/reading.ts'
import { type OtherSide, together } from '../store/summary.ts'
import type { Hex, Progress, ThreadRow } from '../transport/wire.ts'
import { cameAt } from './membership.ts'

const NOTHING: OtherSide = { deliveredSeq: 0, opened: null }

/** How far what was written in a thread has come with the others. */
export class OthersProgress {
  readonly #within: Correspondence
  readonly #reading: Reading
  /** By principal, without the own. */
  readonly #others = new Map<Hex, OtherSide>()

  constructor(within: Correspondence, reading: Reading) {
    this.#within = within
    this.#reading = reading
  }

  /** What one of the others has received and, proven, opened. */
  async take(progress: Progress): Promise<void> {
    const { principal, delivered_seq } = progress
    const opened = await this.#within.openedBy(this.#reading.thread, progress)
    const before = this.#others.get(principal) ?? NOTHING
    const deliveredSeq = Math.max(before.deliveredSeq, delivered_seq)
    this.#others.set(principal, { deliveredSeq, opened: opened ?? before.opened })
  }

  /** Of the message at this place: any of the others, or where several parties are to read it, the last of those. */
  of(seq: number, members: ThreadRow['members']): OtherSide {
    const parties = members.filter(
      ({ principal, role }) =>
        role === 'party' &&
        principal !== this.#within.principal &&
        cameAt(this.#reading.applied, principal) <= seq,
    )
    if (parties.length > 1)
      return together(parties.map(({ principal }) => this.#others.get(principal) ?? NOTHING))
    const all = [...this.#others.values()]
    const opened = all.flatMap((side) => side.opened ?? []).toSorted((one, other) => one.seq - other.seq)
    return {
      deliveredSeq: Math.max(0, ...all.map(({ deliveredSeq }) => deliveredSeq)),
      opened: opened.at(-1) ?? null,
    }
  }
}
