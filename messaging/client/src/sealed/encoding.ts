import { Refused } from './errors.ts'

/** Byte strings are always backed by an ArrayBuffer of their own, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>
export type ValueMap = { readonly [key: string]: Value }
/** What E1 can hold. Decoded maps have no prototype, so `__proto__` is a key like any other. */
export type Value = null | boolean | number | string | Bytes | readonly Value[] | ValueMap

export const ZERO: Bytes = new Uint8Array(32)
const MAX_DEPTH = 8
const MAX_KEY = 23
const MAJOR = { uint: 0, bytes: 2, text: 3, array: 4, map: 5 } as const
const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const bad = (detail: string): Refused => new Refused('E1', 'bad-encoding', detail)

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Bytewise order; a proper prefix comes first. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export const equal = (a: Uint8Array, b: Uint8Array): boolean => compare(a, b) === 0

/** The major type and argument in the shortest form (RFC 8949 3, 4.2.1). */
function head(major: number, argument: number): Bytes {
  const top = major << 5
  if (argument < 24) return Uint8Array.of(top | argument)
  if (argument < 0x100) return Uint8Array.of(top | 24, argument)
  const width = argument < 0x10000 ? 2 : argument < 0x100000000 ? 4 : 8
  const out = new Uint8Array(1 + width)
  out[0] = top | (width === 2 ? 25 : width === 4 ? 26 : 27)
  let rest = argument
  for (let i = width; i > 0; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}

function encodeText(text: string): Bytes {
  const bytes = utf8.encode(text)
  if (strictUtf8.decode(bytes) !== text) throw bad('text with a lone surrogate')
  return concat(head(MAJOR.text, bytes.length), bytes)
}

function encodeMap(map: ValueMap, depth: number): Bytes {
  const pairs = Object.keys(map).map((key): [Bytes, Bytes] => {
    const encoded = encodeText(key)
    if (encoded.length > MAX_KEY + 1) throw bad('a map key is longer than 23 bytes')
    return [encoded, encodeAt(map[key] as Value, depth + 1)]
  })
  pairs.sort(([a], [b]) => compare(a, b))
  return concat(head(MAJOR.map, pairs.length), ...pairs.flat())
}

function encodeAt(value: Value, depth: number): Bytes {
  if (depth > MAX_DEPTH) throw bad('deeper than 8')
  if (value === null) return Uint8Array.of(0xf6)
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4)
  if (typeof value === 'string') return encodeText(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw bad('not an unsigned integer below 2^53')
    return head(MAJOR.uint, value)
  }
  if (value instanceof Uint8Array) return concat(head(MAJOR.bytes, value.length), value)
  if (Array.isArray(value)) {
    const items = value.map((item: Value) => encodeAt(item, depth + 1))
    return concat(head(MAJOR.array, items.length), ...items)
  }
  const prototype = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype !== null && prototype !== Object.prototype) throw bad('a value of another kind')
  return encodeMap(value as ValueMap, depth)
}

/** E1 bytes of `value`. @throws Refused bad-encoding when E1 cannot hold it. */
export const encode = (value: Value): Bytes => encodeAt(value, 1)

class Reader {
  readonly data: Uint8Array
  position = 0

  constructor(data: Uint8Array) {
    this.data = data
  }

  take(count: number): Bytes {
    if (count > this.data.length - this.position) throw bad('ends too early')
    const start = this.position
    this.position += count
    return Uint8Array.from(this.data.subarray(start, this.position))
  }

  #argument(low: number): number {
    if (low < 24) return low
    if (low > 27) throw bad('an indefinite or reserved length') // E1
    let argument = 0
    for (const byte of this.take(2 ** (low - 24))) argument = argument * 256 + byte
    const least = low === 24 ? 24 : 2 ** (8 * 2 ** (low - 25))
    if (argument < least || !Number.isSafeInteger(argument)) throw bad('a number too long or too large')
    return argument
  }

  read(depth: number): Value {
    if (depth > MAX_DEPTH) throw bad('deeper than 8')
    const first = this.take(1)[0] ?? 0
    if (first === 0xf4) return false
    if (first === 0xf5) return true
    if (first === 0xf6) return null
    const major = first >> 5
    if (major === 1 || major > 5) throw bad('a type that E1 does not have')
    const argument = this.#argument(first & 31)
    if (major === MAJOR.uint) return argument
    if (major === MAJOR.bytes) return this.take(argument)
    if (major === MAJOR.text) return this.#text(argument)
    return major === MAJOR.array ? this.#array(argument, depth) : this.#map(argument, depth)
  }

  #text(size: number): string {
    try {
      return strictUtf8.decode(this.take(size))
    } catch (error) {
      throw error instanceof Refused ? error : bad('text that is not UTF-8')
    }
  }

  #array(count: number, depth: number): Value[] {
    const items: Value[] = []
    for (let i = 0; i < count; i++) items.push(this.read(depth + 1))
    return items
  }

  #map(count: number, depth: number): ValueMap {
    const map: Record<string, Value> = Object.create(null)
    let previous: Uint8Array = new Uint8Array()
    for (let i = 0; i < count; i++) {
      const start = this.position
      const key = this.read(depth + 1)
      const encoded = this.data.subarray(start, this.position)
      if (typeof key !== 'string' || encoded.length > MAX_KEY + 1)
        throw bad('a map key that is no short text')
      if (i > 0 && compare(previous, encoded) >= 0) throw bad('map keys doubled or out of order')
      previous = encoded
      map[key] = this.read(depth + 1)
    }
    return map
  }
}

/** The value of E1 bytes; strict. @throws Refused bad-encoding. */
export function decode(data: Uint8Array): Value {
  const reader = new Reader(data)
  const value = reader.read(1)
  if (reader.position !== data.length) throw bad('bytes after the end')
  return value
}

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data))
}

/** E4: the array that goes into hashes, keys, AEAD `aad` and HPKE `info`. */
export const context = (net: string, purpose: string, ...parts: readonly Value[]): Bytes =>
  encode(['S1', purpose, net, ...parts])

/** E4: H(purpose, …), 32 bytes. */
export const contextHash = (net: string, purpose: string, ...parts: readonly Value[]): Promise<Bytes> =>
  sha256(context(net, purpose, ...parts))

/** HKDF-SHA256 (RFC 5869), 32 bytes. */
export async function hkdf(secret: Bytes, salt: Bytes, info: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 256)
  return new Uint8Array(bits)
}

/** E4: K(secret, purpose, …), 32 bytes. */
export const deriveKey = (net: string, secret: Bytes, purpose: string, ...parts: readonly Value[]) =>
  hkdf(secret, ZERO, context(net, purpose, ...parts))

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** @throws Refused bad-encoding unless `hex` is lowercase hexadecimal. */
export function fromHex(hex: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(hex)) throw bad('not lowercase hexadecimal')
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  }
  return btoa(binary)
}

/** @throws Refused bad-encoding unless it is standard base64 as {@link toBase64} writes it. */
export function fromBase64(text: string): Bytes {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    throw bad('not base64')
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  if (toBase64(bytes) !== text) throw bad('not standard base64')
  return bytes
}

export const randomBytes = (count: number): Bytes => crypto.getRandomValues(new Uint8Array(count))
