import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toBase64 } from '../src/sealed/encoding.ts'
import type { LogState } from '../src/sealed/wire.ts'
import type { LogPage } from '../src/transport/wire.ts'
import { signNote } from './log_server.ts'
import { desk, type Line, note, openTab, Profile, settled, type Tab, textsOf } from './tabs.ts'
import { NET, refuses } from './world.ts'

/** Lets the server's answer about the log be another one. */
function lie(line: Line, change: (page: LogPage) => Partial<LogPage> | Promise<Partial<LogPage>>): void {
  const honest = line.log
  line.log = async (from) => {
    const page = await honest(from)
    return { ...page, ...(await change(page)) }
  }
}

const inThirtySeconds = () => {
  const real = Date.now
  Date.now = () => real() + 31_000
  return () => {
    Date.now = real
  }
}

test('L7 what is written names the log as this device has followed it, and tabs go on from one another', async () => {
  const { world, b, thread, profile, tabs } = await desk(2)
  const [one, two] = tabs as [Tab, Tab]
  await one.correspondence.reading(thread).load()
  await one.outbox.addNote(thread, note('logged'))
  await settled(profile, one)
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'logged'])
  assert.equal(one.correspondence.log.alarm, null)
  assert.equal(one.correspondence.log.quorum, 0)
  const asked: number[] = []
  const { log } = two.line
  two.line.log = (from) => {
    asked.push(from)
    return log(from)
  }
  await two.correspondence.log.follow()
  assert.deepEqual(asked, [world.logged.length])
})

test('L5 a shorter log is an alarm that is said and kept, and nothing is sealed', async () => {
  const { world, thread, profile, tabs } = await desk()
  const [tab] = tabs
  await tab.correspondence.reading(thread).load()
  const said: string[] = []
  tab.correspondence.log.onAlarm = (code) => said.push(code)
  lie(tab.line, async () => ({
    checkpoint: await signNote([], { net: NET, key: world.serverKey, at: Math.floor(Date.now() / 1000) }),
    leaves: [],
  }))
  const back = inThirtySeconds()
  try {
    await refuses('L5', 'smaller-checkpoint', () =>
      tab.correspondence.log.makeReady([tab.correspondence.principal]),
    )
  } finally {
    back()
  }
  assert.deepEqual(said, ['smaller-checkpoint'])
  const kept = profile.facts.get('log') as LogState
  assert.equal(kept.evidence[0]?.code, 'smaller-checkpoint')
  assert.equal(kept.size, world.logged.length)
})

test('L5 after a log was refused nothing is sealed by what was known of it before, with a line or without', async () => {
  const { world, thread, profile, tabs } = await desk()
  const [tab] = tabs
  await tab.correspondence.reading(thread).load()
  await tab.correspondence.log.follow()
  const honest = tab.line.log
  lie(tab.line, async () => ({
    checkpoint: await signNote([], { net: NET, key: world.serverKey, at: Math.floor(Date.now() / 1000) }),
    leaves: [],
  }))
  await refuses('L5', 'smaller-checkpoint', () => tab.correspondence.log.follow())
  const adding = () => tab.outbox.addNote(thread, note('not on this word'))
  await refuses('L5', 'smaller-checkpoint', adding)
  tab.line.isOff = true
  await refuses('L5', 'smaller-checkpoint', adding)
  assert.equal(profile.entries.size, 0)
  tab.line.isOff = false
  tab.line.log = honest
  await tab.correspondence.log.makeReady([tab.correspondence.principal])
  await adding()
})

test('L1 to a keyring that the log does not have nothing is sealed', async () => {
  const { world, a, officers, known } = await desk()
  const c = await world.authority('p-c')
  const hidden = world.logged.pop()
  await world.confirm(officers, c.device.principal)
  const tab = await openTab(world, a, new Profile(), known)
  const authority = `authority-${c.device.principal.slice(0, 8)}`
  const adding = () => tab.outbox.addThread(authority, c.device.principal, note('x'))
  await refuses('L1', 'not-logged', () => adding())
  world.logged.push(hidden as (typeof world.logged)[number])
  await adding()
})

test('L2 keys that the log has and the server withholds are asked for and missed', async () => {
  const { world, a, b, thread, profile, known } = await desk()
  const line = await openTab(world, a, profile, known)
  await line.correspondence.reading(thread).load()
  await line.correspondence.learnKeyring(b.device.principal)
  const { statement } = await world.request(b, 'p-late')
  await world.add(b, [{ statement, roles: ['officer'] }])
  const kept = world.keyrings.get(b.device.principal)?.entries.pop()
  const back = inThirtySeconds()
  try {
    await line.correspondence.log.makeReady([b.device.principal])
    await refuses('L2', 'withheld-entry', () => line.correspondence.mailbox.sealNote(thread, note('x')))
    world.keyrings.get(b.device.principal)?.entries.push(kept as never)
    await line.correspondence.log.makeReady([b.device.principal])
    await line.correspondence.mailbox.sealNote(thread, note('x'))
  } finally {
    back()
  }
})

test('L3 a foreign entry under the own label is an alarm at once', async () => {
  const { world, a, thread, known } = await desk()
  world.logged.push({ principal: a.device.principal, n: 0, entry: toBase64(new Uint8Array(8)) })
  const profile = new Profile()
  const tab = await openTab(world, a, profile, known)
  assert.equal(tab.correspondence.log.alarm, 'contradicting-leaves')
  await tab.correspondence.reading(thread).load()
  await refuses('L3', 'contradicting-leaves', () => tab.correspondence.mailbox.sealNote(thread, note('x')))
})

test('L4 without an answer about the log nothing is sealed; the text waits', async () => {
  const { world, a, b, thread, known } = await desk()
  const profile = new Profile()
  const tab = await openTab(world, a, profile, known)
  await tab.correspondence.reading(thread).load()
  if (tab.correspondence.mailbox.log) tab.correspondence.mailbox.log.freshAt = 0
  tab.line.isOff = true
  await tab.outbox.addNote(thread, note('later'))
  assert.deepEqual(
    [...profile.entries.values()].map(({ body }) => body),
    [null],
  )
  tab.line.isOff = false
  const back = inThirtySeconds()
  try {
    await settled(profile, tab)
  } finally {
    back()
  }
  assert.deepEqual(await textsOf(world, b, thread), ['first', 'later'])
})
