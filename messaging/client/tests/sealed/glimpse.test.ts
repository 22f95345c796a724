import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ItemJson, Mailbox } from '../../src/sealed/client.ts'
import { fromBase64, toBase64 } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'
import { type Party, World } from '../world.ts'

/** A thread with a re-key in its middle, and somebody who has never opened it. */
async function longThread() {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const thread = await world.openThread(a, b)
  for (let round = 0; round < 3; round++) await exchange(world, [a, b], thread, round)
  const { entry, envelopes } = await a.mailbox.refresh(thread)
  await world.append(thread, 'entry', entry, { envelopes })
  await world.read(a.mailbox, thread)
  for (let round = 3; round < 6; round++) await exchange(world, [a, b], thread, round)
  const reader = await world.open(b.device)
  for (const party of [b, a])
    await reader.applyKeyring(
      world.keyring(party.device.principal, party.device.principal === b.device.principal),
    )
  const items = world.threads.get(thread) ?? []
  return { world, reader, thread, items, entries: items.filter(({ type }) => type === 'entry') }
}

async function exchange(world: World, parties: Party[], thread: string, round: number): Promise<void> {
  for (const [index, party] of parties.entries()) {
    await world.read(party.mailbox, thread)
    await world.send(party, thread, `round ${round} by ${index}`)
  }
  for (const party of parties) await world.read(party.mailbox, thread)
}

const ahead = (reader: Mailbox, entries: ItemJson[], tail: ItemJson[]) => reader.glimpse(entries, tail)

test('M1, M3 the newest items are shown ahead as they are verified later, before and after a re-key', async () => {
  for (const count of [5, 10]) {
    const { world, reader, thread, items, entries } = await longThread()
    const shown = await ahead(reader, entries, items.slice(-count))
    assert.ok(shown.length >= count - 2)
    assert.equal(reader.thread(thread), null) // nothing of it counts as verified
    await world.read(reader, thread)
    for (const each of shown) {
      const [again] = [await reader.applyItem(items[each.seq - 1] as ItemJson)]
      assert.equal(again.hash, each.hash)
      if (again.type !== 'message' || each.type !== 'message') continue
      assert.deepEqual(each.message.body, again.message.body)
      assert.deepEqual(each.message.marks, [])
    }
  }
})

test('M1 nothing is sealed from what was shown ahead', async () => {
  const { reader, thread, items, entries } = await longThread()
  await ahead(reader, entries, items.slice(-5))
  const sealing = reader.sealNote(thread, { text: 'too early', language: 'en', subject: null })
  await assert.rejects(sealing, (error) => error instanceof Refused && error.code === 'not-verified')
})

test('M3, T8 an altered item is not shown ahead, nor one whose receipt is for another place', async () => {
  const { reader, items, entries } = await longThread()
  const tail = items.slice(-5)
  const last = tail.at(-1) as ItemJson
  const before = tail.at(-2) as ItemJson
  const ciphertext = fromBase64(last.ciphertext ?? '')
  ciphertext[40] = (ciphertext[40] ?? 0) ^ 1
  const lies: ItemJson[] = [
    { ...last, ciphertext: toBase64(ciphertext) },
    { ...last, receipt: before.receipt },
    { ...last, item: before.item, ciphertext: before.ciphertext },
  ]
  for (const lie of lies)
    await assert.rejects(
      ahead(reader, entries, [...tail.slice(0, -1), lie]),
      (error) => error instanceof Refused,
    )
  const withoutOne = [...tail.slice(0, 2), ...tail.slice(3)]
  await assert.rejects(ahead(reader, entries, withoutOne), (error) => error instanceof Refused)
  assert.deepEqual(await ahead(reader, entries, []), [])
})
