import { type DeviceStatement, readDeviceStatement } from './device.ts'
import { type Bytes, contextHash, encode, equal, sha256, toHex, type Value, ZERO } from './encoding.ts'
import { checkEnvelopes, type History, readHistory } from './envelopes.ts'
import { insist } from './errors.ts'
import { checkKemKey, checkSigningKey, recoveryId } from './keys.ts'
import {
  asBytes,
  asList,
  asText,
  type Fields,
  isStrictlySorted,
  parse,
  type Statement,
  verify,
} from './statement.ts'

export type Role = 'officer' | 'steward' | 'supervisor'
const ROLES: readonly string[] = ['officer', 'steward', 'supervisor']
const KINDS = ['authority', 'secretariat']
const REASONS = ['genesis', 'add']

/** One row of `devices`: id 32 bytes, roles sorted. */
export interface Listed {
  readonly id: Bytes
  readonly roles: readonly Role[]
}

/** What one accepted entry of the keyring says. */
export interface Generation {
  readonly n: number
  readonly head: Bytes
  readonly prev: Bytes
  readonly author: Bytes
  readonly devices: readonly Listed[]
  readonly mailbox: Bytes
  readonly commit: Bytes
  readonly history: History | null
}

/** A keyring verified to its entry `n`. */
export interface KeyringState {
  readonly principal: Bytes
  readonly kind: string
  readonly n: number
  readonly head: Bytes
  readonly recovery: { readonly sig: Bytes; readonly kem: Bytes; readonly id: Bytes }
  readonly floor: number
  /** Index = n. */
  readonly generations: readonly Generation[]
  /** Statements of all devices ever listed, by device id in hex. */
  readonly statements: ReadonlyMap<string, DeviceStatement>
  /** Keys and commits already used, in hex (K5). */
  readonly used: ReadonlySet<string>
  /** K6 b ends for ever with two persons as stewards. */
  readonly hadTwoStewards: boolean
}

interface Entry extends Omit<Generation, 'head' | 'author'> {
  readonly principal: Bytes
  readonly kind: string
  readonly salt: Bytes | null
  readonly recovery: { readonly sig: Bytes; readonly kem: Bytes }
  readonly floor: number
  readonly sealed: Bytes
  readonly reason: string
}

// ---------------------------------------------------------------- reading an entry

function readListed(value: Value): Listed {
  const row = asList(value, 'device row')
  const roles = asList(row[1], 'roles').map((role) => asText(role, 32, 'role'))
  return { id: asBytes(row.length === 2 ? row[0] : null, 32, 'device id'), roles: roles as Role[] }
}

function readRecovery(fields: Fields): { sig: Bytes; kem: Bytes } | null {
  if (fields.isNull('recovery')) return null
  const recovery = fields.map('recovery', ['sig', 'kem'])
  return { sig: recovery.bytes('sig', 32), kem: recovery.bytes('kem', 1216) }
}

/** K3: what later parts of the protocol bring is refused. */
function refuseLaterParts(fields: Fields): void {
  const isPlain =
    fields.isNull('sponsor') && fields.isNull('succeeds') && fields.list('sponsored').length === 0
  insist(isPlain, 'K3', 'unknown-field-value', 'sponsors and successions are not known')
  insist(fields.list('acts').length === 0, 'K3', 'unknown-act', 'acts must be empty')
}

function readEntry(fields: Fields): Entry {
  refuseLaterParts(fields)
  const entry = {
    principal: fields.bytes('principal', 32),
    kind: fields.text('kind'),
    n: fields.uint('n'),
    prev: fields.bytes('prev', 32),
    salt: fields.bytesOrNull('salt', 16),
    devices: fields.list('devices').map(readListed),
    recovery: readRecovery(fields),
    floor: fields.uint('floor'),
    mailbox: fields.bytes('mailbox', 1216),
    commit: fields.bytes('commit', 32),
    history: readHistory(fields),
    sealed: fields.bytes('sealed', 32),
    reason: fields.text('reason'),
  }
  const { recovery } = entry
  insist(recovery !== null, 'K3', 'unexpected-change', 'an authority or secretariat has a recovery key')
  return { ...entry, recovery }
}

// ---------------------------------------------------------------- the rules

export const rows = (devices: readonly Listed[]): Value => devices.map(({ id, roles }) => [id, [...roles]])
const isRow = (a: Listed, b: Listed): boolean => equal(encode(rows([a])), encode(rows([b])))
const isSteward = (device: Listed | undefined): boolean => device?.roles.includes('steward') ?? false
const find = (devices: readonly Listed[], id: Bytes) => devices.find((device) => equal(device.id, id))

/** H("principal", …): nothing in it depends on the id. */
export const principalId = (
  net: string,
  entry: Pick<Entry, 'kind' | 'salt' | 'devices' | 'recovery'>,
): Promise<Bytes> => {
  const { sig, kem } = entry.recovery
  return contextHash(net, 'principal', entry.kind, entry.salt, rows(entry.devices), { sig, kem }, null, null)
}

/** K1: the next `n` on the head known. */
function checkPlace(state: KeyringState | null, entry: Entry): void {
  const n = state === null ? 0 : state.n + 1
  insist(entry.n >= n, 'K1', 'stale-epoch', 'another entry already stands at this place')
  insist(entry.n === n, 'K1', 'missing-entry', 'an entry before this one is missing')
  const isNext = equal(entry.prev, state?.head ?? ZERO) && (!state || equal(entry.principal, state.principal))
  insist(isNext, 'K1', 'wrong-predecessor', 'the entry does not follow the newest one')
}

/** K3: absolute lists of known words, sorted, without doubles. */
function checkLists({ kind, reason, devices }: Entry): void {
  insist(KINDS.includes(kind), 'K3', 'unknown-kind', 'a keyring of an unknown kind')
  insist(REASONS.includes(reason), 'K3', 'unknown-reason', 'an entry of an unknown reason')
  insist(isStrictlySorted(devices.map(({ id }) => id)), 'K3', 'not-sorted', 'devices out of order or doubled')
  for (const { roles } of devices) {
    const isKnown = roles.length > 0 && roles.every((role) => ROLES.includes(role))
    insist(isKnown, 'K3', 'unknown-role', 'an unknown role, or none')
    const isSorted = roles.every((role, i) => i === 0 || (roles[i - 1] as string) < role)
    insist(isSorted, 'K3', 'not-sorted', 'roles out of order or doubled')
  }
  insist(devices.some(isSteward), 'K3', 'no-steward', 'no device is a steward')
}

/** K3: only what the reason names changes. */
async function checkChange(net: string, state: KeyringState | null, entry: Entry): Promise<void> {
  const isGenesis = state === null
  const isPlaced = (entry.reason === 'genesis') === isGenesis && (entry.salt !== null) === isGenesis
  insist(isPlaced, 'K3', 'unexpected-change', 'a genesis comes first, once, and alone has a salt')
  insist(entry.floor === (state?.floor ?? 0), 'K4', 'wrong-floor', 'the floor does not change here') // K4
  if (state) return checkAddition(state, entry)
  insist(entry.history === null, 'K3', 'bad-history', 'a genesis has no history')
  const id = await principalId(net, entry)
  insist(equal(id, entry.principal), 'K3', 'wrong-principal', 'the id does not follow from the genesis')
  checkSigningKey(entry.recovery.sig) // E7
  checkKemKey(entry.recovery.kem) // E7
}

/** K3: an `add` changes nothing but the rows it adds. */
function checkAddition(state: KeyringState, entry: Entry): void {
  const { sig, kem } = state.recovery
  const isSame = equal(entry.recovery.sig, sig) && equal(entry.recovery.kem, kem) && entry.kind === state.kind
  const before = latest(state).devices
  const isKept = before.every((row) => entry.devices.some((other) => isRow(row, other)))
  const isMore = entry.devices.length > before.length
  insist(
    isSame && isKept && isMore,
    'K3',
    'unexpected-change',
    'an add adds devices and changes nothing else',
  )
  insist(entry.history?.of === entry.n - 1, 'K3', 'bad-history', 'the history leads to the entry before')
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
  const wanted = entry.devices.map(({ id }) => toHex(id)).filter((id) => !state?.statements.has(id))
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
  if (!state) keys.push(entry.recovery.sig, entry.recovery.kem)
  for (const key of keys.map(toHex)) {
    insist(!used.has(key), 'K5', 'reused-key', 'a key or commit already stands in the keyring')
    used.add(key)
  }
  return used
}

/** K6 b: who never had two steward persons adds stewards and supervisors alone. */
function checkApproval(state: KeyringState | null, entry: Entry): void {
  if (!state?.hadTwoStewards) return
  const before = latest(state).devices
  const added = entry.devices.filter(({ id }) => !find(before, id))
  const isOfficers = added.every(({ roles }) => roles.every((role) => role === 'officer'))
  insist(isOfficers, 'K6', 'approval-needed', 'another steward has to approve a new steward or supervisor')
}

const stewardPersons = (
  devices: readonly Listed[],
  statements: ReadonlyMap<string, DeviceStatement>,
): number => new Set(devices.filter(isSteward).map(({ id }) => statements.get(toHex(id))?.person)).size

export const latest = (state: KeyringState): Generation => state.generations[state.n] as Generation

/** The keyring with one more entry. `state` null: a genesis. `statements` must hold those of the devices added
 *  and may hold others; `envelopes` null: they were not given (other principals).
 *  @throws Refused E1, E2, E7, K1 to K6 */
export async function acceptEntry(
  net: string,
  state: KeyringState | null,
  raw: Bytes,
  statements: readonly Bytes[],
  envelopes: Bytes | null,
): Promise<KeyringState> {
  const statement = await parse(net, raw, 'keyring')
  const entry = readEntry(statement.fields)
  checkPlace(state, entry) // K1
  checkLists(entry) // K3
  await checkChange(net, state, entry) // K3, K4
  const added = await readAdded(net, state, entry, statements) // K3
  const all = new Map(state?.statements ?? [])
  for (const device of added) all.set(toHex(device.id), device)
  await checkSigner(net, statement, state ? latest(state).devices : entry.devices, all) // K2
  const used = useKeys(state, entry, added) // K5
  checkApproval(state, entry) // K6
  const recovery = { ...entry.recovery, id: await recoveryId(net, entry.recovery.sig, entry.recovery.kem) }
  const recipients = [...entry.devices.map(({ id }) => id), recovery.id]
  if (envelopes) await checkEnvelopes(net, envelopes, { recipients, sealed: entry.sealed, rule: 'K4' }) // K4
  const { principal, kind, n, prev, devices, mailbox, commit, history, floor } = entry
  const generation = {
    n,
    head: statement.hash,
    prev,
    author: statement.kid,
    devices,
    mailbox,
    commit,
    history,
  }
  return {
    principal,
    kind,
    n,
    head: statement.hash,
    recovery,
    floor,
    generations: [...(state?.generations ?? []), generation],
    statements: all,
    used,
    hadTwoStewards: (state?.hadTwoStewards ?? false) || stewardPersons(devices, all) > 1,
  }
}

/** K2: the author is a steward device of the entry before (of this one at a genesis). */
async function checkSigner(
  net: string,
  statement: Statement,
  among: readonly Listed[],
  statements: ReadonlyMap<string, DeviceStatement>,
): Promise<void> {
  const author = find(among, statement.kid)
  insist(isSteward(author), 'K2', 'not-a-steward', 'the author is no steward device of the entry before')
  await verify(statement, statements.get(toHex(statement.kid))?.sig ?? ZERO, net)
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
