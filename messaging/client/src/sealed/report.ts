import type { Bytes, Value } from './encoding.ts'
import { insist } from './errors.ts'
import type { DisclosedMessage, RecordSource } from './record.ts'
import { sign } from './statement.ts'
import { byOf, byValue } from './thread_rules.ts'

// Reports of abuse: a member discloses chosen messages, and only those, to whoever moderates (R3, R4).

export const CAUSES = ['harm', 'impersonation', 'other', 'pressure', 'purpose'] as const
export type Cause = (typeof CAUSES)[number]
export const MESSAGES_MOST = 20
export const WORDS_LIMIT = 2000

/** The signed report; what it discloses travels beside it. `at`: unix seconds. @throws Refused unknown-cause,
 *  wrong-messages (R4) */
export async function makeReport(
  { net, author, own, state }: RecordSource,
  { cause, words, messages }: { cause: Cause; words: string; messages: readonly DisclosedMessage[] },
  at: number,
): Promise<Bytes> {
  insist(CAUSES.includes(cause), 'R4', 'unknown-cause', 'an unknown cause of a report') // R4
  const rows: Value[] = messages.map(({ seq, item }) => [seq, item])
  const places = messages.map(({ seq }) => seq)
  const isSorted = places.every((seq, index) => index === 0 || seq > (places[index - 1] as number))
  const isGood = isSorted && rows.length > 0 && rows.length <= MESSAGES_MOST
  insist(isGood, 'R4', 'wrong-messages', 'from one to twenty messages, in order, none twice') // R4
  const fields = { by: byValue(byOf(own)), thread: state.thread, cause, words, messages: rows }
  return sign(net, 'report', fields, { at, kid: author.id, key: author.key })
}
