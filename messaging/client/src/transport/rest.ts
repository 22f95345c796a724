import { Failure } from './failure.ts'

const TIMEOUT = 30_000
const CHUNK_TIMEOUT = 300_000 // a chunk of a file, over a weak line

/**
 * The HTTP side of the service: JSON in, JSON out, `Failure` for everything else. A dangerous act that lacks a
 * fresh proof is repeated, byte for byte, once `prove` has got one; `prove` rejects when the person does not want to.
 */
export class Rest {
  readonly #token: string
  readonly #prove: () => Promise<void>

  constructor(csrfToken: string, prove: () => Promise<void>) {
    this.#token = csrfToken
    this.#prove = prove
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path)
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#call<T>('POST', path, body)
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('PUT', path, body)
  }

  delete<T>(path: string): Promise<T> {
    return this.#call<T>('DELETE', path)
  }

  /** Sends the bytes of a chunk. */
  async putBytes(path: string, body: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    const headers = { 'X-CSRFToken': this.#token, 'Content-Type': 'application/octet-stream' }
    const answer = await this.#fetchBytes(path, signal, { method: 'PUT', headers, body })
    await readJson(answer)
  }

  /** Fetches the bytes of a chunk. */
  async getBytes(path: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#fetchBytes(path, signal, { method: 'GET' })
    try {
      return new Uint8Array(await answer.arrayBuffer())
    } catch {
      throw new Failure('no-answer')
    }
  }

  async #fetchBytes(path: string, signal: AbortSignal, how: RequestInit): Promise<Response> {
    const request: RequestInit = { ...how, credentials: 'same-origin', redirect: 'error' }
    let answer: Response
    try {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(CHUNK_TIMEOUT)])
      answer = await fetch(`/api/${path}`, { ...request, signal: patience })
    } catch {
      throw new Failure('no-answer')
    }
    if (!answer.ok) throw asFailure(await readJson(answer), answer.status)
    return answer
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    try {
      return await this.#once<T>(method, path, body)
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'proof-needed')) throw error
      await this.#prove().catch(() => Promise.reject(error))
      return this.#once<T>(method, path, body)
    }
  }

  async #once<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' }
    if (method !== 'GET') headers['X-CSRFToken'] = this.#token
    const request: RequestInit = { method, headers, credentials: 'same-origin', redirect: 'error' }
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json'
      request.body = JSON.stringify(body)
    }
    let answer: Response
    try {
      answer = await fetch(`/api/${path}`, { ...request, signal: AbortSignal.timeout(TIMEOUT) })
    } catch {
      throw new Failure('no-answer')
    }
    const value = await readJson(answer)
    if (!answer.ok) throw asFailure(value, answer.status)
    return value as T
  }
}

async function readJson(answer: Response): Promise<unknown> {
  if (answer.status === 204) return {}
  try {
    return await answer.json()
  } catch {
    // A proxy's own page, or a connection cut half-way: a good status with half a body is no answer.
    throw new Failure('unreadable-answer', '', answer.ok ? 0 : answer.status)
  }
}

function asFailure(value: unknown, status: number): Failure {
  const error = (value as { error?: { code?: string; message?: string } } | null)?.error
  return new Failure(error?.code ?? 'unreadable-answer', error?.message ?? '', status)
}
