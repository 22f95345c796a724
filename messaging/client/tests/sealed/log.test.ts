import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSigner, signerId, signerLine, splitNote } from '../../src/sealed/checkpoint.ts'
import { type Bytes, equal, fromHex, randomBytes, toBase64, toHex } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'
import { Follower } from '../../src/sealed/follower.ts'
import { checkSent } from '../../src/sealed/gossip.ts'
import { SigningKey } from '../../src/sealed/keys.ts'
import {
  appendLeaf,
  checkInclusion,
  checkTree,
  EMPTY_TREE,
  encodeLeaf,
  leafHash,
  logLabel,
  readLeaf,
  rootOf,
} from '../../src/sealed/transparency.ts'
import type { LogState } from '../../src/sealed/wire.ts'
import { signNote } from '../log_server.ts'
import { AT, NET } from '../world.ts'

declare const REPOSITORY: string

type Step = {
  do: string
  said: string
  note: string
  leaves: string[]
  now: number
  principal: string
  n: number
  head: string
  size: number
  root: string
  hours: number
}
interface Document {
  net: string
  server: string
  label_key: string
  labels: { type: string; subject: string; label: string }[]
  leaves: { type: string; label: string; n: number; value: string; leaf: string; hash: string }[]
  roots: string[]
  inclusion: { leaf: number; size: number; proof: string[]; root: string }[]
  signers: { line: string; name: string; public: string; kind: number; id: string }[]
  stories: { name: string; witnesses: string[]; quorum: number; steps: Step[] }[]
}
type Story = Document['stories'][number]

const read = (name: string): Document =>
  JSON.parse(readFileSync(join(REPOSITORY, 'tests', 'vectors', 'logs', `${name}.json`), 'utf8')) as Document

const refuses = (rule: string, code: string) => (error: unknown) =>
  error instanceof Refused && error.rule === rule && error.code === code

async function follower(document: Document, story: Story, stored?: LogState): Promise<Follower> {
  const setup = {
    net: document.net,
    serverKey: fromHex(document.server),
    labelKey: fromHex(document.label_key),
    witnesses: await Promise.all(story.witnesses.map(readSigner)),
    quorum: story.quorum,
  }
  return Follower.open(setup, stored)
}

async function take(document: Document, client: Follower, step: Step): Promise<void> {
  const leaves = (step.leaves ?? []).map((leaf) => toBase64(fromHex(leaf)))
  if (step.do === 'follow') await client.follow(step.note, leaves, step.now)
  else if (step.do === 'refresh') await client.refresh(step.note, step.now)
  else if (step.do === 'fresh') client.checkFresh(step.now)
  else if (step.do === 'newest')
    await client.checkNewest({ principal: fromHex(step.principal), n: step.n, head: fromHex(step.head) })
  else if (step.do === 'urgent') {
    client.allowUrgent(step.hours)
    client.checkFresh(step.now, true)
  } else {
    const place = { size: step.size, root: fromHex(step.root) }
    if (step.do === 'sent')
      await checkSent({ net: document.net, serverKey: fromHex(document.server) }, step.note, place)
    else client.checkMessage(place, step.note)
  }
}

test('L5 a long way followed at once is remembered as if followed in steps', async () => {
  const key = await SigningKey.fromSeed(new Uint8Array(32).fill(5))
  const leaves: Bytes[] = []
  const label = randomBytes(32)
  for (let n = 0; n < 300; n++) leaves.push(encodeLeaf({ type: 'bundle', label, n, value: randomBytes(32) }))
  const setup = { net: NET, serverKey: key.public, labelKey: label }
  const [whole, stepwise] = [await Follower.open(setup), await Follower.open(setup)]
  const given = leaves.map(toBase64)
  const noteAt = (size: number) => signNote(leaves.slice(0, size), { net: NET, key, at: AT })
  await whole.follow(await noteAt(300), given, AT)
  for (const size of [1, 40, 299, 300])
    await stepwise.follow(await noteAt(size), given.slice(stepwise.size, size), AT)
  const [one, other] = [await whole.export(), await stepwise.export()]
  assert.deepEqual(one.roots, other.roots)
  assert.deepEqual([one.roots.length, one.roots[0]?.[0]], [256, 44])
})

for (const name of ['python', 'typescript']) {
  const document = read(name)

  test(`L2 ${name}: leaves, labels, roots and proofs`, async () => {
    const key = fromHex(document.label_key)
    for (const { type, subject, label } of document.labels)
      assert.equal(toHex(await logLabel(key, type, fromHex(subject))), label)
    let tree = EMPTY_TREE
    assert.equal(toHex(await rootOf(tree)), document.roots[0])
    for (const [index, row] of document.leaves.entries()) {
      const raw = fromHex(row.leaf)
      const leaf = readLeaf(raw)
      assert.deepEqual(
        { type: leaf.type, label: toHex(leaf.label), n: leaf.n, value: toHex(leaf.value) },
        { type: row.type, label: row.label, n: row.n, value: row.value },
      )
      assert.ok(equal(encodeLeaf(leaf), raw))
      assert.equal(toHex(await leafHash(raw)), row.hash)
      tree = await appendLeaf(tree, fromHex(row.hash))
      assert.equal(toHex(await rootOf(tree)), document.roots[index + 1])
    }
    for (const { leaf, size, proof, root } of document.inclusion) {
      const place = { index: leaf, size, root: fromHex(root) }
      const steps = proof.map(fromHex)
      const raw = fromHex(document.leaves[leaf]?.leaf ?? '')
      await checkInclusion(raw, place, steps)
      const refused = refuses('L2', 'not-in-the-log')
      await assert.rejects(checkInclusion(fromHex('00'), place, steps), refused)
      await assert.rejects(checkInclusion(raw, { ...place, index: size }, steps), refused)
      await assert.rejects(checkInclusion(raw, place, [...steps, fromHex(root)]), refused)
    }
  })

  test(`L4 ${name}: signers`, async () => {
    for (const row of document.signers) {
      const signer = await readSigner(row.line)
      assert.deepEqual([signer.name, toHex(signer.public), signer.kind], [row.name, row.public, row.kind])
      assert.deepEqual([toHex(await signerId(signer)), await signerLine(signer)], [row.id, row.line])
      await assert.rejects(readSigner(row.line.slice(0, -4)), refuses('L4', 'bad-verifier'))
      await assert.rejects(readSigner(`x${row.line}`), refuses('L4', 'bad-verifier'))
    }
  })

  for (const story of document.stories) {
    test(`L1 to L7 ${name}: ${story.name}`, async () => {
      let client = await follower(document, story)
      for (const [number, step] of story.steps.entries()) {
        let said = ''
        try {
          if (step.do === 'reload') client = await follower(document, story, await client.export())
          else await take(document, client, step)
        } catch (error) {
          if (!(error instanceof Refused)) throw error
          said = `${error.rule} ${error.code}`
        }
        assert.equal(said, step.said, `step ${number}: ${step.do}`)
      }
    })
  }
}

const python = read('python')
const honest = python.stories[0] as Story

test('L5 what is not a checkpoint of this log is refused', async () => {
  const step = honest.steps.find((each) => each.do === 'follow') as Step
  const { body } = splitNote(step.note)
  const broken = [
    '',
    body,
    step.note.replace('network.example/s1\n', 'other.example/s1\n'),
    step.note.replace(/\n3\n/, '\n4\n'),
    step.note.replace(/\n3\n/, '\n03\n'),
    step.note.replaceAll('\u2014', '-'),
    `${step.note}x`,
    step.note + '\u2014 x AAAA\n'.repeat(1_000),
  ]
  for (const note of broken) {
    const client = await follower(python, honest)
    await assert.rejects(client.follow(note, [], step.now), refuses('L5', 'bad-checkpoint'))
    assert.equal(client.size, 0)
  }
})

test('L5 another label key is refused', async () => {
  const client = await follower(python, honest)
  const stored = await client.export()
  const other = { ...python, label_key: '00'.repeat(32) }
  await assert.rejects(follower(other, honest, stored), refuses('L5', 'label-key-changed'))
})

test('L7 what is stored must hold together', async () => {
  assert.throws(() => checkTree({ size: 3, frontier: [] }), refuses('L7', 'bad-log-state'))
  const stored = await (await follower(python, honest)).export()
  const broken = { ...stored, size: 3 }
  await assert.rejects(follower(python, honest, broken), refuses('L7', 'bad-log-state'))
})

test('L4 witnesses once known stay, and the quorum never falls', async () => {
  const story = python.stories.find(({ quorum }) => quorum === 2) as Story
  const stored = await (await follower(python, story)).export()
  const again = await follower(python, { ...story, witnesses: [], quorum: 0 }, stored)
  assert.equal(again.quorum, 2)
  assert.deepEqual((await again.export()).witnesses, story.witnesses)
})

test('L2 a leaf of another form is refused', () => {
  for (const raw of ['', '80', 'ff', '00'])
    assert.throws(() => readLeaf(fromHex(raw)), refuses('L2', 'bad-leaf'))
})
