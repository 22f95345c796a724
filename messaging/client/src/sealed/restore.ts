import { readActs } from './acts.ts'
import { type Bytes, equal, fromHex, toBase64 } from './encoding.ts'
import { insist } from './errors.ts'
import type { Follower } from './follower.ts'
import type { Author } from './keyring.ts'
import type { KeyringState } from './keyring_entry.ts'
import type { LogPlace } from './message.ts'
import { type By, byOf, byValue, readBy } from './places.ts'
import { serverKeyId } from './receipt.ts'
import { checkSigner } from './signers.ts'
import { parse, type Statement, sign, verify } from './statement.ts'
import type { Keyrings } from './thread_entry.ts'
import type { Base64, Hex } from './wire.ts'

const CAUSE_LIMIT = 200
const PERSONS = 2
/** What the label of its leaves is of. */
const SUBJECT = new TextEncoder().encode('restore') as Bytes

/** The `serial`-th restore of this network, after which the log had come to `log`. `by` is null in the server's own,
 *  which has in `acts` those of two persons of the secretariat. */
export interface Restore {
  readonly statement: Statement
  readonly by: By | null
  readonly serial: number
  readonly log: LogPlace
  readonly cause: string
  readonly acts: readonly Bytes[]
}

interface Place {
  readonly keyrings: Keyrings
  readonly secretariat: Bytes
}

/** Takes a restore apart; its signature is not verified. @throws Refused E1, E2, unknown-act (L8) */
async function readRestore(net: string, raw: Bytes): Promise<Restore> {
  const statement = await parse(net, raw, 'restore')
  const { fields } = statement
  const log = fields.map('log', ['root', 'size'])
  return {
    statement,
    by: fields.isNull('by') ? null : readBy(fields),
    serial: fields.uint('serial'),
    log: { size: log.uint('size'), root: log.bytes('root', 32) },
    cause: fields.text('cause', CAUSE_LIMIT),
    acts: await readActs(fields, 'L8', ['restore']),
  }
}

const isAlike = (one: Restore, other: Restore): boolean =>
  one.serial === other.serial &&
  one.cause === other.cause &&
  one.log.size === other.log.size &&
  equal(one.log.root, other.log.root)

/** One person's statement that holds, and the person. */
async function checkPerson(net: string, raw: Bytes, { keyrings, secretariat }: Place) {
  const found = await readRestore(net, raw)
  const isTheirs = found.by !== null && equal(found.by.principal, secretariat) && found.acts.length === 0
  insist(isTheirs, 'L8', 'wrong-restore', 'only persons of the secretariat stand for a restore') // L8
  const signer = checkSigner('L8', found.by as By, found.statement.kid, { keyrings, role: null })
  const isSteward = signer.roles.includes('steward')
  insist(isSteward, 'L8', 'wrong-restore', 'its signer does not keep the keys of the secretariat') // L8
  await verify(found.statement, signer.sig, net)
  return { found, person: signer.person }
}

/** L8: the server's statement that it was put back, with those of two persons of the secretariat who say the same.
 *  @throws Refused E1, E2, wrong-restore, unlisted-device, unknown-act */
export async function checkRestore(
  { net, serverKey }: { net: string; serverKey: Bytes },
  raw: Bytes,
  place: Place,
): Promise<Restore> {
  const found = await readRestore(net, raw)
  const isServers = found.by === null && equal(found.statement.kid, await serverKeyId(net, serverKey))
  insist(isServers, 'L8', 'wrong-restore', "not the server's statement") // L8
  await verify(found.statement, serverKey, net)
  const given = await Promise.all(found.acts.map((act) => checkPerson(net, act, place)))
  const persons = new Set(given.map(({ person }) => person))
  const isWhole = persons.size >= PERSONS && given.every((each) => isAlike(each.found, found))
  insist(isWhole, 'L8', 'wrong-restore', 'it takes two persons of the secretariat, who say the same') // L8
  return found
}

/** What a restore says, and whoever stands for it says alike. */
export interface SaidRestore {
  readonly serial: number
  readonly size: number
  readonly root: Hex
  readonly cause: string
}

/** One person's statement, once the log that it names was found to be the one this device has followed.
 *  @throws Refused not-announced where no log is followed, other-log, log-withheld (L6) */
export async function signRestore(
  { net, log, own }: { net: string; log: Follower | null; own: KeyringState },
  { serial, size, root, cause }: SaidRestore,
  { author, at }: { author: Author; at: number },
): Promise<Base64> {
  insist(log !== null, 'L8', 'not-announced', 'no log is followed') // L8
  const place = { size, root: fromHex(root) }
  log.checkMessage(place) // L6
  const fields = { by: byValue(byOf(own)), serial, log: place, cause, acts: [] }
  return toBase64(await sign(net, 'restore', fields, { at, kid: author.id, key: author.key }))
}

/** The newest restore in the log is this one, and the log was never another. @throws Refused not-announced, L6 */
export async function checkAnnounced(
  log: Follower,
  { serial, statement, log: place }: Restore,
): Promise<void> {
  const newest = await log.newestOf('restore', SUBJECT)
  const isNewest = newest !== null && newest.n === serial && equal(newest.value, statement.hash)
  insist(isNewest, 'L8', 'not-announced', 'this restore does not stand in the log as the newest') // L8
  log.checkMessage(place) // L6
}
