import type { Applied, ChangeView, Hex, MemberView, ThreadView } from '../sealed/client.ts'
import { text } from './page.ts'

const SAME_MEMBERS = ['genesis', 'refresh', 'repair']

/** Whether an entry changed who is in the thread: that stands in a line of its own. */
export const isMemberChange = (applied: Applied): boolean =>
  applied.type === 'entry' && !SAME_MEMBERS.includes(applied.reason)

function cameKey(reason: string, { role }: MemberView): string {
  if (reason === 'succeed') return 'notice-succeeded'
  if (role === 'observer') return 'notice-joined-observer'
  return role === 'practitioner' ? 'notice-joined-practitioner' : 'notice-joined-party'
}

/** One sentence for each principal that came, went or became a party, and whether the newcomer reads what was
 *  before. */
export function changeText(change: ChangeView, nameOf: (principal: Hex) => string): string {
  const { reason, came, gone, raised } = change
  const by = nameOf(change.by)
  const say = (key: string, { principal }: MemberView) => text(key, { authority: nameOf(principal), by })
  const sentences = [
    ...came.map((member) => say(cameKey(reason, member), member)),
    ...raised.map((member) => say('notice-raised', member)),
  ]
  if (sentences.length > 0)
    sentences.push(text(change.sharesHistory ? 'notice-history' : 'notice-no-history'))
  if (reason === 'leave') sentences.push(...gone.map((member) => say('notice-left', member)))
  if (reason === 'drop') sentences.push(...gone.map((member) => say('notice-dropped', member)))
  return sentences.join(' ')
}

/** Where somebody was let in last without what was before; 0 for who was there from the beginning. */
export const joinedAt = (applied: readonly Applied[], principal: Hex): number =>
  applied.findLast(
    (each) =>
      each.type === 'entry' &&
      each.reason !== 'genesis' &&
      !each.sharesHistory &&
      each.came.some((one) => one.principal === principal),
  )?.seq ?? 0

/** Where somebody came last; 0 for who was never here. */
export const cameAt = (applied: readonly Applied[], principal: Hex): number =>
  applied.findLast((each) => each.type === 'entry' && each.came.some((one) => one.principal === principal))
    ?.seq ?? 0

/** Everybody who came, went or signed an entry here. */
export const principalsOf = (applied: readonly Applied[]): Hex[] =>
  applied.flatMap((each) => {
    if (each.type === 'message') return [each.message.principal]
    if (each.type === 'withdrawal') return [each.by]
    return [each.by, ...[...each.came, ...each.gone].map(({ principal }) => principal)]
  })

/** What the own authority is in a thread: it writes, only reads along, or has left. */
export function partOf(
  thread: ThreadView | null,
  own: { readonly principal: Hex },
): 'writes' | 'reads' | 'left' {
  if (thread === null) return 'writes'
  const role = thread.members.find(({ principal }) => principal === own.principal)?.role
  if (role === undefined) return 'left'
  return role === 'observer' ? 'reads' : 'writes'
}
