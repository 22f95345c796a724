import type { OpenedMessage } from '../sealed/client.ts'
import { dueDate } from './format.ts'
import { clone, hasText, paragraphs, slot, text } from './page.ts'

/** What a step says, fact by fact, and by when an answer is wanted; null where it cannot be read or says nothing. */
export function stepFacts({ body, language, due }: OpenedMessage): HTMLElement | null {
  if (body?.type !== 'stage') return null
  const list = clone('step-facts')
  for (const [name, fact] of Object.entries(body.facts)) {
    const lines = (typeof fact === 'object' ? fact : [wordsOf(name, fact)]).flatMap((one) => paragraphs(one))
    if (lines.length > 0) list.append(row(name, lines, language))
  }
  if (due !== null) list.append(row('due', paragraphs(dueDate(due)), ''))
  return list.childElementCount > 0 ? list : null
}

/** `language`: of what is said; empty where that is in the page's own. */
function row(name: string, lines: readonly HTMLElement[], language: string): HTMLElement {
  const element = clone('step-fact')
  slot(element, 'name').textContent = text(`fact-${name}`)
  const said = slot(element, 'said')
  said.append(...lines)
  if (language) said.lang = language
  return element
}

function wordsOf(name: string, fact: string | number): string {
  if (typeof fact === 'number') return dueDate(fact)
  const isGround = name === 'ground' && hasText(`ground-${fact}`)
  return isGround ? `${fact}: ${text(`ground-${fact}`)}` : fact
}
