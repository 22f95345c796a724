import { HANDLING, OLD_CHECKPOINT } from '../generated/marks.ts'
import type { Value } from './encoding.ts'
import { insist } from './errors.ts'

export { HANDLING, OLD_CHECKPOINT }

type Handling = (typeof HANDLING)[keyof typeof HANDLING][number]
/** How a message is to be treated, by its author's choice; and L4: urgent, on a log of more than a day ago. */
export type HandlingMark = typeof OLD_CHECKPOINT | Handling

const GROUPS: readonly (readonly HandlingMark[])[] = Object.values(HANDLING)
const MARKS: readonly HandlingMark[] = [OLD_CHECKPOINT, ...GROUPS.flat()]

/** What the author chose, without what is said of how it was sealed. */
export const chosenMarks = (marks: readonly string[]): string[] =>
  GROUPS.flat().filter((mark) => marks.includes(mark))

/** Known marks in their order, at most one of a group. @throws Refused wrong-body (M5) */
export function checkMarks(marks: readonly Value[]): HandlingMark[] {
  const known = MARKS.filter((mark) => marks.includes(mark))
  const isOrdered = known.length === marks.length && known.every((mark, place) => mark === marks[place])
  insist(isOrdered, 'M5', 'wrong-body', 'unknown marks, one twice, or in another order') // M5
  const areSingle = GROUPS.every((group) => group.filter((mark) => known.includes(mark)).length <= 1)
  insist(areSingle, 'M5', 'wrong-body', 'two marks of one group') // M5
  return known
}
