// A keyring that lived through everything: every reason of an entry, with the approvals it needs.
import { makeApproval } from '../src/sealed/approval.ts'
import type { Bytes } from '../src/sealed/encoding.ts'
import {
  addition,
  type MadeEntry,
  makeEntry,
  recoveryByKit,
  recoveryChange,
  removal,
  roleChange,
  rotation,
} from '../src/sealed/keyring.ts'
import { type Change, changeHash } from '../src/sealed/keyring_entry.ts'
import { acceptEntry, type KeyringState, type Role } from '../src/sealed/keyring_rules.ts'
import { RecoveryKit, type SigningKey } from '../src/sealed/keys.ts'
import { byOf } from '../src/sealed/places.ts'

export interface StoryDevice {
  readonly statement: Bytes
  readonly id: Bytes
  readonly key: SigningKey
}
export interface StoryEntry {
  made: MadeEntry
  statements: Bytes[]
  state: KeyringState
  /** Another recovery kit from here on. */
  kit?: Bytes
}

const ALL: Role[] = ['officer', 'steward', 'supervisor']

/** Goes on from a genesis by the first device, whose kit is `kit`. Gives all entries. */
export async function tellStory(
  net: string,
  at: number,
  { entries, kit }: { entries: StoryEntry[]; kit: Bytes },
  people: { first: StoryDevice; second: StoryDevice; third: StoryDevice; kits: [Bytes, Bytes] },
): Promise<StoryEntry[]> {
  const told = [...entries]
  const { first, second, third, kits } = people
  const last = () => told.at(-1) as StoryEntry
  const state = () => last().state
  const step = async (
    change: Change,
    author: { id: Bytes; key: SigningKey },
    more: { statements?: Bytes[]; acts?: Bytes[]; kit?: Bytes } = {},
  ) => {
    const { statements = [], acts = [], kit: newKit } = more
    const held = { of: state().n, secret: last().made.secret }
    const made = await makeEntry(net, state(), change, { held, statements, acts }, { author, at })
    const after = await acceptEntry(net, state(), made.entry, statements, made.envelopes)
    told.push({ made, statements, state: after, ...(newKit ? { kit: newKit } : {}) })
  }
  const approve = async (change: Change, author: { id: Bytes; key: SigningKey }, isKit = false) => {
    const own = state()
    const about = { by: isKit ? null : byOf(own), on: own.head }
    const named = await changeHash(net, own.principal, own.head, change)
    return makeApproval(net, { ...about, change: named }, { author, at })
  }
  const signerOf = async (secret: Bytes) => {
    const { signing, kem, id } = await new RecoveryKit(secret).keys(net)
    return { author: { id, key: signing }, recovery: { sig: signing.public, kem: kem.public } }
  }
  await step(addition(state(), [{ id: second.id, roles: ['steward'] }]), first, {
    statements: [second.statement],
  })
  const raised = roleChange(state(), [{ id: second.id, roles: ['steward', 'supervisor'] }])
  await step(raised, first, { acts: [await approve(raised, second)] })
  await step(rotation(state()), second)
  await step(removal(state(), [second.id]), first)
  const [old, next] = [await signerOf(kit), await signerOf(kits[0])]
  const replaced = recoveryChange(state(), next.recovery)
  await step(replaced, first, { acts: [await approve(replaced, old.author, true)], kit: kits[0] })
  const newest = await signerOf(kits[1])
  const taken = recoveryByKit(state(), [{ id: third.id, roles: ALL }], newest.recovery)
  const agreed = await approve(taken, first)
  await step(taken, next.author, { statements: [third.statement], acts: [agreed], kit: kits[1] })
  await step(rotation(state(), 'repair'), third)
  return told
}
