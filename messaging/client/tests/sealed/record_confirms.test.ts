import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joined, unpack } from '../../src/sealed/container.ts'
import {
  type Bytes,
  contextHash,
  encode,
  fromBase64,
  fromHex,
  sha256,
  toBase64,
  toHex,
} from '../../src/sealed/encoding.ts'
import { makeMessageRecord, makeThreadRecord } from '../../src/sealed/record.ts'
import { checkThreadRecord } from '../../src/sealed/record_check.ts'
import { confirmParts, confirmsPath } from '../../src/sealed/record_confirms.ts'
import { confirmProofPath } from '../../src/sealed/record_log.ts'
import { makeConfirm } from '../../src/sealed/trust.ts'
import { AT, NET, type Party, World } from '../world.ts'

const NOTE = { reference: 'Note verbale 2026/7', date: '2026-11-03' }
const BLINDS: [Bytes, Bytes] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]

/** A thread of A and B, and what two persons of the secretariat have signed about the keys of A. */
async function confirmed() {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const persons = await world.secretariat()
  const thread = await world.openThread(a, b, 'We ask.')
  await world.read(a.mailbox, thread)
  await a.mailbox.applyKeyring(world.keyring(persons[0].device.principal, false))
  const { principal } = a.device
  const sign = async ({ device, key, mailbox }: Party, blind: Bytes): Promise<string> => {
    const place = mailbox.keyring(device.principal) as { n: number; head: string }
    const by = { principal: fromHex(device.principal), n: place.n, head: fromHex(place.head) }
    const digest = await sha256(encode([NOTE.reference, NOTE.date]))
    const document = await contextHash(NET, 'note', blind, digest)
    const authority = `authority-${principal.slice(0, 8)}`
    const given = { by, authority, principal: fromHex(principal), head: null, document }
    return toBase64(await makeConfirm(NET, given, { author: { id: fromHex(device.id), key }, at: AT }))
  }
  const confirms = [await sign(persons[0], BLINDS[0]), await sign(persons[1], BLINDS[1])]
  for (const statement of confirms)
    world.logged.push({ authority: `authority-${principal.slice(0, 8)}`, statement })
  const note = { ...NOTE, blinds: BLINDS.map(toBase64) }
  const own = { ...world.keyring(principal), confirms, note }
  return { world, a, b, persons, thread, own, sign, source: a.mailbox.recordSource(thread) }
}

test('K8 a record shows what two persons of the secretariat have confirmed, and that it stood in the log', async () => {
  const { world, b, persons, own, source } = await confirmed()
  const secretariat = world.keyring(persons[0].device.principal, false)
  const log = await world.logPage(0)
  const keyrings = [own, world.keyring(b.device.principal, false), secretariat]
  const input = { keyrings, authorities: [], texts: [], readable: null, code: null, log, at: AT }
  const { parts } = unpack(joined(await makeThreadRecord(source, input)))
  const hashes = await Promise.all(own.confirms.map((raw) => sha256(fromBase64(raw))))
  for (const hash of hashes) {
    assert.ok(parts.has(confirmsPath(own.principal, toHex(hash))))
    assert.ok(parts.has(confirmProofPath(hash)))
  }
  assert.ok(parts.has(confirmsPath(own.principal, 'note')))
  assert.deepEqual((await checkThreadRecord(joined(await makeThreadRecord(source, input)))).faults, [])
  const one = unpack(joined(await makeMessageRecord(source, 2, own, { log, secretariat }))).parts
  assert.ok(one.has(confirmsPath(own.principal, 'note')))
  assert.ok([...one.keys()].some((path) => path.startsWith(`keyrings/${secretariat.principal}/`)))
  // Without the keyring that verifies them they would say nothing.
  const bare = unpack(joined(await makeMessageRecord(source, 2, own, { log }))).parts
  assert.ok(![...bare.keys()].some((path) => path.startsWith('confirms/')))
})

test('K8 what two persons have not confirmed is left out', async () => {
  const { own, persons, sign, source } = await confirmed()
  const keyrings = source.keyring.bind(source)
  const twice = [await sign(persons[0], BLINDS[0]), await sign(persons[0], BLINDS[1])]
  const unknown = () => null
  assert.ok(await confirmParts(NET, keyrings, own))
  for (const [found, given] of [
    [keyrings, { ...own, confirms: own.confirms.slice(0, 1) }],
    [keyrings, { ...own, confirms: twice }],
    [keyrings, { ...own, note: { ...own.note, reference: 'Another note' } }],
    [keyrings, { ...own, note: { ...own.note, blinds: own.note.blinds.slice(0, 1) } }],
    [keyrings, { ...own, note: null }],
    [keyrings, { ...own, confirms: [] }],
    [unknown, own],
  ] as const)
    assert.equal(await confirmParts(NET, found, given), null)
})
