import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Applied, MemberView, OpenedMessage } from '../src/sealed/client.ts'
import { momentsIn } from '../src/store/moments.ts'
import { timeLeft } from '../src/views/moment.ts'
import { clockOf, knownZone, momentOf } from '../src/views/zones.ts'

const AT = 1_800_000_000
const LATER = AT + 3_600
const PARTIES = ['a', 'b']

function named(seq: number, principal: string, moment: number | null): Applied {
  const body = { type: 'note', text: `Said by ${principal}`, reason: null, files: [], moment } as const
  const message = { seq, principal, body, language: 'en' } as unknown as OpenedMessage
  return { thread: 't', seq, known: false, at: seq, hash: 'h', type: 'message', message }
}

function coming(seq: number, came: MemberView[], sharesHistory: boolean): Applied {
  const change = { reason: 'join', n: 1, by: 'a', came, gone: [], raised: [], sharesHistory }
  return { thread: 't', seq, known: false, at: seq, hash: 'h', type: 'entry', ...change }
}

const rows = (applied: readonly Applied[], parties = PARTIES) =>
  momentsIn(applied, parties).map(({ at, state, missing, by }) => [at, state, missing.join(), by])

test('a moment is agreed when every party stands by it', () => {
  assert.deepEqual(rows([named(2, 'a', AT)]), [[AT, 'waits', 'b', 'a']])
  assert.deepEqual(rows([named(2, 'a', AT), named(3, 'b', null)]), [[AT, 'waits', 'b', 'a']])
  assert.deepEqual(rows([named(2, 'a', AT), named(3, 'b', AT)]), [[AT, 'agreed', '', 'a']])
})

test('a party stands by the moment that it named last', () => {
  const applied = [named(2, 'a', AT), named(3, 'b', AT), named(4, 'a', LATER)]
  assert.deepEqual(rows(applied), [
    [LATER, 'waits', 'b', 'a'],
    [AT, 'waits', 'a', 'a'],
  ])
  assert.deepEqual(rows([...applied, named(5, 'b', LATER)]), [
    [LATER, 'agreed', '', 'a'],
    [AT, 'left', 'a,b', 'a'],
  ])
})

test('who reads along or writes under a mandate agrees to nothing', () => {
  assert.deepEqual(rows([named(2, 'practitioner', AT)]), [])
})

test('what was named before a party came that cannot read it counts no more', () => {
  const before = [named(2, 'a', AT), named(3, 'b', AT)]
  const party = { principal: 'c', role: 'party', keyringN: 0 }
  const three = [...PARTIES, 'c']
  assert.deepEqual(rows([...before, coming(4, [party], false)], three), [[AT, 'left', 'a,b,c', 'a']])
  assert.deepEqual(rows([...before, coming(4, [party], true)], three), [[AT, 'waits', 'c', 'a']])
  const observer = { ...party, role: 'observer' }
  assert.deepEqual(rows([...before, coming(4, [observer], false)]), [[AT, 'agreed', '', 'a']])
})

test('a clock of another zone says which moment is meant', () => {
  const summer = Date.UTC(2026, 6, 1, 4, 0) / 1000
  assert.equal(momentOf('2026-07-01T06:00', 'Europe/Paris'), summer)
  assert.equal(momentOf('2026-07-01T04:00', 'UTC'), summer)
  assert.equal(clockOf(summer, 'Asia/Kathmandu'), '2026-07-01T09:45')
  for (const zone of ['America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland'])
    assert.equal(momentOf(clockOf(summer, zone), zone), summer)
})

test('an hour that clocks leave out is none, and of two that they show the first is meant', () => {
  assert.equal(momentOf('2026-03-29T02:30', 'Europe/Paris'), null)
  assert.equal(momentOf('2026-10-25T02:30', 'Europe/Paris'), Date.UTC(2026, 9, 25, 0, 30) / 1000)
  assert.equal(momentOf('', 'UTC'), null)
})

test('a zone that nobody knows is UTC', () => {
  assert.deepEqual(
    [knownZone('Mars/Olympus'), knownZone(null), knownZone('Africa/Nairobi')],
    ['UTC', 'UTC', 'Africa/Nairobi'],
  )
})

test('what is left is said in minutes, and in the last one in seconds where nothing has to stand still', () => {
  Object.defineProperty(globalThis, 'document', {
    value: { documentElement: { lang: 'en' } },
    configurable: true,
  })
  assert.equal(timeLeft(2 * 86_400 + 3 * 3_600 + 5 * 60, false), '2 days, 3 hours, 5 minutes')
  assert.equal(timeLeft(3_541, false), '1 hour')
  assert.deepEqual([timeLeft(59, false), timeLeft(59, true)], ['59 seconds', '1 minute'])
})
