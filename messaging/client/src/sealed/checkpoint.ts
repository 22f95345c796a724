import { type Bytes, concat, equal, fromBase64, sha256, toBase64, toHex } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import { checkSigningKey, verifySignature } from './keys.ts'

const NOTE_LIMIT = 8_192
/** Kinds of a signer: the log itself; who cosigns. */
export const LOG = 1
export const COSIGNATURE = 4
const SIGNATURE = '\u2014 '
const text = new TextEncoder()

/** Who signs notes: a name and an Ed25519 public key. */
export interface Signer {
  readonly name: string
  readonly public: Bytes
  readonly kind: number
}

interface SignatureLine {
  readonly name: string
  readonly signature: Bytes
}

/** The state of the log as it signed it. `at`: unix seconds, of its own cosignature; `witnesses`: line to time. */
export interface Checkpoint {
  readonly size: number
  readonly root: Bytes
  readonly at: number
  readonly witnesses: ReadonlyMap<string, number>
}

const bad = (detail: string) => new Refused('L5', 'bad-checkpoint', detail)

/** The first four bytes of the hash of name, kind and key. */
export const signerId = async ({ name, kind, public: key }: Signer): Promise<Bytes> =>
  (await sha256(concat(text.encode(`${name}\n`), Uint8Array.of(kind), key))).slice(0, 4)

/** As it is handed out: name+id+key. */
export const signerLine = async (signer: Signer): Promise<string> =>
  `${signer.name}+${toHex(await signerId(signer))}+${toBase64(concat(Uint8Array.of(signer.kind), signer.public))}`

const isName = (name: string): boolean => name !== '' && !/[+\s]/u.test(name)

function base64OrNull(written: string): Bytes | null {
  try {
    return fromBase64(written)
  } catch {
    return null
  }
}

/** What {@link signerLine} wrote. @throws Refused bad-verifier (L4), weak-signing-key */
export async function readSigner(line: string): Promise<Signer> {
  const [, name = '', id, written = ''] = /^([^+]*)\+([^+]*)\+(.*)$/su.exec(line.trim()) ?? []
  const key = base64OrNull(written)
  const isShaped = isName(name) && key?.length === 33 && (key[0] === LOG || key[0] === COSIGNATURE)
  insist(isShaped, 'L4', 'bad-verifier', 'not the key of a log or witness: name+id+key') // L4
  const signer = { name, public: key.slice(1), kind: key[0] as number }
  checkSigningKey(signer.public) // E7
  insist(toHex(await signerId(signer)) === id, 'L4', 'bad-verifier', 'the id is not that of the key') // L4
  return signer
}

/** The text of a note and its signatures. @throws Refused bad-checkpoint (L5) */
export function splitNote(note: string): { body: string; lines: SignatureLine[] } {
  const end = note.lastIndexOf('\n\n')
  const rest = note.slice(end + 2)
  const isNote = end >= 0 && [...note].length <= NOTE_LIMIT && rest.endsWith('\n')
  insist(isNote, 'L5', 'bad-checkpoint', 'not a signed note') // L5
  return { body: note.slice(0, end + 1), lines: rest.slice(0, -1).split('\n').map(readLine) }
}

function readLine(line: string): SignatureLine {
  const [name = '', ...parts] = line.slice(SIGNATURE.length).split(' ')
  const signature = base64OrNull(parts.join(' '))
  const isShaped = line.startsWith(SIGNATURE) && isName(name) && signature !== null && signature.length >= 5
  if (!isShaped) throw bad('a signature line of wrong form') // L5
  return { name, signature }
}

function readBody(origin: string, body: string): { size: number; root: Bytes } {
  const lines = body.split('\n')
  const [first, size = '', root = '', last, ...more] = lines
  const found = base64OrNull(root)
  const isNumber = /^(0|[1-9][0-9]{0,14})$/.test(size)
  const isShaped = first === origin && isNumber && found?.length === 32 && last === '' && more.length === 0
  if (!isShaped) throw bad('a checkpoint of another log or of wrong form') // L5
  return { size: Number(size), root: found }
}

const cosigned = (body: string, at: bigint): Bytes =>
  text.encode(`cosignature/v1\ntime ${at}\n${body}`) as Bytes

/** When this signer cosigned; null where the line is another's. @throws Refused bad-checkpoint (L5) */
async function cosignedAt(
  body: string,
  signer: Signer,
  { name, signature }: SignatureLine,
): Promise<number | null> {
  if (name !== signer.name || !equal(signature.slice(0, 4), await signerId(signer))) return null
  if (signature.length !== 76) throw bad('a cosignature of wrong form') // L5
  const at = new DataView(signature.buffer, signature.byteOffset).getBigUint64(4)
  const holds = await verifySignature(signer.public, signature.slice(12), cosigned(body, at))
  if (!holds) throw bad('a cosignature does not hold') // L5
  return Number(at)
}

async function isSignedBy(body: string, log: Signer, { name, signature }: SignatureLine): Promise<boolean> {
  if (name !== log.name || !equal(signature.slice(0, 4), await signerId(log))) return false
  const holds = await verifySignature(log.public, signature.slice(4), text.encode(body) as Bytes)
  if (!holds) throw bad("the log's signature does not hold") // L5
  return true
}

/** Reads and verifies a checkpoint with the log's key, which is the server's; of the witnesses only those given
 *  count. @throws Refused bad-checkpoint (L5) */
export async function readCheckpoint(
  origin: string,
  publicKey: Bytes,
  note: string,
  witnesses: readonly Signer[] = [],
): Promise<Checkpoint> {
  const { body, lines } = splitNote(note)
  const { size, root } = readBody(origin, body)
  let isSigned = false
  let at = 0
  const found = new Map<string, number>()
  for (const line of lines) {
    isSigned = (await isSignedBy(body, { name: origin, public: publicKey, kind: LOG }, line)) || isSigned
    const own = await cosignedAt(body, { name: origin, public: publicKey, kind: COSIGNATURE }, line)
    at = Math.max(at, own ?? 0)
    for (const witness of witnesses) {
      const seen = await cosignedAt(body, witness, line)
      if (seen === null) continue
      const name = await signerLine(witness)
      found.set(name, Math.max(seen, found.get(name) ?? 0))
    }
  }
  if (!isSigned || at === 0) throw bad('the log has not signed this, or not said when') // L5
  return { size, root, at, witnesses: found }
}
