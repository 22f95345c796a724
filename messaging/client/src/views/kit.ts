import type { RecoveryKit } from '../sealed/keys.ts'
import { fingerprintDigits } from '../sealed/keys.ts'
import { printShare, splitKit } from '../sealed/kit.ts'
import type { SessionInfo } from '../transport/wire.ts'
import { day } from './format.ts'
import { byId, clone, fill, show, slot, text } from './page.ts'
import { drawQr } from './qr.ts'

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

/** Which group of which page is asked for: two groups of the one page, or one of each of two pages. */
export function twoQuestions(
  pages: readonly string[][],
  random: Uint32Array,
): { page: number; group: number }[] {
  const count = pages[0]?.length ?? 0
  if (pages.length === 1) return twoPlaces(count, random).map((group) => ({ page: 0, group }))
  return twoPlaces(pages.length, random).map((page, i) => ({ page, group: (random[i + 2] ?? 0) % count }))
}

/**
 * Show the recovery kit once, as one page or as three of which two are needed, and resolve when two of its groups
 * were typed back. Nothing of it is stored; leaving the page before is asked about.
 */
export async function showKit(
  kit: RecoveryKit,
  info: SessionInfo,
  principal: string,
  leaving: AbortSignal,
): Promise<void> {
  const whole = [await kit.print(info.net)]
  const shares = (await splitKit(info.net, kit)).map(printShare)
  const leave = (event: BeforeUnloadEvent) => event.preventDefault()
  addEventListener('beforeunload', leave, { signal: leaving })
  byId('kit-print').onclick = () => print()
  const inParts = byId<HTMLInputElement>('kit-three')
  inParts.checked = false
  await new Promise<void>((resolve) => {
    const lay = () => {
      const pages = (inParts.checked ? shares : whole).map((printed) => printed.split(' '))
      layOut(pages, info, principal)
      ask(pages, resolve)
    }
    byId('kit-choice').onchange = lay
    lay()
  })
  removeEventListener('beforeunload', leave)
  byId('kit-groups').replaceChildren()
}

function layOut(pages: string[][], info: SessionInfo, principal: string): void {
  byId('kit-groups').replaceChildren(
    ...pages.map((groups, index) => {
      const element = clone('kit-page')
      fill(element, {
        authority: info.authority.name,
        state: info.authority.state_name ?? '',
        date: day(info.server_time),
        digits: fingerprintDigits(principal),
        part: pages.length > 1 ? text('kit-part', { page: index + 1 }) : '',
      })
      show(slot(element, 'is-whole'), pages.length === 1)
      show(slot(element, 'is-part'), pages.length > 1)
      slot(element, 'qr').append(drawQr(groups.join('')))
      slot(element, 'groups').append(
        ...groups.map((group) => {
          const item = clone('kit-group')
          item.textContent = group
          return item
        }),
      )
      return element
    }),
  )
}

function ask(pages: string[][], done: () => void): void {
  const questions = twoQuestions(pages, crypto.getRandomValues(new Uint32Array(4)))
  const inputs = [byId<HTMLInputElement>('kit-answer-1'), byId<HTMLInputElement>('kit-answer-2')]
  questions.forEach(({ page, group }, index) => {
    const label = byId(`kit-label-${index + 1}`)
    if (pages.length === 1) label.textContent = text('kit-group', { number: group + 1 })
    else label.textContent = text('kit-part-group', { page: page + 1, number: group + 1 })
  })
  show(byId('kit-wrong'), false)
  byId<HTMLFormElement>('kit-form').onsubmit = (event) => {
    event.preventDefault()
    const isRight = questions.every(
      ({ page, group }, index) => asGroup(inputs[index]?.value ?? '') === pages[page]?.[group],
    )
    show(byId('kit-wrong'), !isRight)
    if (isRight) done()
    else inputs[0]?.focus()
  }
}
