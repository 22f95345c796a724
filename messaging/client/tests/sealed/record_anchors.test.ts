import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { joined, unpack } from '../../src/sealed/container.ts'
import { type Bytes, decode, encode, fromBase64, type Value } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'
import { makeMessageRecord, makeThreadRecord } from '../../src/sealed/record.ts'
import { anchorPath, firstAfter, isAnchorPart, LINK, readAnchor } from '../../src/sealed/record_anchors.ts'
import { checkThreadRecord } from '../../src/sealed/record_check.ts'
import type { WholeLog } from '../../src/sealed/record_log.ts'
import { FIRST, makeRecords, SECOND } from '../records.ts'
import { AT, refuses } from '../world.ts'

declare const REPOSITORY: string
const shared = await makeRecords()
const { source, keyrings, log } = shared
const anchors = log.anchors ?? []
const bare = { keyrings, authorities: [], texts: [], readable: null, code: null, at: AT }
const end = source.items.length

const made = async (given: WholeLog) =>
  checkThreadRecord(joined(await makeThreadRecord(source, { ...bare, log: given })))

test('L2 a record shows on which days the log held the thread, by whoever made it', async () => {
  const checked = await checkThreadRecord(joined(shared.open))
  assert.deepEqual(checked.faults, [])
  assert.deepEqual(checked.anchors, [
    { day: FIRST, seq: 2 },
    { day: SECOND, seq: end },
  ])
  const file = join(REPOSITORY, 'tests', 'vectors', 'records', 'python.json')
  const kept = await checkThreadRecord(fromBase64(JSON.parse(readFileSync(file, 'utf8')).open))
  assert.deepEqual(kept.faults, [])
  assert.deepEqual(
    kept.anchors.map(({ day }) => day),
    [FIRST, SECOND],
  )
})

test('L2 only anchors that hold are taken', async () => {
  const real = anchors[1] as (typeof anchors)[number]
  const lies = [
    { ...real, day: SECOND },
    { ...real, day: FIRST + 1 },
    { ...real, seq: 1 },
    { ...real, seq: 900 },
    { ...real, line: 1 - real.line },
    { ...real, path: [] },
  ]
  const checked = await made({ ...log, anchors: lies })
  assert.deepEqual([checked.faults, checked.anchors], [[], []])
  const mixed = await made({ ...log, anchors: [...lies, real] })
  assert.deepEqual(mixed.anchors, [{ day: FIRST, seq: 2 }])
})

test('R2 an anchor of another day, end or log is named', async () => {
  const { parts } = unpack(joined(shared.open))
  const { log: found } = await checkThreadRecord(joined(shared.open))
  const path = anchorPath(FIRST)
  const given = { path, log: found as NonNullable<typeof found> }
  const read = (raw: Bytes, at = path) => readAnchor(source.net, source.state, { ...given, path: at, raw })
  const raw = parts.get(path) as Bytes
  const altered = (changes: Record<string, Value>) =>
    encode({ ...(decode(raw) as Record<string, Value>), ...changes })
  assert.deepEqual(await read(raw), { day: FIRST, seq: 2 })
  await refuses('R2', 'wrong-place', () => read(raw, anchorPath(SECOND)))
  for (const seq of [0, 900]) await refuses('R2', 'wrong-place', () => read(altered({ seq })))
  for (const changes of [{ seq: 1 }, { line: 2 ** 40 }, { path: [] }, { proof: [] }])
    await refuses('L2', 'not-in-the-log', () => read(altered(changes)))
  await assert.rejects(() => read(parts.get(anchorPath(SECOND)) as Bytes), Refused)
})

test('L2 one message takes the first anchor after it along, and the hashes that lead there', async () => {
  const one = async (seq: number, given: WholeLog) => {
    const item = source.items[seq - 1]
    assert.equal(item?.type, 'message')
    for (const keyring of keyrings) {
      try {
        return unpack(joined(await makeMessageRecord(source, seq, keyring as never, { log: given }))).parts
      } catch (error) {
        if (!(error instanceof Refused && error.code === 'wrong-place')) throw error
      }
    }
    throw new Error('nobody sent it')
  }
  for (const [seq, day] of [
    [2, FIRST],
    [end, SECOND],
  ] as const) {
    const parts = await one(seq, log)
    assert.deepEqual([...parts.keys()].filter(isAnchorPart), [anchorPath(day)])
    const link = decode(parts.get(LINK) as Bytes) as { before: Bytes; later: Bytes[] }
    assert.deepEqual({ ...link }, { before: source.state.transcript[seq - 1], later: [] })
  }
  const far = await one(2, { ...log, anchors: anchors.filter(({ day }) => day === SECOND) })
  assert.equal((decode(far.get(LINK) as Bytes) as { later: Bytes[] }).later.length, end - 2)
  const without = await one(2, { ...log, anchors: [] })
  assert.equal(without.has(LINK), false)
  assert.deepEqual(firstAfter(anchors, end + 1), [])
})
