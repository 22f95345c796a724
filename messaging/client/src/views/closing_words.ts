import { hasText, text } from './page.ts'

/** What closing a case says by codes, in words of this page; null for what was written in words. */
export function closingWords(fact: string, line: string): string | null {
  if (fact === 'outcome') return wordsOf('outcome', line)
  const [, question = '', answer = ''] = /^([a-z]+): (.*)$/.exec(line) ?? []
  const asked = fact === 'evaluation' ? wordsOf('question', question) : null
  return asked === null ? null : `${asked} ${wordsOf('answer', answer) ?? answer}`
}

function wordsOf(kind: string, code: string): string | null {
  const key = `${kind}-${code}`
  return hasText(key) ? text(key) : null
}
