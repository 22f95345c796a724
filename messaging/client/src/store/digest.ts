import { sha256 } from '@noble/hashes/sha2.js'

/** SHA-256 of what comes in parts; the browser's own takes everything at once. */
export class Digest {
  readonly #hash = sha256.create()

  add(part: Uint8Array): void {
    this.#hash.update(part)
  }

  /** 32 bytes; nothing can be added afterwards. */
  end(): Uint8Array {
    return this.#hash.digest()
  }
}
