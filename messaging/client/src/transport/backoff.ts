const FIRST = 500
const MOST = 60_000

/**
 * Milliseconds to wait before try number `attempt` (from 0): full jitter, so that a thousand browsers do not come
 * back in the same second after a restart. The first try comes within half a second, none later than a minute.
 */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(MOST, FIRST * 2 ** Math.min(attempt, 16))
}
