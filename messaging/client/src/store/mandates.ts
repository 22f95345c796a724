// Mandates by which practitioners write directly (T3, T5), as they stand in a verified thread, and what is done about
// them. A message is signed by the device whose authority it names, so a proposal or consent counts as its author's.
import { type Consent, readConsent } from '../sealed/consent.ts'
import { fromBase64, sha256, toHex } from '../sealed/encoding.ts'
import { type Mandate, readMandate } from '../sealed/mandate.ts'
import { typeOf } from '../sealed/statement.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'
import { extend } from './entries.ts'
import type { Outbox } from './outbox.ts'
import type { Reading } from './reading.ts'
import { messagesOf } from './summary.ts'

/** `waits`: for consents; `ready`: all parties have consented; `in-force`: who is named has been let in. */
export type State = 'waits' | 'ready' | 'in-force' | 'withdrawn' | 'over'

export interface Proposal {
  readonly hash: Hex
  readonly statement: Base64
  /** For what, what is excluded: sealed, and committed to by the mandate. */
  readonly text: string
  readonly by: Hex
  readonly practitioners: readonly Hex[]
  /** Unix seconds. */
  readonly until: number
  readonly inform: string
  /** By party. */
  readonly consents: ReadonlyMap<Hex, Base64>
  readonly missing: readonly Hex[]
  readonly state: State
}

type Read = { mandate: Mandate; statement: Base64; text: string; by: Hex }

/** Every mandate that was proposed in a thread, the oldest first. */
export async function proposalsIn(
  within: Correspondence,
  reading: Reading,
  now: number,
): Promise<Proposal[]> {
  const { net } = within.mailbox
  const mandates: Read[] = []
  const consents: { consent: Consent; statement: Base64 }[] = []
  for (const { body, principal } of messagesOf(reading.applied)) {
    if (body?.type !== 'statement') continue
    const { statement, terms } = body
    const raw = fromBase64(statement)
    if (typeOf(raw) === 'mandate') {
      const mandate = await readMandate(net, raw)
      if (toHex(mandate.by.principal) === principal)
        mandates.push({ mandate, statement, text: terms ?? '', by: principal })
    } else if (typeOf(raw) === 'consent') {
      const consent = await readConsent(net, raw)
      if (toHex(consent.by.principal) === principal && consent.until > now)
        consents.push({ consent, statement })
    }
  }
  const withdrawn = reading.applied.flatMap((each) => (each.type === 'withdrawal' ? [each.of] : []))
  const members = within.mailbox.thread(reading.thread)?.members ?? []
  const parties = members.filter(({ role }) => role === 'party').map(({ principal }) => principal)
  return Promise.all(
    mandates.map(async ({ mandate, statement, text, by }) => {
      const hash = toHex(await sha256(fromBase64(statement)))
      const given = new Map(
        consents
          .filter(({ consent: { subject } }) => subject instanceof Uint8Array && toHex(subject) === hash)
          .map(({ consent, statement }) => [toHex(consent.by.principal), statement]),
      )
      const practitioners = mandate.admitted.map(({ principal }) => toHex(principal))
      const missing = parties.filter((party) => !given.has(party))
      const isIn = practitioners.every((one) =>
        members.some(({ principal, role }) => principal === one && role === 'practitioner'),
      )
      const state = withdrawn.includes(hash)
        ? 'withdrawn'
        : mandate.until <= now
          ? 'over'
          : isIn
            ? 'in-force'
            : missing.length === 0
              ? 'ready'
              : 'waits'
      const { until, inform } = mandate
      return { hash, statement, text, by, practitioners, until, inform, consents: given, missing, state }
    }),
  )
}

/** Proposes, and consents for the own authority; both go out in this order. @throws Refused, Failure */
export async function propose(
  within: Correspondence,
  outbox: Outbox,
  thread: Hex,
  given: {
    practitioners: readonly Hex[]
    text: string
    until: number
    inform: 'copy' | 'observer' | 'summary'
  },
): Promise<void> {
  for (const one of given.practitioners) await within.learnKeyring(one)
  const membership = await within.mailbox.membership()
  const { statement, terms, hash } = await membership.mandate(thread, given.practitioners, given.text, given)
  const consent = await membership.consent(thread, hash) // while nothing of the own is underway
  await outbox.addStatement(thread, statement, terms)
  await outbox.addStatement(thread, consent)
}

/** The own authority's consent to a mandate. @throws Refused, Failure */
export async function consentTo(
  within: Correspondence,
  outbox: Outbox,
  thread: Hex,
  hash: Hex,
): Promise<void> {
  await outbox.addStatement(thread, await (await within.mailbox.membership()).consent(thread, hash))
}

/** Lets in whom a mandate names, once every party has consented. @throws Refused, Failure */
export function admit(within: Correspondence, thread: Hex, proposal: Proposal): Promise<void> {
  const { practitioners, statement, consents } = proposal
  return extend(within, thread, practitioners, (membership) =>
    membership.admit(thread, statement, [...consents.values()]),
  )
}

/** Withdraws a mandate for ever: who was admitted by it writes no more, at once, and reads nothing that comes after
 *  the entry which takes them out. Others could not write before that. @throws Refused, Failure */
export async function withdraw(
  within: Correspondence,
  thread: Hex,
  { hash, state }: Proposal,
): Promise<void> {
  const reading = within.reading(thread)
  await reading.sync()
  const withdrawal = await (await within.mailbox.membership()).withdrawal(thread, hash)
  await within.rest.post(`threads/${thread}/withdrawals`, { withdrawal })
  await reading.sync()
  if (state === 'in-force') await extend(within, thread, [], (membership) => membership.dropEnded(thread))
}
