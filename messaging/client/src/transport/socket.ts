import type { Commands } from '../generated/protocol.ts'
import { retryDelay } from './backoff.ts'
import { Failure } from './failure.ts'
import { type Cursors, type EventName, type Events, isEventName } from './wire.ts'

/** `ended`: the server said that this session is over; nothing will be tried again. */
export type LineState = 'connecting' | 'open' | 'waiting' | 'ended'

export interface SocketOptions {
  url: string
  cursors: Cursors
  onEvent<N extends EventName>(name: N, body: Events[N]): void
  /** Any event of an audience, also one that this page knows nothing more of. */
  onAny?(name: string): void
  onState(state: LineState, retryAt: number | null): void
  /** The server no longer holds what was missed: read everything again. */
  onReload(): void
  /** A connection closed before the server had said anything: perhaps nobody is signed in any more. */
  onUnheard?(): void
  connect?(url: string): WebSocket
}

interface Waiting {
  resolve(value: unknown): void
  reject(failure: Failure): void
  timer: ReturnType<typeof setTimeout>
}

interface Frame {
  id?: string | null
  result?: unknown
  error?: { code: string; message: string }
  event?: string
  audience?: string
  seq?: number
  body?: unknown
}

const ANSWER_WITHIN = 12_000
const PING_EVERY = 25_000
const SESSION_ENDED = 4401
const MEMBERSHIP_ENDED = 4403
const SLOW_DOWN = new Set([4408, 4429, 1008])

/** The one socket of a page: commands with answers, events in order, reconnection, resumption by cursors. */
export class Socket {
  readonly cursors: Cursors
  unknownEvents = 0
  #state: LineState = 'connecting'
  readonly #options: SocketOptions
  readonly #waiting = new Map<string, Waiting>()
  #socket: WebSocket | null = null
  #wasHeard = false
  #nextId = 1
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #ping: ReturnType<typeof setInterval> | undefined

  constructor(options: SocketOptions) {
    this.#options = options
    this.cursors = { ...options.cursors }
  }

  get state(): LineState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Connect now, whatever the wait; does nothing while a connection stands or the session is over. */
  connect(): void {
    if (this.#socket !== null || this.#state === 'ended') return
    clearTimeout(this.#retry)
    this.#setState('connecting')
    const socket = this.#options.connect?.(this.#options.url) ?? new WebSocket(this.#options.url)
    this.#socket = socket
    this.#wasHeard = false
    socket.addEventListener(
      'message',
      (event) => socket === this.#socket && this.#receive(String(event.data)),
    )
    socket.addEventListener('close', (event) => this.#closed(socket, event.code))
  }

  /** The line is known to be dead: commands that wait for an answer fail now, and connecting begins anew. */
  drop(): void {
    const socket = this.#socket
    if (socket === null) return
    this.#closed(socket, 1006)
    socket.close()
  }

  /** The session is over, as the server has said elsewhere: nothing is tried again. */
  end(): void {
    if (this.#state === 'ended') return
    clearTimeout(this.#retry)
    this.#setState('ended')
    this.drop()
  }

  /** Ask the server. Rejects with `Failure`; status 0 when the line broke before an answer came. */
  command<N extends keyof Commands>(name: N, body: Commands[N]['body']): Promise<Commands[N]['result']> {
    const socket = this.#socket
    if (socket === null || socket.readyState !== 1) return Promise.reject(new Failure('no-answer'))
    const id = `c${this.#nextId++}`
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(id), ANSWER_WITHIN)
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer })
      socket.send(JSON.stringify({ id, command: name, body }))
    })
  }

  #setState(state: LineState, retryAt: number | null = null): void {
    this.#state = state
    this.#options.onState(state, retryAt)
  }

  #giveUp(id: string): void {
    this.#waiting.get(id)?.reject(new Failure('no-answer'))
    this.#waiting.delete(id)
    // A line that swallows a command for so long is dead, whatever it says.
    this.drop()
  }

  #receive(data: string): void {
    const frame = JSON.parse(data) as Frame
    this.#wasHeard = true
    if (frame.event !== undefined) this.#hear(frame.event, frame)
    else if (typeof frame.id === 'string') this.#answer(frame.id, frame)
  }

  #answer(id: string, frame: Frame): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (frame.error) waiting.reject(new Failure(frame.error.code, frame.error.message, 400))
    else waiting.resolve(frame.result)
  }

  #hear(name: string, frame: Frame): void {
    if (name === 'network.session.opened') {
      this.#resume().catch(() => this.#socket?.close())
      return
    }
    if (name === 'network.queue.emptied') return
    this.#options.onAny?.(name)
    if (isEventName(name)) this.#options.onEvent(name, frame.body as Events[EventName])
    else this.unknownEvents += 1
    if (frame.audience !== undefined && frame.seq !== undefined) this.cursors[frame.audience] = frame.seq
  }

  async #resume(): Promise<void> {
    const result = await this.command('network.session.resume', { cursors: this.cursors })
    this.#attempt = 0
    this.#setState('open')
    clearInterval(this.#ping)
    this.#ping = setInterval(() => this.#keepAlive(), PING_EVERY)
    if (result.reload.length === 0) return
    for (const audience of result.reload) {
      const now = result.cursors[audience]
      if (now !== undefined) this.cursors[audience] = now
    }
    this.#options.onReload()
  }

  #keepAlive(): void {
    this.command('network.session.ping', {}).catch(() => undefined)
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return
    this.#socket = null
    clearInterval(this.#ping)
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer)
      waiting.reject(new Failure('no-answer'))
    }
    this.#waiting.clear()
    if (this.#state === 'ended') return
    if (code === SESSION_ENDED || code === MEMBERSHIP_ENDED) this.#setState('ended')
    else {
      this.#retryLater(code)
      if (!this.#wasHeard) this.#options.onUnheard?.()
    }
  }

  #retryLater(code: number): void {
    if (SLOW_DOWN.has(code)) this.#attempt = Math.max(this.#attempt, 5)
    const delay = retryDelay(this.#attempt++)
    this.#retry = setTimeout(() => this.connect(), delay)
    this.#setState('waiting', Date.now() + delay)
  }
}
