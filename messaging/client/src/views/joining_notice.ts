// Whom another party wants to let into a thread, said above its messages.
import type { Correspondence } from '../store/correspondence.ts'
import { type Joining, joiningsIn, partiesIn } from '../store/joining.ts'
import type { Reading } from '../store/reading.ts'
import { byId, show, slot, text } from './page.ts'

/** Shows the newest proposal that waits; the page of the parties has all of them. @throws Failure */
export async function showWaiting(within: Correspondence, reading: Reading): Promise<void> {
  const found = await joiningsIn(within, reading, Math.floor(Date.now() / 1000))
  const waiting = found.findLast(({ state }) => state === 'waits' || state === 'ready')
  const notice = byId('joining-notice')
  show(notice, waiting !== undefined)
  if (waiting === undefined) return
  for (const one of [waiting.newcomer, waiting.by]) await within.learnKeyring(one)
  slot(notice, 'words').textContent = words(within, reading, waiting)
}

function words(within: Correspondence, reading: Reading, { newcomer, by, missing }: Joining): string {
  const nameOf = (one: string) => within.mailbox.keyring(one)?.authority?.name ?? one.slice(0, 8)
  const isAsked = missing.includes(within.principal) && partiesIn(within, reading.thread).length > 1
  return text(isAsked ? 'joining-asked' : 'joining-waiting', { authority: nameOf(newcomer), by: nameOf(by) })
}
