import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode, sha256, toHex, type Value } from '../../src/sealed/encoding.ts'
import { SigningKey } from '../../src/sealed/keys.ts'
import { parse, sign, verify } from '../../src/sealed/statement.ts'
import { NET, refuses, tamper } from '../world.ts'

const fields = {
  thread: new Uint8Array(32),
  seq: 7,
  item: new Uint8Array(32),
  transcript: new Uint8Array(32),
}

test('E3 the hash of a statement is over its bytes as sent, signature and all', async () => {
  const key = await SigningKey.fromSeed(new Uint8Array(32).fill(3))
  const raw = await sign(NET, 'receipt', fields, { at: 1, kid: new Uint8Array(32), key })
  const read = await parse(NET, raw, 'receipt')
  assert.equal(toHex(read.hash), toHex(await sha256(raw)))
  const other = tamper(raw, (parts) => {
    parts[3] = new Uint8Array(64)
  })
  const unsigned = await parse(NET, other, 'receipt')
  assert.notEqual(toHex(unsigned.hash), toHex(read.hash))
  await verify(read, key.public, NET)
  await refuses('E2', 'bad-signature', () => verify(unsigned, key.public, NET))
})

test('E3 a statement comes back from its parts as the same bytes', async () => {
  const key = await SigningKey.fromSeed(new Uint8Array(32).fill(3))
  const raw = await sign(NET, 'receipt', fields, { at: 1, kid: new Uint8Array(32), key })
  assert.equal(toHex(encode(decode(raw) as Value)), toHex(raw))
})
