import type { LineState } from '../transport/socket.ts'
import { byId, show, text } from './page.ts'

// A short break is not worth a banner that moves the page.
const PATIENCE = 2_000

/** The banner that says whether this page hears the server. */
export class ConnectionBanner {
  readonly #retry: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(retry: () => void) {
    this.#retry = retry
    byId('connection-retry').addEventListener('click', () => this.#retry())
  }

  set(state: LineState): void {
    document.body.dataset.line = state
    if (state === 'open' || state === 'ended') {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    if (state === 'open') this.#hide()
    else if (state === 'ended') this.#say('line-ended', false)
    else if (this.#timer !== undefined)
      return // tries do not make the break any shorter
    else
      this.#timer = setTimeout(
        () => this.#say(navigator.onLine ? 'line-lost' : 'line-offline', true),
        PATIENCE,
      )
  }

  #say(key: string, mayRetry: boolean): void {
    byId('connection-text').textContent = text(key)
    show(byId('connection-retry'), mayRetry)
    show(byId('connection-sign-in'), !mayRetry)
    show(byId('connection'), true)
  }

  #hide(): void {
    show(byId('connection'), false)
    byId('connection-text').textContent = ''
  }
}
