import {
  type Bytes,
  context,
  decode,
  encode,
  fromBase64,
  fromHex,
  randomBytes,
  toBase64,
  toHex,
  type Value,
  ZERO,
} from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { URGENCIES, type Urgency } from './message.ts'
import { asBytes, asList, asText } from './statement.ts'

// Cards: what a list shows of a thread, sealed by the own devices under the own mailbox secret. A card is a hint and
// nothing is decided from it: whoever knows the secret of its generation could have written it.

const TEXT_SIZE = 512
const BOX_SIZE = TEXT_SIZE + 16
const ID_SIZE = 16
const MARKS_LIMIT = 8
const MARK_LIMIT = 35
const STAGE_LIMIT = 35
const SUBJECT_LIMIT = 200
const REFERENCE_LIMIT = 100
const LAST_DUE = 253_402_300_799
export const CAME_LIMIT = 9
const TURNS = ['nobody', 'us', 'them'] as const
const END = 0x80

/** What a card says. `turn`: who owes the next word; `urgency` and `due` of what has no answer yet; `came`: the places
 *  of the newest messages of others, nine at most, which tell what is unread. */
export interface CardText {
  readonly subject: string | null
  readonly ownReference: string | null
  readonly foreignReference: string | null
  readonly marks: readonly string[]
  readonly stage: string | null
  readonly turn: (typeof TURNS)[number]
  readonly urgency: Urgency
  readonly due: number | null
  readonly came: readonly number[]
}

/** A sealed card: generation `m` of the own keyring, and the place of the thread it was made at. */
export interface Card {
  readonly m: number
  readonly seq: number
  readonly id: Bytes
  readonly transcript: Bytes
  readonly box: Bytes
}

/** Where a card belongs. */
export interface CardPlace {
  readonly net: string
  readonly principal: Bytes
  readonly thread: Bytes
}

/** The secret of a generation of the own keyring, ready to make keys of cards from. */
export const cardSecret = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])

/** @throws Refused E1, E2 */
export function readCard(raw: string): Card {
  const parts = asList(decode(fromBase64(raw)), 'card')
  insist(parts.length === 5, 'E2', 'bad-statement', 'a card has five parts') // E2
  const [m, seq, id, transcript, box] = parts
  return {
    m: asUint(m),
    seq: asUint(seq),
    id: asBytes(id, ID_SIZE, 'id'),
    transcript: asBytes(transcript, 32, 'transcript'),
    box: asBytes(box, BOX_SIZE, 'box'),
  }
}

/** `secret` is that of generation `m`; `at` the verified end of the thread. */
export async function sealCard(
  place: CardPlace,
  text: CardText,
  { m, secret, at }: { m: number; secret: CryptoKey; at: { seq: number; hash: Bytes } },
): Promise<{ id: string; card: string }> {
  const id = randomBytes(ID_SIZE)
  const card = { m, seq: at.seq, id, transcript: at.hash }
  const padded = new Uint8Array(TEXT_SIZE)
  const said = encodeText(text)
  padded.set(said)
  padded[said.length] = END
  const key = await keyOf(place, card, secret)
  const box = new Uint8Array(await crypto.subtle.encrypt(gcm(place, card), key, padded))
  return { id: toHex(id), card: toBase64(encode([m, at.seq, id, at.hash, box])) }
}

/** @throws Refused E1, E2; E8 cannot-open */
export async function openCard(place: CardPlace, card: Card, secret: CryptoKey): Promise<CardText> {
  const key = await keyOf(place, card, secret)
  let padded: Bytes
  try {
    padded = new Uint8Array(await crypto.subtle.decrypt(gcm(place, card), key, card.box))
  } catch {
    throw new Refused('E8', 'cannot-open', 'a card does not open') // E8
  }
  const end = padded.findLastIndex((byte) => byte !== 0)
  insist(end >= 0 && padded[end] === END, 'E2', 'bad-statement', 'wrong padding') // E2
  return readText(asList(decode(padded.slice(0, end)), 'card'))
}

type Outside = Omit<Card, 'box'>

const partsOf = ({ principal, thread }: CardPlace, { m, seq, id }: Outside): Value[] => [
  principal,
  m,
  thread,
  seq,
  id,
]

function keyOf(place: CardPlace, card: Outside, secret: CryptoKey): Promise<CryptoKey> {
  const info = context(place.net, 'card', ...partsOf(place, card))
  const how = { name: 'HKDF', hash: 'SHA-256', salt: ZERO, info }
  return crypto.subtle.deriveKey(how, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

const gcm = (place: CardPlace, card: Outside) => ({
  name: 'AES-GCM',
  iv: new Uint8Array(12), // E8: a key seals one card only
  additionalData: context(place.net, 'card', ...partsOf(place, card), card.transcript),
})

type Named = 'subject' | 'ownReference' | 'foreignReference'

/** What is too long for a card ends with an ellipsis. */
function encodeText(text: CardText): Bytes {
  const short = { ...text }
  for (;;) {
    const { subject, ownReference, foreignReference, stage, urgency, due } = short
    const marks = text.marks.slice(0, MARKS_LIMIT)
    const came = text.came.slice(-CAME_LIMIT)
    const turn = TURNS.indexOf(text.turn)
    const said = [subject, ownReference, foreignReference, marks, stage, turn, urgency, due, came]
    const encoded = encode(said)
    if (encoded.length < TEXT_SIZE) return encoded
    const size = (name: Named) => new TextEncoder().encode(short[name] ?? '').length
    const longest = (['subject', 'foreignReference', 'ownReference'] as const).reduce((one, other) =>
      size(other) > size(one) ? other : one,
    )
    short[longest] = `${[...(short[longest] ?? '')].slice(0, -2).join('')}…`
  }
}

function readText(parts: readonly Value[]): CardText {
  insist(parts.length === 9, 'E2', 'bad-statement', 'a card says nine things') // E2
  const [subject, own, foreign, marks, stage, turn, urgency, due, came] = parts
  const whose = TURNS[asUint(turn)]
  const known = URGENCIES.find((each) => each === urgency)
  insist(whose && known !== undefined, 'E2', 'bad-statement', 'an unknown turn or urgency') // E2
  const isDate = due === null || (asUint(due) > 0 && asUint(due) <= LAST_DUE)
  insist(isDate, 'E2', 'bad-statement', 'a date that no calendar has') // E2
  return {
    subject: textOrNull(subject, SUBJECT_LIMIT),
    ownReference: textOrNull(own, REFERENCE_LIMIT),
    foreignReference: textOrNull(foreign, REFERENCE_LIMIT),
    marks: asList(marks, 'marks').map((mark) => asText(mark, MARK_LIMIT, 'mark')),
    stage: textOrNull(stage, STAGE_LIMIT),
    turn: whose,
    urgency: known,
    due: due === null ? null : asUint(due),
    came: asList(came, 'came').map(asUint),
  }
}

const textOrNull = (value: Value | undefined, max: number): string | null =>
  value === null ? null : asText(value, max, 'text')

function asUint(value: Value | undefined): number {
  insist(typeof value === 'number', 'E2', 'bad-statement', 'not a number') // E2
  return value
}

export const placeOf = (net: string, principal: string, thread: string): CardPlace => ({
  net,
  principal: fromHex(principal),
  thread: fromHex(thread),
})
