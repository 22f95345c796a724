// Further authorities for a thread (T3, T6), as a verified thread has them: whoever consents first proposes. A message
// is signed by the device whose authority it names, so a consent counts as its author's.
import { type Admission, readConsent } from '../sealed/consent.ts'
import { TRUSTED } from '../sealed/counterparts.ts'
import { fromBase64, toHex } from '../sealed/encoding.ts'
import { Refused } from '../sealed/errors.ts'
import { typeOf } from '../sealed/statement.ts'
import type { ChangeView, OpenedMessage } from '../sealed/wire.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { extend } from './entries.ts'
import type { Outbox } from './outbox.ts'
import type { Reading } from './reading.ts'

/** `waits`: for consents; `ready`: all parties have consented; `joined`: it is in; `lapsed`: the consents have ended. */
export type State = 'waits' | 'ready' | 'joined' | 'lapsed'
export type Role = 'party' | 'observer'

interface Given {
  readonly statement: Base64
  readonly history: boolean
  /** Unix seconds. */
  readonly until: number
}

/** Somebody's proposal that an authority join, and what became of it. */
export interface Joining {
  readonly newcomer: Hex
  readonly role: Role
  readonly by: Hex
  /** Of the message by which it was proposed. */
  readonly seq: number
  /** Why: sealed. */
  readonly reason: string
  /** When the first consent lapses, unix seconds. */
  readonly until: number
  /** By party, as far as they are in force. */
  readonly consents: ReadonlyMap<Hex, Given>
  readonly missing: readonly Hex[]
  /** T6: what was written before is shared; one consent that does not say so keeps it closed. */
  readonly history: boolean
  readonly state: State
}

interface Proposed extends Pick<Joining, 'newcomer' | 'role' | 'by' | 'seq' | 'reason' | 'until'> {
  readonly consents: Map<Hex, Given>
  isIn: boolean
}

export const partiesIn = ({ mailbox }: Correspondence, thread: Hex): Hex[] =>
  (mailbox.thread(thread)?.members ?? [])
    .filter(({ role }) => role === 'party')
    .map(({ principal }) => principal)

/** Every authority that was proposed for a thread, the oldest proposal first. */
export async function joiningsIn(within: Correspondence, reading: Reading, now: number): Promise<Joining[]> {
  const proposed: Proposed[] = []
  for (const applied of reading.applied) {
    if (applied.type === 'entry') noteComing(proposed, applied)
    if (applied.type === 'message') await noteConsent(within, proposed, applied.message)
  }
  const parties = partiesIn(within, reading.thread)
  return proposed.map((one) => concluded(one, parties, now))
}

const isOpen = ({ isIn, until }: Proposed, at: number): boolean => !isIn && at < until

function noteComing(proposed: readonly Proposed[], { came, raised }: ChangeView): void {
  for (const { principal, role } of [...came, ...raised])
    for (const one of proposed) if (one.newcomer === principal && one.role === role) one.isIn = true
}

/** A consent that comes when an earlier proposal of the same has ended is a proposal of its own. */
async function noteConsent(
  within: Correspondence,
  proposed: Proposed[],
  { body, principal, device, seq, receivedAt }: OpenedMessage,
): Promise<void> {
  const { mailbox } = within
  if (body?.type !== 'statement' || typeOf(fromBase64(body.statement)) !== 'consent') return
  const { subject, by, history, until } = await readConsent(mailbox.net, fromBase64(body.statement))
  const author = mailbox.keyring(principal)?.devices.find((one) => one.device === device)
  const counts = toHex(by.principal) === principal && author?.roles.includes('supervisor')
  if (subject instanceof Uint8Array || !isRole(subject) || !counts) return
  const newcomer = toHex(subject.principal)
  const { role } = subject
  let found = proposed.find(
    (one) => one.newcomer === newcomer && one.role === role && isOpen(one, receivedAt),
  )
  if (found === undefined) {
    const reason = body.terms ?? ''
    found = { newcomer, role, by: principal, seq, reason, until, consents: new Map(), isIn: false }
    proposed.push(found)
  }
  found.consents.set(principal, { statement: body.statement, history, until })
}

const isRole = (subject: Admission): subject is Admission & { role: Role } =>
  subject.role === 'party' || subject.role === 'observer'

function concluded({ isIn, ...one }: Proposed, parties: readonly Hex[], now: number): Joining {
  const inForce = [...one.consents].filter(
    ([party, { until }]) => isIn || (parties.includes(party) && now < until),
  )
  const consents = new Map(inForce)
  const missing = isIn ? [] : parties.filter((party) => !consents.has(party))
  const history = inForce.every(([, given]) => given.history)
  const open = missing.length === 0 ? 'ready' : 'waits'
  const state = isIn ? 'joined' : now < one.until ? open : 'lapsed'
  return { ...one, consents, missing, history, state }
}

/** The own authority's consent that somebody join, and why; the first one proposes it. K8: nothing is consented to for
 *  keys that nobody has compared. @throws Refused, Failure */
export async function consentToJoin(
  within: Correspondence,
  outbox: Outbox,
  thread: Hex,
  given: { authority: string; newcomer: Hex; role: Role; history: boolean; reason?: string },
): Promise<void> {
  const { mailbox } = within
  const { authority, newcomer: principal, role, history, reason = '' } = given
  await within.learnKeyring(principal)
  mailbox.checkAuthority(authority, principal) // K8
  await within.look([principal])
  const keyring = mailbox.keyring(principal)
  if (!keyring || !TRUSTED.includes(keyring.level) || keyring.isUnconfirmed)
    throw new Refused('K8', 'not-compared', 'nobody has compared the keys of the newcomer') // K8
  const consent = await (await mailbox.membership()).consent(thread, { principal, role }, history)
  await outbox.addStatement(thread, consent, reason === '' ? null : { blind: null, text: reason })
}

/** Lets in who was proposed, once every party has consented. @throws Refused, Failure */
export function letIn(within: Correspondence, thread: Hex, joining: Joining): Promise<void> {
  const { newcomer: principal, role, history: shares, consents } = joining
  const acts = [...consents.values()].map(({ statement }) => statement)
  return extend(within, thread, [principal], (membership) =>
    membership.join(thread, [{ principal, role }], { acts, shares }),
  )
}
