// Putting the new keys of a counterpart that has lost its own into the threads with it (T10).
import type { Base64, Hex, ThreadRow } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

const PAGE = 100

/** The threads in which these keys still stand. */
export async function threadsWith({ rest }: Correspondence, principal: Hex): Promise<Hex[]> {
  const found: Hex[] = []
  for (let before: string | null = ''; before !== null; ) {
    const query: string = before === '' ? '' : `&before=${encodeURIComponent(before)}`
    const page: { threads: (ThreadRow & { has_left?: boolean })[]; next: string | null } = await rest.get(
      `threads?limit=${PAGE}${query}`,
    )
    const here = page.threads.filter(
      ({ members, has_left }) => !has_left && members.some((one) => one.principal === principal),
    )
    found.push(...here.map(({ thread }) => thread))
    before = page.next
  }
  return found
}

/** What the entries carry: two confirms of the secretariat and the own accept; null while one is missing. */
export function trustIn({ mailbox }: Correspondence, principal: Hex): Base64[] | null {
  const { others } = mailbox
  const [confirms, accepted] = [others.confirmsOf(principal), others.acceptOf(principal)]
  return confirms.length > 0 && accepted !== null ? [...confirms, accepted.statement] : null
}

/** Puts `after` in the place of `before` in one thread. @throws Refused, Failure */
export async function putIn(
  within: Correspondence,
  thread: Hex,
  { before, after, acts }: { before: Hex; after: Hex; acts: readonly Base64[] },
): Promise<void> {
  const { mailbox, rest } = within
  const reading = within.reading(thread)
  await reading.load()
  const members = mailbox.thread(thread)?.members ?? []
  for (const { principal } of members) await within.learnKeyring(principal)
  await within.makeReady([
    ...members.map(({ principal }) => principal).filter((one) => one !== before),
    after,
  ])
  const body = await (await mailbox.membership()).succeed(thread, before, after, acts)
  await rest.post(`threads/${thread}/entries`, body)
  await reading.sync()
}
