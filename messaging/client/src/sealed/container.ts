import type { Bytes } from './encoding.ts'
import { equal } from './encoding.ts'
import { Refused } from './errors.ts'

// The file of a record: a ZIP archive that any computer opens, in the only form that is accepted (rule R1). Nothing
// is compressed, no time and no comment is kept, names are in order. Source: PKWARE APPNOTE 6.3.

export type Parts = ReadonlyMap<string, Bytes>

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const PARTS_MOST = 65_000
const SIZE_MOST = 2 ** 32 - 2 ** 20
const NAME_MOST = 200

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

function crc32(bytes: Bytes): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 255] as number) ^ (value >>> 8)
  return (value ^ 0xffffffff) >>> 0
}

/** Little-endian fields: [size in bytes, value]. */
function struct(...fields: readonly (readonly [2 | 4, number])[]): Bytes {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
    at += size
  }
  return bytes
}

/** Version, flags, method, time, date, CRC, sizes, lengths of name and extra: the same in both places. */
const common = (name: Bytes, content: Bytes): Bytes =>
  struct(
    [2, 20],
    [2, 0x0800],
    [2, 0],
    [2, 0],
    [2, 0x21],
    [4, crc32(content)],
    [4, content.length],
    [4, content.length],
    [2, name.length],
    [2, 0],
  )

/** The archive of these parts, in pieces for a Blob. @throws Refused bad-container (R1) for too many or too much */
export function pack(parts: Parts): Bytes[] {
  const names = [...parts.keys()].sort()
  const total = [...parts.values()].reduce((sum, content) => sum + content.length + 400, 0)
  if (names.length > PARTS_MOST || total > SIZE_MOST)
    throw new Refused('R1', 'bad-container', 'more than fits into one record') // R1
  const body: Bytes[] = []
  const table: Bytes[] = []
  let place = 0
  for (const name of names) {
    const content = parts.get(name) as Bytes
    const encoded = new TextEncoder().encode(name)
    const shared = common(encoded, content)
    table.push(
      struct([4, CENTRAL], [2, 20]),
      shared,
      struct([2, 0], [2, 0], [2, 0], [4, 0], [4, place]),
      encoded,
    )
    body.push(struct([4, LOCAL]), shared, encoded, content)
    place += 4 + shared.length + encoded.length + content.length
  }
  const size = table.reduce((sum, piece) => sum + piece.length, 0)
  const count = names.length
  return [
    ...body,
    ...table,
    struct([4, END], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, place], [2, 0]),
  ]
}

/** The pieces as one. */
export function joined(pieces: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** The parts of an archive made by {@link pack}; `odd`: it is not what these parts give. @throws Refused bad-container */
export function unpack(data: Bytes): { parts: Map<string, Bytes>; odd: boolean } {
  const parts = byTable(data)
  if (!parts) throw new Refused('R1', 'bad-container', 'this is no record, or its table of parts is damaged') // R1
  return { parts, odd: !equal(joined(pack(parts)), data) }
}

function byTable(data: Bytes): Map<string, Bytes> | null {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const end = data.length - 22
  if (end < 0 || view.getUint32(end, true) !== END) return null
  const parts = new Map<string, Bytes>()
  let at = view.getUint32(end + 16, true)
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) return null
    const [size, length] = [view.getUint32(at + 24, true), view.getUint16(at + 28, true)]
    const name = new TextDecoder().decode(data.subarray(at + 46, at + 46 + length))
    const start = view.getUint32(at + 42, true) + 30 + length
    if (name === '' || name.length > NAME_MOST || parts.has(name) || start + size > end) return null
    parts.set(name, data.slice(start, start + size))
    at += 46 + length
  }
  return parts
}
