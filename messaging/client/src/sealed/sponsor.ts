import type { Bytes } from './encoding.ts'
import { insist } from './errors.ts'
import type { SigningKey } from './keys.ts'
import { type By, byValue, readBy } from './places.ts'
import { parse, type Statement, sign } from './statement.ts'

/** Seconds for which a sponsor answers at most; then the statement is made anew. */
const LONGEST = 366 * 24 * 3600

/** Who answers for whom, from when until when; `device` signs the practitioner's genesis. */
export interface Sponsor {
  readonly statement: Statement
  readonly by: By
  readonly person: string
  readonly office: string
  readonly device: Bytes
  readonly replaces: Bytes | null
  readonly begins: number
  readonly until: number
}

/** A sponsor no longer answers for a practitioner; `of` is the hash of its statement. */
export interface SponsorEnd {
  readonly statement: Statement
  readonly by: By
  readonly practitioner: Bytes
  readonly of: Bytes
}

/** @throws Refused E1, E2, wrong-sponsor for impossible times */
export async function readSponsor(net: string, raw: Bytes): Promise<Sponsor> {
  const statement = await parse(net, raw, 'sponsor')
  const { fields } = statement
  const found = {
    statement,
    by: readBy(fields),
    person: fields.text('person', 200),
    office: fields.text('office', 200),
    device: fields.bytes('device', 32),
    replaces: fields.bytesOrNull('replaces', 32),
    begins: fields.uint('from'),
    until: fields.uint('until'),
  }
  const isPossible = found.begins < found.until && found.until <= found.begins + LONGEST
  insist(isPossible, 'K9', 'wrong-sponsor', 'a sponsor answers for at most a year') // K9
  return found
}

/** @throws Refused E1, E2 */
export async function readSponsorEnd(net: string, raw: Bytes): Promise<SponsorEnd> {
  const statement = await parse(net, raw, 'sponsor-end')
  const { fields } = statement
  return {
    statement,
    by: readBy(fields),
    practitioner: fields.bytes('practitioner', 32),
    of: fields.bytes('of', 32),
  }
}

/** Whether the sponsor answers at this time, in unix seconds. */
export const answersAt = ({ begins, until }: Sponsor, at: number): boolean => begins <= at && at <= until

interface Signer {
  readonly author: { readonly id: Bytes; readonly key: SigningKey }
  readonly at: number
}

/** A supervisor's statement that the authority answers for a practitioner. */
export const makeSponsor = (
  net: string,
  { by, person, office, device, replaces, begins, until }: Omit<Sponsor, 'statement'>,
  { author, at }: Signer,
): Promise<Bytes> => {
  const fields = { by: byValue(by), person, office, device, replaces, from: begins, until }
  return sign(net, 'sponsor', fields, { at, kid: author.id, key: author.key })
}

/** A supervisor's statement that the authority no longer answers for a practitioner. */
export const makeSponsorEnd = (
  net: string,
  { by, practitioner, of }: Omit<SponsorEnd, 'statement'>,
  { author, at }: Signer,
): Promise<Bytes> =>
  sign(net, 'sponsor-end', { by: byValue(by), practitioner, of }, { at, kid: author.id, key: author.key })
