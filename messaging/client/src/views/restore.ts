// Loaded when it is needed: trying a recovery kit without consequences, and restoring with it.
import type { KeyringJson, Person } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { createDeviceKeys, type RecoveryKit } from '../sealed/keys.ts'
import { KnownKeyrings } from '../sealed/known_keyrings.ts'
import { Recovery, tryKit } from '../sealed/recovery.ts'
import { fetchKeyring } from '../store/keyrings.ts'
import { Failure } from '../transport/failure.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import { showKit } from './kit.ts'
import { KitEntry } from './kit_entry.ts'
import { byId, clone, fill, show, showOnly, slot, text } from './page.ts'
import { showProblem } from './problem.ts'
import type { Session } from './session.ts'
import { postUntilAnswered } from './until_answered.ts'

/** @throws Refused other-kit, kit-does-not-open */
async function checkKit(session: Session, kit: RecoveryKit): Promise<KeyringJson> {
  const { info, rest } = session
  const keyring = await fetchKeyring(rest, info.principal ?? '')
  const { opens } = await tryKit({ net: info.net, kit, keyring })
  if (!opens) throw new Refused('K7', 'kit-does-not-open', 'the kit does not open the newest envelope')
  return keyring
}

/** The drill: says whether the kit opens the newest keys. Nothing is changed; only that it was tried is sent. */
export function offerDrill(session: Session): void {
  const good = byId('drill-good')
  const form = byId<HTMLFormElement>('drill-form')
  form.addEventListener('input', () => show(good, false))
  new KitEntry(form, session.info.net, async (kit) => {
    const keyring = await checkKit(session, kit)
    const n = keyring.entries.at(-1)?.n ?? 0
    await session.rest.post(`keyrings/${keyring.principal}/drill`, { n })
    // After the fields were emptied, which is an input too.
    setTimeout(() => show(good, true))
  })
  // Before this script was here, sending the form would have loaded the page again.
  slot<HTMLButtonElement>(form, 'submit').disabled = false
}

/** Restoring with the kit; `done` when this browser is the one device of its authority. */
export function offerRestoring(session: Session, person: Person, done: () => void): void {
  show(byId('restore-form'), true)
  show(byId('restore-ready'), false)
  new KitEntry(byId('restore-form'), session.info.net, async (kit) => {
    const keyring = await checkKit(session, kit)
    await showFound(session.info.net, keyring)
    const found = { kit, keyring, person }
    const [go, ask] = [byId<HTMLButtonElement>('restore-go'), byId<HTMLButtonElement>('restore-ask')]
    const work = (isAsked: boolean) => async () => {
      for (const each of [go, ask]) each.disabled = true
      showProblem(byId('devices-problem'), null)
      try {
        await restore(session, found, isAsked)
        done()
      } catch (error) {
        if (error instanceof NotNow) return
        showOnly(['kit', 'step-restore'], 'step-restore')
        showProblem(byId('devices-problem'), error)
      } finally {
        for (const each of [go, ask]) each.disabled = false
      }
    }
    go.onclick = work(false)
    ask.onclick = work(true)
  })
}

/** The person does not wait for a colleague any more. */
class NotNow extends Error {}

async function approvalsOf(session: Session, recovery: Recovery, principal: Hex): Promise<Base64[]> {
  const { askColleague } = await import('./asking.ts')
  const waiting = new AbortController()
  byId('restore-alone').onclick = () => waiting.abort(new NotNow())
  try {
    return await askColleague(session, recovery, { principal, signal: waiting.signal })
  } finally {
    waiting.abort(new NotNow())
  }
}

/** Whose devices will be removed, by the names they signed. */
async function showFound(net: string, keyring: KeyringJson): Promise<void> {
  const known = new KnownKeyrings(net, undefined)
  await known.apply(keyring)
  const view = known.view(keyring.principal, { principal: keyring.principal, broken: null })
  const devices = view?.devices ?? []
  byId('restore-found').textContent = text('kit-opens', { count: devices.length })
  byId('restore-devices').replaceChildren(
    ...devices.map(({ name, office }) => {
      const element = clone('restore-device')
      fill(element, { name, office })
      return element
    }),
  )
  show(byId('restore-form'), false)
  show(byId('restore-ready'), true)
  byId('restore-found').focus()
}

async function restore(
  session: Session,
  { kit, keyring, person }: { kit: RecoveryKit; keyring: KeyringJson; person: Person },
  isAsked: boolean,
): Promise<void> {
  const { info, rest } = session
  const recovery = await Recovery.begin({
    net: info.net,
    kit,
    keyring,
    person,
    keys: await createDeviceKeys(),
    at: Math.floor(Date.now() / 1000),
    roles: info.device_roles,
  })
  const approvals = isAsked ? await approvalsOf(session, recovery, keyring.principal) : []
  const leaving = new AbortController()
  showOnly(['kit', 'step-restore'], 'kit')
  byId('kit').querySelector('h2')?.focus()
  await showKit(recovery.newKit, info, keyring.principal, leaving.signal)
  const body = await recovery.make(approvals)
  // The new kit is printed: the same bytes are sent until the server has answered.
  const isKept = await session.keepDevice(
    recovery.device,
    keyring.principal,
    () => postUntilAnswered(rest, `keyrings/${keyring.principal}/entries`, body),
    { replaces: true },
  )
  if (!isKept) throw new Failure('stale-epoch', '', 409)
}
