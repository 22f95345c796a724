import { type Parts, pack } from './container.ts'
import {
  type Bytes,
  concat,
  context,
  contextHash,
  decode,
  deriveKey,
  encode,
  equal,
  fromBase64,
  fromHex,
  randomBytes,
  sha256,
  toHex,
  type Value,
} from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Author } from './keyring.ts'
import type { KeyringState } from './keyring_rules.ts'
import { aeadOpen, aeadSeal, printGroups, readGroups } from './keys.ts'
import { keyOfMessage, openPadded, readHeader } from './message.ts'
import { anchorPath, endsOf, firstAfter, LINK, linkPart } from './record_anchors.ts'
import { EVIDENCE, evidencePart, openedParts, type Version } from './record_beside.ts'
import { type ConfirmedKeyring, confirmParts } from './record_confirms.ts'
import { type Head, logParts, type WholeLog } from './record_log.ts'
import { asBytes, asList, Fields, parse, sign } from './statement.ts'
import { byOf, byValue, endOf, type ThreadState } from './thread_rules.ts'
import type { Base64, Hex, ItemJson, KeyringJson } from './wire.ts'

// Records: a thread, or one message of it, in a file that proves itself on a machine of its own (R1, R3). The parts
// are named in messaging/sealed/record.py, which reads what is made here.

export const MANIFEST = 'manifest'
export const FACTS = 'facts'
export const KEYS = 'keys'
export const READABLE = 'record.html'

/** What a mailbox gives for making a record or a report of one thread, verified. */
export interface RecordSource {
  readonly net: string
  readonly serverKey: Bytes
  readonly author: Author
  /** The own keyring's newest state. */
  readonly own: KeyringState
  readonly state: ThreadState
  readonly items: readonly ItemJson[]
  secret(n: number): Bytes | null
  keyring(principal: Bytes): KeyringState | null
}

/** Who a principal is in the directory: the server's word, not proven by the record. */
export interface NamedAuthority {
  readonly principal: Hex
  readonly id: string
  readonly name: string
  readonly state: string | null
}

/** The opening of a message's commitment: whoever has it reads this message and no other. */
export interface Disclosed {
  readonly blind: Bytes
  readonly padded: Bytes
}

export interface DisclosedMessage extends Disclosed {
  readonly seq: number
  /** Hash of the item. */
  readonly item: Bytes
  /** The message's own key. */
  readonly key: Bytes
}

const place = (n: number): string => String(n).padStart(8, '0')
export const itemPath = (seq: number): string => `items/${place(seq)}`
export const textPath = (seq: number): string => `texts/${place(seq)}`
export const entryPath = (principal: Hex, n: number): string => `keyrings/${principal}/${place(n)}`
const fromBase64OrNull = (text: string | null): Bytes | null => (text === null ? null : fromBase64(text))

/** The opening of one message's commitment, or null when this device cannot open it. @throws Refused cannot-open */
export async function disclose(source: RecordSource, seq: number): Promise<DisclosedMessage | null> {
  const json = source.items[seq - 1]
  if (json?.type !== 'message' || json.ciphertext === null) return null
  const { fields, kid, hash } = await parse(source.net, fromBase64(json.item), 'message')
  const message = { ...readHeader(fields), device: { id: kid } }
  const secret = source.secret(message.n)
  if (secret === null) return null
  const key = await keyOfMessage(source.net, message, secret)
  return {
    seq,
    item: hash,
    key,
    ...(await openPadded(source.net, message, fromBase64(json.ciphertext), key)),
  }
}

/** Everything this device can open, in order. */
export async function discloseAll(source: RecordSource): Promise<DisclosedMessage[]> {
  const found = []
  for (const { seq } of source.items) {
    const disclosed = await disclose(source, seq)
    if (disclosed) found.push(disclosed)
  }
  return found
}

/** R2: the entries as the server hands them out are those that were verified here. */
async function checkEntries(source: RecordSource, json: KeyringJson): Promise<void> {
  const state = source.keyring(fromHex(json.principal))
  for (const { n, entry } of json.entries) {
    const head = state?.generations[n]?.head
    const isSame = head !== undefined && equal(head, await sha256(fromBase64(entry)))
    insist(isSame, 'R2', 'wrong-place', 'another entry than the verified one') // R2
  }
  insist(json.entries.length > 0, 'R2', 'wrong-place', 'a keyring without entries') // R2
}

const textValue = ({ blind, padded }: Disclosed): Bytes => encode({ blind, padded })

interface FactsInput {
  readonly kind: 'thread' | 'message'
  readonly own: Bytes | null
  readonly authorities: readonly NamedAuthority[]
}

const facts = (source: RecordSource, { kind, own, authorities }: FactsInput): Bytes =>
  encode({
    kind,
    net: source.net,
    server_key: source.serverKey,
    thread: source.state.thread,
    own,
    authorities: authorities.map((row) => [fromHex(row.principal), row.id, row.name, row.state]),
  })

function itemPart(json: ItemJson, envelopes: boolean): Bytes {
  return encode({
    type: json.type,
    item: fromBase64(json.item),
    receipt: fromBase64(json.receipt),
    ciphertext: fromBase64OrNull(json.ciphertext),
    envelopes: envelopes ? fromBase64OrNull(json.envelopes) : null,
  })
}

/** `keyrings`: of every member, from entry 0 on, as the server hands them out now. */
export interface RecordInput {
  readonly keyrings: readonly ConfirmedKeyring[]
  readonly authorities: readonly NamedAuthority[]
  /** Texts that stand in the record for everybody to read, with the page that shows them; or none. */
  readonly texts: readonly DisclosedMessage[]
  readonly readable: Bytes | null
  /** What opens the record besides the kit and the own devices; or null. */
  readonly code: OpeningCode | null
  /** The log of keys, which proves the entries of the keyrings; or none. */
  readonly log?: WholeLog
  /** The members' statements of having opened the thread; only those that hold go in. */
  readonly opened?: readonly Base64[]
  /** T8: what the server handed out for a place, where it has contradicted itself. */
  readonly contradiction?: { readonly seq: number; readonly versions: readonly Version[] }
  /** Unix seconds. */
  readonly at: number
}

/** The record of a whole thread, in pieces for a Blob. @throws Refused wrong-place, bad-container, not-in-the-log */
export async function makeThreadRecord(source: RecordSource, input: RecordInput): Promise<Bytes[]> {
  const own = source.own.principal
  const parts = new Map<string, Bytes>()
  for (const json of input.keyrings) await addKeyring(source, parts, json)
  for (const json of source.items) parts.set(itemPath(json.seq), itemPart(json, true))
  parts.set(FACTS, facts(source, { kind: 'thread', own, authorities: input.authorities }))
  await addBeside(source, parts, input)
  for (const text of input.texts) parts.set(textPath(text.seq), textValue(text))
  if (input.readable) parts.set(READABLE, input.readable)
  if (input.code) parts.set(KEYS, await input.code.sealKeys(source.state.thread, await discloseAll(source)))
  parts.set(MANIFEST, await signManifest(source, parts, input.at))
  return pack(parts)
}

async function addBeside(source: RecordSource, parts: Map<string, Bytes>, input: RecordInput): Promise<void> {
  const { log, opened = [], contradiction } = input
  const reader = { net: source.net, state: source.state, keyrings: source.keyring.bind(source) }
  for (const [path, raw] of await openedParts(reader, opened)) parts.set(path, raw)
  if (contradiction) parts.set(EVIDENCE, evidencePart(source, contradiction.seq, contradiction.versions))
  const confirms: Bytes[] = []
  for (const json of input.keyrings) {
    const found = await confirmParts(source.net, reader.keyrings, json)
    // The secretariat's own keyring has to be there: by it the confirms are verified.
    if (found === null || !input.keyrings.some(({ principal }) => principal === found.secretariat)) continue
    for (const [path, raw] of found.parts) parts.set(path, raw)
    confirms.push(...found.hashes)
  }
  if (log) await addProofs(source, parts, log, { keyrings: input.keyrings, confirms, of: null })
}

/** What the log proves; `of`: the place of the one message, or null for all of the thread. */
interface Proven {
  readonly keyrings: readonly KeyringJson[]
  readonly confirms: readonly Bytes[]
  readonly of: number | null
}

async function addProofs(
  source: RecordSource,
  parts: Map<string, Bytes>,
  log: WholeLog,
  { keyrings, confirms, of }: Proven,
): Promise<void> {
  const heads: Head[] = []
  for (const { principal, entries } of keyrings)
    for (const { n, entry } of entries) heads.push({ principal, n, head: await sha256(fromBase64(entry)) })
  const { anchors = [] } = log
  const ends = await endsOf(source.net, source.state, of === null ? anchors : firstAfter(anchors, of))
  for (const [path, raw] of await logParts(source, log, heads, confirms, ends)) parts.set(path, raw)
  const first = ends[0]?.place
  if (of === null || !first || !parts.has(anchorPath(first.day))) return
  parts.set(LINK, await linkPart(source.state, source.items, { seq: of, end: first.seq }))
}

async function addKeyring(source: RecordSource, parts: Map<string, Bytes>, json: KeyringJson): Promise<void> {
  await checkEntries(source, json)
  const isOwn = json.principal === toHex(source.own.principal)
  for (const { n, entry, envelopes } of json.entries) {
    const blob = isOwn ? fromBase64OrNull(envelopes) : null
    parts.set(entryPath(json.principal, n), encode({ entry: fromBase64(entry), envelopes: blob }))
  }
  for (const statement of json.statements) {
    const raw = fromBase64(statement)
    parts.set(`statements/${toHex(await sha256(raw))}`, raw)
  }
}

async function signManifest(source: RecordSource, parts: Parts, at: number): Promise<Bytes> {
  const { seq, hash } = endOf(source.state)
  const rows: Value[] = []
  for (const path of [...parts.keys()].sort()) {
    const part = parts.get(path) as Bytes
    rows.push([path, part.length, await sha256(part)])
  }
  const fields = {
    by: byValue(byOf(source.own)),
    thread: source.state.thread,
    seq,
    transcript: hash,
    parts: rows,
  }
  const { id, key } = source.author
  return sign(source.net, 'record', fields, { at, kid: id, key })
}

/** The file that proves one message: no key, no other message, no colleague's name is in it.
 *  `keyring`: of its sender, from entry 0 on, with what `secretariat` has confirmed of it; `log` proves these entries.
 *  @throws Refused cannot-open, wrong-place, not-in-the-log */
export async function makeMessageRecord(
  source: RecordSource,
  seq: number,
  keyring: ConfirmedKeyring,
  { log, secretariat }: { log?: WholeLog; secretariat?: KeyringJson | null } = {},
): Promise<Bytes[]> {
  const text = await disclose(source, seq)
  insist(text !== null, 'R2', 'cannot-open', 'this message cannot be opened here') // R2
  const json = source.items[seq - 1] as ItemJson
  const { fields, kid } = await parse(source.net, fromBase64(json.item), 'message')
  const by = fields.map('by', ['principal', 'n', 'head'])
  insist(
    toHex(by.bytes('principal', 32)) === keyring.principal,
    'R2',
    'wrong-place',
    "not the sender's keyring",
  ) // R2
  const entries = keyring.entries.filter(({ n }) => n <= by.uint('n'))
  const statements = []
  for (const statement of keyring.statements)
    if (equal(await sha256(fromBase64(statement)), kid)) statements.push(statement)
  const parts = new Map<string, Bytes>()
  const bare = entries.map((entry) => ({ ...entry, envelopes: null }))
  await addKeyring(source, parts, { ...keyring, entries: bare, statements })
  const proven: KeyringJson[] = [{ ...keyring, entries: bare }]
  const found = await confirmParts(source.net, source.keyring.bind(source), keyring)
  if (found && secretariat?.principal === found.secretariat) {
    await addKeyring(source, parts, secretariat)
    for (const [path, raw] of found.parts) parts.set(path, raw)
    proven.push(secretariat)
    if (log) await addProofs(source, parts, log, { keyrings: proven, confirms: found.hashes, of: seq })
  } else if (log) await addProofs(source, parts, log, { keyrings: proven, confirms: [], of: seq })
  parts.set(itemPath(seq), itemPart(json, false))
  parts.set(textPath(seq), textValue(text))
  parts.set(FACTS, facts(source, { kind: 'message', own: null, authorities: [] }))
  return pack(parts)
}

// ---------------------------------------------------------------- the opening code

const mistyped = () =>
  new Refused('E6', 'opening-code-mistyped', 'this is not an opening code of this network')

/** 32 random bytes, printed like a recovery kit, that open the messages of one record and nothing else. */
export class OpeningCode {
  readonly #net: string
  readonly #secret: Bytes

  constructor(net: string, secret: Bytes = randomBytes(32)) {
    this.#net = net
    this.#secret = secret
  }

  async print(): Promise<string> {
    return printGroups(concat(this.#secret, await this.#check()))
  }

  /** @throws Refused opening-code-mistyped */
  static async parse(net: string, printed: string): Promise<OpeningCode> {
    const bytes = readGroups(printed, mistyped())
    const code = new OpeningCode(net, bytes.slice(0, 32))
    if (!equal(await code.#check(), bytes.subarray(32))) throw mistyped()
    return code
  }

  async sealKeys(
    thread: Bytes,
    keys: readonly { readonly seq: number; readonly key: Bytes }[],
  ): Promise<Bytes> {
    const text = encode(keys.map(({ seq, key }) => [seq, key]))
    return aeadSeal(await this.#key(thread), text, context(this.#net, 'record keys', thread))
  }

  /** Each message's own key by its place. @throws Refused cannot-open for another record's code */
  async openKeys(thread: Bytes, sealed: Bytes): Promise<Map<number, Bytes>> {
    const text = await aeadOpen(await this.#key(thread), sealed, context(this.#net, 'record keys', thread))
    return new Map(
      asList(decode(text), 'keys').map((row) => {
        const [seq, key] = asList(row, 'key')
        return [new Fields({ seq: seq ?? null }, ['seq']).uint('seq'), asBytes(key, 32, 'key')]
      }),
    )
  }

  #check = async (): Promise<Bytes> =>
    (await contextHash(this.#net, 'record check', this.#secret)).slice(0, 5)

  #key = (thread: Bytes): Promise<Bytes> => deriveKey(this.#net, this.#secret, 'record key', thread)
}
