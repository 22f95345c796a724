import type { Bytes } from './encoding.ts'
import type { SigningKey } from './keys.ts'
import { type By, byValue, readBy } from './places.ts'
import { parse, type Statement, sign } from './statement.ts'

export const ABOUT_KEYRING = 'keyring'
/** Seconds for which an approval holds at most. */
const LONGEST = 24 * 3600
/** Seconds by which the clocks of two honest devices may differ. */
const CLOCKS_DIFFER = 300

/** An approval taken apart, its signature not yet verified; `by` is null for the recovery key. `on` is the hash
 *  of the keyring entry before, or the thread; `change` what is agreed to. */
export interface Approval {
  readonly statement: Statement
  readonly by: By | null
  readonly about: string
  readonly on: Bytes
  readonly change: Bytes
  readonly until: number
}

/** @throws Refused E1, E2 */
export async function readApproval(net: string, raw: Bytes): Promise<Approval> {
  const statement = await parse(net, raw, 'approval')
  const { fields } = statement
  return {
    statement,
    by: fields.isNull('by') ? null : readBy(fields),
    about: fields.text('about'),
    on: fields.bytes('on', 32),
    change: fields.bytes('change', 32),
    until: fields.uint('until'),
  }
}

/** Whether it holds at this time, in unix seconds, and for no longer than it may. */
export const countsAt = ({ statement, until }: Approval, at: number): boolean =>
  statement.at - CLOCKS_DIFFER <= at && at <= until && until <= statement.at + LONGEST

/** An approval that holds for a day, signed by a device, or by the recovery key (`by` null). */
export const makeApproval = (
  net: string,
  about: { readonly by: By | null; readonly on: Bytes; readonly change: Bytes },
  { author, at }: { author: { id: Bytes; key: SigningKey }; at: number },
): Promise<Bytes> => {
  const by = about.by && byValue(about.by)
  const fields = { by, about: ABOUT_KEYRING, on: about.on, change: about.change, until: at + LONGEST }
  return sign(net, 'approval', fields, { at, kid: author.id, key: author.key })
}
