// A log kept in memory, and notes signed for it: for tests and vectors.
import { COSIGNATURE, LOG, type Signer, signerId } from '../src/sealed/checkpoint.ts'
import { type Bytes, concat, toBase64 } from '../src/sealed/encoding.ts'
import type { SigningKey } from '../src/sealed/keys.ts'
import { appendLeaf, EMPTY_TREE, leafHash, rootOf } from '../src/sealed/transparency.ts'

const utf8 = new TextEncoder()

export async function treeRoot(raw: readonly Bytes[]): Promise<Bytes> {
  let tree = EMPTY_TREE
  for (const leaf of raw) tree = await appendLeaf(tree, await leafHash(leaf))
  return rootOf(tree)
}

async function line(signer: Signer, signature: Bytes): Promise<string> {
  return `\u2014 ${signer.name} ${toBase64(concat(await signerId(signer), signature))}\n`
}

async function cosign(body: string, signer: Signer, by: SigningKey, at: number): Promise<string> {
  const time = new Uint8Array(8)
  new DataView(time.buffer).setBigUint64(0, BigInt(at))
  const signature = await by.sign(utf8.encode(`cosignature/v1\ntime ${at}\n${body}`) as Bytes)
  return line(signer, concat(time, signature))
}

interface Told {
  readonly net: string
  readonly key: SigningKey
  readonly at: number
  readonly witness?: { readonly signer: Signer; readonly key: SigningKey }
}

/** The checkpoint of a log with these leaves. */
export async function signNote(raw: readonly Bytes[], { net, key, at, witness }: Told): Promise<string> {
  const body = `${net}\n${raw.length}\n${toBase64(await treeRoot(raw))}\n`
  const log = { name: net, public: key.public, kind: LOG }
  const lines = [await line(log, await key.sign(utf8.encode(body) as Bytes))]
  lines.push(await cosign(body, { ...log, kind: COSIGNATURE }, key, at))
  if (witness) lines.push(await cosign(body, witness.signer, witness.key, at))
  return `${body}\n${lines.join('')}`
}
