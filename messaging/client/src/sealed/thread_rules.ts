import type { DeviceStatement } from './device.ts'
import { type Bytes, contextHash, equal, toHex, ZERO } from './encoding.ts'
import { checkEnvelopes } from './envelopes.ts'
import { insist } from './errors.ts'
import { isAnsweredFor } from './keyring_acts.ts'
import { listedAt, type Role } from './keyring_rules.ts'
import { isInForce, readWithdrawal, type Withdrawal } from './mandate.ts'
import { type After, type By, byOf, byValue, readAfter, readBy } from './places.ts'
import { isStrictlySorted, parse, typeOf, verify } from './statement.ts'
import { Change } from './thread_changes.ts'
import {
  type Entry,
  type Epoch,
  type Keyrings,
  KINDS,
  type Member,
  MessageIds,
  memberOf,
  memberValues,
  OWN_KINDS,
  REASONS,
  ROLES,
  readEntry,
  type ThreadState,
  threadId,
  WRITING_ROLES,
  type Writer,
} from './thread_entry.ts'

export {
  type After,
  type By,
  byOf,
  byValue,
  type Epoch,
  type Keyrings,
  type Member,
  memberOf,
  memberValues,
  readAfter,
  readBy,
  type ThreadState,
  threadId,
  type Writer,
}

/** Parties of a new correspondence. */
const PARTIES_LIMIT = 2
const MEMBERS_LIMIT = 16

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

/** The practitioners whose mandate has ended by `now` (T5). */
export const endedMembers = (state: ThreadState, now: number): Member[] =>
  state.members.filter(({ role, mandate }) => {
    const terms = state.mandates.get(toHex(mandate ?? new Uint8Array()))
    return role === 'practitioner' && !(terms && isInForce(terms, now))
  })

/** The practitioners whom the next entry has to drop: their mandate (T5) or sponsor (K9) has ended by `now`. */
export function mustGo(state: ThreadState, keyrings: Keyrings, now: number): Member[] {
  const ended = endedMembers(state, now)
  return state.members.filter((member) => {
    const practitioner = member.role === 'practitioner' ? keyrings(member.principal) : null
    const isOut =
      member.role === 'practitioner' && !(practitioner && isAnsweredFor(practitioner, keyrings, now))
    return isOut || ended.includes(member)
  })
}

/** T2, T5, M1: the device that signs, as its principal's keyring lists it at `by`; `by.n` never falls. */
export function checkAuthor(
  rule: 'T2' | 'T5' | 'M1',
  by: By,
  kid: Bytes,
  thread: { members: readonly Member[]; lowest: ReadonlyMap<string, number>; keyrings: Keyrings },
): DeviceStatement & { readonly roles: readonly Role[] } {
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

/** T3: known words, at least one party, sorted. */
function checkTerms({ reason, kind, members }: Entry): void {
  insist(REASONS.includes(reason), 'T3', 'unknown-reason', 'an entry of an unknown reason')
  insist(kind === null || KINDS.includes(kind), 'T3', 'unknown-kind', 'a thread of an unknown kind')
  const areRoles = members.every(({ role }) => ROLES.includes(role))
  insist(areRoles, 'T3', 'unknown-role', 'a member of an unknown role')
  const areFit = members.every(({ role, mandate }) => (role === 'practitioner') === (mandate !== null))
  insist(areFit, 'T3', 'unknown-field-value', 'a practitioner has a mandate, nobody else does')
  const isSorted = isStrictlySorted(members.map(({ principal }) => principal))
  const hasParty = members.some(({ role }) => role === 'party') && members.length <= MEMBERS_LIMIT
  insist(isSorted && hasParty, 'T3', 'wrong-members', 'at least one party, sorted, none twice, at most 16')
}

/** T1, T3: party and observer are authorities, at places that lie on their keyrings. */
function checkMembers(members: readonly Member[], keyrings: Keyrings): void {
  for (const member of members) {
    const keyring = keyrings(member.principal)
    const kind = member.role === 'practitioner' ? 'practitioner' : 'authority'
    const isOfKind = keyring === null || keyring.kind === kind
    insist(isOfKind, 'T3', 'not-an-authority', 'party and observer are authorities, nobody else is')
    const isOnChain = equal(keyring?.generations[member.keyringN]?.head ?? ZERO, member.keyringHead)
    insist(
      isOnChain && keyring !== null,
      'T1',
      'unknown-member-keyring',
      "a member's entry is not on its keyring",
    )
  }
}

/** T2: a device of a party; a refresh or repair is any writer's. Who leaves is no member afterwards. */
function checkEntryAuthor(state: ThreadState | null, entry: Entry, keyrings: Keyrings) {
  const { principal } = entry.by
  const was = memberOf(state?.members ?? entry.members, principal)
  const author = was && (memberOf(entry.members, principal) ?? was)
  const lowest = state?.lowest ?? new Map<string, number>()
  const place = { members: author ? [author] : [], lowest, keyrings }
  const device = checkAuthor('T2', entry.by, entry.statement.kid, place) // T2
  const isWide = entry.reason === 'refresh' || entry.reason === 'repair'
  const isAllowed = isWide ? WRITING_ROLES.includes(was?.role ?? '') : was?.role === 'party'
  insist(isAllowed, 'T2', 'not-a-party', 'only a party changes who is in a thread') // T2
  return device
}

async function checkGenesis(net: string, entry: Entry, author: Bytes): Promise<void> {
  const { reason, salt, kind, link, members } = entry
  const isGenesis = reason === 'genesis' && salt !== null && kind !== null
  insist(isGenesis, 'T2', 'unexpected-change', 'a genesis comes first and has a salt and a kind')
  insist(entry.history === null, 'T6', 'bad-history', 'a genesis has no history')
  const most = OWN_KINDS.includes(kind) ? 1 : PARTIES_LIMIT
  const areParties = members.length <= most && members.every(({ role }) => role === 'party')
  insist(areParties, 'T3', 'wrong-members', 'one or two parties; for itself an authority writes alone')
  const isLinked = !OWN_KINDS.includes(kind) || (link === null) === (kind === 'ledger')
  insist(isLinked, 'T3', 'wrong-link', 'notes belong to a thread, a ledger to none')
  insist(entry.acts.length === 0, 'T3', 'unknown-act', 'a genesis rests on nothing')
  const id = await threadId(net, { salt, kind, link, members, author })
  insist(equal(id, entry.thread), 'T3', 'wrong-thread', 'the id does not follow from the genesis')
}

/** The thread with one more entry. `state` null: a genesis. `envelopes` null: not given. `now`: when the server
 *  received it, against which consents and mandates are judged. @throws Refused E1, E2, T1 to T6, T9, T10 */
export async function acceptEntry(
  net: string,
  state: ThreadState | null,
  raw: Bytes,
  { envelopes, keyrings, now }: { envelopes: Bytes | null; keyrings: Keyrings; now: number },
): Promise<ThreadState> {
  const entry = await readEntry(net, raw)
  const { statement, n, prev, members, by, commit, history, reason } = entry
  checkPlace(state, entry) // T1
  checkTerms(entry) // T3
  checkMembers(members, keyrings) // T1, T3
  const author = checkEntryAuthor(state, entry, keyrings) // T2
  await verify(statement, author.sig, net) // T2
  const change = state && new Change(net, state, entry, { keyrings, now })
  if (change)
    await change.check() // T2, T3, T5, T6, T9, T10
  else await checkGenesis(net, entry, author.id) // T2, T3, T6
  const recipients = members.map(({ principal }) => principal)
  if (envelopes) await checkEnvelopes(net, envelopes, { recipients, sealed: entry.sealed, rule: 'T1' }) // T1
  const epoch = { n, head: statement.hash, prev, author: author.id, members, commit, history, reason }
  const before = state ?? (await emptyThread(net, entry))
  const next = await appendItem(net, before, { item: statement.hash, by, id: null })
  const isLeft = !memberOf(members, by.principal)
  const used = change ? usedBy(before, change) : {}
  const after = { ...next, ...used, n, head: epoch.head, members, isLeft, epochs: [...before.epochs, epoch] }
  const areAllIn = endedMembers(after, now).length === 0
  insist(areAllIn, 'T5', 'mandate-ended', 'a practitioner whose mandate has ended must be dropped') // T5
  return after
}

/** T3: what an entry has used up. */
function usedBy(state: ThreadState, change: Change): Pick<ThreadState, 'spent' | 'mandates'> {
  const { mandates, consents } = change
  const hashes = consents.map(({ statement }) => toHex(statement.hash))
  return {
    spent: new Set([...state.spent, ...hashes, ...mandates.keys()]),
    mandates: new Map([...state.mandates, ...mandates]),
  }
}

async function emptyThread(net: string, { thread, kind, link, by }: Entry): Promise<ThreadState> {
  return {
    thread,
    kind: kind ?? '',
    link,
    n: 0,
    head: ZERO,
    seq: 0,
    transcript: [await firstTranscript(net, thread)],
    epochs: [],
    members: [],
    openedBy: by.principal,
    lastBy: by.principal,
    writers: new Map(),
    lowest: new Map(),
    ids: new MessageIds(),
    voided: new Set(),
    spent: new Set(),
    mandates: new Map(),
    isLeft: false,
    case: null,
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

/** T5: the thread after the withdrawal of a mandate, which is an item of it, and final.
 *  @throws Refused E1, E2, wrong-thread, unknown-mandate, mandate-ended, not-a-supervisor, wrong-transcript */
export async function acceptWithdrawal(
  net: string,
  state: ThreadState,
  raw: Bytes,
  keyrings: Keyrings,
): Promise<{ state: ThreadState; withdrawal: Withdrawal }> {
  const withdrawal = await readWithdrawal(net, raw)
  const { statement, by, of, after } = withdrawal
  insist(equal(withdrawal.thread, state.thread), 'T5', 'wrong-thread', 'of another thread') // T5
  const members = state.members.filter(({ role }) => role === 'party')
  const author = checkAuthor('T5', by, statement.kid, { members, lowest: state.lowest, keyrings }) // T5
  const isSupervisor = author.roles.includes('supervisor')
  insist(isSupervisor, 'T5', 'not-a-supervisor', 'only a supervisor withdraws a mandate') // T5
  await verify(statement, author.sig, net)
  const terms = state.mandates.get(toHex(of))
  insist(terms !== undefined, 'T5', 'unknown-mandate', 'no such mandate is in force here') // T5
  insist(!terms.isWithdrawn, 'T5', 'mandate-ended', 'the mandate was withdrawn before') // T5
  const seen = after.seq >= 1 ? state.transcript[after.seq] : undefined
  const isOurs = seen !== undefined && equal(seen, after.hash)
  insist(isOurs, 'T5', 'wrong-transcript', 'the author saw another transcript') // T5
  const next = await appendItem(net, state, { item: statement.hash, by, id: null })
  const mandates = new Map(state.mandates).set(toHex(of), { ...terms, isWithdrawn: true })
  return { state: { ...next, mandates }, withdrawal }
}

/** The keyring places that an item names, before anything of it is verified. */
export async function readPlaces(
  net: string,
  raw: Bytes,
  type: 'entry' | 'message' | 'withdrawal',
): Promise<{ principal: Bytes; n: number }[]> {
  if (type === 'message') return [readBy((await parse(net, raw, 'message')).fields)]
  if (type === 'withdrawal') return [readBy((await parse(net, raw, 'mandate-withdrawal')).fields)]
  const { by, members, acts } = await readEntry(net, raw)
  const signers = await Promise.all(acts.map((act) => readSigner(net, act)))
  return [by, ...signers, ...members.map(({ principal, keyringN }) => ({ principal, n: keyringN }))]
}

async function readSigner(net: string, act: Bytes): Promise<By> {
  const type = typeOf(act) as 'accept' | 'confirm' | 'consent' | 'mandate'
  return readBy((await parse(net, act, type)).fields)
}
