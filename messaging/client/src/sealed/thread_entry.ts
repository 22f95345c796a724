import { readActs } from './acts.ts'
import { type Bytes, contextHash, equal, type Value, type ValueMap } from './encoding.ts'
import { type History, readHistory } from './envelopes.ts'
import type { KeyringState } from './keyring_rules.ts'
import type { MandateTerms } from './mandate.ts'
import { type After, type By, readAfter, readBy } from './places.ts'
import { Fields, parse, type Statement } from './statement.ts'
import type { Case } from './steps.ts'

/** What an authority writes for itself: one party and never more. */
export const OWN_KINDS: readonly string[] = ['ledger', 'notes']
export const KINDS: readonly string[] = ['case', 'direct', ...OWN_KINDS]
export const WRITING_ROLES: readonly string[] = ['party', 'practitioner']
export const ROLES: readonly string[] = ['observer', ...WRITING_ROLES]
export const REASONS: readonly string[] = ['genesis', 'refresh', 'join', 'leave', 'drop', 'succeed', 'repair']
const ACTS = ['accept', 'confirm', 'consent', 'mandate']

export type Reason = 'refresh' | 'join' | 'leave' | 'drop' | 'succeed' | 'repair'

export interface Member {
  readonly principal: Bytes
  readonly keyringN: number
  readonly keyringHead: Bytes
  readonly role: string
  /** The hash of the mandate under which a practitioner is here. */
  readonly mandate: Bytes | null
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
  readonly reason: string
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

  /** `id` null: an entry or a withdrawal stands there. */
  put(seq: number, id: string | null): void {
    this.#ids[seq] = id
    if (id !== null) this.#places.set(id, seq)
  }
}

/** A thread verified to the transcript place `seq`. */
export interface ThreadState {
  readonly thread: Bytes
  readonly kind: string
  readonly link: Bytes | null
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
  /** Hashes of consents and mandates used here, and the mandates that admitted somebody, in hex (T3, T5). */
  readonly spent: ReadonlySet<string>
  readonly mandates: ReadonlyMap<string, MandateTerms>
  /** T9: the author of the newest entry left by it, and knows its secret. */
  readonly isLeft: boolean
  /** Where its steps have led; null before the first. */
  readonly case: Case | null
}

/** Verified keyrings by principal id. */
export type Keyrings = (principal: Bytes) => KeyringState | null

export const memberOf = (members: readonly Member[], principal: Bytes): Member | undefined =>
  members.find((member) => equal(member.principal, principal))

export const partiesOf = (members: readonly Member[]): Bytes[] =>
  members.filter(({ role }) => role === 'party').map(({ principal }) => principal)

export interface Entry extends Omit<Epoch, 'head' | 'author'> {
  readonly statement: Statement
  readonly thread: Bytes
  readonly after: After
  readonly salt: Bytes | null
  readonly kind: string | null
  readonly link: Bytes | null
  readonly by: By
  readonly sealed: Bytes
  /** Complete statements, not yet verified. */
  readonly acts: readonly Bytes[]
}

function readMember(value: Value): Member {
  const fields = new Fields(value, ['principal', 'keyring_n', 'keyring_head', 'role', 'mandate'])
  return {
    principal: fields.bytes('principal', 32),
    keyringN: fields.uint('keyring_n'),
    keyringHead: fields.bytes('keyring_head', 32),
    role: fields.text('role'),
    mandate: fields.bytesOrNull('mandate', 32),
  }
}

/** Takes an entry apart; its signature is not verified. @throws Refused E1, E2, T3 unknown-act */
export async function readEntry(net: string, raw: Bytes): Promise<Entry> {
  const statement = await parse(net, raw, 'thread')
  const { fields } = statement
  return {
    statement,
    thread: fields.bytes('thread', 32),
    n: fields.uint('n'),
    prev: fields.bytes('prev', 32),
    after: readAfter(fields),
    salt: fields.bytesOrNull('salt', 16),
    kind: fields.textOrNull('kind'),
    link: fields.bytesOrNull('link', 32),
    members: fields.list('members').map(readMember),
    by: readBy(fields),
    commit: fields.bytes('commit', 32),
    history: readHistory(fields),
    sealed: fields.bytes('sealed', 32),
    reason: fields.text('reason'),
    acts: await readActs(fields, 'T3', ACTS), // T3
  }
}

const memberValue = ({ principal, keyringN, keyringHead, role, mandate }: Member): ValueMap => ({
  principal,
  keyring_n: keyringN,
  keyring_head: keyringHead,
  role,
  mandate,
})

export const memberValues = (members: readonly Member[]): Value => members.map(memberValue)

export const threadId = (
  net: string,
  given: { salt: Bytes; kind: string; link: Bytes | null; members: readonly Member[]; author: Bytes },
): Promise<Bytes> => {
  const { salt, kind, link, members, author } = given
  return contextHash(net, 'thread', salt, kind, link, memberValues(members), author)
}
