import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTurn } from '../src/views/in_turn.ts'

const later = () => new Promise<void>((resolve) => setTimeout(resolve, 5))

test('what is asked for while it runs is one more run after it', async () => {
  let value = 'old'
  let runs = 0
  const shown: string[] = []
  const show = inTurn(async () => {
    runs += 1
    const read = value
    // The first reading takes longer than what comes after it.
    await (runs === 1 ? later() : Promise.resolve())
    shown.push(read)
  })
  const first = show()
  value = 'new'
  await Promise.all([first, show(), show()])
  assert.deepEqual(shown, ['old', 'new'])
})

test('a run that failed does not stop the next', async () => {
  let runs = 0
  const work = inTurn(async () => {
    runs += 1
    await later()
    if (runs === 1) throw new Error('no line')
  })
  await assert.rejects(work(), /no line/)
  await work()
  assert.equal(runs, 2)
})
