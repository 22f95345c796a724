import type { DeviceStatement } from './device.ts'
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
  type Value,
  type ValueMap,
  ZERO,
} from './encoding.ts'
import { type History, makeEnvelopes, pickEnvelope, readEnvelopes, readHistory } from './envelopes.ts'
import { insist } from './errors.ts'
import { type Author, type KeyringState, latest, listedAt } from './keyring.ts'
import { aeadOpen, aeadSeal, type KemKey } from './keys.ts'
import { Fields, isStrictlySorted, parse, sign, verify } from './statement.ts'

export interface Member {
  readonly principal: Bytes
  readonly keyringN: number
  readonly keyringHead: Bytes
  readonly role: string
}

/** A place on a principal's keyring: `{principal, n, head}`. */
export interface By {
  readonly principal: Bytes
  readonly n: number
  readonly head: Bytes
}

/** A place of the transcript: `{seq, hash}`; `{0, zero}` before the first item. */
export interface After {
  readonly seq: number
  readonly hash: Bytes
}

/** What one accepted entry says. */
export interface Epoch {
  readonly n: number
  readonly head: Bytes
  readonly prev: Bytes
  readonly author: Bytes
  readonly members: readonly Member[]
  readonly commit: Bytes
  readonly history: History | null
}

/** What a device has sent in this thread. */
export interface Writer {
  readonly counter: number
  /** Hash of its last accepted message. */
  readonly prev: Bytes
  /** Place of that message. */
  readonly seq: number
}

/** A thread verified to the transcript place `seq`. */
export interface ThreadState {
  readonly thread: Bytes
  readonly kind: string
  readonly n: number
  readonly head: Bytes
  readonly seq: number
  /** X_0 … X_seq. */
  readonly transcript: readonly Bytes[]
  /** Index = n. */
  readonly epochs: readonly Epoch[]
  readonly members: readonly Member[]
  readonly openedBy: Bytes
  /** By device id in hex. */
  readonly writers: ReadonlyMap<string, Writer>
  /** Highest keyring `n` seen of each principal, by its id in hex (M1). */
  readonly lowest: ReadonlyMap<string, number>
  /** Message ids in hex (M2), and those named as refused (M4). */
  readonly ids: ReadonlySet<string>
  readonly voided: ReadonlySet<string>
}

/** Verified keyrings by principal id. */
export type Keyrings = (principal: Bytes) => KeyringState | null

// ---------------------------------------------------------------- fields shared with messages

export function readBy(fields: Fields): By {
  const by = fields.map('by', ['principal', 'n', 'head'])
  return { principal: by.bytes('principal', 32), n: by.uint('n'), head: by.bytes('head', 32) }
}

export function readAfter(fields: Fields): After {
  const after = fields.map('after', ['seq', 'hash'])
  return { seq: after.uint('seq'), hash: after.bytes('hash', 32) }
}

/** The newest place of a keyring. */
export const byOf = ({ principal, n, head }: KeyringState): By => ({ principal, n, head })

const byValue = ({ principal, n, head }: By): ValueMap => ({ principal, n, head })

/** X_s = H("transcript", thread, s, X_{s-1}, item hash). */
export const nextTranscript = (net: string, thread: Bytes, after: After, item: Bytes): Promise<Bytes> =>
  contextHash(net, 'transcript', thread, after.seq + 1, after.hash, item)

/** X_0 = H("transcript", thread). */
export const firstTranscript = (net: string, thread: Bytes): Promise<Bytes> =>
  contextHash(net, 'transcript', thread)

/** The verified end of the thread. */
export const endOf = (state: ThreadState): After => ({
  seq: state.seq,
  hash: state.transcript[state.seq] as Bytes,
})

const memberOf = (members: readonly Member[], principal: Bytes): Member | undefined =>
  members.find((member) => equal(member.principal, principal))

/** T2, M1: the device that signs, by its principal's keyring at `by`; `by.n` never falls. */
export function checkAuthor(
  rule: 'T2' | 'M1',
  by: By,
  kid: Bytes,
  thread: { members: readonly Member[]; lowest: ReadonlyMap<string, number>; keyrings: Keyrings },
): DeviceStatement {
  const member = memberOf(thread.members, by.principal)
  insist(member?.role === 'party', rule, 'not-a-member', 'the author is no party of this thread')
  const keyring = thread.keyrings(by.principal)
  const generation = keyring?.generations[by.n]
  const isOnChain = keyring && generation && equal(generation.head, by.head)
  insist(isOnChain === true, rule, 'stale-author-keyring', "the author's keyring entry is not on its chain")
  const device = listedAt(keyring as KeyringState, by.n, kid)
  insist(device !== null, rule, 'unlisted-device', 'the device is not listed in that entry')
  const least = Math.max(member.keyringN, thread.lowest.get(toHex(by.principal)) ?? 0)
  insist(by.n >= least, rule, 'author-keyring-fell', "the author's keyring entry is older than one before")
  return device
}

// ---------------------------------------------------------------- reading an entry

interface Entry extends Omit<Epoch, 'head' | 'author'> {
  readonly thread: Bytes
  readonly after: After
  readonly salt: Bytes | null
  readonly kind: string | null
  readonly by: By
  readonly sealed: Bytes
}

function readMember(value: Value): Member {
  const fields = new Fields(value, ['principal', 'keyring_n', 'keyring_head', 'role', 'mandate'])
  insist(fields.text('role') === 'party', 'T3', 'unknown-role', 'a member of an unknown role')
  insist(fields.isNull('mandate'), 'T3', 'unknown-field-value', 'mandates are not known')
  return {
    principal: fields.bytes('principal', 32),
    keyringN: fields.uint('keyring_n'),
    keyringHead: fields.bytes('keyring_head', 32),
    role: 'party',
  }
}

/** T3: what this part of S1 does not know is refused. */
function refuseLaterParts(fields: Fields): void {
  const isGenesis = fields.uint('n') === 0
  const reason = isGenesis ? 'genesis' : 'refresh'
  insist(fields.text('reason') === reason, 'T3', 'unknown-reason', 'an unknown reason, or not of this place')
  insist(fields.list('acts').length === 0, 'T3', 'unknown-act', 'an unknown act')
  if (isGenesis) {
    insist(fields.textOrNull('kind') === 'case', 'T3', 'unknown-kind', 'a thread of an unknown kind')
    insist(fields.isNull('link'), 'T3', 'unknown-field-value', 'linked threads are not known')
    return
  }
  const isPlain = fields.isNull('kind') && fields.isNull('salt') && fields.isNull('link')
  insist(isPlain, 'T2', 'unexpected-change', 'salt, kind and link belong to the genesis')
}

function readEntry(fields: Fields): Entry {
  refuseLaterParts(fields)
  return {
    thread: fields.bytes('thread', 32),
    n: fields.uint('n'),
    prev: fields.bytes('prev', 32),
    after: readAfter(fields),
    salt: fields.bytesOrNull('salt', 16),
    kind: fields.textOrNull('kind'),
    members: fields.list('members').map(readMember),
    by: readBy(fields),
    commit: fields.bytes('commit', 32),
    history: readHistory(fields, 'T6'),
    sealed: fields.bytes('sealed', 32),
  }
}

// ---------------------------------------------------------------- the rules

/** T1: the next `n` on the head known, signed at the end of the transcript. */
function checkPlace(state: ThreadState | null, entry: Entry): void {
  const n = state === null ? 0 : state.n + 1
  insist(entry.n >= n, 'T1', 'stale-epoch', 'another entry has this place')
  insist(entry.n === n, 'T1', 'missing-entry', 'an entry is missing before this one')
  const isNext = equal(entry.prev, state?.head ?? ZERO) && (!state || equal(entry.thread, state.thread))
  insist(isNext, 'T1', 'wrong-predecessor', 'the entry before is another one')
  const end = state ? endOf(state) : { seq: 0, hash: ZERO }
  const isAtEnd = entry.after.seq === end.seq && equal(entry.after.hash, end.hash)
  insist(isAtEnd, 'T1', 'stale-transcript', 'the entry was signed at another end of the transcript')
}

/** T1, T3: who is in it, and at which places of their keyrings. */
function checkMembers(state: ThreadState | null, members: readonly Member[], keyrings: Keyrings): void {
  const isSorted = isStrictlySorted(members.map(({ principal }) => principal))
  const isCounted = members.length === 1 || members.length === 2
  insist(isSorted && isCounted, 'T3', 'wrong-members', 'one or two parties, sorted')
  for (const member of members) {
    const keyring = keyrings(member.principal)
    const isKnown = keyring && equal(keyring.generations[member.keyringN]?.head ?? ZERO, member.keyringHead)
    insist(isKnown === true, 'T1', 'unknown-member-keyring', "a member's keyring entry is not on its chain")
    insist(keyring?.kind === 'authority', 'T3', 'not-an-authority', 'a party is an authority')
  }
  if (!state) return
  const isSame =
    members.length === state.members.length &&
    members.every((member, i) => {
      const before = state.members[i] as Member
      return equal(before.principal, member.principal) && before.keyringN <= member.keyringN
    })
  insist(isSame, 'T2', 'unexpected-change', 'a refresh keeps the members and never goes back')
}

const memberValue = ({ principal, keyringN, keyringHead, role }: Member): ValueMap => ({
  principal,
  keyring_n: keyringN,
  keyring_head: keyringHead,
  role,
  mandate: null,
})

const threadId = (
  net: string,
  salt: Bytes | null,
  members: readonly Member[],
  author: Bytes,
): Promise<Bytes> => contextHash(net, 'thread', salt, 'case', null, members.map(memberValue), author)

/** The thread with one more entry. `state` null: a genesis. `envelopes` null: not given.
 *  @throws Refused E1, E2, T1 to T3, T6 */
export async function acceptEntry(
  net: string,
  state: ThreadState | null,
  raw: Bytes,
  { envelopes, keyrings }: { envelopes: Bytes | null; keyrings: Keyrings },
): Promise<ThreadState> {
  const statement = await parse(net, raw, 'thread')
  const entry = readEntry(statement.fields)
  const { thread, n, prev, members, by, commit, history } = entry
  checkPlace(state, entry) // T1
  checkMembers(state, members, keyrings) // T1, T3
  const lowest = new Map(state?.lowest ?? [])
  const author = checkAuthor('T2', by, statement.kid, { members, lowest, keyrings }) // T2
  await verify(statement, author.sig, net) // T2
  if (!state) {
    const id = await threadId(net, entry.salt, members, author.id)
    insist(entry.salt !== null && equal(id, thread), 'T3', 'wrong-thread', 'the thread id is another one') // T3
  }
  const recipients = members.map(({ principal }) => principal)
  if (envelopes) await readEnvelopes(net, envelopes, { recipients, sealed: entry.sealed, rule: 'T1' }) // T1
  const epoch = { n, head: statement.hash, prev, author: author.id, members, commit, history }
  const before = state ?? (await emptyThread(net, thread, by.principal))
  const next = await appendItem(net, before, statement.hash, by)
  return { ...next, n, head: epoch.head, members, epochs: [...before.epochs, epoch] }
}

async function emptyThread(net: string, thread: Bytes, openedBy: Bytes): Promise<ThreadState> {
  return {
    thread,
    kind: 'case',
    n: 0,
    head: ZERO,
    seq: 0,
    transcript: [await firstTranscript(net, thread)],
    epochs: [],
    members: [],
    openedBy,
    writers: new Map(),
    lowest: new Map(),
    ids: new Set(),
    voided: new Set(),
  }
}

/** One more item in the transcript, by `by`. */
export async function appendItem(net: string, state: ThreadState, item: Bytes, by: By): Promise<ThreadState> {
  const hash = await nextTranscript(net, state.thread, endOf(state), item)
  const lowest = new Map(state.lowest).set(toHex(by.principal), by.n)
  return { ...state, seq: state.seq + 1, transcript: [...state.transcript, hash], lowest }
}

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
  const sealed = pickEnvelope(own.envelopes, own.principal)
  const secret = await key.open(sealed, envelopeInfo(net, state.thread, epoch, member))
  const commit = await threadCommit(net, state.thread, n, secret)
  insist(equal(commit, epoch.commit), 'T7', 'wrong-commit', 'the envelope holds another secret') // T7
  return secret
}

/** T7: the secret before epoch `n`, through its history. @throws Refused wrong-history */
export async function openHistory(net: string, state: ThreadState, n: number, secret: Bytes): Promise<Bytes> {
  const { history } = state.epochs[n] as Epoch
  insist(history !== null, 'T7', 'wrong-history', 'there is nothing before')
  const key = await deriveKey(net, secret, 'thread history', state.thread, n)
  const aad = context(net, 'thread history', state.thread, n, history.of)
  const older = await aeadOpen(key, history.wrap, aad).catch(() => null)
  const commit = older && (await threadCommit(net, state.thread, history.of, older))
  const isCommitted = older && commit && equal(commit, state.epochs[history.of]?.commit ?? ZERO)
  insist(isCommitted === true, 'T7', 'wrong-history', 'the history holds another secret') // T7
  return older as Bytes
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

async function wrapHistory(net: string, draft: Draft, n: number, secret: Bytes): Promise<ValueMap | null> {
  if (!draft.previous) return null
  const key = await deriveKey(net, secret, 'thread history', draft.thread, n)
  const aad = context(net, 'thread history', draft.thread, n, n - 1)
  return { of: n - 1, wrap: await aeadSeal(key, draft.previous, aad) }
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
    members: members.map(memberValue),
    by: byValue(byOf(signer.by)),
    commit,
    history: await wrapHistory(net, draft, n, secret),
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
  const thread = await threadId(net, salt, members, signer.author.id)
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
