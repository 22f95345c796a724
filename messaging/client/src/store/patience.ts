import { retryDelay } from '../transport/backoff.ts'
import { Failure } from '../transport/failure.ts'

const LONGEST = 5

/** Does `work` until there is a definite answer: what failed for the moment is tried again, sooner when the line
 *  comes back. Rejects with what failed for good, or with the reason of `signal`. */
export async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure && error.isTemporary)) throw error
      await pause(retryDelay(Math.min(attempt, LONGEST)), signal)
    }
  }
}

function pause(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      globalThis.removeEventListener?.('online', end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, delay)
    globalThis.addEventListener?.('online', end)
    signal.addEventListener('abort', end)
  })
}

/** Gives the results of `make(0)` to `make(count - 1)` in order, at most `ahead` of them underway. */
export async function* inOrder<T>(count: number, ahead: number, make: (index: number) => Promise<T>) {
  const underway: Promise<T>[] = []
  for (let next = 0; next < count || underway.length > 0; ) {
    while (next < count && underway.length < ahead) {
      const made = make(next++)
      made.catch(() => undefined) // it is heard when its turn comes
      underway.push(made)
    }
    yield await (underway.shift() as Promise<T>)
  }
}
