// Run by deploy/bench in a real browser: how long sealing and opening take, medians in milliseconds.
import { chooseKemPath, createDeviceKeys, hasNativeKem, type KemPath, seal } from '../../src/sealed/keys.ts'
import { World } from '../world.ts'

const TEXT = 'x'.repeat(800) // with the plaintext's other fields this fills a ciphertext of 1 kB

function median(times: number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

async function timed(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  return median(times)
}

/** Seals at one authority and opens at another, one message after another, receipts verified by both. */
async function messages(rounds: number): Promise<{ sealing: number; opening: number }> {
  const world = await World.create()
  const [a, b] = [await world.authority('a'), await world.authority('b')]
  const thread = await world.openThread(a, b)
  await world.read(b.mailbox, thread)
  const sealing: number[] = []
  const opening: number[] = []
  for (let i = 0; i < rounds; i++) {
    let began = performance.now()
    const sealed = await a.mailbox.sealNote(thread, { text: TEXT, language: 'en' })
    sealing.push(performance.now() - began)
    await world.append(thread, 'message', sealed.item, { ciphertext: sealed.ciphertext })
    began = performance.now()
    await world.read(b.mailbox, thread)
    opening.push(performance.now() - began)
    await world.read(a.mailbox, thread)
  }
  return { sealing: median(sealing), opening: median(opening) }
}

async function envelope(path: KemPath, rounds: number): Promise<number> {
  chooseKemPath(path)
  try {
    const { kem } = await createDeviceKeys()
    return await timed(rounds, () => seal(kem, new Uint8Array(32), new Uint8Array(40)))
  } finally {
    chooseKemPath(null)
  }
}

async function run(rounds: number): Promise<Record<string, number>> {
  const { sealing, opening } = await messages(rounds)
  const figures: Record<string, number> = {
    'seal a 1 kB message': sealing,
    'verify and open a 1 kB message': opening,
  }
  if (hasNativeKem()) figures['seal an epoch secret, native KEM'] = await envelope('native', rounds)
  figures['seal an epoch secret, fallback KEM'] = await envelope('fallback', rounds)
  return figures
}

Object.assign(globalThis, { measurePage: { run } })
