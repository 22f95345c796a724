import type { KeyringView } from '../sealed/client.ts'
import type { Store } from '../store/store.ts'
import type { Hex } from '../transport/wire.ts'
import { dashed } from './format.ts'
import { show, slot, text } from './page.ts'

/** How far a counterpart is known: confirmed, accepted, seen before, new. */
export function showLevel(element: HTMLElement, keyring: Pick<KeyringView, 'level'> | null): void {
  const badge = slot(element, 'level')
  const level = keyring?.level ?? 'own'
  show(badge, level !== 'own')
  badge.textContent = level === 'own' ? '' : text(`level-${level}`)
  badge.classList.toggle('care', level === 'seen' || level === 'new')
}

/** How far this device knew others when it last looked at them, for lists: no keyring is fetched for that. Of whom it
 *  has not met it says nothing. */
export async function knownLevels(
  store: Store,
): Promise<(element: HTMLElement, principal: Hex | null) => void> {
  const levels = await store.levels()
  return (element, principal) => {
    const level = levels[principal ?? '']
    showLevel(element, level ? { level } : null)
  }
}

/** Where its fingerprint is compared and accepted. */
export const comparisonOf = (authority: string): string => `/counterparts/${dashed(authority)}/`
