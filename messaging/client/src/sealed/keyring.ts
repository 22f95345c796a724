import { type DeviceStatement, readDeviceStatement } from './device.ts'
import {
  type Bytes,
  compare,
  context,
  contextHash,
  deriveKey,
  encode,
  equal,
  hkdf,
  randomBytes,
  toHex,
  type Value,
  ZERO,
} from './encoding.ts'
import { type History, makeEnvelopes, pickEnvelope, readEnvelopes, readHistory } from './envelopes.ts'
import { insist } from './errors.ts'
import {
  aeadOpen,
  aeadSeal,
  checkKemKey,
  checkSigningKey,
  KemKey,
  recoveryId,
  type SigningKey,
} from './keys.ts'
import {
  asBytes,
  asList,
  type Fields,
  isStrictlySorted,
  parse,
  type Statement,
  sign,
  verify,
} from './statement.ts'

export type Role = 'officer' | 'steward' | 'supervisor'
const ROLES: readonly string[] = ['officer', 'steward', 'supervisor']
const KINDS = ['authority', 'secretariat']

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

interface EnvelopePlace {
  readonly principal: Bytes
  readonly n: number
  readonly prev: Bytes
  readonly commit: Bytes
  readonly author: Bytes
}

const envelopeInfo = (net: string, place: EnvelopePlace, recipient: Bytes): Bytes =>
  context(
    net,
    'keyring envelope',
    place.principal,
    place.n,
    place.prev,
    place.commit,
    recipient,
    place.author,
  )

// ---------------------------------------------------------------- reading an entry

function readListed(value: Value): Listed {
  const row = asList(value, 'device row')
  const roles = asList(row[1], 'roles')
  const isKnown = row.length === 2 && roles.length > 0
  insist(
    isKnown && roles.every((role) => ROLES.includes(role as string)),
    'K3',
    'unknown-role',
    'an unknown role',
  )
  const isSorted = roles.every((role, i) => i === 0 || (roles[i - 1] as string) < (role as string))
  insist(isSorted, 'K3', 'not-sorted', 'roles out of order or doubled')
  return { id: asBytes(row[0], 32, 'device id'), roles: roles as readonly Role[] }
}

/** K3: what this part of S1 does not know is refused. */
function refuseLaterParts(fields: Fields): void {
  insist(KINDS.includes(fields.text('kind')), 'K3', 'unknown-kind', 'a keyring of an unknown kind')
  const reason = fields.uint('n') === 0 ? 'genesis' : 'add'
  insist(fields.text('reason') === reason, 'K3', 'unknown-reason', 'an unknown reason, or not of this place')
  insist(fields.list('acts').length === 0, 'K3', 'unknown-act', 'an unknown act')
  const isPlain =
    fields.isNull('sponsor') && fields.isNull('succeeds') && fields.list('sponsored').length === 0
  insist(isPlain, 'K3', 'unknown-field-value', 'sponsors and successions are not known')
}

function readEntry(statement: Statement): Entry {
  const { fields } = statement
  refuseLaterParts(fields)
  return {
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
    history: readHistory(fields, 'K3'),
    sealed: fields.bytes('sealed', 32),
    reason: fields.text('reason'),
  }
}

// ---------------------------------------------------------------- the rules

const rows = (devices: readonly Listed[]): Value => devices.map(({ id, roles }) => [id, [...roles]])
const isRow = (a: Listed, b: Listed): boolean => equal(encode(rows([a])), encode(rows([b])))
const isSteward = (device: Listed | undefined): boolean => device?.roles.includes('steward') ?? false
const find = (devices: readonly Listed[], id: Bytes) => devices.find((device) => equal(device.id, id))

/** H("principal", …): nothing in it depends on the id. */
const principalId = (
  net: string,
  entry: Pick<Entry, 'kind' | 'salt' | 'devices' | 'recovery'>,
): Promise<Bytes> => {
  const { sig, kem } = entry.recovery
  return contextHash(net, 'principal', entry.kind, entry.salt, rows(entry.devices), { sig, kem }, null, null)
}

/** K1: the next `n` on the head known. */
function checkPlace(state: KeyringState | null, entry: Entry): void {
  const n = state === null ? 0 : state.n + 1
  insist(entry.n >= n, 'K1', 'stale-epoch', 'another entry has this place')
  insist(entry.n === n, 'K1', 'missing-entry', 'an entry is missing before this one')
  const isNext = equal(entry.prev, state?.head ?? ZERO) && (!state || equal(entry.principal, state.principal))
  insist(isNext, 'K1', 'wrong-predecessor', 'the entry before is another one')
}

/** K3: `recovery` as the entry says; null is for principals that this part does not know. */
function readRecovery(fields: Fields): { sig: Bytes; kem: Bytes } {
  insist(!fields.isNull('recovery'), 'K3', 'unexpected-change', 'an authority has a recovery key')
  const recovery = fields.map('recovery', ['sig', 'kem'])
  return { sig: recovery.bytes('sig', 32), kem: recovery.bytes('kem', 1216) }
}

/** K3: absolute sorted lists; an `add` changes nothing but the rows it adds. */
function checkLists(state: KeyringState | null, entry: Entry): void {
  const isSorted = isStrictlySorted(entry.devices.map(({ id }) => id))
  insist(isSorted, 'K3', 'not-sorted', 'devices out of order or doubled')
  insist(entry.devices.some(isSteward), 'K3', 'no-steward', 'no device is a steward')
  insist(
    (entry.salt === null) === (state !== null),
    'K3',
    'unexpected-change',
    'a salt belongs to the genesis',
  )
  if (!state) return
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
}

/** K3: each device has a valid statement for this principal or this genesis. */
async function collectStatements(
  net: string,
  state: KeyringState | null,
  entry: Entry,
  given: readonly Bytes[],
): Promise<{ all: Map<string, DeviceStatement>; added: DeviceStatement[] }> {
  const all = new Map(state?.statements ?? [])
  const offered = new Map<string, DeviceStatement>()
  for (const raw of given) {
    const device = await readDeviceStatement(net, raw)
    offered.set(toHex(device.id), device)
  }
  const added: DeviceStatement[] = []
  for (const { id } of entry.devices) {
    const name = toHex(id)
    if (all.has(name)) continue
    const device = offered.get(name)
    insist(device !== undefined, 'K3', 'missing-statement', 'a listed device has no statement')
    const isOurs = state
      ? device.principal !== null && equal(device.principal, state.principal)
      : device.salt !== null && entry.salt !== null && equal(device.salt, entry.salt)
    insist(isOurs, 'K3', 'wrong-statement', 'a device statement of another principal')
    all.set(name, device)
    added.push(device)
  }
  return { all, added }
}

/** K5, E7: every key and commit is new in this chain. */
function useKeys(state: KeyringState | null, entry: Entry, added: readonly DeviceStatement[]): Set<string> {
  const used = new Set(state?.used ?? [])
  checkKemKey(entry.mailbox)
  const keys = [entry.mailbox, entry.commit, ...added.flatMap(({ sig, kem }) => [sig, kem])]
  if (!state) {
    checkSigningKey(entry.recovery.sig)
    checkKemKey(entry.recovery.kem)
    keys.push(entry.recovery.sig, entry.recovery.kem)
  }
  for (const key of keys.map(toHex)) {
    insist(!used.has(key), 'K5', 'reused-key', 'a key or commit was used before')
    used.add(key)
  }
  return used
}

/** K6 b: who never had two steward persons adds stewards and supervisors alone. */
function checkApproval(state: KeyringState | null, entry: Entry): void {
  if (!state?.hadTwoStewards) return
  const before = latest(state).devices
  const added = entry.devices.filter(({ id }) => !find(before, id))
  const isOfficers = added.every(({ roles }) => roles.length === 1 && roles[0] === 'officer')
  insist(isOfficers, 'K6', 'approval-needed', 'another steward has to approve a new steward or supervisor')
}

const stewardPersons = (
  devices: readonly Listed[],
  statements: ReadonlyMap<string, DeviceStatement>,
): number => new Set(devices.filter(isSteward).map(({ id }) => statements.get(toHex(id))?.person)).size

export const latest = (state: KeyringState): Generation => state.generations[state.n] as Generation

/** The keyring with one more entry. `state` null: a genesis. `statements` may hold others too; `envelopes`
 *  null: they were not given (other principals). @throws Refused E1, E2, E7, K1 to K7 */
export async function acceptEntry(
  net: string,
  state: KeyringState | null,
  raw: Bytes,
  statements: readonly Bytes[],
  envelopes: Bytes | null,
): Promise<KeyringState> {
  const statement = await parse(net, raw, 'keyring')
  const entry = readEntry(statement)
  checkPlace(state, entry) // K1
  checkLists(state, entry) // K3
  const { all, added } = await collectStatements(net, state, entry, statements) // K3
  const author = find(state ? latest(state).devices : entry.devices, statement.kid)
  const isAuthor = author !== undefined && isSteward(author)
  insist(isAuthor, 'K2', 'not-a-steward', 'the author is no steward of the entry before')
  await verify(statement, all.get(toHex(author.id))?.sig ?? ZERO, net) // K2
  if (!state) {
    const id = await principalId(net, entry)
    insist(equal(id, entry.principal), 'K3', 'wrong-principal', 'the principal id is another one')
  }
  insist(entry.floor === 0, 'K4', 'wrong-floor', 'the floor stays')
  const recovery = { ...entry.recovery, id: await recoveryId(net, entry.recovery.sig, entry.recovery.kem) }
  const used = useKeys(state, entry, added) // K5
  checkApproval(state, entry) // K6
  const recipients = [...entry.devices.map(({ id }) => id), recovery.id]
  if (envelopes) await readEnvelopes(net, envelopes, { recipients, sealed: entry.sealed, rule: 'K4' }) // K4
  const { n, prev, devices, mailbox, commit, history } = entry
  const head = statement.hash
  const generation = { n, head, prev, author: author.id, devices, mailbox, commit, history }
  return {
    principal: entry.principal,
    kind: entry.kind,
    n,
    head,
    recovery,
    floor: entry.floor,
    generations: [...(state?.generations ?? []), generation],
    statements: all,
    used,
    hadTwoStewards: (state?.hadTwoStewards ?? false) || stewardPersons(devices, all) > 1,
  }
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

// ---------------------------------------------------------------- secrets

const keyringSecret = async (
  net: string,
  principal: Bytes,
  n: number,
  previous: Bytes | null,
): Promise<Bytes> => {
  const salt = previous ? await deriveKey(net, previous, 'keyring chain', principal, n) : ZERO
  return hkdf(randomBytes(32), salt, context(net, 'keyring secret', principal, n))
}

/** The mailbox key of generation `n` (E6). */
export const mailboxKey = async (net: string, principal: Bytes, n: number, secret: Bytes): Promise<KemKey> =>
  KemKey.fromSeed(await deriveKey(net, secret, 'mailbox seed', principal, n))

const mailboxCommit = (net: string, principal: Bytes, n: number, secret: Bytes): Promise<Bytes> =>
  contextHash(net, 'mailbox commit', principal, n, secret)

/** K7: the secret is the committed one and gives the mailbox key of the entry, which is returned. */
export async function checkSecret(
  net: string,
  state: KeyringState,
  generation: Generation,
  secret: Bytes,
): Promise<KemKey> {
  const { n, commit, mailbox } = generation
  const committed = await mailboxCommit(net, state.principal, n, secret)
  insist(equal(committed, commit), 'K7', 'wrong-commit', 'the envelope holds another secret')
  const key = await mailboxKey(net, state.principal, n, secret)
  insist(equal(key.public, mailbox), 'K7', 'wrong-mailbox', 'the mailbox key is not of this secret')
  return key
}

/** Opens the own envelope of generation `n`, unchecked but for its seal. @throws Refused cannot-open */
export async function openEnvelope(
  net: string,
  state: KeyringState,
  n: number,
  envelopes: Bytes,
  recipient: { readonly id: Bytes; readonly kem: KemKey },
): Promise<Bytes> {
  const generation = state.generations[n] as Generation
  const info = envelopeInfo(net, { ...generation, principal: state.principal }, recipient.id)
  return recipient.kem.open(pickEnvelope(envelopes, recipient.id), info)
}

/** K7: the secret of the generation before, through `history`. @throws Refused wrong-history, cannot-open */
export async function openHistory(
  net: string,
  state: KeyringState,
  generation: Generation,
  secret: Bytes,
): Promise<Bytes> {
  const { n, history } = generation
  insist(history !== null, 'K7', 'wrong-history', 'there is nothing before')
  const key = await deriveKey(net, secret, 'keyring history', state.principal, n)
  const aad = context(net, 'keyring history', state.principal, n, history.of)
  const older = await aeadOpen(key, history.wrap, aad)
  const commit = await mailboxCommit(net, state.principal, history.of, older)
  const isCommitted = equal(commit, state.generations[history.of]?.commit ?? ZERO)
  insist(isCommitted, 'K7', 'wrong-history', 'the history holds another secret')
  return older
}

// ---------------------------------------------------------------- making entries

/** A signed entry with the secret it brings. */
export interface MadeEntry {
  readonly entry: Bytes
  readonly envelopes: Bytes
  readonly secret: Bytes
}

interface Draft {
  readonly principal: Bytes
  readonly kind: string
  readonly n: number
  readonly prev: Bytes
  readonly salt: Bytes | null
  readonly devices: readonly Listed[]
  readonly recovery: { readonly sig: Bytes; readonly kem: Bytes; readonly id: Bytes }
  readonly statements: ReadonlyMap<string, DeviceStatement>
}

export interface Author {
  readonly id: Bytes
  readonly key: SigningKey
}

async function makeEntry(
  net: string,
  draft: Draft,
  previous: Bytes | null,
  { author, at }: { author: Author; at: number },
): Promise<MadeEntry> {
  const { principal, n, prev } = draft
  const secret = await keyringSecret(net, principal, n, previous)
  const commit = await mailboxCommit(net, principal, n, secret)
  const wrapKey = await deriveKey(net, secret, 'keyring history', principal, n)
  const aad = context(net, 'keyring history', principal, n, Math.max(n - 1, 0))
  const history = previous ? { of: n - 1, wrap: await aeadSeal(wrapKey, previous, aad) } : null
  const place = { principal, n, prev, commit, author: author.id }
  const keys = draft.devices.map(({ id }) => ({
    id,
    kem: (draft.statements.get(toHex(id)) as DeviceStatement).kem,
  }))
  const recipients = [...keys, draft.recovery].map(({ id, kem }) => ({
    id,
    kem,
    info: envelopeInfo(net, place, id),
  }))
  const { blob, sealed } = await makeEnvelopes(net, secret, recipients)
  const fields = {
    principal,
    kind: draft.kind,
    n,
    prev,
    salt: draft.salt,
    sponsor: null,
    succeeds: null,
    devices: rows(draft.devices),
    recovery: { sig: draft.recovery.sig, kem: draft.recovery.kem },
    sponsored: [],
    floor: 0,
    mailbox: (await mailboxKey(net, principal, n, secret)).public,
    commit,
    history,
    sealed,
    reason: n === 0 ? 'genesis' : 'add',
    acts: [],
  }
  const entry = await sign(net, 'keyring', fields, { at, kid: author.id, key: author.key })
  return { entry, envelopes: blob, secret }
}

const sortListed = (devices: readonly Listed[]): Listed[] =>
  devices.map(({ id, roles }) => ({ id, roles: [...roles].sort() })).sort((a, b) => compare(a.id, b.id))

/** A genesis entry. Every device statement carries `salt`. */
export async function makeGenesis(
  net: string,
  genesis: {
    readonly kind: string
    readonly salt: Bytes
    readonly devices: readonly Listed[]
    readonly statements: readonly Bytes[]
    readonly recovery: Draft['recovery']
  },
  signer: { author: Author; at: number },
): Promise<MadeEntry & { principal: Bytes }> {
  const { kind, salt, recovery } = genesis
  const devices = sortListed(genesis.devices)
  const principal = await principalId(net, { kind, salt, devices, recovery })
  const read = await Promise.all(genesis.statements.map((raw) => readDeviceStatement(net, raw)))
  const statements = new Map(read.map((device) => [toHex(device.id), device]))
  const draft = { principal, kind, n: 0, prev: ZERO, salt, devices, recovery, statements }
  return { ...(await makeEntry(net, draft, null, signer)), principal }
}

/** An `add` entry for devices whose statements name this principal. `secret`: that of the newest generation. */
export async function makeAddition(
  net: string,
  state: KeyringState,
  secret: Bytes,
  added: readonly { readonly statement: Bytes; readonly roles: readonly Role[] }[],
  signer: { author: Author; at: number },
): Promise<MadeEntry> {
  const statements = new Map(state.statements)
  const listed: Listed[] = [...latest(state).devices]
  for (const { statement, roles } of added) {
    const device = await readDeviceStatement(net, statement)
    statements.set(toHex(device.id), device)
    listed.push({ id: device.id, roles })
  }
  const { principal, kind, recovery } = state
  const devices = sortListed(listed)
  const draft = {
    principal,
    kind,
    n: state.n + 1,
    prev: state.head,
    salt: null,
    devices,
    recovery,
    statements,
  }
  const made = await makeEntry(net, draft, secret, signer)
  const proofs = added.map(({ statement }) => statement)
  await acceptEntry(net, state, made.entry, proofs, made.envelopes) // what we would refuse we do not send
  return made
}
