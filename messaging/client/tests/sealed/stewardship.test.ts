import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Applied } from '../../src/sealed/client.ts'
import { fromBase64, toBase64 } from '../../src/sealed/encoding.ts'
import { wrapSecret } from '../../src/sealed/envelopes.ts'
import { createDeviceKeys, RecoveryKit, SigningKey } from '../../src/sealed/keys.ts'
import { Recovery, tryKit } from '../../src/sealed/recovery.ts'
import type { Change } from '../../src/sealed/stewardship.ts'
import { AT, alter, NET, type Party, refuses, World } from '../world.ts'

const textOf = (applied: Applied | undefined): string | null =>
  applied?.type === 'message' && applied.message.body?.type === 'note' ? applied.message.body.text : null

/** The steward writes the entry, and everybody of the authority learns it. */
async function carryOut(world: World, steward: Party, change: Change, approvals: string[] = []) {
  const { principal } = steward.device
  const body = await steward.mailbox.stewardship.make(change, { approvals })
  world.store(principal, steward.mailbox.keyringFrom(principal), body)
  await steward.mailbox.applyKeyring(world.keyring(principal))
}

async function correspondence() {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const officer = await world.device(a, 'p-c', ['officer'])
  const thread = await world.openThread(a, b)
  await world.read(b.mailbox, thread)
  await world.read(officer.mailbox, thread)
  return { world, a, b, officer, thread }
}

/** The counterpart takes what is new, re-keys where it has to, and writes. */
async function answer(world: World, from: Party, thread: string, text: string) {
  await world.read(from.mailbox, thread)
  for (const { principal } of from.mailbox.thread(thread)?.members ?? [])
    await from.mailbox.applyKeyring(world.keyring(principal, principal === from.device.principal))
  if (from.mailbox.needsRefresh(thread)) {
    const { entry, envelopes } = await from.mailbox.refresh(thread)
    await world.append(thread, 'entry', entry, { envelopes })
    await world.read(from.mailbox, thread)
  }
  await world.send(from, thread, text)
}

test('a removed device with all its old state opens nothing sealed afterwards', async () => {
  const { world, a, b, officer, thread } = await correspondence()
  await carryOut(world, a, a.mailbox.stewardship.removal([officer.device.id]))
  await answer(world, b, thread, 'only for who is left')
  await world.read(a.mailbox, thread)
  await officer.mailbox.applyKeyring(world.keyring(a.device.principal))
  assert.equal(officer.mailbox.isListed(), false)
  const items = world.threads.get(thread) ?? []
  const [, , ...after] = items
  const seen = []
  for (const item of after) seen.push(await officer.mailbox.applyItem(item))
  assert.equal(textOf(seen.at(-1)), null)
  assert.equal(
    textOf(await a.mailbox.applyItem(items.at(-1) as (typeof items)[number])),
    'only for who is left',
  )
  await refuses('T7', 'broken-thread', () => officer.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
})

test('a rotation re-keys a thread before it is next written', async () => {
  const { world, a, b, thread } = await correspondence()
  await carryOut(world, a, a.mailbox.stewardship.rotation())
  assert.equal(a.mailbox.needsRefresh(thread), true)
  await refuses('T4', 'stale-epoch', () => a.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
  await answer(world, b, thread, 'after')
  await world.read(a.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.n, 1)
  assert.equal(a.mailbox.keyring(a.device.principal)?.rotatedAt, AT)
})

test('two stewards need each other, and the view says what was changed', async () => {
  const world = await World.create()
  const first = await world.authority('p-a')
  const second = await world.device(first, 'p-b', ['steward'])
  const { principal } = first.device
  const kit = RecoveryKit.create()
  const change = await first.mailbox.stewardship.newRecoveryKey(kit)
  assert.equal(first.mailbox.stewardship.need(change), 'steward')
  await refuses('K6', 'approval-needed', () => first.mailbox.stewardship.make(change))
  await second.mailbox.applyKeyring(world.keyring(principal))
  const asked = second.mailbox.stewardship.read(change.encoded)
  assert.equal(asked.recoveryChanges, true)
  await carryOut(world, first, change, [await second.mailbox.stewardship.approve(asked)])
  const [newest] = first.mailbox.keyring(principal)?.changes.slice(-1) ?? []
  assert.deepEqual(
    [newest?.reason, newest?.recoveryChanges, newest?.isApproved],
    ['recovery-key', true, true],
  )
  await second.mailbox.applyKeyring(world.keyring(principal))
  const removal = first.mailbox.stewardship.removal([second.device.id])
  assert.equal(first.mailbox.stewardship.need(removal), 'advised')
  await carryOut(world, first, removal)
  const { statement } = await world.request(first, 'p-c')
  const another = await first.mailbox.stewardship.addition([{ statement, roles: ['steward'] }])
  assert.equal(first.mailbox.stewardship.need(another), 'recovery-key')
  const approval = await first.mailbox.stewardship.approveWithKit(another, kit)
  await first.mailbox.stewardship.make(another, { approvals: [approval], statements: [statement] })
  await refuses('K11', 'other-kit', () =>
    first.mailbox.stewardship.approveWithKit(another, RecoveryKit.create()),
  )
})

async function kitOf(world: World, party: Party): Promise<RecoveryKit> {
  const kit = RecoveryKit.create()
  await carryOut(world, party, await party.mailbox.stewardship.newRecoveryKey(kit))
  return kit
}

test('with the kit a new browser reads everything, and counterparts see it first', async () => {
  const { world, a, b, thread } = await correspondence()
  const kit = await kitOf(world, a)
  await answer(world, b, thread, 'before it was lost')
  const keyring = world.keyring(a.device.principal)
  assert.deepEqual(await tryKit({ net: NET, kit, keyring }), { opens: true, n: 2 })
  await refuses('K11', 'other-kit', () => tryKit({ net: NET, kit: RecoveryKit.create(), keyring }))
  const keys = await createDeviceKeys()
  const person = { person: 'p-a', name: 'Name of p-a', office: 'Office' }
  const roles = ['officer', 'steward', 'supervisor'] as const
  const taken = await Recovery.begin({ net: NET, kit, keyring, person, keys, at: AT, roles })
  world.store(a.device.principal, 3, await taken.make())
  const mailbox = await world.open(taken.device)
  await mailbox.applyKeyring(world.keyring(a.device.principal))
  await world.read(mailbox, thread)
  const items = world.threads.get(thread) ?? []
  assert.equal(textOf(await mailbox.applyItem(items.at(-1) as (typeof items)[number])), 'before it was lost')
  await b.mailbox.applyKeyring(world.keyring(a.device.principal, false))
  assert.equal(b.mailbox.keyring(a.device.principal)?.isUnconfirmed, true)
  await refuses('K11', 'unconfirmed-recovery', () =>
    b.mailbox.sealNote(thread, { text: 'who is there', language: 'en' }),
  )
  await world.accept(b, a.device.principal)
  assert.equal(b.mailbox.keyring(a.device.principal)?.isUnconfirmed, false)
  await answer(world, b, thread, 'we have compared')
  const key = new SigningKey(keys.sig, keys.signing)
  const heir: Party = { device: taken.device, key, mailbox }
  await world.read(heir.mailbox, thread)
  await answer(world, heir, thread, 'back again')
  await refuses('K11', 'other-kit', () =>
    tryKit({ net: NET, kit, keyring: world.keyring(a.device.principal) }),
  )
})

test('a recovery that a steward approves is confirmed', async () => {
  const { world, a, b } = await correspondence()
  const kit = await kitOf(world, a)
  const keyring = world.keyring(a.device.principal)
  const keys = await createDeviceKeys()
  const person = { person: 'p-d', name: 'Name of p-d', office: 'Office' }
  const taken = await Recovery.begin({ net: NET, kit, keyring, person, keys, at: AT, roles: ['steward'] })
  const approval = await a.mailbox.stewardship.approve(taken.change)
  world.store(a.device.principal, 3, await taken.make([approval]))
  await b.mailbox.applyKeyring(world.keyring(a.device.principal, false))
  assert.equal(b.mailbox.keyring(a.device.principal)?.isUnconfirmed, false)
})

test('an entry that does not hold is an alarm until it is repaired', async () => {
  const { world, a, officer } = await correspondence()
  const { principal } = a.device
  const rotated = await a.mailbox.stewardship.make(a.mailbox.stewardship.rotation())
  const other = { of: 1, secret: new Uint8Array(32).fill(3) }
  const place = { purpose: 'keyring history', subject: new Uint8Array(32), n: 2 }
  const { of, wrap } = await wrapSecret(NET, place, new Uint8Array(32), other)
  const spoiled = await alter(fromBase64(rotated.entry), 'keyring', a.key, (fields) => {
    fields.history = { of, wrap }
  })
  world.store(principal, 2, { ...rotated, entry: toBase64(spoiled) })
  for (const one of [a, officer]) {
    const view = await one.mailbox.applyKeyring(world.keyring(principal))
    assert.equal(view.broken, 'wrong-history')
    assert.equal(one.mailbox.isReady(), false)
  }
  await refuses('K7', 'broken-keyring', () => a.mailbox.stewardship.make(a.mailbox.stewardship.rotation()))
  await carryOut(world, a, a.mailbox.stewardship.repair())
  const view = await officer.mailbox.applyKeyring(world.keyring(principal))
  assert.equal(view.broken, null)
  assert.equal(officer.mailbox.isReady(), true)
  const late = await world.device(a, 'p-z', ['officer'])
  assert.equal(late.mailbox.isReady(), true)
})
