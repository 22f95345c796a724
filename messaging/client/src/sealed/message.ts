import { type FileHeader, headerOf, headerValue, readHeaders } from './attachment.ts'
import type { DeviceStatement } from './device.ts'
import {
  type Bytes,
  concat,
  context,
  contextHash,
  deriveKey,
  equal,
  randomBytes,
  sha256,
  toHex,
  ZERO,
} from './encoding.ts'
import { insist } from './errors.ts'
import type { Author } from './keyring.ts'
import { aeadOpen, aeadSeal } from './keys.ts'
import {
  type Body,
  bodyValue,
  checkHandling,
  draftSize,
  encodePlaintext,
  fits,
  type Handling,
  KINDS,
  type MessageKind,
  type Plaintext,
  pad,
  readOrRefuse,
  SIZES,
  URGENCIES,
  type Urgency,
  unpad,
} from './plaintext.ts'
import { asBytes, asList, Fields, parse, sign, verify } from './statement.ts'
import { readStep, type Step, stageRules, stepValue } from './steps.ts'
import { WRITING_ROLES } from './thread_entry.ts'
import {
  type After,
  appendItem,
  type By,
  byValue,
  checkAuthor,
  endedMembers,
  endOf,
  type Keyrings,
  memberOf,
  readAfter,
  readBy,
  type ThreadState,
  type Writer,
} from './thread_rules.ts'

export {
  type Body,
  bodyValue,
  draftSize,
  fits,
  type MessageKind,
  type Plaintext,
  SIZES,
  URGENCIES,
  type Urgency,
}

/** How many refused messages one message can name (M4). */
export const VOID_LIMIT = 16

/** A message header whose rules M1 to M4 and M7 hold; `marks` are what a reader is shown. */
export interface Message {
  readonly thread: Bytes
  readonly n: number
  readonly by: By
  readonly after: After
  readonly id: Bytes
  readonly counter: number
  readonly kind: MessageKind
  readonly urgency: Urgency
  readonly due: number | null
  readonly files: readonly FileHeader[]
  readonly step: Step | null
  readonly plain: Bytes
  /** Unix seconds, as the sender says. */
  readonly at: number
  readonly device: DeviceStatement
  readonly hash: Bytes
  readonly log: LogPlace | null
  readonly marks: readonly Mark[]
}

/** The newest checkpoint of the transparency log that the sender had verified (L6). */
export interface LogPlace {
  readonly size: number
  readonly root: Bytes
}

/** M4, shown and not refused by a reader. */
export type Mark = 'counter-gap' | 'wrong-previous' | 'never-delivered'

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
  readonly log?: LogPlace | null
}

/** A signed header and its ciphertext. `secret`: that of epoch `n`. `id` is random unless a test gives one. */
export async function sealMessage(
  net: string,
  draft: MessageDraft,
  plaintext: Plaintext,
  { secret, author, at }: { secret: Bytes; author: Author; at: number },
): Promise<{ id: Bytes; item: Bytes; ciphertext: Bytes }> {
  const id = randomBytes(16)
  const { body, urgency, due } = plaintext
  const step = body.type === 'stage' ? body.step : null
  checkHandling(body.type, urgency, due) // M3
  const text = encodePlaintext(plaintext)
  const padded = pad(text)
  const headers = body.type === 'note' ? body.files.map(headerOf) : []
  const read = readOrRefuse(text, { urgency, due, step }, headers) // what we would refuse we do not send
  if (step) await checkHeaderStep({ step, urgency, due })
  await checkSealedFacts(read) // M12
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
    kind: body.type,
    stage: step && stepValue(step),
    urgency,
    due,
    plain,
    cipher: await sha256(ciphertext),
    files: headers.map(headerValue),
    log: draft.log ? { size: draft.log.size, root: draft.log.root } : null,
    acts: [],
  }
  return { id, item: await sign(net, 'message', fields, { at, kid: author.id, key: author.key }), ciphertext }
}

type Sealing = Pick<Message, 'thread' | 'n' | 'id' | 'plain'> & { readonly device: { readonly id: Bytes } }
type Committed = Pick<Message, 'plain' | 'kind' | 'urgency' | 'due' | 'files' | 'step'>

/** @throws Refused cannot-open, wrong-plain, wrong-body (M5) */
export async function openMessage(
  net: string,
  message: Sealing & Committed,
  ciphertext: Bytes,
  secret: Bytes,
): Promise<Plaintext> {
  const key = await keyOfMessage(net, message, secret)
  return readPadded(net, message, await openPadded(net, message, ciphertext, key))
}

/** The key of this one message; no other message opens with it. `secret`: that of its epoch. */
export const keyOfMessage = (net: string, message: Sealing, secret: Bytes): Promise<Bytes> =>
  messageKey(net, secret, { ...message, device: message.device.id })

/** With the message's own key. @throws Refused cannot-open */
export async function openPadded(
  net: string,
  message: Sealing,
  ciphertext: Bytes,
  key: Bytes,
): Promise<{ blind: Bytes; padded: Bytes }> {
  const opened = await aeadOpen(key, ciphertext, messageAad(net, { ...message, device: message.device.id }))
  return { blind: opened.slice(0, 32), padded: opened.slice(32) }
}

/** The text that the header commits to; no key is needed. @throws Refused wrong-plain, wrong-body (M5) */
export async function readPadded(
  net: string,
  message: Committed,
  { blind, padded }: { blind: Bytes; padded: Bytes },
): Promise<Plaintext> {
  const plain = await contextHash(net, 'plain', blind, padded)
  insist(equal(plain, message.plain), 'M5', 'wrong-plain', 'the text is not the signed one') // M5
  const plaintext = readOrRefuse(unpad(padded), message, message.files)
  insist(plaintext.body.type === message.kind, 'M5', 'wrong-body', 'the body is of another kind') // M5
  await checkSealedFacts(plaintext) // M12
  await checkTerms(net, plaintext)
  return plaintext
}

/** M5: what is read of a mandate is what it commits to, and so what is consented to. */
async function checkTerms(net: string, { body }: Plaintext): Promise<void> {
  if (body.type !== 'statement' || !body.terms?.blind) return
  const { readMandate, termsHash } = await import('./mandate.ts')
  const { terms } = await readMandate(net, body.statement)
  const isSame = equal(terms, await termsHash(net, body.terms.blind, body.terms.text))
  insist(isSame, 'M5', 'wrong-body', 'the text is not the one that the mandate commits to') // M5
}

/** M12: what a step says is what its stage demands. */
async function checkSealedFacts({ body }: Plaintext): Promise<void> {
  if (body.type === 'stage') (await stageRules()).checkFacts(body.step, body.facts) // M12
}

/** M10: a step that the table has, with the urgency and date of its stage. */
async function checkHeaderStep({ step, urgency, due }: Handling): Promise<void> {
  if (step === null) return
  const { checkStep, checkStepHandling } = await stageRules()
  checkStep(step) // M10
  checkStepHandling(step, { urgency, due }) // M10
}

// ---------------------------------------------------------------- reading

export interface Header extends MessageDraft {
  readonly id: Bytes
  readonly kind: MessageKind
  readonly urgency: Urgency
  readonly due: number | null
  readonly plain: Bytes
  readonly cipher: Bytes
  readonly files: readonly FileHeader[]
  readonly step: Step | null
  readonly log: LogPlace | null
}

/** M3: what this part of S1 does not know is refused. */
function refuseLaterParts(fields: Fields): void {
  insist(KINDS.includes(fields.text('kind')), 'M3', 'unknown-kind', 'a message of an unknown kind')
  insist(fields.list('acts').length === 0, 'M3', 'unknown-act', 'acts must be empty')
}

function readLog(fields: Fields): LogPlace | null {
  if (fields.isNull('log')) return null
  const found = new Fields(fields.raw('log'), ['root', 'size'])
  const place = { size: found.uint('size'), root: found.bytes('root', 32) }
  insist(place.size > 0, 'M3', 'unknown-field-value', 'an empty log says nothing')
  return place
}

export function readHeader(fields: Fields): Header {
  refuseLaterParts(fields)
  const urgency = fields.uint('urgency')
  const due = fields.isNull('due') ? null : fields.uint('due')
  checkHandling(fields.text('kind'), urgency, due) // M3
  const files = readHeaders(fields)
  const isFitting = files.length === 0 || fields.text('kind') === 'note'
  insist(isFitting, 'M3', 'wrong-files', 'files go with a note only') // M3
  const step = readStep(fields)
  const isStep = fields.text('kind') === 'stage'
  insist(isStep === (step !== null), 'M10', 'unknown-stage', 'a stage stands with its kind of message') // M10
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
    urgency,
    due,
    plain: fields.bytes('plain', 32),
    cipher: fields.bytes('cipher', 32),
    files,
    step,
    log: readLog(fields),
  }
}

/** M1, T4: sealed in the newest epoch before it in the sequence. */
function checkEpoch(state: ThreadState, header: Header, now: number): void {
  insist(equal(header.thread, state.thread), 'M1', 'wrong-thread', 'a message of another thread')
  insist(header.n >= state.n, 'T4', 'stale-epoch', 'sealed in an epoch that has ended') // T4
  const isCurrent = header.n === state.n && equal(header.head, state.head)
  insist(isCurrent, 'M1', 'wrong-epoch', 'sealed in an epoch that is not on this thread')
  const isWhole = !state.isLeft && endedMembers(state, now).length === 0
  insist(isWhole, 'T4', 'stale-epoch', 'somebody has left, or a mandate has ended: an entry comes first') // T4 T5 T9
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

/** M10, M11: where the case stands after this message. */
async function caseAfter(
  state: ThreadState,
  { step, by, due }: Header,
  keyrings: Keyrings,
  now: number,
): Promise<ThreadState['case']> {
  if (step === null) return state.case
  const place = { by: by.principal, seq: state.seq + 1, due, now, keyrings }
  return (await stageRules()).acceptStep(state, step, place) // M10 M11
}

/** The thread with one more message. `now`: when the server received it. @throws Refused E1, E2, M1, M2, M3, M7, T4 */
export async function acceptMessage(
  net: string,
  state: ThreadState,
  keyrings: Keyrings,
  { item, ciphertext, now }: { item: Bytes; ciphertext: Bytes; now: number },
): Promise<{ state: ThreadState; message: Message }> {
  const statement = await parse(net, item, 'message')
  const header = readHeader(statement.fields)
  await checkHeaderStep(header) // M10
  checkEpoch(state, header, now) // M1, T4
  const { members, lowest } = state
  const device = checkAuthor('M1', header.by, statement.kid, { members, lowest, keyrings }) // M1
  const mayWrite = WRITING_ROLES.includes(memberOf(members, header.by.principal)?.role ?? '')
  insist(mayWrite, 'M1', 'may-not-write', 'an observer reads and does not write') // M1
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
  const found = isVoided ? state.case : await caseAfter(state, header, keyrings, now)
  const next = await appendItem(net, state, { item: statement.hash, by: header.by, id })
  const place = { counter: header.counter, prev: statement.hash, seq: endOf(next).seq }
  return {
    state: {
      ...next,
      case: found,
      writers: isVoided ? state.writers : new Map(state.writers).set(name, place),
      voided: header.void.length > 0 ? new Set([...state.voided, ...header.void.map(toHex)]) : state.voided,
    },
    message: { ...header, at: statement.at, device, hash: statement.hash, marks },
  }
}
