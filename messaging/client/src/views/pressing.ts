// What presses in a thread: urgent messages that nobody has taken up, and dates by which something ends or is owed.
import type { Applied, OpenedMessage } from '../sealed/client.ts'
import { type Lapse, lapsesOf, standingOf } from '../store/lapses.ts'
import { silentSince } from '../store/silence.ts'
import { messagesOf, takesAcknowledgement } from '../store/summary.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'
import { ago, clock, dateTime, dayNumber, daysLeft, dueDate, inDays } from './format.ts'
import { byId, clone, fill, show, slot, text } from './page.ts'
import { showReach } from './reach.ts'

interface Pressing {
  readonly row: ThreadRow
  readonly applied: readonly Applied[]
  /** The own one. */
  readonly principal: Hex
  /** What shows an item. */
  readonly element: (seq: number) => HTMLElement | undefined
}

const EVERY = 30_000
let again: ReturnType<typeof setTimeout> | undefined

/** Show it, and again while the page is open: time passes, and nothing else happens. */
export async function showPressing(rest: Rest, found: Pressing): Promise<void> {
  clearTimeout(again)
  again = setTimeout(() => void showPressing(rest, found).catch(() => undefined), EVERY)
  const messages = messagesOf(found.applied)
  showLapses(lapsesOf(messages))
  for (const message of messages)
    if (message.urgency > 0 && takesAcknowledgement(message))
      await showWaiting(rest, message, found, messages)
}

function showLapses(lapses: readonly Lapse[]): void {
  const now = Date.now() / 1000
  const lines = lapses.flatMap((lapse) => {
    const standing = standingOf(lapse, now)
    if (standing === 'later') return []
    const line = clone('lapse')
    const days = inDays(daysLeft(lapse.at))
    const isOver = standing === 'over'
    fill(line, { words: text(`${lapse.what}-${isOver ? 'over' : 'due'}`, { date: dueDate(lapse.at), days }) })
    line.classList.toggle('care', standing === 'warned')
    line.classList.toggle('alarm', isOver)
    return [line]
  })
  byId('lapses').replaceChildren(...lines)
}

async function showWaiting(
  rest: Rest,
  message: OpenedMessage,
  { row, principal, element }: Pressing,
  messages: readonly OpenedMessage[],
): Promise<void> {
  const place = element(message.seq)?.querySelector<HTMLElement>('[data-slot="waits"]')
  if (!place) return
  const silent = silentSince(message, messages, row.members)
  const lines = row.members
    .filter((member) => member.principal !== message.principal)
    .map((member) => [silence(message, member, silent, principal), ...toldLines(message, member, row)])
    .flatMap((words) => words.filter(Boolean).map(paragraph))
  show(place, lines.length > 0)
  slot(place, 'lines').replaceChildren(...lines)
  const others = row.members.filter((one) => silent.includes(one.principal) && one.principal !== principal)
  const asked = message.isOwn ? others.map(({ authority }) => authority) : []
  await showReach(slot(place, 'reach'), rest, asked)
}

/** Since when somebody has not acknowledged it; empty where somebody of them has said something. */
function silence(
  { receivedAt }: OpenedMessage,
  { principal, authority }: ThreadRow['members'][number],
  silent: readonly Hex[],
  own: Hex,
): string {
  if (!silent.includes(principal)) return ''
  const values = { authority: authority.name, ago: ago(receivedAt) }
  return text(principal === own ? 'not-acknowledged-here' : 'not-acknowledged', values)
}

/** When people of a member were told: at first, and again while nobody took it up. */
function toldLines(
  { seq, receivedAt }: OpenedMessage,
  { principal }: ThreadRow['members'][number],
  { progress }: ThreadRow,
): string[] {
  const told = progress.find((each) => each.principal === principal)?.told ?? []
  const again = told.filter((one) => one.seq === seq)
  const first = again.length > 0 ? [text('told-first', { at: when(receivedAt) })] : []
  return [...first, ...again.map(({ stage, at }) => text(`told-${stage}`, { at: when(at) }))]
}

/** The clock alone for what was today. */
function when(at: number): string {
  return dayNumber(at) === dayNumber(Date.now() / 1000) ? clock(at) : dateTime(at)
}

function paragraph(words: string): HTMLElement {
  const line = document.createElement('p')
  line.textContent = words
  return line
}
