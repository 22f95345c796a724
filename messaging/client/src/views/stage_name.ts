import type { OpenedMessage } from '../sealed/client.ts'
import { hasText, text } from './page.ts'

/** What a step in a case is called on this page. */
export const stageName = (step: OpenedMessage['step']): string => nameOfStage(step?.code ?? '')

export function nameOfStage(code: string): string {
  const key = `stage-${code}`
  return hasText(key) ? text(key) : code
}
