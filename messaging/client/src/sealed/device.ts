import type { Bytes } from './encoding.ts'
import { insist } from './errors.ts'
import { checkKemKey, checkSigningKey, type SigningKey } from './keys.ts'
import { parse, sign, verify } from './statement.ts'

export interface DeviceStatement {
  readonly id: Bytes
  /** Null at a genesis device, which carries the genesis `salt` instead. */
  readonly principal: Bytes | null
  readonly salt: Bytes | null
  readonly person: string
  readonly name: string
  readonly office: string
  readonly sig: Bytes
  readonly kem: Bytes
  readonly raw: Bytes
  /** Unix seconds, as the device says. */
  readonly at: number
}

/** Exactly one of `principal` and `salt` is given. */
export const makeDeviceStatement = (
  net: string,
  fields: Omit<DeviceStatement, 'id' | 'raw' | 'at'>,
  { at, key }: { at: number; key: SigningKey },
): Promise<Bytes> => {
  const { principal, salt, person, name, office, sig, kem } = fields
  const kid = new Uint8Array()
  return sign(net, 'device', { principal, salt, person, name, office, sig, kem }, { at, kid, key })
}

/** Proof of possession: a device statement is signed by the key it names. @throws Refused E1, E2, E7 */
export async function readDeviceStatement(net: string, raw: Bytes): Promise<DeviceStatement> {
  const statement = await parse(net, raw, 'device')
  const { fields, hash: id, kid } = statement
  const device: DeviceStatement = {
    id,
    principal: fields.bytesOrNull('principal', 32),
    salt: fields.bytesOrNull('salt', 16),
    person: fields.text('person', 200),
    name: fields.text('name', 200),
    office: fields.text('office', 200),
    sig: fields.bytes('sig', 32),
    kem: fields.bytes('kem', 1216),
    raw,
    at: statement.at,
  }
  const isOfOne = (device.principal === null) !== (device.salt === null)
  const detail = 'a device statement has an empty kid, and a principal or a salt'
  insist(isOfOne && kid.length === 0, 'E2', 'bad-statement', detail)
  checkSigningKey(device.sig) // E7
  checkKemKey(device.kem) // E7
  await verify(statement, device.sig, net)
  return device
}
