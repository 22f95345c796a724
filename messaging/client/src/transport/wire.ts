// The shapes that cross the wire. Commands and events are generated from the server's catalogue
// (`manage.py protocol`); the bodies of the REST calls that the pages make stand here.
import type {
  Events as AllEvents,
  Handler,
  ProgressMade,
  RefusedMessage,
  StoredMessage,
} from '../generated/protocol.ts'
import type { Role } from '../sealed/client.ts'

export type Hex = string
export type Base64 = string
export type Cursors = Record<string, number>

export interface AuthorityName {
  id: string
  name: string
  state: string | null
  state_name: string | null
}

export interface SessionInfo {
  protocol: number
  net: string
  server_key: Base64
  server_time: number
  person: { id: string; name: string; office: string }
  membership: { id: string; roles: string[] }
  device_roles: Role[]
  authority: AuthorityName & { kind: string }
  principal: Hex | null
  /** The secretariat's, which confirms the keys of others; null while it has none. */
  secretariat?: Hex | null
  cursors: Cursors
}

/** GET log?from=N: the newest checkpoint, and leaves from number N on. */
/** Where a thread ends after items were handed back (L8). */
export interface ReturnedPlace {
  thread: Hex
  seq: number
  returned: number
}

export interface LogPage {
  checkpoint: string
  witnessed: string | null
  leaves: Base64[]
  label_key: Base64
  witnesses: string[]
  quorum: number
  urgent_hours: number
  /** The server's statement of the last restore (L8). */
  restore: Base64 | null
}

export interface AuthorityRow extends AuthorityName {
  functions: string[]
  principal: Hex | null
  keyring_n: number | null
  /** Keys that are to take the place of these when the secretariat has confirmed them (K12). */
  waiting?: Hex | null
  /** Its State's names in the languages of the network, for searching. */
  names?: string[]
  /** Codes of the languages in which it accepts requests; whether an office of it is open, null: not known. */
  languages?: string[]
  is_open?: boolean | null
  /** Of that office, as the IANA database names it; null where the directory shows no hours. */
  time_zone?: string | null
}

/** GET authorities/ID/desk: who is there now, as far as the directory shows it. */
export interface AuthorityDesk {
  is_open: boolean | null
  changes_at: number | null
  time_zone: string
  has_duty: boolean
  telephones: string[]
}

export type Progress = Omit<ProgressMade, 'thread'>

export interface ThreadRow {
  thread: Hex
  kind: string
  n: number
  head: Hex
  seq: number
  transcript: Hex
  members: { principal: Hex; role: string; authority: AuthorityName; handler: Handler | null }[]
  opened_at: number
  changed_at: number
  progress: Progress[]
  /** The own authority's card of it, if it has one. */
  card?: Base64 | null
  /** How the own authority keeps it, where its case is closed or it is held. */
  kept?: KeptFacts | null
}

/** `until`: a day (`2036-11-24`). `is_over`: that day has passed, and nothing holds it. */
export interface KeptFacts {
  closed_at: number | null
  until: string | null
  is_over: boolean
  is_held: boolean
}

/** What became of a card: kept, or another one stands there. */
export interface CardPlace {
  thread: Hex
  is_kept: boolean
  card: Base64 | null
}

/** GET cards: every thread with its end and its card. */
export interface CardPage {
  cards: { thread: Hex; seq: number; card: Base64 | null }[]
  next: string | null
}

export interface DeviceRequest {
  device: Hex
  statement: Base64
  person: string
  name: string
  office: string
  requested_at: number
  status: 'requested' | 'enrolled' | 'declined'
}

export type SendResult = StoredMessage | RefusedMessage

/** The events that pages listen to; those of the session the socket keeps to itself. */
export type Events = Pick<AllEvents, Extract<keyof AllEvents, `messaging.${string}`>>
export type EventName = keyof Events

// A record, so that an event which the catalogue gains or loses is noticed by the compiler.
const NAMES: Record<EventName, true> = {
  'messaging.approval.changed': true,
  'messaging.device.declined': true,
  'messaging.device.requested': true,
  'messaging.item.appended': true,
  'messaging.keyring.grew': true,
  'messaging.practitioner.sponsored': true,
  'messaging.progress.made': true,
  'messaging.thread.assigned': true,
}

export const isEventName = (name: string): name is EventName => Object.hasOwn(NAMES, name)
