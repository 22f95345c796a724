import type { ItemJson, KeyringJson } from '../sealed/client.ts'
import { Failure } from '../transport/failure.ts'
import type { Base64, Hex, ReturnedPlace, SessionInfo } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

/** Of the last restore that this device has answered. */
const FACT = 'restored'
const LAST = Number.MAX_SAFE_INTEGER
const AT_ONCE = 20
const STATEMENTS_MOST = 100
const CHARACTERS_AT_ONCE = 256 * 1024

/**
 * Answers the newest restore once (L8): what this device keeps of threads goes back where the server has lost it. A
 * thread that stood still because the server had gone back goes on. Raises `Refused` for a restore that does not hold,
 * `Failure` without an answer; then it is tried again.
 */
export async function answerRestore(within: Correspondence, restore: Base64): Promise<void> {
  const { store, mailbox, rest, info } = within
  if ((await store.fact<Base64>(FACT)) === restore) return
  const { others } = mailbox
  if (!others.secretariat) others.meet((await rest.get<SessionInfo>('session')).secretariat ?? null)
  if (others.secretariat) await within.learnKeyring(others.secretariat)
  await others.checkRestore(restore, info.server_key)
  await handBackKeyring(within)
  for (const thread of await store.keptThreads()) await handBack(within, thread)
  await store.saveFact(FACT, restore)
}

/** The own keyring, as this device verified it and the server had it: with its envelopes, from where it is lost. */
export async function handBackKeyring({ store, rest, principal }: Correspondence): Promise<void> {
  const kept = await store.keyring(principal)
  if (kept === undefined || kept.entries.some(({ envelopes }) => envelopes === null)) return
  const path = `keyrings/${principal}`
  try {
    const there = await rest.get<KeyringJson>(`${path}?from=${Math.max(0, kept.entries.length - 1)}`)
    if (there.entries.length > 0) return
    const entries = kept.entries.map(({ entry, envelopes }) => ({ entry, envelopes }))
    const statements = kept.statements.slice(-STATEMENTS_MOST)
    // What is there already is passed over.
    for (let first = 0; first < entries.length; first += AT_ONCE)
      await rest.post(`${path}/returned`, { entries: entries.slice(first, first + AT_ONCE), statements })
  } catch (error) {
    // What the server does not take back is seen when its keyring is compared with what was seen before (K10).
    if (!(error instanceof Failure) || error.isTemporary) throw error
  }
}

async function handBack({ store, rest }: Correspondence, thread: Hex): Promise<void> {
  const there = await endOf(rest, thread)
  const lost = (await store.items(thread)).filter(({ seq }) => seq > there)
  try {
    for (const items of inParts(lost)) await rest.post<ReturnedPlace>(`threads/${thread}/returned`, { items })
  } catch (error) {
    // What cannot go back is left to the next reading, which compares.
    if (!(error instanceof Failure) || error.isTemporary) throw error
  }
  if ((await store.alarm(thread))?.code === 'server-went-back') await store.forgetAlarm(thread)
}

async function endOf(rest: Correspondence['rest'], thread: Hex): Promise<number> {
  try {
    return (await rest.get<{ seq: number }>(`threads/${thread}/items?after=${LAST}&limit=1`)).seq
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return 0
    throw error
  }
}

/** Items as they are sent, in parts that a request holds. */
function* inParts(items: readonly ItemJson[]): Generator<object[]> {
  let part: object[] = []
  let size = 0
  for (const { seq, type, item, ciphertext, envelopes, receipt } of items) {
    const weight = item.length + (ciphertext?.length ?? 0) + (envelopes?.length ?? 0) + receipt.length
    if (part.length === AT_ONCE || (part.length > 0 && size + weight > CHARACTERS_AT_ONCE)) {
      yield part
      part = []
      size = 0
    }
    part.push({ seq, type, item, ciphertext, envelopes, receipt })
    size += weight
  }
  if (part.length > 0) yield part
}
