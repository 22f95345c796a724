import type { Reading } from '../store/reading.ts'
import type { Rest } from '../transport/rest.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { type Mailroom, openMailroom } from './session.ts'

/** The thread that a page beside it is about, verified to its end; null where this device has to be let in first. */
export async function openThreadOfPage(
  rest: Rest,
): Promise<{ mailroom: Mailroom; row: ThreadRow; reading: Reading } | null> {
  const mailroom = await openMailroom(rest)
  if (mailroom === null) return null
  const id = document.body.dataset.thread ?? ''
  const row = await mailroom.correspondence.thread(id)
  const reading = mailroom.correspondence.reading(id)
  await reading.load(row.seq)
  await mailroom.correspondence.checkMembers(row)
  return { mailroom, row, reading }
}
