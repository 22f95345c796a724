// What a browser keeps for itself of what it has opened, sealed under a key of its own that cannot be exported.
import type { Store } from './store.ts'

const FACT = 'subjects-key'
const NONCE = 12

export interface KeptText {
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly sealed: ArrayBuffer
}

export class BrowserSeal {
  readonly #store: Store
  #key: Promise<CryptoKey> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** `about` says what the text is; under another name it does not open. */
  async seal(text: string, about: string): Promise<KeptText> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE))
    const how = { name: 'AES-GCM', iv: nonce, additionalData: bytes(about) }
    return { nonce, sealed: await crypto.subtle.encrypt(how, await this.#theKey(), bytes(text)) }
  }

  /** Null where it does not open with the key of this browser. */
  async open({ nonce, sealed }: KeptText, about: string): Promise<string | null> {
    try {
      const how = { name: 'AES-GCM', iv: nonce, additionalData: bytes(about) }
      return new TextDecoder().decode(await crypto.subtle.decrypt(how, await this.#theKey(), sealed))
    } catch {
      return null
    }
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

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
