// What the step that closes a case asks for: its outcome, and an evaluation in three questions, any of which may stay
// unanswered. Both are said by codes, so that each side reads them in its own language.
import { OUTCOMES, QUESTIONS } from '../generated/stages.ts'
import type { Facts } from '../sealed/steps.ts'
import { clone, slot, splitParagraphs, text } from './page.ts'

const OUTCOME = 'closed-as'
/** Characters of one line of the answer in words; before it stands the question. */
const WORDS_MOST = 480
const WORDS_LINES = 20

/** The fields of the step, by the names they have in drafts. */
export const CLOSING_FIELDS: readonly string[] = [OUTCOME, ...Object.keys(QUESTIONS)]

/** The field with this name, empty. */
export function closingField(name: string): HTMLElement {
  if (name === OUTCOME) {
    const field = clone('fact-ground')
    fillWith(field, 'outcome', OUTCOMES, text('choose'))
    slot<HTMLSelectElement>(field, 'input').required = true
    return named(field, 'fact', 'outcome')
  }
  const answers = QUESTIONS[name] ?? []
  const field = clone(answers.length > 0 ? 'fact-answer' : 'fact-text')
  if (answers.length > 0) fillWith(field, 'answer', answers, '')
  else slot<HTMLTextAreaElement>(field, 'input').maxLength = WORDS_MOST
  slot(field, 'optional').hidden = false
  return named(field, 'question', name)
}

function named(field: HTMLElement, kind: string, code: string): HTMLElement {
  slot(field, 'label').textContent = text(`${kind}-${code}`)
  return field
}

function fillWith(field: HTMLElement, kind: string, codes: readonly string[], none: string): void {
  const choices = codes.map((code) => new Option(text(`${kind}-${code}`), code))
  slot<HTMLSelectElement>(field, 'input').replaceChildren(new Option(none, ''), ...choices)
}

/** What the step says, from what stands in its fields. */
export function closingFacts(said: (field: string) => string): Facts {
  const evaluation = Object.keys(QUESTIONS).flatMap((question) =>
    splitParagraphs(said(question))
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .slice(0, WORDS_LINES)
      .map((line) => `${question}: ${line}`),
  )
  return { outcome: said(OUTCOME), evaluation }
}

/** What stood in the fields of a step that said this. */
export function closingDraft({ outcome, evaluation }: Facts): [string, string][] {
  const lines = typeof evaluation === 'object' ? evaluation : []
  const answers = Object.keys(QUESTIONS).map((question): [string, string] => {
    const own = lines.filter((line) => line.startsWith(`${question}: `))
    return [question, own.map((line) => line.slice(question.length + 2)).join('\n')]
  })
  return [[OUTCOME, String(outcome ?? '')], ...answers]
}
