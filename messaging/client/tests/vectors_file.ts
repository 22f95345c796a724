import { type Bytes, equal, fromHex, toHex, type Value } from '../src/sealed/encoding.ts'
import { acceptEntry, type KeyringState } from '../src/sealed/keyring_rules.ts'
import { acceptMessage } from '../src/sealed/message.ts'
import { readSponsor, type Sponsor } from '../src/sealed/sponsor.ts'
import { parse } from '../src/sealed/statement.ts'
import {
  acceptEntry as acceptThreadEntry,
  acceptWithdrawal,
  type Keyrings,
  type ThreadState,
} from '../src/sealed/thread_rules.ts'

export type Row = Record<string, string>
export type Tagged =
  | null
  | boolean
  | number
  | string
  | Tagged[]
  | { bytes: string }
  | { map: Record<string, Tagged> }
export interface KeyringRow {
  label: string
  principal: string
  kind: string
  fingerprint: string
  recovery: string | null
  entries: {
    n: number
    entry: string
    envelopes: string
    statements: string[]
    head: string
    secret: string
    mailbox: string
    commit: string
    devices: { id: string; roles: string[] }[]
    recovery?: string
  }[]
}
export interface ItemRow {
  seq: number
  type: 'entry' | 'message' | 'withdrawal'
  item: string
  ciphertext: string | null
  envelopes: string | null
  receipt: string
  hash: string
  transcript: string
  keyrings: Record<string, number>
  secret: string
  plaintext: Tagged
  urgency: number
  due: number | null
}
export interface RefusedRow {
  kind: string
  rule: string
  code: string
  why: string
  [name: string]: unknown
}
interface ThreadRow {
  thread: string
  kind: string
  members: string[]
  pretend?: Record<string, { kind?: string; succeeds?: string; sponsor?: string }>
  items: ItemRow[]
}
export interface Vectors {
  net: string
  encodings: { value: Tagged; bytes: string }[]
  contexts: { purpose: string; parts: Tagged[]; context: string; hash: string; secret: string; key: string }[]
  seeds: Row[]
  sealed: Row[]
  aead: Row[]
  devices: (Row & { principal: string | null; salt: string | null })[]
  recovery: Row[]
  keyrings: KeyringRow[]
  server: Row
  threads: ThreadRow[]
  opened: { opened: string; thread: string; seq: number; device: string; keyrings: Record<string, number> }[]
  refused: RefusedRow[]
}

export function untag(tagged: Tagged): Value {
  if (tagged === null || typeof tagged !== 'object') return tagged
  if (Array.isArray(tagged)) return tagged.map(untag)
  if ('bytes' in tagged) return fromHex((tagged as { bytes: string }).bytes)
  const map: Record<string, Value> = Object.create(null)
  for (const [name, value] of Object.entries((tagged as { map: Record<string, Tagged> }).map))
    map[name] = untag(value)
  return map
}

export function tag(value: Value): Tagged {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(tag)
  if (value instanceof Uint8Array) return { bytes: toHex(value) }
  return { map: Object.fromEntries(Object.entries(value).map(([name, part]) => [name, tag(part)])) }
}

export function is(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`)
}

export const fail = (what: string): never => {
  throw new Error(what)
}

/** Verified states of everything in the file, made once for all checks that need them. */
export class Prepared {
  readonly vectors: Vectors
  readonly net: string
  /** Keyring states after each entry, by label. */
  readonly keyrings = new Map<string, KeyringState[]>()
  /** States of each thread before the first and after each item. */
  readonly everyThread: (ThreadState | null)[][] = []

  constructor(vectors: Vectors) {
    this.vectors = vectors
    this.net = vectors.net
  }

  /** Statements of sponsors that keyrings are taken to have begun with. */
  readonly sponsors = new Map<string, Sponsor>()

  get threads(): (ThreadState | null)[] {
    return this.everyThread[0] ?? fail('no thread')
  }

  /** The keyrings as the thread at `place` takes them. */
  at(places: Record<string, number>, place = 0): Keyrings {
    const pretend = this.vectors.threads[place]?.pretend ?? {}
    const states = Object.entries(places).map(([label, n]): KeyringState => {
      const state = this.keyrings.get(label)?.[n] ?? fail(label)
      const { kind = state.kind, succeeds, sponsor = '' } = pretend[label] ?? {}
      const answers = this.sponsors.get(sponsor) ?? state.sponsor
      return { ...state, kind, sponsor: answers, ...(succeeds && { succeeds: fromHex(succeeds) }) }
    })
    return (principal) => states.find((state) => equal(state.principal, principal)) ?? null
  }

  /** The newest keyring of a principal. */
  known(principal: Bytes): KeyringState | null {
    const newest = [...this.keyrings.values()].map((states) => states.at(-1))
    return newest.find((state) => state && equal(state.principal, principal)) ?? null
  }

  row(label: string): KeyringRow {
    return this.vectors.keyrings.find((row) => row.label === label) ?? fail(label)
  }

  device(label: string): Row {
    return this.vectors.devices.find((row) => row.label === label) ?? fail(label)
  }
}

export async function prepare(vectors: Vectors): Promise<Prepared> {
  const prepared = new Prepared(vectors)
  const known: Keyrings = (principal) => prepared.known(principal)
  for (const { label, entries } of vectors.keyrings) {
    const states: KeyringState[] = []
    for (const { entry, statements, envelopes } of entries) {
      const before = states.at(-1) ?? null
      const proofs = statements.map(fromHex)
      states.push(await acceptEntry(vectors.net, before, fromHex(entry), proofs, fromHex(envelopes), known))
    }
    prepared.keyrings.set(label, states)
  }
  for (const row of vectors.threads.flatMap(({ pretend = {} }) => Object.values(pretend))) {
    const raw = row.sponsor
    if (raw) prepared.sponsors.set(raw, await readSponsor(vectors.net, fromHex(raw)))
  }
  for (const [place, { items }] of vectors.threads.entries()) {
    const states: (ThreadState | null)[] = [null]
    for (const row of items) states.push((await takeItem(prepared, states.at(-1) ?? null, row, place)).state)
    prepared.everyThread.push(states)
  }
  return prepared
}

export async function takeItem(prepared: Prepared, state: ThreadState | null, row: ItemRow, place: number) {
  const keyrings = prepared.at(row.keyrings, place)
  const now = (await parse(prepared.net, fromHex(row.receipt), 'receipt')).at
  const item = fromHex(row.item)
  if (row.type === 'entry') {
    const envelopes = fromHex(row.envelopes ?? '')
    return {
      state: await acceptThreadEntry(prepared.net, state, item, { envelopes, keyrings, now }),
      message: null,
    }
  }
  if (row.type === 'withdrawal') {
    const taken = await acceptWithdrawal(prepared.net, state ?? fail('no genesis'), item, keyrings)
    return { state: taken.state, message: null }
  }
  const ciphertext = fromHex(row.ciphertext ?? '')
  return acceptMessage(prepared.net, state ?? fail('no genesis'), keyrings, { item, ciphertext, now })
}
