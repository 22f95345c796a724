// Writes tests/vectors/logs/typescript.json for the Python implementation to follow: `node tests/run.mjs logs`.
// The shape is that of tests/vectors/make_logs.py.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COSIGNATURE, type Signer, signerId, signerLine } from '../src/sealed/checkpoint.ts'
import { type Bytes, encode, sha256, toHex } from '../src/sealed/encoding.ts'
import { SigningKey } from '../src/sealed/keys.ts'
import { encodeLeaf, type Leaf, leafHash, logLabel, statementValue } from '../src/sealed/transparency.ts'
import { signNote, treeRoot } from './log_server.ts'

declare const REPOSITORY: string
const NET = 'network.example/s1'
const AT = 1_790_000_000
const DAY = 24 * 3600

const seed = (name: string): Promise<Bytes> => sha256(encode(['typescript logs', name]))
const key = await SigningKey.fromSeed(await seed('log'))
const witnessKey = await SigningKey.fromSeed(await seed('east.example'))
const witness: Signer = { name: 'east.example', public: witnessKey.public, kind: COSIGNATURE }
const labelKey = await seed('labels')

const note = (raw: readonly Bytes[], at = AT, isCosigned = false): Promise<string> =>
  signNote(raw, {
    net: NET,
    key,
    at,
    ...(isCosigned ? { witness: { signer: witness, key: witnessKey } } : {}),
  })

const principals = { A: await seed('principal A'), B: await seed('principal B') }
type Name = keyof typeof principals

async function keyring(name: Name, n: number, what = ''): Promise<Leaf> {
  const label = await logLabel(labelKey, 'keyring', principals[name])
  return { type: 'keyring', label, n, value: await seed(`${name} ${n}${what}`) }
}

const mandate = await logLabel(labelKey, 'mandate', await seed('thread'))
const leaves: Leaf[] = [
  await keyring('A', 0),
  await keyring('B', 0),
  { type: 'mandate', label: mandate, n: 0, value: await statementValue(NET, await seed('mandate')) },
  await keyring('A', 1),
  await keyring('A', 2),
]
const raw = leaves.map(encodeLeaf)
const fork = [...raw.slice(0, 4), encodeLeaf(await keyring('A', 2, ' another'))]
const ghost = [...raw, encodeLeaf(await keyring('B', 0, ' ghost'))]

const given = (said: string, written: string, some: readonly Bytes[], now = AT) => ({
  do: 'follow',
  note: written,
  leaves: some.map(toHex),
  now,
  said,
})
const newest = async (name: Name, n: number, said = '', what = '') => ({
  do: 'newest',
  principal: toHex(principals[name]),
  n,
  head: toHex(await seed(`${name} ${n}${what}`)),
  said,
})
const fresh = (now: number, said = '') => ({ do: 'fresh', now, said })
const message = (size: number, root: Bytes, said = '') => ({ do: 'message', size, root: toHex(root), said })
const sent = async (size: number, written: string, said = '') => ({
  do: 'sent',
  size,
  root: toHex(await treeRoot(raw.slice(0, size))),
  note: written,
  said,
})
const urgent = (hours: number, now: number, said = '') => ({ do: 'urgent', hours, now, said })
const reload = { do: 'reload', said: '' }

const honest = [
  await newest('A', 2, 'L1 not-logged'),
  given('', await note(raw.slice(0, 2)), raw.slice(0, 2)),
  await newest('A', 1, 'L1 not-logged'),
  given('', await note(raw), raw.slice(2)),
  reload,
  await newest('A', 2),
  await newest('A', 1, 'L2 withheld-entry'),
  fresh(AT + DAY),
  fresh(AT + DAY + 1, 'L4 stale-checkpoint'),
  message(3, await treeRoot(raw.slice(0, 3))),
  message(3, await seed('root'), 'L6 other-log'),
  message(9, await seed('root'), 'L6 log-withheld'),
]
const lying = [
  given('L2 missing-leaves', await note(raw), raw.slice(1)),
  given('L5 inconsistent-log', await note(raw), [...raw].reverse()),
  given('L5 future-checkpoint', await note(raw, AT + 301), raw),
  given('', await note(raw), raw),
  given('L5 smaller-checkpoint', await note(raw.slice(0, 2)), []),
  given('', await note(ghost), ghost.slice(5)),
  await newest('B', 0, 'L3 contradicting-leaves'),
  await newest('A', 2),
  given('L5 forked-log', await note(fork), []),
  reload,
  fresh(AT, 'L5 forked-log'),
]
const watched = [
  given('', await note(raw), raw),
  fresh(AT, 'L4 stale-checkpoint'),
  { do: 'refresh', note: await note(raw.slice(0, 3), AT + 7, true), now: AT + 7, said: '' },
  fresh(AT + 7),
]

const carried = [
  given('', await note(raw), raw),
  await sent(5, await note(raw)),
  await sent(5, await note(raw.slice(0, 3)), 'L6 wrong-checkpoint'),
  await sent(5, await note(fork), 'L6 wrong-checkpoint'),
  urgent(24, AT + DAY + 1, 'L4 stale-checkpoint'),
  urgent(72, AT + DAY + 1),
  urgent(99, AT + 3 * DAY + 1, 'L4 stale-checkpoint'),
  { ...message(5, await treeRoot(fork), 'L6 other-log'), note: await note(fork) },
  fresh(AT, 'L5 forked-log'),
]

const roots: string[] = []
for (let size = 0; size <= raw.length; size++) roots.push(toHex(await treeRoot(raw.slice(0, size))))
const document = {
  net: NET,
  server: toHex(key.public),
  label_key: toHex(labelKey),
  labels: [{ type: 'mandate', subject: toHex(await seed('thread')), label: toHex(mandate) }],
  leaves: await Promise.all(
    leaves.map(async (leaf) => ({
      type: leaf.type,
      label: toHex(leaf.label),
      n: leaf.n,
      value: toHex(leaf.value),
      leaf: toHex(encodeLeaf(leaf)),
      hash: toHex(await leafHash(encodeLeaf(leaf))),
    })),
  ),
  roots,
  inclusion: [{ leaf: 0, size: 1, proof: [], root: roots[1] }],
  signers: [
    {
      line: await signerLine(witness),
      name: witness.name,
      public: toHex(witness.public),
      kind: witness.kind,
      id: toHex(await signerId(witness)),
    },
  ],
  stories: [
    { name: 'honest', witnesses: [], quorum: 0, steps: honest },
    { name: 'lying', witnesses: [], quorum: 0, steps: lying },
    { name: 'carried', witnesses: [], quorum: 0, steps: carried },
    { name: 'watched', witnesses: [await signerLine(witness)], quorum: 1, steps: watched },
  ],
}
const folder = join(REPOSITORY, 'tests', 'vectors', 'logs')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'typescript.json'), `${JSON.stringify(document, null, 1)}\n`)
