import type { Level } from './counterparts.ts'
import type { Role } from './keyring_rules.ts'
import type { DeviceKeys } from './keys.ts'
import type { HandlingMark } from './marks.ts'
import type { Mark, MessageKind, Urgency } from './message.ts'
import type { Facts, Step } from './steps.ts'

// What goes in and comes out of client.ts: ids in lowercase hex, bytes in standard base64, as on the wire.

export type Hex = string
export type Base64 = string
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** One browser profile with keys, for one principal. IndexedDB keeps it by structured clone. */
export interface Device {
  readonly principal: Hex
  readonly id: Hex
  readonly statement: Uint8Array
  readonly keys: DeviceKeys
}

export interface Person {
  /** Id of the person, hex. */
  readonly person: string
  readonly name: string
  readonly office: string
}

export interface AuthorityJson {
  readonly id: string
  readonly name: string
  readonly state?: string | null
  readonly state_name?: string | null
}

export interface KeyringJson {
  readonly principal: Hex
  /** K12: whether the keys are in force, and whose have taken their place; the server's word. */
  readonly status?: 'waiting' | 'standing' | 'ended'
  readonly successor?: Hex | null
  readonly authority?: AuthorityJson | null
  readonly entries: readonly {
    readonly n: number
    readonly entry: Base64
    readonly envelopes: Base64 | null
  }[]
  readonly statements: readonly Base64[]
  /** What two persons of the secretariat have signed last of this principal (K8). */
  readonly confirms?: readonly Base64[]
  readonly note?: NoteJson | null
}

/** A State's notification; `date`: YYYY-MM-DD. One blind for each confirm. */
export interface NoteJson {
  readonly reference: string
  readonly date: string
  readonly blinds: readonly Base64[]
}

export interface ItemJson {
  readonly thread: Hex
  readonly seq: number
  readonly type: 'entry' | 'message' | 'withdrawal'
  readonly item: Base64
  readonly ciphertext: Base64 | null
  readonly envelopes: Base64 | null
  readonly receipt: Base64
  readonly received_at?: unknown
}

export interface EntryBody {
  readonly entry: Base64
  readonly envelopes: Base64
}

export interface KeyringBody extends EntryBody {
  readonly statements: readonly Base64[]
}

/** A file as members know it, in JSON: sealed in drafts and outbox, and in memory. */
export type FileJson = {
  readonly id: Hex
  readonly key: Hex
  readonly prefix: Hex
  readonly digest: Hex
  readonly name: string
  readonly mediaType: string
  readonly size: number
  readonly root: Hex
}

/** What a note is about: the message `of` at `seq`, and which part of it (M5). */
export type AboutJson = { readonly of: Hex; readonly seq: number; readonly part: string }

export interface NoteInput {
  readonly text: string
  readonly files?: readonly FileJson[]
  readonly language: string
  readonly subject?: string | null
  readonly ownReference?: string | null
  readonly foreignReference?: string | null
  readonly urgency?: Urgency
  /** Unix seconds. */
  readonly due?: number | null
  /** Why it is urgent, or why that date: sealed, and demanded with either of them. */
  readonly reason?: string | null
  readonly marks?: readonly HandlingMark[]
  readonly about?: AboutJson | null
  /** When all are to act together, unix seconds: sealed. */
  readonly moment?: number | null
}

/** A thread to be opened with `to`, the principal of `authority`; in a `direct` one practitioners can join. */
export interface NewThread {
  readonly authority: string
  readonly to: Hex
  readonly note: NoteInput | null
  readonly kind?: 'case' | 'direct'
}

/** A step in a case, as it was written. */
export interface StepInput {
  readonly step: Step
  readonly facts: Facts
  readonly language: string
  readonly urgency: Urgency
  /** Unix seconds. */
  readonly due: number | null
}

/** That a device has opened all up to an item, by its own word. `at`: unix seconds. */
export interface OpenedView {
  readonly principal: Hex
  readonly device: Hex
  readonly seq: number
  readonly at: number
}

/** What a mandate is for, sealed beside it; without a blind, why a consent is given. */
export type TermsJson = { readonly blind: Base64 | null; readonly text: string }

export interface Sealed {
  readonly thread: Hex
  readonly id: Hex
  readonly item: Base64
  readonly ciphertext: Base64
}

export interface KeyringView {
  readonly principal: Hex
  readonly authority: AuthorityJson | null
  readonly kind: string
  readonly n: number
  readonly head: Hex
  /** `madeAt`: unix seconds, as the device says. */
  readonly devices: readonly (Person & {
    readonly device: Hex
    readonly roles: readonly Role[]
    readonly madeAt: number
  })[]
  readonly fingerprint: string
  /** K12: whose place it says to take. */
  readonly succeeds: Hex | null
  readonly isOwn: boolean
  /** K6 b: never had two steward persons; shown to every counterpart. */
  readonly standsAlone: boolean
  /** When all secrets were made anew so that threads follow, unix seconds: to be repeated after 90 days. */
  readonly rotatedAt: number
  /** How far it is known here: something is sealed only to `own`, `confirmed` and `accepted` (K8). */
  readonly level: Level
  /** K11: the kit took over without a steward's approval, and nobody has compared since. */
  readonly isUnconfirmed: boolean
  readonly changes: readonly KeyringChange[]
  /** Whose each device is or was, by the names that the devices signed. */
  readonly people: Readonly<Record<Hex, Person>>
  /** K7: why this own keyring must not be used, or null. */
  readonly broken: string | null
}

export interface MemberView {
  readonly principal: Hex
  readonly role: string
  readonly keyringN: number
}

/** What one entry of a keyring changed; ids of devices, `at` in unix seconds as its author says. */
export interface KeyringChange {
  readonly n: number
  readonly reason: string
  readonly at: number
  readonly author: Hex
  readonly added: readonly Hex[]
  readonly removed: readonly Hex[]
  readonly changed: readonly Hex[]
  readonly recoveryChanges: boolean
  readonly isApproved: boolean
}

export interface ThreadView {
  readonly thread: Hex
  readonly kind: string
  readonly n: number
  readonly head: Hex
  readonly seq: number
  readonly transcript: Hex
  /** Of notes: the thread they belong to. */
  readonly link: Hex | null
  readonly members: readonly MemberView[]
  readonly openedBy: Hex
  /** Whether the own principal is in the newest entry. */
  readonly isMember: boolean
  /** T8: from `seq` on nothing is taken and nothing is sealed; `kept` are the versions that contradict. */
  readonly stopped: { readonly code: string; readonly seq: number; readonly kept: readonly ItemJson[] } | null
  /** T7: an epoch did not open as committed, and no `repair` has come since. */
  readonly broken: string | null
}

export type BodyView =
  | {
      readonly type: 'note'
      readonly text: string
      readonly reason: string | null
      readonly files: readonly FileJson[]
      readonly about: AboutJson | null
      readonly moment: number | null
    }
  | { readonly type: 'acknowledgement'; readonly of: Hex; readonly seq: number }
  | { readonly type: 'statement'; readonly statement: Base64; readonly terms: string | null }
  | { readonly type: 'stage'; readonly facts: Facts }

export interface OpenedMessage extends Person {
  readonly id: Hex
  readonly seq: number
  /** Unix seconds: signed by the sender, and received by the server. */
  readonly at: number
  readonly receivedAt: number
  readonly kind: MessageKind
  readonly urgency: Urgency
  /** The date wanted, unix seconds. */
  readonly due: number | null
  /** Of a step in a case: what its header says. */
  readonly step: Step | null
  readonly isOwn: boolean
  readonly isThisDevice: boolean
  readonly principal: Hex
  readonly device: Hex
  readonly language: string
  readonly subject: string | null
  readonly ownReference: string | null
  readonly foreignReference: string | null
  readonly body: BodyView | null
  /** Why it could not be opened, or why its text does not hold (M5). */
  readonly failed: string | null
  readonly marks: readonly (Mark | HandlingMark)[]
}

interface AppliedItem {
  readonly thread: Hex
  readonly seq: number
  /** True when this item was applied before. */
  readonly known: boolean
  /** Unix seconds of the receipt. */
  readonly at: number
  readonly hash: Hex
}
/** What an entry changed. `raised`: observers who became parties; `sharesHistory`: newcomers read what was before. */
export interface ChangeView {
  readonly reason: string
  readonly n: number
  readonly by: Hex
  readonly came: readonly MemberView[]
  readonly gone: readonly MemberView[]
  readonly raised: readonly MemberView[]
  readonly sharesHistory: boolean
}

export type Applied =
  | (AppliedItem & ChangeView & { readonly type: 'entry' })
  | (AppliedItem & { readonly type: 'withdrawal'; readonly of: Hex; readonly by: Hex })
  | (AppliedItem & { readonly type: 'message'; readonly message: OpenedMessage })

/** What this device has signed in a thread (M4). */
export interface OwnCounter {
  readonly next: number
  readonly prev: Hex
  readonly void: readonly Hex[]
  readonly pending: Hex | null
}

/** What survives a reload; no secret and no text. */
export interface PublicState {
  readonly v: 1
  readonly net: string
  readonly serverKey: Base64
  readonly authorities: Readonly<Record<string, Hex>>
  readonly keyrings: Readonly<Record<Hex, { readonly n: number; readonly head: Hex }>>
  /** The principal that confirms (K8); none in what older clients kept. */
  readonly secretariat?: Hex | null
  readonly threads: Readonly<Record<Hex, ThreadPin>>
}

export interface ThreadPin {
  readonly n: number
  readonly head: Hex
  readonly seq: number
  readonly transcript: Hex
  readonly own: OwnCounter
}

/** Two things of the server's that cannot both be true; `kept` is a note signed by the log. */
export interface LogEvidence {
  readonly code: string
  readonly kept: string
  readonly given: string
}

/** What a device keeps of the log (L7). */
export interface LogState {
  readonly size: number
  readonly frontier: readonly Base64[]
  readonly note: string
  readonly freshAt: number
  readonly labelKey: Base64
  readonly witnesses: readonly string[]
  readonly quorum: number
  readonly chained: readonly (readonly [string, number, Base64])[]
  readonly frozen: readonly Hex[]
  /** Label and value of every confirm; none in what older clients kept. */
  readonly stated?: readonly string[]
  readonly roots: readonly (readonly [number, Base64])[]
  readonly evidence: readonly LogEvidence[]
  readonly broken: string | null
}
