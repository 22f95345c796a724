import { sortActs } from './acts.ts'
import { type DeviceStatement, readDeviceStatement } from './device.ts'
import {
  type Bytes,
  compare,
  context,
  contextHash,
  deriveKey,
  equal,
  hkdf,
  randomBytes,
  sha256,
  toHex,
  ZERO,
} from './encoding.ts'
import { makeEnvelopes, pickEnvelope, unwrapSecret, wrapSecret } from './envelopes.ts'
import { insist } from './errors.ts'
import { floorAfter } from './keyring_changes.ts'
import {
  type Change,
  changeFields,
  type Generation,
  type KeyringState,
  type Keyrings,
  type Listed,
  latest,
  principalId,
  type RecoveryKey,
  type Role,
  type Sponsored,
} from './keyring_entry.ts'
import { acceptEntry } from './keyring_rules.ts'
import { KemKey, recoveryId, type SigningKey } from './keys.ts'
import { sign } from './statement.ts'

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
  return recipient.kem.open(pickEnvelope('K4', envelopes, recipient.id), info)
}

/** K7: the secret of the generation before, through `history`. @throws Refused wrong-history */
export async function openHistory(
  net: string,
  state: KeyringState,
  generation: Generation,
  secret: Bytes,
): Promise<Bytes> {
  const { n, history } = generation
  insist(history !== null, 'K7', 'wrong-history', 'there is nothing before')
  const place = { purpose: 'keyring history', subject: state.principal, n }
  const older = await unwrapSecret(net, place, secret, history)
  const commit = older && (await mailboxCommit(net, state.principal, history.of, older))
  const isCommitted = commit !== null && equal(commit, state.generations[history.of]?.commit ?? ZERO)
  insist(isCommitted && older !== null, 'K7', 'wrong-history', 'the history holds another secret')
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
  readonly change: Change
  readonly floor: number
  readonly statements: ReadonlyMap<string, DeviceStatement>
  readonly genesis?: { readonly salt: Bytes; readonly sponsor: Bytes | null; readonly succeeds: Bytes | null }
  readonly acts?: readonly Bytes[]
}

export interface Author {
  readonly id: Bytes
  readonly key: SigningKey
}

/** The newest generation whose secret an author holds, to which `history` leads. */
export interface Held {
  readonly of: number
  readonly secret: Bytes
}

async function recipientsOf(
  net: string,
  { principal, n, prev, change, statements }: Draft,
  { commit, author }: { commit: Bytes; author: Bytes },
): Promise<{ id: Bytes; kem: Bytes; info: Bytes }[]> {
  const { recovery } = change
  const keys = change.devices.map(({ id }) => ({
    id,
    kem: (statements.get(toHex(id)) as DeviceStatement).kem,
  }))
  if (recovery) keys.push({ id: await recoveryId(net, recovery.sig, recovery.kem), kem: recovery.kem })
  const place = { principal, n, prev, commit, author }
  return keys.map(({ id, kem }) => ({ id, kem, info: envelopeInfo(net, place, id) }))
}

async function seal(
  net: string,
  draft: Draft,
  held: Held | null,
  { author, at }: { author: Author; at: number },
): Promise<MadeEntry> {
  const { principal, n, prev, genesis } = draft
  const secret = await keyringSecret(net, principal, n, held?.of === n - 1 ? held.secret : null)
  const commit = await mailboxCommit(net, principal, n, secret)
  const place = { purpose: 'keyring history', subject: principal, n }
  const history = held ? await wrapSecret(net, place, secret, held) : null
  const recipients = await recipientsOf(net, draft, { commit, author: author.id })
  const { blob, sealed } = await makeEnvelopes(net, secret, recipients)
  const fields = {
    principal,
    kind: draft.kind,
    n,
    prev,
    salt: genesis?.salt ?? null,
    sponsor: genesis?.sponsor ?? null,
    succeeds: genesis?.succeeds ?? null,
    ...changeFields(draft.change),
    floor: draft.floor,
    mailbox: (await mailboxKey(net, principal, n, secret)).public,
    commit,
    history: history && { of: history.of, wrap: history.wrap },
    sealed,
    acts: await sortActs(draft.acts ?? []),
  }
  const entry = await sign(net, 'keyring', fields, { at, kid: author.id, key: author.key })
  return { entry, envelopes: blob, secret }
}

const sortListed = (devices: readonly Listed[]): Listed[] =>
  devices.map(({ id, roles }) => ({ id, roles: [...roles].sort() })).sort((a, b) => compare(a.id, b.id))

/** A genesis entry. Every device statement carries `salt`; a practitioner has a `sponsor` and no `recovery`. */
export async function makeGenesis(
  net: string,
  genesis: {
    readonly kind: string
    readonly salt: Bytes
    readonly devices: readonly Listed[]
    readonly statements: readonly Bytes[]
    readonly recovery: RecoveryKey | null
    readonly sponsor?: Bytes | null
    readonly succeeds?: Bytes | null
  },
  signer: { author: Author; at: number },
): Promise<MadeEntry & { principal: Bytes }> {
  const { kind, salt, recovery, sponsor = null, succeeds = null } = genesis
  const devices = sortListed(genesis.devices)
  const principal = await principalId(net, { kind, salt, devices, recovery, sponsor, succeeds })
  const read = await Promise.all(genesis.statements.map((raw) => readDeviceStatement(net, raw)))
  const statements = new Map(read.map((device) => [toHex(device.id), device]))
  const change: Change = { reason: 'genesis', devices, recovery, sponsored: [] }
  const begun = { salt, sponsor, succeeds }
  const draft = { principal, kind, n: 0, prev: ZERO, change, floor: 0, statements, genesis: begun }
  return { ...(await seal(net, draft, null, signer)), principal }
}

/** The next entry, by which `change` comes true; `acts` are the statements it rests on, `statements` those of the
 *  devices listed anew. What we would refuse we do not send. @throws Refused */
export async function makeEntry(
  net: string,
  state: KeyringState,
  change: Change,
  given: {
    readonly held: Held | null
    readonly statements?: readonly Bytes[]
    readonly acts?: readonly Bytes[]
    readonly keyrings?: Keyrings
  },
  signer: { author: Author; at: number },
): Promise<MadeEntry> {
  const { held, statements: proofs = [], acts = [], keyrings } = given
  const statements = new Map(state.statements)
  for (const raw of proofs) {
    const device = await readDeviceStatement(net, raw)
    statements.set(toHex(device.id), device)
  }
  const { principal, kind, head: prev } = state
  const n = state.n + 1
  const floor = floorAfter(change.reason, n, state.floor)
  const made = await seal(net, { principal, kind, n, prev, change, floor, statements, acts }, held, signer)
  await acceptEntry(net, state, made.entry, proofs, made.envelopes, keyrings)
  return made
}

// ---------------------------------------------------------------- changes

const changed = (state: KeyringState, reason: string, part: Partial<Change>): Change => {
  const { devices } = latest(state)
  return { reason, devices, recovery: publicKey(state.recovery), sponsored: state.sponsored, ...part }
}

const publicKey = (key: RecoveryKey | null): RecoveryKey | null => key && { sig: key.sig, kem: key.kem }

/** Lists further devices. */
export const addition = (state: KeyringState, added: readonly Listed[]): Change =>
  changed(state, 'add', { devices: sortListed([...latest(state).devices, ...added]) })

/** Lists these devices no more. */
export const removal = (state: KeyringState, removed: readonly Bytes[]): Change =>
  changed(state, 'remove', {
    devices: latest(state).devices.filter(({ id }) => !removed.some((one) => equal(one, id))),
  })

/** Gives devices other roles. */
export const roleChange = (state: KeyringState, rows: readonly Listed[]): Change =>
  changed(state, 'role', {
    devices: sortListed(latest(state).devices.map((row) => rows.find(({ id }) => equal(id, row.id)) ?? row)),
  })

/** Nothing but the secrets: `rotate`, or `repair` after an alarm (K7). */
export const rotation = (state: KeyringState, reason: 'rotate' | 'repair' = 'rotate'): Change =>
  changed(state, reason, {})

/** Another recovery key. */
export const recoveryChange = (state: KeyringState, recovery: RecoveryKey): Change =>
  changed(state, 'recovery-key', { recovery: publicKey(recovery) })

/** The kit drops every device, lists new ones, and is itself replaced (K11). */
export const recoveryByKit = (
  state: KeyringState,
  devices: readonly Listed[],
  recovery: RecoveryKey,
): Change => changed(state, 'recover', { devices: sortListed(devices), recovery: publicKey(recovery) })

/** For whom the authority answers (K9). */
export const sponsoring = (state: KeyringState, sponsored: readonly Sponsored[]): Change =>
  changed(state, 'sponsor', {
    sponsored: [...sponsored].sort((a, b) => compare(a.practitioner, b.practitioner)),
  })

/** An `add` entry for devices whose statements name this principal. `secret`: that of the newest generation. */
export async function makeAddition(
  net: string,
  state: KeyringState,
  secret: Bytes,
  added: readonly { readonly statement: Bytes; readonly roles: readonly Role[] }[],
  signer: { author: Author; at: number },
): Promise<MadeEntry> {
  const listed = await Promise.all(
    added.map(async ({ statement, roles }) => ({ id: await sha256(statement), roles })),
  )
  const held = { of: state.n, secret }
  const statements = added.map(({ statement }) => statement)
  return makeEntry(net, state, addition(state, listed), { held, statements }, signer)
}
