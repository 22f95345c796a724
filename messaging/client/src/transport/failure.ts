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

// What a browser says of a script that it did not get; one that fails while it runs is a fault of ours.
const NOT_FETCHED = /import(ed|ing) |fetch|load failed/i

/** A script that is loaded later did not come: a broken line, which is mended by asking again. build.mjs adds this to
 *  every such import. */
function scriptDidNotCome(error: unknown): never {
  if (error instanceof TypeError && NOT_FETCHED.test(error.message)) throw new Failure('no-answer')
  throw error
}

Object.assign(globalThis, { scriptDidNotCome })

// An answer over the socket has no status, so the codes that mean "not now" are named.
const TEMPORARY = new Set([
  'too-many',
  'unavailable',
  'server-error',
  'signed-out',
  'being-restored',
  'log-rolled-back',
])
