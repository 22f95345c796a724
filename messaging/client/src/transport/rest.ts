import { Failure } from './failure.ts'

const TIMEOUT = 30_000

/** The HTTP side of the service: JSON in, JSON out, `Failure` for everything else. */
export class Rest {
  readonly #token: string

  constructor(csrfToken: string) {
    this.#token = csrfToken
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

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
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
