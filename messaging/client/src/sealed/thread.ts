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

function envelopeInfo(net: string, thread: Bytes, epoch: Omit<Epoch, 'head' | 'history'>, to: Member): Bytes {
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
}

const asMember = ({ principal, n, head }: KeyringState): Member => ({
  principal,
  keyringN: n,
  keyringHead: head,
  role: 'party',
})

interface Draft {
  readonly state: ThreadState | null
  readonly previous: Bytes | null
  readonly thread: Bytes
  readonly salt: Bytes | null
  readonly members: readonly Member[]
}

async function makeEntry(net: string, draft: Draft, signer: ThreadSigner): Promise<MadeThreadEntry> {
  const { state, thread, salt, members } = draft
  const n = state ? state.n + 1 : 0
  const prev = state?.head ?? ZERO
  const secret = await threadSecret(net, thread, n, draft.previous)
  const commit = await threadCommit(net, thread, n, secret)
  const place = { n, prev, commit, author: signer.author.id, members }
  const recipients = members.map((member) => ({
    id: member.principal,
    kem: latest(signer.members.find(({ principal }) => equal(principal, member.principal)) as KeyringState)
      .mailbox,
    info: envelopeInfo(net, thread, place, member),
  }))
  const { blob, sealed } = await makeEnvelopes(net, secret, recipients)
  const after = state ? endOf(state) : { seq: 0, hash: ZERO }
  const fields = {
    thread,
    n,
    prev,
    after: { seq: after.seq, hash: after.hash },
    salt,
    kind: state ? null : 'case',
    link: null,
    members: memberValues(members),
    by: byValue(byOf(signer.by)),
    commit,
    history:
      draft.previous &&
      (await wrapSecret(net, { purpose: 'thread history', subject: thread, n }, secret, {
        of: n - 1,
        secret: draft.previous,
      })),
    sealed,
    reason: state ? 'refresh' : 'genesis',
    acts: [],
  }
  const entry = await sign(net, 'thread', fields, {
    at: signer.at,
    kid: signer.author.id,
    key: signer.author.key,
  })
  const keyrings: Keyrings = (id) => signer.members.find(({ principal }) => equal(principal, id)) ?? null
  const accepted = await acceptEntry(net, state, entry, { envelopes: blob, keyrings }) // what we refuse we do not send
  return { thread, entry, envelopes: blob, secret, state: accepted }
}

/** A `case` thread between the principals of `signer.members`. */
export async function makeGenesis(net: string, signer: ThreadSigner): Promise<MadeThreadEntry> {
  const salt = randomBytes(16)
  const members = signer.members.map(asMember).sort((a, b) => compare(a.principal, b.principal))
  const thread = await threadId(net, { salt, kind: 'case', members, author: signer.author.id })
  return makeEntry(net, { state: null, previous: null, thread, salt, members }, signer)
}

/** A new epoch with the same members at their newest keyring entries. `previous`: the secret of the newest epoch. */
export const makeRefresh = (
  net: string,
  state: ThreadState,
  previous: Bytes,
  signer: ThreadSigner,
): Promise<MadeThreadEntry> => {
  const members = signer.members.map(asMember).sort((a, b) => compare(a.principal, b.principal))
  return makeEntry(net, { state, previous, thread: state.thread, salt: null, members }, signer)
}
