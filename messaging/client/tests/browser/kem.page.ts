// Run in a real browser by tests/browser/test_kem_in_chromium.py: every vector on both KEM paths, and device keys
// that survive IndexedDB.
import { equal, randomBytes, toHex } from '../../src/sealed/encoding.ts'
import {
  chooseKemPath,
  createDeviceKeys,
  type DeviceKeys,
  hasNativeKem,
  KemKey,
  type KemPath,
  openDeviceKeys,
  seal,
} from '../../src/sealed/keys.ts'
import { CHECKS, prepare, type Vectors } from '../vectors.ts'

async function onPath<T>(path: KemPath, work: () => Promise<T>): Promise<T> {
  chooseKemPath(path)
  try {
    return await work()
  } finally {
    chooseKemPath(null)
  }
}

/** Gives the parts checked. */
const checkVectors = (vectors: Vectors, path: KemPath): Promise<string[]> =>
  onPath(path, async () => {
    const prepared = await prepare(vectors)
    for (const check of Object.values(CHECKS)) await check(prepared)
    return Object.keys(CHECKS)
  })

/** What one path seals the other opens, and both give the same key from a seed. */
async function crossPaths(rounds: number): Promise<number> {
  for (let i = 0; i < rounds; i++) {
    const [seed, info, secret] = [randomBytes(32), randomBytes(40), randomBytes(32)]
    const native = await KemKey.fromSeed(seed, 'native')
    const fallback = await KemKey.fromSeed(seed, 'fallback')
    if (!equal(native.public, fallback.public)) throw new Error(`other public key for ${toHex(seed)}`)
    const byNative = await onPath('native', () => seal(native.public, secret, info))
    const byFallback = await onPath('fallback', () => seal(native.public, secret, info))
    for (const sealed of [byNative, byFallback]) {
      for (const key of [native, fallback]) {
        if (!equal(await key.open(sealed, info), secret)) throw new Error('opened to another secret')
      }
    }
  }
  return rounds
}

function request<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
}

async function database(): Promise<IDBDatabase> {
  const opening = indexedDB.open('kem-page', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys')
  return request(opening)
}

/** Stores fresh device keys; gives their public KEM key. */
async function storeDevice(path: KemPath): Promise<string> {
  const keys = await createDeviceKeys(path)
  const db = await database()
  await request(db.transaction('keys', 'readwrite').objectStore('keys').put(keys, path))
  db.close()
  return toHex(keys.kem)
}

/** Reads them back, in a page loaded anew; they sign and open, and no script can export them. */
async function useDevice(path: KemPath): Promise<{ kem: string; extractable: boolean[] }> {
  const db = await database()
  const keys = (await request(db.transaction('keys').objectStore('keys').get(path))) as DeviceKeys
  db.close()
  const { signing, kem } = await openDeviceKeys(keys)
  const [secret, info] = [randomBytes(32), randomBytes(8)]
  const opened = await kem.open(await seal(keys.kem, secret, info), info)
  if (!equal(opened, secret)) throw new Error('opened to another secret')
  await signing.sign(secret)
  const held = [keys.signing, keys.halves?.mlkem, keys.halves?.x25519, keys.wrapped?.key]
  return { kem: toHex(keys.kem), extractable: held.flatMap((key) => (key ? [key.extractable] : [])) }
}

Object.assign(globalThis, { kemPage: { hasNativeKem, checkVectors, crossPaths, storeDevice, useDevice } })
