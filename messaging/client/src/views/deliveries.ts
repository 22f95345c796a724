import type { ItemJson } from '../sealed/client.ts'
import type { Hex } from '../transport/wire.ts'
import type { Mailroom } from './session.ts'

/** Tell the server that items up to `seq` are verified and kept on this device. Said again later if it fails. */
export async function confirmDelivery({ session }: Mailroom, thread: Hex, seq: number): Promise<void> {
  if (seq === 0) return
  try {
    if (session.socket.isOpen) await session.socket.command('messaging.delivery.confirm', { thread, seq })
    else await session.rest.post(`threads/${thread}/delivered`, { seq })
  } catch {
    // Delivery is cumulative: the next item, or the next visit, says it again.
  }
}

/** Take in an item of a thread that is not on the page. */
export async function takeDelivery(mailroom: Mailroom, item: ItemJson): Promise<void> {
  const reading = mailroom.correspondence.reading(item.thread)
  try {
    if (item.seq > reading.seq) await reading.load()
  } catch {
    return
  }
  await confirmDelivery(mailroom, item.thread, reading.seq)
}

/** Learn of a changed keyring before the next message is sealed, if it matters here. */
export async function takeKeyring({ correspondence }: Mailroom, principal: Hex): Promise<void> {
  if (correspondence.mailbox.keyring(principal) === null) return
  await correspondence.learnKeyring(principal).catch(() => undefined)
}

/** Sign and send that the thread was opened up to its verified end. */
export async function recordOpened({ session, correspondence }: Mailroom, thread: Hex): Promise<void> {
  const { opened } = await correspondence.mailbox.makeOpened(thread)
  if (session.socket.isOpen) await session.socket.command('messaging.opened.record', { opened })
  else await session.rest.post(`threads/${thread}/opened`, { opened })
}
