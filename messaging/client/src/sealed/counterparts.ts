import { type Bytes, encode, equal, fromBase64, fromHex, sha256, toBase64, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Follower } from './follower.ts'
import type { KeyringState } from './keyring_rules.ts'
import type { KnownKeyrings } from './known_keyrings.ts'
import {
  type Accept,
  type Confirm,
  checkAccept,
  checkConfirms,
  checkPins,
  noteHash,
  type Pins,
} from './trust.ts'
import type { Base64, Hex, NoteJson } from './wire.ts'

/** How far a principal is known: sealed to are the first three; `seen` was met before, by this device or a
 *  colleague's, `new` never. */
export type Level = 'own' | 'confirmed' | 'accepted' | 'seen' | 'new'
export const TRUSTED: readonly Level[] = ['own', 'confirmed', 'accepted']

/** The own ledger as it is verified: `place` changes with everything in it that may count. */
export interface LedgerView {
  readonly place: string
  statements(type: 'accept' | 'pins'): readonly Base64[]
}

interface Given {
  readonly confirms: readonly Base64[]
  readonly note: NoteJson | null
}

interface Confirmed {
  readonly confirm: Confirm
  readonly note: NoteJson | null
}

interface Desk {
  readonly net: string
  readonly own: Hex
  readonly keyrings: KnownKeyrings
  log(): Follower | null
  ledger(): LedgerView | null
}

/** Whom this device seals to: whom the secretariat confirmed or the own authority accepted (K8, K11). What the server
 *  gives and the ledger says is verified by {@link refresh}, which whoever seals awaits first. */
export class Counterparts {
  /** The principal that confirms, from first sight on; undefined where nobody is asked. */
  secretariat: Hex | null | undefined
  readonly #desk: Desk
  readonly #earlier: Set<Hex>
  readonly #given = new Map<Hex, Given>()
  #confirmed: ReadonlyMap<Hex, Confirmed> = new Map()
  #accepts: readonly Accept[] = []
  #place = ''

  constructor(desk: Desk, secretariat: Hex | null | undefined, earlier: readonly Hex[]) {
    this.#desk = desk
    this.secretariat = secretariat
    this.#earlier = new Set(earlier)
  }

  /** K8: another secretariat than at first sight is refused. @throws Refused changed-principal */
  meet(secretariat: Hex | null): void {
    if (this.secretariat === undefined) return
    const isSame = !this.secretariat || secretariat === null || secretariat === this.secretariat
    insist(isSame, 'K8', 'changed-principal', 'another secretariat than at first sight') // K8
    this.secretariat ||= secretariat
  }

  /** L8: the server's newest restore, for which two persons of this secretariat stand and which the log names.
   *  @throws Refused wrong-restore, not-announced, unlisted-device, other-log */
  async checkRestore(raw: Base64, serverKey: Base64): Promise<void> {
    const { net, keyrings, log } = this.#desk
    const { checkAnnounced, checkRestore } = await import('./restore.ts')
    insist(this.secretariat, 'L8', 'wrong-restore', 'nobody is known who could stand for a restore') // L8
    const place = { keyrings: keyrings.lookup, secretariat: fromHex(this.secretariat) }
    const found = await checkRestore({ net, serverKey: fromBase64(serverKey) }, fromBase64(raw), place)
    const followed = log()
    insist(followed !== null, 'L8', 'not-announced', 'no log is followed') // L8
    await checkAnnounced(followed, found)
  }

  /** What the server gives as confirmed; verified when it is asked for. */
  take(principal: Hex, confirms: readonly Base64[] = [], note: NoteJson | null = null): void {
    if (confirms.length > 0) this.#given.set(principal, { confirms, note })
  }

  /** Whether anything waits for the secretariat's keyring. */
  get hasConfirms(): boolean {
    return this.#given.size > 0
  }

  /** Verifies what is known by now. */
  async refresh(): Promise<void> {
    const found = new Map<Hex, Confirmed>()
    for (const [principal, { confirms, note }] of this.#given) {
      const confirm = await orNull(this.#checkPair(principal, confirms.map(fromBase64))) // K8
      if (confirm !== null) found.set(principal, { confirm, note: await this.#checkNote(confirm, note) })
    }
    this.#confirmed = found
    await this.#readLedger()
  }

  async #checkPair(principal: Hex, raws: readonly Bytes[]): Promise<Confirm> {
    const { net, keyrings, log } = this.#desk
    const secretariat = this.secretariat ? keyrings.get(this.secretariat) : null
    insist(secretariat !== null, 'K8', 'not-confirmed', 'the secretariat is not known here') // K8
    const found = await checkConfirms(net, raws, {
      keyrings: keyrings.lookup,
      principal: fromHex(principal),
    })
    const isMeant =
      equal(found.by.principal, secretariat.principal) && found.authority === keyrings.authorityOf(principal)
    insist(isMeant, 'K8', 'not-confirmed', 'another secretariat, or another authority, is meant') // K8
    const subject = new TextEncoder().encode(found.authority)
    for (const raw of raws) await log()?.checkStated('confirm', subject, await sha256(raw)) // L1
    await log()?.checkNewest(secretariat) // L2
    return found
  }

  /** The State's notification that a confirm rests on, if it is the one its signer has read. */
  async #checkNote({ document }: Confirm, note: NoteJson | null): Promise<NoteJson | null> {
    const blind = note?.blinds[0]
    if (!note || blind === undefined) return null
    const read = await sha256(encode([note.reference, note.date]))
    return equal(document, await noteHash(this.#desk.net, fromBase64(blind), read)) ? note : null
  }

  /** Of a confirmed principal: number and date of its State's notification; null where they are not known. */
  noteOf(principal: Hex): NoteJson | null {
    return this.#confirmed.get(principal)?.note ?? null
  }

  /** The two statements by which a principal is confirmed, if they hold. */
  confirmsOf(principal: Hex): readonly Base64[] {
    return this.#confirmed.has(principal) ? (this.#given.get(principal)?.confirms ?? []) : []
  }

  async #readLedger(): Promise<void> {
    const ledger = this.#desk.ledger()
    if (ledger === null) return
    const place = `${ledger.place} ${this.#desk.keyrings.get(this.#desk.own)?.n}`
    if (place === this.#place) return
    const found: Accept[] = []
    for (const raw of ledger.statements('accept')) {
      const accept = await orNull(checkAccept(this.#desk.net, fromBase64(raw), this.#own())) // K8
      if (accept !== null) found.push(accept)
    }
    this.#accepts = found
    this.#place = place
  }

  #own() {
    return { keyrings: this.#desk.keyrings.lookup, principal: fromHex(this.#desk.own) }
  }

  /** L7: what colleagues' devices have seen is taken over; never less than that is believed from now on. `isWhole`:
   *  they have seen all that this one has. @throws Refused forked-keyring (K10), other-log, log-withheld (L6) */
  async startFromPins(): Promise<{ at: number; isWhole: boolean } | null> {
    const pins = await this.#newestPins()
    if (pins === null) return null
    const { keyrings, log, own } = this.#desk
    keyrings.takeHeads(pins.heads)
    const known = new Map(pins.heads.map(({ principal, n }) => [toHex(principal), n]))
    for (const principal of known.keys()) this.#earlier.add(principal)
    if (pins.log !== null) log()?.checkMessage(pins.log)
    const others = keyrings.heads().filter(({ principal }) => toHex(principal) !== own)
    const isWhole = others.every(({ principal, n }) => (known.get(toHex(principal)) ?? -1) >= n)
    return { at: pins.statement.at, isWhole }
  }

  /** What a device of the own authority wrote last of others' keyrings and of the log. */
  async #newestPins(): Promise<Pins | null> {
    for (const raw of this.#desk.ledger()?.statements('pins').toReversed() ?? []) {
      const pins = await orNull(checkPins(this.#desk.net, fromBase64(raw), this.#own())) // K8
      if (pins !== null) return pins
    }
    return null
  }

  /** As of the last {@link refresh}. A practitioner stands as its sponsor does. */
  level(principal: Hex): Level {
    if (principal === this.#desk.own) return 'own'
    const answers = this.#answering(principal)
    if (this.#confirmed.has(answers)) return 'confirmed'
    const isOwnSponsor = this.#answering(this.#desk.own) === answers
    if (isOwnSponsor || this.#acceptsOf(answers).length > 0) return 'accepted'
    return this.#earlier.has(principal) ? 'seen' : 'new'
  }

  #answering(principal: Hex): Hex {
    const sponsor = this.#desk.keyrings.get(principal)?.sponsor
    return sponsor ? toHex(sponsor.by.principal) : principal
  }

  #acceptsOf(principal: Hex): Accept[] {
    return this.#accepts.filter((accept) => toHex(accept.principal) === principal)
  }

  /** K11: whether a principal's entry `n` or later stands on a recovery that nobody confirmed. */
  isUnconfirmed(principal: Hex, n: number): boolean {
    const state = this.#desk.keyrings.get(principal)
    const since = state?.unconfirmed ?? null
    if (!state || since === null || n < since || principal === this.#desk.own) return false
    const statements = [this.#confirmed.get(principal)?.confirm, ...this.#acceptsOf(principal)]
    const named = statements.map((one) => one?.head)
    return !state.generations.slice(since).some(({ head }) => named.some((one) => one && equal(one, head)))
  }

  /** Whose keyring has taken the place of this one: of the same authority, and trusted here (K12). */
  successorOf(principal: Hex): Hex | null {
    const heirs = this.#desk.keyrings.heirsOf(principal)
    return heirs.find((heir) => TRUSTED.includes(this.level(heir))) ?? null
  }

  /** That something may be sealed to this keyring. @throws Refused not-compared (K8), unconfirmed-recovery (K11),
   *  succeeded (K12) */
  check({ principal, n }: Pick<KeyringState, 'principal' | 'n'>): void {
    const name = toHex(principal)
    const isAsked = this.secretariat !== undefined
    const isTrusted = !isAsked || TRUSTED.includes(this.level(name))
    insist(isTrusted, 'K8', 'not-compared', 'nobody has compared the fingerprint of this keyring') // K8
    const isFollowed = isAsked && this.successorOf(name) !== null
    insist(!isFollowed, 'K12', 'succeeded', 'other keys have taken the place of this keyring') // K12
    const isConfirmed = !this.isUnconfirmed(name, n)
    insist(isConfirmed, 'K11', 'unconfirmed-recovery', 'this keyring was taken over and nobody confirmed it') // K11
  }

  /** K8, K11: the newest keyrings of these, if anything may be sealed to them. @throws Refused keyring-unknown,
   *  not-compared, unconfirmed-recovery */
  async sealable(members: readonly { readonly principal: Bytes }[]): Promise<KeyringState[]> {
    await this.refresh()
    return members.map(({ principal }) => {
      const state = this.#desk.keyrings.lookup(principal)
      insist(state !== null, 'M9', 'keyring-unknown', 'the keyring of a member is not verified') // M9
      this.check(state)
      return state
    })
  }

  /** Who accepted a principal last, and how; null where nobody did. */
  acceptOf(principal: Hex): { device: Hex; at: number; how: string; statement: Base64 } | null {
    const found = this.#acceptsOf(principal).at(-1)
    if (found === undefined) return null
    const { statement, how } = found
    return { device: toHex(statement.kid), at: statement.at, how, statement: toBase64(statement.raw) }
  }
}

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refused) return null // what does not hold counts for nothing
    throw error
  }
}
