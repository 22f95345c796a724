// What in a case ends, or is owed, by a date that only its steps say. Pure: no page, no network.
import type { OpenedMessage } from '../sealed/client.ts'

/** What is due: a confirmation in writing, or the end of what was frozen or preserved. */
export interface Lapse {
  readonly what: 'confirmation' | 'freezing' | 'preservation'
  /** Unix seconds. */
  readonly at: number
}

const DAY = 86_400
/** From how long before it is said, and from how long before it is a warning. */
const FROM = {
  confirmation: { shown: Number.POSITIVE_INFINITY, warned: DAY },
  freezing: { shown: 3 * DAY, warned: DAY },
  preservation: { shown: 14 * DAY, warned: 3 * DAY },
} as const

/** The steps that begin a time, by the fact that says its end; what ends it before. */
const TIMES: readonly [Lapse['what'], Readonly<Record<string, string>>, readonly string[]][] = [
  ['confirmation', { 'sent-urgently': 'confirmation_due' }, ['confirmed', 'confirmation-waived']],
  [
    'freezing',
    { frozen: 'until', 'freezing-ending': 'ending' },
    ['confiscated', 'sharing-agreed', 'executed', 'refused', 'withdrawn', 'closed'],
  ],
  [
    'preservation',
    { preserved: 'until' },
    ['request-followed', 'lapsed', 'executed', 'refused', 'withdrawn', 'closed'],
  ],
]

/** What still runs in a case, by the messages of its thread. */
export function lapsesOf(messages: readonly OpenedMessage[]): Lapse[] {
  return TIMES.flatMap(([what, begins, ends]) => {
    let at: number | null = null
    for (const { step, body } of messages) {
      const fact = begins[step?.code ?? '']
      const said = fact && body?.type === 'stage' ? body.facts[fact] : null
      if (typeof said === 'number') at = said
      if (ends.includes(step?.code ?? '')) at = null
    }
    return at === null ? [] : [{ what, at }]
  })
}

/** How a lapse is shown at `now` (unix seconds): not yet, said, a warning, or that it is over. */
export function standingOf({ what, at }: Lapse, now: number): 'later' | 'said' | 'warned' | 'over' {
  const left = at - now
  if (left <= 0) return 'over'
  if (left <= FROM[what].warned) return 'warned'
  return left <= FROM[what].shown ? 'said' : 'later'
}
