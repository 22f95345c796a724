import { type Bytes, contextHash, equal } from './encoding.ts'
import { insist } from './errors.ts'
import type { Author } from './keyring.ts'
import { parse, type Statement, sign, verify } from './statement.ts'
import {
  type By,
  byValue,
  checkAuthor,
  endOf,
  type Keyrings,
  readBy,
  type ThreadState,
} from './thread_rules.ts'

/** H("server key", public key of 32 bytes). */
export const serverKeyId = (net: string, serverKey: Bytes): Promise<Bytes> =>
  contextHash(net, 'server key', serverKey)

/** A receipt that the server has signed; its `at` is when the item came, its place is checked with
 *  {@link checkReceipt}. @throws Refused bad-signature */
export async function readReceipt(net: string, serverKey: Bytes, raw: Bytes): Promise<Statement> {
  const statement = await parse(net, raw, 'receipt')
  const isKnown = equal(statement.kid, await serverKeyId(net, serverKey))
  insist(isKnown, 'E2', 'bad-signature', 'a receipt by another server key')
  await verify(statement, serverKey, net)
  return statement
}

/** T8: the server has signed that the newest item of `state` stands there. Gives its time in unix seconds.
 *  @throws Refused bad-signature, wrong-receipt */
export const checkReceipt = async (
  net: string,
  serverKey: Bytes,
  raw: Bytes,
  state: ThreadState,
  item: Bytes,
): Promise<number> => checkReceiptPlace(await readReceipt(net, serverKey, raw), state, item)

/** As {@link checkReceipt}, of a receipt whose signature was verified. @throws Refused wrong-receipt */
export function checkReceiptPlace(receipt: Statement, state: ThreadState, item: Bytes): number {
  const { fields } = receipt
  const { seq, hash } = endOf(state)
  const isSame =
    equal(fields.bytes('thread', 32), state.thread) &&
    fields.uint('seq') === seq &&
    equal(fields.bytes('item', 32), item) &&
    equal(fields.bytes('transcript', 32), hash)
  insist(isSame, 'T8', 'wrong-receipt', 'the receipt is for another item, place or transcript') // T8
  return receipt.at
}

export interface Opened {
  readonly by: By
  readonly device: Bytes
  readonly seq: number
  /** Unix seconds, as the device says. */
  readonly at: number
}

/** Says that everything up to `seq` was opened; cumulative. */
export const makeOpened = (
  net: string,
  state: ThreadState,
  { by, author, at }: { by: By; author: Author; at: number },
): Promise<Bytes> => {
  const { seq, hash } = endOf(state)
  const fields = { by: byValue(by), thread: state.thread, seq, transcript: hash }
  return sign(net, 'opened', fields, { at, kid: author.id, key: author.key })
}

/** @throws Refused E2, M1, wrong-transcript */
export async function checkOpened(
  net: string,
  state: ThreadState,
  keyrings: Keyrings,
  raw: Bytes,
): Promise<Opened> {
  const statement = await parse(net, raw, 'opened')
  const { fields, kid, at } = statement
  const by = readBy(fields)
  const device = checkAuthor('M1', by, kid, { members: state.members, lowest: new Map(), keyrings }) // M1
  await verify(statement, device.sig, net)
  const isThread = equal(fields.bytes('thread', 32), state.thread)
  insist(isThread, 'M1', 'wrong-thread', 'made for another thread') // M1
  const seq = fields.uint('seq')
  const hash = state.transcript[seq]
  const isOurs = hash !== undefined && seq > 0 && equal(hash, fields.bytes('transcript', 32))
  insist(isOurs, 'M7', 'wrong-transcript', 'the opener saw another transcript') // M7
  return { by, device: kid, seq, at }
}
