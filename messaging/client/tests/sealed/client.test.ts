import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Applied, OpenedMessage } from '../../src/sealed/client.ts'
import { fromBase64, toBase64 } from '../../src/sealed/encoding.ts'
import { alter, flip, refuses, World } from '../world.ts'

const messageOf = (applied: Applied): OpenedMessage => {
  assert.equal(applied.type, 'message')
  return (applied as Extract<Applied, { type: 'message' }>).message
}

async function twoAuthorities() {
  const world = await World.create()
  const a = await world.authority('p-a')
  const b = await world.authority('p-b')
  const thread = await world.openThread(a, b)
  await world.read(b.mailbox, thread)
  return { world, a, b, thread }
}

test('an officer writes, the counterpart reads and acknowledges', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const [, first] = world.threads.get(thread) ?? []
  assert.ok(first)
  const read = messageOf(await b.mailbox.applyItem(first))
  assert.deepEqual(read.body, {
    type: 'note',
    text: 'first',
    reason: null,
    files: [],
    about: null,
    moment: null,
  })
  assert.equal(read.subject, 'Subject')
  assert.equal(read.isOwn, false)
  const sealed = await b.mailbox.sealAcknowledgement(thread, { of: read.id, seq: read.seq })
  await world.append(thread, 'message', sealed.item, { ciphertext: sealed.ciphertext })
  await world.read(a.mailbox, thread)
  await world.read(b.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.seq, 3)
  const { opened } = await b.mailbox.makeOpened(thread)
  const seen = await a.mailbox.checkOpened(thread, opened)
  assert.deepEqual([seen.seq, seen.principal], [3, b.device.principal])
  assert.equal(b.mailbox.pending(thread), null)
})

test('a device added later reads everything from before, through history', async () => {
  const { world, a, thread } = await twoAuthorities()
  await world.send(a, thread, 'second')
  const late = await world.device(a, 'p-c', ['officer'])
  assert.equal(late.mailbox.isReady(), true)
  await world.read(late.mailbox, thread)
  const last = (world.threads.get(thread) ?? []).at(-1)
  assert.ok(last)
  assert.deepEqual(messageOf(await late.mailbox.applyItem(last)).body, {
    type: 'note',
    text: 'second',
    reason: null,
    files: [],
    about: null,
    moment: null,
  })
  await world.send(late, thread, 'third')
  await world.read(a.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.seq, 4)
})

test('a refresh keeps the correspondence readable for both sides', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const { entry, envelopes } = await b.mailbox.refresh(thread)
  await world.append(thread, 'entry', entry, { envelopes })
  for (const party of [a, b]) await world.read(party.mailbox, thread)
  const item = await world.send(b, thread, 'after')
  assert.deepEqual(messageOf(await a.mailbox.applyItem(item)).body, {
    type: 'note',
    text: 'after',
    reason: null,
    files: [],
    about: null,
    moment: null,
  })
  assert.equal(a.mailbox.thread(thread)?.n, 1)
})

test('a draft is read by every device of the principal and by nobody else', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const { sealed } = await a.mailbox.sealDraft(thread, { text: 'später', subject: null })
  const colleague = await world.device(a, 'p-c', ['officer'])
  assert.deepEqual(await colleague.mailbox.openDraft(thread, sealed), { text: 'später', subject: null })
  await refuses('E5', 'cannot-open', () => b.mailbox.openDraft(thread, sealed))
  await refuses('E5', 'cannot-open', () => a.mailbox.openDraft('new', sealed))
})

test('the public state holds no secret and no text, and survives JSON and structured clone', async () => {
  const { world, a, thread } = await twoAuthorities()
  const state = a.mailbox.exportPublicState()
  const text = JSON.stringify(state)
  assert.ok(!text.includes('first') && !text.includes('Subject'))
  const again = await world.open(structuredClone(a.device), JSON.parse(text))
  await again.applyKeyring(world.keyring(a.device.principal))
  await world.read(again, thread)
  assert.deepEqual(again.exportPublicState(), state)
})

test('K4 the envelopes of another keyring are refused', async () => {
  const world = await World.create()
  const a = await world.authority('p-a')
  const kept = world.keyring(a.device.principal)
  const other = await world.authority('p-x')
  const [entry] = kept.entries
  const [foreign] = world.keyring(other.device.principal).entries
  assert.ok(entry && foreign)
  const mailbox = await world.open(a.device)
  const swapped = { ...kept, entries: [{ ...entry, envelopes: foreign.envelopes }] }
  await refuses('K4', 'wrong-recipients', () => mailbox.applyKeyring(swapped))
  assert.equal(mailbox.isReady(), false)
})

test('K7 a history that does not hold is an alarm; the own older envelope is used, and nothing is sealed', async () => {
  const world = await World.create()
  const a = await world.authority('p-a')
  const { principal } = a.device
  const { sealed } = await a.mailbox.sealDraft('new', 'from before')
  const { statement } = await world.request(a, 'p-c')
  const body = await a.mailbox.own.makeAddition([{ statement, roles: ['officer'] }])
  const raw = await alter(fromBase64(body.entry), 'keyring', a.key, (fields) => {
    fields.history = { of: 0, wrap: new Uint8Array(48) }
  })
  world.store(principal, 1, { ...body, entry: toBase64(raw) })
  const mailbox = await world.open(a.device)
  const view = await mailbox.applyKeyring(world.keyring(principal))
  assert.equal(view.broken, 'wrong-history')
  assert.equal(mailbox.isReady(), false)
  assert.equal(await mailbox.openDraft('new', sealed), 'from before')
  await refuses('K7', 'broken-keyring', () => mailbox.sealDraft('new', 'x'))
})

test('T7 an epoch whose history does not hold is read, and nothing is sealed in it', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const { entry, envelopes } = await b.mailbox.refresh(thread)
  const raw = await alter(fromBase64(entry), 'thread', b.key, (fields) => {
    fields.history = { of: 0, wrap: new Uint8Array(48) }
  })
  await world.append(thread, 'entry', toBase64(raw), { envelopes })
  await world.read(a.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.broken, 'wrong-history')
  await refuses('T7', 'broken-thread', () => a.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
})

test('K8 an authority cannot come back with another fingerprint', async () => {
  const world = await World.create()
  const [a, b, ghost] = [
    await world.authority('p-a'),
    await world.authority('p-b'),
    await world.authority('p-g'),
  ]
  const authority = { id: 'b', name: 'B' }
  await a.mailbox.applyKeyring({ ...world.keyring(b.device.principal, false), authority })
  const lie = { ...world.keyring(ghost.device.principal, false), authority }
  await refuses('K8', 'changed-principal', () => a.mailbox.applyKeyring(lie))
  const again = await world.open(a.device, a.mailbox.exportPublicState())
  await refuses('K8', 'changed-principal', () => again.applyKeyring(lie))
})

test('M9 nothing is sealed to a principal whose keyring was not verified', async () => {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const note = { text: 'x', language: 'en' }
  await refuses('M9', 'keyring-unknown', () =>
    a.mailbox.openThread({ authority: 'b', to: b.device.principal, note }),
  )
})

test('K10 a keyring shorter than before, or another one, is refused', async () => {
  const world = await World.create()
  const a = await world.authority('p-a')
  const short = world.keyring(a.device.principal)
  await world.device(a, 'p-c', ['officer'])
  const again = await world.open(a.device, a.mailbox.exportPublicState())
  await refuses('K10', 'stale-keyring', () => again.applyKeyring(short))
  const fork = await world.open(a.device)
  await fork.applyKeyring(short)
  const request = await world.request(a, 'p-d')
  const body = await fork.own.makeAddition([{ statement: request.statement, roles: ['officer'] }])
  const forked = {
    ...short,
    entries: [{ n: 1, entry: body.entry, envelopes: body.envelopes }],
    statements: body.statements,
  }
  await refuses('K10', 'forked-keyring', () => a.mailbox.applyKeyring(forked))
})

test('M1 an item that names an unseen keyring entry waits for it', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const late = await world.device(b, 'p-c', ['officer'])
  await world.read(late.mailbox, thread)
  const item = await world.send(late, thread, 'new')
  assert.deepEqual(await a.mailbox.needs(item), [{ principal: b.device.principal, from: 1 }])
  await refuses('M1', 'keyring-unknown', () => a.mailbox.applyItem(item))
  await world.read(a.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.seq, 3)
})

test('M4 one message at a time, a refused one is named by the next, and counters survive a reload', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const lost = await a.mailbox.sealNote(thread, { text: 'lost', language: 'en' })
  await refuses('M9', 'message-pending', () => a.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
  const reloaded = { ...a, mailbox: await world.open(a.device, a.mailbox.exportPublicState()) }
  await reloaded.mailbox.applyKeyring(world.keyring(a.device.principal))
  await world.read(reloaded.mailbox, thread)
  assert.equal(reloaded.mailbox.pending(thread), lost.id)
  reloaded.mailbox.markRefused(thread, lost.id)
  const item = await world.send(reloaded, thread, 'again')
  await world.read(b.mailbox, thread)
  assert.deepEqual(messageOf(await b.mailbox.applyItem(item)).marks, [])
  const late = await world.append(thread, 'message', lost.item, { ciphertext: lost.ciphertext })
  const marks = messageOf(await b.mailbox.applyItem(late)).marks
  assert.ok(marks.includes('never-delivered'))
})

test('M4 a gap, and another message before, are shown', async () => {
  for (const [name, value, mark] of [
    ['counter', 7, 'counter-gap'],
    ['prev', new Uint8Array(32).fill(1), 'wrong-previous'],
  ] as const) {
    const { world, a, b, thread } = await twoAuthorities()
    const { item, ciphertext } = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
    const raw = await alter(fromBase64(item), 'message', a.key, (fields) => {
      fields[name] = value
    })
    const appended = await world.append(thread, 'message', toBase64(raw), { ciphertext })
    assert.deepEqual(messageOf(await b.mailbox.applyItem(appended)).marks, [mark])
  }
})

test('M5 a text that is not the signed one is not shown', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const { item, ciphertext } = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
  const raw = await alter(fromBase64(item), 'message', a.key, (fields) => {
    fields.kind = 'acknowledgement'
  })
  const appended = await world.append(thread, 'message', toBase64(raw), { ciphertext })
  const message = messageOf(await b.mailbox.applyItem(appended))
  assert.deepEqual([message.failed, message.body], ['wrong-body', null])
})

test('M9 nothing is sealed before everything seen on an earlier visit is verified again', async () => {
  const { world, a, thread } = await twoAuthorities()
  const again = await world.open(a.device, a.mailbox.exportPublicState())
  await again.applyKeyring(world.keyring(a.device.principal))
  await refuses('M9', 'not-verified', () => again.sealNote(thread, { text: 'x', language: 'en' }))
})

test('T8 another item at a known place stops the thread', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const [, first] = world.threads.get(thread) ?? []
  assert.ok(first)
  assert.equal((await b.mailbox.applyItem(first)).known, true)
  const { item } = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
  await refuses('T8', 'forked-thread', () => b.mailbox.applyItem({ ...first, item }))
  assert.equal(b.mailbox.thread(thread)?.stopped?.code, 'forked-thread')
  assert.deepEqual(b.mailbox.thread(thread)?.stopped?.kept, [first, { ...first, item }])
  await refuses('T8', 'thread-stopped', () => b.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
})

test('T8 another transcript than at an earlier visit stops the thread', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const state = b.mailbox.exportPublicState()
  const [genesis] = world.threads.get(thread) ?? []
  assert.ok(genesis)
  const other = await world.open(a.device)
  await other.applyKeyring(world.keyring(a.device.principal))
  await other.applyKeyring(world.keyring(b.device.principal, false))
  await other.applyItem(genesis)
  world.threads.set(thread, [genesis])
  const fork = await other.sealNote(thread, { text: 'another first', language: 'en' })
  const again = await world.open(b.device, state)
  await again.applyKeyring(world.keyring(b.device.principal))
  await again.applyKeyring(world.keyring(a.device.principal, false))
  await again.applyItem(genesis)
  const item = {
    thread,
    seq: 2,
    type: 'message' as const,
    item: fork.item,
    ciphertext: fork.ciphertext,
    envelopes: null,
  }
  await refuses('T8', 'forked-thread', () => again.applyItem({ ...item, receipt: genesis.receipt }))
  await refuses('T8', 'thread-stopped', () => again.applyItem({ ...item, receipt: genesis.receipt }))
})

test('T8 a receipt for another item stops the thread', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const [genesis] = world.threads.get(thread) ?? []
  const { item, ciphertext } = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
  const appended = await world.append(thread, 'message', item, { ciphertext })
  assert.ok(genesis)
  await refuses('T8', 'forked-thread', () => b.mailbox.applyItem({ ...appended, receipt: genesis.receipt }))
  await refuses('T8', 'thread-stopped', () => b.mailbox.applyItem(appended))
})

test('M2 what was tried at a place and not taken does not count as seen', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const note = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
  const lost = { item: note.item, ciphertext: note.ciphertext }
  const item = await world.append(thread, 'message', lost.item, { ciphertext: lost.ciphertext })
  const receipt = toBase64(flip(fromBase64(item.receipt), fromBase64(item.receipt).length - 1))
  for (let n = 0; n < 2; n += 1)
    await refuses('E2', 'bad-signature', () => b.mailbox.applyItem({ ...item, receipt }))
  assert.equal((await b.mailbox.applyItem(item)).seq, 3)
  const again = await world.append(thread, 'message', lost.item, { ciphertext: lost.ciphertext })
  await refuses('M2', 'repeated-id', () => b.mailbox.applyItem(again))
})

test('E2 a receipt with a wrong signature is not taken, the right one afterwards is', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const item = await world.send(a, thread, 'x')
  const receipt = fromBase64(item.receipt)
  const broken = toBase64(flip(receipt, receipt.length - 1))
  await refuses('E2', 'bad-signature', () => b.mailbox.applyItem({ ...item, receipt: broken }))
  assert.equal(b.mailbox.thread(thread)?.seq, 2)
  assert.equal((await b.mailbox.applyItem(item)).seq, 3)
})

test('T8 an item after a missing one is not taken', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  await world.send(a, thread, 'x')
  const later = await world.send(a, thread, 'y')
  await refuses('T8', 'missing-item', () => b.mailbox.applyItem(later))
  await world.read(b.mailbox, thread)
  assert.equal(b.mailbox.thread(thread)?.seq, 4)
})

test('M9 a device that is not listed yet, or whose keyring does not hold, seals nothing', async () => {
  const world = await World.create()
  const a = await world.authority('p-a')
  const { device } = await world.request(a, 'p-c')
  const mailbox = await world.open(device)
  await mailbox.applyKeyring(world.keyring(device.principal))
  assert.deepEqual([mailbox.isListed(), mailbox.isReady()], [false, false])
  await refuses('M9', 'unlisted-device', () => mailbox.sealDraft('new', 'x'))
  const without = await world.open(a.device)
  await without.applyKeyring(world.keyring(a.device.principal, false))
  assert.deepEqual([without.isListed(), without.isReady()], [true, false])
  await refuses('K7', 'broken-keyring', () => without.sealDraft('new', 'x'))
})

test('T8 another server key or network than at the first visit is refused', async () => {
  const world = await World.create()
  const a = await world.authority('p-a')
  const state = a.mailbox.exportPublicState()
  await refuses('T8', 'server-key-changed', () =>
    world.open(a.device, { ...state, serverKey: toBase64(new Uint8Array(32)) }),
  )
  await refuses('E2', 'wrong-network', () => world.open(a.device, { ...state, net: 'other' }))
})

test('a steward reads a request and sees the words of the device', async () => {
  const world = await World.create()
  const a = await world.authority('p-a')
  const b = await world.authority('p-b')
  const request = await world.request(a, 'p-c')
  const read = await a.mailbox.own.readDeviceRequest(request.statement)
  assert.equal(read.device, request.device.id)
  assert.match(read.words, /^(\d{5} ){5}\d{5}$/)
  await refuses('K3', 'wrong-statement', () => b.mailbox.own.readDeviceRequest(request.statement))
})

test('K8 what is sealed goes to the pinned principal of the chosen authority, whatever the directory says', async () => {
  const world = await World.create()
  const [a, b, ghost] = [
    await world.authority('p-a'),
    await world.authority('p-b'),
    await world.authority('p-g'),
  ]
  const note = { text: 'x', language: 'en' }
  const authority = { id: 'b', name: 'B' }
  const to = ghost.device.principal
  await a.mailbox.applyKeyring({ ...world.keyring(b.device.principal, false), authority })
  a.mailbox.checkAuthority('b', b.device.principal)
  // The directory names the ghost as authority b; its keyring comes under another id, or under none.
  await a.mailbox.applyKeyring({ ...world.keyring(to, false), authority: null })
  await refuses('K8', 'changed-principal', () => a.mailbox.openThread({ authority: 'b', to, note }))
  await a.mailbox.applyKeyring({ ...world.keyring(to, false), authority: { id: 'g', name: 'B' } })
  await refuses('K8', 'changed-principal', () => a.mailbox.openThread({ authority: 'b', to, note }))
  await refuses('K8', 'changed-principal', () => a.mailbox.openThread({ authority: 'new', to, note }))
  await refuses('K8', 'changed-principal', () => a.mailbox.checkAuthority('b', to))
  await refuses('K8', 'changed-principal', () =>
    a.mailbox.applyKeyring({ ...world.keyring(to, false), authority: { id: 'h', name: 'B' } }),
  )
  assert.deepEqual(a.mailbox.exportPublicState().threads, {})
})

test('M4 a second tab takes over counters and pins without losing what it has verified', async () => {
  const { world, a, thread } = await twoAuthorities()
  const other = { ...a, mailbox: await world.open(a.device, a.mailbox.exportPublicState()) }
  await other.mailbox.applyKeyring(world.keyring(a.device.principal))
  await world.read(other.mailbox, thread)
  await world.send(a, thread, 'from the first tab')
  const lost = await a.mailbox.sealNote(thread, { text: 'lost', language: 'en' })
  await other.mailbox.takeOver(a.mailbox.exportPublicState())
  assert.equal(other.mailbox.thread(thread)?.seq, 2)
  assert.equal(other.mailbox.thread(thread)?.stopped, null)
  assert.equal(other.mailbox.pending(thread), lost.id)
  // A place that only the other tab has seen is fetched before anything is sealed.
  other.mailbox.markRefused(thread, lost.id)
  const note = { text: 'x', language: 'en' }
  await refuses('M9', 'not-verified', () => other.mailbox.sealNote(thread, note))
  await world.read(other.mailbox, thread)
  await world.send(other, thread, 'from the second tab')
  await world.read(a.mailbox, thread)
  await a.mailbox.takeOver(other.mailbox.exportPublicState())
  const item = await world.send(a, thread, 'from the first again')
  assert.deepEqual(messageOf(await other.mailbox.applyItem(item)).marks, [])
  for (const tab of [a, other]) assert.equal(tab.mailbox.thread(thread)?.seq, 5)
})

test('M4 what was accepted after another tab had stored its state stays accepted', async () => {
  const { world, a, thread } = await twoAuthorities()
  const sealed = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
  const stored = a.mailbox.exportPublicState()
  await world.append(thread, 'message', sealed.item, { ciphertext: sealed.ciphertext })
  await world.read(a.mailbox, thread)
  await a.mailbox.takeOver(stored)
  assert.equal(a.mailbox.pending(thread), null)
  await world.send(a, thread, 'y')
})

test('T8 only another transcript at a verified place is a contradiction between tabs', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  await world.send(b, thread, 'seen by the other tab only')
  const state = b.mailbox.exportPublicState()
  const pin = state.threads[thread]
  assert.ok(pin)
  await a.mailbox.takeOver({ ...a.mailbox.exportPublicState(), threads: { [thread]: pin } })
  assert.equal(a.mailbox.thread(thread)?.stopped, null)
  const lie = { ...pin, seq: 2, transcript: thread }
  await a.mailbox.takeOver({ ...a.mailbox.exportPublicState(), threads: { [thread]: lie } })
  assert.equal(a.mailbox.thread(thread)?.stopped?.code, 'forked-thread')
})

test('M4 a message names at most 16 refused ones; of more the oldest counts as never signed', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  for (let n = 0; n < 20; n += 1) {
    const { id } = await a.mailbox.sealNote(thread, { text: 'lost', language: 'en' })
    a.mailbox.markRefused(thread, id)
  }
  const item = await world.send(a, thread, 'at last')
  await world.read(b.mailbox, thread)
  assert.deepEqual(messageOf(await b.mailbox.applyItem(item)).marks, [])
  await world.send(a, thread, 'next')
  const { item: raw, ciphertext } = await a.mailbox.sealNote(thread, { text: 'x', language: 'en' })
  const many = await alter(fromBase64(raw), 'message', a.key, (fields) => {
    fields.void = Array.from({ length: 17 }, (_, n) => new Uint8Array(16).fill(n))
  })
  const appended = await world.append(thread, 'message', toBase64(many), { ciphertext })
  await world.read(a.mailbox, thread).catch(() => undefined)
  await b.mailbox.applyItem((world.threads.get(thread) ?? [])[3] as never)
  await refuses('E2', 'bad-statement', () => b.mailbox.applyItem(appended))
})

test('T7 an epoch that did not open is not forgotten at the next one', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const renew = async () => {
    const { entry, envelopes } = await b.mailbox.refresh(thread)
    const item = await world.append(thread, 'entry', entry, { envelopes })
    await world.read(b.mailbox, thread)
    return item
  }
  await a.mailbox.applyItem({ ...(await renew()), envelopes: null })
  await a.mailbox.applyItem(await renew())
  assert.equal(a.mailbox.thread(thread)?.broken, 'cannot-open')
  await refuses('T7', 'broken-thread', () => a.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
})

test('M5 a language has at most 35 characters; what a reader would refuse is not sealed', async () => {
  const { world, a, b, thread } = await twoAuthorities()
  const note = { text: 'x', language: 'a'.repeat(35) }
  const sealed = await a.mailbox.sealNote(thread, note)
  const item = await world.append(thread, 'message', sealed.item, { ciphertext: sealed.ciphertext })
  assert.equal(messageOf(await b.mailbox.applyItem(item)).language, note.language)
  await world.read(a.mailbox, thread)
  const long = { text: 'x', language: 'a'.repeat(36) }
  await refuses('M5', 'wrong-body', () => a.mailbox.sealNote(thread, long))
  assert.equal(a.mailbox.pending(thread), null)
})

test('a draft does not show the server how it grows', async () => {
  const { a, thread } = await twoAuthorities()
  const lengthOf = async (length: number) =>
    (await a.mailbox.sealDraft(thread, { text: 'x'.repeat(length) })).sealed.length
  assert.equal(await lengthOf(1), await lengthOf(400))
  assert.notEqual(await lengthOf(1), await lengthOf(600))
  const draft = { text: 'x'.repeat(44_000) }
  const { sealed } = await a.mailbox.sealDraft(thread, draft)
  assert.deepEqual(await a.mailbox.openDraft(thread, sealed), draft)
})
