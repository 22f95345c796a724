// What follows from the verified items of a thread. Pure: no page, no network.
import { ENDING, PASSING } from '../generated/turns.ts'
import type { Applied, OpenedMessage } from '../sealed/client.ts'
import type { Urgency } from '../sealed/message.ts'
import type { Hex } from '../transport/wire.ts'

export interface Summary {
  subject: string | null
  ownReference: string | null
  foreignReference: string | null
  /** Who owes the next word; `nobody` before the first, and after a step that ends what was asked. */
  turn: 'us' | 'them' | 'nobody'
  /** Of what has not been answered: the highest urgency, and the earliest date wanted (unix seconds). */
  urgency: Urgency
  due: number | null
  /** The first word that has not been answered. */
  openFrom: number
  unread: number
  /** The last step of its case. */
  stage: string | null
}

const NOTHING_ASKED = { turn: 'nobody', urgency: 0, due: null } as const

export function messagesOf(applied: readonly Applied[]): OpenedMessage[] {
  return applied.flatMap((each) => (each.type === 'message' ? [each.message] : []))
}

/** `openedSeq`: the last item that the own authority has opened. */
export function summarise(applied: readonly Applied[], openedSeq: number): Summary {
  const summary: Summary = {
    subject: null,
    ownReference: null,
    foreignReference: null,
    ...NOTHING_ASKED,
    openFrom: 0,
    unread: 0,
    stage: null,
  }
  let named: string | null = null
  for (const message of messagesOf(applied)) {
    summary.subject ??= message.subject
    // Each side says its own reference. What one calls the other's is shown only until the other has said it.
    if (message.isOwn) {
      summary.ownReference = message.ownReference ?? summary.ownReference
      named = message.foreignReference ?? named
    } else summary.foreignReference = message.ownReference ?? summary.foreignReference
    const code = message.step?.code ?? ''
    summary.stage = message.step?.code ?? summary.stage
    if (message.kind === 'note' || PASSING.includes(code)) askFor(summary, message)
    if (ENDING.includes(code)) Object.assign(summary, NOTHING_ASKED)
    if (!message.isOwn && message.seq > openedSeq) summary.unread += 1
  }
  summary.foreignReference ??= named
  return summary
}

/** A note, or a step that asks, passes the turn on; what the other side had wanted is answered by it. */
function askFor(summary: Summary, { isOwn, urgency, due, seq }: OpenedMessage): void {
  const turn = isOwn ? 'them' : 'us'
  const isAnswer = summary.turn !== turn
  summary.turn = turn
  if (isAnswer) summary.openFrom = seq
  summary.urgency = isAnswer || urgency > summary.urgency ? urgency : summary.urgency
  const before = isAnswer ? null : summary.due
  summary.due = before === null || due === null ? (due ?? before) : Math.min(before, due)
}

/** What is urgent and waits for us comes first, then what changed last. */
export function byNeed(
  one: { summary: Summary | null; changedAt: number },
  other: { summary: Summary | null; changedAt: number },
): number {
  const need = ({ summary }: { summary: Summary | null }) => (summary?.turn === 'us' ? summary.urgency : 0)
  return need(other) - need(one) || other.changedAt - one.changedAt
}

/** A step that asks urgently is acknowledged by name, as a note is. */
export const takesAcknowledgement = ({ kind, urgency }: OpenedMessage): boolean =>
  kind === 'note' || (kind === 'stage' && urgency > 0)

/** The language of the next note: the own side's last one here, before it that of what is answered. */
export function nextLanguage(applied: readonly Applied[]): string | null {
  const notes = messagesOf(applied).filter(({ kind, failed }) => kind === 'note' && failed === null)
  return (notes.findLast(({ isOwn }) => isOwn) ?? notes.at(-1))?.language || null
}

export interface OtherSide {
  deliveredSeq: number
  /** Proven by the other side's own signed statement. */
  opened: { seq: number; at: number } | null
}

/** How far something has come with all of these: as far as with the last of them. */
export function together(sides: readonly OtherSide[]): OtherSide {
  const opened = sides.flatMap((side) => (side.opened === null ? [] : [side.opened]))
  return {
    deliveredSeq: Math.min(...sides.map(({ deliveredSeq }) => deliveredSeq)),
    opened:
      opened.length < sides.length
        ? null
        : { seq: Math.min(...opened.map(({ seq }) => seq)), at: Math.max(...opened.map(({ at }) => at)) },
  }
}

export type Standing =
  | { state: 'acknowledged'; by: OpenedMessage }
  | { state: 'opened'; at: number }
  | { state: 'delivered' }
  | { state: 'stored' }

/** How far an own message is known to have come: the furthest of what is proven. */
export function standing(
  message: OpenedMessage,
  acknowledgements: Map<Hex, OpenedMessage>,
  other: OtherSide,
): Standing {
  const by = acknowledgements.get(message.id)
  if (by) return { state: 'acknowledged', by }
  if (other.opened && other.opened.seq >= message.seq) return { state: 'opened', at: other.opened.at }
  return { state: other.deliveredSeq >= message.seq ? 'delivered' : 'stored' }
}

/** The first acknowledgement of each message, by message id, made by a side other than the author's. */
export function acknowledgementsOf(applied: readonly Applied[]): Map<Hex, OpenedMessage> {
  const found = new Map<Hex, OpenedMessage>()
  const authors = new Map(messagesOf(applied).map((message) => [message.id, message.principal]))
  for (const message of messagesOf(applied)) {
    if (message.body?.type !== 'acknowledgement') continue
    const { of } = message.body
    if (authors.get(of) !== message.principal && !found.has(of)) found.set(of, message)
  }
  return found
}
