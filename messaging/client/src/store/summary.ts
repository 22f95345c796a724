// What follows from the verified items of a thread. Pure: no page, no network.
import type { Applied, OpenedMessage } from '../sealed/client.ts'
import type { Hex } from '../transport/wire.ts'

export interface Summary {
  subject: string | null
  ownReference: string | null
  foreignReference: string | null
  /** Who owes the next word; `nobody` while there is no note. */
  turn: 'us' | 'them' | 'nobody'
  unread: number
}

export function messagesOf(applied: readonly Applied[]): OpenedMessage[] {
  return applied.flatMap((each) => (each.type === 'message' ? [each.message] : []))
}

/** `openedSeq`: the last item that the own authority has opened. */
export function summarise(applied: readonly Applied[], openedSeq: number): Summary {
  const summary: Summary = {
    subject: null,
    ownReference: null,
    foreignReference: null,
    turn: 'nobody',
    unread: 0,
  }
  let named: string | null = null
  for (const message of messagesOf(applied)) {
    summary.subject ??= message.subject
    // Each side says its own reference. What one calls the other's is shown only until the other has said it.
    if (message.isOwn) {
      summary.ownReference = message.ownReference ?? summary.ownReference
      named = message.foreignReference ?? named
    } else summary.foreignReference = message.ownReference ?? summary.foreignReference
    if (message.kind === 'note') summary.turn = message.isOwn ? 'them' : 'us'
    if (!message.isOwn && message.seq > openedSeq) summary.unread += 1
  }
  summary.foreignReference ??= named
  return summary
}

export interface OtherSide {
  deliveredSeq: number
  /** Proven by the other side's own signed statement. */
  opened: { seq: number; at: number } | null
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
