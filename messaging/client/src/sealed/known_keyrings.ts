import { type Bytes, equal, fromBase64, fromHex, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { checkSecret, type Held, mailboxKey, openEnvelope, openHistory } from './keyring.ts'
import {
  find,
  type Generation,
  isSameKey,
  isSameRows,
  type KeyringState,
  type Listed,
  latest,
  readEntry,
} from './keyring_entry.ts'
import { acceptEntry } from './keyring_rules.ts'
import { fingerprintDigits, type KemKey, recoveryId } from './keys.ts'
import { readSponsor } from './sponsor.ts'
import type { Keyrings } from './thread_rules.ts'
import type { PinnedHead } from './trust.ts'
import type { AuthorityJson, Hex, KeyringChange, KeyringJson, KeyringView, PublicState } from './wire.ts'

type Pins = Pick<PublicState, 'keyrings' | 'authorities'>

interface Known {
  readonly state: KeyringState
  readonly authority: AuthorityJson | null
}

/** The verified keyrings of all principals met, with the pins of earlier visits (K8, K10). */
export class KnownKeyrings {
  readonly #net: string
  readonly #known = new Map<Hex, Known>()
  readonly #pins: Record<Hex, { n: number; head: Hex }>
  readonly #authorities: Record<string, Hex>

  constructor(net: string, state: PublicState | undefined) {
    this.#net = net
    this.#pins = { ...state?.keyrings }
    this.#authorities = { ...state?.authorities }
  }

  readonly lookup: Keyrings = (principal) => this.get(toHex(principal))

  get(principal: Hex): KeyringState | null {
    return this.#known.get(principal)?.state ?? null
  }

  authority(principal: Hex): AuthorityJson | null {
    return this.#known.get(principal)?.authority ?? null
  }

  /** Takes what the server answers. @throws Refused K1 to K6, K8, K10 */
  async apply(json: KeyringJson): Promise<KeyringState> {
    const { principal, authority = null } = json
    const statements = json.statements.map(fromBase64)
    let state = this.get(principal)
    for (const { entry, envelopes } of json.entries) {
      const raw = fromBase64(entry)
      const blob = envelopes === null ? null : fromBase64(envelopes)
      state = await this.#accept(state, raw, statements, blob)
    }
    insist(state !== null, 'K1', 'missing-entry', 'no entry of this keyring is known')
    insist(
      toHex(state.principal) === principal,
      'K1',
      'wrong-predecessor',
      'the keyring of another principal',
    )
    // A practitioner's authority has a principal of its own.
    const bound = state.kind === 'practitioner' ? null : authority
    if (bound) this.#checkPair(bound.id, principal, state.succeeds) // K8
    this.#check(principal, state)
    this.#known.set(principal, { state, authority: authority ?? this.authority(principal) })
    this.#pins[principal] = { n: state.n, head: toHex(state.head) }
    if (bound) this.#authorities[bound.id] ??= principal
    return state
  }

  /** Who answers for the practitioner whose keyring this is; null of other principals. @throws Refused E1, E2 */
  async sponsorOf({ principal, entries }: KeyringJson): Promise<Hex | null> {
    const known = this.get(principal)
    if (known) return known.sponsor && toHex(known.sponsor.by.principal)
    const first = entries[0] && (await readEntry(this.#net, fromBase64(entries[0].entry))).sponsor
    return first ? toHex((await readSponsor(this.#net, first)).by.principal) : null
  }

  /** K8: authority and principal keep each other from first sight on; or one keyring follows the other (K12). */
  #checkPair(authority: string, principal: Hex, succeeds: Bytes | null = null): void {
    const pinned = this.#authorities[authority] ?? principal
    const owner = this.#named(principal) ?? authority
    const isHeir = succeeds !== null && this.#isOfOneLine(toHex(succeeds), pinned)
    const isSame = pinned === principal || isHeir || this.#isOfOneLine(principal, pinned)
    insist(isSame && owner === authority, 'K8', 'changed-principal', 'they belonged to others before') // K8
  }

  /** Whose keyrings are to be known before this one is applied: of who answers for a practitioner (K9), and the one
   *  that the authority had at first sight (K12). @throws Refused E1, E2 */
  async neededFor(json: KeyringJson): Promise<Hex[]> {
    const { authority, principal } = json
    const bound = authority ? this.#authorities[authority.id] : undefined
    const before = bound && !this.#known.has(bound) ? bound : null
    return [await this.sponsorOf(json), before].filter((one) => one !== null && one !== principal) as Hex[]
  }

  /** K12: whether one of two keyrings follows the other, by what their first entries say. */
  #isOfOneLine(one: Hex, other: Hex): boolean {
    return this.#line(one).includes(other) || this.#line(other).includes(one)
  }

  #line(principal: Hex): Hex[] {
    const found = [principal]
    for (;;) {
      const succeeds = this.get(found.at(-1) as Hex)?.succeeds
      const before = succeeds ? toHex(succeeds) : null
      if (before === null || found.includes(before)) return found
      found.push(before)
    }
  }

  /** Whose keyrings of the same authority name this one as the one they follow (K12). */
  heirsOf(principal: Hex): Hex[] {
    const authority = this.authorityOf(principal)
    const isHeir = ({ state }: Known): boolean =>
      state.succeeds !== null && toHex(state.succeeds) === principal
    const heirs = [...this.#known].filter(([, known]) => isHeir(known)).map(([heir]) => heir)
    return authority === undefined ? [] : heirs.filter((heir) => this.authorityOf(heir) === authority)
  }

  /** K8: the verified keyring of `principal` is that of the authority somebody chose or is shown.
   *  @throws Refused keyring-unknown, changed-principal */
  checkAuthority(authority: string, principal: Hex): void {
    const known = this.#known.get(principal)
    insist(known !== undefined, 'M9', 'keyring-unknown', 'this keyring is not verified') // M9
    const isIts = this.authorityOf(principal) === authority && known.authority?.id === authority
    insist(isIts, 'K8', 'changed-principal', "this keyring is not the chosen authority's") // K8
  }

  /** The authority that this principal has had from first sight on; else that of the keyring which it follows, or
   *  which follows it (K12): whose it says to be, and no more. */
  authorityOf(principal: Hex): string | undefined {
    const named = this.#named(principal)
    if (named !== undefined) return named
    return Object.keys(this.#authorities).find((id) =>
      this.#isOfOneLine(this.#authorities[id] as Hex, principal),
    )
  }

  #named(principal: Hex): string | undefined {
    return Object.keys(this.#authorities).find((id) => this.#authorities[id] === principal)
  }

  /** The newest entry ever seen of each principal. */
  heads(): PinnedHead[] {
    return Object.entries(this.#pins).map(([principal, { n, head }]) => ({
      principal: fromHex(principal),
      n,
      head: fromHex(head),
    }))
  }

  /** L7: what a colleague's device has seen. @throws Refused forked-keyring (K10) */
  takeHeads(heads: readonly PinnedHead[]): void {
    const pins = heads.map(({ principal, n, head }) => [toHex(principal), { n, head: toHex(head) }] as const)
    this.takeOver({ authorities: {}, keyrings: Object.fromEntries(pins) })
  }

  /** What another tab of this device has pinned. @throws Refused changed-principal, forked-keyring */
  takeOver({ authorities, keyrings }: Pins): void {
    for (const [authority, principal] of Object.entries(authorities)) {
      this.#checkPair(authority, principal) // K8
      this.#authorities[authority] ??= principal
    }
    for (const [principal, pin] of Object.entries(keyrings)) {
      const here = this.#pins[principal]
      const head = this.get(principal)?.generations[pin.n]?.head
      const met = here?.n === pin.n ? here.head : head && toHex(head)
      insist(met === undefined || met === pin.head, 'K10', 'forked-keyring', 'another tab saw another entry') // K10
      if (!here || here.n < pin.n) this.#pins[principal] = pin
    }
  }

  async #accept(state: KeyringState | null, raw: Bytes, statements: Bytes[], envelopes: Bytes | null) {
    try {
      return await acceptEntry(this.#net, state, raw, statements, envelopes, this.lookup)
    } catch (error) {
      const isOld = error instanceof Refused && error.code === 'stale-epoch' && state !== null
      if (isOld) return this.#repeated(state, raw)
      throw error
    }
  }

  /** K10: an entry at a known place has to be the one known. */
  async #repeated(state: KeyringState, raw: Bytes): Promise<KeyringState> {
    const head = new Uint8Array(await crypto.subtle.digest('SHA-256', raw))
    const isKnown = state.generations.some((generation) => equal(generation.head, head))
    insist(isKnown, 'K10', 'forked-keyring', 'two entries at one place of a keyring') // K10
    return state
  }

  /** K10: never shorter than, nor another than, what this device has seen before. */
  #check(principal: Hex, state: KeyringState): void {
    const pin = this.#pins[principal]
    if (!pin) return
    insist(state.n >= pin.n, 'K10', 'stale-keyring', 'the keyring is shorter than before') // K10
    const head = state.generations[pin.n]?.head
    const isSame = head !== undefined && toHex(head) === pin.head
    insist(isSame, 'K10', 'forked-keyring', 'the keyring is another one than before') // K10
  }

  view(
    principal: Hex,
    own: { principal: Hex; broken: string | null },
  ): Omit<KeyringView, 'level' | 'isUnconfirmed'> | null {
    const known = this.#known.get(principal)
    if (!known) return null
    const { state, authority } = known
    const isOwn = principal === own.principal
    return {
      principal,
      authority,
      kind: state.kind,
      n: state.n,
      head: toHex(state.head),
      devices: latest(state).devices.map(({ id, roles }) => {
        const { person = '', name = '', office = '', at = 0 } = state.statements.get(toHex(id)) ?? {}
        return { device: toHex(id), person, name, office, roles, madeAt: at }
      }),
      fingerprint: fingerprintDigits(principal),
      succeeds: state.succeeds && toHex(state.succeeds),
      isOwn,
      standsAlone: !state.hadTwoStewards,
      rotatedAt: state.generations[state.floor]?.at ?? 0,
      changes: keyringChanges(state),
      people: Object.fromEntries(
        [...state.statements].map(([id, { person, name, office }]) => [id, { person, name, office }]),
      ),
      broken: isOwn ? own.broken : null,
    }
  }

  pins(): Pins {
    return { keyrings: structuredClone(this.#pins), authorities: { ...this.#authorities } }
  }
}

/** What each entry changed, for notices to counterparts and alarms to the own people. */
const keyringChanges = ({ generations }: KeyringState): KeyringChange[] =>
  generations.map((generation, n) => {
    const before = generations[n - 1]
    const old = before?.devices ?? []
    const { devices, reason, at, author, isApproved, recovery } = generation
    const ids = (rows: readonly Listed[], without: readonly Listed[]) =>
      rows.filter(({ id }) => !find(without, id)).map(({ id }) => toHex(id))
    const isOther = (row: Listed) => {
      const was = find(old, row.id)
      return was !== undefined && !isSameRows([was], [row])
    }
    return {
      n,
      reason,
      at,
      author: toHex(author),
      added: ids(devices, old),
      removed: ids(old, devices),
      changed: devices.filter(isOther).map(({ id }) => toHex(id)),
      recoveryChanges: before !== undefined && !isSameKey(before.recovery, recovery),
      isApproved,
    }
  })

/** Whose envelopes are opened: a device, or the recovery kit under its own id. */
export interface Recipient {
  readonly id: Hex
  readonly kem: KemKey
}

/** The secrets of the own keyring; in memory only. */
export class OwnSecrets {
  readonly #net: string
  readonly #recipient: Recipient
  readonly #envelopes = new Map<number, Bytes>()
  readonly #secrets = new Map<number, Bytes>()
  readonly #mailboxes = new Map<number, KemKey>()
  readonly #followed = new Set<number>()
  /** K7: codes of what did not hold, by generation. */
  readonly #alarms = new Map<number, string>()
  #mended = 0

  constructor(net: string, recipient: Recipient) {
    this.#net = net
    this.#recipient = recipient
  }

  /** K7: the code of an alarm that no later entry has mended (`repair`, `recover`), or null. */
  get broken(): string | null {
    return [...this.#alarms].find(([n]) => n >= this.#mended)?.[1] ?? null
  }

  secret(n: number): Bytes | null {
    return this.#secrets.get(n) ?? null
  }

  /** The newest generation that is open and whose history holds: what an entry can be built on. */
  held(): Held | null {
    const sound = [...this.#secrets.keys()].filter((n) => !this.#alarms.has(n))
    const of = Math.max(...sound)
    const secret = this.#secrets.get(of)
    return secret ? { of, secret } : null
  }

  /** The mailbox key of generation `n`. @throws Refused cannot-open when this device does not hold it */
  async mailbox(principal: Bytes, n: number): Promise<KemKey> {
    const secret = this.#secrets.get(n)
    insist(secret !== undefined, 'T7', 'cannot-open', 'this device does not hold that generation')
    const found = this.#mailboxes.get(n) ?? (await mailboxKey(this.#net, principal, n, secret))
    this.#mailboxes.set(n, found)
    return found
  }

  /** Opens what `json` brings: the newest generation by its envelope, older ones by history, and where that
   *  fails by the own envelope of that generation, with an alarm (K7). */
  async open(state: KeyringState, json: KeyringJson): Promise<void> {
    for (const { n, envelopes } of json.entries)
      if (envelopes !== null) this.#envelopes.set(n, fromBase64(envelopes))
    this.#mended = state.generations.findLastIndex(({ reason }) => MENDING.includes(reason))
    for (let n = state.n; n >= 0; n--) {
      const generation = state.generations[n] as Generation
      if (!this.#secrets.has(n)) await this.#byEnvelope(state, generation)
      if (this.#secrets.has(n) && !this.#followed.has(n)) await this.#follow(state, generation)
    }
  }

  #alarm(n: number, error: unknown): void {
    if (!(error instanceof Refused)) throw error
    this.#alarms.set(n, error.code)
  }

  /** K7: the secret of the generation that `history` names. */
  async #follow(state: KeyringState, generation: Generation): Promise<void> {
    const { n, history } = generation
    this.#followed.add(n)
    if (!history) return
    try {
      const secret = await openHistory(this.#net, state, generation, this.#secrets.get(n) as Bytes)
      await this.#take(state, state.generations[history.of] as Generation, secret)
    } catch (error) {
      this.#alarm(n, error)
    }
  }

  async #byEnvelope(state: KeyringState, generation: Generation): Promise<void> {
    const { n } = generation
    const envelopes = this.#envelopes.get(n)
    if (!envelopes || !(await this.#isRecipient(generation))) return
    const recipient = { id: fromHex(this.#recipient.id), kem: this.#recipient.kem }
    try {
      await this.#take(state, generation, await openEnvelope(this.#net, state, n, envelopes, recipient))
    } catch (error) {
      this.#alarm(n, error)
    }
  }

  async #isRecipient({ devices, recovery }: Generation): Promise<boolean> {
    if (devices.some(({ id }) => toHex(id) === this.#recipient.id)) return true
    return (
      recovery !== null &&
      toHex(await recoveryId(this.#net, recovery.sig, recovery.kem)) === this.#recipient.id
    )
  }

  async #take(state: KeyringState, generation: Generation, secret: Bytes): Promise<void> {
    this.#mailboxes.set(generation.n, await checkSecret(this.#net, state, generation, secret)) // K7
    this.#secrets.set(generation.n, secret)
  }
}

const MENDING = ['repair', 'recover']
