// Who can be written to: what the secretariat has confirmed and the own ledger accepts, fetched when it is needed (K8).
import { TRUSTED } from '../sealed/counterparts.ts'
import { Refused } from '../sealed/errors.ts'
import type { Hex, SessionInfo, ThreadRow } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

const LEDGER = 'ledger'
const OWN_PAGE = 100

/** Brings the log, and what is known of these, up to date before anything is sealed to them (K8, M9). */
export async function makeReady(within: Correspondence, principals: readonly Hex[]): Promise<void> {
  const { secretariat } = within.mailbox.others
  const isKnown = secretariat && within.mailbox.keyring(secretariat) !== null
  await within.log.makeReady(isKnown ? [...principals, secretariat] : principals)
  await look(within, principals)
}

/** Finds out how these stand, and keeps it for the lists in which they appear. */
export async function look(within: Correspondence, principals: readonly Hex[]): Promise<void> {
  await ask(within, principals)
  await keepLevels(within, principals)
}

async function keepLevels({ mailbox, store }: Correspondence, asked: readonly Hex[]): Promise<void> {
  const kept = await store.levels()
  const levels = { ...kept }
  for (const principal of Object.keys(mailbox.exportPublicState().keyrings)) {
    const level = mailbox.others.level(principal)
    const isTrusted = TRUSTED.includes(level) && !mailbox.keyring(principal)?.isUnconfirmed
    // Of whom nobody asked, more may be known than this page has verified.
    if (level !== 'own' && (isTrusted || asked.includes(principal)))
      levels[principal] = isTrusted ? level : 'seen'
  }
  if (JSON.stringify(levels) !== JSON.stringify(kept)) await store.saveLevels(levels)
}

/** First by the secretariat, then by the own ledger. */
async function ask(within: Correspondence, principals: readonly Hex[]): Promise<void> {
  const { others } = within.mailbox
  for (const askOne of [askSecretariat, readLedger]) {
    await others.refresh()
    const wanting = principals.filter((principal) => isWanting(within, principal))
    if (wanting.length === 0) return
    await askOne(within, wanting)
  }
  await others.refresh()
}

function isWanting({ mailbox }: Correspondence, principal: Hex): boolean {
  const keyring = mailbox.keyring(principal)
  return keyring !== null && (!TRUSTED.includes(keyring.level) || keyring.isUnconfirmed)
}

async function askSecretariat(within: Correspondence, principals: readonly Hex[]): Promise<void> {
  const { mailbox, rest } = within
  const { others } = mailbox
  for (const principal of principals) await within.learnKeyring(principal)
  if (!others.hasConfirms) return
  if (!others.secretariat) others.meet((await rest.get<SessionInfo>('session')).secretariat ?? null)
  if (!others.secretariat) return
  try {
    await within.learnKeyring(others.secretariat)
    await within.log.follow()
  } catch (error) {
    if (!(error instanceof Refused)) throw error // a secretariat that does not hold confirms nobody
  }
}

/** The own ledger, verified to its end; null where there is none yet. What colleagues have seen is taken over (L7). */
export async function readLedger(within: Correspondence): Promise<Hex | null> {
  const ledger = await findLedger(within)
  if (ledger === null) return null
  await within.reading(ledger).load()
  await within.mailbox.others.refresh()
  await within.mailbox.others.startFromPins()
  return ledger
}

async function findLedger({ store, rest }: Correspondence): Promise<Hex | null> {
  const known = await store.fact<Hex>(LEDGER)
  if (known !== undefined) return known
  for (let before: string | null = ''; before !== null; ) {
    const query: string = before === '' ? '' : `&before=${encodeURIComponent(before)}`
    const page: { threads: ThreadRow[]; next: string | null } = await rest.get(
      `threads?own=true&limit=${OWN_PAGE}${query}`,
    )
    const found = page.threads.find(({ kind }) => kind === 'ledger')
    if (found) {
      await store.saveFact(LEDGER, found.thread)
      return found.thread
    }
    before = page.next
  }
  return null
}
