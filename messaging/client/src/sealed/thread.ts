import { sortActs } from './acts.ts'
import {
  type Bytes,
  compare,
  context,
  contextHash,
  deriveKey,
  equal,
  hkdf,
  randomBytes,
  ZERO,
} from './encoding.ts'
import { makeEnvelopes, pickEnvelope, unwrapSecret, wrapSecret } from './envelopes.ts'
import { insist } from './errors.ts'
import type { Author } from './keyring.ts'
import { type KeyringState, latest } from './keyring_rules.ts'
import type { KemKey } from './keys.ts'
import { sign } from './statement.ts'
import type { Reason } from './thread_entry.ts'
import {
  acceptEntry,
  byOf,
  byValue,
  type Epoch,
  endOf,
  type Keyrings,
  type Member,
  memberOf,
  memberValues,
  type ThreadState,
  threadId,
} from './thread_rules.ts'

// ---------------------------------------------------------------- secrets

async function threadSecret(net: string, thread: Bytes, n: number, previous: Bytes | null): Promise<Bytes> {
  const salt = previous ? await deriveKey(net, previous, 'thread chain', thread, n) : ZERO
  return hkdf(randomBytes(32), salt, context(net, 'thread secret', thread, n))
}

const threadCommit = (net: string, thread: Bytes, n: number, secret: Bytes): Promise<Bytes> =>
  contextHash(net, 'thread commit', thread, n, secret)

type Place = Pick<Epoch, 'n' | 'prev' | 'commit' | 'author'>

function envelopeInfo(net: string, thread: Bytes, epoch: Place, to: Member): Bytes {
  const { n, prev, commit, author } = epoch
  return context(net, 'thread envelope', thread, n, prev, commit, to.principal, to.keyringHead, author)
}

/** T7: the secret of epoch `n` from the own envelope. `mailbox` gives the key of a keyring generation.
 *  @throws Refused cannot-open, wrong-commit */
export async function openEpoch(
  net: string,
  state: ThreadState,
  n: number,
  own: { principal: Bytes; envelopes: Bytes; mailbox: (keyringN: number) => Promise<KemKey> },
): Promise<Bytes> {
  const epoch = state.epochs[n] as Epoch
  const member = memberOf(epoch.members, own.principal)
  insist(member !== undefined, 'T2', 'not-a-member', 'the thread is not ours')
  const key = await own.mailbox(member.keyringN)
  const sealed = pickEnvelope('T1', own.envelopes, own.principal)
  const secret = await key.open(sealed, envelopeInfo(net, state.thread, epoch, member))
  const commit = await threadCommit(net, state.thread, n, secret)
  insist(equal(commit, epoch.commit), 'T7', 'wrong-commit', 'the envelope holds another secret') // T7
  return secret
}

/** T7: the secret before epoch `n`, through its history. @throws Refused wrong-history */
export async function openHistory(net: string, state: ThreadState, n: number, secret: Bytes): Promise<Bytes> {
  const { history } = state.epochs[n] as Epoch
  insist(history !== null, 'T7', 'wrong-history', 'there is nothing before')
  const older = await unwrapSecret(
    net,
    { purpose: 'thread history', subject: state.thread, n },
    secret,
    history,
  )
  const commit = older && (await threadCommit(net, state.thread, history.of, older))
  const isCommitted = commit !== null && equal(commit, state.epochs[history.of]?.commit ?? ZERO)
  insist(isCommitted && older !== null, 'T7', 'wrong-history', 'the history holds another secret') // T7
  return older
}

// ---------------------------------------------------------------- making entries

export interface MadeThreadEntry {
  readonly thread: Bytes
  readonly entry: Bytes
  readonly envelopes: Bytes
  readonly secret: Bytes
  readonly state: ThreadState
}

export interface ThreadSigner {
  readonly author: Author
  readonly at: number
  readonly by: KeyringState
  /** The newest verified keyrings of all members, the own one among them. */
  readonly members: readonly KeyringState[]
  /** Verified keyrings of those whose statements the entry carries; by default those of the members. */
  readonly keyrings?: Keyrings
}

/** What an entry after the genesis changes, and what it leads back to. `members`: those of the new epoch, their
 *  keyring places still to be brought up to date. `shared`: the newest epoch the author holds and shares. */
export interface Rekey {
  readonly reason: Reason
  readonly members: readonly Pick<Member, 'principal' | 'role' | 'mandate'>[]
  readonly shared: { readonly of: number; readonly secret: Bytes } | null
  readonly acts?: readonly Bytes[]
  /** The newest secret, where it is held but not shared. */
  readonly previous?: Bytes | null
}

const inOrder = <T extends { readonly principal: Bytes }>(members: readonly T[]): T[] =>
  [...members].sort((a, b) => compare(a.principal, b.principal))

const keyringOf = ({ members }: ThreadSigner, id: Bytes): KeyringState =>
  members.find(({ principal }) => equal(principal, id)) as KeyringState

interface Draft {
  readonly state: ThreadState | null
  /** Hedges the new secret. */
  readonly previous: Bytes | null
  readonly thread: Bytes
  readonly genesis: { readonly salt: Bytes; readonly kind: string; readonly link: Bytes | null } | null
  readonly members: readonly Member[]
  readonly rekey: Pick<Rekey, 'shared' | 'acts'> & { readonly reason: Reason | 'genesis' }
}

async function makeEntry(net: string, draft: Draft, signer: ThreadSigner): Promise<MadeThreadEntry> {
  const { state, thread, genesis, members, rekey } = draft
  const n = state ? state.n + 1 : 0
  const prev = state?.head ?? ZERO
  const secret = await threadSecret(net, thread, n, draft.previous)
  const commit = await threadCommit(net, thread, n, secret)
  const place = { n, prev, commit, author: signer.author.id }
  const recipients = members.map((member) => ({
    id: member.principal,
    kem: latest(keyringOf(signer, member.principal)).mailbox,
    info: envelopeInfo(net, thread, place, member),
  }))
  const { blob, sealed } = await makeEnvelopes(net, secret, recipients)
  const after = state ? endOf(state) : { seq: 0, hash: ZERO }
  const fields = {
    thread,
    n,
    prev,
    after: { seq: after.seq, hash: after.hash },
    salt: genesis?.salt ?? null,
    kind: genesis?.kind ?? null,
    link: genesis?.link ?? null,
    members: memberValues(members),
    by: byValue(byOf(signer.by)),
    commit,
    history:
      rekey.shared &&
      (await wrapSecret(net, { purpose: 'thread history', subject: thread, n }, secret, rekey.shared)),
    sealed,
    reason: rekey.reason,
    acts: await sortActs(rekey.acts ?? []),
  }
  const entry = await sign(net, 'thread', fields, {
    at: signer.at,
    kid: signer.author.id,
    key: signer.author.key,
  })
  const known: Keyrings = (id) => signer.members.find(({ principal }) => equal(principal, id)) ?? null
  const keyrings = signer.keyrings ?? known
  const accepted = await acceptEntry(net, state, entry, { envelopes: blob, keyrings, now: signer.at }) // what we refuse we do not send
  return { thread, entry, envelopes: blob, secret, state: accepted }
}

/** A thread between the principals of `signer.members`. `link`: of notes, the thread they belong to. */
export async function makeGenesis(
  net: string,
  signer: ThreadSigner,
  { kind, link }: { kind: string; link: Bytes | null } = { kind: 'case', link: null },
): Promise<MadeThreadEntry> {
  const salt = randomBytes(16)
  const members = inOrder(signer.members.map((keyring) => asMember(keyring, 'party')))
  const thread = await threadId(net, { salt, kind, link, members, author: signer.author.id })
  const rekey = { reason: 'genesis', shared: null } as const
  return makeEntry(
    net,
    { state: null, previous: null, thread, genesis: { salt, kind, link }, members, rekey },
    signer,
  )
}

const asMember = (
  { principal, n, head }: KeyringState,
  role: string,
  mandate: Bytes | null = null,
): Member => ({
  principal,
  keyringN: n,
  keyringHead: head,
  role,
  mandate,
})

/** The entry that begins a new epoch. */
export const makeChange = (
  net: string,
  state: ThreadState,
  rekey: Rekey,
  signer: ThreadSigner,
): Promise<MadeThreadEntry> => {
  const { shared } = rekey
  const previous = shared?.of === state.n ? shared.secret : (rekey.previous ?? null)
  const members = inOrder(
    rekey.members.map(({ principal, role, mandate }) =>
      asMember(keyringOf(signer, principal), role, mandate),
    ),
  )
  return makeEntry(net, { state, previous, thread: state.thread, genesis: null, members, rekey }, signer)
}

/** A new epoch with the same members at their newest keyring entries. `previous`: the secret of the newest epoch. */
export const makeRefresh = (
  net: string,
  state: ThreadState,
  previous: Bytes,
  signer: ThreadSigner,
): Promise<MadeThreadEntry> =>
  makeChange(
    net,
    state,
    { reason: 'refresh', members: state.members, shared: { of: state.n, secret: previous } },
    signer,
  )
