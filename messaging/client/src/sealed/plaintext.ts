// The sealed text of a message: its bodies, limits, padding, and what a reader takes (rules M3, M5).

import { ABOUT } from '../generated/turns.ts'
import { type FileFacts, type FileHeader, fileValue, readFiles } from './attachment.ts'
import { type Enclosure, enclosureValue, readEnclosure } from './enclosure.ts'
import { type Bytes, decode, encode, type Value, type ValueMap } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { checkMarks, type HandlingMark, OLD_CHECKPOINT } from './marks.ts'
import { Fields } from './statement.ts'
import { type Facts, factValues, readFacts, type Step } from './steps.ts'

/** Sizes of a ciphertext in bytes; each holds a blind (32), the padded text and a tag (16). */
export const SIZES = [512, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 40960]
const OVERHEAD = 48
export const KINDS: readonly string[] = ['note', 'acknowledgement', 'statement', 'stage']
const SUBJECT_LIMIT = 200
const REFERENCE_LIMIT = 100
const LANGUAGE_LIMIT = 35
const REASON_LIMIT = 200
const PART_LIMIT = 20
/** The end of the year 9999: no reader's calendar goes further. */
const LAST_DUE = 253_402_300_799
const isDate = (at: number): boolean => at > 0 && at <= LAST_DUE

export type MessageKind = 'note' | 'acknowledgement' | 'statement' | 'stage'
/** Ordinary; urgent; at once, because liberty, evidence or assets are at risk. */
export const URGENCIES = [0, 1, 2] as const
export type Urgency = (typeof URGENCIES)[number]
export type Body =
  | {
      readonly type: 'note'
      readonly text: string
      readonly reason: string | null
      readonly files: readonly FileFacts[]
      readonly about: About | null
      /** When all are to act together, unix seconds. */
      readonly moment: number | null
    }
  | { readonly type: 'acknowledgement'; readonly of: Bytes; readonly seq: number }
  | Enclosure
  | StageChange

/** What a note is about: the message `of` (its id) at `seq`, and which part of it, of ABOUT. */
export interface About {
  readonly of: Bytes
  readonly seq: number
  readonly part: string
}

/** A step in a case: it stands in the header, its facts are sealed. */
export interface StageChange {
  readonly type: 'stage'
  readonly step: Step
  readonly facts: Facts
}

const CHECKPOINT_LIMIT = 8_192

export interface Plaintext {
  readonly body: Body
  readonly language: string
  readonly subject: string | null
  readonly ownReference: string | null
  readonly foreignReference: string | null
  /** The log's signed note that the header's `log` names: whoever seals sets it (gossip). */
  readonly checkpoint?: string | null
  readonly marks?: readonly HandlingMark[]
  /** Urgency and date wanted (unix seconds) stand in the header; their reason stays in the sealed body. */
  readonly urgency: Urgency
  readonly due: number | null
}

export function bodyValue(body: Body): ValueMap {
  if (body.type === 'acknowledgement') return { type: body.type, of: body.of, seq: body.seq }
  if (body.type === 'statement') return enclosureValue(body)
  if (body.type === 'stage') return { type: body.type, facts: factValues(body.facts) }
  const { type, text, reason, files, about, moment } = body
  const value: Record<string, Value> = { type, text }
  if (reason !== null) value.reason = reason
  if (files.length > 0) value.files = files.map(fileValue)
  if (about !== null) value.about = { of: about.of, part: about.part, seq: about.seq }
  if (moment !== null) value.moment = moment
  return value
}

/** The smallest size for a text of `length` bytes and its mark. */
const sizeFor = (length: number): number | undefined => SIZES.find((size) => size - OVERHEAD > length)

/** The size of a padded draft: the steps of messages, and further ones for what is too long to send. */
export const draftSize = (length: number): number =>
  SIZES.find((size) => size >= length) ?? Math.ceil(length / 4096) * 4096

/** CBOR, 0x80, zeros up to the smallest size. @throws Refused bad-size when no size holds it */
export function pad(text: Bytes): Bytes {
  const size = sizeFor(text.length)
  if (size === undefined) throw new Refused('M3', 'bad-size', 'the message is too long')
  const padded = new Uint8Array(size - OVERHEAD)
  padded.set(text)
  padded[text.length] = 0x80
  return padded
}

export function unpad(padded: Bytes): Bytes {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  const isSmallest = sizeFor(Math.max(end, 0)) === padded.length + OVERHEAD
  insist(padded[end] === 0x80 && isSmallest, 'M5', 'wrong-body', 'the padding does not hold')
  return padded.slice(0, end)
}

function readBody(value: Value, headers: readonly FileHeader[], step: Step | null): Body {
  const type = (value as ValueMap | null)?.type
  if (type === 'note') {
    const further = ['about', 'reason', 'files', 'moment'].filter((name) => name in (value as ValueMap))
    const fields = new Fields(value, ['type', 'text', ...further])
    const reason = further.includes('reason') ? fields.text('reason', REASON_LIMIT) : null
    insist(reason !== '', 'M5', 'wrong-body', 'a reason without words')
    const values = further.includes('files') ? fields.list('files') : null
    insist(values?.length !== 0, 'M5', 'wrong-files', 'a list of files without one') // M5
    const files = readFiles(values ?? [], headers)
    const about = further.includes('about') ? readAbout(fields.raw('about')) : null
    const moment = further.includes('moment') ? fields.uint('moment') : null
    insist(moment === null || isDate(moment), 'M5', 'wrong-body', 'a moment that no calendar has') // M5
    return { type, text: fields.text('text', SIZES.at(-1) ?? 0), reason, files, about, moment }
  }
  if (type === 'statement') return readEnclosure(value)
  if (type === 'stage' && step !== null) return { type, step, facts: readFacts(value) }
  const fields = new Fields(value, ['type', 'of', 'seq'])
  insist(type === 'acknowledgement', 'M5', 'wrong-body', 'a body of an unknown type')
  return { type, of: fields.bytes('of', 16), seq: fields.uint('seq') }
}

function readAbout(value: Value): About {
  const fields = new Fields(value, ['of', 'part', 'seq'])
  const part = fields.text('part', PART_LIMIT)
  insist(ABOUT.includes(part), 'M5', 'wrong-body', 'about a part that no message has') // M5
  return { of: fields.bytes('of', 16), seq: fields.uint('seq'), part }
}

const PLAINTEXT = ['body', 'checkpoint', 'foreign_reference', 'language', 'marks', 'own_reference', 'subject']

export type Handling = Pick<Plaintext, 'urgency' | 'due'> & { readonly step: Step | null }

function readPlaintext(
  text: Bytes,
  { urgency, due, step }: Handling,
  files: readonly FileHeader[],
): Plaintext {
  const fields = new Fields(decode(text), PLAINTEXT)
  const marks = checkMarks(fields.list('marks')) // M5
  const isOld = marks.includes(OLD_CHECKPOINT)
  insist(!isOld || urgency !== 0, 'M5', 'wrong-body', 'an old checkpoint without an urgency') // L4 M5
  const body = readBody(fields.raw('body'), files, step)
  const isExplained = body.type === 'note' && body.reason !== null
  const isHandled = body.type !== 'stage' && (urgency !== 0 || due !== null)
  insist(isExplained === isHandled, 'M5', 'wrong-body', 'a reason stands exactly with an urgency or a date') // M5
  return {
    body,
    language: fields.text('language', LANGUAGE_LIMIT),
    subject: fields.textOrNull('subject', SUBJECT_LIMIT),
    ownReference: fields.textOrNull('own_reference', REFERENCE_LIMIT),
    foreignReference: fields.textOrNull('foreign_reference', REFERENCE_LIMIT),
    checkpoint: fields.textOrNull('checkpoint', CHECKPOINT_LIMIT),
    marks,
    urgency,
    due,
  }
}

/** M3: a known urgency and a date that calendars have, both only with a note or a step. */
export function checkHandling(kind: string, urgency: number, due: number | null): asserts urgency is Urgency {
  const isKnown = (URGENCIES as readonly number[]).includes(urgency)
  const isFitting = kind === 'note' || kind === 'stage' || (urgency === 0 && due === null)
  insist(
    isKnown && (due === null || isDate(due)) && isFitting,
    'M3',
    'unknown-field-value',
    'an unknown urgency or date',
  ) // M3
}

export const encodePlaintext = (plaintext: Plaintext): Bytes =>
  encode({
    body: bodyValue(plaintext.body),
    checkpoint: plaintext.checkpoint ?? null,
    foreign_reference: plaintext.foreignReference,
    language: plaintext.language,
    marks: [...(plaintext.marks ?? [])],
    own_reference: plaintext.ownReference,
    subject: plaintext.subject,
  })

/** Whether a message can hold this. */
export const fits = (plaintext: Plaintext): boolean =>
  sizeFor(encodePlaintext(plaintext).length) !== undefined

/** M5: a text of another shape is a wrong body, whatever the shape lacks. */
export function readOrRefuse(text: Bytes, handling: Handling, files: readonly FileHeader[]): Plaintext {
  try {
    return readPlaintext(text, handling, files)
  } catch (error) {
    if (error instanceof Refused && error.code === 'wrong-files') throw error // M5
    if (error instanceof Refused) throw new Refused('M5', 'wrong-body', error.detail)
    throw error
  }
}
