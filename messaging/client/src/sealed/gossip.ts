import { readCheckpoint } from './checkpoint.ts'
import { type Bytes, equal } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Follower } from './follower.ts'
import { OLD_CHECKPOINT } from './marks.ts'
import { fits, type LogPlace, type Plaintext } from './message.ts'

/** The text with the log's newest note, when that is newer than what this device `sent` here last. A text that the
 *  note would make too long goes without. A log older than a day is marked (L4). */
export function withCheckpoint(
  plaintext: Plaintext,
  log: Follower,
  { sent, now }: { sent: LogPlace | null; now: number },
): Plaintext {
  const chosen = (plaintext.marks ?? []).filter((mark) => mark !== OLD_CHECKPOINT)
  const marks = log.isOld(now) ? ([OLD_CHECKPOINT, ...chosen] as const) : chosen
  const plain: Plaintext = { ...plaintext, checkpoint: null, marks }
  if (sent !== null && sent.size >= log.size) return plain
  const whole = { ...plain, checkpoint: log.note }
  return fits(whole) ? whole : plain
}

/** A checkpoint in a text is the log's own, of the place that the header names. @throws Refused wrong-checkpoint (L6) */
export async function checkSent(
  { net, serverKey }: { net: string; serverKey: Bytes },
  note: string,
  place: LogPlace | null,
): Promise<void> {
  const found = await readCheckpoint(net, serverKey, note).catch((error) => {
    if (error instanceof Refused) throw new Refused('L6', 'wrong-checkpoint', error.detail) // L6
    throw error
  })
  const isSame = place !== null && place.size === found.size && equal(place.root, found.root)
  insist(isSame, 'L6', 'wrong-checkpoint', 'another checkpoint than the header names') // L6
}
