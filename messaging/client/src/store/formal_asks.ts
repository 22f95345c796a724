// What was asked, in direct contact, to be asked for by a request, and the draft that begins with it. Pure.
import type { Applied, OpenedMessage } from '../sealed/client.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'
import { messagesOf } from './summary.ts'

export interface FormalAsk {
  readonly by: OpenedMessage
  readonly of: OpenedMessage
}

/** Oldest first; only what names a message that stands at its place. */
export function asksIn(applied: readonly Applied[]): FormalAsk[] {
  const messages = messagesOf(applied)
  const bySeq = new Map(messages.map((message) => [message.seq, message]))
  return messages.flatMap((by) => {
    const about = by.body?.type === 'note' ? by.body.about : null
    const of = about?.part === 'formally' ? bySeq.get(about.seq) : undefined
    return of !== undefined && of.id === about?.of ? [{ by, of }] : []
  })
}

/** Whether somebody in the thread is of the State of the own principal. */
export function isOfOwnState({ members }: ThreadRow, own: Hex, other: Hex): boolean {
  const stateOf = (principal: Hex) => members.find((one) => one.principal === principal)?.authority.state
  return (stateOf(own) ?? null) !== null && stateOf(own) === stateOf(other)
}
