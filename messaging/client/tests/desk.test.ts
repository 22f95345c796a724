import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Summary } from '../src/store/summary.ts'
import { askedAuthority } from '../src/views/authority_chooser.ts'
import { dashed, dayNumber, daysLeft, dueOf, fieldOf } from '../src/views/format.ts'
import { type Facts, FILTERS, isKept, matches } from '../src/views/thread_filters.ts'

const summary: Summary = {
  subject: 'Subject',
  ownReference: null,
  foreignReference: null,
  turn: 'us',
  urgency: 0,
  due: null,
  openFrom: 2,
  unread: 0,
  stage: null,
}

const fitting = (facts: Facts): string[] => FILTERS.filter((name) => matches(name, facts))

test('each filter shows what its words say, and a stopped thread waits for nobody', () => {
  const facts = { summary, isStopped: false, isMine: false }
  assert.deepEqual(fitting(facts), ['all', 'answer'])
  assert.deepEqual(fitting({ ...facts, summary: { ...summary, turn: 'them', urgency: 1 } }), [
    'all',
    'waiting',
    'urgent',
  ])
  assert.deepEqual(fitting({ ...facts, summary: { ...summary, unread: 2 }, isStopped: true }), [
    'all',
    'unread',
  ])
  assert.deepEqual(fitting({ summary: null, isStopped: false, isMine: true }), ['all', 'mine'])
})

test('a page of closed cases has those that are kept in its way, and other pages all threads', () => {
  const kept = { closed_at: 1, until: '2036-11-24', is_over: false, is_held: false }
  const pages = (facts: Parameters<typeof isKept>[1]) =>
    ['', 'closed', 'held', 'over'].filter((page) => isKept(page, facts))
  assert.deepEqual(pages(null), [''])
  assert.deepEqual(pages(undefined), [''])
  assert.deepEqual(pages(kept), ['', 'closed'])
  assert.deepEqual(pages({ ...kept, is_over: true }), ['', 'closed', 'over'])
  assert.deepEqual(pages({ ...kept, closed_at: null, until: null, is_held: true }), ['', 'held'])
})

test('a date wanted is one day of the calendar, whoever reads it', () => {
  const due = dueOf('2026-11-24') as number
  assert.equal(new Date(due * 1000).toISOString(), '2026-11-24T23:59:59.000Z')
  assert.equal(fieldOf(due), '2026-11-24')
  const noon = new Date(2026, 10, 22, 12).getTime() / 1000
  assert.equal(daysLeft(due, noon), 2)
  assert.equal(daysLeft(due, noon + 3 * 86_400), -1)
  assert.equal(dayNumber(noon + 86_400) - dayNumber(noon), 1)
  for (const field of ['', '2026-13-40', 'tomorrow', '1969-12-31']) assert.equal(dueOf(field), null)
  assert.equal(fieldOf(2 ** 53 - 1), '')
})

test('the address names an authority with or without dashes', () => {
  const id = '0123456789abcdef0123456789abcdef'
  assert.equal(askedAuthority(`?authority=${dashed(id).toUpperCase()}`), id)
  assert.equal(askedAuthority(`?authority=${id}`), id)
  assert.equal(askedAuthority('?other=1'), null)
})
