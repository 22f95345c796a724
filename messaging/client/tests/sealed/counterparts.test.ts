import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toBase64, toHex } from '../../src/sealed/encoding.ts'
import { openFollower } from '../../src/sealed/follower.ts'
import type { KeyringJson } from '../../src/sealed/wire.ts'
import { AT, NET, type Party, refuses, World } from '../world.ts'

const NOTE = { text: 'hello', language: 'en' }
const nameOf = (principal: string): string => `authority-${principal.slice(0, 8)}`

/** A, which asks whom it may seal to; B; and two persons of the secretariat, who keep its keys. */
async function strangers() {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const [first, second] = await world.secretariat()
  a.mailbox = await world.open(a.device, undefined, first.device.principal)
  for (const { device } of [a, b, first])
    await a.mailbox.applyKeyring(world.keyring(device.principal, device === a.device))
  return { world, a, b, secretariat: [first, second] as const }
}

/** What the server answers of a principal that these have confirmed. */
async function confirmed(
  world: World,
  principal: string,
  persons: readonly Party[],
  about: Parameters<World['confirmsOf']>[2] = {},
): Promise<KeyringJson> {
  const confirms = await world.confirmsOf(principal, persons, about)
  return { ...world.keyring(principal, false), entries: [], confirms }
}

const open = (from: Party, to: Party) =>
  from.mailbox.openThread({ authority: nameOf(to.device.principal), to: to.device.principal, note: NOTE })

test('K8 nothing is sealed to who is neither confirmed nor accepted', async () => {
  const { world, a, b } = await strangers()
  assert.equal(a.mailbox.keyring(b.device.principal)?.level, 'new')
  await refuses('K8', 'not-compared', () => open(a, b))
  a.mailbox.others.secretariat = undefined // nobody is asked
  const thread = await world.openThread(a, b)
  a.mailbox.others.secretariat = null
  await refuses('K8', 'not-compared', () => a.mailbox.sealNote(thread, NOTE))
  await refuses('K8', 'not-compared', () => a.mailbox.refresh(thread))
  await world.accept(a, b.device.principal)
  assert.equal(a.mailbox.keyring(b.device.principal)?.level, 'accepted')
  await a.mailbox.sealNote(thread, NOTE)
})

test('K8 two persons of the secretariat confirm, and one does not', async () => {
  const { world, a, b, secretariat } = await strangers()
  const { principal } = b.device
  for (const persons of [secretariat.slice(0, 1), [secretariat[0], secretariat[0]], [a, a], []]) {
    await a.mailbox.applyKeyring(await confirmed(world, principal, persons as Party[]))
    await refuses('K8', 'not-compared', () => open(a, b))
  }
  await a.mailbox.applyKeyring(await confirmed(world, principal, secretariat, { authority: 'authority-x' }))
  await refuses('K8', 'not-compared', () => open(a, b))
  await a.mailbox.applyKeyring(await confirmed(world, principal, secretariat))
  await open(a, b)
  assert.equal(a.mailbox.keyring(principal)?.level, 'confirmed')
})

test('K8 another secretariat than at first sight confirms nobody', async () => {
  const { world, a, b } = await strangers()
  const other = await world.authority('x-1', ['steward'], 'secretariat')
  const second = await world.device(other, 'x-2', ['steward'])
  await a.mailbox.applyKeyring(world.keyring(other.device.principal, false))
  await a.mailbox.applyKeyring(await confirmed(world, b.device.principal, [other, second]))
  await refuses('K8', 'not-compared', () => open(a, b))
  await refuses('K8', 'changed-principal', () => a.mailbox.others.meet(other.device.principal))
  const kept = a.mailbox.exportPublicState()
  await refuses('K8', 'changed-principal', () => world.open(a.device, kept, other.device.principal))
  const again = await world.open(a.device, kept, null)
  assert.equal(again.others.secretariat, kept.secretariat)
})

test('K8 a confirm that is not in the log counts for nothing', async () => {
  const { world, a, b, secretariat } = await strangers()
  const given = await confirmed(world, b.device.principal, secretariat)
  await a.mailbox.applyKeyring(given)
  const follow = async () => {
    const page = await world.logPage(0)
    const serverKey = toBase64(world.serverKey.public)
    a.mailbox.log = await openFollower({ net: NET, serverKey }, page, null)
    await a.mailbox.log.follow(page.checkpoint, page.leaves, AT * 2)
    a.mailbox.log.freshAt = AT
  }
  for (const raw of given.confirms ?? []) {
    await follow()
    await refuses('K8', 'not-compared', () => open(a, b))
    world.logged.push({ authority: nameOf(b.device.principal), statement: raw })
  }
  await follow()
  await open(a, b)
  const stored = await (a.mailbox.log as NonNullable<typeof a.mailbox.log>).export()
  assert.equal(stored.stated?.length, 2)
})

test('K8 what a supervisor accepted all devices of the authority seal to; what an officer accepts counts for nothing', async () => {
  const { world, a, b } = await strangers()
  const officer = await world.device(a, 'p-c', ['officer'])
  const { principal } = b.device
  officer.mailbox = await world.open(officer.device, undefined, null)
  for (const { device } of [a, b])
    await officer.mailbox.applyKeyring(world.keyring(device.principal, device === a.device))
  const membership = await officer.mailbox.membership()
  await refuses('K8', 'not-a-supervisor', () => membership.accept(nameOf(principal), principal, 'voice'))
  await refuses('K8', 'not-compared', () => open(officer, b))
  await world.accept(a, principal)
  await world.read(officer.mailbox, await world.ledger(a))
  await open(officer, b)
  assert.equal(officer.mailbox.others.acceptOf(principal)?.how, 'voice')
})

test('K8 what a removed device accepted last, and no colleague has covered, counts for nothing', async () => {
  const { world, a, b } = await strangers()
  const head = await world.device(a, 'p-c', ['officer', 'supervisor'])
  head.mailbox = await world.open(head.device, undefined, null)
  for (const { device } of [a, b])
    await head.mailbox.applyKeyring(world.keyring(device.principal, device === a.device))
  await world.accept(head, b.device.principal)
  await world.read(a.mailbox, await world.ledger(head))
  await a.mailbox.others.refresh()
  assert.equal(a.mailbox.keyring(b.device.principal)?.level, 'accepted')
  const removal = a.mailbox.stewardship.removal([head.device.id])
  const body = await a.mailbox.stewardship.make(removal, { approvals: [] })
  world.store(a.device.principal, a.mailbox.keyringFrom(a.device.principal), body)
  await a.mailbox.applyKeyring(world.keyring(a.device.principal))
  await refuses('K8', 'not-compared', () => open(a, b))
})

test('L7 a new device starts from what a colleague has seen, and believes no less', async () => {
  const { world, a, b } = await strangers()
  await world.state(a, await (await a.mailbox.membership()).pins())
  assert.deepEqual(await a.mailbox.others.startFromPins(), { at: AT, isWhole: true })
  const officer = await world.device(a, 'p-c', ['officer'])
  officer.mailbox = await world.open(officer.device, undefined, null)
  await officer.mailbox.applyKeyring(world.keyring(a.device.principal))
  await world.read(officer.mailbox, await world.ledger(a))
  assert.notEqual(await officer.mailbox.others.startFromPins(), null)
  const pinned = officer.mailbox.exportPublicState().keyrings[b.device.principal]
  assert.equal(pinned?.head, a.mailbox.keyring(b.device.principal)?.head)
  const shorter = world.keyring(b.device.principal, false)
  await refuses('K1', 'missing-entry', () => officer.mailbox.applyKeyring({ ...shorter, entries: [] }))
  await officer.mailbox.applyKeyring(shorter)
  assert.equal(officer.mailbox.keyring(b.device.principal)?.level, 'seen')
})

test('K10 another keyring than a colleague has seen is refused', async () => {
  const { world, a, b } = await strangers()
  await b.mailbox.applyKeyring(world.keyring(b.device.principal))
  const rotated = await b.mailbox.stewardship.make(b.mailbox.stewardship.rotation())
  world.store(b.device.principal, 1, rotated)
  await a.mailbox.applyKeyring(world.keyring(b.device.principal, false))
  await world.state(a, await (await a.mailbox.membership()).pins())
  const officer = await world.device(a, 'p-c', ['officer'])
  officer.mailbox = await world.open(officer.device, undefined, null)
  await officer.mailbox.applyKeyring(world.keyring(a.device.principal))
  await world.read(officer.mailbox, await world.ledger(a))
  await officer.mailbox.others.startFromPins()
  const whole = world.keyring(b.device.principal, false)
  const older = { ...whole, entries: whole.entries.slice(0, 1) }
  await refuses('K10', 'stale-keyring', () => officer.mailbox.applyKeyring(older))
  assert.equal(toHex(fromHex(whole.principal)), b.device.principal)
})

test('K12 nothing is sealed to keys whose place others have taken', async () => {
  const { world, a, b, secretariat } = await strangers()
  const old = b.device.principal
  await a.mailbox.applyKeyring(await confirmed(world, old, secretariat))
  const thread = await world.openThread(a, b)
  const heir = await world.authority('p-b', undefined, 'authority', old)
  const { principal } = heir.device
  const ofB = world.keyring(old, false).authority
  const shown = { ...world.keyring(principal, false), authority: ofB ?? null }
  await a.mailbox.applyKeyring(shown)
  // What only says so changes nothing.
  assert.equal(a.mailbox.others.successorOf(old), null)
  a.mailbox.markRefused(thread, (await a.mailbox.sealNote(thread, NOTE)).id)
  const authority = nameOf(old)
  await refuses('K8', 'not-compared', () => a.mailbox.openThread({ authority, to: principal, note: NOTE }))
  const confirms = await world.confirmsOf(principal, secretariat, { authority })
  await a.mailbox.applyKeyring({ ...shown, entries: [], confirms })
  await a.mailbox.others.refresh()
  assert.equal(a.mailbox.others.successorOf(old), principal)
  await refuses('K12', 'succeeded', () => a.mailbox.sealNote(thread, NOTE))
  await refuses('K12', 'succeeded', () => open(a, b))
  await a.mailbox.openThread({ authority, to: principal, note: NOTE })
})

test('K12 who meets the new keys first knows the old ones too, and no others', async () => {
  const { world, a, b } = await strangers()
  const stranger = await world.authority('p-x')
  const heir = await world.authority('p-b', undefined, 'authority', b.device.principal)
  const reader = await world.open(a.device)
  await reader.applyKeyring(world.keyring(a.device.principal))
  const authority = { id: 'authority-of-b', name: 'B', state: 'XAB' }
  await reader.applyKeyring({ ...world.keyring(heir.device.principal, false), authority })
  await reader.applyKeyring({ ...world.keyring(b.device.principal, false), authority })
  reader.checkAuthority(authority.id, b.device.principal)
  await refuses('K8', 'changed-principal', () =>
    reader.applyKeyring({ ...world.keyring(stranger.device.principal, false), authority }),
  )
})
