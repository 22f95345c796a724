import { type Admission, type Consent, checkConsent, isSameSubject } from './consent.ts'
import { type Bytes, equal, sha256, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { checkMandate, type Mandate } from './mandate.ts'
import { typeOf } from './statement.ts'
import {
  type Entry,
  type Keyrings,
  type Member,
  memberOf,
  OWN_KINDS,
  partiesOf,
  type ThreadState,
} from './thread_entry.ts'
import { checkAccept, checkConfirms } from './trust.ts'

const isSameTerms = (a: Member, b: Member): boolean =>
  a.role === b.role && toHex(a.mandate ?? new Uint8Array()) === toHex(b.mandate ?? new Uint8Array())

/** One entry that follows `state`, with the statements it carries. Each act that a rule asked for is used up;
 *  what is left over is refused. */
export class Change {
  readonly #net: string
  readonly #state: ThreadState
  readonly #entry: Entry
  readonly #keyrings: Keyrings
  readonly #now: number
  readonly #unused: Set<Bytes>
  readonly #gone: Member[]
  readonly #came: Member[]
  readonly #changed: [Member, Member][]
  /** By hash in hex: the mandates that it brings, and the consents it rests on. */
  readonly mandates = new Map<string, Mandate>()
  readonly consents: Consent[] = []

  constructor(net: string, state: ThreadState, entry: Entry, place: { keyrings: Keyrings; now: number }) {
    this.#net = net
    this.#state = state
    this.#entry = entry
    this.#keyrings = place.keyrings
    this.#now = place.now
    this.#unused = new Set(entry.acts)
    this.#gone = state.members.filter(({ principal }) => !memberOf(entry.members, principal))
    this.#came = entry.members.filter(({ principal }) => !memberOf(state.members, principal))
    const kept = entry.members.flatMap((member): [Member, Member][] => {
      const before = memberOf(state.members, member.principal)
      return before ? [[before, member]] : []
    })
    this.#changed = kept.filter(([before, after]) => !isSameTerms(before, after))
    const hasFallen = kept.some(([before, after]) => after.keyringN < before.keyringN)
    insist(!hasFallen, 'T2', 'unexpected-change', "a member's keyring entry fell") // T2
  }

  /** The reason allows the change, and the change has what it needs. @throws Refused T2, T3, T5, T6, T9, T10 */
  async check(): Promise<void> {
    const { reason, salt, kind, link } = this.#entry
    const isLater = reason !== 'genesis' && salt === null && kind === null && link === null
    insist(isLater, 'T2', 'unexpected-change', 'salt, kind and link belong to the genesis') // T2
    if (reason === 'join') await this.#checkJoin()
    else if (reason === 'leave') this.#checkLeave()
    else if (reason === 'drop') this.#checkDrop()
    else if (reason === 'succeed') await this.#checkSuccession()
    else {
      const isSame = this.#gone.length + this.#came.length + this.#changed.length === 0
      insist(isSame, 'T2', 'unexpected-change', 'a refresh changes no member and no role') // T2
    }
    this.#checkHistory()
    insist(this.#unused.size === 0, 'T3', 'unknown-act', 'a statement that this entry does not need') // T3
  }

  async #checkJoin(): Promise<void> {
    const isShared = !OWN_KINDS.includes(this.#state.kind)
    insist(isShared, 'T3', 'wrong-members', 'what an authority writes for itself nobody joins') // T3
    const raised = this.#changed.filter(([a, b]) => a.role === 'observer' && b.role === 'party')
    const isJoin = this.#gone.length === 0 && raised.length === this.#changed.length
    const admitted = [...this.#came, ...raised.map(([, after]) => after)]
    const isAny = isJoin && admitted.length > 0
    insist(isAny, 'T2', 'unexpected-change', 'by a join somebody comes, or an observer becomes a party') // T2
    for (const member of admitted) await this.#checkAdmission(member)
  }

  async #checkAdmission(member: Member): Promise<void> {
    const { principal, role, mandate } = member
    if (role !== 'practitioner') {
      await this.#checkConsents({ principal, role }, partiesOf(this.#state.members))
      return
    }
    insist(this.#state.kind === 'direct', 'T3', 'wrong-members', 'practitioners join direct contact only') // T3
    const hash = toHex(mandate ?? new Uint8Array())
    if (!this.mandates.has(hash)) await this.#takeMandate(mandate ?? new Uint8Array())
    const sponsor = this.#keyrings(principal)?.sponsor?.by.principal
    const isNamed = this.mandates
      .get(hash)
      ?.admitted.some((row) => sponsor && equal(row.principal, principal) && equal(row.sponsor, sponsor))
    insist(isNamed, 'T3', 'wrong-mandate', 'the mandate does not admit this person of this sponsor') // T3
  }

  async #takeMandate(wanted: Bytes): Promise<void> {
    const hashes = await Promise.all(this.#entry.acts.map((act) => sha256(act)))
    const raw = this.#entry.acts[hashes.findIndex((hash) => equal(hash, wanted))]
    const isCarried = raw !== undefined && typeOf(raw) === 'mandate'
    insist(isCarried, 'T3', 'wrong-mandate', 'a practitioner joins under a mandate that the entry carries') // T3
    const isNew = !this.#state.spent.has(toHex(wanted))
    insist(isNew, 'T3', 'consent-spent', 'this mandate was used here before') // T3
    const parties = partiesOf(this.#state.members)
    const place = { keyrings: this.#keyrings, thread: this.#state.thread, parties, now: this.#now }
    this.mandates.set(toHex(wanted), await checkMandate(this.#net, raw, place))
    this.#unused.delete(raw)
    await this.#checkConsents(wanted, parties)
  }

  /** T3: a consent of a supervisor of each of these parties, for this subject, never used before. */
  async #checkConsents(subject: Admission | Bytes, parties: readonly Bytes[]): Promise<void> {
    const place = { keyrings: this.#keyrings, thread: this.#state.thread, now: this.#now }
    const found: { raw: Bytes; consent: Consent }[] = []
    for (const raw of this.#unused) {
      if (typeOf(raw) === 'consent') found.push({ raw, consent: await checkConsent(this.#net, raw, place) })
    }
    for (const party of parties) {
      const mine = found.find(
        ({ consent }) => equal(consent.by.principal, party) && isSameSubject(consent.subject, subject),
      )
      insist(mine !== undefined, 'T3', 'consent-missing', 'a party has not consented to this') // T3
      const isNew = !this.#state.spent.has(toHex(mine.consent.statement.hash))
      insist(isNew, 'T3', 'consent-spent', 'this consent was used here before') // T3
      this.consents.push(mine.consent)
      this.#unused.delete(mine.raw)
    }
  }

  /** T9: a party leaves only by itself. */
  #checkLeave(): void {
    const author = this.#entry.by.principal
    const role = memberOf(this.#state.members, author)?.role
    const isAlone = this.#gone.length === 1 && equal((this.#gone[0] as Member).principal, author)
    const isLeave = role === 'party' && isAlone && this.#came.length + this.#changed.length === 0
    insist(isLeave, 'T9', 'wrong-leave', 'a party leaves only by itself, and nothing else changes') // T9
  }

  #checkDrop(): void {
    const isFair = this.#gone.every(({ role }) => role !== 'party')
    insist(isFair, 'T9', 'expelled-party', 'parties cannot expel each other') // T9
    const isDrop = this.#gone.length > 0 && this.#came.length + this.#changed.length === 0
    insist(isDrop, 'T2', 'unexpected-change', 'a drop takes out observers and practitioners, no more') // T2
  }

  async #checkSuccession(): Promise<void> {
    const [before, after] = [this.#gone[0], this.#came[0]]
    const isPair = this.#gone.length === 1 && this.#came.length === 1 && this.#changed.length === 0
    const isExchange = isPair && before !== undefined && after !== undefined && isSameTerms(before, after)
    insist(isExchange, 'T10', 'wrong-successor', 'one principal takes the place of another, as it is') // T10
    const named = this.#keyrings(after.principal)?.succeeds ?? null
    const isSuccessor = named !== null && equal(named, before.principal)
    insist(isSuccessor, 'T10', 'wrong-successor', 'the new keyring does not name the one it follows') // T10
    await this.#checkTrust(after.principal)
    if (this.#entry.history === null) return
    const rest = partiesOf(this.#state.members).filter((party) => !equal(party, before.principal))
    await this.#checkConsents({ principal: after.principal, role: after.role }, rest)
  }

  /** T10: two persons of the secretariat confirm it, and the author's authority has accepted it. */
  async #checkTrust(successor: Bytes): Promise<void> {
    const of = (type: string) => this.#entry.acts.filter((raw) => typeOf(raw) === type)
    const [confirms, accepts] = [of('confirm'), of('accept')]
    const [first] = accepts
    const isWhole = confirms.length === 2 && accepts.length === 1 && first !== undefined
    insist(isWhole, 'T10', 'not-confirmed', 'a succession carries two confirms and an accept') // T10
    const keyrings = this.#keyrings
    let isSame = false
    try {
      const confirm = await checkConfirms(this.#net, confirms, { keyrings, principal: successor })
      const own = this.#entry.by.principal
      const accept = await checkAccept(this.#net, first, { keyrings, principal: own })
      isSame = equal(accept.principal, successor) && accept.authority === confirm.authority
    } catch (error) {
      if (error instanceof Refused) throw new Refused('T10', 'not-confirmed', error.detail) // T10
      throw error
    }
    insist(isSame, 'T10', 'not-confirmed', 'confirmed and accepted are two different principals') // T10
    for (const act of [...confirms, ...accepts]) this.#unused.delete(act)
  }

  #checkHistory(): void {
    const { history, reason, n } = this.#entry
    const canBegin = reason === 'join' || reason === 'succeed'
    insist(history !== null || canBegin, 'T6', 'bad-history', 'the history leads to the entry before') // T6
    if (history === null) return
    const isShared = !canBegin || this.consents.every((consent) => consent.history)
    insist(isShared, 'T6', 'history-not-shared', 'not every consent lets the newcomer read what was before') // T6
    const isOf = reason === 'repair' ? history.of < n : history.of === n - 1
    insist(isOf, 'T6', 'bad-history', 'the history leads to the entry before') // T6
  }
}
