import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TermsJson } from '../src/sealed/wire.ts'
import { joiningsIn } from '../src/store/joining.ts'
import type { Reading } from '../src/store/reading.ts'
import { desk, type Tab } from './tabs.ts'
import { AT, type Party } from './world.ts'

const DAY = 86_400

/** A and B write to each other; C is known to both. */
async function three() {
  const { world, a, b, thread, tabs } = await desk()
  const c = await world.authority('p-c')
  for (const one of [a, b]) await one.mailbox.applyKeyring(world.keyring(c.device.principal, false))
  const read = async () => {
    await tabs[0].correspondence.reading(thread).load()
    for (const one of [a, b]) await world.read(one.mailbox, thread)
  }
  await tabs[0].correspondence.learnKeyring(c.device.principal)
  const newcomer = c.device.principal
  const consent = async (by: Party, role: string, history = false, terms: TermsJson | null = null) => {
    const statement = await (await by.mailbox.membership()).consent(
      thread,
      { principal: newcomer, role },
      history,
    )
    const sealed = await by.mailbox.sealStatement(thread, statement, terms)
    await world.append(thread, 'message', sealed.item, { ciphertext: sealed.ciphertext })
    await read()
    return statement
  }
  const join = async (role: string, acts: string[]) => {
    const membership = await a.mailbox.membership()
    const { entry, envelopes } = await membership.join(thread, [{ principal: newcomer, role }], { acts })
    await world.append(thread, 'entry', entry, { envelopes })
    await read()
  }
  await read()
  return { world, a, b, c, thread, tab: tabs[0], consent, join }
}

async function seen({ correspondence }: Tab, thread: string, now = AT) {
  const reading: Reading = correspondence.reading(thread)
  const found = await joiningsIn(correspondence, reading, now)
  return found.map(({ state, missing, history, reason }) => ({ state, missing, history, reason }))
}

test('T3 the first consent proposes, with its reason, and all have to follow', async () => {
  const { a, b, thread, tab, consent, join } = await three()
  const first = await consent(a, 'party', false, { blind: null, text: 'C knows the case.' })
  const waits = { state: 'waits', missing: [b.device.principal], history: false, reason: 'C knows the case.' }
  assert.deepEqual(await seen(tab, thread), [waits])
  const second = await consent(b, 'party')
  assert.deepEqual(await seen(tab, thread), [{ ...waits, state: 'ready', missing: [] }])
  await join('party', [first, second])
  assert.deepEqual(await seen(tab, thread), [{ ...waits, state: 'joined', missing: [] }])
})

test('T6 what was before is shared only where every consent says so', async () => {
  const { a, b, thread, tab, consent } = await three()
  await consent(a, 'observer', true)
  assert.equal((await seen(tab, thread))[0]?.history, true)
  await consent(b, 'observer', false)
  assert.equal((await seen(tab, thread))[0]?.history, false)
})

test('a proposal lapses with its first consent, and another one begins anew', async () => {
  const { a, b, thread, tab, consent } = await three()
  await consent(a, 'party')
  assert.deepEqual(
    (await seen(tab, thread, AT + 30 * DAY)).map(({ state }) => state),
    ['lapsed'],
  )
  await consent(b, 'observer')
  assert.deepEqual(
    (await seen(tab, thread)).map(({ state, missing }) => [state, missing.length]),
    [
      ['waits', 1],
      ['waits', 1],
    ],
  )
})

test('the consent of who is no supervisor counts for nothing', async () => {
  const { world, a, thread, tab, consent } = await three()
  const officer = await world.device(a, 'p-officer', ['officer'])
  await world.read(officer.mailbox, thread)
  await tab.correspondence.learnKeyring(a.device.principal)
  await consent(officer, 'party')
  assert.deepEqual(await seen(tab, thread), [])
})
