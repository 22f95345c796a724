import type { RecoveryKit } from '../sealed/keys.ts'
import { fingerprintDigits } from '../sealed/keys.ts'
import type { SessionInfo } from '../transport/wire.ts'
import { day } from './format.ts'
import { byId, clone, fill, show, text } from './page.ts'

/** Two different places out of `count`, in order. */
export function twoPlaces(count: number, random: Uint32Array): [number, number] {
  const one = (random[0] ?? 0) % count
  const other = (one + 1 + ((random[1] ?? 0) % (count - 1))) % count
  return one < other ? [one, other] : [other, one]
}

/** What was typed, as it stands in the kit: case, blanks and look-alike letters do not matter. */
export function asGroup(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, '').replace(/[IL]/g, '1').replace(/O/g, '0')
}

/**
 * Show the recovery kit once and resolve when two of its groups were typed back. Nothing of it is stored; leaving
 * the page before is asked about.
 */
export async function showKit(
  kit: RecoveryKit,
  info: SessionInfo,
  principal: string,
  leaving: AbortSignal,
): Promise<void> {
  const groups = (await kit.print(info.net)).split(' ')
  fill(byId('kit'), {
    authority: info.authority.name,
    state: info.authority.state_name ?? '',
    date: day(info.server_time),
    digits: fingerprintDigits(principal),
  })
  byId('kit-groups').replaceChildren(
    ...groups.map((group) => {
      const item = clone('kit-group')
      item.textContent = group
      return item
    }),
  )
  byId('kit-print').addEventListener('click', () => print())
  const leave = (event: BeforeUnloadEvent) => event.preventDefault()
  addEventListener('beforeunload', leave, { signal: leaving })
  await typedBack(groups)
  removeEventListener('beforeunload', leave)
  byId('kit-groups').replaceChildren()
}

function typedBack(groups: string[]): Promise<void> {
  const places = twoPlaces(groups.length, crypto.getRandomValues(new Uint32Array(2)))
  const inputs = [byId<HTMLInputElement>('kit-answer-1'), byId<HTMLInputElement>('kit-answer-2')]
  places.forEach((place, index) => {
    byId(`kit-label-${index + 1}`).textContent = text('kit-group', { number: place + 1 })
  })
  return new Promise((resolve) => {
    byId('kit-form').addEventListener('submit', (event) => {
      event.preventDefault()
      const isRight = places.every((place, index) => asGroup(inputs[index]?.value ?? '') === groups[place])
      show(byId('kit-wrong'), !isRight)
      if (isRight) resolve()
      else inputs[0]?.focus()
    })
  })
}
