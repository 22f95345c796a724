import assert from 'node:assert/strict'
import { test } from 'node:test'
import { desk, openTab } from './tabs.ts'
import { flip, refuses } from './world.ts'

const askedFor = (asked: readonly string[], principal: string) =>
  asked.filter((path) => path.includes(principal)).map((path) => Number(path.split('from=')[1]))

test('a page asks only for what is new in a keyring that this browser has verified', async () => {
  const { world, a, b, profile, known } = await desk()
  const counterpart = b.device.principal
  assert.equal(profile.keyrings.get(counterpart)?.entries.length, 1)
  const later = await openTab(world, a, profile, known)
  assert.deepEqual(new Set(askedFor(later.line.asked, counterpart)), new Set([1]))
  assert.deepEqual(new Set(askedFor(later.line.asked, a.device.principal)), new Set([1]))
  await world.device(b, 'p-b2', ['officer'])
  assert.equal((await later.correspondence.learnKeyring(counterpart)).n, 1)
  assert.equal(profile.keyrings.get(counterpart)?.entries.length, 2)
  const last = await openTab(world, a, profile, known)
  assert.deepEqual(new Set(askedFor(last.line.asked, counterpart)), new Set([2]))
  assert.equal(last.correspondence.mailbox.keyring(counterpart)?.devices.length, 2)
  assert.equal(last.correspondence.mailbox.keyring(counterpart)?.level, 'confirmed')
})

test('E6 a kept keyring that was damaged is fetched anew', async () => {
  const { world, a, b, profile, known } = await desk()
  const kept = profile.keyrings.get(b.device.principal)
  assert.ok(kept)
  const { fromBase64, toBase64 } = await import('../src/sealed/encoding.ts')
  const entries = kept.entries.map((row) => ({ ...row, entry: toBase64(flip(fromBase64(row.entry))) }))
  profile.keyrings.set(b.device.principal, { ...kept, entries })
  const later = await openTab(world, a, profile, known)
  assert.deepEqual(askedFor(later.line.asked, b.device.principal).slice(0, 2), [1, 0])
  assert.equal(later.correspondence.mailbox.keyring(b.device.principal)?.n, 0)
  assert.deepEqual(profile.keyrings.get(b.device.principal)?.entries, kept.entries)
})

test('K10 what was kept does not hide that the server tells another keyring now', async () => {
  const { world, a, b, profile, known } = await desk()
  await world.device(b, 'p-b2', ['officer'])
  const { correspondence } = await openTab(world, a, profile, known)
  const whole = profile.keyrings.get(b.device.principal)
  assert.equal(whole?.entries.length, 2)
  // Another tab has kept less than this device has pinned, and the server withholds the rest.
  profile.keyrings.set(b.device.principal, { ...whole, entries: whole.entries.slice(0, 1) })
  await profile.saveState(correspondence.nextState())
  world.keyring = ((of) => (principal: string, withEnvelopes?: boolean) => {
    const told = of.call(world, principal, withEnvelopes)
    return principal === b.device.principal ? { ...told, entries: told.entries.slice(0, 1) } : told
  })(world.keyring)
  await refuses('K10', 'stale-keyring', () => openTab(world, a, profile, known))
})

test('K7 the own keyring is kept only with its envelopes', async () => {
  const { world, a, profile, known } = await desk()
  profile.keyrings.clear()
  const { keyring } = world
  world.keyring = (principal: string) => keyring.call(world, principal, false)
  await openTab(world, a, profile, known)
  assert.equal(profile.keyrings.has(a.device.principal), false)
  world.keyring = keyring
  const { correspondence } = await openTab(world, a, profile, known)
  assert.equal(correspondence.mailbox.isReady(), true)
  assert.equal(profile.keyrings.get(a.device.principal)?.entries.length, 1)
})
