import { type Card, type CardText, cardSecret, openCard, placeOf, readCard, sealCard } from './card.ts'
import { type Bytes, equal, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { KeyringState } from './keyring_rules.ts'
import { endOf, type ThreadState } from './thread_rules.ts'
import type { Base64, Hex } from './wire.ts'

/** What cards need of the mailbox. */
export interface CardKeeper {
  readonly net: string
  readonly principal: Hex
  /** The newest own entry known, if any. */
  newest(): KeyringState | null
  /** K7, M9: the newest own generation, listed, opened and sound. @throws Refused */
  own(): { state: KeyringState; secret: Bytes }
  secret(n: number): Bytes | null
  /** A thread verified to its end, and not stopped. */
  verified(thread: Hex): ThreadState | null
  /** X_seq of what this device has verified, or null. */
  transcriptAt(thread: Hex, seq: number): Bytes | null
}

/** `older` than the thread, or `unverified`: a device that was removed since could have written it. */
export type CardStanding = 'missing' | 'older' | 'current' | 'unverified'

export interface SeenCard {
  readonly standing: CardStanding
  /** Null where it is missing or cannot be opened. */
  readonly text: CardText | null
  readonly id: Hex | null
}

const MISSING: SeenCard = { standing: 'missing', text: null, id: null }

/** What a listed device does with the cards of its principal. */
export class OwnCards {
  readonly #keeper: CardKeeper
  readonly #secrets = new Map<number, Promise<CryptoKey>>()

  constructor(keeper: CardKeeper) {
    this.#keeper = keeper
  }

  /** The card of a thread at its verified end. @throws Refused K7, M9 */
  async seal(thread: Hex, text: CardText): Promise<{ id: Hex; card: Base64 }> {
    const { net, principal } = this.#keeper
    const found = this.#keeper.verified(thread)
    insist(found, 'M9', 'not-verified', 'the thread is not verified to its end') // M9
    const { state, secret } = this.#keeper.own()
    const made = { m: state.n, secret: await this.#secret(state.n, secret), at: endOf(found) }
    return sealCard(placeOf(net, principal, thread), text, made)
  }

  /** What the server has as the card of a thread that ends at `seq`. Refuses nothing: it is a hint. */
  async read(thread: Hex, raw: Base64 | null, seq: number): Promise<SeenCard> {
    const card = raw === null ? null : readable(raw)
    if (card === null) return MISSING
    const id = toHex(card.id)
    const text = await this.#open(thread, card)
    if (text === null) return { ...MISSING, id }
    const floor = this.#keeper.newest()?.floor ?? Number.POSITIVE_INFINITY
    if (card.m < floor) return { standing: 'unverified', text, id }
    return { standing: card.seq >= seq ? 'current' : 'older', text, id }
  }

  /** Null for what cannot be opened, or was made on another transcript than the verified one. */
  async #open(thread: Hex, card: Card): Promise<CardText | null> {
    const { net, principal } = this.#keeper
    const secret = this.#keeper.secret(card.m)
    const here = this.#keeper.transcriptAt(thread, card.seq)
    if (secret === null || (here !== null && !equal(here, card.transcript))) return null
    try {
      return await openCard(placeOf(net, principal, thread), card, await this.#secret(card.m, secret))
    } catch (error) {
      if (error instanceof Refused) return null
      throw error
    }
  }

  #secret(n: number, secret: Bytes): Promise<CryptoKey> {
    const found = this.#secrets.get(n) ?? cardSecret(secret)
    this.#secrets.set(n, found)
    return found
  }
}

function readable(raw: Base64): Card | null {
  try {
    return readCard(raw)
  } catch (error) {
    if (error instanceof Refused) return null
    throw error
  }
}
