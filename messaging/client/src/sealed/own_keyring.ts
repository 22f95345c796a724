import { readDeviceStatement } from './device.ts'
import { type Bytes, fromBase64, toBase64, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import { type Author, type Held, makeAddition } from './keyring.ts'
import { isAnsweredFor } from './keyring_acts.ts'
import { type KeyringState, latest, type Role } from './keyring_rules.ts'
import { deviceWords } from './keys.ts'
import type { KnownKeyrings, OwnSecrets } from './known_keyrings.ts'
import { Stewardship } from './stewardship.ts'
import type { Base64, Hex, KeyringBody, Person } from './wire.ts'

interface Within {
  readonly net: string
  readonly principal: Hex
  readonly device: Hex
  readonly keyrings: KnownKeyrings
  readonly secrets: OwnSecrets
  signer(): { author: Author; at: number }
}

/** The keyring of the own principal, and what this device is and can do in it. */
export class OwnKeyring {
  readonly #within: Within

  constructor(within: Within) {
    this.#within = within
  }

  /** The newest entry known, or null. */
  get state(): KeyringState | null {
    return this.#within.keyrings.get(this.#within.principal)
  }

  get roles(): readonly Role[] {
    const devices = this.state ? latest(this.state).devices : []
    return devices.find(({ id }) => toHex(id) === this.#within.device)?.roles ?? []
  }

  /** Whether an authority answers for this practitioner (K9); true of whoever needs nobody. */
  get isAnsweredFor(): boolean {
    const { keyrings, signer } = this.#within
    const { state } = this
    return state?.kind !== 'practitioner' || isAnsweredFor(state, keyrings.lookup, signer().at)
  }

  /** Whether this device holds the newest mailbox secret. */
  get isReady(): boolean {
    const { secrets } = this.#within
    return this.state !== null && secrets.secret(this.state.n) !== null && secrets.broken === null
  }

  /** M9, K7: the newest generation, listed, opened and sound. @throws Refused unlisted-device, broken-keyring */
  open(): { state: KeyringState; secret: Bytes } {
    const { state } = this
    const { secrets } = this.#within
    const isListed = state !== null && this.roles.length > 0
    insist(isListed, 'M9', 'unlisted-device', "this device is not in its principal's keyring") // M9
    const secret = secrets.secret(state.n)
    const isSound = secret !== null && secrets.broken === null
    insist(isSound, 'K7', 'broken-keyring', 'the newest own secret cannot be opened or does not hold') // K7
    return { state, secret }
  }

  get stewardship(): Stewardship {
    const { net, keyrings, signer } = this.#within
    return new Stewardship({
      net,
      keyrings: keyrings.lookup,
      own: () => this.#verified(),
      held: (isRepair) => this.#held(isRepair),
      signer,
    })
  }

  #verified(): KeyringState {
    const { state } = this
    insist(state !== null, 'K7', 'not-verified', 'the own keyring has not been verified') // K7
    return state
  }

  #held(isRepair: boolean): Held | null {
    if (isRepair) return this.#within.secrets.held()
    const { state, secret } = this.open()
    return { of: state.n, secret }
  }

  /** Reads a request for a further device of this principal. @throws Refused E1, E2, E7, K3 */
  async readDeviceRequest(statement: Base64): Promise<Person & { device: Hex; words: string }> {
    const { net, principal } = this.#within
    const request = await readDeviceStatement(net, fromBase64(statement))
    const isOurs = request.principal !== null && toHex(request.principal) === principal
    insist(isOurs, 'K3', 'wrong-statement', 'a device statement for another principal')
    const { person, name, office } = request
    const device = toHex(request.id)
    return { device, person, name, office, words: await deviceWords(net, device) }
  }

  /** An `add` entry. @throws Refused K2 to K7, not-verified */
  async makeAddition(
    requests: readonly { readonly statement: Base64; readonly roles: readonly Role[] }[],
  ): Promise<KeyringBody> {
    const { net, signer } = this.#within
    const { state, secret } = this.open()
    const added = requests.map(({ statement, roles }) => ({ statement: fromBase64(statement), roles }))
    const made = await makeAddition(net, state, secret, added, signer())
    const statements = requests.map(({ statement }) => statement)
    return { entry: toBase64(made.entry), envelopes: toBase64(made.envelopes), statements }
  }
}
