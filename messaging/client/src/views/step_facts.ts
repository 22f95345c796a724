import type { OpenedMessage } from '../sealed/client.ts'
import { closingWords } from './closing_words.ts'
import { dueDate } from './format.ts'
import { clone, hasText, paragraphs, slot, text } from './page.ts'

/** What a step says, fact by fact, and by when an answer is wanted; null where it cannot be read or says nothing. */
export function stepFacts({ body, language, due }: OpenedMessage): HTMLElement | null {
  if (body?.type !== 'stage') return null
  const list = clone('step-facts')
  for (const [name, fact] of Object.entries(body.facts)) {
    const lines = (typeof fact === 'object' ? fact : [fact]).flatMap((one) => said(name, one, language))
    if (lines.length > 0) list.append(row(name, lines))
  }
  if (due !== null) list.append(row('due', paragraphs(dueDate(due))))
  return list.childElementCount > 0 ? list : null
}

function row(name: string, lines: readonly HTMLElement[]): HTMLElement {
  const element = clone('step-fact')
  slot(element, 'name').textContent = text(`fact-${name}`)
  slot(element, 'said').append(...lines)
  return element
}

/** `language`: of what is written in words; dates and codes are said in the page's own. */
function said(name: string, fact: string | number, language: string): HTMLElement[] {
  if (typeof fact === 'number') return paragraphs(dueDate(fact))
  const words = codeWords(name, fact)
  const lines = paragraphs(words ?? fact)
  if (words === null) for (const line of lines) line.lang = language
  return lines
}

function codeWords(name: string, fact: string): string | null {
  if (name !== 'ground') return closingWords(name, fact)
  return hasText(`ground-${fact}`) ? `${fact}: ${text(`ground-${fact}`)}` : null
}
