import { PROTOCOL_VERSION } from '../generated/protocol.ts'
import { Correspondence } from '../store/correspondence.ts'
import { Outbox } from '../store/outbox.ts'
import { type Pin, Store } from '../store/store.ts'
import { Failure } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import { Socket } from '../transport/socket.ts'
import type { EventName, Events, SessionInfo } from '../transport/wire.ts'
import { ConnectionBanner } from './connection.ts'
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
  correspondence: Correspondence | null = null
  readonly #banner = new ConnectionBanner(() => this.socket.connect())

  private constructor(info: SessionInfo, rest: Rest, store: Store) {
    this.info = info
    this.rest = rest
    this.store = store
    this.socket = new Socket({
      url: `${location.origin.replace(/^http/, 'ws')}/socket/`,
      cursors: info.cursors,
      onEvent: (name, body) => (this.hear[name] as ((body: unknown) => void) | undefined)?.(body),
      onState: (state) => {
        this.#banner.set(state)
        if (state === 'open') this.onOpen()
      },
      onReload: () => this.onReload(),
    })
  }

  /** Raises `Failure`; shows the alarm and raises when the server is not the one this device knows. */
  static async open(rest: Rest): Promise<Session> {
    const info = await rest.get<SessionInfo>('session')
    if (info.protocol !== PROTOCOL_VERSION) throw new Failure('page-outdated', '', 400)
    const store = await Store.open(info.membership.id)
    await checkPin(store, { net: info.net, serverKey: info.server_key })
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
    return this.correspondence
  }
}

async function checkPin(store: Store, met: Pin): Promise<void> {
  const known = await store.pin()
  if (known === undefined) return store.savePin(met)
  if (known.net === met.net && known.serverKey === met.serverKey) return
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
    sessionStorage.setItem(RETURN_TO, location.pathname)
    location.replace('/devices/')
    return null
  }
  return { session, correspondence, outbox: new Outbox(correspondence, session.socket) }
}

/** Where the person wanted to go before this device was ready; asked once. */
export function takeReturnPath(): string | null {
  const path = sessionStorage.getItem(RETURN_TO)
  sessionStorage.removeItem(RETURN_TO)
  // Only ever a path of this site: "//host" would be another one.
  return path?.startsWith('/') && !path.startsWith('//') ? path : null
}
