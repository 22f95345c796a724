import type { KeyringView } from '../sealed/client.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { clone, fill, show, slot } from './page.ts'

/** One party of a thread, with the digits by which its keys are compared by telephone. */
export function renderParty(
  member: ThreadRow['members'][number],
  keyring: KeyringView | null,
  isOwn: boolean,
): HTMLElement {
  const element = clone('party')
  fill(element, {
    authority: member.authority.name,
    state: member.authority.state_name ?? '',
    digits: keyring?.fingerprint ?? '',
  })
  show(slot(element, 'own'), isOwn)
  show(slot(element, 'unconfirmed'), !isOwn)
  show(slot(element, 'alone'), keyring?.standsAlone === true)
  show(slot(element, 'broken'), (keyring?.broken ?? null) !== null)
  return element
}
