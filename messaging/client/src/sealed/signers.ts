import { type Bytes, equal, ZERO } from './encoding.ts'
import { insist } from './errors.ts'
import { listedAt } from './keyring_rules.ts'
import type { By } from './places.ts'
import type { Keyrings } from './thread_entry.ts'

/** T3, T5, K8: the device as `by` lists it, with the role wanted; null: any.
 *  @throws Refused unlisted-device, not-a-supervisor */
export function checkSigner(
  rule: 'T3' | 'T5' | 'K8' | 'L8',
  by: By,
  kid: Bytes,
  { keyrings, role }: { keyrings: Keyrings; role: 'supervisor' | null },
): NonNullable<ReturnType<typeof listedAt>> {
  const keyring = keyrings(by.principal)
  const isOnChain = keyring !== null && equal(keyring.generations[by.n]?.head ?? ZERO, by.head)
  const device = isOnChain ? listedAt(keyring, by.n, kid) : null
  insist(device !== null, rule, 'unlisted-device', 'its signer is not a listed device of its principal')
  const isFit = role === null || device.roles.includes(role)
  insist(isFit, rule, 'not-a-supervisor', 'its signer is no supervisor')
  return device
}
