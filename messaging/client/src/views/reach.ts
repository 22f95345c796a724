// Whether anybody is at the office of who is asked, and whom to telephone when not.
import { Failure } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { AuthorityDesk, AuthorityName, Hex, ThreadRow } from '../transport/wire.ts'
import { dateTime, dateTimeIn } from './format.ts'
import { clone, fill, slot, text } from './page.ts'

/** A minute: then the office may have closed, or opened. */
const KEPT = 60_000
const kept = new Map<string, { desk: Promise<AuthorityDesk | null>; until: number }>()

/** The other authorities of a thread, each once. */
export function othersOf({ members }: ThreadRow, own: Hex): AuthorityName[] {
  const others = members.filter(({ principal, role }) => principal !== own && role !== 'observer')
  return [...new Map(others.map(({ authority }) => [authority.id, authority])).values()]
}

/** Say in a place who of these is there now, and by which number who is on duty answers. */
export async function showReach(
  place: HTMLElement,
  rest: Rest,
  authorities: readonly AuthorityName[],
): Promise<void> {
  const asked = authorities.map(({ id }) => id).join()
  place.dataset.asked = asked
  const desks = await Promise.all(authorities.map(({ id }) => deskOf(rest, id)))
  if (place.dataset.asked !== asked) return // another one was chosen meanwhile
  const lines = authorities.flatMap((authority, index) => {
    const desk = desks[index]
    return desk ? [line(authority, desk)] : []
  })
  place.replaceChildren(...lines)
}

/** Null for one that the directory does not show. */
function deskOf(rest: Rest, id: string): Promise<AuthorityDesk | null> {
  const found = kept.get(id)
  if (found && found.until > Date.now()) return found.desk
  const desk = rest.get<AuthorityDesk>(`authorities/${id}/desk`).catch((error) => {
    kept.delete(id)
    if (error instanceof Failure && error.status === 404) return null
    throw error
  })
  kept.set(id, { desk, until: Date.now() + KEPT })
  return desk
}

function line({ name }: AuthorityName, desk: AuthorityDesk): HTMLElement {
  const element = clone('reach')
  element.classList.toggle('care', desk.is_open === false)
  const isOpen = desk.is_open === null ? 'unknown' : desk.is_open ? 'open' : 'closed'
  const hasNumber = desk.telephones.length > 0
  fill(element, {
    office: text(`reach-${isOpen}`, { authority: name }),
    opens: desk.is_open === false && desk.changes_at !== null ? opens(desk, desk.changes_at) : '',
    duty: text(hasNumber ? 'reach-telephone' : desk.has_duty ? 'reach-duty' : 'reach-no-duty'),
  })
  slot(element, 'telephones').replaceChildren(...desk.telephones.flatMap(telephone))
  return element
}

function opens({ time_zone: zone }: AuthorityDesk, at: number): string {
  const there = dateTimeIn(zone, at)
  const here = dateTime(at)
  return there === '' || there === here
    ? text('reach-opens', { here })
    : text('reach-opens-there', { here, there })
}

/** A telephone dials it. */
function telephone(number: string, index: number): (HTMLElement | string)[] {
  const link = document.createElement('a')
  link.href = `tel:${number.replace(/[^+\d]/g, '')}`
  link.dir = 'ltr'
  link.textContent = number
  return index > 0 ? [' · ', link] : [link]
}
