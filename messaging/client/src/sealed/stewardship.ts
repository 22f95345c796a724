import { makeApproval } from './approval.ts'
import { type Note, type SignedConfirm, signConfirm } from './confirmation.ts'
import { readDeviceStatement } from './device.ts'
import { type Bytes, equal, fromBase64, fromHex, toBase64, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import type { Follower } from './follower.ts'
import {
  type Author,
  addition,
  type Held,
  makeEntry,
  recoveryChange,
  removal,
  roleChange,
  rotation,
  sponsoring,
} from './keyring.ts'
import { lostStewards, needsApproval } from './keyring_acts.ts'
import {
  type Change as Changed,
  changeHash,
  decodeChange,
  encodeChange,
  find,
  isSameKey,
  isSameRows,
  type KeyringState,
  type Keyrings,
  latest,
  type Role,
} from './keyring_entry.ts'
import type { RecoveryKit } from './keys.ts'
import { byOf } from './places.ts'
import type { SaidRestore } from './restore.ts'
import type { Base64, Hex, KeyringBody } from './wire.ts'

/** Whose approval a change needs (K6). `advised`: it can be made alone, but afterwards only the recovery key can
 *  approve what stands over others. */
export type Need = 'none' | 'advised' | 'steward' | 'recovery-key'

export interface DeviceRoles {
  readonly device: Hex
  readonly roles: readonly Role[]
}

/** What is to change in a keyring. `encoded` goes to the server for who is asked to approve. */
export interface Change {
  readonly reason: string
  readonly encoded: Base64
  readonly added: readonly DeviceRoles[]
  readonly removed: readonly Hex[]
  readonly changed: readonly DeviceRoles[]
  readonly recoveryChanges: boolean
}

/** What a change does to a keyring, for whoever is asked to agree. */
export function describeChange(state: KeyringState, change: Changed): Change {
  const before = latest(state).devices
  const row = ({ id, roles }: (typeof before)[number]): DeviceRoles => ({ device: toHex(id), roles })
  return {
    reason: change.reason,
    encoded: toBase64(encodeChange(change)),
    added: change.devices.filter(({ id }) => !find(before, id)).map(row),
    removed: before.filter(({ id }) => !find(change.devices, id)).map(({ id }) => toHex(id)),
    changed: change.devices
      .filter((device) => {
        const old = find(before, device.id)
        return old !== undefined && !isSameRows([old], [device])
      })
      .map(row),
    recoveryChanges: !isSameKey(change.recovery, state.recovery),
  }
}

/** K11: this kit is the keyring's newest. @throws Refused other-kit */
export async function checkKit(net: string, state: KeyringState, kit: RecoveryKit): Promise<void> {
  const { id } = await kit.keys(net)
  const isIts = state.recovery !== null && equal(state.recovery.id, id)
  insist(isIts, 'K11', 'other-kit', "the kit is another authority's, or was replaced") // K11
}

interface Desk {
  readonly net: string
  readonly keyrings: Keyrings
  /** The own keyring. @throws Refused not-verified */
  own(): KeyringState
  /** What an entry is built on; after an alarm what still holds. @throws Refused broken-keyring, unlisted-device */
  held(isRepair: boolean): Held | null
  signer(): { author: Author; at: number }
}

/** A steward at work: what is to change in the own keyring, who agrees to it, and the entry. Sends nothing. */
export class Stewardship {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** Lists further devices; their statements go to {@link make}. @throws Refused E1, E2, E7 */
  async addition(
    requests: readonly { readonly statement: Base64; readonly roles: readonly Role[] }[],
  ): Promise<Change> {
    const read = await Promise.all(
      requests.map(async ({ statement, roles }) => {
        const { id } = await readDeviceStatement(this.#desk.net, fromBase64(statement))
        return { id, roles }
      }),
    )
    return this.#describe((own) => addition(own, read))
  }

  /** Lists these devices no more: they open nothing that is sealed afterwards. */
  removal(devices: readonly Hex[]): Change {
    return this.#describe((own) => removal(own, devices.map(fromHex)))
  }

  /** Gives devices other roles. */
  roles(rows: readonly DeviceRoles[]): Change {
    const given = rows.map(({ device, roles }) => ({ id: fromHex(device), roles }))
    return this.#describe((own) => roleChange(own, given))
  }

  /** New secrets for everything; at least every 90 days. */
  rotation(): Change {
    return this.#describe((own) => rotation(own))
  }

  /** New secrets after an alarm: an entry was made that does not hold (K7). */
  repair(): Change {
    return this.#describe((own) => rotation(own, 'repair'))
  }

  /** Another recovery kit takes the place of the one there is. */
  async newRecoveryKey(kit: RecoveryKit): Promise<Change> {
    const { signing, kem } = await kit.keys(this.#desk.net)
    return this.#describe((own) => recoveryChange(own, { sig: signing.public, kem: kem.public }))
  }

  /** For whom the authority answers, by complete statements (K9). */
  sponsoring(sponsored: readonly { readonly practitioner: Hex; readonly statement: Base64 }[]): Change {
    const rows = sponsored.map((row) => ({
      practitioner: fromHex(row.practitioner),
      statement: fromBase64(row.statement),
    }))
    return this.#describe((own) => sponsoring(own, rows))
  }

  /** A change that waits for approval, as the server has it. @throws Refused E1, E2 */
  read(encoded: Base64): Change {
    return this.#describe(() => decodeChange(fromBase64(encoded)))
  }

  /** Whose approval the change needs if this device makes it (K6). */
  need(change: Change): Need {
    const own = this.#desk.own()
    const changed = decodeChange(fromBase64(change.encoded))
    if (!needsApproval(own, changed)) return 'none'
    if (changed.reason !== 'remove') return own.onlyRecovery ? 'recovery-key' : 'steward'
    const person = (id: Bytes) => own.statements.get(toHex(id))?.person
    const me = person(this.#desk.signer().author.id)
    return lostStewards(own, changed).every(({ id }) => person(id) === me) ? 'none' : 'advised'
  }

  /** This device agrees to a change of the own keyring as it stands; holds for a day. */
  approve(change: Change): Promise<Base64> {
    return this.#approve(change, true, this.#desk.signer())
  }

  /** The recovery kit agrees to a change. @throws Refused other-kit */
  async approveWithKit(change: Change, kit: RecoveryKit): Promise<Base64> {
    const { net } = this.#desk
    await checkKit(net, this.#desk.own(), kit)
    const { signing, id } = await kit.keys(net)
    return this.#approve(change, false, { author: { id, key: signing }, at: this.#desk.signer().at })
  }

  async #approve(change: Change, isDevice: boolean, signer: { author: Author; at: number }): Promise<Base64> {
    const { net } = this.#desk
    const own = this.#desk.own()
    const named = await changeHash(net, own.principal, own.head, decodeChange(fromBase64(change.encoded)))
    const about = { by: isDevice ? byOf(own) : null, on: own.head, change: named }
    return toBase64(await makeApproval(net, about, signer))
  }

  /** The entry by which a change comes true. `approvals`: complete statements it rests on; `statements`: those of
   *  the devices listed anew. @throws Refused for what others would refuse, broken-keyring, unlisted-device */
  async make(
    change: Change,
    {
      approvals = [],
      statements = [],
    }: { approvals?: readonly Base64[]; statements?: readonly Base64[] } = {},
  ): Promise<KeyringBody> {
    const { net, keyrings } = this.#desk
    const given = {
      held: this.#desk.held(change.reason === 'repair'),
      statements: statements.map(fromBase64),
      acts: approvals.map(fromBase64),
      keyrings,
    }
    const changed = decodeChange(fromBase64(change.encoded))
    const made = await makeEntry(net, this.#desk.own(), changed, given, this.#desk.signer())
    return { entry: toBase64(made.entry), envelopes: toBase64(made.envelopes), statements }
  }

  /** K8: as the secretariat, that a verified keyring is the authority's, by the note cited. @throws Refused
   *  keyring-unknown */
  confirm(authority: string, principal: Hex, note: Note): Promise<SignedConfirm> {
    const { net, keyrings } = this.#desk
    const keyring = keyrings(fromHex(principal))
    insist(keyring !== null, 'K8', 'keyring-unknown', 'the keyring has not been verified') // K8
    return signConfirm(net, { own: this.#desk.own(), keyring, authority, note }, this.#desk.signer())
  }

  /** L8: as a person of the secretariat, for a restore of the network whose log this device has followed. @throws
   *  Refused other-log, not-announced */
  async restore(said: SaidRestore, log: Follower | null): Promise<Base64> {
    const { signRestore } = await import('./restore.ts')
    return signRestore({ net: this.#desk.net, log, own: this.#desk.own() }, said, this.#desk.signer())
  }

  #describe(make: (own: KeyringState) => Changed): Change {
    const own = this.#desk.own()
    return describeChange(own, make(own))
  }
}
