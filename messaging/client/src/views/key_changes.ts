// What happened to the keys of those in a thread, shown where it happened: nobody is added or restored unseen.
import type { KeyringView } from '../sealed/client.ts'
import type { Hex } from '../transport/wire.ts'
import { setTime } from './format.ts'
import { clone, fill, hasText, text } from './page.ts'
import type { Beside } from './timeline.ts'

type KeyChange = KeyringView['changes'][number]

/** Who reads along may be another one: never folded away. */
const WEIGHTY = ['add', 'remove', 'role', 'recover']

const keyOf = (principal: Hex, { n }: KeyChange): string => `${principal}:${n}`

/** The lines that were not yet given, of changes after `since` (unix seconds). */
export class KeyChanges {
  readonly #given = new Set<string>()

  take(keyring: KeyringView, authority: string, since: number): Beside[] {
    const fresh = keyring.changes.filter(
      (change) => change.at > since && !this.#given.has(keyOf(keyring.principal, change)),
    )
    for (const change of fresh) this.#given.add(keyOf(keyring.principal, change))
    return fresh.flatMap((change) => asNotice(keyring, change, authority))
  }
}

/** K6, K11: whoever was changed with the kit alone, or restored, is somebody to telephone. */
export const isAlarming = (change: KeyChange): boolean =>
  change.reason === 'recover' || (change.recoveryChanges && !change.isApproved && change.n > 0)

function asNotice(keyring: KeyringView, change: KeyChange, authority: string): Beside[] {
  const isAlone = change.reason === 'recover' && !change.isApproved
  const key = isAlone ? 'keys-recover-alone' : `keys-${change.reason}`
  if (!hasText(key)) return []
  const isAlarm = isAlarming(change)
  const element = clone(isAlarm ? 'key-alarm' : 'thread-notice')
  fill(element, { words: text(key, { authority, names: namesOf(keyring, change) }) })
  const time = element.querySelector<HTMLElement>('[data-slot="time"]')
  if (time) setTime(time, change.at)
  return [{ at: change.at, isFolded: !WEIGHTY.includes(change.reason) && !isAlarm, element }]
}

/** Whose devices it is about, each person once, by the names that the devices signed. */
function namesOf(keyring: KeyringView, change: KeyChange): string {
  const ids = new Set([...change.added, ...change.removed, ...change.changed])
  const people = [...ids].map((id) => keyring.people[id]).filter((person) => person !== undefined)
  return [...new Set(people.map(({ name, office }) => (office ? `${name}, ${office}` : name)))].join(' · ')
}
