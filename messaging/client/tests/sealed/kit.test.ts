import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex, randomBytes } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'
import { RecoveryKit } from '../../src/sealed/keys.ts'
import { joinShares, type KitShare, parseShare, printShare, splitKit } from '../../src/sealed/kit.ts'

declare const REPOSITORY: string
const NET = 'network.example/s1'
const folder = join(REPOSITORY, 'tests', 'vectors', 'kits')
const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
  [2, 0],
] as const

interface Row {
  secret: string
  slopes: string
  printed: string
  shares: string[]
}

async function refuses(code: string, work: () => unknown): Promise<void> {
  await assert.rejects(
    async () => work(),
    (error) => error instanceof Refused && error.rule === 'E6' && error.code === code,
  )
}

const files = readdirSync(folder)
test('there are kits of the Python implementation', () => assert.ok(files.includes('python.json')))

for (const name of files) {
  test(`E6 ${name}: the same shares are made, and any two make the kit`, async () => {
    const { net, kits } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { net: string; kits: Row[] }
    assert.ok(kits.length > 0)
    for (const row of kits) {
      const kit = new RecoveryKit(fromHex(row.secret))
      const made = await splitKit(net, kit, fromHex(row.slopes))
      assert.deepEqual(made.map(printShare), row.shares)
      const shares = row.shares.map((share) => parseShare(share.toLowerCase().replaceAll(' ', '-')))
      for (const [one, other] of PAIRS) {
        const joined = await joinShares(net, shares[one] as KitShare, shares[other] as KitShare)
        assert.equal(await joined.print(net), row.printed)
      }
    }
  })
}

test('E6 shares of two kits, one share twice, and a mistyped share are refused', async () => {
  const [one, two, three] = (await splitKit(NET, RecoveryKit.create())) as [KitShare, KitShare, KitShare]
  const [stranger] = (await splitKit(NET, RecoveryKit.create())) as [KitShare]
  await refuses('recovery-shares-differ', () => joinShares(NET, one, one))
  await refuses('recovery-shares-differ', () => joinShares(NET, two, stranger))
  const values = Uint8Array.from(three.values)
  values[7] = (values[7] ?? 0) ^ 1
  await refuses('recovery-share-mistyped', () => joinShares(NET, one, { ...three, values }))
  await refuses('recovery-share-mistyped', () => joinShares('another network', one, three))
  const printed = printShare(one)
  for (const text of [
    '',
    printed.slice(1),
    `${printed}0`,
    `4${printed.slice(1)}`,
    `${printed.slice(0, -1)}1`,
  ])
    await refuses('recovery-share-mistyped', () => parseShare(text))
})

test('E6 one share alone may belong to any kit', async () => {
  // For every kit there is a line through the share: here the first share of one kit is made a share of another.
  const [one] = (await splitKit(NET, new RecoveryKit(randomBytes(32)))) as [KitShare]
  const secret = randomBytes(32)
  const slopes = secret.map((byte, place) => byte ^ (one.values[place] ?? 0))
  const [same] = (await splitKit(NET, new RecoveryKit(secret), slopes)) as [KitShare]
  assert.deepEqual(same.values, one.values)
})
