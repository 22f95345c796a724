import { toBase64 } from '../sealed/encoding.ts'
import { createDeviceKeys, deviceWords, fingerprintDigits } from '../sealed/keys.ts'
import { makeFirstDevice, makePractitioner } from '../sealed/practice.ts'
import type { Device } from '../sealed/wire.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Outbox } from '../store/outbox.ts'
import type { Rest } from '../transport/rest.ts'
import type { Hex } from '../transport/wire.ts'
import { takeDelivery } from './deliveries.ts'
import { inTurn } from './in_turn.ts'
import { byId, show, showOnly } from './page.ts'
import { showProblem } from './problem.ts'
import { OwnRequests, personOf, SecondBrowser } from './second_browser.ts'
import { Session } from './session.ts'
import { postUntilAnswered } from './until_answered.ts'

const STEPS = ['step-ask', 'step-waiting', 'step-elsewhere', 'step-second', 'step-ready'] as const
const LOOK_EVERY = 15_000

interface Practitioner {
  readonly device: Hex
  readonly principal: Hex | null
  readonly sponsoring: string | null
}

export async function showPractice(rest: Rest): Promise<void> {
  await new PracticeView(await Session.open(rest)).start()
}

const now = (): number => Math.floor(Date.now() / 1000)

/** The keys of a prosecutor or judge: made here, in force once an authority answers for them (K9). */
class PracticeView {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async start(): Promise<void> {
    const { info, socket, store } = this.#session
    const device = await store.device()
    const correspondence = info.principal === null ? null : await this.#session.openMailbox()
    show(byId('loading'), false)
    socket.connect()
    if (correspondence?.mailbox.isListed()) await this.#ready(correspondence)
    else if (device && (info.principal === null || device.principal === '')) await this.#wait(device)
    else if (info.principal === null) this.#offer()
    else await this.#elsewhere(info.principal, correspondence)
  }

  async #elsewhere(principal: Hex, correspondence: Correspondence | null): Promise<void> {
    const second = new SecondBrowser(this.#session, (step) => this.#step(step))
    if (correspondence) await second.wait(correspondence)
    else second.offer(principal)
  }

  #offer(): void {
    this.#step('step-ask')
    const button = byId<HTMLButtonElement>('ask')
    button.onclick = async () => {
      button.disabled = true
      try {
        await this.#ask()
      } catch (error) {
        showProblem(byId('devices-problem'), error)
      } finally {
        button.disabled = false
      }
    }
  }

  /** The keys are kept before they are announced; another tab of this browser may have been first. */
  async #ask(): Promise<void> {
    const { info, rest, store } = this.#session
    await navigator.locks.request(`messaging:${info.membership.id}:device`, async () => {
      if (await store.device()) return
      const keys = await createDeviceKeys()
      const first = { net: info.net, person: personOf(info), keys, at: now() }
      const { device, body } = await makeFirstDevice(first)
      await store.saveDevice(device)
      await rest.post('devices/requests', body)
    })
    location.reload()
  }

  async #wait(device: Device): Promise<void> {
    byId('own-words').textContent = await deviceWords(this.#session.info.net, device.id)
    this.#step('step-waiting')
    const look = () => void this.#look(device).catch((error) => showProblem(byId('devices-problem'), error))
    this.#session.hear = { 'messaging.practitioner.sponsored': look }
    this.#session.onReload = look
    setInterval(look, LOOK_EVERY)
    await this.#look(device)
  }

  /** Begins as soon as somebody answers. Done again after a cut it makes the same fingerprint. */
  async #look(device: Device): Promise<void> {
    const { info, rest, store } = this.#session
    await navigator.locks.request(`messaging:${info.membership.id}:device`, async () => {
      const found = await rest.get<{ practitioners: Practitioner[] }>('practitioners')
      const own = found.practitioners.find((row) => row.device === device.id)
      if (own === undefined) {
        const statement = toBase64(device.statement)
        await rest.post('devices/requests', { statement })
      }
      if (!own?.sponsoring) return
      const begun = await makePractitioner(info.net, device, own.sponsoring, now())
      await store.saveDevice(begun.device)
      if (own.principal === null) await postUntilAnswered(rest, 'keyrings', begun.body)
      location.reload()
    })
  }

  async #ready(correspondence: Correspondence): Promise<void> {
    this.#step('step-ready')
    byId('own-fingerprint').textContent = fingerprintDigits(correspondence.principal)
    const outbox = new Outbox(correspondence, this.#session.socket)
    const mailroom = { session: this.#session, correspondence, outbox }
    const requests = new OwnRequests(correspondence)
    const showStanding = inTurn(() => this.#showStanding(correspondence, requests))
    const again = () => void showStanding().catch(() => undefined)
    this.#session.onReload = again
    this.#session.hear = {
      'messaging.keyring.grew': again,
      'messaging.device.requested': again,
      'messaging.approval.changed': again,
      'messaging.item.appended': (item) => void takeDelivery(mailroom, item),
    }
    await showStanding()
    correspondence.saveSoon()
  }

  async #showStanding(correspondence: Correspondence, requests: OwnRequests): Promise<void> {
    await correspondence.learnKeyring(correspondence.principal)
    show(byId('not-answered'), !correspondence.mailbox.own.isAnsweredFor)
    await requests.load()
  }

  #step(step: (typeof STEPS)[number]): void {
    showOnly(STEPS, step)
    if (step !== 'step-ready') byId(step).querySelector<HTMLElement>('h2')?.focus()
  }
}
