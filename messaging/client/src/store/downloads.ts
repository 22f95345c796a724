import { checkDigest, checkRoot, chunkCount, fileFacts, openChunk, paddedSize } from '../sealed/attachment.ts'
import type { FileJson } from '../sealed/client.ts'
import { type Bytes, fromBase64, fromHex } from '../sealed/encoding.ts'
import { Refused } from '../sealed/errors.ts'
import type { Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { Digest } from './digest.ts'
import { inOrder, patiently } from './patience.ts'
import type { Stored } from './uploads.ts'

const AHEAD = 2

/** Where an opened file goes. `close` comes once, when everything was verified; else `abort`. */
export interface Sink {
  write(part: Bytes): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}

/** Fetches, verifies and opens a file, chunk by chunk. After a cut it goes on by itself, until `signal` says no.
 *  @throws Refused wrong-root, wrong-chunk, wrong-file (M5), cannot-open (E8) */
export async function download(
  within: Correspondence,
  thread: Hex,
  file: FileJson,
  { sink, signal, onProgress }: { sink: Sink; signal: AbortSignal; onProgress: (share: number) => void },
): Promise<void> {
  try {
    await writeAll(within, thread, file, { sink, signal, onProgress })
  } catch (error) {
    await sink.abort().catch(() => undefined)
    throw error
  }
  await sink.close()
}

async function writeAll(
  within: Correspondence,
  thread: Hex,
  file: FileJson,
  { sink, signal, onProgress }: { sink: Sink; signal: AbortSignal; onProgress: (share: number) => void },
): Promise<void> {
  const { net } = within.mailbox
  const facts = fileFacts(file)
  const path = `threads/${thread}/attachments/${file.id}`
  const { hashes } = await patiently(signal, () => within.rest.get<Stored>(path))
  const expected = parts(hashes)
  await checkRoot(net, facts, expected) // M5: before anything of it is used
  const key = { ...facts, net, thread: fromHex(thread) }
  const count = chunkCount(paddedSize(file.size))
  const digest = new Digest()
  const fetchChunk = (index: number) =>
    patiently(signal, () => within.rest.getBytes(`${path}/chunks/${index}`, signal))
  let index = 0
  for await (const sealed of inOrder(count, AHEAD, fetchChunk)) {
    const part = await openChunk(key, index, sealed, expected[index] as Bytes)
    digest.add(part)
    await sink.write(part)
    index += 1
    onProgress(index / count)
  }
  checkDigest(facts, digest.end())
}

function parts(hashes: string | null): Bytes[] {
  const whole = hashes === null ? new Uint8Array() : fromBase64(hashes)
  if (whole.length % 32 !== 0) throw new Refused('M5', 'wrong-root', 'not a list of hashes')
  return Array.from({ length: whole.length / 32 }, (_, place) => whole.slice(place * 32, place * 32 + 32))
}
