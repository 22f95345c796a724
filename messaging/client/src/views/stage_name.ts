import type { OpenedMessage } from '../sealed/client.ts'
import { hasText, text } from './page.ts'

/** What a step in a case is called on this page. */
export function stageName(step: OpenedMessage['step']): string {
  const key = `stage-${step?.code}`
  return hasText(key) ? text(key) : (step?.code ?? '')
}
