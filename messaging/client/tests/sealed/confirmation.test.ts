import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, fromBase64, sha256 } from '../../src/sealed/encoding.ts'
import { noteHash, readConfirm } from '../../src/sealed/trust.ts'
import { digitsOf } from '../../src/views/confirming.ts'
import { NET, type Party, World } from '../world.ts'

const NOTE = { reference: 'Note verbale 7/2026', date: '2026-03-01' }

/** A, who asks whom it may seal to; B's principal; two keepers of the secretariat's keys, and an officer of it. */
async function desks() {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const [first, second] = await world.secretariat()
  const officer = await world.device(first, 's-3', ['officer'])
  const principal = b.device.principal
  a.mailbox = await world.open(a.device, undefined, first.device.principal)
  await a.mailbox.applyKeyring(world.keyring(a.device.principal, true))
  await a.mailbox.applyKeyring(world.keyring(first.device.principal, false))
  for (const { mailbox } of [first, second, officer]) {
    await mailbox.applyKeyring(world.keyring(first.device.principal, true))
    await mailbox.applyKeyring(world.keyring(principal, false))
  }
  const sign = ({ mailbox }: Party) =>
    mailbox.stewardship.confirm(`authority-${principal.slice(0, 8)}`, principal, NOTE)
  const levelAfter = async (...signers: Party[]) => {
    const confirms = (await Promise.all(signers.map(sign))).map(({ statement }) => statement)
    await a.mailbox.applyKeyring({ ...world.keyring(principal, false), confirms })
    await a.mailbox.others.refresh()
    return a.mailbox.keyring(principal)?.level
  }
  return { first, second, officer, sign, levelAfter }
}

test('K8 what two who keep the keys of the secretariat sign confirms an authority', async () => {
  const { first, second, levelAfter } = await desks()
  assert.equal(await levelAfter(first, first), 'new')
  assert.equal(await levelAfter(first, second), 'confirmed')
})

test('K8 a device that one person alone can let in confirms nothing', async () => {
  const { first, officer, levelAfter } = await desks()
  assert.equal(await levelAfter(first, officer), 'new')
})

test('a confirm names the note it was read from, and no entry where there was no recovery', async () => {
  const { first, sign } = await desks()
  const { statement, blind } = await sign(first)
  const { document, head } = await readConfirm(NET, fromBase64(statement))
  const read = await sha256(encode([NOTE.reference, NOTE.date]))
  assert.deepEqual(document, await noteHash(NET, fromBase64(blind), read))
  assert.equal(head, null)
})

test('digits are read as they are typed, in any of the scripts people type', () => {
  const groups = '12345 '.repeat(12)
  const digits = '12345'.repeat(12)
  assert.equal(digitsOf(groups), digits)
  assert.equal(digitsOf(groups.replaceAll(' ', '\n')), digits)
  assert.equal(digitsOf('١٢٣٤٥'.repeat(12)), digits)
  assert.equal(digitsOf('۱۲۳۴۵'.repeat(12)), digits)
  for (const typed of ['', '12345', digits.slice(1), `${digits}1`, `${digits.slice(1)}x`])
    assert.equal(digitsOf(typed), null)
})
