import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Applied, OpenedMessage } from '../src/sealed/client.ts'
import { acknowledgementsOf, byNeed, nextLanguage, standing, summarise } from '../src/store/summary.ts'
import { applied, opened } from './opened.ts'

const message = (seq: number, changes: Partial<OpenedMessage> = {}): Applied => applied(opened(seq, changes))

const STEP = { variant: 'assistance', code: '', on: 0, consultation: null, override: null }

const opening: Applied = {
  thread: 't',
  seq: 1,
  known: false,
  at: 1,
  hash: 'h',
  type: 'entry',
  reason: 'genesis',
  n: 0,
  by: 'own',
  came: [],
  gone: [],
  raised: [],
  sharesHistory: false,
}

test('the side that did not write last owes the next word', () => {
  assert.equal(summarise([opening], 0).turn, 'nobody')
  assert.equal(summarise([opening, message(2, { isOwn: true })], 0).turn, 'them')
  assert.equal(summarise([opening, message(2, { isOwn: true }), message(3)], 0).turn, 'us')
})

test('an acknowledgement is not an answer', () => {
  const acknowledgement = message(3, {
    kind: 'acknowledgement',
    isOwn: true,
    body: { type: 'acknowledgement', of: 'id-2', seq: 2 },
  })
  assert.equal(summarise([opening, message(2), acknowledgement], 3).turn, 'us')
})

test('only what the other side wrote after the last opening is unread', () => {
  const applied = [opening, message(2), message(3, { isOwn: true }), message(4)]
  assert.equal(summarise(applied, 2).unread, 1)
  assert.equal(summarise(applied, 4).unread, 0)
})

test('each side says its own reference; the other one does not rename it', () => {
  const theirs = message(2, { ownReference: 'B/7', foreignReference: 'not ours', subject: 'Bank records' })
  const summary = summarise([opening, theirs], 0)
  assert.deepEqual([summary.ownReference, summary.foreignReference], [null, 'B/7'])
  assert.equal(summary.subject, 'Bank records')
  const ours = message(3, { isOwn: true, ownReference: 'A/1', foreignReference: 'mistyped' })
  const later = summarise([opening, theirs, ours, message(4, { foreignReference: 'again' })], 0)
  assert.deepEqual([later.ownReference, later.foreignReference], ['A/1', 'B/7'])
  assert.equal(summarise([opening, ours], 0).foreignReference, 'mistyped')
})

test('stored, delivered, opened and acknowledged are different facts', () => {
  const own = message(2, { isOwn: true })
  assert.ok(own.type === 'message')
  const none = new Map()
  assert.equal(standing(own.message, none, { deliveredSeq: 1, opened: null }).state, 'stored')
  assert.equal(standing(own.message, none, { deliveredSeq: 2, opened: { seq: 1, at: 9 } }).state, 'delivered')
  assert.equal(standing(own.message, none, { deliveredSeq: 2, opened: { seq: 2, at: 9 } }).state, 'opened')
  const acknowledgement = message(3, {
    kind: 'acknowledgement',
    body: { type: 'acknowledgement', of: 'id-2', seq: 2 },
  })
  const found = acknowledgementsOf([opening, own, acknowledgement])
  assert.equal(standing(own.message, found, { deliveredSeq: 0, opened: null }).state, 'acknowledged')
})

test('nobody acknowledges a message of the own authority', () => {
  const own = message(2, { isOwn: true })
  const acknowledgement = message(3, {
    kind: 'acknowledgement',
    isOwn: true,
    body: { type: 'acknowledgement', of: 'id-2', seq: 2 },
  })
  assert.equal(acknowledgementsOf([opening, own, acknowledgement]).size, 0)
})

test('what is wanted urgently or by a date is so until it is answered', () => {
  const asked = [
    opening,
    message(2, { urgency: 2, due: 900 }),
    message(3, { due: 800 }),
    message(4, { urgency: 1 }),
  ]
  const open = summarise(asked, 0)
  assert.deepEqual([open.turn, open.urgency, open.due], ['us', 2, 800])
  const answered = summarise([...asked, message(5, { isOwn: true, due: 950 })], 0)
  assert.deepEqual([answered.turn, answered.urgency, answered.due], ['them', 0, 950])
  const acknowledged = summarise([...asked, message(5, { kind: 'acknowledgement', isOwn: true })], 0)
  assert.equal(acknowledged.urgency, 2)
})

test('a step passes the turn, keeps it or ends it, as the table says', () => {
  const step = (seq: number, code: string, isOwn: boolean, changes: Partial<OpenedMessage> = {}) =>
    message(seq, { kind: 'stage', step: { ...STEP, code }, isOwn, ...changes })
  const asked = [opening, step(2, 'sent-urgently', false, { urgency: 1, due: 900 })]
  const seen = (...more: Applied[]) => {
    const { turn, urgency, due, stage } = summarise([...asked, ...more], 0)
    return [turn, urgency, due, stage]
  }
  assert.deepEqual(seen(), ['us', 1, 900, 'sent-urgently'])
  assert.deepEqual(seen(step(3, 'acknowledged', true)), ['us', 1, 900, 'acknowledged'])
  assert.deepEqual(seen(step(3, 'more-asked', true, { due: 950 })), ['them', 0, 950, 'more-asked'])
  assert.deepEqual(seen(step(3, 'withdrawn', false)), ['nobody', 0, null, 'withdrawn'])
  assert.deepEqual(seen(step(3, 'withdrawn', false), message(4)), ['us', 0, null, 'withdrawn'])
})

test('threads that urgently wait for us come first, then the newest', () => {
  const of = (urgency: 0 | 1 | 2, isOwn: boolean, changedAt: number) => ({
    summary: summarise([opening, message(2, { isOwn, urgency })], 0),
    changedAt,
  })
  const rows = [of(0, false, 5), of(2, true, 9), of(1, false, 1), of(2, false, 2), of(0, false, 7)]
  const unopened = { summary: null, changedAt: 8 }
  const order = [...rows, unopened].sort(byNeed).map(({ changedAt }) => changedAt)
  assert.deepEqual(order, [2, 1, 9, 8, 7, 5])
})

test('the next note is in the language one wrote last here, at first in that of what is answered', () => {
  const french = message(2, { language: 'fr' })
  assert.equal(nextLanguage([opening]), null)
  assert.equal(nextLanguage([opening, french]), 'fr')
  assert.equal(nextLanguage([opening, french, message(3, { isOwn: true, language: 'es' }), message(4)]), 'es')
  const unread = message(3, { isOwn: true, language: '', failed: 'wrong-key' as OpenedMessage['failed'] })
  assert.equal(nextLanguage([opening, french, unread]), 'fr')
})
