// Adding an entry to a thread: who is in it from then on.
import type { Membership } from '../sealed/membership.ts'
import type { EntryBody } from '../sealed/wire.ts'
import { Failure } from '../transport/failure.ts'
import type { Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

const ATTEMPTS = 3

/** Adds an entry at the end of a thread; anew where somebody else's entry or message was first. */
export async function extend(
  within: Correspondence,
  thread: Hex,
  newcomers: readonly Hex[],
  make: (membership: Membership) => Promise<EntryBody>,
): Promise<void> {
  const { mailbox, rest } = within
  const reading = within.reading(thread)
  for (let attempt = 1; ; attempt += 1) {
    await reading.sync()
    const members = (mailbox.thread(thread)?.members ?? []).map(({ principal }) => principal)
    const everybody = [...members, ...newcomers]
    for (const one of everybody) await within.learnKeyring(one)
    await within.makeReady(everybody)
    try {
      await rest.post(`threads/${thread}/entries`, await make(await mailbox.membership()))
      break
    } catch (error) {
      if (!(error instanceof Failure && error.status === 409) || attempt === ATTEMPTS) throw error
    }
  }
  await reading.sync()
}
