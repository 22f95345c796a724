import {
  type Device,
  type ItemJson,
  type KeyringBody,
  type KeyringJson,
  Mailbox,
  makeDeviceRequest,
  makeGenesis,
  type Role,
} from '../src/sealed/client.ts'
import {
  type Bytes,
  decode,
  encode,
  equal,
  fromBase64,
  fromHex,
  sha256,
  toBase64,
  toHex,
  type Value,
  type ValueMap,
} from '../src/sealed/encoding.ts'
import { Refused } from '../src/sealed/errors.ts'
import { createDeviceKeys, SigningKey } from '../src/sealed/keys.ts'
import { serverKeyId } from '../src/sealed/receipt.ts'
import { type StatementType, sign } from '../src/sealed/statement.ts'
import { encodeLeaf, logLabel, statementValue } from '../src/sealed/transparency.ts'
import { makeConfirm } from '../src/sealed/trust.ts'
import type { LogPage } from '../src/transport/wire.ts'
import { signNote } from './log_server.ts'

export const NET = 'network.example/s1'
export const AT = 1_800_000_000

/** Asserts a refusal by rule and code. */
export async function refuses(rule: string, code: string, work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const found = `${error.rule} ${error.code}`
    if (found !== `${rule} ${code}`) throw new Error(`refused with ${found}, not ${rule} ${code}`)
    return
  }
  throw new Error(`not refused: ${rule} ${code}`)
}

/** The same statement with other fields, signed again with the same kid. */
export async function alter(
  raw: Bytes,
  type: StatementType,
  key: SigningKey,
  change: (fields: Record<string, Value>) => void,
  signedAt?: number,
): Promise<Bytes> {
  const [header, , payload] = decode(raw) as [Bytes, Value, Bytes, Bytes]
  const { t, v, suite, net, at, ...fields } = decode(payload) as Record<string, Value>
  void [t, v, suite]
  change(fields)
  const kid = decode(header.slice(4)) as Bytes
  return sign(net as string, type, fields, { at: signedAt ?? (at as number), kid, key })
}

/** The same statement with another payload, header or signature, as `change` makes it; not signed again. */
export function tamper(raw: Bytes, change: (parts: Value[]) => void): Bytes {
  const parts = [...(decode(raw) as Value[])]
  change(parts)
  return encode(parts)
}

export interface Party {
  readonly device: Device
  readonly key: SigningKey
  mailbox: Mailbox
}

/** What stands in the log: an entry of a keyring, or a statement of the secretariat. */
export type Logged =
  | { principal: string; n: number; entry: string }
  | { authority: string; statement: string }

/** An honest server in memory: keyrings, threads with receipts. */
export class World {
  readonly keyrings = new Map<
    string,
    { entries: { n: number; entry: string; envelopes: string }[]; statements: string[] }
  >()
  readonly threads = new Map<string, ItemJson[]>()
  /** By principal, what the secretariat has confirmed. */
  readonly confirms = new Map<string, string[]>()
  readonly logged: Logged[] = []
  serverKey!: SigningKey
  #transcripts = new Map<string, Bytes>()

  static async create(): Promise<World> {
    const world = new World()
    world.serverKey = await SigningKey.fromSeed(new Uint8Array(32).fill(9))
    return world
  }

  async open(
    device: Device,
    state?: Parameters<typeof Mailbox.open>[0]['state'],
    secretariat?: string | null,
  ): Promise<Mailbox> {
    const serverKey = toBase64(this.serverKey.public)
    const asked = secretariat === undefined ? {} : { secretariat }
    const setup = { net: NET, serverKey, device, now: () => AT, ...asked }
    return Mailbox.open(state ? { ...setup, state } : setup)
  }

  async authority(
    person: string,
    roles?: Role[],
    kind: 'authority' | 'secretariat' = 'authority',
    succeeds: string | null = null,
  ): Promise<Party> {
    const keys = await createDeviceKeys()
    const who = { person, name: `Name of ${person}`, office: 'Office' }
    const { device, body } = await makeGenesis({
      net: NET,
      person: who,
      keys,
      at: AT,
      kind,
      succeeds,
      ...(roles ? { roles } : {}),
    })
    this.store(device.principal, 0, body)
    const mailbox = await this.open(device)
    await mailbox.applyKeyring(this.keyring(device.principal))
    return { device, key: new SigningKey(keys.sig, keys.signing), mailbox }
  }

  /** A further device, listed by `steward`. */
  async device(steward: Party, person: string, roles: Role[]): Promise<Party> {
    const { device, key, statement } = await this.request(steward, person)
    await this.add(steward, [{ statement, roles }])
    const mailbox = await this.open(device)
    await mailbox.applyKeyring(this.keyring(device.principal))
    return { device, key, mailbox }
  }

  async request(steward: Party, person: string) {
    const keys = await createDeviceKeys()
    const who = { person, name: `Name of ${person}`, office: 'Office' }
    const { principal } = steward.device
    const { device, body } = await makeDeviceRequest({ net: NET, principal, person: who, keys, at: AT })
    return { device, key: new SigningKey(keys.sig, keys.signing), statement: body.statement }
  }

  async add(steward: Party, requests: { statement: string; roles: Role[] }[]): Promise<void> {
    const body = await steward.mailbox.own.makeAddition(requests)
    const { principal } = steward.device
    this.store(principal, steward.mailbox.keyringFrom(principal), body)
    await steward.mailbox.applyKeyring(this.keyring(principal))
  }

  store(principal: string, n: number, body: KeyringBody): void {
    const kept = this.keyrings.get(principal) ?? { entries: [], statements: [] }
    kept.entries.push({ n, entry: body.entry, envelopes: body.envelopes })
    kept.statements.push(...body.statements)
    this.keyrings.set(principal, kept)
    this.logged.push({ principal, n, entry: body.entry })
  }

  keyring(principal: string, withEnvelopes = true): KeyringJson {
    const { entries, statements } = this.keyrings.get(principal) as {
      entries: { n: number; entry: string; envelopes: string }[]
      statements: string[]
    }
    const authority = { id: `authority-${principal.slice(0, 8)}`, name: 'Authority', state: 'XAA' }
    const shown = entries.map(({ n, entry, envelopes }) => ({
      n,
      entry,
      envelopes: withEnvelopes ? envelopes : null,
    }))
    return { principal, authority, entries: shown, statements, confirms: this.confirms.get(principal) ?? [] }
  }

  async receipt(thread: Bytes, seq: number, item: Bytes, transcript: Bytes): Promise<string> {
    const kid = await serverKeyId(NET, this.serverKey.public)
    const fields = { thread, seq, item, transcript }
    return toBase64(await sign(NET, 'receipt', fields, { at: AT + seq, kid, key: this.serverKey }))
  }

  /** What GET log answers: every stored entry of every keyring, in the order in which it was stored. */
  async logPage(from: number): Promise<LogPage> {
    const labelKey = new Uint8Array(32).fill(7)
    const leaves: Bytes[] = []
    for (const line of this.logged) {
      if ('authority' in line) {
        const label = await logLabel(labelKey, 'confirm', new TextEncoder().encode(line.authority))
        const value = await statementValue(NET, await sha256(fromBase64(line.statement)))
        leaves.push(encodeLeaf({ type: 'confirm', label, n: 0, value }))
        continue
      }
      const label = await logLabel(labelKey, 'keyring', fromHex(line.principal))
      leaves.push(
        encodeLeaf({ type: 'keyring', label, n: line.n, value: await sha256(fromBase64(line.entry)) }),
      )
    }
    const at = Math.floor(Date.now() / 1000)
    return {
      checkpoint: await signNote(leaves, { net: NET, key: this.serverKey, at }),
      witnessed: null,
      leaves: leaves.slice(from).map(toBase64),
      label_key: toBase64(labelKey),
      witnesses: [],
      quorum: 0,
      urgent_hours: 24,
      restore: null,
    }
  }

  /** Appends as a server that checks nothing would. */
  async append(
    thread: string,
    type: 'entry' | 'message' | 'withdrawal',
    raw: string,
    extra: { envelopes?: string; ciphertext?: string },
  ): Promise<ItemJson> {
    const items = this.threads.get(thread) ?? []
    const id = fromHex(thread)
    const seq = items.length + 1
    const hash = await sha256(fromBase64(raw))
    const before = this.#transcripts.get(thread) ?? (await sha256(encode(['S1', 'transcript', NET, id])))
    const transcript = await sha256(encode(['S1', 'transcript', NET, id, seq, before, hash]))
    this.#transcripts.set(thread, transcript)
    const receipt = await this.receipt(id, seq, hash, transcript)
    const { envelopes = null, ciphertext = null } = extra
    const item: ItemJson = { thread, seq, type, item: raw, ciphertext, envelopes, receipt }
    items.push(item)
    this.threads.set(thread, items)
    return item
  }

  /** `reader` takes all keyrings and items it lacks. */
  async read(reader: Mailbox, thread: string): Promise<void> {
    const items = this.threads.get(thread) ?? []
    for (const item of items.slice(reader.nextSeq(thread) - 1)) {
      for (const { principal } of await reader.needs(item))
        await reader.applyKeyring(this.keyring(principal, principal === reader.principal))
      await reader.applyItem(item)
    }
  }

  async openThread(from: Party, to: Party, text = 'first'): Promise<string> {
    await from.mailbox.applyKeyring(this.keyring(to.device.principal, false))
    const { thread, body } = await from.mailbox.openThread({
      authority: `authority-${to.device.principal.slice(0, 8)}`,
      to: to.device.principal,
      note: { text, language: 'en', subject: 'Subject' },
    })
    await this.append(thread, 'entry', body.entry, { envelopes: body.envelopes })
    for (const message of body.messages)
      await this.append(thread, 'message', message.item, { ciphertext: message.ciphertext })
    await this.read(from.mailbox, thread)
    return thread
  }

  /** Two persons who keep the secretariat's keys. */
  async secretariat(): Promise<[Party, Party]> {
    const first = await this.authority('s-1', ['steward'], 'secretariat')
    return [first, await this.device(first, 's-2', ['steward'])]
  }

  /** A statement of each of these persons: `principal` is the authority's. */
  async confirmsOf(
    principal: string,
    persons: readonly Party[],
    {
      authority = `authority-${principal.slice(0, 8)}`,
      head = null,
    }: { authority?: string; head?: string | null } = {},
  ): Promise<string[]> {
    return Promise.all(
      persons.map(async ({ device, key, mailbox }) => {
        const place = mailbox.keyring(device.principal) as { n: number; head: string }
        const by = { principal: fromHex(device.principal), n: place.n, head: fromHex(place.head) }
        const given = {
          by,
          authority,
          principal: fromHex(principal),
          head: head === null ? null : fromHex(head),
        }
        const signer = { author: { id: fromHex(device.id), key }, at: AT }
        return toBase64(await makeConfirm(NET, { ...given, document: new Uint8Array(32) }, signer))
      }),
    )
  }

  /** They confirm these, and the log has it. */
  async confirm(persons: readonly Party[], ...principals: string[]): Promise<void> {
    for (const principal of principals) {
      const authority = `authority-${principal.slice(0, 8)}`
      const confirms = await this.confirmsOf(principal, persons)
      this.confirms.set(principal, confirms)
      for (const statement of confirms) this.logged.push({ authority, statement })
    }
  }

  /** The own ledger, opened where there is none yet. */
  async ledger(of: Party): Promise<string> {
    for (const thread of this.threads.keys()) if (of.mailbox.thread(thread)?.kind === 'ledger') return thread
    const { thread, entry, envelopes } = await (await of.mailbox.membership()).openOwn('ledger')
    await this.append(thread, 'entry', entry, { envelopes })
    await this.read(of.mailbox, thread)
    return thread
  }

  /** A statement into the own ledger. */
  async state(from: Party, statement: string): Promise<void> {
    const ledger = await this.ledger(from)
    const { item, ciphertext } = await from.mailbox.sealStatement(ledger, statement)
    await this.append(ledger, 'message', item, { ciphertext })
    await this.read(from.mailbox, ledger)
    await from.mailbox.others.refresh()
  }

  /** A supervisor of `from` has compared the fingerprint of `principal`. */
  async accept(from: Party, principal: string): Promise<void> {
    const membership = await from.mailbox.membership()
    const authority = `authority-${principal.slice(0, 8)}`
    await this.state(from, await membership.accept(authority, principal, 'voice'))
  }

  async send(from: Party, thread: string, text: string): Promise<ItemJson> {
    const { item, ciphertext } = await from.mailbox.sealNote(thread, { text, language: 'en' })
    const appended = await this.append(thread, 'message', item, { ciphertext })
    await this.read(from.mailbox, thread)
    return appended
  }
}

export const flip = (bytes: Bytes, at = 0): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
export const same = (a: Uint8Array, b: Uint8Array): boolean => equal(a, b)
export { toHex, type ValueMap }
