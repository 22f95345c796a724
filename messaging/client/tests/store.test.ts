import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DraftKeeper } from '../src/store/drafts.ts'
import type { Progress, ThreadRow } from '../src/transport/wire.ts'
import { desk, note, openTab, refusal, settled, type Tab, textsOf } from './tabs.ts'
import { refuses } from './world.ts'

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
  const { world, a, b, thread, profile, tabs, known } = await desk()
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
  const other = await openTab(world, a, profile, known)
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

test('what one thread waits for holds up no other', async () => {
  const { world, a, b, thread, profile, tabs } = await desk()
  const [tab] = tabs
  const other = await world.openThread(a, b, 'other')
  for (const each of [thread, other]) await tab.correspondence.reading(each).load()
  let release: () => void = () => undefined
  const answered = new Promise<void>((resolve) => {
    release = resolve
  })
  let isFirst = true
  tab.line.before = async (method) => {
    if (method !== 'POST' || !isFirst) return
    isFirst = false
    await answered // the line took it, and brings no answer for long
  }
  await tab.outbox.addNote(thread, note('held up'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  await tab.outbox.addNote(other, note('not held up'))
  for (let n = 0; n < 200 && (await textsOf(world, b, other)).length < 2; n += 1)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(await textsOf(world, b, other), ['other', 'not held up'])
  assert.deepEqual(await textsOf(world, b, thread), ['first'])
  release()
  await settled(profile, tab)
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'held up'])
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

// ---------------------------------------------------------------- steps

test('a step that may come next is signed once, and one that may not is never signed', async () => {
  const { world, thread, profile, tabs } = await desk()
  const [tab] = tabs
  await tab.correspondence.reading(thread).load()
  const cases = await tab.correspondence.mailbox.cases()
  const inquiry = cases
    .see(thread)
    .may.find(({ variant, code }) => `${variant} ${code}` === 'assistance inquiry')
  assert.ok(inquiry)
  const written = { facts: { topic: 'May we ask?' }, language: 'en', urgency: 0 as const, due: null }
  await tab.outbox.addStep(thread, { ...written, step: inquiry })
  await settled(profile, tab)
  const seen = cases.see(thread)
  assert.deepEqual([seen.case.stage, seen.case.variant, seen.case.on], ['inquiry', 'assistance', 3])
  const items = world.threads.get(thread)?.length
  // The same step again was written before the first one stood there.
  await refuses('M11', 'stale-stage', () => tab.outbox.addStep(thread, { ...written, step: inquiry }))
  const executed = { ...inquiry, code: 'executed', on: 3 }
  await refuses('M11', 'forbidden-stage', () => tab.outbox.addStep(thread, { ...written, step: executed }))
  assert.equal(profile.entries.size, 0)
  assert.equal(world.threads.get(thread)?.length, items)
})
