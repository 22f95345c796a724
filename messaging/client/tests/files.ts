// Files sealed from fixed keys, as tests/vectors/make_files.py describes them.
import { CHUNK, chunkCount, paddedSize, rootOf, sealChunk } from '../src/sealed/attachment.ts'
import { type Bytes, encode, fromHex, sha256, toHex } from '../src/sealed/encoding.ts'

export interface FileRow {
  thread: string
  id: string
  key: string
  prefix: string
  digest: string
  name: string
  type: string
  size: number
  padded: number
  chunks: number
  root: string
  hashes: string[]
  first: string | null
}

export interface FileVectors {
  net: string
  files: FileRow[]
}

const NET = 'network.example/s1'
const SHOWN = 4096
export const SIZES = [0, 1, 99, 2000, CHUNK, CHUNK + 1, 2 * CHUNK + 90_000]

/** The bytes of a file of this size. */
export const content = (size: number): Bytes =>
  Uint8Array.from({ length: size }, (_, place) => (7 * place + Math.floor(place / 256)) % 256)

const seedOf = (name: string): Promise<Bytes> => sha256(encode(['typescript files', name]))

/** The sealed chunks of a file. */
export async function sealWhole(row: FileRow, net: string, data: Bytes): Promise<Bytes[]> {
  const { thread, id, key, prefix } = row
  const keys = { thread: fromHex(thread), id: fromHex(id), key: fromHex(key), prefix: fromHex(prefix) }
  const count = chunkCount(paddedSize(data.length))
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const part = data.subarray(index * CHUNK, (index + 1) * CHUNK)
      return sealChunk({ net, ...keys, size: data.length }, index, part)
    }),
  )
}

async function makeRow(size: number): Promise<FileRow> {
  const data = content(size)
  const row: FileRow = {
    thread: toHex(await seedOf(`thread ${size}`)),
    id: toHex((await seedOf(`file ${size}`)).slice(0, 16)),
    key: toHex(await seedOf(`key ${size}`)),
    prefix: toHex((await seedOf(`prefix ${size}`)).slice(0, 7)),
    digest: toHex(await sha256(data)),
    name: `запрос ${size}.txt`,
    type: 'text/plain',
    size,
    padded: paddedSize(size),
    chunks: chunkCount(paddedSize(size)),
    root: '',
    hashes: [],
    first: null,
  }
  const sealed = await sealWhole(row, NET, data)
  const hashes = await Promise.all(sealed.map(sha256))
  const first = sealed[0] as Bytes
  return {
    ...row,
    root: toHex(await rootOf(NET, hashes)),
    hashes: hashes.map(toHex),
    first: first.length <= SHOWN ? toHex(first) : null,
  }
}

export async function makeFiles(): Promise<FileVectors> {
  return { net: NET, files: await Promise.all(SIZES.map(makeRow)) }
}
