import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  context,
  decode,
  encode,
  fromBase64,
  fromHex,
  randomBytes,
  toBase64,
  toHex,
  type Value,
} from '../../src/sealed/encoding.ts'
import { refuses } from '../world.ts'

const REFUSED: Record<string, string> = {
  'nothing at all': '',
  'a number longer than needed': '1817',
  'a number of two bytes that fits one': '1900ff',
  'a number of four bytes that fits two': '1a0000ffff',
  'a number of eight bytes that fits four': '1b00000000ffffffff',
  'a number of 2^53': '1b0020000000000000',
  'a negative number': '20',
  'a tag': 'c000',
  'a half float': 'f93c00',
  'a double': 'fb3ff0000000000000',
  undefined: 'f7',
  'another simple value': 'f0',
  'a simple value of two bytes': 'f8ff',
  break: 'ff',
  'indefinite bytes': '5f4100ff',
  'indefinite text': '7f6161ff',
  'an indefinite array': '9f00ff',
  'an indefinite map': 'bf616100ff',
  'a reserved length': '1c',
  'bytes cut off': '4100'.slice(0, 2),
  'text that is not UTF-8': '61ff',
  'text with an overlong form': '62c080',
  'text with a surrogate': '63eda080',
  'an array cut off': '8200',
  'a huge array': '9b001fffffffffffff',
  'a map with a number as key': 'a10000',
  'a map with a key twice': 'a2616100616100',
  'a map with keys out of order': 'a2616200616100',
  'a map sorted by text and not by encoding': 'a262616100616200',
  'a map with a key of 24 bytes': `a17818${'61'.repeat(24)}00`,
  'bytes after the end': '0000',
  'nine arrays in each other': '818181818181818180',
  'a number in eight arrays': '818181818181818100',
}

for (const [what, hex] of Object.entries(REFUSED)) {
  test(`E1 ${what} is refused`, () => refuses('E1', 'bad-encoding', () => decode(fromHex(hex))))
}

test('E1 what is no E1 value is not encoded', async () => {
  const values: unknown[] = [
    -1,
    1.5,
    2 ** 53,
    Number.NaN,
    undefined,
    1n,
    new Map(),
    new Date(),
    '\ud800',
    Symbol('x'),
  ]
  for (const value of values) await refuses('E1', 'bad-encoding', () => encode(value as Value))
  await refuses('E1', 'bad-encoding', () => encode({ ['k'.repeat(24)]: 1 }))
  await refuses('E1', 'bad-encoding', () => encode([[[[[[[[0]]]]]]]]))
})

test('E1 __proto__ and toString are keys like any other', () => {
  const bytes = encode(JSON.parse('{"__proto__": 1, "toString": 2}'))
  const map = decode(bytes) as Record<string, Value>
  assert.equal(Object.getPrototypeOf(map), null)
  assert.deepEqual(Object.keys(map).sort(), ['__proto__', 'toString'])
  assert.equal(toHex(encode(map)), toHex(bytes))
  assert.equal(({} as Record<string, unknown>).a, undefined)
})

function randomValue(depth: number): Value {
  const [pick = 0, size = 0] = randomBytes(2)
  const kinds = depth < 7 ? 7 : 5
  switch (pick % kinds) {
    case 0:
      return Math.floor(Math.random() * 2 ** (size % 54))
    case 1:
      return randomBytes(size % 70)
    case 2:
      return 'é日x🙂'.repeat(size % 9)
    case 3:
      return size % 2 === 0
    case 4:
      return null
    case 5:
      return Array.from({ length: size % 5 }, () => randomValue(depth + 1))
    default:
      return Object.fromEntries(
        Array.from({ length: size % 5 }, (_, i) => [`k${size * i}`, randomValue(depth + 1)]),
      )
  }
}

test('E1 random values come back as the same bytes; random bytes are refused or come back the same', () => {
  for (let i = 0; i < 2000; i++) {
    const bytes = encode(randomValue(1))
    assert.equal(toHex(encode(decode(bytes))), toHex(bytes))
    const broken = bytes.slice()
    broken[i % broken.length] = i & 255
    let again: Value
    try {
      again = decode(broken)
    } catch {
      continue
    }
    assert.equal(toHex(encode(again)), toHex(broken))
  }
})

test('E4 contexts of other networks, purposes and parts differ', () => {
  const all = [
    context('a', 'b', 'c'),
    context('a', 'b', ['c']),
    context('a', 'bc'),
    context('b', 'a', 'c'),
    context('a', 'b'),
  ]
  assert.equal(new Set(all.map(toHex)).size, all.length)
})

test('base64 is taken only as it is written', async () => {
  assert.equal(toHex(fromBase64(toBase64(fromHex('00ff10')))), '00ff10')
  for (const text of ['AA', 'AA=', 'AB==', ' AA==', 'AA==\n', '_w==', '=']) {
    await refuses('E1', 'bad-encoding', () => fromBase64(text))
  }
  await refuses('E1', 'bad-encoding', () => fromHex('0G'))
})
