import {
  CHUNK,
  type ChunkKey,
  chunkCount,
  FILE_LIMIT,
  isMediaType,
  isName,
  paddedSize,
  rootOf,
  sealChunk,
} from '../sealed/attachment.ts'
import type { FileJson } from '../sealed/client.ts'
import { type Bytes, fromHex, randomBytes, sha256, toHex } from '../sealed/encoding.ts'
import { Refused } from '../sealed/errors.ts'
import { Failure } from '../transport/failure.ts'
import type { Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { Digest } from './digest.ts'
import { inOrder, patiently } from './patience.ts'

const AHEAD = 2 // chunks underway: what is not yet collected as garbage counts too
const ANY_TYPE = 'application/octet-stream'

/** What the server says of a file. */
export interface Stored {
  readonly missing: readonly number[]
  readonly hashes: string | null
  readonly seq: number | null
}

export type UploadState = 'reading' | 'sending' | 'stored' | 'interrupted' | 'failed'

/** What others may read as the name of a file; unseen and turned characters go. */
export function namedFor(file: {
  readonly name: string
  readonly type: string
}): [name: string, type: string] {
  const name = [...file.name].filter((mark) => isName(`x${mark}`)).join('')
  const type = file.type.toLowerCase()
  const short = [...name].slice(0, 200).join('')
  return [isName(short) ? short : 'file', isMediaType(type) ? type : ANY_TYPE]
}

/**
 * One file on its way into a thread: read once for its digest, then sealed and sent chunk by chunk. `file` is what
 * the message and a draft know of it; its root is empty until everything is stored. The same bytes may go on where
 * they stopped, on this page or, chosen again, on the next; other bytes never get the same key.
 */
export class Upload {
  onChange: () => void = () => undefined
  state: UploadState
  /** Of the state: from 0 to 1. */
  progress = 0
  problem: unknown = null
  file: FileJson
  readonly #within: Correspondence
  readonly #thread: Hex
  readonly #earlier: () => readonly FileJson[]
  #source: File | null
  #stop = new AbortController()

  /** `source` null: what an earlier visit left, stored whole or interrupted. `earlier`: files that were begun. */
  constructor(
    within: Correspondence,
    thread: Hex,
    from: { source: File | null; file?: FileJson; earlier?: () => readonly FileJson[] },
  ) {
    this.#within = within
    this.#thread = thread
    this.#source = from.source
    this.#earlier = from.earlier ?? (() => [])
    this.file = from.file ?? freshFile(from.source as File)
    this.state = from.source ? 'reading' : this.file.root === '' ? 'interrupted' : 'stored'
  }

  get isUnderway(): boolean {
    return this.state === 'reading' || this.state === 'sending'
  }

  /** Reads, seals and sends; resolves when it is stored, has failed or was given up. */
  async run(): Promise<void> {
    const source = this.#source
    if (source === null) return this.#look()
    this.problem = null
    this.#stop = new AbortController()
    try {
      if (source.size > FILE_LIMIT) throw new Refused('M3', 'file-too-large', 'more than 1 GiB')
      await this.#read(source)
      await this.#send(source)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.problem = error
      this.#be('failed')
    }
  }

  /** Stops it, and lets the server forget what it has. */
  async remove(): Promise<void> {
    this.#stop.abort()
    await this.#within.rest.delete(this.#path).catch(() => undefined)
  }

  get #path(): string {
    return `threads/${this.#thread}/attachments/${this.file.id}`
  }

  #be(state: UploadState, progress = 0): void {
    this.state = state
    this.progress = progress
    this.onChange()
  }

  /** Whether what an earlier visit had stored is still there. */
  async #look(): Promise<void> {
    if (this.state !== 'stored') return
    try {
      const found = await this.#within.rest.get<Stored>(this.#path)
      if (found.missing.length > 0 || found.seq !== null) this.#be('interrupted')
    } catch (error) {
      if (error instanceof Failure && error.status === 404) this.#be('interrupted')
    }
  }

  async #read(source: File): Promise<void> {
    this.#be('reading')
    const digest = new Digest()
    for (let start = 0; start < source.size; start += CHUNK) {
      this.#stop.signal.throwIfAborted()
      digest.add(await slice(source, start))
      this.#be('reading', Math.min(1, (start + CHUNK) / source.size))
    }
    const found = toHex(digest.end())
    const { name, size } = this.file
    const same = this.#earlier().find(
      (file) => file.root === '' && file.digest === found && file.name === name && file.size === size,
    )
    this.file = same ? { ...same } : { ...this.file, digest: found }
  }

  async #send(source: File): Promise<void> {
    this.#be('sending')
    const missing = new Set((await this.#begin()).missing)
    const { net } = this.#within.mailbox
    const { id, key, prefix, size } = this.file
    const chunk: ChunkKey = {
      net,
      thread: fromHex(this.#thread),
      id: fromHex(id),
      key: fromHex(key),
      prefix: fromHex(prefix),
      size,
    }
    const count = chunkCount(paddedSize(size))
    const hashes: Bytes[] = []
    const make = async (index: number): Promise<Bytes> => {
      this.#stop.signal.throwIfAborted()
      const sealed = await sealChunk(chunk, index, await slice(source, index * CHUNK))
      if (missing.has(index)) await this.#put(index, sealed)
      return sha256(sealed)
    }
    for await (const hash of inOrder(count, AHEAD, make)) {
      hashes.push(hash)
      this.#be('sending', hashes.length / count)
    }
    this.#stop.signal.throwIfAborted()
    this.file = { ...this.file, root: toHex(await rootOf(net, hashes)) }
    this.#be('stored', 1)
  }

  #put(index: number, sealed: Bytes): Promise<void> {
    const { signal } = this.#stop
    return patiently(signal, () =>
      this.#within.rest.putBytes(`${this.#path}/chunks/${index}`, sealed, signal),
    )
  }

  /** An earlier one that cannot go on (it was cleared away, or sent meanwhile) begins anew with keys of its own. */
  async #begin(): Promise<Stored> {
    const begin = () =>
      patiently(this.#stop.signal, () =>
        this.#within.rest.post<Stored>(`threads/${this.#thread}/attachments`, {
          file: this.file.id,
          size: paddedSize(this.file.size),
        }),
      )
    try {
      return await begin()
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'attachment-differs')) throw error
      const { digest } = this.file
      this.file = { ...freshFile(this.#source as File), digest }
      return begin()
    }
  }
}

function freshFile(source: File): FileJson {
  const [name, mediaType] = namedFor(source)
  return {
    id: toHex(randomBytes(16)),
    key: toHex(randomBytes(32)),
    prefix: toHex(randomBytes(7)),
    digest: '',
    name,
    mediaType,
    size: source.size,
    root: '',
  }
}

/** @throws Refused file-changed when the file on the disk is not what was chosen any more */
async function slice(source: File, start: number): Promise<Bytes> {
  const wanted = Math.max(0, Math.min(CHUNK, source.size - start))
  try {
    const part = new Uint8Array(await source.slice(start, start + wanted).arrayBuffer())
    if (part.length === wanted) return part
  } catch {
    // The browser does not hand out what has changed on the disk.
  }
  throw new Refused('M5', 'file-changed', 'the file has changed since it was chosen')
}
