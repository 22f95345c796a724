import { unpack } from './container.ts'
import { type Bytes, decode, equal, fromBase64, sha256, toBase64, toHex, type Value } from './encoding.ts'
import { Refused } from './errors.ts'
import { listedAt } from './keyring_rules.ts'
import { KnownKeyrings } from './known_keyrings.ts'
import { KnownThread } from './known_thread.ts'
import { type Plaintext, readHeader, readPadded } from './message.ts'
import { readBy } from './places.ts'
import { FACTS, itemPath, MANIFEST, textPath } from './record.ts'
import { isAnchorPart, readAnchor } from './record_anchors.ts'
import { readOpened } from './record_beside.ts'
import { CHECKPOINT, checkLog, type Head } from './record_log.ts'
import { asBytes, asList, asText, Fields, isMap, parse, type Statement, verify } from './statement.ts'
import { endOf, memberOf } from './thread_rules.ts'
import type { Hex, ItemJson } from './wire.ts'

// Checking the record of a thread without network and without a key (R1, R2, R3). A fault is collected, never
// thrown, with the part it was found in.

export interface Fault {
  readonly part: string
  readonly rule: string
  readonly code: string
  readonly detail: string
}

export interface Checked {
  readonly faults: Fault[]
  readonly texts: Map<number, Plaintext>
  /** How far each member has opened the thread, by its device's own word. */
  readonly opened: Map<Hex, number>
  /** The log in which the keyrings' entries stood; null without a proof that holds. */
  log: { size: number; at: number; root: Bytes } | null
  /** What the log held of the thread on which day since 1970, the oldest first. */
  readonly anchors: { day: number; seq: number }[]
  thread: KnownThread | null
}

interface Facts {
  readonly net: string
  readonly serverKey: Bytes
  readonly thread: Bytes
}

export async function checkThreadRecord(data: Bytes): Promise<Checked> {
  const [texts, opened] = [new Map(), new Map()]
  const checked: Checked = { faults: [], texts, opened, log: null, anchors: [], thread: null }
  const parts = (await noting(checked, 'archive', () => readArchive(checked, data))) ?? new Map()
  const facts = await noting(checked, FACTS, () => readFacts(parts.get(FACTS)))
  if (facts === undefined) return checked
  const statement = await noting(checked, MANIFEST, () => readManifest(checked, parts, facts))
  const keyrings = await readKeyrings(checked, parts, facts.net)
  const thread = await readThread(checked, parts, facts, keyrings)
  await readBeside(checked, parts, { facts, thread, keyrings })
  if (statement) await noting(checked, MANIFEST, () => checkExporter(statement, { facts, keyrings, thread }))
  for (const path of [...parts.keys()].filter((each) => each.startsWith('texts/')).sort())
    await noting(checked, path, () => readText(checked, path, parts.get(path) as Bytes, { facts, thread }))
  return checked
}

async function noting<T>(checked: Checked, part: string, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { rule, code, detail } = error
    checked.faults.push({ part, rule, code, detail })
    return undefined
  }
}

function readArchive(checked: Checked, data: Bytes): Map<string, Bytes> {
  const { parts, odd } = unpack(data)
  const [rule, code, detail] = ['R1', 'bad-container', 'the file was changed between its parts'] // R1
  if (odd) checked.faults.push({ part: 'archive', rule, code, detail })
  return parts
}

function missing(): Refused {
  return new Refused('R1', 'missing-part', 'this part is missing') // R1
}

function readFacts(raw: Bytes | undefined): Facts {
  if (!raw) throw missing()
  const names = ['kind', 'net', 'server_key', 'thread', 'own', 'authorities']
  const fields = new Fields(decode(raw), names)
  if (fields.text('kind') !== 'thread') throw new Refused('R1', 'unexpected-part', 'not a record of a thread') // R1
  const [serverKey, thread] = [fields.bytes('server_key', 32), fields.bytes('thread', 32)]
  return { net: asText(fields.raw('net'), 200, 'net'), serverKey, thread }
}

/** R1: every listed part is there as it was, and nothing else. */
async function readManifest(
  checked: Checked,
  parts: ReadonlyMap<string, Bytes>,
  { net }: Facts,
): Promise<Statement> {
  const raw = parts.get(MANIFEST)
  if (!raw) throw missing()
  // Judged by its own network first: were it that of the facts, a change of the facts would hide itself.
  const statement = await parse(netOf(raw) ?? net, raw, 'record')
  const named = new Set([MANIFEST])
  for (const value of statement.fields.list('parts')) {
    const [path, size, hash] = asList(value, 'part')
    const name = asText(path, 200, 'part')
    named.add(name)
    await noting(checked, name, () => comparePart(parts.get(name), size, asBytes(hash, 32, 'part')))
  }
  for (const path of parts.keys())
    if (!named.has(path))
      checked.faults.push({ part: path, rule: 'R1', code: 'unexpected-part', detail: 'this part was added' })
  return statement
}

function netOf(raw: Bytes): string | null {
  const [, , payload] = asList(decode(raw), 'statement')
  const found = payload instanceof Uint8Array ? decode(payload) : null
  const net = isMap(found) ? found.net : null
  return typeof net === 'string' ? net : null
}

async function comparePart(part: Bytes | undefined, size: Value | undefined, hash: Bytes): Promise<void> {
  if (!part) throw missing()
  const isSame = part.length === size && equal(await sha256(part), hash)
  if (!isSame) throw new Refused('R1', 'altered-part', 'this part was changed after the export') // R1
}

/** R2: every keyring in the record holds from its first entry on. */
async function readKeyrings(
  checked: Checked,
  parts: ReadonlyMap<string, Bytes>,
  net: string,
): Promise<KnownKeyrings> {
  const keyrings = new KnownKeyrings(net, undefined)
  const paths = [...parts.keys()].sort()
  const statements = paths.filter((path) => path.startsWith('statements/')).map((path) => base64(parts, path))
  for (const path of paths.filter((each) => each.startsWith('keyrings/'))) {
    await noting(checked, path, async () => {
      const [, principal = '', n] = path.split('/')
      const fields = new Fields(decode(parts.get(path) as Bytes), ['entry', 'envelopes'])
      const row = { n: Number(n), entry: toBase64(anyBytes(fields, 'entry')), envelopes: null }
      await keyrings.apply({ principal, entries: [row], statements })
      const isThere = keyrings.get(principal)?.n === row.n
      if (!isThere) throw new Refused('R2', 'wrong-place', 'another entry than its name says') // R2
    })
  }
  return keyrings
}

const base64 = (parts: ReadonlyMap<string, Bytes>, path: string): string => toBase64(parts.get(path) as Bytes)

function anyBytes(fields: Fields, name: string): Bytes {
  const value = fields.raw(name)
  return value instanceof Uint8Array ? (value as Bytes) : new Uint8Array()
}

const base64OrNull = (fields: Fields, name: string): string | null =>
  fields.isNull(name) ? null : toBase64(anyBytes(fields, name))

/** R2: the items hold one after the other, each with its receipt, as for any reader. */
async function readThread(
  checked: Checked,
  parts: ReadonlyMap<string, Bytes>,
  { net, serverKey, thread }: Facts,
  keyrings: KnownKeyrings,
): Promise<KnownThread> {
  const mailbox = () => Promise.reject(new Refused('R2', 'cannot-open', 'a record is checked without a key')) // R2
  const nobody = { principal: new Uint8Array(32), device: new Uint8Array(32) }
  const known = new KnownThread({ net, serverKey, ...nobody, keyrings: keyrings.lookup, mailbox }, null)
  checked.thread = known
  const paths = [...parts.keys()].filter((path) => path.startsWith('items/')).sort()
  for (const [index, path] of paths.entries()) {
    const before = checked.faults.length
    await noting(checked, path, async () => {
      if (path !== itemPath(index + 1)) throw new Refused('R2', 'wrong-place', 'an item before is missing') // R2
      await known.apply(readItem(toHex(thread), index + 1, parts.get(path) as Bytes))
    })
    if (checked.faults.length > before) break
  }
  return known
}

function readItem(thread: Hex, seq: number, raw: Bytes): ItemJson {
  const fields = new Fields(decode(raw), ['type', 'item', 'receipt', 'ciphertext', 'envelopes'])
  return {
    thread,
    seq,
    type: fields.text('type') as ItemJson['type'],
    item: toBase64(anyBytes(fields, 'item')),
    receipt: toBase64(anyBytes(fields, 'receipt')),
    ciphertext: base64OrNull(fields, 'ciphertext'),
    envelopes: base64OrNull(fields, 'envelopes'),
  }
}

/** R2, L2: who has opened the thread, and that the entries of the keyrings stood in the log. */
async function readBeside(
  checked: Checked,
  parts: ReadonlyMap<string, Bytes>,
  { facts, thread, keyrings }: Whole & { keyrings: KnownKeyrings },
): Promise<void> {
  const { state } = thread
  const paths = [...parts.keys()].sort()
  for (const path of paths.filter((each) => each.startsWith('opened/')))
    await noting(checked, path, async () => {
      if (!state) throw new Refused('R2', 'wrong-place', 'nothing of this thread was verified') // R2
      const reader = { net: facts.net, state, keyrings: keyrings.lookup }
      const { by, seq } = await readOpened(reader, path, parts.get(path) as Bytes)
      checked.opened.set(toHex(by.principal), seq)
    })
  if (!paths.some((path) => path.startsWith('log/'))) return
  checked.log =
    (await noting(checked, CHECKPOINT, () => checkLog(facts, parts, headsOf(paths, keyrings)))) ?? null
  const { log } = checked
  if (!log || !state) return
  for (const path of paths.filter(isAnchorPart))
    await noting(checked, path, async () => {
      const raw = parts.get(path) as Bytes
      checked.anchors.push(await readAnchor(facts.net, state, { path, raw, log }))
    })
}

function headsOf(paths: readonly string[], keyrings: KnownKeyrings): Head[] {
  const principals = new Set(paths.flatMap((path) => path.match(/^keyrings\/([0-9a-f]{64})\//)?.[1] ?? []))
  return [...principals].flatMap((principal) =>
    (keyrings.get(principal)?.generations ?? []).map(({ head }, n) => ({ principal, n, head })),
  )
}

interface Whole {
  readonly facts: Facts
  readonly thread: KnownThread
}

/** R1: the list of parts is signed by a device of a member, for this thread and its end. */
async function checkExporter(
  statement: Statement,
  { facts, thread, keyrings }: Whole & { keyrings: KnownKeyrings },
): Promise<void> {
  const unknown = () => new Refused('R1', 'unknown-exporter', 'not signed by a device of a member') // R1
  const by = readBy(statement.fields)
  const keyring = keyrings.get(toHex(by.principal))
  const isHead = equal(keyring?.generations[by.n]?.head ?? new Uint8Array(), by.head)
  const device = keyring && isHead ? listedAt(keyring, by.n, statement.kid) : null
  if (!device) throw unknown()
  await verify(statement, device.sig, facts.net) // R1
  const { state } = thread
  const [named, hash] = [statement.fields.bytes('thread', 32), statement.fields.bytes('transcript', 32)]
  const isEnd =
    state !== null &&
    equal(named, state.thread) &&
    statement.fields.uint('seq') === state.seq &&
    equal(hash, endOf(state).hash)
  if (!isEnd) throw new Refused('R1', 'wrong-end', 'the thread does not end where the exporter says') // R1
  if (!state.epochs.some(({ members }) => memberOf(members, by.principal))) throw unknown()
}

/** R3: the text is the one that its message committed to. */
async function readText(checked: Checked, path: string, raw: Bytes, { facts, thread }: Whole): Promise<void> {
  const seq = Number(path.slice(6))
  const json = thread.verified().items[seq - 1]
  if (json?.type !== 'message' || path !== textPath(seq))
    throw new Refused('R3', 'wrong-place', 'a text without a verified message') // R3
  const { fields } = await parse(facts.net, fromBase64(json.item), 'message')
  const disclosed = new Fields(decode(raw), ['blind', 'padded'])
  const opened = { blind: disclosed.bytes('blind', 32), padded: anyBytes(disclosed, 'padded') }
  checked.texts.set(seq, await readPadded(facts.net, readHeader(fields), opened))
}
