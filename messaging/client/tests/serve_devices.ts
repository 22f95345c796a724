// Devices of this client for a program that has others: a call in each line of the input, an answer in each line
// of the output. tests/sealed/test_mixed_histories.py lets them live through random histories with Python's.
//   node tests/run.mjs devices
import { createInterface } from 'node:readline'
import {
  type ItemJson,
  type KeyringJson,
  Mailbox,
  makeDeviceRequest,
  makeGenesis,
  type NoteInput,
  type Role,
} from '../src/sealed/client.ts'
import { Refused } from '../src/sealed/errors.ts'
import { createDeviceKeys, RecoveryKit } from '../src/sealed/keys.ts'
import { Recovery } from '../src/sealed/recovery.ts'
import type { Device } from '../src/sealed/wire.ts'

interface Call {
  readonly call: string
  readonly name: string
  readonly thread: string
  readonly principal: string
  readonly person: string
  readonly kit: string
  readonly keyring: KeyringJson
  readonly item: ItemJson
  readonly note: NoteInput
  readonly of: { readonly of: string; readonly seq: number }
  readonly change: string
  readonly reason: string
  readonly devices: readonly string[]
  readonly statements: readonly string[]
  readonly approvals: readonly string[]
}

const [NET, SERVER_KEY, AT] = ['network.example/s1', process.env.SERVER_KEY ?? '', Number(process.env.AT)]
const ROLES: Role[] = ['officer', 'supervisor']
const ALL: Role[] = ['officer', 'steward', 'supervisor']
const mailboxes = new Map<string, Mailbox>()
const recoveries = new Map<string, Recovery>()

const who = (person: string) => ({ person, name: person, office: 'Desk' })

async function open(name: string, device: Device): Promise<void> {
  const setup = { net: NET, serverKey: SERVER_KEY, device, now: () => AT }
  mailboxes.set(name, await Mailbox.open(setup))
}

function box({ name }: Call): Mailbox {
  const found = mailboxes.get(name)
  if (!found) throw new Error(`no device ${name}`)
  return found
}

async function change(call: Call): Promise<unknown> {
  const { stewardship } = box(call)
  const { statements, devices } = call
  const kit = RecoveryKit.create()
  const made = {
    add: () => stewardship.addition(statements.map((statement) => ({ statement, roles: ROLES }))),
    remove: () => stewardship.removal(devices),
    role: () => stewardship.roles(devices.map((device) => ({ device, roles: ['officer'] }))),
    rotate: () => stewardship.rotation(),
    'recovery-key': () => stewardship.newRecoveryKey(kit),
  }[call.reason]
  if (!made) throw new Error('an unknown change')
  return { ...(await stewardship.make(await made(), { statements })), kit: await kit.print(NET) }
}

async function item(call: Call): Promise<unknown> {
  const applied = await box(call).applyItem(call.item)
  if (applied.type !== 'message') return { text: null, failed: null, marks: [] }
  const { body, failed, marks } = applied.message
  return { text: body?.type === 'note' ? body.text : (body?.type ?? null), failed, marks }
}

const calls: Record<string, (call: Call) => unknown> = {
  async found(call) {
    const keys = await createDeviceKeys()
    const { device, kit, body } = await makeGenesis({
      net: NET,
      person: who(call.person),
      keys,
      at: AT,
      roles: ALL,
    })
    await open(call.name, device)
    return { ...body, principal: device.principal, device: device.id, kit: await kit.print(NET) }
  },
  async request(call) {
    const keys = await createDeviceKeys()
    const { principal, person } = call
    const { device, body } = await makeDeviceRequest({
      net: NET,
      principal,
      person: who(person),
      keys,
      at: AT,
    })
    await open(call.name, device)
    return { ...body, device: device.id }
  },
  async recover(call) {
    const keys = await createDeviceKeys()
    const kit = await RecoveryKit.parse(NET, call.kit)
    const keyring = call.keyring
    const begun = await Recovery.begin({
      net: NET,
      kit,
      keyring,
      person: who(call.person),
      keys,
      at: AT,
      roles: ALL,
    })
    recoveries.set(call.name, begun)
    await open(call.name, begun.device)
    return { change: begun.change.encoded, device: begun.device.id, kit: await begun.newKit.print(NET) }
  },
  recovered: (call) => recoveries.get(call.name)?.make(call.approvals),
  approve: (call) => box(call).stewardship.approve(box(call).stewardship.read(call.change)),
  keyring: async (call) => (await box(call).applyKeyring(call.keyring)).n,
  from: (call) => box(call).keyringFrom(call.principal),
  item,
  transcript: (call) => box(call).thread(call.thread)?.transcript ?? null,
  isReady: (call) => box(call).isReady(),
  note: (call) => box(call).sealNote(call.thread, call.note),
  acknowledge: (call) => box(call).sealAcknowledgement(call.thread, call.of),
  refused(call) {
    box(call).markRefused(call.thread, box(call).pending(call.thread) ?? '')
    return null
  },
  needsRefresh: (call) => box(call).needsRefresh(call.thread),
  refresh: (call) => box(call).refresh(call.thread),
  change,
}

async function answer(call: Call): Promise<unknown> {
  try {
    return { ok: await calls[call.call]?.(call) }
  } catch (error) {
    if (error instanceof Refused) return { refused: `${error.rule} ${error.code}` }
    return { failed: String(error instanceof Error ? error.stack : error) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify((await answer(JSON.parse(line))) ?? { ok: null })}\n`)
}
