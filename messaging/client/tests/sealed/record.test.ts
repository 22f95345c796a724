import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { joined, pack, unpack } from '../../src/sealed/container.ts'
import { type Bytes, fromBase64, fromHex, randomBytes } from '../../src/sealed/encoding.ts'
import {
  disclose,
  FACTS,
  itemPath,
  KEYS,
  MANIFEST,
  makeMessageRecord,
  makeThreadRecord,
  OpeningCode,
  textPath,
} from '../../src/sealed/record.ts'
import { type Checked, checkThreadRecord } from '../../src/sealed/record_check.ts'
import { type Cause, makeReport } from '../../src/sealed/report.ts'
import { makeRecords } from '../records.ts'
import { AT, flip, NET, refuses } from '../world.ts'

declare const REPOSITORY: string
const folder = join(REPOSITORY, 'tests', 'vectors', 'records')
const files = readdirSync(folder)
const shared = await makeRecords()
const open = joined(shared.open)

interface Document {
  net: string
  code: string
  thread: string
  texts: string[]
  open: string
  sealed: string
}

const written = (checked: Checked): string[] =>
  [...checked.texts.values()].flatMap(({ body }) => (body.type === 'note' ? [body.text] : []))
const places = (checked: Checked): string[] => checked.faults.map(({ part, code }) => `${part} ${code}`)

function changed(change: Record<string, Bytes | null>): Bytes {
  const { parts } = unpack(open)
  for (const [name, part] of Object.entries(change)) {
    if (part) parts.set(name, part)
    else parts.delete(name)
  }
  return joined(pack(parts))
}

test('there are records of the Python implementation', () => assert.ok(files.includes('python.json')))

for (const name of files) {
  const kept = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Document
  test(`R2 ${name}: the record holds and shows what was written`, async () => {
    const checked = await checkThreadRecord(fromBase64(kept.open))
    assert.deepEqual(checked.faults, [])
    assert.deepEqual(written(checked), kept.texts)
  })

  test(`R2 ${name}: the sealed record holds, shows nothing, and its code opens it`, async () => {
    const checked = await checkThreadRecord(fromBase64(kept.sealed))
    assert.deepEqual(checked.faults, [])
    assert.deepEqual(written(checked), [])
    const { parts } = unpack(fromBase64(kept.sealed))
    const code = await OpeningCode.parse(kept.net, kept.code.toLowerCase())
    const keys = await code.openKeys(fromHex(kept.thread), parts.get(KEYS) as Bytes)
    assert.ok(keys.size >= kept.texts.length)
    const another = new OpeningCode(kept.net)
    await refuses('E8', 'cannot-open', () => another.openKeys(fromHex(kept.thread), parts.get(KEYS) as Bytes))
  })
}

test('R1 an altered byte of any part is found and named', async () => {
  for (const [name, part] of unpack(open).parts) {
    const at = Math.floor(Math.random() * part.length)
    const checked = await checkThreadRecord(changed({ [name]: flip(part, at) }))
    assert.ok(
      checked.faults.some((fault) => fault.part === name),
      `${name} at ${at}`,
    )
  }
})

test('R1 an altered byte anywhere in the file is found', async () => {
  for (let round = 0; round < 30; round++) {
    const at = Math.floor(Math.random() * open.length)
    assert.notDeepEqual((await checkThreadRecord(flip(open, at))).faults, [], String(at))
  }
  for (const odd of [open.slice(1), open.slice(0, -1), new Uint8Array(), randomBytes(100)])
    assert.notDeepEqual((await checkThreadRecord(odd)).faults, [])
})

test('R1 a part that is missing or was added is named', async () => {
  const last = itemPath(shared.seq)
  assert.ok(places(await checkThreadRecord(changed({ [last]: null }))).includes(`${last} missing-part`))
  const more = await checkThreadRecord(changed({ more: new Uint8Array(1) }))
  assert.deepEqual(places(more), ['more unexpected-part'])
  assert.ok(places(await checkThreadRecord(changed({ [FACTS]: null }))).includes('facts missing-part'))
  assert.ok(places(await checkThreadRecord(changed({ [MANIFEST]: null }))).includes('manifest missing-part'))
  const one = await checkThreadRecord(joined(shared.message))
  assert.ok(places(one).includes('facts unexpected-part'))
})

test('R1 only a device of a member exports, and says where the thread ends', async () => {
  const { source, keyrings } = shared
  const input = { keyrings, authorities: [], texts: [], readable: null, code: null, at: AT }
  const { principal } = source.own
  const elsewhere = { ...source, own: { ...source.own, principal: source.state.thread } }
  await refuses('R2', 'wrong-place', () =>
    makeThreadRecord(source, { ...input, keyrings: [{ ...keyrings[0], entries: [] } as never] }),
  )
  const foreign = await makeThreadRecord({ ...elsewhere, author: source.author }, input)
  assert.deepEqual(places(await checkThreadRecord(joined(foreign))), ['manifest unknown-exporter'])
  assert.ok(principal.length > 0)
  const short = {
    ...source.state,
    transcript: source.state.transcript.slice(0, -1),
    seq: source.state.seq - 1,
  }
  const early = await makeThreadRecord({ ...source, state: short }, input)
  assert.deepEqual(places(await checkThreadRecord(joined(early))), ['manifest wrong-end'])
})

test('R2 what the server hands out is not exported unless it is what was verified', async () => {
  const { source, keyrings } = shared
  const [own, other] = keyrings as [(typeof keyrings)[0], (typeof keyrings)[0]]
  const swapped = { ...own, entries: other?.entries ?? [] }
  const input = { authorities: [], texts: [], readable: null, code: null, at: AT }
  await refuses('R2', 'wrong-place', () =>
    makeThreadRecord(source, { ...input, keyrings: [swapped as never] }),
  )
  await refuses('R2', 'wrong-place', () => makeMessageRecord(source, shared.seq, other as never))
  const blind = { ...source, secret: () => null }
  await refuses('R2', 'cannot-open', () => makeMessageRecord(blind, shared.seq, own as never))
})

test('R3 a text is the committed one', async () => {
  const { parts } = unpack(open)
  const [one, other] = [...parts.keys()].filter((path) => path.startsWith('texts/'))
  const swapped = await checkThreadRecord(changed({ [one as string]: parts.get(other as string) as Bytes }))
  assert.ok(places(swapped).includes(`${one} wrong-plain`))
  const stray = await checkThreadRecord(changed({ [textPath(99)]: parts.get(one as string) as Bytes }))
  assert.ok(places(stray).includes(`${textPath(99)} wrong-place`))
})

test('E6 an opening code is typed right', async () => {
  const printed = await new OpeningCode(NET).print()
  assert.equal(await (await OpeningCode.parse(NET, printed.toLowerCase())).print(), printed)
  for (const wrong of [
    printed.slice(0, -1),
    '',
    `${printed.slice(0, -1)}${printed.endsWith('0') ? 'G' : '0'}`,
  ])
    await refuses('E6', 'opening-code-mistyped', () => OpeningCode.parse(NET, wrong))
})

test('R4 a report names its cause and its messages in order', async () => {
  const { source, seq } = shared
  const last = await disclose(source, seq)
  assert.ok(last)
  const make = (cause: string, messages: (typeof last)[]) =>
    makeReport(source, { cause: cause as Cause, words: '', messages }, AT)
  assert.ok((await make('other', [last])).length > 100)
  await refuses('R4', 'unknown-cause', () => make('because', [last]))
  await refuses('R4', 'wrong-messages', () => make('other', []))
  await refuses('R4', 'wrong-messages', () => make('other', [last, last]))
})
