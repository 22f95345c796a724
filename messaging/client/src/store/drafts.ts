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
  #cleared = 0
  #queue: Promise<void> = Promise.resolve()

  constructor(within: Correspondence, key: string) {
    this.#within = within
    this.#key = key
  }

  /** The newer of the two copies, or null. Works without a line. */
  async load(): Promise<Draft | null> {
    const [here, there] = await Promise.all([this.#within.store.draft(this.#key), this.#fromServer()])
    const drafts = await Promise.all([this.#open(here), this.#open(there)])
    const newest = drafts.reduce((one, other) => ((other?.at ?? 0) > (one?.at ?? 0) ? other : one), null)
    // Nothing but a time: it was cleared.
    return newest && Object.keys(newest).length > 1 ? newest : null
  }

  save(fields: Omit<Draft, 'at'>): void {
    this.#latest = { ...fields, at: Date.now() }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER)
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer)
    return this.#inTurn(() => this.#flush())
  }

  /** Forget the draft, after what is being saved. Until the server has forgotten it, this device remembers that. */
  clear(): Promise<void> {
    clearTimeout(this.#timer)
    this.#latest = null
    this.#cleared += 1
    return this.#inTurn(async () => {
      // Newer than every copy: whatever the server still holds is not shown again.
      await this.#keep({ at: Date.now() })
      const isGone = await this.#within.rest.delete(`drafts/${this.#key}`).then(
        () => true,
        () => false,
      )
      if (isGone) await this.#within.store.removeDraft(this.#key)
    })
  }

  async #flush(): Promise<void> {
    const draft = this.#latest
    if (draft === null) return
    this.#latest = null
    const cleared = this.#cleared
    const say = (where: 'device' | 'server') => cleared === this.#cleared && this.onSaved(where)
    const sealed = await this.#keep(draft)
    say('device')
    try {
      await this.#within.rest.put(`drafts/${this.#key}`, { sealed })
      say('server')
    } catch (error) {
      // The copy on this device stands; the next change, or the next visit, brings it to the server.
      if (!(error instanceof Failure)) throw error
    }
  }

  async #keep(draft: Draft): Promise<Base64> {
    const { sealed } = await this.#within.mailbox.sealDraft(this.#key, draft)
    await this.#within.store.saveDraft(this.#key, sealed)
    return sealed
  }

  /** One after the other: a draft must not come back after it was cleared. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(work, work)
    this.#queue = turn.catch(() => undefined)
    return turn
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
