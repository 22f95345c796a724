import { type KeyringBody, makeDeviceRequest, makeGenesis, type Person } from '../sealed/client.ts'
import { createDeviceKeys, deviceWords, fingerprintDigits } from '../sealed/keys.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Outbox } from '../store/outbox.ts'
import { retryDelay } from '../transport/backoff.ts'
import { Failure, orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { SessionInfo } from '../transport/wire.ts'
import { takeDelivery } from './deliveries.ts'
import { showKit } from './kit.ts'
import { byId, clone, fill, hasText, show, showOnly, slot, text } from './page.ts'
import { showProblem } from './problem.ts'
import { RequestList } from './requests.ts'
import { Session, takeReturnPath } from './session.ts'

const STEPS = [
  'step-no-keys',
  'step-make-keyring',
  'kit',
  'step-request',
  'step-waiting',
  'step-ready',
] as const
const LOOK_EVERY = 15_000

export async function showDevices(rest: Rest): Promise<void> {
  await new DevicesView(await Session.open(rest)).start()
}

function personOf(info: SessionInfo): Person {
  return { person: info.person.id.replaceAll('-', ''), name: info.person.name, office: info.person.office }
}

const now = (): number => Math.floor(Date.now() / 1000)

/** The kit is printed: the same bytes are sent until the server has answered. */
async function postUntilAnswered(rest: Rest, body: KeyringBody): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await rest.post('keyrings', body)
      return
    } catch (error) {
      if (!(error instanceof Failure && error.isTemporary) || error.isSignedOut) throw error
      showProblem(byId('devices-problem'), error)
      await new Promise((resolve) => setTimeout(resolve, retryDelay(attempt)))
    }
  }
}

class DevicesView {
  readonly #session: Session
  #look: ReturnType<typeof setInterval> | undefined

  constructor(session: Session) {
    this.#session = session
  }

  async start(): Promise<void> {
    const { info, socket } = this.#session
    const correspondence = await this.#session.openMailbox()
    show(byId('loading'), false)
    socket.connect()
    if (info.principal === null) this.#withoutKeyring()
    else if (correspondence === null) this.#offerRequest(info.principal)
    else if (correspondence.mailbox.isListed()) await this.#ready(correspondence)
    else await this.#wait(correspondence)
  }

  // (a) The authority has no keys yet.
  #withoutKeyring(): void {
    const { info } = this.#session
    const mayMake = info.membership.role === 'supervisor' || info.membership.role === 'administrator'
    this.#step(mayMake ? 'step-make-keyring' : 'step-no-keys')
    this.#onClick('make-keyring', () => this.#makeKeyring())
    // A colleague, or another tab, may make them while this page is open.
    this.#session.hear = { 'messaging.keyring.grew': () => location.reload() }
  }

  async #makeKeyring(): Promise<void> {
    const { info, rest } = this.#session
    const made = { net: info.net, person: personOf(info), keys: await createDeviceKeys(), at: now() }
    // An administrator reads no correspondence; the server grants him nothing else.
    const isAdministrator = info.membership.role === 'administrator'
    const { device, kit, body } = await makeGenesis(isAdministrator ? { ...made, roles: ['steward'] } : made)
    const leaving = new AbortController()
    this.#session.hear = {
      'messaging.keyring.grew': () => {
        leaving.abort() // this kit is worth nothing any more
        location.reload()
      },
    }
    this.#step('kit')
    await showKit(kit, info, device.principal, leaving.signal)
    this.#session.hear = {}
    // The keys are kept before they are announced: an authority whose only device forgot its keys needs its kit.
    const isKept = await this.#session
      .keepDevice(device, null, () => postUntilAnswered(rest, body))
      .catch((error) => {
        // A colleague was faster, between the question and the answer.
        if (error instanceof Failure && error.status === 409) return false
        throw error
      })
    if (isKept) this.#goOn()
    else location.reload()
  }

  // (b) The authority has keys; this device has none, or waits.
  #offerRequest(principal: string): void {
    this.#step('step-request')
    this.#onClick('make-request', () => this.#request(principal))
  }

  async #request(principal: string): Promise<void> {
    const { info, rest } = this.#session
    const keys = await createDeviceKeys()
    const who = { net: info.net, principal, person: personOf(info), keys, at: now() }
    const { device, body } = await makeDeviceRequest(who)
    const isKept = await this.#session.keepDevice(device, principal, () =>
      rest.post('devices/requests', body),
    )
    const correspondence = isKept ? await this.#session.openMailbox() : null
    if (correspondence) await this.#wait(correspondence)
    else location.reload()
  }

  async #wait(correspondence: Correspondence): Promise<void> {
    const { device, info } = correspondence
    byId('own-words').textContent = await deviceWords(info.net, device.id)
    this.#step('step-waiting')
    const look = () => void this.#lookForApproval(correspondence).catch(() => undefined)
    this.#session.hear = {
      'messaging.keyring.grew': look,
      'messaging.device.declined': (declined) => {
        if (declined.device === device.id) this.#declined(correspondence)
      },
    }
    this.#session.onReload = look
    this.#look = setInterval(look, LOOK_EVERY)
    await this.#checkPending(correspondence)
  }

  async #lookForApproval(correspondence: Correspondence): Promise<void> {
    await correspondence.learnKeyring(correspondence.principal)
    if (!correspondence.mailbox.isListed()) return
    clearInterval(this.#look)
    this.#goOn()
  }

  /** The request may have been lost on its way, or declined while this page was closed. */
  async #checkPending(correspondence: Correspondence): Promise<void> {
    const status = await this.#session.deviceStatus(correspondence.device.id)
    if (status === 'enrolled') await this.#lookForApproval(correspondence)
    else if (status !== 'requested') this.#declined(correspondence)
  }

  #declined(correspondence: Correspondence): void {
    clearInterval(this.#look)
    this.#offerRequest(correspondence.principal)
    show(byId('request-ended'), true)
  }

  // (c) This device is approved.
  async #ready(correspondence: Correspondence): Promise<void> {
    this.#step('step-ready')
    const requests = new RequestList(correspondence, () => this.#showDevices(correspondence))
    this.#showDevices(correspondence)
    const again = () => void this.#refresh(correspondence, requests).catch(orLater)
    const outbox = new Outbox(correspondence, this.#session.socket)
    const mailroom = { session: this.#session, correspondence, outbox }
    this.#session.hear = {
      'messaging.keyring.grew': again,
      'messaging.device.requested': again,
      'messaging.device.declined': again,
      'messaging.item.appended': (item) => void takeDelivery(mailroom, item),
    }
    this.#session.onReload = again
    let wasOpen = false
    this.#session.onOpen = () => {
      void outbox.flush()
      if (wasOpen) again()
      wasOpen = true
    }
    this.#onClick('forget', async () => {
      await this.#session.store.forget()
      location.reload()
    })
    await requests.load()
    correspondence.saveSoon()
  }

  async #refresh(correspondence: Correspondence, requests: RequestList): Promise<void> {
    await correspondence.learnKeyring(correspondence.principal)
    this.#showDevices(correspondence)
    await requests.load()
  }

  #showDevices(correspondence: Correspondence): void {
    const keyring = correspondence.mailbox.keyring(correspondence.principal)
    byId('own-fingerprint').textContent = fingerprintDigits(correspondence.principal)
    show(byId('stands-alone'), keyring?.standsAlone === true)
    show(byId('weaker-device'), correspondence.device.keys.path === 'fallback')
    byId('devices').replaceChildren(
      ...(keyring?.devices ?? []).map((device) => {
        const element = clone('device-row')
        fill(element, { name: device.name, office: device.office })
        show(slot(element, 'this-device'), device.device === correspondence.device.id)
        const roles = device.roles.map((role) => (hasText(`role-${role}`) ? text(`role-${role}`) : role))
        fill(element, { roles: roles.join(' · ') })
        return element
      }),
    )
  }

  #step(step: (typeof STEPS)[number]): void {
    showOnly(STEPS, step)
    show(byId('devices-problem'), false)
    const heading = byId(step).querySelector<HTMLElement>('h2')
    if (step !== 'step-ready') heading?.focus()
  }

  #goOn(): void {
    const path = takeReturnPath()
    // An administrator reads no correspondence: the path is somebody else's who used this tab before.
    const isReader = this.#session.info.membership.role !== 'administrator'
    location.replace((isReader ? path : null) ?? '/devices/')
  }

  #onClick(id: string, work: () => Promise<void>): void {
    const button = byId<HTMLButtonElement>(id)
    button.onclick = async () => {
      button.disabled = true
      showProblem(byId('devices-problem'), null)
      try {
        await work()
      } catch (error) {
        showProblem(byId('devices-problem'), error)
      } finally {
        button.disabled = false
      }
    }
  }
}
