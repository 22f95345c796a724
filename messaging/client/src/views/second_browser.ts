// A practitioner's further browser: it asks, the one that has the keys compares and puts it forward, and it is listed
// once a supervisor of who answers has agreed (K9).
import { makeDeviceRequest, type Person } from '../sealed/client.ts'
import { toBase64 } from '../sealed/encoding.ts'
import { Refused } from '../sealed/errors.ts'
import { createDeviceKeys, deviceWords } from '../sealed/keys.ts'
import { OWN_ROLES } from '../sealed/practice.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Failure } from '../transport/failure.ts'
import type { Base64, DeviceRequest, Hex, SessionInfo } from '../transport/wire.ts'
import { setTime } from './format.ts'
import { announce, byId, clone, fill, show, slot, text } from './page.ts'
import { sentence, showProblem } from './problem.ts'
import type { Session } from './session.ts'
import type { WaitingChange } from './stewards.ts'

const LOOK_EVERY = 15_000
const PUT_FORWARD = 'put-forward'
const OPEN: readonly string[] = ['requested', 'enrolled']
const now = (): number => Math.floor(Date.now() / 1000)

export function personOf({ person: { id, name, office } }: SessionInfo): Person {
  return { person: id.replaceAll('-', ''), name, office }
}

/** The browser that has none of the keys yet. */
export class SecondBrowser {
  readonly #session: Session
  readonly #step: (step: 'step-elsewhere' | 'step-second') => void

  constructor(session: Session, step: (step: 'step-elsewhere' | 'step-second') => void) {
    this.#session = session
    this.#step = step
  }

  offer(principal: Hex): void {
    this.#step('step-elsewhere')
    const button = byId<HTMLButtonElement>('ask-here')
    button.onclick = async () => {
      button.disabled = true
      try {
        await this.#ask(principal)
      } catch (error) {
        showProblem(byId('devices-problem'), error)
      } finally {
        button.disabled = false
      }
    }
  }

  async #ask(principal: Hex): Promise<void> {
    const { info, rest } = this.#session
    const keys = await createDeviceKeys()
    const who = { net: info.net, principal, person: personOf(info), keys, at: now() }
    const { device, body } = await makeDeviceRequest(who)
    await this.#session.keepDevice(device, principal, () => rest.post('devices/requests', body))
    location.reload()
  }

  /** Shows the code until the keyring lists this browser. */
  async wait(correspondence: Correspondence): Promise<void> {
    const { device, info, principal, rest } = correspondence
    const status = (await this.#session.deviceRequest(device.id))?.status ?? null
    if (status !== null && !OPEN.includes(status)) return this.offer(principal)
    if (status === null) {
      const statement = toBase64(device.statement)
      await rest.post('devices/requests', { statement }) // it was lost on its way
    }
    byId('second-words').textContent = await deviceWords(info.net, device.id)
    this.#step('step-second')
    const look = () =>
      void correspondence
        .learnKeyring(principal)
        .then(() => correspondence.mailbox.isListed() && location.reload())
        .catch((error) => showProblem(byId('devices-problem'), error))
    this.#session.hear = { 'messaging.keyring.grew': look }
    this.#session.onReload = look
    setInterval(look, LOOK_EVERY)
    look()
  }
}

/** What the browser with the keys does for one that asks. */
export class OwnRequests {
  readonly #within: Correspondence

  constructor(within: Correspondence) {
    this.#within = within
  }

  /** Carries out what was put forward and agreed to, and shows what asks. */
  async load(): Promise<void> {
    const { mailbox, principal, rest, store } = this.#within
    const wanted = await store.fact<Base64>(PUT_FORWARD)
    const isAgreed = wanted !== undefined && (await this.#settle(wanted))
    const { requests } = await rest.get<{ requests: DeviceRequest[] }>('devices/requests')
    const listed = new Set(mailbox.keyring(principal)?.devices.map(({ device }) => device))
    const open = requests.filter(({ device, status }) => status === 'requested' && !listed.has(device))
    const added = wanted && !isAgreed ? this.#addedBy(wanted) : []
    const rows = await Promise.all(open.map((one) => this.#render(one, added.includes(one.device))))
    byId('own-requests').replaceChildren(...rows)
    show(byId('own-requests-section'), rows.length > 0)
  }

  /** Whom a change of the keyring as it stands would list; nobody, where it was made for an earlier one. */
  #addedBy(change: Base64): Hex[] {
    try {
      return this.#within.mailbox.stewardship.read(change).added.map(({ device }) => device)
    } catch (error) {
      if (error instanceof Refused) return []
      throw error
    }
  }

  async #render(request: DeviceRequest, isWaiting: boolean): Promise<HTMLElement> {
    const element = clone('own-request')
    const [approve, same] = [
      slot<HTMLButtonElement>(element, 'approve'),
      slot<HTMLInputElement>(element, 'same'),
    ]
    setTime(slot(element, 'time'), request.requested_at)
    show(slot(element, 'compare'), !isWaiting)
    show(slot(element, 'waits'), isWaiting)
    try {
      const { words } = await this.#within.mailbox.own.readDeviceRequest(request.statement)
      fill(element, { words })
    } catch (error) {
      fill(element, { problem: sentence(error) })
      show(slot(element, 'compare'), false)
    }
    same.onchange = () => {
      approve.disabled = !same.checked
    }
    approve.onclick = () => void this.#act(element, () => this.#putForward(request))
    return element
  }

  async #act(element: HTMLElement, work: () => Promise<void>): Promise<void> {
    element.inert = true
    try {
      await work()
      await this.load()
      byId('own-requests-heading').focus()
    } catch (error) {
      element.inert = false
      fill(element, { problem: sentence(error) })
    }
  }

  /** The change waits on the server for a supervisor's approval; what was compared here is remembered here. */
  async #putForward({ statement }: DeviceRequest): Promise<void> {
    const { mailbox, principal, rest, store } = this.#within
    await this.#within.learnKeyring(principal)
    const change = await mailbox.stewardship.addition([{ statement, roles: OWN_ROLES }])
    await store.saveFact(PUT_FORWARD, change.encoded)
    await rest.post(`keyrings/${principal}/approvals`, { change: change.encoded, approval: null })
    announce(text('put-forward'))
  }

  /** Lists the browser that was compared here, once its approval has come; true when nothing waits any more. */
  async #settle(wanted: Base64): Promise<boolean> {
    const { mailbox, principal, rest, store } = this.#within
    await this.#within.learnKeyring(principal)
    const path = `keyrings/${principal}/approvals`
    const { approvals } = await rest.get<{ approvals: WaitingChange[] }>(path)
    const given = approvals.find(({ change }) => change === wanted)?.approvals[0]
    if (given === undefined) return false
    try {
      const change = mailbox.stewardship.read(wanted)
      const { requests } = await rest.get<{ requests: DeviceRequest[] }>('devices/requests')
      const added = requests.filter(({ device }) => change.added.some((one) => one.device === device))
      const statements = added.map(({ statement }) => statement)
      const entry = await mailbox.stewardship.make(change, { approvals: [given], statements })
      await rest.post(`keyrings/${principal}/entries`, entry)
    } catch (error) {
      // The keys have changed since: it has to be put forward anew.
      const isOld = error instanceof Refused || (error instanceof Failure && error.code === 'stale-epoch')
      if (!isOld) throw error
    }
    await store.saveFact(PUT_FORWARD, undefined)
    await this.#within.learnKeyring(principal)
    this.#within.saveSoon()
    return true
  }
}
