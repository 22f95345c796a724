import { type Bytes, fromBase64 } from './encoding.ts'
import { KnownThread, type Reader } from './known_thread.ts'
import { readHeader } from './message.ts'
import { readReceipt } from './receipt.ts'
import { parse } from './statement.ts'
import { readEntry } from './thread_entry.ts'
import type { Applied, ItemJson } from './wire.ts'

/** The newest items of a long thread before all of it is verified: signed by listed devices of members, opened, and
 *  chained to each other and to the server's receipts. That they follow from the first item is found out afterwards:
 *  they hold if the same items (`hash`) stand there then, else they are to be taken off the page. Nothing is sealed
 *  from them. `entries`: all entries of the thread; `tail`: its last items, of which the first is only a foothold.
 *  @throws Refused */
export async function glimpse(
  reader: Reader,
  entries: readonly ItemJson[],
  tail: readonly ItemJson[],
): Promise<Applied[]> {
  const [foothold, ...rest] = tail
  if (!foothold) return []
  const { checkLog: _, ...calm } = reader // the log is asked when all is verified
  const known = new KnownThread(calm, null)
  for (const entry of entries) {
    if (entry.seq > foothold.seq) break
    if (known.state) {
      const { after } = await readEntry(reader.net, fromBase64(entry.item))
      jump(known, after.seq, after.hash)
    }
    await known.apply(entry)
  }
  jump(known, foothold.seq, await claimed(reader, foothold))
  const shown: Applied[] = []
  for (const item of rest) {
    if (await reachesBack(reader.net, item, foothold.seq)) jump(known, item.seq, await claimed(reader, item))
    else shown.push(withoutGaps(await known.apply(item)))
  }
  return shown
}

/** Go on at a later place, on somebody's word for the transcript there. */
function jump(known: KnownThread, seq: number, hash: Bytes): void {
  if (known.state === null || seq <= known.state.seq) return
  const transcript = known.state.transcript.slice()
  transcript[seq] = hash
  known.state = { ...known.state, seq, transcript }
}

async function claimed({ net, serverKey }: Reader, { receipt }: ItemJson): Promise<Bytes> {
  return (await readReceipt(net, serverKey, fromBase64(receipt))).fields.bytes('transcript', 32)
}

/** Whether its author had seen the thread only up to a place before the foothold. */
async function reachesBack(net: string, { type, item }: ItemJson, foothold: number): Promise<boolean> {
  if (type !== 'message') return false
  const { fields } = await parse(net, fromBase64(item), 'message')
  return readHeader(fields).after.seq < foothold
}

/** M4 is asked when all is verified: what stood before is not known here. */
const withoutGaps = (applied: Applied): Applied =>
  applied.type === 'message' ? { ...applied, message: { ...applied.message, marks: [] } } : applied
