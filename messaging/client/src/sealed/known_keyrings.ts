import { type Bytes, equal, fromBase64, fromHex, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { checkSecret, mailboxKey, openEnvelope, openHistory } from './keyring.ts'
import { acceptEntry, type Generation, type KeyringState, latest } from './keyring_rules.ts'
import { fingerprintDigits, type KemKey } from './keys.ts'
import type { Keyrings } from './thread_rules.ts'
import type { AuthorityJson, Hex, KeyringJson, KeyringView, PublicState } from './wire.ts'

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
    if (authority) this.#checkPair(authority.id, principal) // K8
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
    this.#check(principal, state)
    this.#known.set(principal, { state, authority: authority ?? this.authority(principal) })
    this.#pins[principal] = { n: state.n, head: toHex(state.head) }
    if (authority) this.#authorities[authority.id] = principal
    return state
  }

  /** K8: authority and principal keep each other from first sight on. */
  #checkPair(authority: string, principal: Hex): void {
    const pinned = this.#authorities[authority] ?? principal
    const owner = this.#authorityOf(principal) ?? authority
    const isSame = pinned === principal && owner === authority
    insist(isSame, 'K8', 'changed-principal', 'authority and fingerprint belonged to others before') // K8
  }

  /** The authority that this principal has had from first sight on. */
  #authorityOf(principal: Hex): string | undefined {
    return Object.keys(this.#authorities).find((id) => this.#authorities[id] === principal)
  }

  /** K8: the verified keyring of `principal` is that of the authority somebody chose or is shown.
   *  @throws Refused keyring-unknown, changed-principal */
  checkAuthority(authority: string, principal: Hex): void {
    const known = this.#known.get(principal)
    insist(known !== undefined, 'M9', 'keyring-unknown', 'this keyring is not verified') // M9
    const isIts = this.#authorities[authority] === principal && known.authority?.id === authority
    insist(isIts, 'K8', 'changed-principal', "this keyring is not the chosen authority's") // K8
  }

  /** What another tab of this device has pinned. @throws Refused changed-principal, forked-keyring */
  takeOver({ authorities, keyrings }: Pick<PublicState, 'authorities' | 'keyrings'>): void {
    for (const [authority, principal] of Object.entries(authorities)) {
      this.#checkPair(authority, principal) // K8
      this.#authorities[authority] = principal
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
      return await acceptEntry(this.#net, state, raw, statements, envelopes)
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

  view(principal: Hex, own: { principal: Hex; broken: string | null }): KeyringView | null {
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
        const { person = '', name = '', office = '' } = state.statements.get(toHex(id)) ?? {}
        return { device: toHex(id), person, name, office, roles }
      }),
      fingerprint: fingerprintDigits(principal),
      isOwn,
      standsAlone: !state.hadTwoStewards,
      broken: isOwn ? own.broken : null,
    }
  }

  pins(): Pick<PublicState, 'keyrings' | 'authorities'> {
    return { keyrings: structuredClone(this.#pins), authorities: { ...this.#authorities } }
  }
}

/** The secrets of the own keyring; in memory only. */
export class OwnSecrets {
  readonly #net: string
  readonly #device: { readonly id: Hex; readonly kem: KemKey }
  readonly #envelopes = new Map<number, Bytes>()
  readonly #secrets = new Map<number, Bytes>()
  readonly #mailboxes = new Map<number, KemKey>()
  /** K7: the code of the alarm, or null. */
  broken: string | null = null

  constructor(net: string, device: { readonly id: Hex; readonly kem: KemKey }) {
    this.#net = net
    this.#device = device
  }

  secret(n: number): Bytes | null {
    return this.#secrets.get(n) ?? null
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
    for (let n = state.n; n >= 0 && !this.#secrets.has(n); n--) {
      const generation = state.generations[n] as Generation
      const secret = (await this.#byHistory(state, n + 1)) ?? (await this.#byEnvelope(state, generation))
      if (!secret) continue
      try {
        this.#mailboxes.set(n, await checkSecret(this.#net, state, generation, secret)) // K7
        this.#secrets.set(n, secret)
      } catch (error) {
        this.#alarm(error)
      }
    }
  }

  #alarm(error: unknown): null {
    if (!(error instanceof Refused)) throw error
    this.broken ??= error.code
    return null
  }

  async #byHistory(state: KeyringState, newer: number): Promise<Bytes | null> {
    const secret = this.#secrets.get(newer)
    const generation = state.generations[newer]
    if (!secret || !generation) return null
    return openHistory(this.#net, state, generation, secret).catch((error) => this.#alarm(error))
  }

  async #byEnvelope(state: KeyringState, generation: Generation): Promise<Bytes | null> {
    const envelopes = this.#envelopes.get(generation.n)
    const isListed = generation.devices.some(({ id }) => toHex(id) === this.#device.id)
    if (!envelopes || !isListed) return null
    const recipient = { id: fromHex(this.#device.id), kem: this.#device.kem }
    const opening = openEnvelope(this.#net, state, generation.n, envelopes, recipient)
    return opening.catch((error) => this.#alarm(error))
  }
}
