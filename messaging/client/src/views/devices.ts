import { makeDeviceRequest, makeGenesis, type Person } from '../sealed/client.ts'
import { createDeviceKeys, deviceWords, fingerprintDigits } from '../sealed/keys.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Outbox } from '../store/outbox.ts'
import { Failure, orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { SessionInfo } from '../transport/wire.ts'
import { takeDelivery } from './deliveries.ts'
import { dateTime } from './format.ts'
import { showKit } from './kit.ts'
import { announce, byId, clone, fill, hasText, show, showOnly, slot, text } from './page.ts'
import { showProblem } from './problem.ts'
import { RequestList } from './requests.ts'
import { keepLedgerLater, Session, takeReturnPath } from './session.ts'
import { Stewards } from './stewards.ts'
import { postUntilAnswered } from './until_answered.ts'

const STEPS = [
  'step-no-keys',
  'step-make-keyring',
  'kit',
  'step-request',
  'step-restore',
  'step-anew',
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
    if (await this.#waitsAnew()) return
    if (info.principal === null) this.#withoutKeyring()
    else if (correspondence === null) this.#offerRequest(info.principal)
    else if (correspondence.mailbox.isListed()) await this.#ready(correspondence)
    else await this.#wait(correspondence)
  }

  // (a) The authority has no keys yet.
  #withoutKeyring(): void {
    const { info } = this.#session
    this.#step(info.device_roles.includes('steward') ? 'step-make-keyring' : 'step-no-keys')
    this.#onClick('make-keyring', () => this.#makeKeyring())
    // A colleague, or another tab, may make them while this page is open.
    this.#session.hear = { 'messaging.keyring.grew': () => location.reload() }
  }

  async #makeKeyring(): Promise<void> {
    const { info, rest } = this.#session
    const made = { net: info.net, person: personOf(info), keys: await createDeviceKeys(), at: now() }
    const kind = info.authority.kind === 'secretariat' ? 'secretariat' : 'authority'
    const { device, kit, body } = await makeGenesis({ ...made, roles: info.device_roles, kind })
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
      .keepDevice(device, null, () => postUntilAnswered(rest, 'keyrings', body))
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
    // Only who may keep the keys can take them over.
    show(byId('all-lost-row'), this.#session.info.device_roles.includes('steward'))
    this.#onClick('all-lost', () => this.#restore(principal))
  }

  async #restore(principal: string): Promise<void> {
    const { offerRestoring } = await import('./restore.ts')
    this.#session.hear = {}
    this.#step('step-restore')
    byId('restore-back').onclick = () => this.#offerRequest(principal)
    const isAuthority = this.#session.info.authority.kind !== 'secretariat'
    show(byId('kit-lost-row'), isAuthority) // nobody would confirm those of the secretariat
    this.#onClick('kit-lost', async () => this.#offerNewStart(principal))
    offerRestoring(this.#session, personOf(this.#session.info), () => this.#goOn())
  }

  /** K12: whether this browser made keys that wait to take the place of lost ones. */
  async #waitsAnew(): Promise<boolean> {
    const { info, store } = this.#session
    const kept = await store.device()
    if (!kept || kept.principal === info.principal || info.principal === null) return false
    const { awaitConfirmation } = await import('./anew.ts')
    return awaitConfirmation(this.#session, kept)
  }

  #offerNewStart(principal: string): void {
    this.#step('step-anew')
    byId('anew-back').onclick = () => this.#offerRequest(principal)
    this.#onClick('anew-go', async () => {
      const { beginAnew } = await import('./anew.ts')
      await beginAnew(this.#session, personOf(this.#session.info), principal)
      location.reload()
    })
  }

  async #request(principal: string): Promise<void> {
    const { info, rest } = this.#session
    const keys = await createDeviceKeys()
    const who = { net: info.net, principal, person: personOf(info), keys, at: now() }
    const { device, body } = await makeDeviceRequest(who)
    this.#session.store.isShared = byId<HTMLInputElement>('shared-request').checked
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
    this.#showStewards(correspondence)
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

  /** Whom to call: each person once, by the names their devices signed. */
  #showStewards({ mailbox, principal }: Correspondence): void {
    const devices = mailbox.keyring(principal)?.devices ?? []
    const stewards = new Map(
      devices.filter(({ roles }) => roles.includes('steward')).map((device) => [device.person, device]),
    )
    byId('stewards').replaceChildren(
      ...[...stewards.values()].map(({ name, office }) => {
        const element = clone('steward')
        fill(element, { name, office })
        return element
      }),
    )
    show(byId('who-approves'), stewards.size > 0)
  }

  async #lookForApproval(correspondence: Correspondence): Promise<void> {
    await correspondence.learnKeyring(correspondence.principal)
    if (!correspondence.mailbox.isListed()) return
    clearInterval(this.#look)
    this.#goOn()
  }

  /** The request may have been lost on its way, or declined while this page was closed. */
  async #checkPending(correspondence: Correspondence): Promise<void> {
    const request = await this.#session.deviceRequest(correspondence.device.id)
    const status = request?.status
    byId('asked-at').textContent = request
      ? text('device-asked', { time: dateTime(request.requested_at) })
      : ''
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
    show(byId('write-now'), this.#session.info.device_roles.includes('officer'))
    const stewards = new Stewards(correspondence, () => this.#showDevices(correspondence, stewards))
    const requests = new RequestList(correspondence, stewards, () =>
      this.#showDevices(correspondence, stewards),
    )
    this.#showDevices(correspondence, stewards)
    const again = () => void this.#refresh(correspondence, requests, stewards).catch(orLater)
    const outbox = new Outbox(correspondence, this.#session.socket)
    const mailroom = { session: this.#session, correspondence, outbox }
    keepLedgerLater(mailroom)
    this.#session.hear = {
      'messaging.keyring.grew': again,
      'messaging.device.requested': again,
      'messaging.device.declined': again,
      'messaging.approval.changed': again,
      'messaging.item.appended': (item) => void takeDelivery(mailroom, item),
    }
    this.#session.onReload = again
    let wasOpen = false
    this.#session.onOpen = () => {
      void outbox.flush()
      if (wasOpen) again()
      wasOpen = true
    }
    this.#offerForgetting()
    byId('drill').addEventListener('toggle', () => void this.#offerDrill(), { once: true })
    await requests.load()
    await stewards.load()
    correspondence.saveSoon()
  }

  async #offerDrill(): Promise<void> {
    const { offerDrill } = await import('./restore.ts')
    offerDrill(this.#session)
  }

  #offerForgetting(): void {
    const { store } = this.#session
    const shared = byId<HTMLInputElement>('shared')
    shared.checked = store.isShared
    shared.onchange = () => {
      store.isShared = shared.checked
      announce(text(shared.checked ? 'shared-computer' : 'own-computer'))
    }
    this.#onClick('forget', async () => {
      await store.forget()
      location.reload()
    })
  }

  async #refresh(correspondence: Correspondence, requests: RequestList, stewards: Stewards): Promise<void> {
    await correspondence.learnKeyring(correspondence.principal)
    // Removed by a colleague: there is nothing here for this device any more.
    if (!correspondence.mailbox.isListed()) return location.reload()
    this.#showDevices(correspondence, stewards)
    await requests.load()
    await stewards.load()
  }

  #showDevices(correspondence: Correspondence, stewards: Stewards): void {
    stewards.show()
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
        const made = text('device-made', { time: dateTime(device.madeAt) })
        fill(element, { roles: roles.join(' · '), made })
        stewards.offerChanges(element, device)
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
    const isReader = this.#session.info.device_roles.includes('officer')
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
