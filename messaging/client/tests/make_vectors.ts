// Writes tests/vectors/typescript.json for the Python implementation to check: `npm run vectors`.
// Same shape as python.json (see tests/vectors/make_python.py). Seals with fresh randomness, so each run gives
// other bytes; what was committed is checked, not compared.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDeviceStatement, readDeviceStatement } from '../src/sealed/device.ts'
import {
  type Bytes,
  context,
  contextHash,
  decode,
  deriveKey,
  encode,
  fromHex,
  sha256,
  toHex,
  type Value,
  type ValueMap,
} from '../src/sealed/encoding.ts'
import { type MadeEntry, makeAddition, makeGenesis } from '../src/sealed/keyring.ts'
import { acceptEntry, latest, type Role } from '../src/sealed/keyring_rules.ts'
import {
  aeadSeal,
  deviceWords,
  fingerprintDigits,
  KemKey,
  RecoveryKit,
  SigningKey,
  seal,
} from '../src/sealed/keys.ts'
import type { Plaintext } from '../src/sealed/message.ts'
import { makeOpened, serverKeyId } from '../src/sealed/receipt.ts'
import { sign } from '../src/sealed/statement.ts'
import { byOf, type ThreadState } from '../src/sealed/thread_rules.ts'
import { type StoryEntry, tellStory } from './keyring_story.ts'
import { tellOfSteps } from './step_story.ts'
import {
  AT,
  type MadeDevice,
  type MadeKeyring,
  NET,
  note,
  ThreadMaker,
  tellOfThreads,
} from './thread_story.ts'
import { CHECKS, prepare, type RefusedRow, tag, type Vectors } from './vectors.ts'

declare const REPOSITORY: string
const seedOf = (name: string): Promise<Bytes> => sha256(encode(['typescript vectors', name]))

async function makeDevice(
  label: string,
  owner: { principal: Bytes | null; salt: Bytes | null },
): Promise<MadeDevice> {
  const [sigSeed, kemSeed] = [await seedOf(`${label} sig`), await seedOf(`${label} kem`)]
  const key = await SigningKey.fromSeed(sigSeed)
  const { public: kem } = await KemKey.fromSeed(kemSeed)
  const fields = {
    ...owner,
    person: `person-${label}`,
    name: `Name ${label} é日本`,
    office: 'Office',
    sig: key.public,
    kem,
  }
  const statement = await makeDeviceStatement(NET, fields, { at: AT, key })
  return { label, statement, id: await sha256(statement), sigSeed, kemSeed, key }
}

async function makeKeyring(
  label: string,
  device: string,
  kind = 'authority',
): Promise<[MadeKeyring, MadeDevice]> {
  const salt = (await seedOf(`${label} salt`)).slice(0, 16)
  const first = await makeDevice(device, { principal: null, salt })
  const kit = await seedOf(`${label} kit`)
  const { signing, kem, id } = await new RecoveryKit(kit).keys(NET)
  const roles: Role[] = ['officer', 'steward', 'supervisor']
  const recovery = { sig: signing.public, kem: kem.public, id }
  const genesis = { kind, salt, devices: [{ id: first.id, roles }], statements: [first.statement], recovery }
  const made = await makeGenesis(NET, genesis, { author: first, at: AT })
  const state = await acceptEntry(NET, null, made.entry, [first.statement], made.envelopes)
  return [{ label, kit, state, entries: [{ made, statements: [first.statement], state }] }, first]
}

async function add(
  keyring: MadeKeyring,
  author: MadeDevice,
  added: [MadeDevice, Role[]][],
): Promise<MadeKeyring> {
  const secret = (keyring.entries.at(-1) as MadeKeyring['entries'][number]).made.secret
  const rows = added.map(([{ statement }, roles]) => ({ statement, roles }))
  const made = await makeAddition(NET, keyring.state, secret, rows, { author, at: AT + 1 })
  const statements = rows.map(({ statement }) => statement)
  const state = await acceptEntry(NET, keyring.state, made.entry, statements, made.envelopes)
  return { ...keyring, state, entries: [...keyring.entries, { made, statements, state }] }
}

async function deviceRow(device: MadeDevice): Promise<Vectors['devices'][number]> {
  const read = await readDeviceStatement(NET, device.statement)
  return {
    label: device.label,
    statement: toHex(device.statement),
    id: toHex(device.id),
    sig_seed: toHex(device.sigSeed),
    kem_seed: toHex(device.kemSeed),
    principal: read.principal && toHex(read.principal),
    salt: read.salt && toHex(read.salt),
    person: read.person,
    name: read.name,
    office: read.office,
    words: await deviceWords(NET, toHex(device.id)),
  } as Vectors['devices'][number]
}

const keyringRow = ({ label, kit: first, state, entries }: MadeKeyring): Vectors['keyrings'][number] => ({
  label,
  principal: toHex(state.principal),
  kind: state.kind,
  fingerprint: fingerprintDigits(toHex(state.principal)),
  recovery: toHex(first),
  entries: entries.map(({ made, statements, state: after, kit }) => {
    const { n, head, mailbox, commit, devices } = latest(after)
    return {
      n,
      entry: toHex(made.entry),
      envelopes: toHex(made.envelopes),
      statements: statements.map(toHex),
      head: toHex(head),
      secret: toHex(made.secret),
      mailbox: toHex(mailbox),
      commit: toHex(commit),
      devices: devices.map(({ id, roles }) => ({ id: toHex(id), roles: [...roles] })),
      ...(kit ? { recovery: toHex(kit) } : {}),
    }
  }),
})

const VALUES: Value[] = [
  0,
  23,
  24,
  255,
  256,
  65536,
  2 ** 32,
  2 ** 53 - 1,
  true,
  null,
  new Uint8Array(24),
  '',
  'é🙂',
]
const MAPS: Value[] = [
  [],
  {},
  { b: 1, aa: 2, a: [3], '': null },
  [[[[[[[]]]]]]],
  JSON.parse('{"__proto__": 1, "toString": 2}'),
]

async function makePrimitives() {
  const secret = await seedOf('secret')
  const parts: Value[] = ['x', null, [true, { of: 1 }], new Uint8Array(32)]
  const info = context(NET, 'some info', 1)
  const kem = await KemKey.fromSeed(secret)
  const [key, text, aad] = [await seedOf('aead'), fromHex('00ff'), context(NET, 'some aad')]
  const hex = (bytes: Bytes) => toHex(bytes)
  const kit = new RecoveryKit(secret)
  const keys = await kit.keys(NET)
  return {
    encodings: [...VALUES, ...MAPS].map((value) => ({ value: tag(value), bytes: hex(encode(value)) })),
    contexts: [
      {
        purpose: 'purpose',
        parts: parts.map(tag),
        context: hex(context(NET, 'purpose', ...parts)),
        hash: hex(await contextHash(NET, 'purpose', ...parts)),
        secret: hex(secret),
        key: hex(await deriveKey(NET, secret, 'purpose', ...parts)),
      },
    ],
    seeds: [
      { seed: hex(secret), ed25519: hex((await SigningKey.fromSeed(secret)).public), kem: hex(kem.public) },
    ],
    sealed: [
      {
        seed: hex(secret),
        info: hex(info),
        sealed: hex(await seal(kem.public, key, info)),
        secret: hex(key),
      },
    ],
    aead: [{ key: hex(key), text: hex(text), aad: hex(aad), sealed: hex(await aeadSeal(key, text, aad)) }],
    recovery: [
      {
        secret: hex(secret),
        printed: await kit.print(NET),
        id: hex(keys.id),
        sig: hex(keys.signing.public),
        kem: hex(keys.kem.public),
      },
    ],
  }
}

/** The same statement with other fields, signed again. */
async function alter(
  raw: Bytes,
  type: 'keyring' | 'message',
  key: SigningKey,
  change: Record<string, Value>,
): Promise<string> {
  const [header, , payload] = decode(raw) as [Bytes, Value, Bytes]
  const { t: _t, v: _v, suite: _s, net: _n, at, ...fields } = decode(payload) as Record<string, Value>
  const signer = { at: at as number, kid: decode(header.slice(4)) as Bytes, key }
  return toHex(await sign(NET, type, { ...fields, ...change }, signer))
}

const BAD_ENCODINGS = [
  '',
  '1800',
  '20',
  'f7',
  'fb0000000000000000',
  '9fff',
  'a2616101616102',
  'a2616201616102',
  '61ff',
  '0000',
  'c000',
  '1b0020000000000000',
  '818181818181818100',
]

async function makeRefused(a: MadeKeyring, device: MadeDevice, maker: ThreadMaker): Promise<RefusedRow[]> {
  const [genesis, second] = a.entries.map(({ made }) => made) as [MadeEntry, MadeEntry]
  const statements = a.entries.map((entry) => entry.statements.map(toHex))
  const message = maker.rows[1] as ThreadMaker['rows'][number]
  const raw = fromHex(message.item)
  const keyring = {
    kind: 'keyring',
    label: 'A',
    before: 1,
    statements: statements[1],
    envelopes: toHex(second.envelopes),
  }
  const taken = { kind: 'message', before: 1, keyrings: message.keyrings, ciphertext: message.ciphertext }
  const row = (rule: string, code: string, why: string, more: Record<string, unknown>) =>
    ({ rule, code, why, ...more }) as RefusedRow
  return [
    ...BAD_ENCODINGS.map((bytes) => row('E1', 'bad-encoding', bytes, { kind: 'encoding', bytes })),
    row('E2', 'wrong-type', 'another type', {
      kind: 'statement',
      bytes: toHex(genesis.entry),
      expect: 'thread',
    }),
    row('E7', 'weak-signing-key', 'order 4', { kind: 'signing-key', bytes: '00'.repeat(32) }),
    row('E7', 'bad-kem-key', 'coefficients', { kind: 'kem-key', bytes: 'ff'.repeat(1216) }),
    row('K1', 'stale-epoch', 'the same again', { ...keyring, before: 2, entry: toHex(second.entry) }),
    row('K3', 'unknown-reason', 'a reason of nobody', {
      ...keyring,
      entry: await alter(second.entry, 'keyring', device.key, { reason: 'restart' }),
    }),
    row('K4', 'wrong-floor', 'a raised floor', {
      ...keyring,
      entry: await alter(second.entry, 'keyring', device.key, { floor: 1 }),
    }),
    row('K4', 'wrong-recipients', 'other envelopes', {
      ...keyring,
      entry: toHex(second.entry),
      envelopes: toHex(genesis.envelopes),
    }),
    row('M2', 'repeated-id', 'the same again', { ...taken, before: 2, item: message.item }),
    row('M3', 'unknown-field-value', 'an urgency above the highest', {
      ...taken,
      item: await alter(raw, 'message', device.key, { urgency: 3 }),
    }),
    row('M3', 'unknown-field-value', 'a date after the last', {
      ...taken,
      item: await alter(raw, 'message', device.key, { due: 253_402_300_800 }),
    }),
    row('M3', 'wrong-cipher', 'another hash', {
      ...taken,
      item: await alter(raw, 'message', device.key, { cipher: new Uint8Array(32) }),
    }),
    row('M4', 'counter-gap', 'one too far', {
      ...taken,
      item: await alter(raw, 'message', device.key, { counter: 1 }),
    }),
    row('T8', 'wrong-receipt', 'of another item', { kind: 'receipt', receipt: message.receipt, seq: 1 }),
  ]
}

/** M10, M11: the case's steps with other headers. Rows: 3 a request, 6 the acknowledgement, 9 a postponement. */
async function makeRefusedSteps(ada: MadeDevice, bo: MadeDevice, maker: ThreadMaker): Promise<RefusedRow[]> {
  const cases: [string, string, string, number, Record<string, Value>][] = [
    ['M10', 'unknown-stage', 'a stage of another variant', 3, { code: 'freezing-asked' }],
    ['M10', 'unknown-stage', 'a consultation where none is named', 3, { consultation: 1 }],
    ['M11', 'stale-stage', 'not on the newest step', 6, { on: 2 }],
    ['M11', 'forbidden-stage', 'surrendered before it was decided', 6, { code: 'surrendered' }],
    ['M11', 'wrong-side', 'withdrawn by who was asked', 6, { code: 'withdrawn' }],
    ['M11', 'consultation-needed', 'refused at once', 6, { code: 'refused' }],
    ['M11', 'consultation-needed', 'on what is no consultation', 9, { consultation: 3 }],
  ]
  return Promise.all(
    cases.map(async ([rule, code, why, seq, change]) => {
      const { item, ciphertext, keyrings, plaintext: _ } = maker.rows[seq - 1] as ThreadMaker['rows'][number]
      const raw = fromHex(item)
      const { stage } = decode((decode(raw) as [Bytes, Value, Bytes])[2]) as { stage: ValueMap }
      const key = (seq === 3 ? ada : bo).key
      const altered = await alter(raw, 'message', key, { stage: { ...stage, ...change } })
      const place = { kind: 'message', thread: 4, before: seq - 1, now: AT + 30, keyrings, ciphertext }
      return { rule, code, why, ...place, item: altered } as RefusedRow
    }),
  )
}

async function make(): Promise<Vectors> {
  const server = await SigningKey.fromSeed(await seedOf('server'))
  const [genesis, ada] = await makeKeyring('A', 'ada')
  const [b, bo] = await makeKeyring('B', 'bo')
  const [secretariat, sam] = await makeKeyring('S', 'sam', 'secretariat')
  const owner = { principal: genesis.state.principal, salt: null }
  const [ann, amy] = [await makeDevice('ann', owner), await makeDevice('amy', owner)]
  const keyrings = new Map([genesis, b].map((keyring) => [keyring.label, keyring]))
  const maker = new ThreadMaker(server, keyrings)
  await maker.entry(ada, 'A')
  const first = await maker.message(ada, 'A', note('Première demande', 'Objet'))
  const acknowledgement: Plaintext = {
    ...note(''),
    body: { type: 'acknowledgement', of: first, seq: 2 },
    language: '',
  }
  await maker.message(bo, 'B', acknowledgement)
  const a = await add(genesis, ada, [
    [ann, ['officer']],
    [amy, ['steward']],
  ])
  keyrings.set('A', a)
  await maker.message(ann, 'A', note('x'.repeat(600)))
  await maker.entry(bo, 'B')
  await maker.message(ada, 'A', {
    ...note('Seconde'),
    body: {
      type: 'note',
      text: 'Seconde',
      reason: 'Délai de garde à vue',
      files: [],
      about: null,
      moment: null,
    },
    urgency: 2,
    due: AT + 86_400,
  })
  const [begun, fay] = await makeKeyring('story', 'fay')
  const heir = { principal: begun.state.principal, salt: null }
  const [gus, hal] = [await makeDevice('gus', heir), await makeDevice('hal', heir)]
  const kits: [Bytes, Bytes] = [await seedOf('story kit 2'), await seedOf('story kit 3')]
  const people = { first: fay, second: gus, third: hal, kits }
  const entries = await tellStory(NET, AT + 1, begun, people)
  const story = { ...begun, entries, state: (entries.at(-1) as StoryEntry).state }
  const [c, cid] = await makeKeyring('C', 'cid')
  keyrings.set('C', c)
  const more = await tellOfThreads(() => new ThreadMaker(server, keyrings), { ada, bo, cid })
  const stepping = new ThreadMaker(server, keyrings)
  await tellOfSteps(stepping, ada, bo)
  const stepped = stepping.state as ThreadState
  const state = maker.state as ThreadState
  const opened = await makeOpened(NET, state, { by: byOf(b.state), author: bo, at: AT + 40 })
  return {
    net: NET,
    ...(await makePrimitives()),
    devices: await Promise.all([ada, ann, amy, bo, cid, sam, fay, gus, hal].map(deviceRow)),
    keyrings: [a, b, c, secretariat, story].map(keyringRow),
    server: {
      seed: toHex(await seedOf('server')),
      public: toHex(server.public),
      id: toHex(await serverKeyId(NET, server.public)),
    },
    threads: [
      { thread: toHex(state.thread), kind: state.kind, members: ['A', 'B'], items: maker.rows },
      ...more,
      { thread: toHex(stepped.thread), kind: stepped.kind, members: ['A', 'B'], items: stepping.rows },
    ],
    opened: [
      {
        opened: toHex(opened),
        thread: toHex(state.thread),
        seq: state.seq,
        device: 'bo',
        keyrings: maker.places,
      },
    ],
    refused: [...(await makeRefused(a, ada, maker)), ...(await makeRefusedSteps(ada, bo, stepping))],
  }
}

const vectors = await make()
const prepared = await prepare(vectors)
for (const check of Object.values(CHECKS)) await check(prepared)
const file = process.env.VECTORS_OUT ?? join(REPOSITORY, 'tests', 'vectors', 'typescript.json')
writeFileSync(file, `${JSON.stringify(vectors, null, 1)}\n`)
