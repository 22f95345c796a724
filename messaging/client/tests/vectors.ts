// Checks tests/vectors/*.json, whichever side made them. Runs in Node and in a browser, on either KEM path.
// The shape is described in tests/vectors/make_python.py.
import { readHeaders } from '../src/sealed/attachment.ts'
import { readDeviceStatement } from '../src/sealed/device.ts'
import {
  type Bytes,
  context,
  contextHash,
  decode,
  deriveKey,
  encode,
  fromHex,
  toHex,
  type Value,
} from '../src/sealed/encoding.ts'
import { Refused } from '../src/sealed/errors.ts'
import { checkSecret, mailboxKey, openEnvelope, openHistory } from '../src/sealed/keyring.ts'
import { acceptEntry, type Generation, type KeyringState } from '../src/sealed/keyring_rules.ts'
import {
  aeadOpen,
  aeadSeal,
  checkKemKey,
  checkSigningKey,
  deviceWords,
  fingerprintDigits,
  KemKey,
  RecoveryKit,
  SigningKey,
  seal,
} from '../src/sealed/keys.ts'
import { acceptMessage, bodyValue, type Message, openMessage, type Plaintext } from '../src/sealed/message.ts'
import { checkOpened, checkReceipt, serverKeyId } from '../src/sealed/receipt.ts'
import { checkRestore } from '../src/sealed/restore.ts'
import { parse, type StatementType } from '../src/sealed/statement.ts'
import { readStep } from '../src/sealed/steps.ts'
import { openEpoch, openHistory as openThreadHistory } from '../src/sealed/thread.ts'
import {
  acceptEntry as acceptThreadEntry,
  acceptWithdrawal,
  endOf,
  type Keyrings,
  memberOf,
  type ThreadState,
} from '../src/sealed/thread_rules.ts'
import { checkAccept, checkConfirms, checkPins } from '../src/sealed/trust.ts'
import {
  fail,
  type ItemRow,
  is,
  type Prepared,
  type RefusedRow,
  type Tagged,
  tag,
  takeItem,
  untag,
} from './vectors_file.ts'

export { prepare, type RefusedRow, tag, type Vectors } from './vectors_file.ts'

const plaintextValue = (text: Plaintext): Tagged =>
  tag({
    body: bodyValue(text.body),
    checkpoint: null,
    foreign_reference: text.foreignReference,
    language: text.language,
    marks: [],
    own_reference: text.ownReference,
    subject: text.subject,
  })

const sorted = (value: Tagged): string => toHex(encode(untag(value)))

async function checkPrimitives({ vectors, net }: Prepared): Promise<void> {
  for (const { value, bytes } of vectors.encodings) {
    is(toHex(encode(untag(value))), bytes, 'encoding')
    is(toHex(encode(decode(fromHex(bytes)))), bytes, 'decoding')
  }
  for (const row of vectors.contexts) {
    const parts = row.parts.map(untag)
    is(toHex(context(net, row.purpose, ...parts)), row.context, 'context')
    is(toHex(await contextHash(net, row.purpose, ...parts)), row.hash, 'hash')
    is(toHex(await deriveKey(net, fromHex(row.secret), row.purpose, ...parts)), row.key, 'key')
  }
  for (const { key = '', text = '', aad = '', sealed } of vectors.aead) {
    is(toHex(await aeadSeal(fromHex(key), fromHex(text), fromHex(aad))), sealed, 'aead')
    is(toHex(await aeadOpen(fromHex(key), fromHex(sealed ?? ''), fromHex(aad))), text, 'aead open')
  }
}

async function checkKem({ vectors }: Prepared): Promise<void> {
  for (const { seed = '', ed25519, kem } of vectors.seeds) {
    is(toHex((await SigningKey.fromSeed(fromHex(seed))).public), ed25519, 'ed25519')
    is(toHex((await KemKey.fromSeed(fromHex(seed))).public), kem, 'kem')
  }
  for (const { seed = '', info = '', sealed = '', secret } of vectors.sealed) {
    const key = await KemKey.fromSeed(fromHex(seed))
    is(toHex(await key.open(fromHex(sealed), fromHex(info))), secret, 'open')
    const again = await seal(key.public, fromHex(secret ?? ''), fromHex(info))
    is(again.length, 1168, 'sealed size')
    is(toHex(await key.open(again, fromHex(info))), secret, 'open own')
  }
}

async function checkDevices({ vectors, net }: Prepared): Promise<void> {
  for (const row of vectors.devices) {
    const device = await readDeviceStatement(net, fromHex(row.statement ?? ''))
    is(toHex(device.id), row.id, 'device id')
    is(device.principal && toHex(device.principal), row.principal, 'principal')
    is(device.salt && toHex(device.salt), row.salt, 'salt')
    is([device.person, device.name, device.office], [row.person, row.name, row.office], 'person')
    is(await deviceWords(net, toHex(device.id)), row.words, 'words')
    is(toHex((await SigningKey.fromSeed(fromHex(row.sig_seed ?? ''))).public), toHex(device.sig), 'sig')
    is(toHex((await KemKey.fromSeed(fromHex(row.kem_seed ?? ''))).public), toHex(device.kem), 'kem')
  }
  for (const row of vectors.recovery) {
    const kit = await RecoveryKit.parse(net, (row.printed ?? '').toLowerCase())
    is(await kit.print(net), row.printed, 'printed')
    const { signing, kem, id } = await kit.keys(net)
    is([toHex(signing.public), toHex(kem.public), toHex(id)], [row.sig, row.kem, row.id], 'kit')
  }
}

async function checkKeyrings(prepared: Prepared): Promise<void> {
  const { vectors, net } = prepared
  for (const row of vectors.keyrings) {
    const state = prepared.keyrings.get(row.label)?.at(-1) ?? fail(row.label)
    is([toHex(state.principal), state.kind], [row.principal, row.kind], 'principal')
    is(fingerprintDigits(row.principal), row.fingerprint, 'fingerprint')
    let kit = row.recovery
    for (const entry of row.entries) {
      kit = entry.recovery ?? kit
      const generation = state.generations[entry.n] as Generation
      const found = [toHex(generation.head), toHex(generation.mailbox), toHex(generation.commit)]
      is(found, [entry.head, entry.mailbox, entry.commit], 'generation')
      const devices = generation.devices.map((device) => ({ id: toHex(device.id), roles: device.roles }))
      is(devices, entry.devices, 'devices')
      const envelopes = fromHex(entry.envelopes)
      const recipients =
        kit === null
          ? []
          : [await new RecoveryKit(fromHex(kit)).keys(net)].map(({ id, kem }) => ({ id, kem }))
      for (const device of vectors.devices.filter(({ id: one }) =>
        devices.some((listed) => listed.id === one),
      )) {
        recipients.push({
          id: fromHex(device.id ?? ''),
          kem: await KemKey.fromSeed(fromHex(device.kem_seed ?? '')),
        })
      }
      for (const recipient of recipients) {
        const secret = await openEnvelope(net, state, entry.n, envelopes, recipient)
        is(toHex(secret), entry.secret, 'secret')
      }
      await checkSecret(net, state, generation, fromHex(entry.secret))
      const before = generation.history && row.entries[generation.history.of]
      if (before)
        is(toHex(await openHistory(net, state, generation, fromHex(entry.secret))), before.secret, 'history')
    }
  }
}

async function checkThreads(prepared: Prepared): Promise<void> {
  const { vectors, net } = prepared
  const server = await SigningKey.fromSeed(fromHex(vectors.server.seed ?? ''))
  is(toHex(server.public), vectors.server.public, 'server key')
  is(toHex(await serverKeyId(net, server.public)), vectors.server.id, 'server key id')
  for (const [place, thread] of vectors.threads.entries()) {
    let state: ThreadState | null = null
    for (const row of thread.items) {
      const taken: { state: ThreadState; message: Message | null } = await takeItem(
        prepared,
        state,
        row,
        place,
      )
      state = taken.state
      is(toHex(state.thread), thread.thread, 'thread')
      is([state.seq, toHex(endOf(state).hash)], [row.seq, row.transcript], 'transcript')
      await checkReceipt(net, server.public, fromHex(row.receipt), state, fromHex(row.hash))
      const secret = fromHex(row.secret)
      if (taken.message) {
        is(taken.message.marks, [], 'marks')
        const text = await openMessage(net, taken.message, fromHex(row.ciphertext ?? ''), secret)
        is(sorted(plaintextValue(text)), sorted(row.plaintext), 'plaintext')
        is([text.urgency, text.due], [row.urgency, row.due], 'urgency')
      } else if (row.type === 'entry') await checkEpoch(prepared, { ...thread, row, state })
    }
  }
  for (const row of vectors.opened) {
    const state = prepared.threads.find((one) => one?.seq === row.seq) ?? fail('opened')
    const opened = await checkOpened(net, state, prepared.at(row.keyrings), fromHex(row.opened))
    is([opened.seq, toHex(opened.device)], [row.seq, prepared.device(row.device).id], 'opened')
  }
}

async function checkEpoch(
  prepared: Prepared,
  { members, row, state }: { members: string[]; row: ItemRow; state: ThreadState },
): Promise<void> {
  for (const label of members) {
    const own = memberKeys(prepared, label, fromHex(row.envelopes ?? ''))
    if (!memberOf(state.members, own.principal)) continue
    is(toHex(await openEpoch(prepared.net, state, state.n, own)), row.secret, 'epoch secret')
  }
  if (state.epochs[state.n]?.history)
    await openThreadHistory(prepared.net, state, state.n, fromHex(row.secret))
}

function memberKeys(prepared: Prepared, label: string, envelopes: Bytes) {
  const { principal, entries } = prepared.row(label)
  const id = fromHex(principal)
  const mailbox = (n: number) => mailboxKey(prepared.net, id, n, fromHex(entries[n]?.secret ?? ''))
  return { principal: id, envelopes, mailbox }
}

// ---------------------------------------------------------------- what has to be refused

/** A server refuses these for new items; a reader of old ones shows a mark, cannot know, or
 *  meets another rule first. */
const SERVER_ONLY = [
  'stale-member-keyring',
  'stale-author-keyring',
  'counter-gap',
  'wrong-previous',
  'never-delivered',
]

type Check = (prepared: Prepared, row: RefusedRow) => Promise<unknown> | unknown
const bytesOf = (row: RefusedRow, name: string): Bytes => fromHex(row[name] as string)
const places = (row: RefusedRow) => row.keyrings as Record<string, number>
const placeOf = (row: RefusedRow) => (row.thread as number | undefined) ?? 0
const nowOf = (row: RefusedRow) => (row.now as number | undefined) ?? 0

const REFUSALS: Record<string, Check> = {
  encoding: (_, row) => decode(bytesOf(row, 'bytes')),
  statement: ({ net }, row) => parse(net, bytesOf(row, 'bytes'), row.expect as StatementType),
  'signing-key': (_, row) => checkSigningKey(bytesOf(row, 'bytes')),
  'kem-key': (_, row) => checkKemKey(bytesOf(row, 'bytes')),
  'recovery-kit': ({ net }, row) => RecoveryKit.parse(net, row.printed as string),
  sealed: async (_, row) =>
    (await KemKey.fromSeed(bytesOf(row, 'seed'))).open(bytesOf(row, 'sealed'), bytesOf(row, 'info')),
  aead: (_, row) => aeadOpen(bytesOf(row, 'key'), bytesOf(row, 'sealed'), bytesOf(row, 'aad')),
  device: ({ net }, row) => readDeviceStatement(net, bytesOf(row, 'statement')),
  keyring: (prepared, row) => {
    const states = row.label === null ? [] : (prepared.keyrings.get(row.label as string) ?? [])
    const before = states[(row.before as number) - 1] ?? null
    const statements = (row.statements as string[]).map(fromHex)
    const known: Keyrings = (principal) => prepared.known(principal)
    const [entry, envelopes] = [bytesOf(row, 'entry'), bytesOf(row, 'envelopes')]
    return acceptEntry(prepared.net, before, entry, statements, envelopes, known)
  },
  generation: async (prepared, row) => {
    const n = row.n as number
    const state = await withEntry(prepared, row, n)
    const device = prepared.device(row.device as string)
    const id = (row.recipient as string | undefined) ?? device.id ?? ''
    const recipient = { id: fromHex(id), kem: await KemKey.fromSeed(fromHex(device.kem_seed ?? '')) }
    const secret = await openEnvelope(prepared.net, state, n, bytesOf(row, 'envelopes'), recipient)
    await checkSecret(prepared.net, state, state.generations[n] as Generation, secret)
  },
  'keyring-history': async (prepared, row) => {
    const { fields } = await parse(prepared.net, bytesOf(row, 'entry'), 'keyring')
    const state = await withEntry(prepared, row, fields.uint('n'))
    await openHistory(prepared.net, state, state.generations[state.n] as Generation, bytesOf(row, 'secret'))
  },
  thread: (prepared, row) => {
    const before = prepared.everyThread[placeOf(row)]?.[row.before as number] ?? null
    const keyrings = prepared.at(places(row), placeOf(row))
    const place = { envelopes: bytesOf(row, 'envelopes'), keyrings, now: nowOf(row) }
    return acceptThreadEntry(prepared.net, before, bytesOf(row, 'entry'), place)
  },
  withdrawal: (prepared, row) => {
    const before = prepared.everyThread[placeOf(row)]?.[row.before as number] ?? fail('withdrawal')
    const keyrings = prepared.at(places(row), placeOf(row))
    return acceptWithdrawal(prepared.net, before, bytesOf(row, 'withdrawal'), keyrings)
  },
  trust: (prepared, row) => {
    const place = { keyrings: prepared.at(places(row)), principal: bytesOf(row, 'principal') }
    const statements = (row.statements as string[]).map(fromHex)
    if (row.check === 'confirms') return checkConfirms(prepared.net, statements, place)
    const first = statements[0] ?? fail('no statement')
    if (row.check === 'restore') {
      const server = { net: prepared.net, serverKey: fromHex(prepared.vectors.server.public ?? '') }
      const { keyrings, principal: secretariat } = place
      return checkRestore(server, first, { keyrings, secretariat })
    }
    const check = row.check === 'accept' ? checkAccept : checkPins
    return check(prepared.net, first, place)
  },
  epoch: async (prepared, row) => {
    const state = await withThreadEntry(prepared, row)
    const own = memberKeys(prepared, row.member as string, bytesOf(row, 'envelopes'))
    await openEpoch(prepared.net, state, state.n, own)
  },
  'thread-history': async (prepared, row) => {
    const state = await withThreadEntry(prepared, row)
    await openThreadHistory(prepared.net, state, state.n, bytesOf(row, 'secret'))
  },
  message: (prepared, row) => takeMessage(prepared, row),
  'open-message': async (prepared, row) => {
    const { fields, kid } = await parse(prepared.net, bytesOf(row, 'item'), 'message')
    const place = { thread: fields.bytes('thread', 32), n: fields.uint('n'), id: fields.bytes('id', 16) }
    const text = { plain: fields.bytes('plain', 32), kind: fields.text('kind') as Message['kind'] }
    const urgency = fields.uint('urgency') as Message['urgency']
    const due = fields.raw('due') as number | null
    const device = { id: kid } as Message['device']
    const message = {
      ...place,
      ...text,
      urgency,
      due,
      device,
      files: readHeaders(fields),
      step: readStep(fields),
    }
    await openMessage(prepared.net, message, bytesOf(row, 'ciphertext'), bytesOf(row, 'secret'))
  },
  receipt: (prepared, row) => {
    const seq = row.seq as number
    const state = prepared.threads[seq] ?? fail('receipt')
    const hash = fromHex(prepared.vectors.threads[0]?.items[seq - 1]?.hash ?? '')
    const key = fromHex(prepared.vectors.server.public ?? '')
    return checkReceipt(prepared.net, key, bytesOf(row, 'receipt'), state, hash)
  },
  opened: (prepared, row) => {
    const state = prepared.threads[row.before as number] ?? fail('opened')
    return checkOpened(prepared.net, state, prepared.at(places(row)), bytesOf(row, 'opened'))
  },
}

/** K4 passed over: the entry as it is, with the generation it describes. */
async function withEntry(prepared: Prepared, row: RefusedRow, n: number): Promise<KeyringState> {
  const states = prepared.keyrings.get(row.label as string) ?? []
  const state = states.at(-1) ?? fail('keyring')
  const { fields, hash, kid } = await parse(prepared.net, bytesOf(row, 'entry'), 'keyring')
  const before = state.generations[n] as Generation
  const generation: Generation = {
    ...before,
    head: hash,
    author: kid,
    prev: fields.bytes('prev', 32),
    mailbox: fields.bytes('mailbox', 1216),
    commit: fields.bytes('commit', 32),
    history: fields.isNull('history') ? null : readWrap(fields.raw('history')),
  }
  return { ...state, n, generations: [...state.generations.slice(0, n), generation] }
}

async function withThreadEntry(prepared: Prepared, row: RefusedRow): Promise<ThreadState> {
  const { fields, hash, kid } = await parse(prepared.net, bytesOf(row, 'entry'), 'thread')
  const n = fields.uint('n')
  const last = prepared.threads.findLast((state) => state !== null) ?? fail('thread')
  const known = last.epochs[n] ?? (last.epochs.at(-1) as ThreadState['epochs'][number])
  const epoch = {
    ...known,
    n,
    head: hash,
    author: kid,
    prev: fields.bytes('prev', 32),
    commit: fields.bytes('commit', 32),
    history: fields.isNull('history') ? null : readWrap(fields.raw('history')),
  }
  return { ...last, thread: fields.bytes('thread', 32), n, epochs: [...last.epochs.slice(0, n), epoch] }
}

const readWrap = (value: Value): { of: number; wrap: Bytes } =>
  value as unknown as { of: number; wrap: Bytes }

async function takeMessage(prepared: Prepared, row: RefusedRow): Promise<void> {
  const before = prepared.everyThread[placeOf(row)]?.[row.before as number] ?? fail('message')
  const sent = { item: bytesOf(row, 'item'), ciphertext: bytesOf(row, 'ciphertext'), now: nowOf(row) }
  const keyrings = prepared.at(places(row), placeOf(row))
  const { message } = await acceptMessage(prepared.net, before, keyrings, sent)
  const [mark] = message.marks
  if (mark) throw new Refused('M4', mark, 'shown to a reader')
}

/** Throws unless this row is refused by its rule and with its code. */
export async function checkRefusal(prepared: Prepared, row: RefusedRow): Promise<void> {
  const found = await outcome(prepared, row)
  const expected = `${row.rule} ${row.code}`
  if (found !== expected && !SERVER_ONLY.includes(row.code))
    fail(`${row.kind} (${row.why}): ${found}, not ${expected}`)
}

async function checkRefused(prepared: Prepared): Promise<void> {
  for (const row of prepared.vectors.refused) await checkRefusal(prepared, row)
}

async function outcome(prepared: Prepared, row: RefusedRow): Promise<string> {
  try {
    await (REFUSALS[row.kind] ?? fail(row.kind))(prepared, row)
    return 'accepted'
  } catch (error) {
    if (error instanceof Refused) return `${error.rule} ${error.code}`
    throw error
  }
}

/** Each part of the file by name. */
export const CHECKS: Readonly<Record<string, (prepared: Prepared) => Promise<void>>> = {
  'encodings, contexts, AEAD': checkPrimitives,
  'seeds and sealed secrets': checkKem,
  'devices and recovery kits': checkDevices,
  keyrings: checkKeyrings,
  'threads, receipts, opened': checkThreads,
  'what is refused': checkRefused,
}
