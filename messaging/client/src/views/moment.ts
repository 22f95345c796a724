// A moment at which all parties act together: on the clock of each office, and how long it is until then.
import type { Rest } from '../transport/rest.ts'
import type { AuthorityRow, ThreadRow } from '../transport/wire.ts'
import { CLOCK, DATE, language, write } from './format.ts'
import { clone, fill, show, slot, text } from './page.ts'
import { knownZone } from './zones.ts'

const MINUTE = 60
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', MINUTE],
] as const

/** An authority, and the zone of its office as the directory shows it. */
export interface Office {
  readonly name: string
  readonly zone: string
}

/** The offices of the parties of a thread. @throws Failure */
export async function officesOf(rest: Rest, { members }: Pick<ThreadRow, 'members'>): Promise<Office[]> {
  const zones = new Map((await listAuthorities(rest)).map(({ id, time_zone }) => [id, time_zone]))
  return members
    .filter(({ role }) => role === 'party')
    .map(({ authority: { id, name, state_name } }) => ({
      name: state_name ?? name,
      zone: knownZone(zones.get(id)),
    }))
}

let asked: Promise<AuthorityRow[]> | null = null

/** The authorities of the network, asked for once by a page. @throws Failure */
export function listAuthorities(rest: Rest): Promise<AuthorityRow[]> {
  asked ??= rest
    .get<{ authorities: AuthorityRow[] }>('authorities')
    .then(({ authorities }) => authorities)
    .catch((error: unknown) => {
      asked = null
      throw error
    })
  return asked
}

/** Shows a moment (unix seconds) in its place, on the clocks of these offices. */
export function showMoment(place: HTMLElement, at: number, offices: readonly Office[]): void {
  const element = clone('moment')
  const clocks = offices.map(({ name, zone }) => {
    const row = clone('moment-clock')
    fill(row, { name, time: timeIn(at, zone), zone })
    return row
  })
  slot(element, 'clocks').replaceChildren(...clocks)
  place.replaceChildren(element)
  show(place, true)
  countDown(slot(element, 'left'), at)
}

/** Date and time on the clock of a zone, which is named. */
export const timeIn = (at: number, zone: string): string =>
  write(at, `in ${zone}`, { weekday: 'short', ...DATE, ...CLOCK, timeZone: zone, timeZoneName: 'short' })

/** Says what is left, minute by minute, and in the last one second by second, but where less motion is wanted. */
function countDown(place: HTMLElement, at: number): void {
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches
  const tick = (): void => {
    const left = at - Math.floor(Date.now() / 1000)
    place.textContent =
      left > 0 ? text('moment-left', { time: timeLeft(left, isStill) }) : text('moment-passed')
    if (left <= 0) return
    const next = left <= MINUTE && !isStill ? 1 : left % MINUTE || MINUTE
    setTimeout(() => place.isConnected && tick(), next * 1000)
  }
  tick()
}

/** "2 days, 3 hours, 5 minutes", rounded up to minutes; the last minute in seconds, or as one minute. */
export function timeLeft(seconds: number, isStill: boolean): string {
  if (seconds < MINUTE && !isStill) return amount(seconds, 'second')
  let rest = Math.ceil(seconds / MINUTE) * MINUTE
  const parts = UNITS.flatMap(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count > 0 ? [amount(count, unit)] : []
  })
  return new Intl.ListFormat(language(), { type: 'unit' }).format(parts)
}

const amount = (value: number, unit: string): string =>
  new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'long' }).format(value)
