import { fileFacts } from './attachment.ts'
import { type Bytes, fromBase64, fromHex } from './encoding.ts'
import type { Body, Plaintext } from './message.ts'
import type { Base64, NoteInput, TermsJson } from './wire.ts'

/** What was written, as it is sealed. */
export const asPlaintext = (note: NoteInput): Plaintext => ({
  body: {
    type: 'note',
    text: note.text,
    reason: note.reason ?? null,
    files: (note.files ?? []).map(fileFacts),
    about: note.about ? { ...note.about, of: fromHex(note.about.of) } : null,
    moment: note.moment ?? null,
  },
  language: note.language,
  subject: note.subject ?? null,
  ownReference: note.ownReference ?? null,
  foreignReference: note.foreignReference ?? null,
  urgency: note.urgency ?? 0,
  due: note.due ?? null,
  marks: note.marks ?? [],
})

/** The formal acknowledgement of the message `of`. */
export const acknowledgementOf = (of: Bytes, seq: number): Plaintext =>
  plain({ type: 'acknowledgement', of, seq })

/** A signed statement on its way to the others or to colleagues; `terms`: of a mandate, or why a consent is given. */
export const statementOf = (statement: Base64, terms: TermsJson | null): Plaintext =>
  plain({
    type: 'statement',
    statement: fromBase64(statement),
    terms: terms && { blind: terms.blind === null ? null : fromBase64(terms.blind), text: terms.text },
  })

const plain = (body: Body): Plaintext => ({
  body,
  language: '',
  subject: null,
  ownReference: null,
  foreignReference: null,
  urgency: 0,
  due: null,
})
