import type { DeviceStatement } from './device.ts'
import { type Bytes, contextHash, equal, toHex, type Value, type ValueMap, ZERO } from './encoding.ts'
import { checkEnvelopes, type History, readHistory } from './envelopes.ts'
import { insist } from './errors.ts'
import { type KeyringState, listedAt } from './keyring_rules.ts'
import { Fields, isStrictlySorted, parse, verify } from './statement.ts'

const KINDS = ['case']
const REASONS = ['genesis', 'refresh']

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

/** The message ids of a thread, one list for all its states, so that no item copies it. A state of place `seq`
 *  knows what stands up to there; what was tried at a later place is overwritten by what came to stand there. */
export class MessageIds {
  readonly #places = new Map<string, number>()
  readonly #ids: (string | null)[] = []

  has(id: string, seq: number): boolean {
    const place = this.#places.get(id)
    return place !== undefined && place <= seq && this.#ids[place] === id
  }

  /** `id` null: an entry stands there. */
  put(seq: number, id: string | null): void {
    this.#ids[seq] = id
    if (id !== null) this.#places.set(id, seq)
  }
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
  /** Principal of the newest item. */
  readonly lastBy: Bytes
  /** By device id in hex. */
  readonly writers: ReadonlyMap<string, Writer>
  /** Highest keyring `n` seen of each principal, by its id in hex (M1). */
  readonly lowest: ReadonlyMap<string, number>
  /** Message ids by place (M2), and in hex those named as refused (M4). */
  readonly ids: MessageIds
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

export const byValue = ({ principal, n, head }: By): ValueMap => ({ principal, n, head })

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

export const memberOf = (members: readonly Member[], principal: Bytes): Member | undefined =>
  members.find((member) => equal(member.principal, principal))

/** T2, M1: the device that signs, as its principal's keyring lists it at `by`; `by.n` never falls. */
export function checkAuthor(
  rule: 'T2' | 'M1',
  by: By,
  kid: Bytes,
  thread: { members: readonly Member[]; lowest: ReadonlyMap<string, number>; keyrings: Keyrings },
): DeviceStatement {
  const member = memberOf(thread.members, by.principal)
  insist(member !== undefined, rule, 'not-a-member', "the author's principal is not in the thread")
  const keyring = thread.keyrings(by.principal)
  const head = keyring?.generations[by.n]?.head
  const isOnChain = keyring !== null && head !== undefined && equal(head, by.head)
  insist(isOnChain, rule, 'stale-author-keyring', "the author's entry does not lie on its keyring")
  const least = Math.max(member.keyringN, thread.lowest.get(toHex(by.principal)) ?? 0)
  insist(by.n >= least, rule, 'author-keyring-fell', "the author's entry is older than one before")
  const device = listedAt(keyring, by.n, kid)
  insist(device !== null, rule, 'unlisted-device', 'the device is not listed in that entry')
  return device
}

interface Entry extends Omit<Epoch, 'head' | 'author'> {
  readonly thread: Bytes
  readonly after: After
  readonly salt: Bytes | null
  readonly kind: string | null
  readonly by: By
  readonly sealed: Bytes
  readonly reason: string
}

function readMember(value: Value): Member {
  const fields = new Fields(value, ['principal', 'keyring_n', 'keyring_head', 'role', 'mandate'])
  insist(fields.isNull('mandate'), 'T3', 'unknown-field-value', 'mandate must be null')
  return {
    principal: fields.bytes('principal', 32),
    keyringN: fields.uint('keyring_n'),
    keyringHead: fields.bytes('keyring_head', 32),
    role: fields.text('role'),
  }
}

function readEntry(fields: Fields): Entry {
  insist(fields.isNull('link'), 'T3', 'unknown-field-value', 'link must be null')
  insist(fields.list('acts').length === 0, 'T3', 'unknown-act', 'acts must be empty')
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
    history: readHistory(fields),
    sealed: fields.bytes('sealed', 32),
    reason: fields.text('reason'),
  }
}

/** T1: the next `n` on the head known, signed at the end of the transcript. */
function checkPlace(state: ThreadState | null, entry: Entry): void {
  const n = state === null ? 0 : state.n + 1
  insist(entry.n >= n, 'T1', 'stale-epoch', 'another entry already stands at this place')
  insist(entry.n === n, 'T1', 'missing-entry', 'an entry before this one is missing')
  const isNext = equal(entry.prev, state?.head ?? ZERO) && (!state || equal(entry.thread, state.thread))
  insist(isNext, 'T1', 'wrong-predecessor', 'the entry does not follow the newest one')
  const end = state ? endOf(state) : { seq: 0, hash: ZERO }
  const isAtEnd = entry.after.seq === end.seq && equal(entry.after.hash, end.hash)
  insist(isAtEnd, 'T1', 'stale-transcript', 'the author had not seen the thread to its end')
}

/** T3: words that this part knows, one or two parties. */
function checkTerms({ reason, kind, members }: Entry): void {
  insist(REASONS.includes(reason), 'T3', 'unknown-reason', 'an entry of an unknown reason')
  insist(kind === null || KINDS.includes(kind), 'T3', 'unknown-kind', 'a thread of an unknown kind')
  insist(
    members.every(({ role }) => role === 'party'),
    'T3',
    'unknown-role',
    'a member of an unknown role',
  )
  const isSorted = isStrictlySorted(members.map(({ principal }) => principal))
  const isCounted = members.length === 1 || members.length === 2
  insist(isSorted && isCounted, 'T3', 'wrong-members', 'one or two parties, sorted, none twice')
}

/** T1, T3: the members are authorities, at places that lie on their keyrings. */
function checkMembers(members: readonly Member[], keyrings: Keyrings): void {
  for (const member of members) {
    const keyring = keyrings(member.principal)
    const isAuthority = keyring === null || keyring.kind === 'authority'
    insist(isAuthority, 'T3', 'not-an-authority', 'only authorities can be in a thread')
    const isOnChain = equal(keyring?.generations[member.keyringN]?.head ?? ZERO, member.keyringHead)
    insist(
      isOnChain && keyring !== null,
      'T1',
      'unknown-member-keyring',
      "a member's entry is not on its keyring",
    )
  }
}

const memberValue = ({ principal, keyringN, keyringHead, role }: Member): ValueMap => ({
  principal,
  keyring_n: keyringN,
  keyring_head: keyringHead,
  role,
  mandate: null,
})

export const memberValues = (members: readonly Member[]): Value => members.map(memberValue)

export const threadId = (
  net: string,
  { salt, kind, members, author }: { salt: Bytes; kind: string; members: readonly Member[]; author: Bytes },
): Promise<Bytes> => contextHash(net, 'thread', salt, kind, null, memberValues(members), author)

async function checkGenesis(net: string, entry: Entry, author: Bytes): Promise<void> {
  const { reason, salt, kind, members } = entry
  const isGenesis = reason === 'genesis' && salt !== null && kind !== null
  insist(isGenesis, 'T2', 'unexpected-change', 'a genesis comes first and has a salt and a kind')
  insist(entry.history === null, 'T6', 'bad-history', 'a genesis has no history')
  const id = await threadId(net, { salt, kind, members, author })
  insist(equal(id, entry.thread), 'T3', 'wrong-thread', 'the id does not follow from the genesis')
}

/** T2, T6: a refresh keeps the members, goes back on no keyring and leads to the epoch before. */
function checkRefresh(state: ThreadState, { reason, salt, kind, members, history, n }: Entry): void {
  const isRefresh = reason === 'refresh' && salt === null && kind === null
  insist(isRefresh, 'T2', 'unexpected-change', 'salt and kind belong to the genesis')
  const isSame =
    members.length === state.members.length &&
    members.every((member, i) => {
      const before = state.members[i] as Member
      return equal(before.principal, member.principal) && before.keyringN <= member.keyringN
    })
  insist(isSame, 'T2', 'unexpected-change', 'a refresh changes no member and falls on no keyring')
  insist(history?.of === n - 1, 'T6', 'bad-history', 'the history leads to the entry before')
}

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
  checkTerms(entry) // T3
  checkMembers(members, keyrings) // T1, T3
  const place = { members, lowest: state?.lowest ?? new Map<string, number>(), keyrings }
  const author = checkAuthor('T2', by, statement.kid, place) // T2
  await verify(statement, author.sig, net) // T2
  if (state)
    checkRefresh(state, entry) // T2, T6
  else await checkGenesis(net, entry, author.id) // T2, T3, T6
  const recipients = members.map(({ principal }) => principal)
  if (envelopes) await checkEnvelopes(net, envelopes, { recipients, sealed: entry.sealed, rule: 'T1' }) // T1
  const epoch = { n, head: statement.hash, prev, author: author.id, members, commit, history }
  const before = state ?? (await emptyThread(net, thread, entry.kind ?? '', by.principal))
  const next = await appendItem(net, before, { item: statement.hash, by, id: null })
  return { ...next, n, head: epoch.head, members, epochs: [...before.epochs, epoch] }
}

async function emptyThread(net: string, thread: Bytes, kind: string, openedBy: Bytes): Promise<ThreadState> {
  return {
    thread,
    kind,
    n: 0,
    head: ZERO,
    seq: 0,
    transcript: [await firstTranscript(net, thread)],
    epochs: [],
    members: [],
    openedBy,
    lastBy: openedBy,
    writers: new Map(),
    lowest: new Map(),
    ids: new MessageIds(),
    voided: new Set(),
  }
}

/** One more item in the transcript, by `by`; `id` of a message. */
export async function appendItem(
  net: string,
  state: ThreadState,
  { item, by, id }: { item: Bytes; by: By; id: string | null },
): Promise<ThreadState> {
  state.ids.put(state.seq + 1, id)
  const hash = await nextTranscript(net, state.thread, endOf(state), item)
  const lowest = new Map(state.lowest).set(toHex(by.principal), by.n)
  return {
    ...state,
    seq: state.seq + 1,
    transcript: [...state.transcript, hash],
    lowest,
    lastBy: by.principal,
  }
}

/** The keyring places that an item names, before anything of it is verified. */
export async function readPlaces(
  net: string,
  raw: Bytes,
  type: 'thread' | 'message',
): Promise<{ principal: Bytes; n: number }[]> {
  const { fields } = await parse(net, raw, type)
  const members = type === 'thread' ? fields.list('members').map(readMember) : []
  return [readBy(fields), ...members.map(({ principal, keyringN }) => ({ principal, n: keyringN }))]
}
