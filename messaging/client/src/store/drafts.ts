import { Failure } from '../transport/failure.ts'
import type { Base64 } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

/** What an officer has written and not sent. `at` (ms) decides between this device's copy and the server's. */
export interface Draft {
  at: number
  [field: string]: string | number | null
}

const SAVE_AFTER = 800

/** One draft, sealed to the own mailbox: at once on this device, a moment later on the server. */
export class DraftKeeper {
  onSaved: (where: 'device' | 'server') => void = () => undefined
  readonly #within: Correspondence
  readonly #key: string
  #timer: ReturnType<typeof setTimeout> | undefined
  #latest: Draft | null = null

  constructor(within: Correspondence, key: string) {
    this.#within = within
    this.#key = key
  }

  /** The newer of the two copies, or null. Works without a line. */
  async load(): Promise<Draft | null> {
    const [here, there] = await Promise.all([this.#within.store.draft(this.#key), this.#fromServer()])
    const drafts = await Promise.all([this.#open(here), this.#open(there)])
    return drafts.reduce((one, other) => ((other?.at ?? 0) > (one?.at ?? 0) ? other : one), null)
  }

  save(fields: Omit<Draft, 'at'>): void {
    this.#latest = { ...fields, at: Date.now() }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    const draft = this.#latest
    if (draft === null) return
    this.#latest = null
    const { sealed } = await this.#within.mailbox.sealDraft(this.#key, draft)
    await this.#within.store.saveDraft(this.#key, sealed)
    this.onSaved('device')
    try {
      await this.#within.rest.put(`drafts/${this.#key}`, { sealed })
      this.onSaved('server')
    } catch (error) {
      // The copy on this device stands; the next change, or the next visit, brings it to the server.
      if (!(error instanceof Failure)) throw error
    }
  }

  async clear(): Promise<void> {
    clearTimeout(this.#timer)
    this.#latest = null
    await this.#within.store.removeDraft(this.#key)
    await this.#within.rest.delete(`drafts/${this.#key}`).catch(() => undefined)
  }

  async #fromServer(): Promise<Base64 | undefined> {
    try {
      return (
        (await this.#within.rest.get<{ sealed: Base64 | null }>(`drafts/${this.#key}`)).sealed ?? undefined
      )
    } catch {
      return undefined
    }
  }

  async #open(sealed: Base64 | undefined): Promise<Draft | null> {
    if (sealed === undefined) return null
    try {
      return (await this.#within.mailbox.openDraft(this.#key, sealed)) as Draft
    } catch {
      return null
    }
  }
}
