import type { DeviceStatement } from './device.ts'
import {
  type Bytes,
  concat,
  context,
  contextHash,
  decode,
  deriveKey,
  encode,
  equal,
  randomBytes,
  sha256,
  toHex,
  type Value,
  type ValueMap,
  ZERO,
} from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Author } from './keyring.ts'
import { aeadOpen, aeadSeal } from './keys.ts'
import { asBytes, asList, Fields, parse, sign, verify } from './statement.ts'
import {
  type After,
  appendItem,
  type By,
  byValue,
  checkAuthor,
  endOf,
  type Keyrings,
  readAfter,
  readBy,
  type ThreadState,
  type Writer,
} from './thread_rules.ts'

/** Sizes of a ciphertext in bytes; each holds a blind (32), the padded text and a tag (16). */
export const SIZES = [512, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 40960]
const OVERHEAD = 48
const KINDS: readonly string[] = ['note', 'acknowledgement']
const SUBJECT_LIMIT = 200
const REFERENCE_LIMIT = 100
const LANGUAGE_LIMIT = 35
/** How many refused messages one message can name (M4). */
export const VOID_LIMIT = 16

export type MessageKind = 'note' | 'acknowledgement'
export type Body =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'acknowledgement'; readonly of: Bytes; readonly seq: number }

export interface Plaintext {
  readonly body: Body
  readonly language: string
  readonly subject: string | null
  readonly ownReference: string | null
  readonly foreignReference: string | null
}

/** A message header whose rules M1 to M4 and M7 hold; `marks` are what a reader is shown. */
export interface Message {
  readonly thread: Bytes
  readonly n: number
  readonly by: By
  readonly id: Bytes
  readonly counter: number
  readonly kind: MessageKind
  readonly plain: Bytes
  /** Unix seconds, as the sender says. */
  readonly at: number
  readonly device: DeviceStatement
  readonly hash: Bytes
  readonly marks: readonly Mark[]
}

/** M4, shown and not refused by a reader. */
export type Mark = 'counter-gap' | 'wrong-previous' | 'never-delivered'

// ---------------------------------------------------------------- the text

function bodyValue(body: Body): ValueMap {
  return body.type === 'note'
    ? { type: 'note', text: body.text }
    : { type: body.type, of: body.of, seq: body.seq }
}

/** The smallest size for a text of `length` bytes and its mark. */
const sizeFor = (length: number): number | undefined => SIZES.find((size) => size - OVERHEAD > length)

/** The size of a padded draft: the steps of messages, and further ones for what is too long to send. */
export const draftSize = (length: number): number =>
  SIZES.find((size) => size >= length) ?? Math.ceil(length / 4096) * 4096

/** CBOR, 0x80, zeros up to the smallest size. @throws Refused bad-size when no size holds it */
function pad(text: Bytes): Bytes {
  const size = sizeFor(text.length)
  if (size === undefined) throw new Refused('M3', 'bad-size', 'the message is too long')
  const padded = new Uint8Array(size - OVERHEAD)
  padded.set(text)
  padded[text.length] = 0x80
  return padded
}

function unpad(padded: Bytes): Bytes {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  const isSmallest = sizeFor(Math.max(end, 0)) === padded.length + OVERHEAD
  insist(padded[end] === 0x80 && isSmallest, 'M5', 'wrong-body', 'the padding does not hold')
  return padded.slice(0, end)
}

function readBody(value: Value): Body {
  const type = (value as ValueMap | null)?.type
  if (type === 'note') {
    const fields = new Fields(value, ['type', 'text'])
    return { type, text: fields.text('text', SIZES.at(-1) ?? 0) }
  }
  const fields = new Fields(value, ['type', 'of', 'seq'])
  insist(type === 'acknowledgement', 'M5', 'wrong-body', 'a body of an unknown type')
  return { type, of: fields.bytes('of', 16), seq: fields.uint('seq') }
}

const PLAINTEXT = ['body', 'checkpoint', 'foreign_reference', 'language', 'marks', 'own_reference', 'subject']

function readPlaintext(text: Bytes): Plaintext {
  const fields = new Fields(decode(text), PLAINTEXT)
  const isPlain = fields.isNull('checkpoint') && fields.list('marks').length === 0
  insist(isPlain, 'M5', 'wrong-body', 'checkpoints and marks are not known')
  return {
    body: readBody(fields.raw('body')),
    language: fields.text('language', LANGUAGE_LIMIT),
    subject: fields.textOrNull('subject', SUBJECT_LIMIT),
    ownReference: fields.textOrNull('own_reference', REFERENCE_LIMIT),
    foreignReference: fields.textOrNull('foreign_reference', REFERENCE_LIMIT),
  }
}

const encodePlaintext = (plaintext: Plaintext): Bytes =>
  encode({
    body: bodyValue(plaintext.body),
    checkpoint: null,
    foreign_reference: plaintext.foreignReference,
    language: plaintext.language,
    marks: [],
    own_reference: plaintext.ownReference,
    subject: plaintext.subject,
  })

interface MessagePlace {
  readonly thread: Bytes
  readonly n: number
  readonly id: Bytes
  readonly device: Bytes
  readonly plain: Bytes
}

/** `plain` in the key makes a repeated id or a rolled-back machine harmless. */
const messageKey = (
  net: string,
  secret: Bytes,
  { thread, n, id, device, plain }: MessagePlace,
): Promise<Bytes> => deriveKey(net, secret, 'message key', thread, n, id, device, plain)

const messageAad = (net: string, { thread, n, id, device }: MessagePlace): Bytes =>
  context(net, 'message', thread, n, id, device)

// ---------------------------------------------------------------- sealing

export interface MessageDraft {
  readonly thread: Bytes
  readonly n: number
  readonly head: Bytes
  readonly by: By
  readonly counter: number
  /** Hash of the message that this device signed before, zero at its first. */
  readonly prev: Bytes
  /** Ids of this device's refused messages since its last accepted one. */
  readonly void: readonly Bytes[]
  readonly after: After
}

/** A signed header and its ciphertext. `secret`: that of epoch `n`. `id` is random unless a test gives one. */
export async function sealMessage(
  net: string,
  draft: MessageDraft,
  plaintext: Plaintext,
  { secret, author, at }: { secret: Bytes; author: Author; at: number },
): Promise<{ id: Bytes; item: Bytes; ciphertext: Bytes }> {
  const id = randomBytes(16)
  const text = encodePlaintext(plaintext)
  const padded = pad(text)
  readOrRefuse(text) // what we would refuse we do not send
  const blind = randomBytes(32)
  const plain = await contextHash(net, 'plain', blind, padded)
  const place = { thread: draft.thread, n: draft.n, id, device: author.id, plain }
  const key = await messageKey(net, secret, place)
  const ciphertext = await aeadSeal(key, concat(blind, padded), messageAad(net, place))
  const fields = {
    thread: draft.thread,
    n: draft.n,
    head: draft.head,
    by: byValue(draft.by),
    id,
    counter: draft.counter,
    prev: draft.prev,
    void: [...draft.void],
    after: { seq: draft.after.seq, hash: draft.after.hash },
    kind: plaintext.body.type,
    stage: null,
    urgency: 0,
    due: null,
    plain,
    cipher: await sha256(ciphertext),
    files: [],
    log: null,
    acts: [],
  }
  return { id, item: await sign(net, 'message', fields, { at, kid: author.id, key: author.key }), ciphertext }
}

/** @throws Refused cannot-open, wrong-plain, wrong-body (M5) */
export async function openMessage(
  net: string,
  message: Pick<Message, 'thread' | 'n' | 'id' | 'device' | 'plain' | 'kind'>,
  ciphertext: Bytes,
  secret: Bytes,
): Promise<Plaintext> {
  const place = { ...message, device: message.device.id }
  const opened = await aeadOpen(await messageKey(net, secret, place), ciphertext, messageAad(net, place))
  const [blind, padded] = [opened.slice(0, 32), opened.slice(32)]
  const plain = await contextHash(net, 'plain', blind, padded)
  insist(equal(plain, message.plain), 'M5', 'wrong-plain', 'the text is not the signed one') // M5
  const plaintext = readOrRefuse(unpad(padded))
  insist(plaintext.body.type === message.kind, 'M5', 'wrong-body', 'the body is of another kind') // M5
  return plaintext
}

/** M5: a text of another shape is a wrong body, whatever the shape lacks. */
function readOrRefuse(text: Bytes): Plaintext {
  try {
    return readPlaintext(text)
  } catch (error) {
    if (error instanceof Refused) throw new Refused('M5', 'wrong-body', error.detail)
    throw error
  }
}

// ---------------------------------------------------------------- reading

interface Header extends MessageDraft {
  readonly id: Bytes
  readonly kind: MessageKind
  readonly plain: Bytes
  readonly cipher: Bytes
}

/** M3: what this part of S1 does not know is refused. */
function refuseLaterParts(fields: Fields): void {
  insist(KINDS.includes(fields.text('kind')), 'M3', 'unknown-kind', 'a message of an unknown kind')
  const areNull = ['stage', 'due', 'log'].every((name) => fields.isNull(name))
  const isPlain = areNull && fields.uint('urgency') === 0 && fields.list('files').length === 0
  insist(isPlain, 'M3', 'unknown-field-value', 'stages, urgency, dates, files and the log are not known')
  insist(fields.list('acts').length === 0, 'M3', 'unknown-act', 'acts must be empty')
}

function readHeader(fields: Fields): Header {
  refuseLaterParts(fields)
  return {
    thread: fields.bytes('thread', 32),
    n: fields.uint('n'),
    head: fields.bytes('head', 32),
    by: readBy(fields),
    id: fields.bytes('id', 16),
    counter: fields.uint('counter'),
    prev: fields.bytes('prev', 32),
    void: asList(fields.raw('void'), 'void', VOID_LIMIT).map((id) => asBytes(id, 16, 'void')),
    after: readAfter(fields),
    kind: fields.text('kind') as MessageKind,
    plain: fields.bytes('plain', 32),
    cipher: fields.bytes('cipher', 32),
  }
}

/** M1, T4: sealed in the newest epoch before it in the sequence. */
function checkEpoch(state: ThreadState, header: Header): void {
  insist(equal(header.thread, state.thread), 'M1', 'wrong-thread', 'a message of another thread')
  insist(header.n >= state.n, 'T4', 'stale-epoch', 'sealed in an epoch that has ended') // T4
  const isCurrent = header.n === state.n && equal(header.head, state.head)
  insist(isCurrent, 'M1', 'wrong-epoch', 'sealed in an epoch that is not on this thread')
}

/** M4: what does not fit the device's own chain. */
function findMarks(state: ThreadState, header: Header, writer: Writer | undefined): Mark[] {
  const marks: Mark[] = []
  const named = new Set(header.void.map(toHex))
  const expected = (writer ? writer.counter + 1 : 0) + header.void.length
  const isNext = header.counter === expected && named.size === header.void.length
  const isPrevious = header.void.length > 0 || equal(header.prev, writer?.prev ?? ZERO)
  if (!isNext) marks.push('counter-gap')
  else if (!isPrevious) marks.push('wrong-previous')
  const id = toHex(header.id)
  if (state.voided.has(id) || named.has(id)) marks.push('never-delivered')
  return marks
}

/** M7: signed on this transcript, at or past `least`: the device's message before. */
function checkAfter(state: ThreadState, { after }: Header, least: number): void {
  const hash = state.transcript[after.seq]
  const isOurs = hash !== undefined && equal(hash, after.hash) && after.seq >= least
  insist(isOurs, 'M7', 'wrong-transcript', 'the sender saw another transcript')
}

/** The thread with one more message. @throws Refused E1, E2, M1, M2, M3, M7, T4 */
export async function acceptMessage(
  net: string,
  state: ThreadState,
  keyrings: Keyrings,
  { item, ciphertext }: { item: Bytes; ciphertext: Bytes },
): Promise<{ state: ThreadState; message: Message }> {
  const statement = await parse(net, item, 'message')
  const header = readHeader(statement.fields)
  checkEpoch(state, header) // M1, T4
  const { members, lowest } = state
  const device = checkAuthor('M1', header.by, statement.kid, { members, lowest, keyrings }) // M1
  await verify(statement, device.sig, net) // M3
  insist(SIZES.includes(ciphertext.length), 'M3', 'bad-size', 'a ciphertext of another size') // M3
  insist(equal(await sha256(ciphertext), header.cipher), 'M3', 'wrong-cipher', 'not the signed ciphertext') // M3
  const id = toHex(header.id)
  insist(!state.ids.has(id, state.seq), 'M2', 'repeated-id', 'a message with this id is here already') // M2
  const name = toHex(device.id)
  const writer = state.writers.get(name)
  const isVoided = state.voided.has(id) // M4: turns up late, so it is shown and counts for nothing
  checkAfter(state, header, isVoided ? 1 : (writer?.seq ?? 1)) // M7
  const marks = findMarks(state, header, writer) // M4
  const next = await appendItem(net, state, { item: statement.hash, by: header.by, id })
  const place = { counter: header.counter, prev: statement.hash, seq: endOf(next).seq }
  return {
    state: {
      ...next,
      writers: isVoided ? state.writers : new Map(state.writers).set(name, place),
      voided: header.void.length > 0 ? new Set([...state.voided, ...header.void.map(toHex)]) : state.voided,
    },
    message: { ...header, at: statement.at, device, hash: statement.hash, marks },
  }
}
