import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../src/store/store.ts'
import { Subjects } from '../src/store/subjects.ts'
import { Facts } from './facts.ts'

const THREAD = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)
const tab = (facts: Facts): Subjects => new Subjects(facts as unknown as Store)

test('a subject is kept sealed, and read in every tab of the profile', async () => {
  const facts = new Facts()
  await Promise.all([tab(facts).keep(THREAD, 'Bank records'), tab(facts).keep(OTHER, '')])
  assert.equal(await tab(facts).get(THREAD), 'Bank records')
  assert.equal(await tab(facts).get(OTHER), '')
  const written = [...facts.kept.values()].flatMap((fact) => Object.values(fact as object))
  const texts = written.map((part) => new TextDecoder('latin1').decode(part))
  assert.ok(texts.every((text) => !text.includes('Bank')))
  const key = facts.kept.get('subjects-key') as CryptoKey
  assert.equal(key.extractable, false)
})

test('what was never opened here, or stands at the place of another thread, names nothing', async () => {
  const facts = new Facts()
  assert.equal(await tab(facts).get(THREAD), null)
  await tab(facts).keep(THREAD, 'Bank records')
  facts.kept.set(`subject:${OTHER}`, facts.kept.get(`subject:${THREAD}`))
  assert.equal(await tab(facts).get(OTHER), null)
})
