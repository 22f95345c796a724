import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joined, pack, unpack } from '../../src/sealed/container.ts'
import { type Bytes, fromBase64 } from '../../src/sealed/encoding.ts'
import { makeMessageRecord, makeThreadRecord } from '../../src/sealed/record.ts'
import { EVIDENCE, openedPath } from '../../src/sealed/record_beside.ts'
import { checkThreadRecord } from '../../src/sealed/record_check.ts'
import { CHECKPOINT, logParts, proofPath } from '../../src/sealed/record_log.ts'
import { makeRecords } from '../records.ts'
import { AT, flip, refuses } from '../world.ts'

const shared = await makeRecords()
const { source, keyrings, log } = shared
const bare = { keyrings, authorities: [], texts: [], readable: null, code: null, at: AT }

/** The record with other parts, as an exporter who lies would sign it. */
async function made(parts: Record<string, Bytes>): Promise<string[]> {
  const whole = unpack(joined(shared.open)).parts
  for (const [name, part] of Object.entries(parts)) whole.set(name, part)
  const checked = await checkThreadRecord(joined(pack(whole)))
  const own = checked.faults.filter(({ code }) => code !== 'altered-part' && code !== 'unexpected-part')
  return own.map(({ part, rule, code }) => `${part} ${rule} ${code}`)
}

test('L2 a record shows that its keys stood in the log, and who has opened the thread', async () => {
  const checked = await checkThreadRecord(joined(shared.open))
  assert.deepEqual(checked.faults, [])
  assert.equal(checked.log?.size, log.leaves.length)
  assert.deepEqual([...checked.opened], [[shared.principal, source.items.length - 1]])
  const without = await checkThreadRecord(joined(await makeThreadRecord(source, bare)))
  assert.deepEqual([without.faults, without.log, without.opened.size], [[], null, 0])
})

test('L2 an entry that is not in the log, or stands elsewhere, is not passed off as if it were', async () => {
  const missing = { ...log, leaves: log.leaves.slice(0, -1) }
  await refuses('L2', 'not-in-the-log', () => makeThreadRecord(source, { ...bare, log: missing }))
  const swapped = { ...log, leaves: [...log.leaves.slice(1), log.leaves[0] as string] }
  await refuses('L2', 'not-in-the-log', () =>
    makeMessageRecord(source, shared.seq, keyrings[0] as never, { log: swapped }),
  )
  const stranger = { net: source.net, serverKey: source.own.principal }
  await refuses('L5', 'bad-checkpoint', () => logParts(stranger, log, []))
  const unknown = { principal: shared.principal, n: 0, head: new Uint8Array(32) }
  await refuses('L2', 'not-in-the-log', () => logParts(source, log, [unknown]))
  const { parts } = unpack(joined(shared.open))
  const mine = proofPath(shared.principal, 0)
  const foreign = [...parts.keys()].find((path) => /^log\/[0-9a-f]{64}\//.test(path) && path !== mine)
  assert.deepEqual(await made({ [mine]: parts.get(foreign as string) as Bytes }), [
    `${CHECKPOINT} L2 not-in-the-log`,
  ])
})

test('M1 M7 a statement of having opened is its own device’s, for this thread', async () => {
  const path = openedPath(shared.principal)
  const raw = fromBase64(shared.opened)
  const faults = await made({ [path]: flip(raw, raw.length - 2) })
  assert.deepEqual(faults, [`${path} E2 bad-signature`])
  const other = openedPath(keyrings[0]?.principal ?? '')
  assert.deepEqual(await made({ [other]: raw }), [`${other} R2 wrong-place`])
  const garbage = [shared.opened.slice(0, -8).concat('AAAAAAA=')]
  const left = await makeThreadRecord(source, { ...bare, opened: garbage })
  assert.ok(!unpack(joined(left)).parts.has(path))
})

test('T8 what the server handed out for a place lies in the record of a stopped thread', async () => {
  const [first, second] = source.items.slice(-2)
  assert.ok(first && second)
  const contradiction = { seq: first.seq, versions: [first, second] }
  const { parts } = unpack(joined(await makeThreadRecord(source, { ...bare, contradiction })))
  assert.ok((parts.get(EVIDENCE)?.length ?? 0) > 500)
  assert.deepEqual((await checkThreadRecord(joined(pack(parts)))).faults, [])
})
