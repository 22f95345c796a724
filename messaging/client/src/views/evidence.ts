import type { Hex, ItemJson } from '../sealed/client.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { Alarm } from '../store/store.ts'
import { byId, show } from './page.ts'

const versionOf = ({ item, receipt, ciphertext }: ItemJson) => ({ item, receipt, ciphertext })

/** Both versions of a place, as far as this device has kept them. */
export async function versionsOf({ store }: Correspondence, thread: Hex, { seq }: Alarm) {
  const refused = await store.evidence(thread, seq)
  const known = (await store.items(thread)).find((item) => item.seq === seq)
  return [known, refused].filter((item) => item !== undefined).map(versionOf)
}

/** T8: both versions of a place, with the server's signatures on them and no text, as a file to hand on. */
export async function offerEvidence(within: Correspondence, thread: Hex, alarm: Alarm): Promise<void> {
  const { mailbox } = within
  const versions = await versionsOf(within, thread, alarm)
  const link = byId<HTMLAnchorElement>('save-evidence')
  show(link, versions.length > 0)
  if (versions.length === 0 || link.href.startsWith('blob:')) return
  const { net } = mailbox
  const { serverKey } = mailbox.exportPublicState()
  const facts = { net, server_key: serverKey, thread, ...alarm, versions }
  const file = new Blob([JSON.stringify(facts, null, 1)], { type: 'application/json' })
  link.href = URL.createObjectURL(file)
  link.download = `evidence-${thread.slice(0, 16)}-${alarm.seq}.json`
}
