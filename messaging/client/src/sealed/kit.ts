// The recovery kit in three parts of which any two make it whole again (Shamir's scheme). Rule E6.
//
// Each byte of the kit is the value at 0 of a line over GF(2^8), modulo x^8 + x^4 + x^3 + x + 1; a share is the
// values of all lines at its number. One share alone says nothing about the kit.
import { type Bytes, concat, contextHash, equal, randomBytes } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { printGroups, RecoveryKit, readGroups } from './keys.ts'

const NUMBERS = [1, 2, 3]
const SECRET_SIZE = 32
const MARK_SIZE = 4
const REDUCTION = 0x11b
const mistyped = () =>
  new Refused('E6', 'recovery-share-mistyped', 'a share of a recovery kit was typed wrong') // E6

/** One of three parts: its number, the values, and what marks parts of the same kit (4 bytes). */
export interface KitShare {
  readonly number: number
  readonly values: Bytes
  readonly mark: Bytes
}

/** 12 groups of 5 Crockford characters, like a whole kit. */
export const printShare = ({ number, values, mark }: KitShare): string =>
  printGroups(concat(Uint8Array.of(number), values, mark))

/** A share has no checksum of its own: a wrong character is noticed when two are joined.
 *  @throws Refused recovery-share-mistyped */
export function parseShare(printed: string): KitShare {
  const bytes = readGroups(printed, mistyped())
  const number = bytes[0] ?? 0
  if (!NUMBERS.includes(number)) throw mistyped()
  return { number, values: bytes.slice(1, 1 + SECRET_SIZE), mark: bytes.slice(1 + SECRET_SIZE) }
}

/** Three shares of a kit. `slopes`: 32 bytes, for tests; otherwise random. */
export async function splitKit(
  net: string,
  kit: RecoveryKit,
  slopes: Bytes = randomBytes(SECRET_SIZE),
): Promise<KitShare[]> {
  const secret = kit.secretUnsafe
  const mark = await markOf(net, secret)
  return NUMBERS.map((number) => {
    const values = secret.map((start, place) => start ^ times(slopes[place] ?? 0, number))
    return { number, values, mark }
  })
}

/** The kit that two shares make. @throws Refused recovery-shares-differ, recovery-share-mistyped */
export async function joinShares(net: string, one: KitShare, other: KitShare): Promise<RecoveryKit> {
  const areOfOne = one.number !== other.number && equal(one.mark, other.mark)
  insist(areOfOne, 'E6', 'recovery-shares-differ', 'these are not two different shares of one kit') // E6
  // The line through both points, at 0; minus is plus here.
  const scale = inverse(one.number ^ other.number)
  const [first, second] = [times(other.number, scale), times(one.number, scale)]
  const secret = one.values.map((value, at) => times(value, first) ^ times(other.values[at] ?? 0, second))
  if (!equal(await markOf(net, secret), one.mark)) throw mistyped()
  return new RecoveryKit(secret)
}

const markOf = async (net: string, secret: Bytes): Promise<Bytes> =>
  (await contextHash(net, 'kit set', secret)).slice(0, MARK_SIZE)

function times(one: number, other: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) product ^= (one << bit) * ((other >> bit) & 1)
  for (let bit = 14; bit > 7; bit--) product ^= (REDUCTION << (bit - 8)) * ((product >> bit) & 1)
  return product
}

/** value^254: the group has 255 elements. */
function inverse(value: number): number {
  let result = 1
  for (let i = 0; i < 254; i++) result = times(result, value)
  return result
}
