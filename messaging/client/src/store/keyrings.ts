import type { KeyringJson, KeyringView, Mailbox } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex } from '../transport/wire.ts'
import type { Store } from './store.ts'

const PAGE = 100

/**
 * Fetches keyrings and has them verified. What was verified is kept as the server gave it, so that the next page asks
 * only for what is new; it is verified again each time, for nothing but the pins of a device is believed unseen.
 */
export class Keyrings {
  readonly #rest: Rest
  readonly #store: Store
  readonly #mailbox: Mailbox
  readonly #running = new Map<Hex, Promise<KeyringView>>()

  constructor(rest: Rest, store: Store, mailbox: Mailbox) {
    this.#rest = rest
    this.#store = store
    this.#mailbox = mailbox
  }

  /** Fetch and verify what is new in a keyring; one request at a time for each principal. @throws Refused, Failure */
  learn(principal: Hex): Promise<KeyringView> {
    const running = this.#running.get(principal)
    if (running) return running
    const learning = this.#learn(principal).finally(() => this.#running.delete(principal))
    this.#running.set(principal, learning)
    return learning
  }

  async #learn(principal: Hex): Promise<KeyringView> {
    const kept = (await this.#store.keyring(principal)) ?? null
    try {
      return await this.#bringUpToDate(principal, kept)
    } catch (error) {
      if (!(error instanceof Refused) || kept === null) throw error
      // What is kept may be damaged: then the server's word from the first entry on decides.
      await this.#store.forgetKeyring(principal)
      return this.#bringUpToDate(principal, null)
    }
  }

  async #bringUpToDate(principal: Hex, kept: KeyringJson | null): Promise<KeyringView> {
    const known = this.#mailbox.keyringFrom(principal)
    const from = known || (kept?.entries.length ?? 0)
    const answer = await fetchKeyring(this.#rest, principal, from)
    const whole = kept ? joined(kept, answer, from) : answer
    const given = known ? answer : whole
    for (const needed of await this.#mailbox.neededFor(given)) await this.learn(needed)
    const view = await this.#mailbox.applyKeyring(given)
    // K12: whether it has taken that place is verified before anything is sealed.
    const { successor } = given
    // Who learns the successor may be waiting for this one.
    const isAsked = !successor || this.#running.has(successor) || this.#mailbox.keyring(successor) !== null
    if (!isAsked) await this.learn(successor)
    if (isWhole(whole, from, kept, view)) await this.#store.saveKeyring(whole)
    return view
  }
}

/** A keyring as the server gives it, from this entry to its end. */
export async function fetchKeyring(rest: Rest, principal: Hex, from = 0): Promise<KeyringJson> {
  let whole: KeyringJson | null = null
  for (;;) {
    const next: number = from + (whole?.entries.length ?? 0)
    const page: KeyringJson = await rest.get<KeyringJson>(`keyrings/${principal}?from=${next}`)
    whole = whole ? joined(whole, page, whole.entries.length) : page
    if (page.entries.length < PAGE) return whole
  }
}

/** What is there with what came, which begins at entry `from`; of all else the newer word counts. */
const joined = (kept: KeyringJson, answer: KeyringJson, from: number): KeyringJson => ({
  ...answer,
  entries: [...kept.entries, ...answer.entries.slice(Math.max(0, kept.entries.length - from))],
  statements: [...new Set([...kept.statements, ...answer.statements])],
})

/** Whether this is worth keeping: something is new, nothing is left out, and of the own one every envelope is there. */
function isWhole(found: KeyringJson, from: number, kept: KeyringJson | null, view: KeyringView): boolean {
  const length = found.entries.length
  const hasAll = length === view.n + 1 && from <= (kept?.entries.length ?? 0)
  const hasEnvelopes = !view.isOwn || found.entries.every(({ envelopes }) => envelopes !== null)
  return hasAll && hasEnvelopes && length > (kept?.entries.length ?? 0)
}
