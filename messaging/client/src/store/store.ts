import type { Device, ItemJson, PublicState } from '../sealed/client.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import { committed, deleteDatabase, finished, openDatabase, type StoreName } from './database.ts'

/** The network and server key that this device met first. Another one later is an alarm, not an update. */
export interface Pin {
  net: string
  serverKey: Base64
  /** The principal of the own authority (K8), once its keyring was verified here. */
  principal?: Hex
}

/** One thing on its way: finished sealed bytes, so that every retry sends the same. `id`: of the sealed message. */
export interface OutboxEntry {
  id: Hex
  thread: Hex
  kind: 'note' | 'acknowledgement' | 'thread'
  queuedAt: number
  /** What is sent: `{item, ciphertext}`, or the body of a new thread; null while an earlier one is underway. */
  body: object | null
  /** What was written, sealed to the own mailbox: for showing it, and for sealing it again after `stale-epoch`. */
  copy: Base64
  problem: { code: string; message: string } | null
}

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

  /** Keep what was refused beside what was accepted: the two together are the proof. */
  saveEvidence(thread: Hex, item: ItemJson): Promise<void> {
    return this.#put('facts', item, `evidence:${thread}:${item.seq}`)
  }

  alarm(thread: Hex): Promise<Alarm | undefined> {
    return this.#get('facts', `alarm:${thread}`)
  }

  saveAlarm(thread: Hex, alarm: Alarm): Promise<void> {
    return this.#put('facts', alarm, `alarm:${thread}`)
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
