import { ABOUT_KEYRING, type Approval, countsAt, readApproval } from './approval.ts'
import { type Bytes, equal, sha256, toHex } from './encoding.ts'
import { insist } from './errors.ts'
import {
  type Change,
  changeHash,
  type Entry,
  find,
  type Generation,
  isSameKey,
  isSteward,
  type KeyringState,
  type Keyrings,
  type Listed,
  latest,
} from './keyring_entry.ts'
import type { By } from './places.ts'
import { answersAt, readSponsor, readSponsorEnd, type Sponsor, type SponsorEnd } from './sponsor.ts'
import { type Statement, typeOf, verify } from './statement.ts'

/** What follows from the acts: is only the recovery key able to approve from now on, is a recovery confirmed. */
export interface Agreed {
  readonly onlyRecovery: boolean
  readonly unconfirmed: number | null
}

interface Approvers {
  readonly stewards: readonly string[]
  readonly byRecovery: boolean
  readonly bySponsor: boolean
}

const personOf = (state: KeyringState, id: Bytes): string => state.statements.get(toHex(id))?.person ?? ''

/** That everybody agreed who has to. @throws Refused K6, K9 */
export async function checkActs(
  net: string,
  state: KeyringState,
  entry: Entry,
  keyrings: Keyrings,
): Promise<Agreed> {
  const isApproval = (act: Bytes) => typeOf(act) === 'approval'
  const approvals = await Promise.all(entry.acts.filter(isApproval).map((act) => readApproval(net, act)))
  const ends = await Promise.all(
    entry.acts.filter((act) => !isApproval(act)).map((act) => readSponsorEnd(net, act)),
  )
  const author = find(latest(state).devices, entry.statement.kid)
  const found = { stewards: [] as string[], byRecovery: false, bySponsor: false }
  for (const approval of approvals) {
    await checkNamed(net, entry, approval)
    if (approval.by === null) found.byRecovery = await checkRecoveryApproval(net, state, approval)
    else if (!equal(approval.by.principal, state.principal))
      found.bySponsor = await checkSponsorApproval(net, state, approval, keyrings)
    else found.stewards.push(await checkSteward(net, state, approval, author))
  }
  await checkSponsored(net, state, entry, ends)
  const isAnswered = state.kind !== 'practitioner' || entry.change.reason !== 'add' || found.bySponsor
  insist(isAnswered, 'K9', 'approval-needed', "the sponsor must approve a practitioner's further device") // K9
  if (entry.change.reason === 'recover') {
    const unconfirmed = found.stewards.length > 0 ? state.unconfirmed : entry.n // K11
    return { onlyRecovery: false, unconfirmed }
  }
  return {
    onlyRecovery: checkStanding(state, entry.change, author, found),
    unconfirmed: state.unconfirmed,
  }
}

/** K6: the approval is about this change of this entry, and holds when the entry was made. */
async function checkNamed(net: string, entry: Entry, approval: Approval): Promise<void> {
  const change = await changeHash(net, entry.principal, entry.prev, entry.change)
  const isThis =
    approval.about === ABOUT_KEYRING && equal(approval.on, entry.prev) && equal(approval.change, change)
  insist(isThis, 'K6', 'wrong-approval', 'the approval is about something else') // K6
  const isInTime = countsAt(approval, entry.statement.at)
  insist(isInTime, 'K6', 'expired-approval', 'an approval holds for a day at most') // K6
}

async function checkSteward(
  net: string,
  state: KeyringState,
  { statement, by }: Approval,
  author: Listed | undefined,
): Promise<string> {
  const steward = find(latest(state).devices, statement.kid)
  const isHere = by?.n === state.n && equal(by.head, state.head) && isSteward(steward)
  insist(isHere, 'K6', 'wrong-approval', 'who approves is no steward of the entry before') // K6
  const person = personOf(state, statement.kid)
  const isOther = !author || personOf(state, author.id) !== person
  insist(isOther, 'K6', 'wrong-approval', "the approval is by the author's own person") // K6
  await verify(statement, state.statements.get(toHex(statement.kid))?.sig ?? new Uint8Array(), net)
  return person
}

async function checkRecoveryApproval(
  net: string,
  { recovery }: KeyringState,
  { statement }: Approval,
): Promise<true> {
  const isIts = recovery !== null && equal(statement.kid, recovery.id)
  insist(isIts, 'K6', 'wrong-approval', 'not the recovery key of the entry before') // K6
  await verify(statement, recovery.sig, net)
  return true
}

async function checkSponsorApproval(
  net: string,
  { sponsor }: KeyringState,
  { statement, by }: Approval,
  keyrings: Keyrings,
): Promise<true> {
  const isSponsor = sponsor && by && equal(by.principal, sponsor.by.principal)
  insist(isSponsor, 'K6', 'wrong-approval', 'the approval is by somebody without a part in this') // K6
  await checkSupervisor(net, statement, by, keyrings)
  return true
}

/** K9: a supervisor's device signed, as the entry it signed under lists it. */
async function checkSupervisor(net: string, statement: Statement, by: By, keyrings: Keyrings): Promise<void> {
  const state = keyrings(by.principal)
  const place = state?.generations[by.n]
  insist(state && place, 'K9', 'keyring-unknown', 'fetch the keyring of the sponsor first') // K9
  const isPlace = equal(place.head, by.head)
  insist(isPlace, 'K9', 'wrong-sponsor', 'not signed by a supervisor of the sponsor') // K9
  await checkListedSupervisor(net, state, statement, place)
}

async function checkListedSupervisor(
  net: string,
  state: KeyringState,
  statement: Statement,
  place: Generation = latest(state),
): Promise<void> {
  const device = find(place.devices, statement.kid)
  const isSupervisor = device?.roles.includes('supervisor') ?? false
  insist(isSupervisor, 'K9', 'wrong-sponsor', 'not signed by a supervisor of the sponsor') // K9
  await verify(statement, state.statements.get(toHex(statement.kid))?.sig ?? new Uint8Array(), net)
}

/** K6: whether from now on only the recovery key can approve. */
function checkStanding(
  state: KeyringState,
  change: Change,
  author: Listed | undefined,
  { stewards, byRecovery }: Approvers,
): boolean {
  if (!needsApproval(state, change)) return state.onlyRecovery && !byRecovery
  if (byRecovery) return false
  const lost = lostStewards(state, change).map(({ id }) => personOf(state, id))
  const isAgreed = stewards.some((person) => !lost.includes(person))
  if (isAgreed && !state.onlyRecovery) return false
  const isRemoval = change.reason === 'remove'
  insist(isRemoval, 'K6', 'approval-needed', 'another steward, or the recovery key, must approve') // K6
  const own = author ? personOf(state, author.id) : ''
  return state.onlyRecovery || lost.some((person) => person !== own)
}

const STANDING_ROLES = ['steward', 'supervisor'] as const

/** K6: whether this makes, raises or removes who stands over others, or changes the recovery key. */
export function needsApproval(state: KeyringState, change: Change): boolean {
  if (!state.hadTwoStewards) return false
  const before = latest(state).devices
  const isRaised = change.devices.some(({ id, roles }) =>
    STANDING_ROLES.some((role) => roles.includes(role) && !find(before, id)?.roles.includes(role)),
  )
  return isRaised || lostStewards(state, change).length > 0 || !isSameKey(change.recovery, state.recovery)
}

/** The devices that are stewards no more. */
export const lostStewards = (state: KeyringState, { devices }: Change): Listed[] =>
  latest(state).devices.filter((device) => isSteward(device) && !isSteward(find(devices, device.id)))

// ---------------------------------------------------------------- sponsors

/** The statement under which a practitioner begins: for its author, by a supervisor (K9). */
export async function checkGenesisSponsor(
  net: string,
  entry: Entry,
  keyrings: Keyrings,
): Promise<Sponsor | null> {
  if (entry.sponsor === null) return null
  const sponsor = await readSponsor(net, entry.sponsor)
  const isIts = equal(sponsor.device, entry.statement.kid) && entry.change.devices.length === 1
  insist(isIts, 'K9', 'wrong-sponsor', 'the sponsor names another device') // K9
  const isInTime = answersAt(sponsor, entry.statement.at)
  insist(isInTime, 'K9', 'sponsor-ended', 'the sponsor does not answer at this time') // K9
  await checkSupervisor(net, sponsor.statement, sponsor.by, keyrings)
  return sponsor
}

/** K9: each new row has a supervisor's statement, each dropped one the end of it. */
async function checkSponsored(
  net: string,
  state: KeyringState,
  { change }: Entry,
  ends: readonly SponsorEnd[],
): Promise<void> {
  const before = new Map(state.sponsored.map((row) => [toHex(row.practitioner), row.statement]))
  for (const { practitioner, statement } of change.sponsored) {
    const known = before.get(toHex(practitioner))
    if (!known || !equal(known, statement)) await checkNewSponsor(net, state, statement)
    before.delete(toHex(practitioner))
  }
  const isExact = ends.length === before.size
  insist(isExact, 'K9', 'wrong-sponsor', 'exactly who is dropped has the end of its sponsoring') // K9
  for (const end of ends) {
    const dropped = before.get(toHex(end.practitioner))
    const isOf = dropped !== undefined && equal(await sha256(dropped), end.of)
    insist(isOf, 'K9', 'wrong-sponsor', 'exactly who is dropped has the end of its sponsoring') // K9
    before.delete(toHex(end.practitioner))
    await checkListedSupervisor(net, state, end.statement)
  }
}

async function checkNewSponsor(net: string, state: KeyringState, raw: Bytes): Promise<void> {
  const sponsor = await readSponsor(net, raw)
  const isOwn = equal(sponsor.by.principal, state.principal)
  insist(isOwn, 'K9', 'wrong-sponsor', 'another authority answers for this practitioner') // K9
  await checkListedSupervisor(net, state, sponsor.statement)
}

/** These, and who answers for the practitioners among them: they are sealed to by its newest entry (K9). */
export function withSponsors(known: readonly KeyringState[], keyrings: Keyrings): KeyringState[] {
  const sponsors = known.map(({ sponsor }) => sponsor && keyrings(sponsor.by.principal))
  return [...known, ...sponsors.filter((state) => state !== null)]
}

/** Whether the sponsor's newest entry lists a practitioner with a statement that holds now (K9). */
export function isAnsweredFor(practitioner: KeyringState, keyrings: Keyrings, at: number): boolean {
  const first = practitioner.sponsor
  const rows = (first && keyrings(first.by.principal)?.answers) ?? []
  const listed = rows.find((one) => equal(one.practitioner, practitioner.principal))?.sponsor
  if (!first || !listed) return false
  return equal(listed.device, first.device) && listed.person === first.person && answersAt(listed, at)
}
