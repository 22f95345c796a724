import type { OpenedMessage } from '../sealed/client.ts'
import { chosenMarks } from '../sealed/marks.ts'
import { daysLeft, dueDate, inDays } from './format.ts'
import { clone, show, slot, text } from './page.ts'

// A date that has passed, or is today or tomorrow, is not only written but set off.
const SOON = 1

/** How urgent something is, in words with a sign; null where it is ordinary. */
export function urgencyBadge(urgency: number): HTMLElement | null {
  return urgency === 0 ? null : clone(urgency === 2 ? 'urgency-at-once' : 'urgency-urgent')
}

/** "Answer wanted by 24 November 2026 (in 2 days)"; once it is answered, without the days. */
export function dueBadge(due: number, isOpen: boolean): HTMLElement {
  const badge = clone('due')
  const left = daysLeft(due)
  const words = isOpen ? 'due-in' : 'due'
  slot(badge, 'words').textContent = text(words, { date: dueDate(due), days: inDays(left) })
  badge.classList.toggle('care', isOpen && left <= SOON && left >= 0)
  badge.classList.toggle('alarm', isOpen && left < 0)
  return badge
}

/** "Use: with consent only", for each mark that the author chose. */
function markBadge(mark: string): HTMLElement {
  const badge = clone('handling-mark')
  badge.textContent = text(`mark-${mark}`)
  return badge
}

/** Urgency, date wanted, reason and handling marks of a message, below its author. */
export function renderHandling(element: HTMLElement, message: OpenedMessage, isOpen: boolean): void {
  const signs = slot(element, 'signs')
  const urgency = urgencyBadge(message.urgency)
  const due = message.due === null ? null : dueBadge(message.due, isOpen)
  const all = [urgency, due, ...chosenMarks(message.marks).map(markBadge)].filter((sign) => sign !== null)
  signs.replaceChildren(...all)
  const reason = message.body?.type === 'note' ? message.body.reason : null
  slot(element, 'reason').textContent = reason ?? ''
  show(slot(element, 'why'), reason !== null)
  show(slot(element, 'handling'), all.length > 0)
}
