// The directory's entry of an authority: how far this device knows the keys whose digits stand there. A script of its
// own: the page is the server's, and whole without it.

/** What this browser keeps under that name, if it does: nothing is made here. */
function openKept(name: string): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    const request = indexedDB.open(name)
    request.onupgradeneeded = () => request.transaction?.abort()
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => resolve(null)
  })
}

function readFact(database: IDBDatabase, key: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = database.transaction('facts').objectStore('facts').get(key)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** The fingerprint of a principal, as it is read out. */
const digitsOf = (principal: string): string =>
  (BigInt(`0x${principal}`) % 10n ** 60n).toString().padStart(60, '0')

async function showKnown(place: HTMLElement): Promise<void> {
  const { membership = '', digits = '' } = place.dataset
  const database = await openKept(`messaging:${membership}`)
  if (database === null) return
  const device = await readFact(database, 'device')
  // By principal, as `Store.levels` has it.
  const levels = ((await readFact(database, 'levels')) ?? {}) as Record<string, string>
  database.close()
  if (device === undefined) return // no device of this authority: nothing is known here
  const found = Object.keys(levels).find((principal) => digitsOf(principal) === digits.replace(/\D/g, ''))
  const level = (found && levels[found]) ?? 'none'
  for (const words of place.querySelectorAll<HTMLElement>('[data-known]'))
    words.hidden = words.dataset.known !== level
  place.hidden = false
}

const place = document.getElementById('known-keys')
if (place !== null) void showKnown(place).catch(() => undefined)
