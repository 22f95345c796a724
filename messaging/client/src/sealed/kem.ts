import { sha3_256 } from '@noble/hashes/sha3.js'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, type KEM, type Key } from 'hpke'
import { type Bytes, concat } from './encoding.ts'

/** Sizes in bytes of KEM 0x647a (MLKEM768-X25519) and of its halves. */
export const SIZE = {
  secret: 32,
  enc: 1120,
  public: 1216,
  seed: 32,
  mlkemPublic: 1184,
  mlkemCiphertext: 1088,
}

const NAME = 'MLKEM768-X25519'
const LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c) // "\.//^\", draft-connolly-cfrg-xwing-kem 5.3

/** A private key as its two halves; neither leaves the object. */
export interface PrivateHalves {
  readonly public: Bytes
  decapsulate(ciphertext: Bytes): Promise<Bytes>
  agree(peer: Bytes): Promise<Bytes>
}

/** The arithmetic of both halves: native WebCrypto, or the fallback library. */
export interface Halves {
  /** `mlkem` d‖z (64 bytes), `x25519` (32 bytes), as E6 expands them. */
  fromSeeds(mlkem: Bytes, x25519: Bytes): Promise<PrivateHalves>
  encapsulate(mlkemPublic: Bytes): Promise<{ secret: Bytes; ciphertext: Bytes }>
  /** A fresh X25519 key: its public half and its agreement with `peer`. */
  ephemeral(peer: Bytes): Promise<{ secret: Bytes; public: Bytes }>
}

export interface HybridKey extends Key {
  readonly public: Bytes
  readonly halves: PrivateHalves | null
}

const hybrid = (publicKey: Bytes, halves: PrivateHalves | null): HybridKey => ({
  algorithm: { name: NAME },
  extractable: halves === null,
  type: halves === null ? 'public' : 'private',
  public: publicKey,
  halves,
})

export const publicKeyOf = (bytes: Bytes): HybridKey => hybrid(bytes, null)
export const privateKeyOf = (halves: PrivateHalves): HybridKey => hybrid(halves.public, halves)

const combine = (mlkem: Bytes, x25519: Bytes, sent: Bytes, to: Bytes): Bytes =>
  Uint8Array.from(sha3_256(concat(mlkem, x25519, sent, to, LABEL)))

const notOffered = (): never => {
  throw new TypeError('not offered: keys come from seeds or from the device store (E6)')
}

async function encapsulate(halves: Halves, to: Bytes) {
  const toX25519 = to.slice(SIZE.mlkemPublic)
  const mlkem = await halves.encapsulate(to.slice(0, SIZE.mlkemPublic))
  const x25519 = await halves.ephemeral(toX25519)
  return {
    shared_secret: combine(mlkem.secret, x25519.secret, x25519.public, toX25519),
    enc: concat(mlkem.ciphertext, x25519.public),
  }
}

async function decapsulate(enc: Bytes, halves: PrivateHalves): Promise<Bytes> {
  const sent = enc.slice(SIZE.mlkemCiphertext)
  const mlkem = await halves.decapsulate(enc.slice(0, SIZE.mlkemCiphertext))
  const x25519 = await halves.agree(sent)
  return combine(mlkem, x25519, sent, halves.public.slice(SIZE.mlkemPublic))
}

/** E5: KEM 0x647a over `halves`, KDF 1 (HKDF-SHA256), AEAD 2 (AES-256-GCM). */
export function hybridSuite(halves: Halves): CipherSuite<HybridKey> {
  const kem: KEM<HybridKey> = {
    id: 0x647a,
    type: 'KEM',
    name: NAME,
    Nsecret: SIZE.secret,
    Nenc: SIZE.enc,
    Npk: SIZE.public,
    Nsk: SIZE.seed,
    DeriveKeyPair: notOffered,
    GenerateKeyPair: notOffered,
    SerializePrivateKey: notOffered,
    DeserializePrivateKey: notOffered,
    SerializePublicKey: async (key) => key.public,
    DeserializePublicKey: async (bytes) => publicKeyOf(Uint8Array.from(bytes)),
    Encap: (key) => encapsulate(halves, key.public),
    Decap: async (enc, key) => (key.halves ? decapsulate(Uint8Array.from(enc), key.halves) : notOffered()),
  }
  return new CipherSuite(() => kem, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
}
