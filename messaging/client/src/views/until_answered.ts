import { retryDelay } from '../transport/backoff.ts'
import { Failure } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import { byId } from './page.ts'
import { showProblem } from './problem.ts'

/** The kit is printed: the same bytes are sent until the server has answered. */
export async function postUntilAnswered(rest: Rest, path: string, body: object): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await rest.post(path, body)
      return
    } catch (error) {
      if (!(error instanceof Failure && error.isTemporary) || error.isSignedOut) throw error
      showProblem(byId('devices-problem'), error)
      await new Promise((resolve) => setTimeout(resolve, retryDelay(attempt)))
    }
  }
}
