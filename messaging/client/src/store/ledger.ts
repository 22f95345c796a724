// The ledger of the own authority: opened by the first supervisor's device, accepts, and pins for devices that come
// later (K8, L7).
import type { How } from '../sealed/trust.ts'
import { Failure } from '../transport/failure.ts'
import type { Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { readLedger } from './others.ts'
import type { Outbox } from './outbox.ts'

const WEEK = 7 * 86_400
const DAY = 86_400
const KEPT = 'ledger-kept'

/** What this device had seen of keyrings when it last looked after the ledger, and when that was. */
interface Kept {
  readonly heads: string
  readonly at: number
}

const now = (): number => Math.floor(Date.now() / 1000)

/** Opens the ledger where a supervisor's device finds none; writes pins that are a week old, or say less than this
 *  device has seen. Asks nothing of the server while nothing has changed. */
export async function keepLedger(within: Correspondence, outbox: Outbox): Promise<void> {
  const { store, mailbox } = within
  const heads = JSON.stringify(mailbox.exportPublicState().keyrings)
  const kept = await store.fact<Kept>(KEPT)
  if (kept?.heads === heads && now() - kept.at < DAY) return
  const ledger = (await readLedger(within)) ?? (await openLedger(within))
  if (ledger !== null) {
    const pins = await mailbox.others.startFromPins()
    const isDue = pins === null || !pins.isWhole || now() - pins.at > WEEK
    if (isDue) await outbox.addStatement(ledger, await (await mailbox.membership()).pins())
  }
  await store.saveFact(KEPT, { heads, at: now() })
}

/** The ledger, opened; null where this device may not and no colleague has. */
async function openLedger(within: Correspondence): Promise<Hex | null> {
  const { mailbox, rest, principal } = within
  if (!mailbox.myRoles.includes('supervisor')) return null
  await within.log.makeReady([principal])
  const { entry, envelopes } = await (await mailbox.membership()).openOwn('ledger')
  try {
    await rest.post('threads', { entry, envelopes, messages: [] })
  } catch (error) {
    // A colleague was first: theirs is the ledger.
    if (!(error instanceof Failure && error.status === 409)) throw error
  }
  return readLedger(within)
}

/** A supervisor has compared the fingerprint of a counterpart and accepts it: for all devices of the authority.
 *  Proves to be present first. @throws Refused, Failure */
export async function accept(
  within: Correspondence,
  outbox: Outbox,
  { authority, principal, how }: { authority: string; principal: Hex; how: How },
): Promise<void> {
  const { mailbox, rest } = within
  await within.learnKeyring(principal)
  mailbox.checkAuthority(authority, principal)
  await within.log.makeReady([principal])
  await mailbox.checkLogged(principal)
  const ledger = (await readLedger(within)) ?? (await openLedger(within))
  if (ledger === null) throw new Failure('no-ledger')
  const statement = await (await mailbox.membership()).accept(authority, principal, how)
  await rest.post(`keyrings/${within.principal}/accepts`, {})
  await outbox.addStatement(ledger, statement)
  await outbox.flush()
  await readLedger(within)
}
