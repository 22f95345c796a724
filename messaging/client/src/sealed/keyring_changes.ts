import { equal } from './encoding.ts'
import { insist } from './errors.ts'
import {
  type Change,
  type Entry,
  find,
  isSameKey,
  isSameRows,
  isSameSponsored,
  isSteward,
  type KeyringState,
  KINDS,
  latest,
  principalId,
  REASONS,
  ROLES,
} from './keyring_entry.ts'
import { checkKemKey, checkSigningKey } from './keys.ts'
import { isStrictlySorted } from './statement.ts'

const RAISES_FLOOR = ['remove', 'rotate', 'recovery-key', 'recover', 'repair']
const MAY_SKIP_HISTORY = ['recover', 'repair']

/** K4: the floor after an entry of this reason. */
export const floorAfter = (reason: string, n: number, before: number): number =>
  RAISES_FLOOR.includes(reason) ? n : before

/** K3: absolute lists of known words, sorted, without doubles. */
export function checkLists({ kind, change }: Entry): void {
  const { reason, devices, sponsored } = change
  insist(KINDS.includes(kind), 'K3', 'unknown-kind', 'a keyring of an unknown kind')
  insist(REASONS.includes(reason), 'K3', 'unknown-reason', 'an entry of an unknown reason')
  const isSorted =
    isStrictlySorted(devices.map(({ id }) => id)) &&
    isStrictlySorted(sponsored.map(({ practitioner }) => practitioner))
  insist(isSorted, 'K3', 'not-sorted', 'devices or practitioners out of order or doubled')
  for (const { roles } of devices) {
    const isKnown = roles.length > 0 && roles.every((role) => ROLES.includes(role))
    insist(isKnown, 'K3', 'unknown-role', 'an unknown role, or none')
    const areSorted = roles.every((role, i) => i === 0 || (roles[i - 1] as string) < role)
    insist(areSorted, 'K3', 'not-sorted', 'roles out of order or doubled')
  }
  insist(devices.some(isSteward), 'K3', 'no-steward', 'no device is a steward')
}

function unchanged(condition: boolean, detail: string): void {
  insist(condition, 'K3', 'unexpected-change', detail) // K3
}

/** That only what the reason names changes, against the state before. @throws Refused K3, K4, K9, K11, K12 */
export async function checkChange(net: string, state: KeyringState | null, entry: Entry): Promise<void> {
  const { change } = entry
  const isGenesis = state === null
  const isPlaced = (change.reason === 'genesis') === isGenesis && (entry.salt !== null) === isGenesis
  unchanged(isPlaced, 'a genesis comes first, once, and alone has a salt')
  const isPractitioner = entry.kind === 'practitioner'
  unchanged(
    (change.recovery === null) === isPractitioner,
    'authorities and the secretariat have a recovery key',
  )
  const mayAnswer = change.sponsored.length === 0 || entry.kind === 'authority'
  insist(mayAnswer, 'K9', 'wrong-sponsor', 'only an authority answers for practitioners') // K9
  const floor = floorAfter(change.reason, entry.n, state?.floor ?? 0)
  insist(entry.floor === floor, 'K4', 'wrong-floor', 'the floor is not what the reason makes it') // K4
  if (!state) return checkGenesis(net, entry)
  const isPlain = entry.kind === state.kind && entry.sponsor === null && entry.succeeds === null
  unchanged(isPlain, 'kind, sponsor and predecessor belong to the genesis')
  checkHistory(entry)
  ;(CHANGES[change.reason] ?? checkNothingElse)(state, change)
  const { reason } = change
  const isSponsored = reason === 'sponsor' || isSameSponsored(change.sponsored, state.sponsored)
  unchanged(isSponsored, 'who is sponsored does not change here')
  const isKept = ['recover', 'recovery-key'].includes(reason) || isSameKey(change.recovery, state.recovery)
  unchanged(isKept, 'the recovery key does not change here')
}

async function checkGenesis(net: string, entry: Entry): Promise<void> {
  const { kind, change, sponsor, succeeds, acts } = entry
  insist(entry.history === null, 'K3', 'bad-history', 'a genesis has no history')
  insist(acts.length === 0, 'K3', 'unknown-act', 'nobody approves a genesis')
  const isAnswered = (sponsor === null) === (kind !== 'practitioner') && change.sponsored.length === 0
  insist(isAnswered, 'K9', 'wrong-sponsor', 'a practitioner has a sponsor, and nobody else') // K9
  const maySucceed = succeeds === null || kind === 'authority'
  insist(maySucceed, 'K12', 'wrong-succession', 'only an authority succeeds another') // K12
  const id = await principalId(net, { ...change, kind, salt: entry.salt, sponsor, succeeds })
  insist(equal(id, entry.principal), 'K3', 'wrong-principal', 'the id does not follow from the genesis')
  if (change.recovery) checkSigningKey(change.recovery.sig) // E7
  if (change.recovery) checkKemKey(change.recovery.kem) // E7
}

function checkHistory({ history, n, change }: Entry): void {
  const maySkip = MAY_SKIP_HISTORY.includes(change.reason)
  const isRight = maySkip ? history === null || history.of < n : history?.of === n - 1
  insist(isRight, 'K3', 'bad-history', 'the history leads to an earlier entry, mostly the one before')
}

/** `rotate`, `repair`: nothing but the secrets changes. */
function checkNothingElse(state: KeyringState, change: Change): void {
  unchanged(isSameRows(change.devices, latest(state).devices), 'devices and roles do not change here')
}

const isKept = (rows: Change['devices'], among: Change['devices']): boolean =>
  rows.every((row) => {
    const other = find(among, row.id)
    return other !== undefined && isSameRows([row], [other])
  })

function checkAddition(state: KeyringState, { devices }: Change): void {
  const before = latest(state).devices
  unchanged(isKept(before, devices), 'a device listed before is missing or has other roles')
  unchanged(devices.length > before.length, 'nothing is added')
}

function checkRemoval(state: KeyringState, { devices }: Change): void {
  const before = latest(state).devices
  unchanged(isKept(devices, before), 'a device is new or has other roles')
  unchanged(devices.length < before.length, 'nothing is removed')
}

function checkRoles(state: KeyringState, { devices }: Change): void {
  const before = latest(state).devices
  const isSame = devices.length === before.length && devices.every(({ id }) => find(before, id))
  unchanged(isSame, 'the devices do not change here, only their roles')
  unchanged(!isSameRows(devices, before), 'no role changes')
}

function checkRecovery(state: KeyringState, change: Change): void {
  const isDropped = change.devices.every(({ id }) => !find(latest(state).devices, id))
  insist(isDropped, 'K11', 'unexpected-change', 'a recovery drops every device there was') // K11
  checkNewKey(state, change)
}

function checkNewKey(state: KeyringState, { recovery }: Change): void {
  const old = state.recovery
  const isNew = old && recovery && !equal(old.sig, recovery.sig) && !equal(old.kem, recovery.kem)
  insist(isNew, 'K11', 'unexpected-change', 'the recovery key must be another one') // K11
  checkSigningKey(recovery.sig) // E7
  checkKemKey(recovery.kem) // E7
}

const CHANGES: Readonly<Record<string, (state: KeyringState, change: Change) => void>> = {
  add: checkAddition,
  remove: checkRemoval,
  role: checkRoles,
  recover: checkRecovery,
  'recovery-key': (state, change) => {
    checkNothingElse(state, change)
    checkNewKey(state, change)
  },
  sponsor: (state, change) => {
    checkNothingElse(state, change)
    unchanged(!isSameSponsored(change.sponsored, state.sponsored), "nobody's sponsor changes")
  },
}
