import { Refused } from '../sealed/errors.ts'
import { Failure } from '../transport/failure.ts'
import { hasText, text } from './page.ts'

/** The sentence for what went wrong: the server's own, or the page's sentence for the code. */
export function sentence(error: unknown): string {
  if (error instanceof Failure) {
    if (error.message !== '') return error.message
    if (hasText(`failure-${error.code}`)) return text(`failure-${error.code}`)
    return error.status === 0 ? text('no-answer') : text('server-error')
  }
  if (error instanceof Refused) return sentenceFor(error.code)
  if (error instanceof DOMException && error.name === 'QuotaExceededError') return text('storage-full')
  return text('unexpected')
}

export function sentenceFor(code: string): string {
  return hasText(`refused-${code}`) ? text(`refused-${code}`) : text('refused', { code })
}

/** Put a sentence into an element with role alert, or empty it. */
export function showProblem(element: HTMLElement, error: unknown): void {
  element.textContent = error === null ? '' : sentence(error)
  element.hidden = error === null
}
