import type { AboutJson } from '../sealed/client.ts'
import { text } from './page.ts'

/** What a note is about, in words: the place of a message, and which part of it. */
export const aboutText = ({ seq, part }: AboutJson): string =>
  text('about', { number: seq, part: text(`fact-${part}`) })
