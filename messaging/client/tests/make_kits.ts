// Writes tests/vectors/kits/typescript.json for the Python implementation to join: `node tests/run.mjs kits`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode, sha256, toHex } from '../src/sealed/encoding.ts'
import { RecoveryKit } from '../src/sealed/keys.ts'
import { printShare, splitKit } from '../src/sealed/kit.ts'

declare const REPOSITORY: string
const NET = 'network.example/s1'

async function makeKit(name: string) {
  const secret = await sha256(encode(['typescript kits', name, 'secret']))
  const slopes = await sha256(encode(['typescript kits', name, 'slopes']))
  const kit = new RecoveryKit(secret)
  const shares = (await splitKit(NET, kit, slopes)).map(printShare)
  return { secret: toHex(secret), slopes: toHex(slopes), printed: await kit.print(NET), shares }
}

const kits = await Promise.all(['one', 'two', 'three'].map(makeKit))
const file = join(REPOSITORY, 'tests', 'vectors', 'kits', 'typescript.json')
writeFileSync(file, `${JSON.stringify({ net: NET, kits }, null, 1)}\n`)
