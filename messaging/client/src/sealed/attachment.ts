// Attachments: files sealed in chunks of 1 MiB beside a message (E8, M3, M5).
import {
  type Bytes,
  concat,
  context,
  contextHash,
  equal,
  fromHex,
  sha256,
  toHex,
  type Value,
} from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { Fields } from './statement.ts'
import type { FileJson } from './wire.ts'

/** Bytes of a file in one chunk; the last one may be shorter. */
export const CHUNK = 1024 * 1024
const TAG = 16
/** 1 GiB: the largest file; its padded size is the same. */
export const FILE_LIMIT = 1024 * CHUNK
/** How many files go with one message. */
export const FILES_LIMIT = 10
const ID_SIZE = 16
const PREFIX_SIZE = 7
const NAME_LIMIT = 200
const TYPE_LIMIT = 100
const MEDIA_TYPE = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/
// Separators of paths; and what is not seen, or turns round what is read: controls, marks of direction, tags.
const NEVER_IN_NAMES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[/\\\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u

/** The size that others see: Padmé, at most 12 % more (PURBs, Nikitin et al., 2019); an empty file has 1. */
export function paddedSize(size: number): number {
  const exponent = 31 - Math.clz32(Math.max(size, 1))
  const mask = 2 ** (exponent - (32 - Math.clz32(exponent))) - 1
  return (Math.max(size, 1) + mask) & ~mask
}

/** How many chunks a file of this padded size has. */
export const chunkCount = (padded: number): number => Math.ceil(padded / CHUNK)

/** How many bytes the sealed chunk `index` of a file of this padded size has. */
export const sealedSize = (padded: number, index: number): number =>
  Math.min(CHUNK, padded - index * CHUNK) + TAG

/** A file as the signed header names it; `size` is padded. */
export interface FileHeader {
  readonly id: Bytes
  readonly chunks: number
  readonly size: number
  readonly root: Bytes
}

/** A file as members know it: key, nonce prefix, SHA-256 of the whole, name, type, true size. */
export interface FileFacts {
  readonly id: Bytes
  readonly key: Bytes
  readonly prefix: Bytes
  readonly digest: Bytes
  readonly name: string
  readonly mediaType: string
  readonly size: number
  readonly root: Bytes
}

export function headerOf({ id, size, root }: FileFacts): FileHeader {
  const padded = paddedSize(size)
  return { id, chunks: chunkCount(padded), size: padded, root }
}

export const headerValue = ({ id, chunks, size, root }: FileHeader): Value => ({ id, chunks, size, root })

export const fileValue = (file: FileFacts): Value => ({
  id: file.id,
  key: file.key,
  prefix: file.prefix,
  digest: file.digest,
  name: file.name,
  type: file.mediaType,
  size: file.size,
})

export const fileJson = ({ name, mediaType, size, ...file }: FileFacts): FileJson => ({
  id: toHex(file.id),
  key: toHex(file.key),
  prefix: toHex(file.prefix),
  digest: toHex(file.digest),
  name,
  mediaType,
  size,
  root: toHex(file.root),
})

export const fileFacts = ({ name, mediaType, size, ...file }: FileJson): FileFacts => ({
  id: fromHex(file.id),
  key: fromHex(file.key),
  prefix: fromHex(file.prefix),
  digest: fromHex(file.digest),
  name,
  mediaType,
  size,
  root: fromHex(file.root),
})

/** The files of a header. @throws Refused E2; wrong-files (M3) for what no file can be */
export function readHeaders(fields: Fields): readonly FileHeader[] {
  const found = fields.list('files').map(readHeader)
  const isSound =
    found.length <= FILES_LIMIT && new Set(found.map(({ id }) => id.join())).size === found.length
  insist(isSound && found.every(isPossible), 'M3', 'wrong-files', 'files that cannot be') // M3
  return found
}

function readHeader(value: Value): FileHeader {
  const fields = new Fields(value, ['id', 'chunks', 'size', 'root'])
  return {
    id: fields.bytes('id', ID_SIZE),
    chunks: fields.uint('chunks'),
    size: fields.uint('size'),
    root: fields.bytes('root', 32),
  }
}

function isPossible({ chunks, size }: FileHeader): boolean {
  const isPadded = size > 0 && size <= FILE_LIMIT && paddedSize(size) === size
  return isPadded && chunks === chunkCount(size)
}

/** The files of a body, each as its header says. @throws Refused E2; wrong-files (M5) */
export function readFiles(values: readonly Value[], headers: readonly FileHeader[]): readonly FileFacts[] {
  insist(values.length === headers.length, 'M5', 'wrong-files', 'other files than the header names') // M5
  return headers.map((header, place) => readFile(values[place] as Value, header))
}

function readFile(value: Value, header: FileHeader): FileFacts {
  const fields = new Fields(value, ['id', 'key', 'prefix', 'digest', 'name', 'type', 'size'])
  const found = {
    id: fields.bytes('id', ID_SIZE),
    key: fields.bytes('key', 32),
    prefix: fields.bytes('prefix', PREFIX_SIZE),
    digest: fields.bytes('digest', 32),
    name: fields.text('name', NAME_LIMIT),
    mediaType: fields.text('type', TYPE_LIMIT),
    size: fields.uint('size'),
    root: header.root,
  }
  const isSame =
    found.size <= FILE_LIMIT && equal(found.id, header.id) && paddedSize(found.size) === header.size
  insist(isSame, 'M5', 'wrong-files', 'a file is not the one that the header names') // M5
  const isNamed = isName(found.name) && isMediaType(found.mediaType)
  insist(isNamed, 'M5', 'wrong-files', 'a name or type that no file may have') // M5
  return found
}

/** Whether a reader takes it for the name of a file: no path, nothing unseen, nothing turned round. */
export function isName(name: string): boolean {
  if (['', '.', '..'].includes(name.trim()) || [...name].length > NAME_LIMIT) return false
  return !NEVER_IN_NAMES.test(name)
}

export const isMediaType = (type: string): boolean => type.length <= TYPE_LIMIT && MEDIA_TYPE.test(type)

// ---------------------------------------------------------------- sealing and opening

/** What a chunk is sealed with. */
export interface ChunkKey {
  readonly net: string
  readonly thread: Bytes
  readonly id: Bytes
  readonly key: Bytes
  readonly prefix: Bytes
  /** The true size of the file. */
  readonly size: number
}

function parameters({ net, thread, id, prefix, size }: ChunkKey, index: number): AesGcmParams {
  const place = new Uint8Array(5)
  new DataView(place.buffer).setUint32(0, index)
  place[4] = Number(index === chunkCount(paddedSize(size)) - 1)
  return {
    name: 'AES-GCM',
    iv: concat(prefix, place),
    additionalData: context(net, 'chunk', thread, id, index),
  } // E8
}

/** H("file", hashes of the sealed chunks in order). */
export const rootOf = (net: string, hashes: readonly Bytes[]): Promise<Bytes> =>
  contextHash(net, 'file', [...hashes])

/** Seals the bytes of a file from `index` MiB on (at most 1 MiB; none beyond its end). The same key and prefix
 *  again only for the same bytes. */
export async function sealChunk(file: ChunkKey, index: number, part: Bytes): Promise<Bytes> {
  const due = Math.max(0, Math.min(CHUNK, file.size - index * CHUNK))
  if (part.length !== due) throw new Error('not the bytes of this chunk')
  const text = padTo(part, sealedSize(paddedSize(file.size), index) - TAG)
  const key = await crypto.subtle.importKey('raw', file.key, 'AES-GCM', false, ['encrypt'])
  return new Uint8Array(await crypto.subtle.encrypt(parameters(file, index), key, text))
}

/** A whole chunk stays where it is: large files go through little memory. */
function padTo(part: Bytes, size: number): Bytes {
  if (part.length === size) return part
  const text = new Uint8Array(size)
  text.set(part)
  return text
}

/** That these are the hashes of its chunks; comes before any chunk. @throws Refused wrong-root (M5) */
export async function checkRoot(net: string, file: FileFacts, hashes: readonly Bytes[]): Promise<void> {
  const isComplete = hashes.length === headerOf(file).chunks
  const isSigned = isComplete && equal(await rootOf(net, hashes), file.root)
  insist(isSigned, 'M5', 'wrong-root', 'the chunks are not those that were signed') // M5
}

/** The bytes of one chunk without what it was padded with; `expected` is its hash after {@link checkRoot}.
 *  @throws Refused wrong-chunk, wrong-file (M5), cannot-open (E8) */
export async function openChunk(
  file: ChunkKey,
  index: number,
  sealed: Bytes,
  expected: Bytes,
): Promise<Bytes> {
  const isSized = sealed.length === sealedSize(paddedSize(file.size), index)
  const isSigned = isSized && equal(await sha256(sealed), expected)
  insist(isSigned, 'M5', 'wrong-chunk', `chunk ${index} is not the one that was signed`) // M5
  const key = await crypto.subtle.importKey('raw', file.key, 'AES-GCM', false, ['decrypt'])
  let text: Bytes
  try {
    text = new Uint8Array(await crypto.subtle.decrypt(parameters(file, index), key, sealed))
  } catch {
    throw new Refused('E8', 'cannot-open', `chunk ${index} does not open with the key of its file`)
  }
  const end = Math.max(0, Math.min(CHUNK, file.size - index * CHUNK))
  const isPadded = text.subarray(end).every((byte) => byte === 0)
  insist(isPadded, 'M5', 'wrong-file', 'the padding does not hold') // M5
  return text.subarray(0, end)
}

/** That what was opened is the file its sender signed. @throws Refused wrong-file (M5) */
export function checkDigest(file: FileFacts, digest: Uint8Array): void {
  insist(equal(file.digest, digest as Bytes), 'M5', 'wrong-file', 'not the file that its sender signed') // M5
}
