// Loaded only where WebCrypto has no ML-KEM: secret keys are then in script memory while used (weaker device).
import { x25519 } from '@noble/curves/ed25519.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { concat, randomBytes } from './encoding.ts'
import type { Halves } from './kem.ts'

export const fallbackHalves: Halves = {
  async fromSeeds(mlkemSeed, x25519Seed) {
    const mlkem = ml_kem768.keygen(mlkemSeed)
    const secret = x25519Seed.slice()
    return {
      public: concat(mlkem.publicKey, x25519.getPublicKey(secret)),
      decapsulate: async (ciphertext) => Uint8Array.from(ml_kem768.decapsulate(ciphertext, mlkem.secretKey)),
      agree: async (peer) => Uint8Array.from(x25519.getSharedSecret(secret, peer)),
    }
  },
  async encapsulate(mlkemPublic) {
    const { sharedSecret, cipherText } = ml_kem768.encapsulate(mlkemPublic)
    return { secret: Uint8Array.from(sharedSecret), ciphertext: Uint8Array.from(cipherText) }
  },
  async ephemeral(peer) {
    const secret = randomBytes(32)
    const shared = Uint8Array.from(x25519.getSharedSecret(secret, peer))
    return { public: Uint8Array.from(x25519.getPublicKey(secret)), secret: shared }
  },
}
