import { makeDeviceStatement } from './device.ts'
import { type Bytes, fromHex, randomBytes, sha256, toBase64, toHex } from './encoding.ts'
import { makeGenesis as makeKeyringGenesis } from './keyring.ts'
import type { Role } from './keyring_rules.ts'
import { type DeviceKeys, RecoveryKit, SigningKey } from './keys.ts'
import type { Base64, Device, Hex, KeyringBody, Person } from './wire.ts'

const ALL_ROLES: readonly Role[] = ['officer', 'steward', 'supervisor']

export async function stateDevice(
  net: string,
  owner: { principal: Bytes | null; salt: Bytes | null },
  { person, keys, at }: { person: Person; keys: DeviceKeys; at: number },
): Promise<{ id: Bytes; statement: Bytes; key: SigningKey }> {
  const key = new SigningKey(keys.sig, keys.signing)
  const fields = { ...owner, person: person.person, name: person.name, office: person.office }
  const statement = await makeDeviceStatement(net, { ...fields, sig: keys.sig, kem: keys.kem }, { at, key })
  return { id: await sha256(statement), statement, key }
}

/** The first device of an authority without a principal: its keyring, and the recovery kit to print. */
export async function makeGenesis(first: {
  readonly net: string
  readonly person: Person
  readonly keys: DeviceKeys
  readonly at: number
  readonly roles?: readonly Role[]
  readonly kind?: 'authority' | 'secretariat'
  /** The keyring whose place it is to take (K12). */
  readonly succeeds?: Hex | null
}): Promise<{ device: Device; kit: RecoveryKit; body: KeyringBody }> {
  const { net, keys, at, kind = 'authority', roles = ALL_ROLES, succeeds = null } = first
  const salt = randomBytes(16)
  const { id, statement, key } = await stateDevice(net, { principal: null, salt }, first)
  const kit = RecoveryKit.create()
  const { signing, kem } = await kit.keys(net)
  const made = await makeKeyringGenesis(
    net,
    {
      kind,
      salt,
      devices: [{ id, roles }],
      statements: [statement],
      recovery: { sig: signing.public, kem: kem.public },
      succeeds: succeeds ? fromHex(succeeds) : null,
    },
    { author: { id, key }, at },
  )
  const [entry, envelopes] = [toBase64(made.entry), toBase64(made.envelopes)]
  const device = { principal: toHex(made.principal), id: toHex(id), statement, keys }
  return { device, kit, body: { entry, envelopes, statements: [toBase64(statement)] } }
}

/** A further device of a principal; a steward's `add` entry lets it in. */
export async function makeDeviceRequest(request: {
  readonly net: string
  readonly principal: Hex
  readonly person: Person
  readonly keys: DeviceKeys
  readonly at: number
}): Promise<{ device: Device; body: { statement: Base64 } }> {
  const { net, principal, keys } = request
  const { id, statement } = await stateDevice(net, { principal: fromHex(principal), salt: null }, request)
  return { device: { principal, id: toHex(id), statement, keys }, body: { statement: toBase64(statement) } }
}
