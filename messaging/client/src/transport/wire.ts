// The shapes that cross the wire, as far as the pages use them. Names of commands and events are those of the
// catalogue (`manage.py protocol`).
import type { ItemJson } from '../sealed/client.ts'

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

export interface Progress {
  principal: Hex
  delivered_seq: number
  opened_seq: number
  opened: Base64 | null
}

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

export type SendResult = { seq: number; receipt: Base64 } | { error: { code: string; message: string } }

/** What the server may tell; a name that is not here is a known case: counted and left alone. */
export interface Events {
  'messaging.item.appended': ItemJson
  'messaging.progress.made': Progress & { thread: Hex }
  'messaging.keyring.grew': { principal: Hex; n: number; head: Hex }
  'messaging.device.requested': { device: Hex }
  'messaging.device.declined': { device: Hex }
}
export type EventName = keyof Events

export const EVENT_NAMES: readonly EventName[] = [
  'messaging.item.appended',
  'messaging.progress.made',
  'messaging.keyring.grew',
  'messaging.device.requested',
  'messaging.device.declined',
]
