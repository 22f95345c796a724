import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refused } from '../src/sealed/errors.ts'
import { RecoveryKit } from '../src/sealed/keys.ts'
import { printShare, splitKit } from '../src/sealed/kit.ts'
import { twoQuestions } from '../src/views/kit.ts'
import { readKit } from '../src/views/kit_entry.ts'

const NET = 'network.example/s1'
const kit = new RecoveryKit(new Uint8Array(32).fill(0xab))

async function refuses(code: string, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof Refused && error.code === code)
}

test('a kit is read from one page, or from any two of three in any order', async () => {
  const printed = await kit.print(NET)
  const pages = (await splitKit(NET, kit)).map(printShare) as [string, string, string]
  assert.equal(await (await readKit(NET, printed.toLowerCase(), ' \n')).print(NET), printed)
  for (const [one, other] of [
    [pages[0], pages[2]],
    [pages[2], pages[1]],
  ] as const)
    assert.equal(await (await readKit(NET, one, other)).print(NET), printed)
})

test('what was typed wrong is named: one page of three, the same page twice, a wrong group', async () => {
  const printed = await kit.print(NET)
  const [one = '', two = ''] = (await splitKit(NET, kit)).map(printShare)
  await refuses('recovery-kit-in-parts', () => readKit(NET, one, ''))
  await refuses('recovery-kit-mistyped', () => readKit(NET, `${printed.slice(0, -1)}1`, ''))
  await refuses('recovery-kit-mistyped', () => readKit(NET, '', ''))
  await refuses('recovery-shares-differ', () => readKit(NET, one, one))
  await refuses('recovery-share-mistyped', () => readKit(NET, one, `${two}0`))
})

test('of three pages one group of two different pages is asked for', () => {
  const pages = [1, 2, 3].map((page) => Array.from({ length: 12 }, (_, group) => `${page}-${group}`))
  for (let i = 0; i < 50; i++) {
    const [one, other] = twoQuestions(pages, Uint32Array.of(i, i * 7, i * 13, i * 29))
    assert.ok(one && other && one.page < other.page && other.page < 3)
    assert.ok(one.group < 12 && other.group < 12)
  }
})
