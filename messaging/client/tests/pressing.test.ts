import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenedMessage } from '../src/sealed/client.ts'
import { lapsesOf, standingOf } from '../src/store/lapses.ts'
import { silentSince } from '../src/store/silence.ts'
import { acknowledgementsOf, takesAcknowledgement } from '../src/store/summary.ts'
import { ago, dateTimeIn } from '../src/views/format.ts'
import { applied, opened, step } from './opened.ts'

const DAY = 86_400
const NOW = 1_800_000_000

const ends = (...messages: OpenedMessage[]) => lapsesOf(messages).map(({ what, at }) => [what, at])

test('an urgent request is owed in writing until it is confirmed or that is waived', () => {
  const asked = step(2, 'sent-urgently', { confirmation_due: NOW })
  assert.deepEqual(ends(asked), [['confirmation', NOW]])
  assert.deepEqual(ends(asked, step(3, 'refused'), step(4, 'withdrawn')), [['confirmation', NOW]])
  assert.deepEqual(ends(asked, step(3, 'confirmed')), [])
  assert.deepEqual(ends(asked, step(3, 'confirmation-waived')), [])
  assert.deepEqual(ends(step(2, 'sent', { confirmation_due: NOW })), [])
})

test('a freezing runs until the newest date said, or until something else became of the assets', () => {
  const frozen = step(2, 'frozen', { until: NOW })
  assert.deepEqual(ends(frozen), [['freezing', NOW]])
  assert.deepEqual(ends(frozen, step(3, 'freezing-ending', { ending: NOW - DAY })), [['freezing', NOW - DAY]])
  assert.deepEqual(ends(frozen, step(3, 'frozen', { until: NOW + DAY })), [['freezing', NOW + DAY]])
  assert.deepEqual(ends(frozen, step(3, 'in-execution')), [['freezing', NOW]])
  assert.deepEqual(ends(frozen, step(3, 'confiscated')), [])
})

test('data are preserved until the date said, or until the request for them has come', () => {
  const preserved = step(2, 'preserved', { until: NOW })
  assert.deepEqual(ends(preserved), [['preservation', NOW]])
  for (const code of ['request-followed', 'lapsed', 'withdrawn'])
    assert.deepEqual(ends(preserved, step(3, code)), [])
})

test('what a step could not say, or says wrongly, ends nothing', () => {
  assert.deepEqual(ends(step(2, 'frozen')), [])
  assert.deepEqual(ends(step(2, 'frozen', { until: 'soon' })), [])
  assert.deepEqual(ends(step(2, 'frozen', {}, { body: null, failed: 'cannot-open' })), [])
})

test('a lapse is warned of in time: freezing a day before, preservation three days, confirmation a day', () => {
  const found = (what: 'confirmation' | 'freezing' | 'preservation', days: number) =>
    standingOf({ what, at: NOW + days * DAY }, NOW)
  assert.deepEqual(
    [4, 3, 1.1, 1, 0].map((days) => found('freezing', days)),
    ['later', 'said', 'said', 'warned', 'over'],
  )
  assert.deepEqual(
    [15, 14, 3.1, 3, -1].map((days) => found('preservation', days)),
    ['later', 'said', 'said', 'warned', 'over'],
  )
  assert.deepEqual(
    [90, 2, 1, -1].map((days) => found('confirmation', days)),
    ['said', 'said', 'warned', 'over'],
  )
})

const authority = { id: 'a', name: 'A', state: 'QAA', state_name: 'State A' }
const member = (principal: string, role = 'party') => ({ principal, role, authority, handler: null })
const MEMBERS = [member('own'), member('other')]

test('silent is who was asked and has said nothing since', () => {
  const asked = opened(2, { isOwn: true, urgency: 1 })
  const acknowledged = opened(4, {
    kind: 'acknowledgement',
    body: { type: 'acknowledgement', of: 'id-2', seq: 2 },
  })
  assert.deepEqual(silentSince(asked, [asked], MEMBERS), ['other'])
  assert.deepEqual(silentSince(asked, [asked, opened(3, { isOwn: true })], MEMBERS), ['other'])
  assert.deepEqual(silentSince(asked, [asked, opened(3, { kind: 'statement' })], MEMBERS), ['other'])
  assert.deepEqual(silentSince(asked, [opened(1), asked], MEMBERS), ['other'])
  for (const word of [opened(3), acknowledged, step(3, 'acknowledged')])
    assert.deepEqual(silentSince(asked, [asked, word], MEMBERS), [])
  assert.deepEqual(silentSince(asked, [asked, step(3, 'withdrawn', {}, { isOwn: true })], MEMBERS), [])
})

test('each authority that was asked answers for itself, and who only reads along is not asked', () => {
  const asked = opened(2, { isOwn: true, urgency: 2 })
  const members = [...MEMBERS, member('third'), member('observing', 'observer')]
  assert.deepEqual(silentSince(asked, [asked, opened(3)], members), ['third'])
})

test('a step that asks urgently is acknowledged by name, as a note is', () => {
  const freezing = step(2, 'freezing-asked', {}, { urgency: 2, isOwn: true })
  const by = opened(3, { kind: 'acknowledgement', body: { type: 'acknowledgement', of: 'id-2', seq: 2 } })
  assert.equal(takesAcknowledgement(freezing), true)
  assert.equal(takesAcknowledgement(step(2, 'accepted')), false)
  assert.equal(takesAcknowledgement(by), false)
  assert.equal(acknowledgementsOf([freezing, by].map(applied)).get('id-2'), by)
})

test('how long ago, and what the clock shows elsewhere', () => {
  const page = globalThis as { document?: unknown }
  page.document = { documentElement: { lang: 'en' } }
  assert.equal(ago(NOW - 17 * 60, NOW), '17 minutes ago')
  assert.equal(ago(NOW - 3 * 3600, NOW), '3 hours ago')
  assert.equal(ago(NOW + 5, NOW), 'this minute') // a clock that is a little behind
  assert.match(dateTimeIn('Asia/Kathmandu', NOW), /13:45/)
  assert.equal(dateTimeIn('Nowhere/City', NOW), '')
})
