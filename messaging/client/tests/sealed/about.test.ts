import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Applied, OpenedMessage } from '../../src/sealed/client.ts'
import { commentsOn, versionsIn } from '../../src/store/draft_versions.ts'
import { asksIn } from '../../src/store/formal_asks.ts'
import { opened } from '../opened.ts'
import { refuses, World } from '../world.ts'

const EMPTY = opened(0, { id: '', body: null })

const messageOf = (applied: Applied): OpenedMessage => {
  assert.equal(applied.type, 'message')
  return (applied as Extract<Applied, { type: 'message' }>).message
}

test('M5 a note says what it is about, a part that messages have', async () => {
  const world = await World.create()
  const [a, b] = [await world.authority('p-a'), await world.authority('p-b')]
  const thread = await world.openThread(a, b)
  await world.read(b.mailbox, thread)
  const [, first] = world.threads.get(thread) ?? []
  assert.ok(first)
  const { id, seq } = messageOf(await b.mailbox.applyItem(first))
  const about = { of: id, seq, part: 'summary' }
  const { item, ciphertext } = await b.mailbox.sealNote(thread, { text: 'Which day?', language: 'en', about })
  await world.append(thread, 'message', item, { ciphertext })
  const [, , last] = world.threads.get(thread) ?? []
  assert.ok(last)
  const body = messageOf(await a.mailbox.applyItem(last)).body
  assert.deepEqual(body, { type: 'note', text: 'Which day?', reason: null, files: [], about, moment: null })
  await world.read(b.mailbox, thread)
  const unknown = { text: 'x', language: 'en', about: { ...about, part: 'title' } }
  await refuses('M5', 'wrong-body', () => b.mailbox.sealNote(thread, unknown))
})

test('versions of a draft are those of its steps, and comments those of the parts of one of them', () => {
  const message = (seq: number, changes: Partial<OpenedMessage>): Applied => ({
    thread: 't',
    seq,
    known: false,
    at: seq,
    hash: 'h',
    type: 'message',
    message: { ...EMPTY, id: `id-${seq}`, seq, ...changes },
  })
  const step = { variant: 'assistance', code: 'draft-shared', on: 0, consultation: null, override: null }
  const draft = (summary: string) => ({ type: 'stage', facts: { version: '1', summary } }) as const
  const noteOn = (of: string, seq: number, part: string) =>
    ({
      type: 'note',
      text: 'Which day?',
      reason: null,
      files: [],
      about: { of, seq, part },
      moment: null,
    }) as const
  const applied = [
    message(2, { kind: 'stage', step, body: draft('On 5 May.') }),
    message(3, { body: noteOn('id-2', 2, 'summary') }),
    message(4, { body: noteOn('id-2', 7, 'summary') }), // nothing stands at that place
    message(5, { body: noteOn('id-3', 3, 'formally') }),
    message(6, { kind: 'stage', step, body: null, failed: 'wrong-facts' }),
  ]
  const versions = versionsIn(applied)
  assert.deepEqual(
    versions.map(({ facts }) => facts.summary),
    ['On 5 May.', undefined],
  )
  const comments = commentsOn(versions, applied).map(({ message: { seq }, part }) => [seq, part])
  assert.deepEqual(comments, [[3, 'summary']])
  assert.deepEqual(
    asksIn(applied).map(({ of, by }) => [of.seq, by.seq]),
    [[3, 5]],
  )
})
