import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partOf } from '../../src/views/membership.ts'
import { type Party, World } from '../world.ts'

async function renew(world: World, from: Party, thread: string): Promise<void> {
  for (const { principal } of from.mailbox.thread(thread)?.members ?? [])
    await from.mailbox.applyKeyring(world.keyring(principal, principal === from.device.principal))
  const { entry, envelopes } = await from.mailbox.refresh(thread)
  await world.append(thread, 'entry', entry, { envelopes })
  await world.read(from.mailbox, thread)
}

async function afterRemoval(covered: boolean) {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const officer = await world.device(a, 'p-c', ['officer'])
  const thread = await world.openThread(a, b)
  await world.read(officer.mailbox, thread)
  const item = await world.send(officer, thread, 'last words')
  await world.read(a.mailbox, thread)
  if (covered) await world.send(a, thread, 'seen by a colleague')
  await world.read(b.mailbox, thread)
  const change = a.mailbox.stewardship.removal([officer.device.id])
  const body = await a.mailbox.stewardship.make(change, { approvals: [] })
  world.store(a.device.principal, a.mailbox.keyringFrom(a.device.principal), body)
  assert.deepEqual([...b.mailbox.unanchored(thread)], [])
  await b.mailbox.applyKeyring(world.keyring(a.device.principal, false))
  return { world, a, b, thread, seq: item.seq }
}

test('M8 what a removed device wrote, and no colleague has covered, is unanchored', async () => {
  const { b, thread, seq } = await afterRemoval(false)
  assert.deepEqual([...b.mailbox.unanchored(thread)], [seq])
})

test('M8 what a colleague has covered is anchored, also by an entry', async () => {
  const { b, thread } = await afterRemoval(true)
  assert.deepEqual([...b.mailbox.unanchored(thread)], [])
  const late = await afterRemoval(false)
  await late.a.mailbox.applyKeyring(late.world.keyring(late.a.device.principal))
  await renew(late.world, late.a, late.thread)
  await late.world.read(late.b.mailbox, late.thread)
  assert.deepEqual([...late.b.mailbox.unanchored(late.thread)], [])
})

test('a page knows whether the own authority writes, reads along or has left', () => {
  const members = (role: string | null) => (role === null ? [] : [{ principal: 'own', role, keyringN: 0 }])
  const part = (role: string | null) => partOf({ members: members(role) } as never, { principal: 'own' })
  assert.deepEqual([part('party'), part('observer'), part(null)], ['writes', 'reads', 'left'])
  assert.equal(partOf(null, { principal: 'own' }), 'writes')
})
