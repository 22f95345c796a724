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
  toHex,
  ZERO,
} from './encoding.ts'
import { makeEnvelopes, pickEnvelope, unwrapSecret, wrapSecret } from './envelopes.ts'
import { insist } from './errors.ts'
import {
  acceptEntry,
  type Generation,
  type KeyringState,
  type Listed,
  latest,
  principalId,
  type Role,
  rows,
} from './keyring_rules.ts'
import { KemKey, type SigningKey } from './keys.ts'
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
  const history = previous
    ? await wrapSecret(net, { purpose: 'keyring history', subject: principal, n }, secret, {
        of: n - 1,
        secret: previous,
      })
    : null
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
