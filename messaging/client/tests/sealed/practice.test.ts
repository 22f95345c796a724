import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeviceKeys, SigningKey } from '../../src/sealed/keys.ts'
import { makeFirstDevice, makePractitioner } from '../../src/sealed/practice.ts'
import type { ItemJson } from '../../src/sealed/wire.ts'
import { AT, NET, type Party, refuses, World } from '../world.ts'

const YEAR = 365 * 86_400

async function practiceOf(party: Party) {
  return (await party.mailbox.membership()).practice
}

/** Writes the sponsor's entry that lists these rows. */
async function list(
  world: World,
  sponsor: Party,
  rows: Parameters<Party['mailbox']['stewardship']['sponsoring']>[0],
  approvals: string[] = [],
): Promise<void> {
  const { stewardship } = sponsor.mailbox
  const body = await stewardship.make(stewardship.sponsoring(rows), { approvals })
  const { principal } = sponsor.device
  world.store(principal, sponsor.mailbox.keyringFrom(principal), body)
  await sponsor.mailbox.applyKeyring(world.keyring(principal))
}

/** A practitioner for whom an authority answers. */
async function begin(world: World, sponsor: Party, person: string, until?: number): Promise<Party> {
  const keys = await createDeviceKeys()
  const who = { person, name: `Name of ${person}`, office: 'Office' }
  const first = await makeFirstDevice({ net: NET, person: who, keys, at: AT })
  const practice = await practiceOf(sponsor)
  const statement = await practice.sponsor(first.body.statement, until)
  const { device, body } = await makePractitioner(NET, first.device, statement, AT)
  world.store(device.principal, 0, body)
  await sponsor.mailbox.applyKeyring(world.keyring(device.principal, false))
  await list(world, sponsor, practice.listing(device.principal, statement))
  const mailbox = await world.open(device)
  await mailbox.applyKeyring(world.keyring(sponsor.device.principal, false))
  await mailbox.applyKeyring(world.keyring(device.principal))
  return { device, key: new SigningKey(keys.sig, keys.signing), mailbox }
}

async function direct() {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  await a.mailbox.applyKeyring(world.keyring(b.device.principal, false))
  const { thread, body } = await a.mailbox.openThread({
    authority: `authority-${b.device.principal.slice(0, 8)}`,
    to: b.device.principal,
    note: { text: 'Let them talk.', language: 'en' },
    kind: 'direct',
  })
  await world.append(thread, 'entry', body.entry, { envelopes: body.envelopes })
  const [message] = body.messages
  await world.append(thread, 'message', message?.item ?? '', { ciphertext: message?.ciphertext ?? '' })
  await world.read(a.mailbox, thread)
  await world.read(b.mailbox, thread)
  const practitioner = await begin(world, a, 'p-v')
  await b.mailbox.applyKeyring(world.keyring(a.device.principal, false))
  await b.mailbox.applyKeyring(world.keyring(practitioner.device.principal, false))
  return { world, a, b, thread, practitioner }
}

/** Proposed by A, consented by both, carried out by A. */
async function admit({ world, a, b, thread, practitioner }: Awaited<ReturnType<typeof direct>>) {
  const membership = await a.mailbox.membership()
  const made = await membership.mandate(thread, [practitioner.device.principal], 'One account.')
  const proposed = await a.mailbox.sealStatement(thread, made.statement, made.terms)
  await world.append(thread, 'message', proposed.item, { ciphertext: proposed.ciphertext })
  await world.read(a.mailbox, thread)
  await world.read(b.mailbox, thread)
  const consents = [
    await membership.consent(thread, made.hash),
    await (await b.mailbox.membership()).consent(thread, made.hash),
  ]
  const { entry, envelopes } = await membership.admit(thread, made.statement, consents)
  await world.append(thread, 'entry', entry, { envelopes })
  for (const party of [a, b, practitioner]) await world.read(party.mailbox, thread)
  return { ...made, consents }
}

test('T3 T5 a practitioner writes under a mandate until it is withdrawn, and is dropped with the next entry', async () => {
  const here = await direct()
  const { world, a, b, thread, practitioner } = here
  const { hash } = await admit(here)
  await world.send(practitioner, thread, 'Written directly.')
  await world.read(a.mailbox, thread)
  await world.read(b.mailbox, thread)
  const withdrawal = await (await b.mailbox.membership()).withdrawal(thread, hash)
  await world.append(thread, 'withdrawal', withdrawal, {})
  for (const party of [a, b, practitioner]) await world.read(party.mailbox, thread)
  assert.equal(a.mailbox.needsRefresh(thread), true)
  await refuses('T4', 'stale-epoch', () =>
    practitioner.mailbox.sealNote(thread, { text: 'x', language: 'en' }),
  )
  await refuses('T5', 'mandate-ended', () => practitioner.mailbox.refresh(thread))
  const { entry, envelopes } = await a.mailbox.refresh(thread)
  await world.append(thread, 'entry', entry, { envelopes })
  await world.read(a.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.members.length, 2)
  assert.equal(a.mailbox.needsRefresh(thread), false)
})

test('M5 the text of a mandate is the one that it commits to', async () => {
  const { world, a, b, thread, practitioner } = await direct()
  const membership = await a.mailbox.membership()
  const made = await membership.mandate(thread, [practitioner.device.principal], 'One account.')
  const failed = []
  for (const text of ['One account.', 'All accounts.']) {
    const sent = await a.mailbox.sealStatement(thread, made.statement, { ...made.terms, text })
    await world.append(thread, 'message', sent.item, { ciphertext: sent.ciphertext })
    await world.read(a.mailbox, thread)
    const applied = await b.mailbox.applyItem(world.threads.get(thread)?.at(-1) as ItemJson)
    if (applied.type === 'message') failed.push(applied.message.failed)
  }
  assert.deepEqual(failed, [null, 'wrong-body'])
})

test('T3 a mandate and its consents are used once', async () => {
  const here = await direct()
  const { world, a, thread, practitioner } = here
  const { hash, statement, consents } = await admit(here)
  const membership = await a.mailbox.membership()
  await world.append(thread, 'withdrawal', await membership.withdrawal(thread, hash), {})
  await world.read(a.mailbox, thread)
  const { entry, envelopes } = await a.mailbox.refresh(thread)
  await world.append(thread, 'entry', entry, { envelopes })
  await world.read(a.mailbox, thread)
  assert.equal(a.mailbox.thread(thread)?.members.length, 2)
  await refuses('T3', 'consent-spent', async () => {
    const again = await membership.admit(thread, statement, consents)
    await world.append(thread, 'entry', again.entry, { envelopes: again.envelopes })
    await world.read(a.mailbox, thread)
  })
  assert.ok(practitioner)
})

test('T4 K9 nothing is sealed while nobody answers for a practitioner: the next entry drops him', async () => {
  const here = await direct()
  const { world, a, b, thread, practitioner } = here
  await admit(here)
  const { rows, end } = await (await practiceOf(a)).ending(practitioner.device.principal)
  await list(world, a, rows, [end])
  assert.equal(a.mailbox.needsRefresh(thread), true)
  await refuses('T4', 'stale-epoch', () => a.mailbox.sealNote(thread, { text: 'x', language: 'en' }))
  await b.mailbox.applyKeyring(world.keyring(a.device.principal, false))
  assert.equal(b.mailbox.needsRefresh(thread), true)
  const { entry, envelopes } = await b.mailbox.refresh(thread)
  await world.append(thread, 'entry', entry, { envelopes })
  await world.read(b.mailbox, thread)
  assert.equal(b.mailbox.thread(thread)?.members.length, 2)
})

test('K9 a statement for another device, or for longer than a year, begins nothing', async () => {
  const world = await World.create()
  const [a, keys] = [await world.authority('p-a'), await createDeviceKeys()]
  const who = { person: 'p-v', name: 'Name', office: 'Office' }
  const mine = await makeFirstDevice({ net: NET, person: who, keys, at: AT })
  const other = await makeFirstDevice({ net: NET, person: who, keys: await createDeviceKeys(), at: AT })
  const practice = await practiceOf(a)
  const foreign = await practice.sponsor(other.body.statement)
  await refuses('K9', 'wrong-sponsor', () => makePractitioner(NET, mine.device, foreign, AT))
  const long = await practice.sponsor(mine.body.statement, AT + 2 * YEAR)
  await refuses('K9', 'wrong-sponsor', () => makePractitioner(NET, mine.device, long, AT))
  await refuses('K9', 'wrong-sponsor', () => practice.ending('ab'.repeat(32)))
})

test('K9 a practitioner is known by the sponsor alone, whose keyring comes first', async () => {
  const { world, practitioner } = await direct()
  const stranger = await world.authority('p-c')
  const answer = world.keyring(practitioner.device.principal, false)
  const [sponsor] = await stranger.mailbox.neededFor(answer)
  assert.ok(sponsor)
  await refuses('K9', 'keyring-unknown', () => stranger.mailbox.applyKeyring(answer))
  await stranger.mailbox.applyKeyring(world.keyring(sponsor, false))
  assert.equal((await stranger.mailbox.applyKeyring(answer)).kind, 'practitioner')
})
