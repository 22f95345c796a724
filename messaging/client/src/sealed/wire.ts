import type { Role } from './keyring_rules.ts'
import type { DeviceKeys } from './keys.ts'
import type { Mark, MessageKind } from './message.ts'

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
}

export interface KeyringJson {
  readonly principal: Hex
  readonly authority?: AuthorityJson | null
  readonly entries: readonly {
    readonly n: number
    readonly entry: Base64
    readonly envelopes: Base64 | null
  }[]
  readonly statements: readonly Base64[]
}

export interface ItemJson {
  readonly thread: Hex
  readonly seq: number
  readonly type: 'entry' | 'message'
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

export interface NoteInput {
  readonly text: string
  readonly language: string
  readonly subject?: string | null
  readonly ownReference?: string | null
  readonly foreignReference?: string | null
}

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
  readonly devices: readonly (Person & { readonly device: Hex; readonly roles: readonly Role[] })[]
  readonly fingerprint: string
  readonly isOwn: boolean
  /** K6 b: never had two steward persons; shown to every counterpart. */
  readonly standsAlone: boolean
  /** K7: why this own keyring must not be used, or null. */
  readonly broken: string | null
}

export interface ThreadView {
  readonly thread: Hex
  readonly kind: string
  readonly n: number
  readonly head: Hex
  readonly seq: number
  readonly transcript: Hex
  readonly members: readonly { readonly principal: Hex; readonly role: string; readonly keyringN: number }[]
  readonly openedBy: Hex
  /** T8: from `seq` on nothing is taken and nothing is sealed; `kept` are the versions that contradict. */
  readonly stopped: { readonly code: string; readonly seq: number; readonly kept: readonly ItemJson[] } | null
  /** T7: the newest epoch did not open as committed. */
  readonly broken: string | null
}

export type BodyView =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'acknowledgement'; readonly of: Hex; readonly seq: number }

export interface OpenedMessage extends Person {
  readonly id: Hex
  readonly seq: number
  /** Unix seconds: signed by the sender, and received by the server. */
  readonly at: number
  readonly receivedAt: number
  readonly kind: MessageKind
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
  readonly marks: readonly Mark[]
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
export type Applied =
  | (AppliedItem & { readonly type: 'entry'; readonly reason: string; readonly n: number; readonly by: Hex })
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
  readonly threads: Readonly<Record<Hex, ThreadPin>>
}

export interface ThreadPin {
  readonly n: number
  readonly head: Hex
  readonly seq: number
  readonly transcript: Hex
  readonly own: OwnCounter
}
