// Writes tests/vectors/cards/typescript.json for the Python implementation to open: `node tests/run.mjs cards`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CardText, cardSecret, placeOf, sealCard } from '../src/sealed/card.ts'
import { encode, sha256, toHex } from '../src/sealed/encoding.ts'

declare const REPOSITORY: string
const NET = 'network.example/s1'
const seed = (name: string) => sha256(encode(['typescript cards', name]))
const [principal, thread, secret] = await Promise.all(['principal', 'thread', 'secret'].map(seed))
if (!principal || !thread || !secret) throw new Error('no seeds')

const EMPTY: CardText = {
  subject: null,
  ownReference: null,
  foreignReference: null,
  marks: [],
  stage: null,
  turn: 'nobody',
  urgency: 0,
  due: null,
  came: [],
}
const TEXTS: CardText[] = [
  EMPTY,
  {
    ...EMPTY,
    subject: 'Bank records',
    ownReference: 'A-2',
    turn: 'us',
    urgency: 2,
    due: 1_800_000_000,
    came: [3],
  },
  {
    ...EMPTY,
    subject: 'Запрос о розыске',
    foreignReference: 'Б-7',
    turn: 'them',
    stage: 'asked',
    marks: ['one'],
  },
  { ...EMPTY, subject: '题'.repeat(200), ownReference: '参'.repeat(100) },
]

const place = placeOf(NET, toHex(principal), toHex(thread))
const cards = await Promise.all(
  TEXTS.map(async (text, m) => {
    const at = { seq: m + 1, hash: await seed(`end ${m}`) }
    return { card: (await sealCard(place, text, { m, secret: await cardSecret(secret), at })).card, text }
  }),
)
const file = join(REPOSITORY, 'tests', 'vectors', 'cards', 'typescript.json')
const facts = { net: NET, principal: toHex(principal), thread: toHex(thread), secret: toHex(secret) }
writeFileSync(file, `${JSON.stringify({ ...facts, cards }, null, 1)}\n`)
