import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../src/store/store.ts'
import { Texts } from '../src/store/texts.ts'
import { folded } from '../src/views/format.ts'
import { TextSearch } from '../src/views/text_search.ts'
import { Facts } from './facts.ts'

const THREAD = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)
const TEXTS = [
  { thread: THREAD, seq: 2, text: 'Good morning.\nThe account ends with 0000.' },
  { thread: THREAD, seq: 9, text: 'The account has been emptied.' },
  { thread: OTHER, seq: 3, text: 'Écoutes téléphoniques' },
]

const searchOf = async (facts: Facts): Promise<TextSearch> => {
  const search = new TextSearch(new Texts(facts as unknown as Store))
  await search.load()
  return search
}
const words = (said: string) => folded(said).split(' ')

async function kept(): Promise<Facts> {
  const facts = new Facts()
  // In two tabs at once: neither writes over what the other keeps.
  const tabs = [new Texts(facts as unknown as Store), new Texts(facts as unknown as Store)]
  await Promise.all(TEXTS.map((text, place) => tabs[place % 2]?.keep(text)))
  return facts
}

test('the newest message of a thread that has all words is found, with the line of the first', async () => {
  const search = await searchOf(await kept())
  assert.deepEqual(
    search.find(words('ACCOUNT')),
    new Map([[THREAD, { seq: 9, line: 'The account has been emptied.' }]]),
  )
  assert.deepEqual(
    search.find(words('0000 morning')),
    new Map([[THREAD, { seq: 2, line: 'The account ends with 0000.' }]]),
  )
  assert.deepEqual([...search.find(words('ecoutes')).keys()], [OTHER])
  assert.equal(search.find(words('account nowhere')).size, 0)
})

test('texts are kept sealed, and one at the place of another is not read', async () => {
  const facts = await kept()
  const written = [...facts.kept.values()].flatMap((fact) => Object.values(fact as object))
  const texts = written.map((part) => new TextDecoder('latin1').decode(part))
  assert.ok(texts.every((text) => !text.includes('account')))
  facts.kept.set(`text:${OTHER}:3`, facts.kept.get(`text:${THREAD}:2`))
  const search = await searchOf(facts)
  assert.deepEqual([...search.find(words('0000')).keys()], [THREAD])
})
