import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CardText, cardSecret, openCard, placeOf, readCard, sealCard } from '../../src/sealed/card.ts'
import { encode, fromHex, toBase64, ZERO } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'

declare const REPOSITORY: string
const folder = join(REPOSITORY, 'tests', 'vectors', 'cards')

interface Vectors {
  net: string
  principal: string
  thread: string
  secret: string
  cards: { card: string; text: CardText }[]
}

const read = (name: string): Vectors => JSON.parse(readFileSync(join(folder, name), 'utf8'))
const refusal = (code: string) => (error: unknown) => error instanceof Refused && error.code === code
/** What was too long ends with an ellipsis. */
const isCutOf = (kept: string | null, said: string | null): boolean =>
  kept === said ||
  (kept !== null && said !== null && kept.endsWith('…') && said.startsWith(kept.slice(0, -1)))

const files = readdirSync(folder)
test('there are cards of both implementations', () => assert.equal(files.length, 2))

for (const name of files) {
  test(`E8 ${name}: cards say what was put into them, in their place only`, async () => {
    const { net, principal, thread, secret, cards } = read(name)
    const key = await cardSecret(fromHex(secret))
    assert.ok(cards.length > 0)
    for (const row of cards) {
      const card = readCard(row.card)
      const said = await openCard(placeOf(net, principal, thread), card, key)
      const { subject, ownReference, foreignReference, ...facts } = row.text
      assert.ok(isCutOf(said.subject, subject))
      assert.ok(isCutOf(said.ownReference, ownReference))
      assert.ok(isCutOf(said.foreignReference, foreignReference))
      assert.deepEqual(
        { ...said, subject, ownReference, foreignReference },
        { ...facts, subject, ownReference, foreignReference },
      )
      const moved = [
        openCard(placeOf(net, thread, thread), card, key),
        openCard(placeOf(net, principal, principal), card, key),
        openCard(placeOf(net, principal, thread), { ...card, seq: card.seq + 1 }, key),
        openCard(placeOf(net, principal, thread), { ...card, m: card.m + 1 }, key),
        openCard(placeOf(net, principal, thread), { ...card, transcript: ZERO }, key),
        openCard(placeOf(net, principal, thread), card, await cardSecret(ZERO)),
      ]
      await Promise.all(moved.map((opening) => assert.rejects(opening, refusal('cannot-open'))))
    }
  })
}

test('E2 a card has five parts of their sizes, and its text nine', async () => {
  const { net, principal, thread, secret, cards } = read('typescript.json')
  const place = placeOf(net, principal, thread)
  const key = await cardSecret(fromHex(secret))
  const { m, seq, id, transcript, box } = readCard(cards[0]?.card ?? '')
  for (const parts of [
    [m, seq, id, transcript],
    [m, seq, id, id, box],
    ['', seq, id, transcript, box],
  ])
    assert.throws(() => readCard(toBase64(encode(parts))), refusal('bad-statement'))
  const text = cards[0]?.text as CardText
  const bad: Partial<Record<keyof CardText, unknown>>[] = [
    { turn: 'everybody' },
    { urgency: 3 },
    { due: 0 },
    { subject: 7 },
    { came: ['x'] },
    { marks: 'x' },
  ]
  for (const change of bad) {
    const at = { seq: 1, hash: ZERO }
    const made = sealCard(place, { ...text, ...change } as CardText, { m: 0, secret: key, at })
    await assert.rejects(made.then(({ card }) => openCard(place, readCard(card), key)))
  }
})
