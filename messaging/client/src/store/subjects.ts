// The subjects of threads that this device has opened, sealed under a key of this browser that cannot be exported:
// a page may name a thread without opening all of it again. A subject of a thread never changes.
import type { Hex } from '../transport/wire.ts'
import type { Store } from './store.ts'

const FACT = 'subjects-key'
const NONCE = 12

interface Sealed {
  nonce: Uint8Array<ArrayBuffer>
  sealed: ArrayBuffer
}

export class Subjects {
  readonly #store: Store
  #key: Promise<CryptoKey> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Null when no message with a subject of this thread was opened in this browser; empty when it has none. */
  async get(thread: Hex): Promise<string | null> {
    const kept = await this.#store.fact<Sealed>(factOf(thread))
    if (kept === undefined) return null
    try {
      const how = { name: 'AES-GCM', iv: kept.nonce, additionalData: bytes(thread) }
      return new TextDecoder().decode(await crypto.subtle.decrypt(how, await this.#theKey(), kept.sealed))
    } catch {
      return null
    }
  }

  async keep(thread: Hex, subject: string): Promise<void> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE))
    const how = { name: 'AES-GCM', iv: nonce, additionalData: bytes(thread) }
    const sealed = await crypto.subtle.encrypt(how, await this.#theKey(), bytes(subject))
    await this.#store.saveFact(factOf(thread), { nonce, sealed })
  }

  #theKey(): Promise<CryptoKey> {
    this.#key ??= this.#findKey().catch((error) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }

  async #findKey(): Promise<CryptoKey> {
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ])
    return this.#store.factOrFirst(FACT, made)
  }
}

const factOf = (thread: Hex): string => `subject:${thread}`
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
