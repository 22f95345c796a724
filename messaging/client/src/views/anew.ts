// An authority that has lost every device and its kit begins anew (K12): its new keys wait for the secretariat, and
// browsers that knew the old ones let a person compare before they forget them. Loaded when it is needed.
import { type Device, makeGenesis, type Person } from '../sealed/client.ts'
import { toHex } from '../sealed/encoding.ts'
import { Refused } from '../sealed/errors.ts'
import { createDeviceKeys, fingerprintDigits } from '../sealed/keys.ts'
import { KnownKeyrings } from '../sealed/known_keyrings.ts'
import type { KeyringJson } from '../sealed/wire.ts'
import { fetchKeyring } from '../store/keyrings.ts'
import { Store } from '../store/store.ts'
import { Failure } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex, SessionInfo } from '../transport/wire.ts'
import { showKit } from './kit.ts'
import { byId, show, showOnly } from './page.ts'
import type { Session } from './session.ts'
import { postUntilAnswered } from './until_answered.ts'

const LOOK_EVERY = 15_000
const LOSSES_MOST = 8

/** Makes keys that are to take the place of the lost ones, prints their kit and announces them. `principal`: the lost
 *  keyring. False where it is not the authority's any more. */
export async function beginAnew(session: Session, person: Person, principal: Hex): Promise<boolean> {
  const { info, rest } = session
  const at = Math.floor(Date.now() / 1000)
  const first = { net: info.net, person, keys: await createDeviceKeys(), at, roles: info.device_roles }
  const { device, kit, body } = await makeGenesis({ ...first, succeeds: principal })
  const leaving = new AbortController()
  showOnly(['kit', 'step-anew'], 'kit')
  byId('kit').querySelector('h2')?.focus()
  await showKit(kit, info, device.principal, leaving.signal)
  return navigator.locks.request(`messaging:${info.membership.id}:device`, async () => {
    const now = await rest.get<SessionInfo>('session')
    if (now.principal !== principal) return false
    await keep(session, device, principal)
    await postUntilAnswered(rest, 'keyrings', body)
    return true
  }) as Promise<boolean>
}

/** Nothing stays of the old device but what it had seen of others: their keys, and who confirms. */
async function keep(session: Session, device: Device, principal: Hex): Promise<void> {
  const { info, store } = session
  const [kept, isShared] = [await store.state(), store.isShared]
  await store.forget()
  const fresh = await Store.open(info.membership.id)
  fresh.isShared = isShared
  await fresh.saveDevice(device)
  if (kept) await fresh.saveState({ stamp: kept.stamp + 1, state: { ...kept.state, threads: {} } })
  await fresh.savePin({ net: info.net, serverKey: info.server_key, principal, heir: device.principal })
}

/** Shows the fingerprint of new keys that wait for the secretariat, and goes on when they are in force. False where
 *  the server does not know them, or others were made since. */
export async function awaitConfirmation(session: Session, device: Device): Promise<boolean> {
  const { principal } = device
  const status = await statusOf(session.rest, principal)
  if (status !== 'waiting') return false
  byId('anew-fingerprint').textContent = fingerprintDigits(principal)
  show(byId('step-anew-waiting'), true)
  byId('step-anew-waiting').querySelector('h2')?.focus()
  const look = async () => {
    if ((await statusOf(session.rest, principal)) !== 'waiting') location.reload()
  }
  const lookQuietly = () => void look().catch(() => undefined)
  session.hear = { 'messaging.keyring.grew': lookQuietly }
  session.onReload = lookQuietly
  setInterval(lookQuietly, LOOK_EVERY)
  return true
}

async function statusOf(rest: Rest, principal: Hex): Promise<KeyringJson['status'] | null> {
  try {
    return (await rest.get<KeyringJson>(`keyrings/${principal}?from=1`)).status
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return null
    throw error
  }
}

/** The server shows other keys of the own authority than this browser knows. Where they say to follow those, the
 *  devices page asks a person to compare, and this never returns. False: an alarm. */
export async function askAboutNewKeys(
  rest: Rest,
  store: Store,
  info: SessionInfo,
  before: Hex,
): Promise<boolean> {
  const { principal } = info
  if (principal === null || !(await follows(rest, info.net, principal, before))) return false
  if (location.pathname !== '/devices/') {
    location.replace('/devices/')
    return new Promise(() => undefined)
  }
  byId('succeeded-fingerprint').textContent = fingerprintDigits(principal)
  const [same, forget] = [
    byId<HTMLInputElement>('succeeded-same'),
    byId<HTMLButtonElement>('succeeded-forget'),
  ]
  same.onchange = () => {
    forget.disabled = !same.checked
  }
  forget.onclick = async () => {
    forget.disabled = true
    await store.forget()
    location.reload()
  }
  show(byId('loading'), false)
  show(byId('step-succeeded'), true)
  byId('step-succeeded').querySelector('h2')?.focus()
  return new Promise(() => undefined)
}

/** K12: whether a keyring, verified from its first entry, follows another, perhaps over some between. */
async function follows(rest: Rest, net: string, principal: Hex, before: Hex): Promise<boolean> {
  const known = new KnownKeyrings(net, undefined)
  let next = principal
  try {
    for (let count = 0; count < LOSSES_MOST; count += 1) {
      const { succeeds } = await known.apply({ ...(await fetchKeyring(rest, next)), authority: null })
      if (succeeds === null) return false
      next = toHex(succeeds)
      if (next === before) return true
    }
  } catch (error) {
    // What does not hold, or is not there, follows nobody.
    const isNotThere = error instanceof Failure && error.status === 404
    if (!(error instanceof Refused || isNotThere)) throw error
  }
  return false
}
