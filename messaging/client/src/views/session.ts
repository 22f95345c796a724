import { PROTOCOL_VERSION } from '../generated/protocol.ts'
import type { Device } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { Correspondence } from '../store/correspondence.ts'
import { Outbox } from '../store/outbox.ts'
import { type Pin, Store } from '../store/store.ts'
import { Failure } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import { Socket } from '../transport/socket.ts'
import type { DeviceRequest, EventName, Events, Hex, SessionInfo } from '../transport/wire.ts'
import { ConnectionBanner } from './connection.ts'
import { showLog } from './log_alarm.ts'
import { byId, show } from './page.ts'

type Hearers = { [N in EventName]?: (body: Events[N]) => void }

/** Everything a sealed page stands on. `correspondence` is null until this device is approved. */
export class Session {
  readonly info: SessionInfo
  readonly rest: Rest
  readonly store: Store
  readonly socket: Socket
  hear: Hearers = {}
  onReload: () => void = () => undefined
  onOpen: () => void = () => undefined
  /** What must be kept before the page is left because the session has ended. */
  beforeLeaving: () => Promise<void> = async () => undefined
  correspondence: Correspondence | null = null
  readonly #banner = new ConnectionBanner(() => this.socket.connect())

  private constructor(info: SessionInfo, rest: Rest, store: Store) {
    this.info = info
    this.rest = rest
    this.store = store
    document.documentElement.dataset.socket = 'sealed' // whoever else wants events hears them from this one
    this.socket = new Socket({
      url: `${location.origin.replace(/^http/, 'ws')}/socket/`,
      cursors: info.cursors,
      onEvent: (name, body) => (this.hear[name] as ((body: unknown) => void) | undefined)?.(body),
      onState: (state) => {
        this.#banner.set(state)
        if (state === 'open') this.onOpen()
        if (state === 'ended') void this.#leave()
      },
      onAny: (name) => name === 'network.notifications.changed' && tellNotifications(),
      onReload: () => {
        tellNotifications()
        this.onReload()
      },
      onUnheard: () => void this.#checkSignedIn(),
    })
  }

  /** Nobody is signed in any more: nothing may stay readable, and nothing be signed. What was written is kept. */
  async #leave(): Promise<void> {
    show(byId('main'), false)
    await Promise.race([
      this.beforeLeaving().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 2_000)),
    ])
    location.replace(`/sign-in/?next=${encodeURIComponent(`${location.pathname}${location.search}`)}`)
  }

  async #checkSignedIn(): Promise<void> {
    try {
      await this.rest.get<SessionInfo>('session')
    } catch (error) {
      if (error instanceof Failure && error.isSignedOut) this.socket.end()
    }
  }

  /** Raises `Failure`; shows the alarm and raises when the server is not the one this device knows. */
  static async open(rest: Rest): Promise<Session> {
    const info = await rest.get<SessionInfo>('session')
    if (info.protocol !== PROTOCOL_VERSION) throw new Failure('page-outdated', '', 400)
    const store = await Store.open(info.membership.id)
    await checkPin(rest, store, info)
    const session = new Session(info, rest, store)
    addEventListener('online', () => session.socket.connect())
    // The system knows of a lost line long before a time-out does.
    addEventListener('offline', () => session.socket.drop())
    document.addEventListener('visibilitychange', () => document.hidden || session.socket.connect())
    return session
  }

  /** Open the mailbox of this device; null when there is no device of the present principal. */
  async openMailbox(): Promise<Correspondence | null> {
    const device = await this.store.device()
    if (!device || device.principal !== this.info.principal) return null
    this.correspondence = await Correspondence.open(this.info, this.rest, this.store, device)
    showLog(this.correspondence.log)
    // K8: the own authority keeps the principal that was verified here.
    await this.store.savePin({ ...pinOf(this.info), principal: device.principal })
    return this.correspondence
  }

  /** What the server says of a device of this person; null when it knows of none. */
  async deviceRequest(device: Hex): Promise<DeviceRequest | null> {
    const { requests } = await this.rest.get<{ requests: DeviceRequest[] }>('devices/requests')
    return requests.find((request) => request.device === device) ?? null
  }

  /**
   * Keep the keys of a new device and announce them, one tab at a time. False, and nothing is done, when the
   * principal is not `expected` any more, or when this browser holds a device that the server has not declined
   * (whoever restores the keys with the kit replaces it).
   */
  keepDevice(
    device: Device,
    expected: Hex | null,
    announce: () => Promise<unknown>,
    { replaces = false } = {},
  ): Promise<boolean> {
    return navigator.locks.request(`messaging:${this.info.membership.id}:device`, async () => {
      const info = await this.rest.get<SessionInfo>('session')
      const { principal } = info
      await checkPin(this.rest, this.store, info)
      if (principal !== expected) return false
      const kept = await this.store.device()
      if (kept && kept.principal === principal && !replaces) {
        const status = (await this.deviceRequest(kept.id))?.status
        if (status === 'requested' || status === 'enrolled') return false
      }
      await this.store.saveDevice(device)
      await announce()
      // K8: from now on this is the own authority's principal, whatever the server may say.
      await this.store.savePin({ ...pinOf(info), principal: device.principal })
      return true
    }) as Promise<boolean>
  }
}

/** The frame of the page counts notifications; it opens no socket of its own beside this one. */
function tellNotifications(): void {
  document.dispatchEvent(new CustomEvent('network:notifications'))
}

const pinOf = ({ net, server_key }: SessionInfo): Pin => ({ net, serverKey: server_key })

/** K8, T8: the server, and the principal of the own authority, are those that this device has met before. */
async function checkPin(rest: Rest, store: Store, info: SessionInfo): Promise<void> {
  const [known, met] = [await store.pin(), pinOf(info)]
  if (known === undefined) return store.savePin(met)
  const isSame = known.net === met.net && known.serverKey === met.serverKey
  const { principal = info.principal, heir } = known
  if (isSame && (principal === info.principal || heir === info.principal)) return
  // K12: keys that say to follow those known here are compared by a person first.
  if (
    isSame &&
    principal &&
    (await import('./anew.ts').then((anew) => anew.askAboutNewKeys(rest, store, info, principal)))
  )
    return
  show(byId('server-changed'), true)
  throw new Failure('server-changed', '', 400)
}

export interface Mailroom {
  session: Session
  correspondence: Correspondence
  outbox: Outbox
}

const RETURN_TO = 'return-to'

/** For pages that need an approved device: sends others to the devices page, which brings them back. */
export async function openMailroom(rest: Rest): Promise<Mailroom | null> {
  const session = await Session.open(rest)
  const correspondence = await session.openMailbox()
  if (correspondence === null || !correspondence.mailbox.isListed()) {
    sessionStorage.setItem(RETURN_TO, `${location.pathname}${location.search}`)
    location.replace('/devices/')
    return null
  }
  const mailroom = { session, correspondence, outbox: new Outbox(correspondence, session.socket) }
  keepLedgerLater(mailroom)
  return mailroom
}

const LEDGER_AFTER = 3_000

/** What this device has seen is kept for colleagues' devices, when the page has come to rest (L7). */
export function keepLedgerLater({ session, correspondence, outbox }: Mailroom): void {
  const { kind } = correspondence.mailbox.keyring(correspondence.principal) ?? {}
  if (!session.info.device_roles.includes('officer') || kind !== 'authority') return
  setTimeout(async () => {
    try {
      const { keepLedger } = await import('../store/ledger.ts')
      await keepLedger(correspondence, outbox)
    } catch (error) {
      // The next visit tries again; what was refused says so when something is sealed.
      if (!(error instanceof Failure || error instanceof Refused)) throw error
    }
  }, LEDGER_AFTER)
}

/** Where the person wanted to go before this device was ready; asked once. */
export function takeReturnPath(): string | null {
  const path = sessionStorage.getItem(RETURN_TO)
  sessionStorage.removeItem(RETURN_TO)
  // Only ever a path of this site: "//host" would be another one.
  return path?.startsWith('/') && !path.startsWith('//') ? path : null
}
