import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handBackKeyring } from '../src/store/handing_back.ts'
import { Failure } from '../src/transport/failure.ts'
import { desk } from './tabs.ts'

/** What a tab sends after a restore, when the server has this many entries of the own keyring. */
async function returned(has: number): Promise<{ path: string; body: Sent }[]> {
  const { a, world, tabs } = await desk()
  await world.device(a, 'p-a2', ['officer'])
  const { correspondence, line } = tabs[0]
  await correspondence.learnKeyring(a.device.principal)
  const whole = world.keyring(a.device.principal)
  const sent: { path: string; body: Sent }[] = []
  const get = async (path: string) => {
    if (has === 0) throw new Failure('not-found', '', 404)
    const from = Number(path.split('from=')[1])
    return { ...whole, entries: whole.entries.slice(0, has).slice(from) }
  }
  const post = async (path: string, body: unknown) => void sent.push({ path, body: body as Sent })
  Object.assign(line, { get, post })
  await handBackKeyring(correspondence)
  return sent
}

interface Sent {
  entries: { entry: string; envelopes: string }[]
  statements: string[]
}

test('L8 what the server lost of the own keyring goes back with its envelopes and statements', async () => {
  const [sent, ...others] = await returned(1)
  assert.equal(others.length, 0)
  assert.match(sent?.path ?? '', /^keyrings\/[0-9a-f]{64}\/returned$/)
  assert.equal(sent?.body.entries.length, 2)
  assert.ok(sent?.body.entries.every(({ envelopes }) => envelopes.length > 0))
  assert.equal(sent?.body.statements.length, 2)
})

test('L8 nothing goes back of a keyring that is whole, or that the server does not know at all', async () => {
  assert.deepEqual(await returned(2), [])
  assert.deepEqual(await returned(0), [])
})
