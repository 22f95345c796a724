import { type KeyringJson, makeGenesis } from '../src/sealed/client.ts'
import {
  type Bytes,
  compare,
  contextHash,
  fromBase64,
  fromHex,
  sha256,
  toBase64,
} from '../src/sealed/encoding.ts'
import { createDeviceKeys, SigningKey } from '../src/sealed/keys.ts'
import {
  discloseAll,
  makeMessageRecord,
  makeThreadRecord,
  OpeningCode,
  type RecordSource,
} from '../src/sealed/record.ts'
import type { AnchorPlace } from '../src/sealed/record_anchors.ts'
import type { WholeLog } from '../src/sealed/record_log.ts'
import { makeReport } from '../src/sealed/report.ts'
import { encodeLeaf, leafHash, nodeHash } from '../src/sealed/transparency.ts'
import { signNote } from './log_server.ts'
import { AT, NET, type Party, World } from './world.ts'

/** Two authorities, a thread with three messages, and everything that can be exported of it. */
export async function makeRecords() {
  const world = await World.create()
  const { party: a, kit } = await withKit(world, 'hana')
  const b = await world.authority('ines')
  const thread = await world.openThread(a, b, 'Vi ber om bevis. 我们请求。 نطلب')
  await world.read(b.mailbox, thread)
  await world.send(b, thread, 'We answer.')
  await world.read(a.mailbox, thread)
  const colleague = await world.device(a, 'jana', ['officer'])
  await world.read(colleague.mailbox, thread)
  await world.send(colleague, thread, 'From a colleague.')
  await world.read(a.mailbox, thread)
  const source = colleague.mailbox.recordSource(thread)
  const keyrings = [world.keyring(a.device.principal), world.keyring(b.device.principal, false)]
  const authorities = keyrings.map(({ principal }) => ({
    principal,
    id: principal.slice(0, 8),
    name: 'Authority',
    state: 'State',
  }))
  const log = await anchored(world, source)
  const { opened } = await b.mailbox.makeOpened(thread)
  const texts = await discloseAll(source)
  const code = new OpeningCode(NET, await sha256(fromHex(thread)))
  const shared = { keyrings, authorities, log, opened: [opened], at: AT + 100 }
  const readable = new TextEncoder().encode('<!doctype html><title>Record</title>')
  const seq = source.items.length
  const whole = b.mailbox.recordSource.bind(b.mailbox, thread)
  await world.read(b.mailbox, thread)
  const report = await makeReport(
    whole(),
    { cause: 'pressure', words: 'They threaten us.', messages: (await discloseAll(whole())).slice(0, 1) },
    AT,
  )
  return {
    net: NET,
    kit,
    code: await code.print(),
    thread,
    texts: ['Vi ber om bevis. 我们请求。 نطلب', 'We answer.', 'From a colleague.'],
    open: await makeThreadRecord(source, { ...shared, texts, readable, code: null }),
    sealed: await makeThreadRecord(source, { ...shared, texts: [], readable: null, code }),
    seq,
    name: 'Name of jana',
    message: await makeMessageRecord(source, seq, keyrings[0] as KeyringJson, { log }),
    report,
    device: fromHex(b.device.id),
    source,
    keyrings,
    log,
    opened,
    principal: b.device.principal,
  }
}

/** Days of two anchors: on the first the thread ended at item 2, on the second at its end. */
export const [FIRST, SECOND] = [20_000, 20_003]

/** The log of the keys with two daily anchors over the thread and another one. */
async function anchored(world: World, source: RecordSource): Promise<WholeLog> {
  const { leaves: kept } = await world.logPage(0)
  const leaves = kept.map(fromBase64)
  const [label, other] = [await sha256(Uint8Array.of(1)), await sha256(Uint8Array.of(2))]
  const anchors: AnchorPlace[] = []
  for (const [day, seq] of [
    [SECOND, source.items.length],
    [FIRST, 2],
  ] as const) {
    const end = source.state.transcript[seq] as Bytes
    const entry = await contextHash(NET, 'anchor', source.state.thread, seq, end)
    const line = compare(entry, other) < 0 ? 0 : 1
    const hashes = [await leafHash(line === 0 ? entry : other), await leafHash(line === 0 ? other : entry)]
    const value = await nodeHash(hashes[0] as Bytes, hashes[1] as Bytes)
    leaves.push(encodeLeaf({ type: 'anchor', label, n: day, value }))
    anchors.push({ day, seq, line, lines: 2, path: [toBase64(hashes[1 - line] as Bytes)] })
  }
  const checkpoint = await signNote(leaves, { net: NET, key: world.serverKey, at: AT })
  return { checkpoint, leaves: leaves.map(toBase64), anchors }
}

async function withKit(world: World, person: string): Promise<{ party: Party; kit: string }> {
  const keys = await createDeviceKeys()
  const who = { person, name: `Name of ${person}`, office: 'Office' }
  const { device, kit, body } = await makeGenesis({ net: NET, person: who, keys, at: AT })
  world.store(device.principal, 0, body)
  const mailbox = await world.open(device)
  await mailbox.applyKeyring(world.keyring(device.principal))
  return {
    party: { device, key: new SigningKey(keys.sig, keys.signing), mailbox },
    kit: await kit.print(NET),
  }
}
