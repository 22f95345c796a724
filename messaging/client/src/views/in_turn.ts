/**
 * Return a starter of `work` that never runs it twice at once: what is asked for meanwhile is one more run after it.
 * What was read before a change is so never shown over what was read after it.
 */
export function inTurn(work: () => Promise<void>): () => Promise<void> {
  let isRunning = false
  let isAskedAgain = false
  return async () => {
    isAskedAgain = true
    if (isRunning) return
    isRunning = true
    try {
      while (isAskedAgain) {
        isAskedAgain = false
        await work()
      }
    } finally {
      isRunning = false
    }
  }
}
