// Threads of the vectors, made by TypeScript: of two authorities, of changing members, and an authority's own.
import { makeConsent } from '../src/sealed/consent.ts'
import { type Bytes, sha256, toHex, type Value } from '../src/sealed/encoding.ts'
import type { KeyringState } from '../src/sealed/keyring_rules.ts'
import type { SigningKey } from '../src/sealed/keys.ts'
import { acceptMessage, bodyValue, type Plaintext, sealMessage } from '../src/sealed/message.ts'
import { serverKeyId } from '../src/sealed/receipt.ts'
import { sign } from '../src/sealed/statement.ts'
import {
  type MadeThreadEntry,
  makeChange,
  makeRefresh,
  makeGenesis as makeThread,
} from '../src/sealed/thread.ts'
import type { Reason } from '../src/sealed/thread_entry.ts'
import { byOf, endOf, type Keyrings, type ThreadState } from '../src/sealed/thread_rules.ts'
import { makeAccept, makePins } from '../src/sealed/trust.ts'
import type { StoryEntry } from './keyring_story.ts'
import { tag, type Vectors } from './vectors.ts'

export const NET = 'network.example/s1'
export const AT = 1_800_000_000

export interface MadeDevice {
  label: string
  statement: Bytes
  id: Bytes
  sigSeed: Bytes
  kemSeed: Bytes
  key: SigningKey
}
export interface MadeKeyring {
  label: string
  kit: Bytes
  state: KeyringState
  entries: StoryEntry[]
}

export const note = (text: string, subject: string | null = null): Plaintext => ({
  body: { type: 'note', text, reason: null, files: [], about: null, moment: null },
  language: 'fr',
  subject,
  ownReference: subject && 'REF/1',
  foreignReference: null,
  urgency: 0,
  due: null,
})

/** Says when all are to act together. */
const withMoment = (plaintext: Plaintext): Plaintext => ({
  ...plaintext,
  body: { ...(plaintext.body as Extract<Plaintext['body'], { type: 'note' }>), moment: AT + 7 * 86_400 },
})

/** A thread as TypeScript makes it, row by row. */
export class ThreadMaker {
  state: ThreadState | null = null
  readonly rows: Vectors['threads'][number]['items'] = []
  readonly server: SigningKey
  readonly keyrings: Map<string, MadeKeyring>
  readonly #secrets: Bytes[] = []
  readonly #counters = new Map<string, { counter: number; prev: Bytes }>()

  constructor(server: SigningKey, keyrings: Map<string, MadeKeyring>) {
    this.server = server
    this.keyrings = keyrings
  }

  get places(): Record<string, number> {
    return Object.fromEntries([...this.keyrings].map(([label, { state }]) => [label, state.n]))
  }

  keyring(label: string): KeyringState {
    return (this.keyrings.get(label) as MadeKeyring).state
  }

  readonly lookup: Keyrings = (id) =>
    [...this.keyrings.values()].find(({ state }) => toHex(state.principal) === toHex(id))?.state ?? null

  get #secret(): Bytes {
    return this.#secrets.at(-1) ?? new Uint8Array()
  }

  #signer(author: MadeDevice, label: string, members: readonly string[]) {
    const states = members.map((member) => this.keyring(member))
    return { author, at: AT + 10, by: this.keyring(label), members: states, keyrings: this.lookup }
  }

  /** A thread of A and B, or its keys renewed. */
  async entry(author: MadeDevice, label: string): Promise<void> {
    const signer = this.#signer(author, label, ['A', 'B'])
    const isNew = this.state === null
    await this.#take(
      isNew
        ? await makeThread(NET, signer)
        : await makeRefresh(NET, this.state as ThreadState, this.#secret, signer),
    )
  }

  /** A thread of another kind between these. */
  async begin(
    author: MadeDevice,
    labels: readonly string[],
    given: { kind: string; link: Bytes | null },
  ): Promise<void> {
    await this.#take(await makeThread(NET, this.#signer(author, labels[0] as string, labels), given))
  }

  /** An entry after which these are members. `of`: the epoch that is shared, by default the newest; null: none. */
  async change(
    author: MadeDevice,
    label: string,
    {
      reason,
      members,
      acts = [],
      of,
    }: {
      reason: Reason
      members: readonly (readonly [string, string])[]
      acts?: readonly Bytes[]
      of?: number | null
    },
  ): Promise<void> {
    const state = this.state as ThreadState
    const rows = members.map(([member, role]) => ({
      principal: this.keyring(member).principal,
      role,
      mandate: null,
    }))
    const at = of === undefined ? state.n : of
    const shared = at === null ? null : { of: at, secret: this.#secrets[at] as Bytes }
    const signer = this.#signer(
      author,
      label,
      members.map(([member]) => member),
    )
    const rekey = { reason, members: rows, shared, acts, previous: this.#secret }
    await this.#take(await makeChange(NET, state, rekey, signer))
  }

  async #take(made: MadeThreadEntry): Promise<void> {
    this.state = made.state
    this.#secrets.push(made.secret)
    await this.#keep({
      type: 'entry',
      item: made.entry,
      ciphertext: null,
      envelopes: made.envelopes,
      plaintext: null,
    })
  }

  async message(author: MadeDevice, label: string, text: Plaintext): Promise<Bytes> {
    const state = this.state as ThreadState
    const { counter, prev } = this.#counters.get(author.label) ?? { counter: 0, prev: new Uint8Array(32) }
    const place = { thread: state.thread, n: state.n, head: state.head, by: byOf(this.keyring(label)) }
    const draft = { ...place, counter, prev, void: [], after: endOf(state) }
    const sent = await sealMessage(NET, draft, text, { secret: this.#secret, author, at: AT + 20 })
    this.state = (await acceptMessage(NET, state, this.lookup, { ...sent, now: AT + 30 })).state
    this.#counters.set(author.label, { counter: counter + 1, prev: await sha256(sent.item) })
    await this.#keep({ type: 'message', ...sent, envelopes: null, plaintext: text })
    return sent.id
  }

  async #keep(row: {
    type: 'entry' | 'message'
    item: Bytes
    ciphertext: Bytes | null
    envelopes: Bytes | null
    plaintext: Plaintext | null
  }): Promise<void> {
    const state = this.state as ThreadState
    const { seq, hash: transcript } = endOf(state)
    const hash = await sha256(row.item)
    const kid = await serverKeyId(NET, this.server.public)
    const fields = { thread: state.thread, seq, item: hash, transcript }
    const receipt = await sign(NET, 'receipt', fields, { at: AT + 30, kid, key: this.server })
    this.rows.push({
      seq,
      type: row.type,
      item: toHex(row.item),
      ciphertext: row.ciphertext && toHex(row.ciphertext),
      envelopes: row.envelopes && toHex(row.envelopes),
      receipt: toHex(receipt),
      hash: toHex(hash),
      transcript: toHex(transcript),
      keyrings: this.places,
      secret: toHex(this.#secret),
      plaintext: row.plaintext && tag(plaintextValue(row.plaintext)),
      urgency: row.plaintext?.urgency ?? 0,
      due: row.plaintext?.due ?? null,
    })
  }
}

const plaintextValue = (text: Plaintext): Value => ({
  body: bodyValue(text.body),
  checkpoint: null,
  foreign_reference: text.foreignReference,
  language: text.language,
  marks: [],
  own_reference: text.ownReference,
  subject: text.subject,
})

export interface Cast {
  readonly ada: MadeDevice
  readonly bo: MadeDevice
  readonly cid: MadeDevice
}

const rowOf = (maker: ThreadMaker, members: string[]): Vectors['threads'][number] => {
  const { thread, kind } = maker.state as ThreadState
  return { thread: toHex(thread), kind, members, items: maker.rows }
}

/** C comes to read along, becomes a party with what was before, leaves; B renews the keys, A repairs them. */
async function tellOfMembers(maker: ThreadMaker, { ada, bo, cid }: Cast): Promise<void> {
  const consents = (role: string, history: boolean) =>
    Promise.all(
      (
        [
          ['A', ada],
          ['B', bo],
        ] as const
      ).map(([label, author]) => {
        const { thread } = maker.state as ThreadState
        const subject = { principal: maker.keyring('C').principal, role }
        const given = { by: byOf(maker.keyring(label)), thread, subject, history, until: AT + 86_400 }
        return makeConsent(NET, given, { author, at: AT })
      }),
    )
  const [a, b] = [['A', 'party'] as const, ['B', 'party'] as const]
  await maker.begin(ada, ['A', 'B'], { kind: 'direct', link: null })
  await maker.message(ada, 'A', note('Avant C'))
  const reading = await consents('observer', false)
  await maker.change(ada, 'A', {
    reason: 'join',
    members: [a, b, ['C', 'observer']],
    acts: reading,
    of: null,
  })
  await maker.message(bo, 'B', note('C lit'))
  const [why = new Uint8Array()] = await consents('party', true)
  const body = {
    type: 'statement',
    statement: why,
    terms: { blind: null, text: 'C connaît l’affaire' },
  } as const
  await maker.message(ada, 'A', { ...note(''), body, language: '' })
  const raised = await consents('party', true)
  await maker.change(bo, 'B', { reason: 'join', members: [a, b, ['C', 'party']], acts: raised })
  await maker.message(cid, 'C', withMoment(note('De C')))
  await maker.change(cid, 'C', { reason: 'leave', members: [a, b] })
  await maker.change(bo, 'B', { reason: 'refresh', members: [a, b] })
  await maker.change(ada, 'A', { reason: 'repair', members: [a, b], of: 1 })
  await maker.message(bo, 'B', note('Sans C'))
}

/** The ledger of A: an accept and pins. */
async function tellOfLedger(maker: ThreadMaker, { ada }: Cast): Promise<void> {
  await maker.begin(ada, ['A'], { kind: 'ledger', link: null })
  const [by, other] = [byOf(maker.keyring('A')), maker.keyring('B')]
  const signer = { author: ada, at: AT + 15 }
  const accepted = {
    by,
    authority: 'authority-b',
    principal: other.principal,
    head: null,
    how: 'voice' as const,
  }
  const enclosed = (statement: Bytes): Plaintext => ({
    ...note(''),
    body: { type: 'statement', statement, terms: null },
    language: '',
  })
  await maker.message(ada, 'A', enclosed(await makeAccept(NET, accepted, signer)))
  const { principal, n, head } = other
  const log = { size: 1, root: await sha256(principal), frontier: [await sha256(principal)] }
  await maker.message(
    ada,
    'A',
    enclosed(await makePins(NET, { by, log, heads: [{ principal, n, head }] }, signer)),
  )
}

/** Threads of changing members, and those an authority writes for itself. */
export async function tellOfThreads(make: () => ThreadMaker, cast: Cast): Promise<Vectors['threads']> {
  const [members, ledger, notes] = [make(), make(), make()]
  await tellOfMembers(members, cast)
  await tellOfLedger(ledger, cast)
  const { thread } = members.state as ThreadState
  await notes.begin(cast.ada, ['A'], { kind: 'notes', link: thread })
  await notes.message(cast.ada, 'A', note('À nous seuls'))
  return [rowOf(members, ['A', 'B']), rowOf(ledger, ['A']), rowOf(notes, ['A'])]
}
