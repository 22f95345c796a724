import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CHUNK,
  checkDigest,
  checkRoot,
  chunkCount,
  type FileFacts,
  fileFacts,
  fileJson,
  isName,
  openChunk,
  paddedSize,
  rootOf,
} from '../../src/sealed/attachment.ts'
import { type Bytes, fromHex, sha256, toHex } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'
import { content, type FileRow, type FileVectors, sealWhole } from '../files.ts'

declare const REPOSITORY: string
const folder = join(REPOSITORY, 'tests', 'vectors', 'files')
const NET = 'network.example/s1'

const factsOf = (row: FileRow): FileFacts =>
  fileFacts({ ...row, mediaType: row.type } as FileRow & { mediaType: string })

const refused = (code: string) => (error: unknown) => error instanceof Refused && error.code === code

for (const name of readdirSync(folder)) {
  const vectors = JSON.parse(readFileSync(join(folder, name), 'utf8')) as FileVectors
  for (const row of vectors.files) {
    test(`E8 M5 ${name}: a file of ${row.size} bytes is sealed and opened alike`, async () => {
      const data = content(row.size)
      const sealed = await sealWhole(row, vectors.net, data)
      const hashes = await Promise.all(sealed.map(sha256))
      assert.deepEqual(hashes.map(toHex), row.hashes)
      assert.deepEqual([paddedSize(row.size), chunkCount(row.padded)], [row.padded, row.chunks])
      if (row.first !== null) assert.equal(toHex(sealed[0] as Bytes), row.first)
      const file = factsOf(row)
      await checkRoot(vectors.net, file, hashes)
      const key = { ...file, net: vectors.net, thread: fromHex(row.thread) }
      const parts = await Promise.all(
        sealed.map((chunk, index) => openChunk(key, index, chunk, hashes[index] as Bytes)),
      )
      const whole = new Uint8Array(await new Blob(parts).arrayBuffer())
      assert.deepEqual(whole, data)
      checkDigest(file, await sha256(whole))
    })
  }
}

async function sealedFile(size = 2 * CHUNK + 5) {
  const data = content(size)
  const names = { name: 'a.pdf', type: 'application/pdf', size, padded: 0, chunks: 0, root: '', first: null }
  const digest = toHex(await sha256(data))
  const row: FileRow = {
    ...names,
    thread: 'ab'.repeat(32),
    id: 'cd'.repeat(16),
    key: 'ef'.repeat(32),
    prefix: '01'.repeat(7),
    digest,
    hashes: [],
  }
  const sealed = await sealWhole(row, NET, data)
  const hashes = await Promise.all(sealed.map(sha256))
  const file = factsOf({ ...row, root: toHex(await rootOf(NET, hashes)) })
  return { sealed, hashes, file, key: { ...file, net: NET, thread: fromHex(row.thread) } }
}

test('M5 chunks that are missing, doubled or in another order are not those that were signed', async () => {
  const { hashes, file } = await sealedFile()
  const [one, two, three] = hashes as [Bytes, Bytes, Bytes]
  for (const other of [
    [one, two],
    [one, three, two],
    [one, two, two],
    [one, two, three, three],
  ]) {
    await assert.rejects(checkRoot(NET, file, other), refused('wrong-root'))
  }
})

test('M5 a chunk that is altered, cut or another one is named', async () => {
  const { sealed, hashes, key } = await sealedFile()
  const [one, two] = sealed as [Bytes, Bytes]
  const altered = one.slice()
  altered[7] = (altered[7] as number) ^ 1
  for (const chunk of [altered, one.slice(1), two, new Uint8Array()]) {
    await assert.rejects(openChunk(key, 0, chunk, hashes[0] as Bytes), refused('wrong-chunk'))
  }
})

test('E8 a chunk opens only at its place, in its thread, as the last one or not', async () => {
  const { sealed, hashes, key } = await sealedFile()
  const [one, , three] = sealed as [Bytes, Bytes, Bytes]
  const other = { ...key, thread: fromHex('00'.repeat(32)) }
  await assert.rejects(openChunk(other, 0, one, hashes[0] as Bytes), refused('cannot-open'))
  await assert.rejects(openChunk(key, 1, one, hashes[0] as Bytes), refused('cannot-open'))
  const longer = { ...key, size: key.size + CHUNK }
  await assert.rejects(openChunk(longer, 2, three, hashes[2] as Bytes), refused('wrong-chunk'))
})

test('M5 what stands in the padding, and a whole that is another file, are refused', async () => {
  const { sealed, hashes, file, key } = await sealedFile()
  // The same padded size: the last byte of the file counts as padding.
  const shorter = { ...key, size: key.size - 1 }
  const last = openChunk(shorter, 2, sealed[2] as Bytes, hashes[2] as Bytes)
  await assert.rejects(last, refused('wrong-file'))
  assert.throws(() => checkDigest(file, new Uint8Array(32)), refused('wrong-file'))
})

test('the size that is seen says little of the true one', () => {
  for (const size of [1, 9, 100, 4097, 10 ** 6, CHUNK + 1, 1024 * CHUNK - 5]) {
    const padded = paddedSize(size)
    assert.ok(padded >= size && padded <= size * 1.12 && paddedSize(padded) === padded, String(size))
  }
  assert.equal(paddedSize(1024 * CHUNK), 1024 * CHUNK)
})

test('names are short, and show what they are', () => {
  for (const name of ['request.pdf', 'ملف.pdf', '文件 1.docx', 'x'.repeat(200)]) assert.ok(isName(name), name)
  const never = ['', ' ', '.', '..', 'a/b', 'a\\b', 'a\nb', 'fdp\u202eexe', 'x'.repeat(201), 'a\u200bb']
  for (const name of never) assert.ok(!isName(name), name)
})

test('what is known of a file survives as JSON', async () => {
  const { file } = await sealedFile(10)
  assert.deepEqual(fileFacts(JSON.parse(JSON.stringify(fileJson(file)))), file)
})
