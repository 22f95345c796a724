import type { Device, ItemJson, KeyringJson, PublicState } from '../sealed/client.ts'
import type { Level } from '../sealed/counterparts.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import { committed, deleteDatabase, finished, openDatabase, type StoreName } from './database.ts'
import { forgetAtSignOut, isForgottenAtSignOut } from './shared_computer.ts'

/** The network and server key that this device met first. Another one later is an alarm, not an update. */
export interface Pin {
  net: string
  serverKey: Base64
  /** The principal of the own authority (K8), once its keyring was verified here. */
  principal?: Hex
  /** Its new keys, made here to take the place of lost ones, and not in force yet (K12). */
  heir?: Hex
}

/** One thing on its way: finished sealed bytes, so that every retry sends the same. `id`: of the sealed message. */
export interface OutboxEntry {
  id: Hex
  thread: Hex
  kind: 'note' | 'acknowledgement' | 'statement' | 'step' | 'thread'
  queuedAt: number
  /** What is sent: `{item, ciphertext}`, or the body of a new thread; null while an earlier one is underway. */
  body: object | null
  /** What was written, sealed to the own mailbox: for showing it, and for sealing it again after `stale-epoch`. */
  copy: Base64
  problem: { code: string; message: string } | null
  /** It has been on its way at least once: without an answer nobody knows whether it arrived. */
  tried?: boolean
}

/** Whether the server may have it already, so that it cannot be taken back. */
export const isTried = (entry: OutboxEntry): boolean => entry.body !== null && entry.tried === true

/** What this device could not accept, and where. The thread stands still from here on. */
export interface Alarm {
  code: string
  rule: string
  seq: number
}

export interface StampedState {
  stamp: number
  state: PublicState
}

/**
 * What one browser profile keeps for one membership: device keys that cannot be exported, public state, sealed
 * bytes. Never a text, never a secret.
 */
export class Store {
  readonly #database: IDBDatabase
  readonly #name: string

  private constructor(database: IDBDatabase, name: string) {
    this.#database = database
    this.#name = name
  }

  static async open(membership: string): Promise<Store> {
    const name = `messaging:${membership}`
    return new Store(await openDatabase(name), name)
  }

  async forget(): Promise<void> {
    this.#database.close()
    await deleteDatabase(this.#name)
    forgetAtSignOut(this.#name, false)
  }

  /** Whether the keys go when the person signs out: the computer is shared. */
  get isShared(): boolean {
    return isForgottenAtSignOut(this.#name)
  }

  set isShared(isShared: boolean) {
    forgetAtSignOut(this.#name, isShared)
  }

  device(): Promise<Device | undefined> {
    return this.#get('facts', 'device')
  }

  saveDevice(device: Device): Promise<void> {
    return this.#put('facts', device, 'device')
  }

  pin(): Promise<Pin | undefined> {
    return this.#get('facts', 'pin')
  }

  savePin(pin: Pin): Promise<void> {
    return this.#put('facts', pin, 'pin')
  }

  state(): Promise<StampedState | undefined> {
    return this.#get('facts', 'state')
  }

  saveState(state: StampedState): Promise<void> {
    return this.#put('facts', state, 'state')
  }

  /** Counter and bytes together or not at all: a counter used twice would look like a fork. */
  async saveSealed(state: StampedState, change: { add?: OutboxEntry; remove?: Hex }): Promise<void> {
    const transaction = this.#database.transaction(['facts', 'outbox'], 'readwrite', { durability: 'strict' })
    transaction.objectStore('facts').put(state, 'state')
    const outbox = transaction.objectStore('outbox')
    if (change.remove !== undefined) outbox.delete(change.remove)
    if (change.add !== undefined) outbox.put(change.add)
    await committed(transaction)
  }

  async outbox(): Promise<OutboxEntry[]> {
    const store = this.#database.transaction('outbox').objectStore('outbox')
    const entries = (await finished(store.getAll())) as OutboxEntry[]
    return entries.sort((one, other) => one.queuedAt - other.queuedAt)
  }

  outboxEntry(id: Hex): Promise<OutboxEntry | undefined> {
    return this.#get('outbox', id)
  }

  removeFromOutbox(id: Hex): Promise<void> {
    return this.#delete('outbox', id)
  }

  draft(key: string): Promise<Base64 | undefined> {
    return this.#get('drafts', key)
  }

  saveDraft(key: string, sealed: Base64): Promise<void> {
    return this.#put('drafts', sealed, key)
  }

  removeDraft(key: string): Promise<void> {
    return this.#delete('drafts', key)
  }

  async items(thread: Hex): Promise<ItemJson[]> {
    const range = IDBKeyRange.bound([thread, 0], [thread, Number.MAX_SAFE_INTEGER])
    return finished(this.#database.transaction('items').objectStore('items').getAll(range))
  }

  saveItem(item: ItemJson): Promise<void> {
    return this.#put('items', item)
  }

  /** The threads of which this device keeps items. */
  async keptThreads(): Promise<Hex[]> {
    const keys = await finished(this.#database.transaction('items').objectStore('items').getAllKeys())
    return [...new Set((keys as [Hex, number][]).map(([thread]) => thread))]
  }

  /** Keep what was refused beside what was accepted: the two together are the proof. */
  saveEvidence(thread: Hex, item: ItemJson): Promise<void> {
    return this.#put('facts', item, `evidence:${thread}:${item.seq}`)
  }

  /** The item at this place that was refused. */
  evidence(thread: Hex, seq: number): Promise<ItemJson | undefined> {
    return this.#get('facts', `evidence:${thread}:${seq}`)
  }

  alarm(thread: Hex): Promise<Alarm | undefined> {
    return this.#get('facts', `alarm:${thread}`)
  }

  saveAlarm(thread: Hex, alarm: Alarm): Promise<void> {
    return this.#put('facts', alarm, `alarm:${thread}`)
  }

  forgetAlarm(thread: Hex): Promise<void> {
    return this.#delete('facts', `alarm:${thread}`)
  }

  /** A keyring that was verified here, as the server gave it. */
  keyring(principal: Hex): Promise<KeyringJson | undefined> {
    return this.#get('facts', `keyring:${principal}`)
  }

  saveKeyring(keyring: KeyringJson): Promise<void> {
    return this.#put('facts', keyring, `keyring:${keyring.principal}`)
  }

  forgetKeyring(principal: Hex): Promise<void> {
    return this.#delete('facts', `keyring:${principal}`)
  }

  /** How far others were known when this device last looked at them: a hint for lists, which decides nothing.
   *  `views/known_keys.ts` reads it too. */
  async levels(): Promise<Readonly<Record<Hex, Level>>> {
    return (await this.fact<Record<Hex, Level>>('levels')) ?? {}
  }

  saveLevels(levels: Readonly<Record<Hex, Level>>): Promise<void> {
    return this.saveFact('levels', levels)
  }

  fact<T>(key: string): Promise<T | undefined> {
    return this.#get('facts', key)
  }

  saveFact(key: string, value: unknown): Promise<void> {
    return this.#put('facts', value, key)
  }

  /** What is kept under names that begin so, with the names. */
  async factsFrom<T>(prefix: string): Promise<[string, T][]> {
    const facts = this.#database.transaction('facts').objectStore('facts')
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`)
    const [names, values] = await Promise.all([
      finished(facts.getAllKeys(range)),
      finished(facts.getAll(range)),
    ])
    return names.map((name, place) => [String(name), values[place] as T])
  }

  /** What is kept under this key, or `value`, kept from now on: the same for all tabs. */
  async factOrFirst<T>(key: string, value: T): Promise<T> {
    const transaction = this.#database.transaction('facts', 'readwrite')
    const facts = transaction.objectStore('facts')
    const kept = (await finished(facts.get(key))) as T | undefined
    if (kept === undefined) facts.put(value, key)
    await committed(transaction)
    return kept ?? value
  }

  async #get<T>(store: StoreName, key: string): Promise<T | undefined> {
    return finished(this.#database.transaction(store).objectStore(store).get(key))
  }

  async #put(store: StoreName, value: unknown, key?: string): Promise<void> {
    const transaction = this.#database.transaction(store, 'readwrite')
    transaction.objectStore(store).put(value, key)
    await committed(transaction)
  }

  async #delete(store: StoreName, key: string): Promise<void> {
    const transaction = this.#database.transaction(store, 'readwrite')
    transaction.objectStore(store).delete(key)
    await committed(transaction)
  }
}
