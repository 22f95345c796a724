import { readActs } from './acts.ts'
import type { DeviceStatement } from './device.ts'
import { type Bytes, contextHash, decode, encode, equal, type Value } from './encoding.ts'
import { type History, readHistory } from './envelopes.ts'
import { Refused } from './errors.ts'
import type { Sponsor } from './sponsor.ts'
import { asBytes, asList, asText, Fields, parse, type Statement } from './statement.ts'

export type Role = 'officer' | 'steward' | 'supervisor'
export const ROLES: readonly string[] = ['officer', 'steward', 'supervisor']
export const KINDS: readonly string[] = ['authority', 'practitioner', 'secretariat']
const WORDS = 'genesis add remove role rotate recovery-key recover sponsor repair'
export const REASONS: readonly string[] = WORDS.split(' ')
const ACTS = ['approval', 'sponsor-end']

/** One row of `devices`: id 32 bytes, roles sorted. */
export interface Listed {
  readonly id: Bytes
  readonly roles: readonly Role[]
}

/** The public half of a recovery kit. */
export interface RecoveryKey {
  readonly sig: Bytes
  readonly kem: Bytes
}

/** A practitioner, and the complete statement by which an authority answers for it (K9). */
export interface Sponsored {
  readonly practitioner: Bytes
  readonly statement: Bytes
}

/** What an entry says of whom: the part that an approval is about (K6). All lists are absolute. */
export interface Change {
  readonly reason: string
  readonly devices: readonly Listed[]
  readonly recovery: RecoveryKey | null
  readonly sponsored: readonly Sponsored[]
}

/** What one accepted entry of the keyring says. */
export interface Generation extends Change {
  readonly n: number
  readonly head: Bytes
  readonly prev: Bytes
  readonly author: Bytes
  /** Unix seconds, as the author says. */
  readonly at: number
  readonly mailbox: Bytes
  readonly commit: Bytes
  readonly history: History | null
  /** Somebody agreed to it besides the author (K6). */
  readonly isApproved: boolean
}

/** A keyring verified to its entry `n`. */
export interface KeyringState {
  readonly principal: Bytes
  readonly kind: string
  readonly n: number
  readonly head: Bytes
  /** Null for a practitioner. */
  readonly recovery: (RecoveryKey & { readonly id: Bytes }) | null
  readonly floor: number
  /** Index = n. */
  readonly generations: readonly Generation[]
  /** Statements of all devices ever listed, by device id in hex. */
  readonly statements: ReadonlyMap<string, DeviceStatement>
  /** Keys and commits already used, in hex (K5). */
  readonly used: ReadonlySet<string>
  /** K6 b ends for ever with two persons as stewards. */
  readonly hadTwoStewards: boolean
  /** K6 a: a steward removed another one alone, so only the recovery key can approve. */
  readonly onlyRecovery: boolean
  /** K11: the entry by which the kit took over without a steward's approval, or null. */
  readonly unconfirmed: number | null
  readonly sponsor: Sponsor | null
  readonly succeeds: Bytes | null
  readonly sponsored: readonly Sponsored[]
  /** The same, taken apart. */
  readonly answers: readonly { readonly practitioner: Bytes; readonly sponsor: Sponsor }[]
}

/** Verified keyrings by principal id. */
export type Keyrings = (principal: Bytes) => KeyringState | null

/** An entry taken apart; `acts` are complete statements, not yet verified. */
export interface Entry {
  readonly statement: Statement
  readonly principal: Bytes
  readonly kind: string
  readonly n: number
  readonly prev: Bytes
  readonly salt: Bytes | null
  readonly sponsor: Bytes | null
  readonly succeeds: Bytes | null
  readonly change: Change
  readonly floor: number
  readonly mailbox: Bytes
  readonly commit: Bytes
  readonly history: History | null
  readonly sealed: Bytes
  readonly acts: readonly Bytes[]
}

function readListed(value: Value): Listed {
  const row = asList(value, 'device row')
  const roles = asList(row[1], 'roles').map((role) => asText(role, 32, 'role'))
  return { id: asBytes(row.length === 2 ? row[0] : null, 32, 'device id'), roles: roles as Role[] }
}

function readSponsored(value: Value): Sponsored {
  const [practitioner, statement, ...rest] = asList(value, 'sponsored row')
  if (!(statement instanceof Uint8Array) || rest.length > 0)
    throw new Refused('E2', 'bad-statement', 'a sponsored practitioner is [id, statement]')
  return { practitioner: asBytes(practitioner, 32, 'practitioner'), statement }
}

function readRecovery(value: Value): RecoveryKey | null {
  if (value === null) return null
  const recovery = new Fields(value, ['sig', 'kem'])
  return { sig: recovery.bytes('sig', 32), kem: recovery.bytes('kem', 1216) }
}

/** @throws Refused E1, E2, unknown-act */
export async function readEntry(net: string, raw: Bytes): Promise<Entry> {
  const statement = await parse(net, raw, 'keyring')
  const { fields } = statement
  const change = {
    reason: fields.text('reason'),
    devices: fields.list('devices').map(readListed),
    recovery: readRecovery(fields.raw('recovery')),
    sponsored: fields.list('sponsored').map(readSponsored),
  }
  return {
    statement,
    change,
    principal: fields.bytes('principal', 32),
    kind: fields.text('kind'),
    n: fields.uint('n'),
    prev: fields.bytes('prev', 32),
    salt: fields.bytesOrNull('salt', 16),
    sponsor: fields.isNull('sponsor') ? null : fields.anyBytes('sponsor'),
    succeeds: fields.bytesOrNull('succeeds', 32),
    floor: fields.uint('floor'),
    mailbox: fields.bytes('mailbox', 1216),
    commit: fields.bytes('commit', 32),
    history: readHistory(fields),
    sealed: fields.bytes('sealed', 32),
    acts: await readActs(fields, 'K3', ACTS), // K3
  }
}

// ---------------------------------------------------------------- values

export const rows = (devices: readonly Listed[]): Value => devices.map(({ id, roles }) => [id, [...roles]])
export const isSameRows = (a: readonly Listed[], b: readonly Listed[]): boolean =>
  equal(encode(rows(a)), encode(rows(b)))

export const recoveryValue = (recovery: RecoveryKey | null) =>
  recovery && { sig: recovery.sig, kem: recovery.kem }
export const isSameKey = (a: RecoveryKey | null, b: RecoveryKey | null): boolean =>
  equal(encode(recoveryValue(a)), encode(recoveryValue(b)))

const sponsoredValue = (sponsored: readonly Sponsored[]): Value =>
  sponsored.map(({ practitioner, statement }) => [practitioner, statement])
export const isSameSponsored = (a: readonly Sponsored[], b: readonly Sponsored[]): boolean =>
  equal(encode(sponsoredValue(a)), encode(sponsoredValue(b)))

/** As the fields of an entry. */
export const changeFields = ({ reason, devices, recovery, sponsored }: Change) => ({
  reason,
  devices: rows(devices),
  recovery: recoveryValue(recovery),
  sponsored: sponsoredValue(sponsored),
})

const changeValues = (change: Change): Value[] => {
  const { reason, devices, recovery, sponsored } = changeFields(change)
  return [reason, devices, recovery, sponsored]
}

/** What an approval names: this change, as the entry after `prev`. */
export const changeHash = (net: string, principal: Bytes, prev: Bytes, change: Change): Promise<Bytes> =>
  contextHash(net, 'change', principal, prev, ...changeValues(change))

/** As it is handed to who is asked to approve. */
export const encodeChange = (change: Change): Bytes => encode(changeValues(change))

/** @throws Refused E1, E2 */
export function decodeChange(raw: Bytes): Change {
  const values = asList(decode(raw), 'change')
  const [reason, devices, recovery = null, sponsored] = values
  if (values.length !== 4) throw new Refused('E2', 'bad-statement', 'a change has four parts')
  return {
    reason: asText(reason, 32, 'reason'),
    devices: asList(devices, 'devices').map(readListed),
    recovery: readRecovery(recovery),
    sponsored: asList(sponsored, 'sponsored').map(readSponsored),
  }
}

/** H("principal", …): nothing in it depends on the id. */
export const principalId = (
  net: string,
  genesis: {
    readonly kind: string
    readonly salt: Bytes | null
    readonly devices: readonly Listed[]
    readonly recovery: RecoveryKey | null
    readonly sponsor?: Bytes | null
    readonly succeeds?: Bytes | null
  },
): Promise<Bytes> => {
  const { kind, salt, devices, recovery, sponsor = null, succeeds = null } = genesis
  return contextHash(net, 'principal', kind, salt, rows(devices), recoveryValue(recovery), sponsor, succeeds)
}

export const latest = (state: KeyringState): Generation => state.generations[state.n] as Generation
export const isSteward = (device: Listed | undefined): boolean => device?.roles.includes('steward') ?? false
export const find = (devices: readonly Listed[], id: Bytes): Listed | undefined =>
  devices.find((device) => equal(device.id, id))
