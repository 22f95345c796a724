import { type Bytes, concat, fromHex } from './encoding.ts'
import type { Halves, PrivateHalves } from './kem.ts'

/** WebCrypto's modern algorithms (WICG webcrypto-modern-algos), which TypeScript's DOM library does not know. */
interface ModernSubtle {
  encapsulateBits(
    algorithm: string,
    key: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>
  decapsulateBits(algorithm: string, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>
  generateKey(algorithm: string, isExtractable: boolean, usages: string[]): Promise<CryptoKeyPair>
  importKey(format: string, data: Bytes, algorithm: string, ext: boolean, use: string[]): Promise<CryptoKey>
  exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer>
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>
}
type Supports = (operation: string, algorithm: string) => boolean

const MLKEM = 'ML-KEM-768'
const X25519 = 'X25519'
/** RFC 8410: PKCS#8 of an X25519 private key, before its 32 bytes. */
const PKCS8 = fromHex('302e020100300506032b656e04220420')
const subtle = (): ModernSubtle => crypto.subtle as unknown as ModernSubtle
const bytes = (buffer: ArrayBuffer): Bytes => new Uint8Array(buffer)

/** Both halves where `SubtleCrypto.supports` says so; storable in IndexedDB, which the hybrid key is not. */
export interface NativeHalfKeys {
  readonly mlkem: CryptoKey
  readonly x25519: CryptoKey
}

export function hasNativeKem(): boolean {
  const supports = (globalThis.SubtleCrypto as unknown as { supports?: Supports } | undefined)?.supports
  if (typeof supports !== 'function') return false
  const ask = (operation: string, algorithm: string) => supports.call(SubtleCrypto, operation, algorithm)
  const needed = ['generateKey', 'importKey', 'getPublicKey']
  const hasBoth = needed.every((operation) => ask(operation, MLKEM) && ask(operation, X25519))
  return hasBoth && ask('encapsulateBits', MLKEM) && ask('decapsulateBits', MLKEM)
}

const importPeer = (peer: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('raw', peer, X25519, true, [])

async function agree(key: CryptoKey, peer: Bytes): Promise<Bytes> {
  const algorithm = { name: X25519, public: await importPeer(peer) }
  return bytes(await crypto.subtle.deriveBits(algorithm, key, 256))
}

/** A private key from its two stored halves. */
export const fromHalfKeys = (publicKey: Bytes, { mlkem, x25519 }: NativeHalfKeys): PrivateHalves => ({
  public: publicKey,
  decapsulate: async (ciphertext) => bytes(await subtle().decapsulateBits(MLKEM, mlkem, ciphertext)),
  agree: (peer) => agree(x25519, peer),
})

/** Fresh halves that no script can export. */
export async function generateHalfKeys(): Promise<NativeHalfKeys & { public: Bytes }> {
  const mlkem = await subtle().generateKey(MLKEM, false, ['encapsulateBits', 'decapsulateBits'])
  const x25519 = await subtle().generateKey(X25519, false, ['deriveBits'])
  const publics = [
    bytes(await subtle().exportKey('raw-public', mlkem.publicKey)),
    bytes(await subtle().exportKey('raw', x25519.publicKey)),
  ]
  return { mlkem: mlkem.privateKey, x25519: x25519.privateKey, public: concat(...publics) }
}

async function fromSeeds(mlkemSeed: Bytes, x25519Seed: Bytes): Promise<PrivateHalves> {
  const mlkem = await subtle().importKey('raw-seed', mlkemSeed, MLKEM, false, ['decapsulateBits'])
  const x25519 = await subtle().importKey('pkcs8', concat(PKCS8, x25519Seed), X25519, false, ['deriveBits'])
  const mlkemPublic = await subtle().getPublicKey(mlkem, ['encapsulateBits'])
  const x25519Public = await subtle().getPublicKey(x25519, [])
  const publics = [
    bytes(await subtle().exportKey('raw-public', mlkemPublic)),
    bytes(await subtle().exportKey('raw', x25519Public)),
  ]
  return fromHalfKeys(concat(...publics), { mlkem, x25519 })
}

export const nativeHalves: Halves = {
  fromSeeds,
  async encapsulate(mlkemPublic) {
    const key = await subtle().importKey('raw-public', mlkemPublic, MLKEM, true, ['encapsulateBits'])
    const { sharedKey, ciphertext } = await subtle().encapsulateBits(MLKEM, key)
    return { secret: bytes(sharedKey), ciphertext: bytes(ciphertext) }
  },
  async ephemeral(peer) {
    const pair = (await crypto.subtle.generateKey(X25519, false, ['deriveBits'])) as CryptoKeyPair
    const publicKey = bytes(await crypto.subtle.exportKey('raw', pair.publicKey))
    return { public: publicKey, secret: await agree(pair.privateKey, peer) }
  },
}
