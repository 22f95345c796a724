import { makeConsent } from './consent.ts'
import { type Bytes, equal, fromBase64, fromHex, randomBytes, sha256, toBase64, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import type { Author } from './keyring.ts'
import type { KeyringState } from './keyring_rules.ts'
import { makeMandate, makeWithdrawal, readMandate, termsHash } from './mandate.ts'
import { byOf } from './places.ts'
import { Practice } from './practice.ts'
import { type MadeThreadEntry, makeChange, makeGenesis } from './thread.ts'
import type { Reason } from './thread_entry.ts'
import {
  acceptWithdrawal,
  endOf,
  type Keyrings,
  type Member,
  memberOf,
  mustGo,
  type ThreadState,
} from './thread_rules.ts'
import { type How, type LogReach, makeAccept, makePins, type PinnedHead } from './trust.ts'
import type { Base64, EntryBody, Hex, TermsJson } from './wire.ts'

/** As many as one sealed message holds. */
const PINS_LIMIT = 500
const MANDATE_SECONDS = 90 * 86_400
const CONSENT_SECONDS = 30 * 86_400 - 300
const CLOCKS = 300

/** A thread, verified to its end, and the epochs that are open. */
export interface Verified {
  readonly state: ThreadState
  readonly broken: string | null
  readonly epochs: readonly number[]
  secret(n: number): Bytes | null
}

export interface Desk {
  readonly net: string
  readonly keyrings: Keyrings
  own(): KeyringState
  signer(): { author: Author; at: number }
  /** @throws Refused not-verified, thread-stopped, message-pending */
  verified(thread: Hex): Verified
  /** The newest keyrings of these, if anything may be sealed to them now. @throws Refused K8, K11, M9 */
  sealable(principals: readonly Bytes[]): Promise<KeyringState[]>
  heads(): PinnedHead[]
  reach(): LogReach | null
}

/** Who is to come, and as what. */
export interface Newcomer {
  readonly principal: Hex
  readonly role: string
  readonly mandate?: Hex | null
}

const asEntry = ({ entry, envelopes }: MadeThreadEntry): EntryBody => ({
  entry: toBase64(entry),
  envelopes: toBase64(envelopes),
})

type Row = Pick<Member, 'principal' | 'role' | 'mandate'>

/** What a device does about who is in a thread: own threads, joins, ends, repairs; and what its authority writes into
 *  its ledger (T3 to T10, K8). Nothing is sent; what others would refuse is not made. */
export class Membership {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** What a supervisor's device does about the practitioners of its authority (K9). */
  get practice(): Practice {
    return new Practice(this.#desk)
  }

  // ---------------------------------------------------------------- the ledger

  /** That a supervisor has compared a fingerprint, for the ledger. After a recovery that nobody approved it names the
   *  newest entry (K11). @throws Refused keyring-unknown, not-a-supervisor */
  async accept(authority: string, principal: Hex, how: How): Promise<Base64> {
    const { net, own, signer, keyrings } = this.#desk
    const state = keyrings(fromHex(principal))
    insist(state !== null, 'K8', 'keyring-unknown', 'this keyring is not verified') // K8
    const { author } = signer()
    const roles =
      own()
        .generations.at(-1)
        ?.devices.find(({ id }) => equal(id, author.id))?.roles ?? []
    insist(roles.includes('supervisor'), 'K8', 'not-a-supervisor', 'only a supervisor accepts') // K8
    const head = state.unconfirmed === null ? null : state.head
    const given = { by: byOf(own()), authority, principal: state.principal, head, how }
    return toBase64(await makeAccept(net, given, signer()))
  }

  /** What this device has verified of others' keyrings and of the log, for the ledger (L7). */
  async pins(): Promise<Base64> {
    const { net, own, signer, heads, reach } = this.#desk
    const given = { by: byOf(own()), log: reach(), heads: heads().slice(0, PINS_LIMIT) }
    return toBase64(await makePins(net, given, signer()))
  }

  // ---------------------------------------------------------------- direct contact

  /** A proposal that practitioners write directly, for ninety days where no end is given: to be sent in the thread
   *  with its sealed terms. It binds nobody without the consents of all parties (T3). */
  async mandate(
    thread: Hex,
    practitioners: readonly Hex[],
    text: string,
    { until, inform = 'copy' }: { until?: number; inform?: 'copy' | 'observer' | 'summary' } = {},
  ): Promise<{ statement: Base64; terms: TermsJson; hash: Hex }> {
    const { net, own, signer, keyrings } = this.#desk
    const { state } = this.#desk.verified(thread)
    const admitted = practitioners.map((one) => {
      const sponsor = keyrings(fromHex(one))?.sponsor
      insist(sponsor, 'T3', 'wrong-mandate', 'only a practitioner is admitted, for whom somebody answers') // T3
      return { principal: fromHex(one), sponsor: sponsor.by.principal }
    })
    const { at } = signer()
    const blind = randomBytes(32)
    const given = {
      by: byOf(own()),
      thread: state.thread,
      parties: state.members.filter(({ role }) => role === 'party').map(({ principal }) => principal),
      admitted,
      start: at - CLOCKS,
      until: until ?? at + MANDATE_SECONDS,
      inform,
      terms: await termsHash(net, blind, text),
      salt: randomBytes(16),
    }
    const statement = await makeMandate(net, given, signer())
    const hash = toHex(await sha256(statement))
    return { statement: toBase64(statement), terms: { blind: toBase64(blind), text }, hash }
  }

  /** The own authority's consent, for thirty days, to a mandate by its hash or to somebody's joining; a supervisor's.
   *  `history`: to share what was before (T6). */
  async consent(
    thread: Hex,
    subject: Hex | { readonly principal: Hex; readonly role: string },
    history = false,
  ): Promise<Base64> {
    const { net, own, signer } = this.#desk
    const { state } = this.#desk.verified(thread)
    const named =
      typeof subject === 'string'
        ? fromHex(subject)
        : { principal: fromHex(subject.principal), role: subject.role }
    const until = signer().at + CONSENT_SECONDS
    const given = { by: byOf(own()), thread: state.thread, subject: named, history, until }
    return toBase64(await makeConsent(net, given, signer()))
  }

  /** Lets in everybody whom a mandate admits; `acts` are the mandate and the consents to it (T3, T6). */
  async admit(thread: Hex, mandate: Base64, consents: readonly Base64[], shares = false): Promise<EntryBody> {
    const raw = fromBase64(mandate)
    const { admitted } = await readMandate(this.#desk.net, raw)
    const hash = toHex(await sha256(raw))
    const rows = admitted.map(({ principal }) => ({
      principal: toHex(principal),
      role: 'practitioner',
      mandate: hash,
    }))
    return this.join(thread, rows, { acts: [mandate, ...consents], shares })
  }

  /** The end of a mandate, for ever; a supervisor's of a party (T5). */
  async withdrawal(thread: Hex, mandate: Hex): Promise<Base64> {
    const { net, own, signer, keyrings } = this.#desk
    const { state } = this.#desk.verified(thread)
    const given = { by: byOf(own()), thread: state.thread, of: fromHex(mandate), after: endOf(state) }
    const raw = await makeWithdrawal(net, given, signer())
    await acceptWithdrawal(net, state, raw, keyrings)
    return toBase64(raw)
  }

  // ---------------------------------------------------------------- entries

  /** A thread of the own authority alone: `notes` on the thread `link`, or its `ledger`. */
  async openOwn(kind: 'notes' | 'ledger', link: Hex | null = null): Promise<EntryBody & { thread: Hex }> {
    const { net, own, signer, sealable } = this.#desk
    const members = await sealable([own().principal])
    const given = { kind, link: link === null ? null : fromHex(link) }
    const made = await makeGenesis(net, { ...signer(), by: own(), members }, given)
    return { thread: toHex(made.thread), ...asEntry(made) }
  }

  /** Lets somebody in, or makes an observer a party, on the consents of every party (T3, T6). */
  join(
    thread: Hex,
    newcomers: readonly Newcomer[],
    { acts, shares = false }: { acts: readonly Base64[]; shares?: boolean },
  ): Promise<EntryBody> {
    const { state } = this.#desk.verified(thread)
    const rows = newcomers.map(({ principal, role, mandate = null }) => ({
      principal: fromHex(principal),
      role,
      mandate: mandate === null ? null : fromHex(mandate),
    }))
    const kept = state.members.filter(({ principal }) => !rows.some((row) => equal(row.principal, principal)))
    return this.#change(thread, 'join', [...kept, ...rows], { acts, shares })
  }

  /** Leaves for good: this authority reads nothing that comes after (T9). */
  leave(thread: Hex): Promise<EntryBody> {
    return this.#without(thread, 'leave', [this.#desk.own().principal])
  }

  /** Takes out observers or practitioners (T5, T9). */
  drop(thread: Hex, principals: readonly Hex[]): Promise<EntryBody> {
    return this.#without(thread, 'drop', principals.map(fromHex))
  }

  /** Takes out who was admitted by a mandate that has ended (T5), or for whom nobody answers (K9). */
  dropEnded(thread: Hex): Promise<EntryBody> {
    const { state } = this.#desk.verified(thread)
    const ended = mustGo(state, this.#desk.keyrings, this.#desk.signer().at)
    return this.#without(
      thread,
      'drop',
      ended.map(({ principal }) => principal),
    )
  }

  /** Begins a new epoch where the newest one cannot be opened, leading to the newest one held (T7). */
  repair(thread: Hex): Promise<EntryBody> {
    const { state, epochs } = this.#desk.verified(thread)
    insist(epochs.length > 0, 'T7', 'cannot-open', 'no epoch of this thread was ever open here') // T7
    return this.#change(thread, 'repair', state.members, { of: Math.max(...epochs) })
  }

  /** Puts a successor in the place of a principal, on two confirms and an accept (T10). */
  succeed(thread: Hex, before: Hex, after: Hex, acts: readonly Base64[]): Promise<EntryBody> {
    const { state } = this.#desk.verified(thread)
    const gone = memberOf(state.members, fromHex(before))
    insist(gone !== undefined, 'T10', 'wrong-successor', 'nobody of this keyring is in the thread') // T10
    const kept = state.members.filter((member) => member !== gone)
    const heir = { principal: fromHex(after), role: gone.role, mandate: gone.mandate }
    return this.#change(thread, 'succeed', [...kept, heir], { acts, shares: false })
  }

  #without(thread: Hex, reason: 'leave' | 'drop', gone: readonly Bytes[]): Promise<EntryBody> {
    const { members } = this.#desk.verified(thread).state
    const kept = members.filter(({ principal }) => !gone.some((one) => equal(one, principal)))
    return this.#change(thread, reason, kept, {})
  }

  /** An entry at the verified end. @throws Refused for what this device would not take itself */
  async #change(
    thread: Hex,
    reason: Reason,
    members: readonly Row[],
    { acts = [], shares = true, of }: { acts?: readonly Base64[]; shares?: boolean; of?: number },
  ): Promise<EntryBody> {
    const { net, own, signer, keyrings, sealable } = this.#desk
    const { state, broken, secret } = this.#desk.verified(thread)
    const shared = of ?? state.n
    const held = secret(shared)
    const isOpen = held !== null && (of !== undefined || broken === null)
    insist(isOpen, 'M9', 'not-verified', 'the newest epoch cannot be opened or does not hold') // M9 T7
    const rekey = {
      reason,
      members,
      shared: shares ? { of: shared, secret: held } : null,
      acts: acts.map(fromBase64),
      previous: held,
    }
    const states = await sealable(members.map(({ principal }) => principal))
    const given = { ...signer(), by: own(), members: states, keyrings }
    return asEntry(await makeChange(net, state, rekey, given))
  }
}
