// When the parties of a thread act together: each stands by the newest moment that it has named. Pure.
import type { Applied } from '../sealed/client.ts'
import type { Hex } from '../transport/wire.ts'
import { messagesOf } from './summary.ts'

export interface Moment {
  /** Unix seconds. */
  readonly at: number
  readonly by: Hex
  readonly text: string
  readonly language: string
  /** Of the message that named it first. */
  readonly seq: number
  /** The parties that stand by it, and the others. */
  readonly standing: readonly Hex[]
  readonly missing: readonly Hex[]
  /** `left`: no party stands by it any more. */
  readonly state: 'agreed' | 'waits' | 'left'
}

/** The last entry by which a party came that does not read what was before: to it nothing was named yet. */
const lastComing = (applied: readonly Applied[]): number =>
  applied.findLast(
    (each) =>
      each.type === 'entry' &&
      each.reason !== 'genesis' &&
      !each.sharesHistory &&
      each.came.some(({ role }) => role === 'party'),
  )?.seq ?? 0

/** Every moment that a party has named, the one named last first. All members read the same out of a thread. */
export function momentsIn(applied: readonly Applied[], parties: readonly Hex[]): Moment[] {
  const since = lastComing(applied)
  const newest = new Map<Hex, number>()
  const found = new Map<number, Pick<Moment, 'at' | 'by' | 'text' | 'language' | 'seq'>>()
  for (const { body, principal: by, seq, language } of messagesOf(applied)) {
    if (body?.type !== 'note' || body.moment === null || !parties.includes(by)) continue
    const { moment: at, text } = body
    const first = found.get(at) ?? { at, by, text, language, seq }
    found.delete(at)
    found.set(at, first)
    if (seq > since) newest.set(by, at)
  }
  const moments = [...found.values()].map((one) => {
    const standing = parties.filter((party) => newest.get(party) === one.at)
    const missing = parties.filter((party) => !standing.includes(party))
    const state = standing.length === 0 ? 'left' : missing.length === 0 ? 'agreed' : 'waits'
    return { ...one, standing, missing, state } as const
  })
  return moments.reverse()
}
