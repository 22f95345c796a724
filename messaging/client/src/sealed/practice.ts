import { makeApproval } from './approval.ts'
import { readDeviceStatement } from './device.ts'
import { type Bytes, equal, fromBase64, fromHex, randomBytes, sha256, toBase64, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import { type Author, makeGenesis } from './keyring.ts'
import { changeHash, decodeChange, type KeyringState, type Keyrings, type Role } from './keyring_entry.ts'
import { type DeviceKeys, deviceWords, SigningKey } from './keys.ts'
import { stateDevice } from './own_device.ts'
import { byOf } from './places.ts'
import { makeSponsor, makeSponsorEnd, readSponsor } from './sponsor.ts'
import { describeChange } from './stewardship.ts'
import type { Base64, Device, Hex, KeyringBody, Person } from './wire.ts'

const YEAR = 365 * 86_400
const CLOCKS = 300
/** Of each device of a practitioner. */
export const OWN_ROLES: readonly Role[] = ['officer', 'steward']

/** The device with which a practitioner will begin, once a supervisor answers for it: it has no principal yet. */
export async function makeFirstDevice(first: {
  readonly net: string
  readonly person: Person
  readonly keys: DeviceKeys
  readonly at: number
}): Promise<{ device: Device; body: { statement: Base64 } }> {
  const salt = randomBytes(16)
  const { id, statement } = await stateDevice(first.net, { principal: null, salt }, first)
  const device = { principal: '', id: toHex(id), statement, keys: first.keys }
  return { device, body: { statement: toBase64(statement) } }
}

/** The genesis of a practitioner with the first device, under the statement for it.
 *  @throws Refused wrong-sponsor (K9) for a statement that names another device */
export async function makePractitioner(
  net: string,
  device: Device,
  sponsoring: Base64,
  at: number,
): Promise<{ device: Device; body: KeyringBody }> {
  const sponsor = fromBase64(sponsoring)
  const statement = new Uint8Array(device.statement)
  const { salt } = await readDeviceStatement(net, statement)
  const isFor = toHex((await readSponsor(net, sponsor)).device) === device.id && salt !== null
  insist(isFor, 'K9', 'wrong-sponsor', 'the sponsor names another device') // K9
  const { keys } = device
  const author = { id: fromHex(device.id), key: new SigningKey(keys.sig, keys.signing) }
  const devices = [{ id: author.id, roles: OWN_ROLES }]
  const genesis = {
    kind: 'practitioner',
    salt,
    devices,
    statements: [statement],
    recovery: null,
    sponsor,
  }
  const made = await makeGenesis(net, genesis, { author, at })
  const statements = [toBase64(statement)]
  const body = { entry: toBase64(made.entry), envelopes: toBase64(made.envelopes), statements }
  return { device: { ...device, principal: toHex(made.principal) }, body }
}

interface Desk {
  readonly net: string
  readonly keyrings: Keyrings
  own(): KeyringState
  signer(): { author: Author; at: number }
}

interface Row {
  readonly practitioner: Hex
  readonly statement: Base64
}

/** What a supervisor's device does about the practitioners of its authority (K9); nothing is sent here. */
export class Practice {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** Who asks, by what the device has signed, and the words to compare. @throws Refused E1, E2, wrong-statement */
  async read(statement: Base64): Promise<{ device: Hex; name: string; office: string; words: string }> {
    const { net } = this.#desk
    const { id, name, office } = await readDeviceStatement(net, fromBase64(statement))
    const device = toHex(id)
    return { device, name, office, words: await deviceWords(net, device) }
  }

  /** For whom the own authority answers, and until when (unix seconds). */
  answered(): Promise<{ practitioner: Hex; until: number }[]> {
    const { net, own } = this.#desk
    return Promise.all(
      own().sponsored.map(async ({ practitioner, statement }) => ({
        practitioner: toHex(practitioner),
        until: (await readSponsor(net, statement)).until,
      })),
    )
  }

  /** The devices that a change would list anew in a practitioner's keyring. @throws Refused keyring-unknown */
  addedBy(practitioner: Hex, change: Base64): Hex[] {
    const state = this.#desk.keyrings(fromHex(practitioner))
    insist(state !== null, 'K9', 'keyring-unknown', 'fetch the keyring of the practitioner first') // K9
    return describeChange(state, decodeChange(fromBase64(change))).added.map(({ device }) => device)
  }

  /** That the own authority answers for who has this device, for a year where no end is given. */
  async sponsor(statement: Base64, until?: number): Promise<Base64> {
    const { net, own, signer } = this.#desk
    const { at } = signer()
    const { id: device, person, office } = await readDeviceStatement(net, fromBase64(statement))
    const [begins, end] = [at - CLOCKS, until ?? at + YEAR - CLOCKS]
    const given = { by: byOf(own()), person, office, device, replaces: null, begins, until: end }
    return toBase64(await makeSponsor(net, given, signer()))
  }

  /** For whom the own authority answers, and then also for this one: for {@link Stewardship.sponsoring}. */
  listing(practitioner: Hex, statement: Base64): Row[] {
    return [...this.without(practitioner), { practitioner, statement }]
  }

  /** What is left when the own authority answers for a practitioner no more, and the statement that it needs.
   *  @throws Refused wrong-sponsor (K9) where it does not answer for this one */
  async ending(practitioner: Hex): Promise<{ rows: Row[]; end: Base64 }> {
    const { net, own, signer } = this.#desk
    const found = own().sponsored.find((row) => equal(row.practitioner, fromHex(practitioner)))
    insist(found, 'K9', 'wrong-sponsor', 'this authority does not answer for this practitioner') // K9
    const given = { by: byOf(own()), practitioner: found.practitioner, of: await sha256(found.statement) }
    return { rows: this.without(practitioner), end: toBase64(await makeSponsorEnd(net, given, signer())) }
  }

  /** A supervisor agrees to a further device of a practitioner, for a day. @throws Refused keyring-unknown */
  async approve(practitioner: Hex, change: Base64): Promise<Base64> {
    const { net, keyrings, own, signer } = this.#desk
    const state = keyrings(fromHex(practitioner))
    insist(state !== null, 'K9', 'keyring-unknown', 'fetch the keyring of the practitioner first') // K9
    const named: Bytes = await changeHash(net, state.principal, state.head, decodeChange(fromBase64(change)))
    return toBase64(await makeApproval(net, { by: byOf(own()), on: state.head, change: named }, signer()))
  }

  /** For whom the own authority answers besides this one. */
  without(practitioner: Hex): Row[] {
    const rows = this.#desk.own().sponsored
    const others = rows.filter((row) => !equal(row.practitioner, fromHex(practitioner)))
    return others.map((row) => ({
      practitioner: toHex(row.practitioner),
      statement: toBase64(row.statement),
    }))
  }
}
