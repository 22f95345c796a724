/** What came back instead of a result. `status` 0: no answer, so nobody knows whether it was done. */
export class Failure extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message = '', status = 0) {
    super(message)
    this.name = 'Failure'
    this.code = code
    this.status = status
  }

  /** True when the same bytes may be sent again: there was no answer, or the answer was "not now". */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500 || TEMPORARY.has(this.code)
  }

  get isSignedOut(): boolean {
    return this.status === 401 || this.code === 'signed-out'
  }
}

/** For what is asked again after the next connection: no answer is no fault. */
export function orLater(error: unknown): void {
  if (!(error instanceof Failure && error.isTemporary)) throw error
}

// An answer over the socket has no status, so the codes that mean "not now" are named.
const TEMPORARY = new Set(['too-many', 'unavailable', 'server-error', 'signed-out'])
