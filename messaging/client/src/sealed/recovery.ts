// The recovery kit at work: trying it, and taking the keyring over when every device is lost (K11).
import { type Bytes, fromBase64, toBase64, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import { makeEntry, recoveryByKit } from './keyring.ts'
import { changeHash, decodeChange, type KeyringState, type Role } from './keyring_entry.ts'
import { acceptEntry } from './keyring_rules.ts'
import { type DeviceKeys, RecoveryKit } from './keys.ts'
import { OwnSecrets } from './known_keyrings.ts'
import { stateDevice } from './own_device.ts'
import { type Change, checkKit, describeChange } from './stewardship.ts'
import type { Base64, Device, Hex, KeyringBody, KeyringJson, Person } from './wire.ts'

interface Opened {
  readonly state: KeyringState
  readonly secrets: OwnSecrets
}

async function openWithKit(net: string, kit: RecoveryKit, keyring: KeyringJson): Promise<Opened> {
  const statements = keyring.statements.map(fromBase64)
  let state: KeyringState | null = null
  for (const { entry, envelopes } of keyring.entries) {
    const blob = envelopes === null ? null : fromBase64(envelopes)
    state = await acceptEntry(net, state, fromBase64(entry), statements, blob)
  }
  insist(state !== null, 'K1', 'missing-entry', 'no entry of this keyring is known') // K1
  const isIts = toHex(state.principal) === keyring.principal
  insist(isIts, 'K1', 'wrong-predecessor', 'the keyring of another principal') // K1
  await checkKit(net, state, kit)
  const { kem, id } = await kit.keys(net)
  const secrets = new OwnSecrets(net, { id: toHex(id), kem })
  await secrets.open(state, keyring)
  return { state, secrets }
}

/** The drill: whether this kit would open everything today. Changes nothing. `keyring`: all entries, with envelopes.
 *  @throws Refused other-kit; K1 to K6 for a keyring that does not hold */
export async function tryKit(trial: {
  readonly net: string
  readonly kit: RecoveryKit
  readonly keyring: KeyringJson
}): Promise<{ opens: boolean; n: number }> {
  const { state, secrets } = await openWithKit(trial.net, trial.kit, trial.keyring)
  return { opens: secrets.secret(state.n) !== null && secrets.broken === null, n: state.n }
}

interface Plan {
  readonly net: string
  readonly kit: RecoveryKit
  readonly newKit: RecoveryKit
  readonly device: Device
  readonly opened: Opened
  readonly change: Change
  readonly at: number
}

/** A keyring about to be taken over by its kit, with one new device and a new kit to print. With a steward's
 *  approval of `change` counterparts go on as before; without it they see it and have to confirm first. */
export class Recovery {
  readonly #plan: Plan

  private constructor(plan: Plan) {
    this.#plan = plan
  }

  /** `keyring`: all entries, with envelopes. @throws Refused other-kit; K1 to K6 */
  static async begin(first: {
    readonly net: string
    readonly kit: RecoveryKit
    readonly keyring: KeyringJson
    readonly person: Person
    readonly keys: DeviceKeys
    /** Unix seconds. */
    readonly at: number
    readonly roles: readonly Role[]
  }): Promise<Recovery> {
    const { net, kit, keyring, person, keys, at, roles } = first
    const opened = await openWithKit(net, kit, keyring)
    const { principal } = opened.state
    const { id, statement } = await stateDevice(net, { principal, salt: null }, { person, keys, at })
    const newKit = RecoveryKit.create()
    const { signing, kem } = await newKit.keys(net)
    const recovery = { sig: signing.public, kem: kem.public }
    const change = describeChange(opened.state, recoveryByKit(opened.state, [{ id, roles }], recovery))
    const device = { principal: toHex(principal), id: toHex(id), statement, keys }
    return new Recovery({ net, kit, newKit, device, opened, change, at })
  }

  /** To be kept once the server has answered. */
  get device(): Device {
    return this.#plan.device
  }

  /** To be printed before anything is sent: the old one is worth nothing afterwards. */
  get newKit(): RecoveryKit {
    return this.#plan.newKit
  }

  /** What a steward can approve. */
  get change(): Change {
    return this.#plan.change
  }

  /** The id under which the change waits for approval. */
  async changeId(): Promise<Hex> {
    const { net, opened, change } = this.#plan
    const { principal, head } = opened.state
    return toHex(await changeHash(net, principal, head, decodeChange(fromBase64(change.encoded))))
  }

  /** The entry that drops every device there was and lists the new one. @throws Refused */
  async make(approvals: readonly Base64[] = []): Promise<KeyringBody> {
    const { net, kit, device, opened, change, at } = this.#plan
    const { signing, id } = await kit.keys(net)
    const statement = device.statement as Bytes
    const given = {
      held: opened.secrets.held(),
      statements: [statement],
      acts: approvals.map(fromBase64),
    }
    const signer = { author: { id, key: signing }, at }
    const changed = decodeChange(fromBase64(change.encoded))
    const made = await makeEntry(net, opened.state, changed, given, signer)
    return {
      entry: toBase64(made.entry),
      envelopes: toBase64(made.envelopes),
      statements: [toBase64(statement)],
    }
  }
}
