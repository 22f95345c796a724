import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, ItemJson } from '../src/sealed/client.ts'
import { Correspondence } from '../src/store/correspondence.ts'
import { DraftKeeper } from '../src/store/drafts.ts'
import { Outbox } from '../src/store/outbox.ts'
import type { Alarm, OutboxEntry, StampedState, Store } from '../src/store/store.ts'
import { Failure } from '../src/transport/failure.ts'
import type { Rest } from '../src/transport/rest.ts'
import type { Socket } from '../src/transport/socket.ts'
import type { Progress, SessionInfo, ThreadRow } from '../src/transport/wire.ts'
import { NET, type Party, refuses, World } from './world.ts'

// ---------------------------------------------------------------- a browser in memory

const queues = new Map<string, Promise<unknown>>()
const locks = {
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
class Profile {
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
}

/** The server of the world as the pages reach it. */
class Line {
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

  get = (path: string) => this.#call('GET', path)
  post = (path: string, body?: unknown) => this.#call('POST', path, body)
  put = (path: string, body?: unknown) => this.#call('PUT', path, body)
  delete = (path: string) => this.#call('DELETE', path)

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    this.asked.push(`${method} ${path}`)
    await this.before(method, path)
    if (this.isOff) throw new Failure('no-answer')
    if (method === 'POST' && this.instead.length > 0) {
      const answer = this.instead.shift()?.(path)
      if (answer instanceof Failure) throw answer
      return answer
    }
    const [what = '', id = ''] = path.split('?')[0]?.split('/') ?? []
    if (what === 'drafts') return this.#draft(method, id, body)
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

interface Tab {
  correspondence: Correspondence
  outbox: Outbox
  line: Line
}

async function openTab(world: World, party: Party, profile: Profile, device: Device = party.device) {
  const line = new Line(world, party)
  const { toBase64 } = await import('../src/sealed/encoding.ts')
  const info = {
    net: NET,
    server_key: toBase64(world.serverKey.public),
    membership: { id: party.device.id },
  } as unknown as SessionInfo
  const rest = line as unknown as Rest
  const correspondence = await Correspondence.open(info, rest, profile as unknown as Store, device)
  const socket = { isOpen: false, connect: () => undefined, end: () => undefined } as unknown as Socket
  return { correspondence, outbox: new Outbox(correspondence, socket), line }
}

async function desk(tabs = 1) {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const thread = await world.openThread(a, b)
  await world.read(b.mailbox, thread)
  const profile = new Profile()
  const opened: Tab[] = []
  for (let n = 0; n < tabs; n += 1) opened.push(await openTab(world, a, profile))
  return { world, a, b, thread, profile, tabs: opened as [Tab, ...Tab[]] }
}

const note = (text: string) => ({ text, language: 'en' })
const refusal = (code: string) => () => new Failure(code, '', 409)

async function textsOf(world: World, reader: Party, thread: string): Promise<string[]> {
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
async function settled(profile: Profile, tab: Tab): Promise<void> {
  for (let n = 0; n < 20 && profile.entries.size > 0; n += 1) await tab.outbox.flush()
}

// ---------------------------------------------------------------- several tabs

test('two tabs write by turns and at once; nothing is lost, doubled or taken for a fork', async () => {
  const { world, b, thread, profile, tabs } = await desk(2)
  const [one, two] = tabs as [Tab, Tab]
  for (const tab of tabs) await tab.correspondence.reading(thread).load()
  const written = ['1', '2', '3', '4', '5', '6']
  for (const [n, text] of written.entries()) {
    const tab = n % 2 ? one : two
    const adding = tab.outbox.addNote(thread, note(text))
    // What the other tab has sealed arrives in both while one takes over.
    for (const item of world.threads.get(thread)?.slice(-1) ?? [])
      await Promise.all(tabs.map((each) => each.correspondence.reading(thread).receive(item)))
    await adding
  }
  await settled(profile, one)
  assert.equal(profile.entries.size, 0)
  assert.deepEqual(await textsOf(world, b, thread), ['first', ...written])
  for (const tab of tabs) {
    await tab.correspondence.reading(thread).sync()
    assert.equal(tab.correspondence.reading(thread).alarm, null)
  }
})

test('taking over without a line is no alarm: the text waits and is sent when the line is back', async () => {
  const { world, b, thread, profile, tabs } = await desk(2)
  const [one, two] = tabs as [Tab, Tab]
  for (const tab of tabs) await tab.correspondence.reading(thread).load()
  await one.outbox.addNote(thread, note('one'))
  await settled(profile, one)
  await one.correspondence.writing(async () => profile.saveSealed(one.correspondence.nextState(), {}))
  two.line.isOff = true
  await two.outbox.addNote(thread, note('two'))
  assert.equal(two.correspondence.reading(thread).alarm, null)
  assert.equal(profile.entries.size, 1)
  two.line.isOff = false
  await settled(profile, two)
  assert.equal(two.correspondence.reading(thread).alarm, null)
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'one', 'two'])
})

test('what a full storage left out is fetched, and is no alarm', async () => {
  const { world, a, b, thread, profile, tabs } = await desk()
  await world.send(b, thread, 'two')
  await tabs[0].correspondence.reading(thread).load()
  profile.received.splice(1, 1)
  const again = await openTab(world, a, profile)
  await again.correspondence.reading(thread).load()
  assert.equal(again.correspondence.reading(thread).alarm, null)
  assert.equal(again.correspondence.reading(thread).seq, 3)
})

// ---------------------------------------------------------------- the outbox

test('what was written behind another message is sent from a page on which its thread is not open', async () => {
  const { world, a, b, thread, profile, tabs } = await desk()
  const [first] = tabs
  await first.correspondence.reading(thread).load()
  first.line.isOff = true
  await first.outbox.addNote(thread, note('one'))
  await first.outbox.addNote(thread, note('two'))
  await first.outbox.addNote(thread, note('three'))
  assert.deepEqual(
    [...profile.entries.values()].map(({ body }) => body === null),
    [false, true, true],
  )
  const other = await openTab(world, a, profile)
  await other.outbox.flush()
  assert.equal(profile.entries.size, 0)
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'one', 'two', 'three'])
})

test('the server refuses while keys changed: sealed anew, named in void, never sent twice', async () => {
  const { world, b, thread, profile, tabs } = await desk()
  const [tab] = tabs
  await tab.correspondence.reading(thread).load()
  tab.line.instead.push(() => ({ results: [{ error: { code: 'stale-author-keyring', message: '' } }] }))
  await tab.outbox.addNote(thread, note('one'))
  await settled(profile, tab)
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'one'])
})

test('an entry that is refused after it was sealed again is noted once, and can be taken back', async () => {
  const { thread, profile, tabs } = await desk()
  const [tab] = tabs
  await tab.correspondence.reading(thread).load()
  for (const code of ['stale-author-keyring', 'storage-full'])
    tab.line.instead.push(() => ({ results: [{ error: { code, message: 'No.' } }] }))
  await tab.outbox.addNote(thread, note('one'))
  await tab.outbox.flush()
  const [entry, ...more] = profile.entries.values()
  assert.ok(entry)
  assert.equal(more.length, 0)
  assert.equal(entry.problem?.code, 'storage-full')
  assert.equal((await tab.outbox.takeBack(entry.id))?.note?.text, 'one')
  assert.equal(profile.entries.size, 0)
  assert.equal(tab.correspondence.mailbox.pending(thread), null)
})

test('what is on its way again in another tab is not taken back', async () => {
  const { world, b, thread, profile, tabs } = await desk(2)
  const [one, two] = tabs as [Tab, Tab]
  for (const tab of tabs) await tab.correspondence.reading(thread).load()
  one.line.instead.push(() => ({ results: [{ error: { code: 'storage-full', message: 'No.' } }] }))
  await one.outbox.addNote(thread, note('one'))
  await one.outbox.flush()
  const [entry] = profile.entries.values()
  assert.ok(entry?.problem)
  const sending = two.outbox.flush(true)
  assert.equal(await one.outbox.takeBack(entry.id), null)
  await sending
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'one'])
})

test('a new thread that has to be sealed again says its new id', async () => {
  const { world, a, b, profile, tabs } = await desk()
  const [tab] = tabs
  const authority = world.keyring(b.device.principal).authority?.id ?? ''
  const moved: string[][] = []
  tab.outbox.onMoved = (from, to) => moved.push([from, to])
  tab.line.instead.push(refusal('stale-member-keyring'))
  const before = await tab.outbox.addThread(authority, b.device.principal, note('new'))
  await settled(profile, tab)
  assert.equal(moved.length, 1)
  assert.equal(moved[0]?.[0], before)
  assert.equal(world.threads.has(before), false)
  assert.deepEqual(await textsOf(world, a, moved[0]?.[1] ?? ''), ['new'])
})

test('K8 no thread is opened with a principal that is not the chosen authority’s', async () => {
  const { world, b, profile, tabs } = await desk()
  const ghost = await world.authority('p-g')
  const authority = world.keyring(b.device.principal).authority?.id ?? ''
  await tabs[0].correspondence.learnKeyring(b.device.principal)
  await refuses('K8', 'changed-principal', () =>
    tabs[0].outbox.addThread(authority, ghost.device.principal, note('x')),
  )
  assert.equal(profile.entries.size, 0)
})

test('K8 a thread shown under another authority’s name stands still', async () => {
  const { world, a, b, thread, profile, tabs } = await desk()
  const { correspondence, outbox } = tabs[0]
  await correspondence.reading(thread).load()
  const members = [a, b].map(({ device: { principal } }) => ({
    principal,
    role: 'party',
    authority: { ...world.keyring(principal).authority, state_name: null },
  }))
  const row = { thread, seq: 2, members } as unknown as ThreadRow
  await correspondence.checkMembers(row)
  assert.equal(correspondence.reading(thread).alarm, null)
  const [own, other] = members
  const swapped = { ...row, members: [own, { ...other, authority: { id: 'c', name: 'C' } }] }
  await correspondence.checkMembers(swapped as unknown as ThreadRow)
  assert.equal(correspondence.reading(thread).alarm?.code, 'changed-principal')
  await refuses('T8', 'thread-stopped', () => outbox.addNote(thread, note('x')))
  assert.equal(profile.entries.size, 0)
})

// ---------------------------------------------------------------- progress and drafts

test('a time of opening that no clock can show is not proven', async () => {
  const { world, b, thread, tabs } = await desk()
  const { correspondence } = tabs[0]
  await correspondence.reading(thread).load()
  const opener = await world.open(b.device)
  await opener.applyKeyring(world.keyring(b.device.principal))
  await world.read(opener, thread)
  const progress = { principal: b.device.principal, delivered_seq: 2, opened_seq: 2 }
  const openedAt = async (at: number) => {
    const { alter } = await import('./world.ts')
    const { fromBase64, toBase64 } = await import('../src/sealed/encoding.ts')
    const { opened } = await opener.makeOpened(thread)
    const raw = await alter(fromBase64(opened), 'opened', b.key, () => undefined, at)
    return correspondence.openedBy(thread, { ...progress, opened: toBase64(raw) } as unknown as Progress)
  }
  assert.equal((await openedAt(1_800_000_000))?.seq, 2)
  assert.equal(await openedAt(2 ** 53 - 1), null)
})

test('a sent draft does not come back, whatever was being saved and whether the server hears of it', async () => {
  const { tabs } = await desk()
  const { correspondence, line } = tabs[0]
  const keeper = new DraftKeeper(correspondence, 'new')
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  line.before = async (method) => {
    if (method === 'PUT') await released
  }
  keeper.save({ text: 'sent already' })
  const saving = keeper.flush()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const clearing = keeper.clear()
  release()
  await Promise.all([saving, clearing])
  assert.equal(await keeper.load(), null)
  assert.equal(line.drafts.size, 0)

  line.before = async () => undefined
  keeper.save({ text: 'sent too' })
  await keeper.flush()
  assert.equal((await keeper.load())?.text, 'sent too')
  line.isOff = true
  await keeper.clear()
  line.isOff = false
  assert.equal(line.drafts.size, 1)
  assert.equal(await keeper.load(), null)
  keeper.save({ text: 'the next one' })
  await keeper.flush()
  assert.equal((await keeper.load())?.text, 'the next one')
})
