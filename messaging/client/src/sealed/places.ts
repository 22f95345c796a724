import type { Bytes, ValueMap } from './encoding.ts'
import type { Fields } from './statement.ts'

/** A place on a principal's keyring: `{principal, n, head}`, under which a device signs. */
export interface By {
  readonly principal: Bytes
  readonly n: number
  readonly head: Bytes
}

export function readBy(fields: Fields): By {
  const by = fields.map('by', ['principal', 'n', 'head'])
  return { principal: by.bytes('principal', 32), n: by.uint('n'), head: by.bytes('head', 32) }
}

/** The newest place of a keyring. */
export const byOf = ({ principal, n, head }: By): By => ({ principal, n, head })

export const byValue = ({ principal, n, head }: By): ValueMap => ({ principal, n, head })

/** A place of the transcript: `{seq, hash}`; `{0, zero}` before the first item. */
export interface After {
  readonly seq: number
  readonly hash: Bytes
}

export function readAfter(fields: Fields): After {
  const after = fields.map('after', ['seq', 'hash'])
  return { seq: after.uint('seq'), hash: after.bytes('hash', 32) }
}
