// A browser in memory: tabs of one profile, and the server of the world as they reach it.
import assert from 'node:assert/strict'
import type { ItemJson, KeyringJson } from '../src/sealed/client.ts'
import { Correspondence } from '../src/store/correspondence.ts'
import { Outbox } from '../src/store/outbox.ts'
import type { Alarm, OutboxEntry, StampedState, Store } from '../src/store/store.ts'
import { Failure } from '../src/transport/failure.ts'
import type { Rest } from '../src/transport/rest.ts'
import type { Socket } from '../src/transport/socket.ts'
import type { LogPage, SessionInfo } from '../src/transport/wire.ts'
import { NET, type Party, World } from './world.ts'

export const queues = new Map<string, Promise<unknown>>()
export const locks = {
  request: (name: string, work: () => Promise<unknown>) => {
    const turn = (queues.get(name) ?? Promise.resolve()).then(work, work)
    queues.set(
      name,
      turn.catch(() => undefined),
    )
    return turn
  },
}
Object.defineProperty(globalThis, 'navigator', { value: { locks, onLine: true }, configurable: true })

/** What one browser profile keeps; its tabs share it. */
export class Profile {
  kept: StampedState | undefined
  readonly entries = new Map<string, OutboxEntry>()
  readonly drafts = new Map<string, string>()
  readonly received: ItemJson[] = []
  readonly alarms = new Map<string, Alarm>()
  state = async () => structuredClone(this.kept)
  saveState = async (state: StampedState) => {
    this.kept = structuredClone(state)
  }
  saveSealed = async (state: StampedState, change: { add?: OutboxEntry; remove?: string }) => {
    this.kept = structuredClone(state)
    if (change.remove !== undefined) this.entries.delete(change.remove)
    if (change.add) this.entries.set(change.add.id, structuredClone(change.add))
  }
  outbox = async () => [...this.entries.values()].sort((one, other) => one.queuedAt - other.queuedAt)
  outboxEntry = async (id: string) => structuredClone(this.entries.get(id))
  removeFromOutbox = async (id: string) => void this.entries.delete(id)
  draft = async (key: string) => this.drafts.get(key)
  saveDraft = async (key: string, sealed: string) => void this.drafts.set(key, sealed)
  removeDraft = async (key: string) => void this.drafts.delete(key)
  items = async (thread: string) =>
    this.received.filter((item) => item.thread === thread).sort((one, other) => one.seq - other.seq)
  saveItem = async (item: ItemJson) => void this.received.push(item)
  saveEvidence = async () => undefined
  alarm = async (thread: string) => this.alarms.get(thread)
  saveAlarm = async (thread: string, alarm: Alarm) => void this.alarms.set(thread, alarm)
  readonly facts = new Map<string, unknown>()
  readonly keyrings = new Map<string, KeyringJson>()
  keyring = async (principal: string) => this.keyrings.get(principal)
  saveKeyring = async (keyring: KeyringJson) => void this.keyrings.set(keyring.principal, keyring)
  forgetKeyring = async (principal: string) => void this.keyrings.delete(principal)
  levels = async () => this.facts.get('levels') ?? {}
  saveLevels = async (levels: unknown) => void this.facts.set('levels', levels)
  fact = async (key: string) => this.facts.get(key)
  saveFact = async (key: string, value: unknown) => void this.facts.set(key, value)
  factOrFirst = async (key: string, value: unknown) => {
    if (!this.facts.has(key)) this.facts.set(key, value)
    return this.facts.get(key)
  }
}

/** The server of the world as the pages reach it. */
export class Line {
  isOff = false
  readonly drafts = new Map<string, string>()
  /** Answers in the place of the server, once each. */
  readonly instead: ((path: string) => unknown)[] = []
  readonly asked: string[] = []
  before: (method: string, path: string) => Promise<void> = async () => undefined
  readonly #world: World
  readonly #reader: Party

  constructor(world: World, reader: Party) {
    this.#world = world
    this.#reader = reader
  }

  log = (from: number): Promise<LogPage> => this.#world.logPage(from)
  get = (path: string) => this.#call('GET', path)
  post = (path: string, body?: unknown) => this.#call('POST', path, body)
  put = (path: string, body?: unknown) => this.#call('PUT', path, body)
  delete = (path: string) => this.#call('DELETE', path)

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    if (!path.startsWith('log?')) this.asked.push(`${method} ${path}`)
    await this.before(method, path)
    if (this.isOff) throw new Failure('no-answer')
    if (method === 'POST' && this.instead.length > 0) {
      const answer = this.instead.shift()?.(path)
      if (answer instanceof Failure) throw answer
      return answer
    }
    const [what = '', id = ''] = path.split('?')[0]?.split('/') ?? []
    if (what === 'drafts') return this.#draft(method, id, body)
    if (what === 'log') return this.log(Number(path.split('from=')[1]))
    if (what === 'cards') return { cards: [] } // hints for lists: kept by nobody here
    if (path.startsWith('threads?own=')) return { threads: [], next: null }
    if (method === 'GET' && what === 'keyrings') return this.#keyring(id, path)
    if (method === 'GET' && what === 'threads') return this.#items(id, path)
    if (path === 'threads') return this.#open(body as never)
    return this.#append(body as never)
  }

  #draft(method: string, key: string, body: unknown) {
    if (method === 'PUT') this.drafts.set(key, (body as { sealed: string }).sealed)
    if (method === 'DELETE') this.drafts.delete(key)
    return { sealed: this.drafts.get(key) ?? null }
  }

  #keyring(principal: string, path: string) {
    const keyring = this.#world.keyring(principal, principal === this.#reader.device.principal)
    const from = Number(path.split('from=')[1])
    return { ...keyring, entries: keyring.entries.filter(({ n }) => n >= from) }
  }

  #items(thread: string, path: string) {
    const items = this.#world.threads.get(thread) ?? []
    const after = Number(/after=(\d+)/.exec(path)?.[1])
    return { items: items.slice(after), seq: items.length }
  }

  async #open(body: { entry: string; envelopes: string; messages: { item: string; ciphertext: string }[] }) {
    const { decode, fromBase64, toHex } = await import('../src/sealed/encoding.ts')
    const [, , payload] = decode(fromBase64(body.entry)) as [unknown, unknown, Uint8Array<ArrayBuffer>]
    const thread = toHex((decode(payload) as { thread: Uint8Array<ArrayBuffer> }).thread)
    await this.#world.append(thread, 'entry', body.entry, { envelopes: body.envelopes })
    for (const { item, ciphertext } of body.messages)
      await this.#world.append(thread, 'message', item, { ciphertext })
    return { thread }
  }

  async #append({ messages }: { messages: { item: string; ciphertext: string; thread?: string }[] }) {
    const { decode, fromBase64, toHex } = await import('../src/sealed/encoding.ts')
    const results = []
    for (const { item, ciphertext } of messages) {
      const [, , payload] = decode(fromBase64(item)) as [unknown, unknown, Uint8Array<ArrayBuffer>]
      const thread = toHex((decode(payload) as { thread: Uint8Array<ArrayBuffer> }).thread)
      const items = this.#world.threads.get(thread) ?? []
      const found = items.find((each) => each.item === item)
      results.push(found ?? (await this.#world.append(thread, 'message', item, { ciphertext })))
    }
    return { results }
  }
}

export interface Tab {
  correspondence: Correspondence
  outbox: Outbox
  line: Line
}

export async function openTab(
  world: World,
  party: Party,
  profile: Profile,
  { secretariat = null, knows = [] }: { secretariat?: string | null; knows?: readonly string[] } = {},
) {
  const line = new Line(world, party)
  const { toBase64 } = await import('../src/sealed/encoding.ts')
  const info = {
    net: NET,
    server_key: toBase64(world.serverKey.public),
    membership: { id: party.device.id },
    secretariat,
  } as unknown as SessionInfo
  const rest = line as unknown as Rest
  const correspondence = await Correspondence.open(info, rest, profile as unknown as Store, party.device)
  for (const principal of knows) await correspondence.learnKeyring(principal)
  await correspondence.look(knows)
  const socket = { isOpen: false, connect: () => undefined, end: () => undefined } as unknown as Socket
  return { correspondence, outbox: new Outbox(correspondence, socket), line }
}

export async function desk(tabs = 1) {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const thread = await world.openThread(a, b)
  await world.read(b.mailbox, thread)
  const profile = new Profile()
  const opened: Tab[] = []
  const officers = await world.secretariat()
  await world.confirm(officers, a.device.principal, b.device.principal)
  const secretariat = officers[0].device.principal
  const known = { secretariat, knows: [b.device.principal] }
  for (let n = 0; n < tabs; n += 1) opened.push(await openTab(world, a, profile, known))
  return { world, a, b, thread, profile, officers, known, tabs: opened as [Tab, ...Tab[]] }
}

export const note = (text: string) => ({ text, language: 'en' })
export const refusal = (code: string) => () => new Failure(code, '', 409)

export async function textsOf(world: World, reader: Party, thread: string): Promise<string[]> {
  const mailbox = await world.open(reader.device)
  await mailbox.applyKeyring(world.keyring(reader.device.principal))
  const texts: string[] = []
  for (const item of world.threads.get(thread) ?? []) {
    for (const { principal } of await mailbox.needs(item))
      await mailbox.applyKeyring(world.keyring(principal, principal === reader.device.principal))
    const applied = await mailbox.applyItem(item)
    if (applied.type !== 'message') continue
    assert.deepEqual(applied.message.marks, [])
    if (applied.message.body?.type === 'note') texts.push(applied.message.body.text)
  }
  return texts
}

/** Waits until nothing is on its way. */
export async function settled(profile: Profile, tab: Tab): Promise<void> {
  for (let n = 0; n < 20 && profile.entries.size > 0; n += 1) await tab.outbox.flush()
}
