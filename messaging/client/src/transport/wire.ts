// The shapes that cross the wire. Commands and events are generated from the server's catalogue
// (`manage.py protocol`); the bodies of the REST calls that the pages make stand here.
import type {
  Events as AllEvents,
  ProgressMade,
  RefusedMessage,
  StoredMessage,
} from '../generated/protocol.ts'

export type Hex = string
export type Base64 = string
export type Cursors = Record<string, number>
export type MembershipRole = 'officer' | 'supervisor' | 'administrator' | 'secretariat'

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
  membership: { id: string; role: MembershipRole }
  authority: AuthorityName & { kind: string }
  principal: Hex | null
  unconfirmed: boolean
  cursors: Cursors
}

export interface AuthorityRow extends AuthorityName {
  functions: string[]
  principal: Hex | null
  keyring_n: number | null
}

export type Progress = Omit<ProgressMade, 'thread'>

export interface ThreadRow {
  thread: Hex
  kind: string
  n: number
  head: Hex
  seq: number
  transcript: Hex
  members: { principal: Hex; role: string; authority: AuthorityName }[]
  opened_at: number
  changed_at: number
  progress: Progress[]
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
  'messaging.device.declined': true,
  'messaging.device.requested': true,
  'messaging.item.appended': true,
  'messaging.keyring.grew': true,
  'messaging.progress.made': true,
}

export const isEventName = (name: string): name is EventName => Object.hasOwn(NAMES, name)
