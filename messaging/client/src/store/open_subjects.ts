// Opens threads for the sake of their subjects: the whole machinery of the correspondence, loaded only when a thread
// has come that this browser has not opened yet.
import { Refused } from '../sealed/errors.ts'
import { Failure } from '../transport/failure.ts'
import { Rest } from '../transport/rest.ts'
import type { Hex, SessionInfo } from '../transport/wire.ts'
import { Correspondence } from './correspondence.ts'
import type { Store } from './store.ts'
import type { Subjects } from './subjects.ts'
import { summarise } from './summary.ts'

/** Say the subject of each thread that could be opened; nothing where this device is not let in, or has doubts. */
export async function openSubjects(
  store: Store,
  subjects: Subjects,
  threads: readonly Hex[],
  say: (thread: Hex, subject: string) => void,
): Promise<void> {
  // Reading needs no proof: nothing dangerous is asked for here.
  const rest = new Rest('', () => Promise.reject(new Failure('proof-needed')))
  const info = await rest.get<SessionInfo>('session')
  const [device, pin] = [await store.device(), await store.pin()]
  const isKnown =
    pin?.net === info.net && pin.serverKey === info.server_key && pin.principal === info.principal
  if (!device || !isKnown || device.principal !== info.principal) return
  const correspondence = await Correspondence.open(info, rest, store, device)
  if (!correspondence.mailbox.isListed()) return
  for (const thread of threads) {
    const subject = await subjectOf(correspondence, thread)
    if (subject === null) continue
    await subjects.keep(thread, subject)
    say(thread, subject)
  }
  correspondence.saveSoon()
}

/** As the card of the thread says it; without one that holds, the thread is opened. Null where it stands still. */
async function subjectOf(correspondence: Correspondence, thread: Hex): Promise<string | null> {
  const { standing, text } = await correspondence.cards.read(await correspondence.thread(thread))
  const alarm = await correspondence.store.alarm(thread)
  if (alarm === undefined && text?.subject && standing !== 'unverified') return text.subject
  const reading = correspondence.reading(thread)
  await reading.load()
  if (reading.alarm) return null
  correspondence.cards.note(thread)
  return summarise(reading.applied, 0).subject ?? ''
}

/** What a device may well meet: no line, or something that does not verify. Its own pages say so. */
export const isExpected = (error: unknown): boolean => error instanceof Failure || error instanceof Refused
