// IndexedDB in promises: as much of it as the store needs.

export function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onerror = () => reject(transaction.error)
    transaction.onabort = () => reject(transaction.error)
  })
}

export const STORES = ['facts', 'outbox', 'drafts', 'items'] as const
export type StoreName = (typeof STORES)[number]

const KEY_PATHS: Record<StoreName, string | string[] | null> = {
  facts: null,
  outbox: 'id',
  drafts: null,
  items: ['thread', 'seq'],
}

export async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    for (const store of STORES) request.result.createObjectStore(store, { keyPath: KEY_PATHS[store] })
  }
  const database = await finished(request)
  // Another tab forgets this device: let go, or its deletion would wait for ever.
  database.onversionchange = () => database.close()
  return database
}

export async function deleteDatabase(name: string): Promise<void> {
  await finished(indexedDB.deleteDatabase(name))
}
