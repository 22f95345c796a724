import { shake256 } from '@noble/hashes/sha3.js'
import type { CipherSuite } from 'hpke'
import { type Bytes, concat, contextHash, deriveKey, equal, fromHex, randomBytes } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { type Halves, type HybridKey, hybridSuite, privateKeyOf, publicKeyOf, SIZE } from './kem.ts'
import { fromHalfKeys, generateHalfKeys, hasNativeKem, nativeHalves } from './kem_native.ts'

export { hasNativeKem }

/** `native`: keys that no script can read. `fallback`: in script memory while used; shown as weaker device. */
export type KemPath = 'native' | 'fallback'

const ED25519 = 'Ed25519'
/** E6, RFC 8410: PKCS#8 of an Ed25519 private key, before its 32 bytes. */
const PKCS8 = fromHex('302e020100300506032b657004220420')
const ZERO_NONCE = new Uint8Array(12)

// ---------------------------------------------------------------- E7: keys that must not be used

const P = 2n ** 255n - 19n
/** y of one pair of Ed25519 points of order 8 (the other pair has -y), and u of the X25519 points of order 8. */
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n
const ORDER_8_U = [
  0x00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0n,
  0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5fn,
]
const SMALL_Y = new Set([0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y])
const SMALL_U = new Set([0n, 1n, P - 1n, ...ORDER_8_U])
const ML_KEM_Q = 3329

/** Little-endian, top bit dropped. */
function coordinate(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of [...bytes].reverse()) value = (value << 8n) | BigInt(byte)
  return value & (2n ** 255n - 1n)
}

/** E7: refuses Ed25519 keys of small order (a universal signature verifies for them) or not reduced. */
export function checkSigningKey(publicKey: Bytes): void {
  const y = publicKey.length === 32 ? coordinate(publicKey) : P
  insist(y < P && !SMALL_Y.has(y), 'E7', 'weak-signing-key', 'a signing key of small order or wrong form')
}

/** FIPS 203 7.2: every 12-bit coefficient of the public key is below q. */
function hasReducedCoefficients(mlkem: Uint8Array): boolean {
  for (let i = 0; i < 1152; i += 3) {
    const [a = 0, b = 0, c = 0] = mlkem.subarray(i, i + 3)
    if ((a | ((b & 15) << 8)) >= ML_KEM_Q || ((b >> 4) | (c << 4)) >= ML_KEM_Q) return false
  }
  return true
}

/** E7: refuses KEM keys (1,216 bytes) with a coefficient ≥ q or a low-order X25519 half. */
export function checkKemKey(publicKey: Bytes): void {
  const isSized = publicKey.length === SIZE.public
  const isSound = isSized && hasReducedCoefficients(publicKey.subarray(0, SIZE.mlkemPublic))
  insist(isSound, 'E7', 'bad-kem-key', 'a KEM key of wrong size or with a coefficient too large')
  const u = coordinate(publicKey.subarray(SIZE.mlkemPublic)) % P
  insist(!SMALL_U.has(u), 'E7', 'bad-kem-key', 'a KEM key whose X25519 half has low order')
}

// ---------------------------------------------------------------- signing

export class SigningKey {
  readonly public: Bytes
  readonly key: CryptoKey

  constructor(publicKey: Bytes, key: CryptoKey) {
    this.public = publicKey
    this.key = key
  }

  /** A fresh key that no script can export. */
  static async generate(): Promise<SigningKey> {
    const pair = (await crypto.subtle.generateKey(ED25519, false, ['sign', 'verify'])) as CryptoKeyPair
    return new SigningKey(
      new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
      pair.privateKey,
    )
  }

  /** RFC 8032 private key of 32 bytes. */
  static async fromSeed(seed: Bytes): Promise<SigningKey> {
    const document = concat(PKCS8, seed)
    const open = await crypto.subtle.importKey('pkcs8', document, ED25519, true, ['sign'])
    const { x = '' } = await crypto.subtle.exportKey('jwk', open)
    const publicKey = Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    )
    return new SigningKey(
      publicKey,
      await crypto.subtle.importKey('pkcs8', document, ED25519, false, ['sign']),
    )
  }

  async sign(data: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.sign(ED25519, this.key, data))
  }
}

/** False for a signature that does not hold; refuses the keys of E7. */
export async function verifySignature(publicKey: Bytes, signature: Bytes, data: Bytes): Promise<boolean> {
  checkSigningKey(publicKey) // E7
  try {
    const key = await crypto.subtle.importKey('raw', publicKey, ED25519, true, ['verify'])
    return await crypto.subtle.verify(ED25519, key, signature, data)
  } catch {
    return false // no point of the curve
  }
}

// ---------------------------------------------------------------- sealing

interface Sealing {
  readonly halves: Halves
  readonly suite: CipherSuite<HybridKey>
}
const loaded = new Map<KemPath, Promise<Sealing>>()
let chosen: KemPath | null = null

async function load(path: KemPath): Promise<Sealing> {
  const halves = path === 'native' ? nativeHalves : (await import('./kem_fallback.ts')).fallbackHalves
  return { halves, suite: hybridSuite(halves) }
}

function sealing(path: KemPath): Promise<Sealing> {
  const found = loaded.get(path) ?? load(path)
  loaded.set(path, found)
  return found
}

/** The path that this browser takes, unless {@link chooseKemPath} has said otherwise. */
export const kemPath = (): KemPath => chosen ?? (hasNativeKem() ? 'native' : 'fallback')

/** Tests run both paths in one browser. `null`: the browser decides again. */
export function chooseKemPath(path: KemPath | null): void {
  chosen = path
}

export class KemKey {
  readonly public: Bytes
  readonly #key: HybridKey
  readonly #path: KemPath

  constructor(key: HybridKey, path: KemPath) {
    this.public = key.public
    this.#key = key
    this.#path = path
  }

  /** E6: the raw-seed key of 32 bytes. */
  static async fromSeed(seed: Bytes, path: KemPath = kemPath()): Promise<KemKey> {
    const expanded = Uint8Array.from(shake256(seed, { dkLen: 96 }))
    const { halves } = await sealing(path)
    return new KemKey(privateKeyOf(await halves.fromSeeds(expanded.slice(0, 64), expanded.slice(64))), path)
  }

  /** @throws Refused cannot-open: another key, other bytes, another `info`. */
  async open(sealed: Bytes, info: Bytes): Promise<Bytes> {
    const { suite } = await sealing(this.#path)
    try {
      const opened = await suite.Open(this.#key, sealed.slice(0, SIZE.enc), sealed.slice(SIZE.enc), { info })
      return Uint8Array.from(opened)
    } catch {
      throw new Refused('E5', 'cannot-open', 'a sealed secret does not open')
    }
  }
}

/** E5: enc (1,120 bytes) ‖ ct. @throws Refused bad-kem-key */
export async function seal(publicKey: Bytes, secret: Bytes, info: Bytes): Promise<Bytes> {
  checkKemKey(publicKey) // E7
  const { suite } = await sealing(kemPath())
  const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKeyOf(publicKey), secret, { info })
  return concat(encapsulatedSecret, ciphertext)
}

// E8: one key per object, so the nonce may be zero.
const gcm = (aad: Bytes) => ({ name: 'AES-GCM', iv: ZERO_NONCE, additionalData: aad })

/** E8: AES-256-GCM under a key that seals this one object only. */
export async function aeadSeal(key: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  return new Uint8Array(await crypto.subtle.encrypt(gcm(aad), imported, plaintext))
}

/** @throws Refused cannot-open */
export async function aeadOpen(key: Bytes, ciphertext: Bytes, aad: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt'])
  try {
    return new Uint8Array(await crypto.subtle.decrypt(gcm(aad), imported, ciphertext))
  } catch {
    throw new Refused('E8', 'cannot-open', 'a ciphertext does not open')
  }
}

// ---------------------------------------------------------------- the device

/** What IndexedDB keeps, by structured clone. No key in it can be exported by a script. */
export interface DeviceKeys {
  readonly path: KemPath
  /** Public keys: Ed25519 (32 bytes) and KEM (1,216 bytes). */
  readonly sig: Bytes
  readonly kem: Bytes
  readonly signing: CryptoKey
  readonly halves: { readonly mlkem: CryptoKey; readonly x25519: CryptoKey } | null
  /** Fallback: nonce (12 bytes) ‖ the seed under `key`, AES-256-GCM. */
  readonly wrapped: { readonly key: CryptoKey; readonly seed: Bytes } | null
}

async function wrapSeed(seed: Bytes): Promise<{ key: CryptoKey; seed: Bytes }> {
  const usages: KeyUsage[] = ['encrypt', 'decrypt']
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, usages)
  const iv = randomBytes(12)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, seed)
  return { key, seed: concat(iv, new Uint8Array(sealed)) }
}

async function unwrapSeed(wrapped: { key: CryptoKey; seed: Bytes }): Promise<Bytes> {
  const algorithm = { name: 'AES-GCM', iv: wrapped.seed.slice(0, 12) }
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, wrapped.key, wrapped.seed.slice(12)))
}

/** Fresh keys of a device. Where WebCrypto has no ML-KEM they are of the weaker `fallback` path. */
export async function createDeviceKeys(path: KemPath = kemPath()): Promise<DeviceKeys> {
  const signing = await SigningKey.generate()
  const common = { path, sig: signing.public, signing: signing.key }
  if (path === 'native') {
    const { public: kem, mlkem, x25519 } = await generateHalfKeys()
    return { ...common, kem, halves: { mlkem, x25519 }, wrapped: null }
  }
  const seed = randomBytes(SIZE.seed)
  const { public: kem } = await KemKey.fromSeed(seed, path)
  return { ...common, kem, halves: null, wrapped: await wrapSeed(seed) }
}

export interface OpenDevice {
  readonly signing: SigningKey
  readonly kem: KemKey
}

/** The stored keys, ready for use. */
export async function openDeviceKeys(keys: DeviceKeys): Promise<OpenDevice> {
  const signing = new SigningKey(keys.sig, keys.signing)
  if (keys.halves) {
    return { signing, kem: new KemKey(privateKeyOf(fromHalfKeys(keys.kem, keys.halves)), 'native') }
  }
  if (!keys.wrapped) throw new TypeError('device keys without a KEM key')
  return { signing, kem: await KemKey.fromSeed(await unwrapSeed(keys.wrapped), 'fallback') }
}

// ---------------------------------------------------------------- what people compare and print

/** `groups` groups of five digits of a big-endian value. */
function digits(value: Bytes, groups: number): string {
  const number = [...value].reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % 10n ** BigInt(groups * 5)
  return (
    number
      .toString()
      .padStart(groups * 5, '0')
      .match(/.{5}/g) ?? []
  ).join(' ')
}

/** 6 groups of 5 digits that a steward compares before listing a device. `device`: its id in hex. */
export const deviceWords = async (net: string, device: string): Promise<string> =>
  digits(await contextHash(net, 'device words', fromHex(device)), 6)

/** 12 groups of 5 digits of a principal id in hex. */
export const fingerprintDigits = (principal: string): string => digits(fromHex(principal), 12)

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CHECK_SIZE = 5
const KIT_CHARACTERS = 60
const mistyped = () =>
  new Refused('E6', 'recovery-kit-mistyped', 'the characters of the recovery kit do not agree')

/** 37 bytes and 4 zero bits as 60 Crockford base32 characters in 12 groups. */
export function printGroups(bytes: Bytes): string {
  let bits = [...bytes].reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << 4n
  let text = ''
  for (let i = 0; i < KIT_CHARACTERS; i++, bits >>= 5n) text = CROCKFORD.charAt(Number(bits & 31n)) + text
  return (text.match(/.{5}/g) ?? []).join(' ')
}

/** Reads {@link printGroups} back; case, blanks, hyphens and O I L do not matter. @throws `wrong` */
export function readGroups(printed: string, wrong: Refused): Bytes {
  const plain = printed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const values = [...plain].map((character) => CROCKFORD.indexOf(character))
  if (values.length !== KIT_CHARACTERS || values.includes(-1)) throw wrong
  let bits = values.reduce((sum, value) => (sum << 5n) | BigInt(value), 0n)
  if ((bits & 15n) !== 0n) throw wrong
  bits >>= 4n
  const bytes = new Uint8Array(32 + CHECK_SIZE)
  for (let i = bytes.length - 1; i >= 0; i--, bits >>= 8n) bytes[i] = Number(bits & 255n)
  return bytes
}

/** The recovery kit of an authority: 32 random bytes on paper. Never stored. */
export class RecoveryKit {
  readonly #secret: Bytes

  constructor(secret: Bytes) {
    this.#secret = secret
  }

  /** For {@link splitKit} alone. */
  get secretUnsafe(): Bytes {
    return this.#secret
  }

  static create(): RecoveryKit {
    return new RecoveryKit(randomBytes(32))
  }

  /** Reads {@link print} back; case, blanks, hyphens and O I L do not matter. @throws Refused recovery-kit-mistyped */
  static async parse(net: string, printed: string): Promise<RecoveryKit> {
    const bytes = readGroups(printed, mistyped())
    const secret = bytes.slice(0, 32)
    const check = await contextHash(net, 'kit check', secret)
    if (!equal(check.subarray(0, CHECK_SIZE), bytes.subarray(32))) throw mistyped()
    return new RecoveryKit(secret)
  }

  /** 60 Crockford base32 characters in 12 groups. */
  async print(net: string): Promise<string> {
    const check = await contextHash(net, 'kit check', this.#secret)
    return printGroups(concat(this.#secret, check.subarray(0, CHECK_SIZE)))
  }

  /** The keys of the kit and the recovery id. */
  async keys(net: string): Promise<OpenDevice & { id: Bytes }> {
    const signing = await SigningKey.fromSeed(await deriveKey(net, this.#secret, 'recovery sig'))
    const kem = await KemKey.fromSeed(await deriveKey(net, this.#secret, 'recovery kem'))
    return { signing, kem, id: await recoveryId(net, signing.public, kem.public) }
  }
}

/** H("recovery", sig, kem). */
export const recoveryId = (net: string, sig: Bytes, kem: Bytes): Promise<Bytes> =>
  contextHash(net, 'recovery', sig, kem)
