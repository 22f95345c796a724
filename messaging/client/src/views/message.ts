import type { AboutJson, Applied, OpenedMessage } from '../sealed/client.ts'
import { chosenMarks } from '../sealed/marks.ts'
import type { Copy } from '../store/outbox.ts'
import { isTried, type OutboxEntry } from '../store/store.ts'
import { type Standing, takesAcknowledgement } from '../store/summary.ts'
import type { AuthorityName, Hex } from '../transport/wire.ts'
import { aboutText } from './about.ts'
import { clock, dateTime, languageName, setTime } from './format.ts'
import { renderHandling, urgencyBadge } from './handling.ts'
import { changeText, isMemberChange } from './membership.ts'
import { clone, fill, hasText, paragraphs, show, slot, text } from './page.ts'
import { sentenceFor } from './problem.ts'
import { stageName } from './stage_name.ts'
import { stepFacts } from './step_facts.ts'

export type Authorities = Map<Hex, AuthorityName>

/** "Ministry of Justice · State A", as one text. */
export function authorityText(authority: AuthorityName | undefined): string {
  if (authority === undefined) return ''
  return authority.state_name ? `${authority.name} · ${authority.state_name}` : authority.name
}

export function renderMessage(
  message: OpenedMessage,
  authorities: Authorities,
  onAcknowledge: () => void,
  isBeforeUs = false,
): HTMLElement {
  const element = clone('message')
  element.id = `item-${message.seq}`
  element.classList.add(message.isOwn ? 'is-own' : 'is-foreign')
  fill(element, {
    name: message.name,
    office: message.office,
    authority: authorityText(authorities.get(message.principal)),
    side: text(message.isOwn ? 'side-own' : authorities.size > 2 ? 'side-another' : 'side-foreign'),
  })
  setTime(slot(element, 'time'), message.receivedAt, clock)
  linkMore(element, message)
  renderHandling(element, message, false)
  fillText(element, message, isBeforeUs)
  const acknowledge = slot(element, 'acknowledge')
  show(acknowledge, !message.isOwn && message.failed === null)
  acknowledge.addEventListener('click', onAcknowledge)
  return element
}

/** Pages of their own for what is rarely done: proving one message, reporting it. */
function linkMore(element: HTMLElement, { seq, isOwn, failed }: OpenedMessage): void {
  for (const link of element.querySelectorAll<HTMLAnchorElement>('a[data-page-of-message]'))
    link.href = `${link.dataset.pageOfMessage}?message=${seq}`
  show(slot(element, 'more'), failed === null)
  show(slot(element, 'report'), !isOwn)
}

function fillText(element: HTMLElement, message: OpenedMessage, isBeforeUs: boolean): void {
  const place = slot(element, 'text')
  if (isBeforeUs) place.append(...paragraphs(text('message-before-us')))
  else if (message.failed !== null || message.body?.type !== 'note') {
    place.append(...paragraphs(text('message-failed')))
    element.classList.add('is-failed')
  } else {
    place.lang = message.language
    place.append(...paragraphs(message.body.text))
    fill(element, { language: languageName(message.language) })
    showAbout(element, message.body.about)
    show(slot(element, 'language'), !document.documentElement.lang.startsWith(message.language.slice(0, 2)))
  }
  const chosen = chosenMarks(message.marks)
  const warnings = message.marks.filter((mark) => !chosen.includes(mark))
  const marks = warnings.map((mark) => (hasText(`mark-${mark}`) ? text(`mark-${mark}`) : mark))
  fill(element, { marks: marks.join(' ') })
  show(slot(element, 'marks'), marks.length > 0)
}

/** To which message it belongs, and to which part of it. */
function showAbout(element: HTMLElement, about: AboutJson | null): void {
  if (about === null) return
  const link = slot<HTMLAnchorElement>(element, 'about-link')
  link.textContent = aboutText(about)
  link.href = `#item-${about.seq}`
  show(slot(element, 'about'), true)
}

/** How far an own message has come: icon and words, never colour alone. */
/** M8: said once, beside what else there is to say. */
export function renderUnanchored(element: HTMLElement): void {
  const place = element.querySelector<HTMLElement>('[data-slot="marks"]')
  if (place === null || place.dataset.unanchored === 'true') return
  place.dataset.unanchored = 'true'
  place.textContent = [place.textContent ?? '', text('mark-unanchored')].join(' ').trim()
  show(place, true)
}

export function renderStanding(element: HTMLElement, standing: Standing): void {
  const sign = clone(`standing-${standing.state}`)
  const words = slot(sign, 'words')
  if (standing.state === 'opened') words.textContent = text('state-opened', { time: dateTime(standing.at) })
  if (standing.state === 'acknowledged') words.textContent = acknowledgedText(standing.by)
  slot(element, 'standing').replaceChildren(sign)
}

/** On a foreign message: who of the own authority acknowledged it, or that it is on its way. */
export function renderAcknowledged(
  element: HTMLElement,
  by: OpenedMessage | undefined,
  isWaiting: boolean,
): void {
  const isOpen = by === undefined && !isWaiting && !element.classList.contains('is-failed')
  show(slot(element, 'acknowledge'), isOpen)
  if (!isOpen) slot(element, 'ask').replaceChildren()
  if (by === undefined && !isWaiting) {
    slot(element, 'standing').replaceChildren()
    return
  }
  const sign = clone(by ? 'standing-acknowledged' : 'standing-waiting')
  slot(sign, 'words').textContent = by ? acknowledgedText(by) : text('acknowledgement-waiting')
  slot(element, 'standing').replaceChildren(sign)
}

function acknowledgedText(by: OpenedMessage): string {
  return text('state-acknowledged', { name: by.name, office: by.office, time: dateTime(by.receivedAt) })
}

/** Small line for what is not a text: an entry of the thread's chain, or an acknowledgement. */
export function renderNotice(
  applied: Applied,
  authorities: Authorities,
  onAcknowledge: () => void,
): HTMLElement {
  const element = clone('thread-notice')
  element.id = `item-${applied.seq}`
  fill(element, { words: noticeText(applied, authorities) })
  setTime(slot(element, 'time'), applied.at)
  if (applied.type !== 'message') return element
  const facts = stepFacts(applied.message)
  if (facts) element.append(facts)
  if (takesAcknowledgement(applied.message)) element.append(urgentFoot(applied.message, onAcknowledge))
  return element
}

/** What a step that asks urgently has as a message has it: how urgent, how far it came, the acknowledgement. */
function urgentFoot({ urgency, isOwn }: OpenedMessage, onAcknowledge: () => void): HTMLElement {
  const foot = clone('urgent-foot')
  slot(foot, 'signs').append(urgencyBadge(urgency) ?? '')
  const acknowledge = slot(foot, 'acknowledge')
  show(acknowledge, !isOwn)
  acknowledge.addEventListener('click', onAcknowledge)
  return foot
}

/** M12: where the sealed part does not hold, the step stands and its reader is told. */
function stepText({ name, office, step, failed }: OpenedMessage): string {
  const stage = stageName(step)
  const isWanting = failed !== null && failed !== 'cannot-open'
  return text(isWanting ? 'notice-step-wanting' : 'notice-step', { name, office, stage })
}

function noticeText(applied: Applied, authorities: Authorities): string {
  if (applied.type === 'message') {
    const { name, office, kind } = applied.message
    if (kind === 'stage') return stepText(applied.message)
    return text(kind === 'statement' ? 'notice-statement' : 'notice-acknowledged', { name, office })
  }
  const nameOf = (principal: Hex) => authorityText(authorities.get(principal))
  const authority = nameOf(applied.by)
  if (applied.type === 'withdrawal') return text('notice-withdrawal', { authority })
  if (isMemberChange(applied)) return changeText(applied, nameOf)
  const key = `notice-${applied.reason}`
  return text(hasText(key) ? key : 'notice-entry', { authority })
}

export interface WaitingActions {
  onRetry(): void
  onTakeBack(): void
}

/** A message that was sealed here and is not stored yet. */
export function renderWaiting(entry: OutboxEntry, copy: Copy | null, actions: WaitingActions): HTMLElement {
  const element = clone('waiting-message')
  const words = copy?.step ? `${text('waiting-step')}\n${stageName(copy.step.step)}` : text('waiting-note')
  slot(element, 'text').append(...paragraphs(copy?.note?.text ?? words))
  if (copy?.note) slot(element, 'text').lang = copy.note.language
  const files = copy?.note?.files ?? []
  const names = files.map(({ name }) => name).join(', ')
  if (files.length > 0) fill(element, { files: text('waiting-files', { names }) })
  const problem = entry.problem
  show(slot(element, 'waiting'), problem === null)
  show(slot(element, 'problem'), problem !== null)
  show(slot(element, 'retry'), problem !== null)
  if (problem) fill(element, { 'problem-words': problem.message || sentenceFor(problem.code) })
  show(slot(element, 'take-back'), problem !== null || !isTried(entry))
  slot(element, 'retry').addEventListener('click', () => actions.onRetry())
  slot(element, 'take-back').addEventListener('click', () => actions.onTakeBack())
  return element
}
