import { type DeviceStatement, readDeviceStatement } from './device.ts'
import { type Bytes, equal, sha256, toHex, ZERO } from './encoding.ts'
import { checkEnvelopes } from './envelopes.ts'
import { insist } from './errors.ts'
import { type Agreed, checkActs, checkGenesisSponsor } from './keyring_acts.ts'
import { checkChange, checkLists } from './keyring_changes.ts'
import {
  type Change,
  type Entry,
  find,
  isSameKey,
  isSteward,
  type KeyringState,
  type Keyrings,
  type Listed,
  latest,
  type Role,
  readEntry,
} from './keyring_entry.ts'
import { checkKemKey, recoveryId } from './keys.ts'
import { readSponsor, type Sponsor } from './sponsor.ts'
import { type Statement, verify } from './statement.ts'

export type { Change, Generation, KeyringState, Keyrings, Listed, Role } from './keyring_entry.ts'
export { latest, principalId, rows } from './keyring_entry.ts'

/** K1: the next `n` on the head known. */
function checkPlace(state: KeyringState | null, entry: Entry): void {
  const n = state === null ? 0 : state.n + 1
  insist(entry.n >= n, 'K1', 'stale-epoch', 'another entry already stands at this place')
  insist(entry.n === n, 'K1', 'missing-entry', 'an entry before this one is missing')
  const isNext = equal(entry.prev, state?.head ?? ZERO) && (!state || equal(entry.principal, state.principal))
  insist(isNext, 'K1', 'wrong-predecessor', 'the entry does not follow the newest one')
}

/** K3: each new device has a valid statement for this principal or this genesis. */
async function readAdded(
  net: string,
  state: KeyringState | null,
  entry: Entry,
  given: readonly Bytes[],
): Promise<DeviceStatement[]> {
  const offered = new Map<string, Bytes>()
  for (const raw of given) offered.set(toHex(await sha256(raw)), raw)
  const before = state ? latest(state).devices : []
  const wanted = entry.change.devices.filter(({ id }) => !find(before, id)).map(({ id }) => toHex(id))
  return Promise.all(
    wanted.map(async (id) => {
      const raw = offered.get(id)
      insist(raw !== undefined, 'K3', 'missing-statement', 'a listed device has no device statement here')
      const device = await readDeviceStatement(net, raw)
      const named = state ? device.principal : device.salt
      const expected = state ? entry.principal : entry.salt
      const isOurs = named !== null && expected !== null && equal(named, expected)
      insist(isOurs, 'K3', 'wrong-statement', 'a device statement for another principal or genesis')
      return device
    }),
  )
}

/** K5, E7: every key and commit is new in this chain. */
function useKeys(state: KeyringState | null, entry: Entry, added: readonly DeviceStatement[]): Set<string> {
  checkKemKey(entry.mailbox) // E7
  const used = new Set(state?.used ?? [])
  const keys = [entry.mailbox, entry.commit, ...added.flatMap(({ sig, kem }) => [sig, kem])]
  const { recovery } = entry.change
  if (recovery && !(state && isSameKey(recovery, state.recovery))) keys.push(recovery.sig, recovery.kem)
  for (const key of keys.map(toHex)) {
    insist(!used.has(key), 'K5', 'reused-key', 'a key or commit already stands in the keyring')
    used.add(key)
  }
  return used
}

const stewardPersons = (
  devices: readonly Listed[],
  statements: ReadonlyMap<string, DeviceStatement>,
): number => new Set(devices.filter(isSteward).map(({ id }) => statements.get(toHex(id))?.person)).size

const readAnswers = (net: string, rows: Change['sponsored']): Promise<KeyringState['answers'][number][]> =>
  Promise.all(
    rows.map(async ({ practitioner, statement }) => ({
      practitioner,
      sponsor: await readSponsor(net, statement),
    })),
  )

const NOBODY: Keyrings = () => null

/** The keyring with one more entry. `state` null: a genesis. `statements` must hold those of the devices added
 *  and may hold others; `envelopes` null: they were not given (other principals). `keyrings` are needed for the
 *  sponsors of practitioners (K9).
 *  @throws Refused E1, E2, E7, K1 to K6, K9, K11, K12 */
export async function acceptEntry(
  net: string,
  state: KeyringState | null,
  raw: Bytes,
  statements: readonly Bytes[],
  envelopes: Bytes | null,
  keyrings: Keyrings = NOBODY,
): Promise<KeyringState> {
  const entry = await readEntry(net, raw)
  const { change } = entry
  checkPlace(state, entry) // K1
  checkLists(entry) // K3
  await checkChange(net, state, entry) // K3, K4
  const added = await readAdded(net, state, entry, statements) // K3
  const all = new Map(state?.statements ?? [])
  for (const device of added) all.set(toHex(device.id), device)
  await checkSigner(net, state, entry, all) // K2
  const used = useKeys(state, entry, added) // K5
  const { recovery } = change
  const key = recovery && { ...recovery, id: await recoveryId(net, recovery.sig, recovery.kem) }
  const recipients = [...change.devices.map(({ id }) => id), ...(key ? [key.id] : [])]
  if (envelopes) await checkEnvelopes(net, envelopes, { recipients, sealed: entry.sealed, rule: 'K4' }) // K4
  const sponsor = state ? state.sponsor : await checkGenesisSponsor(net, entry, keyrings) // K9
  const agreed = state ? await checkActs(net, state, entry, keyrings) : FIRST // K6
  const hadTwo = (state?.hadTwoStewards ?? false) || stewardPersons(change.devices, all) > 1
  return {
    ...nextState(state, entry, agreed, sponsor),
    recovery: key,
    statements: all,
    used,
    hadTwoStewards: hadTwo,
    answers: await readAnswers(net, change.sponsored),
  }
}

const FIRST: Agreed = { onlyRecovery: false, unconfirmed: null }

function nextState(
  state: KeyringState | null,
  entry: Entry,
  agreed: Agreed,
  sponsor: Sponsor | null,
): Omit<KeyringState, 'recovery' | 'statements' | 'used' | 'hadTwoStewards' | 'answers'> {
  const { statement, change, principal, kind, n, prev, mailbox, commit, history, floor, acts } = entry
  const { hash: head, kid: author, at } = statement
  const isApproved = acts.length > 0
  const generation = { ...change, n, head, prev, author, at, mailbox, commit, history, isApproved }
  return {
    principal,
    kind,
    n,
    head,
    floor,
    generations: [...(state?.generations ?? []), generation],
    ...agreed,
    sponsor,
    succeeds: state ? state.succeeds : entry.succeeds,
    sponsored: change.sponsored,
  }
}

/** K2: the author is a steward device of the entry before (of this one at a genesis); of `recover`, the kit. */
async function checkSigner(
  net: string,
  state: KeyringState | null,
  entry: Entry,
  statements: ReadonlyMap<string, DeviceStatement>,
): Promise<void> {
  const { statement, change } = entry
  if (state && change.reason === 'recover') return checkKit(net, state, statement)
  const author = find(state ? latest(state).devices : change.devices, statement.kid)
  insist(isSteward(author), 'K2', 'not-a-steward', 'the author is no steward device of the entry before')
  await verify(statement, statements.get(toHex(statement.kid))?.sig ?? ZERO, net)
}

async function checkKit(net: string, { recovery }: KeyringState, statement: Statement): Promise<void> {
  const isKit = recovery !== null && equal(statement.kid, recovery.id)
  insist(isKit, 'K2', 'not-the-recovery-key', 'only the kit of the entry before can recover')
  await verify(statement, recovery.sig, net)
}

/** The device as listed at `n`, with its statement; null when not listed there. */
export function listedAt(
  state: KeyringState,
  n: number,
  device: Bytes,
): (DeviceStatement & { readonly roles: readonly Role[] }) | null {
  const listed = find(state.generations[n]?.devices ?? [], device)
  const statement = state.statements.get(toHex(device))
  return listed && statement ? { ...statement, roles: listed.roles } : null
}
