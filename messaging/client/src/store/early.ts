// The newest items of a long thread, to be read while the rest of it is fetched and verified.
import type { Applied, ItemJson } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { Failure } from '../transport/failure.ts'
import type { Hex } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

const PAGE = 100

interface Page {
  items: ItemJson[]
  seq: number
}

/** Empty where the newest items cannot be shown ahead: then all of the thread is waited for, which says why. */
export async function newestItems(within: Correspondence, thread: Hex, seq: number): Promise<Applied[]> {
  const path = `threads/${thread}/items?limit=${PAGE}`
  try {
    const [entries, tail] = await Promise.all([
      within.rest.get<Page>(`${path}&entries=true`),
      within.rest.get<Page>(`${path}&after=${seq - PAGE}`),
    ])
    if (entries.items.length === PAGE) return []
    for (const item of [...entries.items, ...tail.items])
      for (const need of await within.mailbox.needs(item)) await within.learnKeyring(need.principal)
    return await within.mailbox.glimpse(entries.items, tail.items)
  } catch (error) {
    if (error instanceof Refused || error instanceof Failure) return []
    throw error
  }
}
