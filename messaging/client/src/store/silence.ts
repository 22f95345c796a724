// Who has said nothing yet to what is urgent. Pure: no page, no network.

import { ENDING } from '../generated/turns.ts'
import type { OpenedMessage } from '../sealed/client.ts'
import type { Hex, ThreadRow } from '../transport/wire.ts'

const WORDS: readonly string[] = ['acknowledgement', 'note', 'stage']

/** Of a thread's members, those asked by an urgent message who have said nothing since: as the server counts it. */
export function silentSince(
  asked: OpenedMessage,
  messages: readonly OpenedMessage[],
  members: ThreadRow['members'],
): Hex[] {
  const later = messages.filter(({ seq }) => seq > asked.seq)
  if (later.some(({ step }) => ENDING.includes(step?.code ?? ''))) return []
  const heard = new Set(later.filter(({ kind }) => WORDS.includes(kind)).map((one) => one.principal))
  const addressed = members.filter(({ role }) => role !== 'observer').map(({ principal }) => principal)
  return addressed.filter((principal) => principal !== asked.principal && !heard.has(principal))
}
