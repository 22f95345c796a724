import type { KeyringView } from '../sealed/client.ts'
import type { ThreadRow } from '../transport/wire.ts'
import { dateTime } from './format.ts'
import { comparisonOf, showLevel } from './levels.ts'
import { clone, fill, show, slot, text } from './page.ts'

/** One party of a thread, with the digits by which its keys are compared by telephone. */
export function renderParty(
  member: ThreadRow['members'][number],
  keyring: KeyringView | null,
  isOwn: boolean,
): HTMLElement {
  const element = clone('party')
  const { name: authority, state_name } = member.authority
  const person = keyring?.kind === 'practitioner' ? keyring.devices[0] : undefined
  fill(element, {
    authority: person ? `${person.name}, ${person.office}` : authority,
    state: [person ? authority : null, state_name].filter(Boolean).join(' · '),
    digits: keyring?.fingerprint ?? '',
  })
  const { handler } = member
  slot(element, 'handler').textContent = handler
    ? text('handled-by', { name: handler.name, office: handler.office, time: dateTime(handler.since) })
    : text('handled-by-nobody')
  show(slot(element, 'own'), isOwn)
  show(slot(element, 'compare'), !isOwn)
  showLevel(element, isOwn ? null : keyring)
  slot<HTMLAnchorElement>(element, 'comparison').href = comparisonOf(member.authority.id)
  show(slot(element, 'alone'), keyring?.standsAlone === true)
  show(slot(element, 'broken'), (keyring?.broken ?? null) !== null)
  return element
}
