import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as noble from '@panva/hpke-noble'
import * as hpke from 'hpke'
import { fromHex, randomBytes, toHex } from '../../src/sealed/encoding.ts'
import {
  aeadOpen,
  aeadSeal,
  checkKemKey,
  checkSigningKey,
  chooseKemPath,
  createDeviceKeys,
  deviceWords,
  fingerprintDigits,
  KemKey,
  openDeviceKeys,
  RecoveryKit,
  SigningKey,
  seal,
  verifySignature,
} from '../../src/sealed/keys.ts'
import { flip, NET, refuses } from '../world.ts'

const P = 2n ** 255n - 19n
const littleEndian = (value: bigint): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
const ORDER_8 = [
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]
const LOW_ORDER = [
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
]

const flipTop = (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, i) => (i === 31 ? byte ^ 0x80 : byte))

test('E7 signing keys of small order, of either sign, and unreduced ones are refused', async () => {
  const small = [...[0n, 1n, P - 1n, P, P + 1n, 2n ** 255n - 1n].map(littleEndian), ...ORDER_8.map(fromHex)]
  for (const key of [...small, ...small.map(flipTop), new Uint8Array(31), new Uint8Array(33)]) {
    await refuses('E7', 'weak-signing-key', () => checkSigningKey(key))
  }
  await refuses('E7', 'weak-signing-key', () =>
    verifySignature(littleEndian(1n), new Uint8Array(64), new Uint8Array()),
  )
  checkSigningKey((await SigningKey.generate()).public)
})

test('E7 KEM keys with a coefficient of q or more, or an X25519 half of low order, are refused', async () => {
  const { public: good } = await KemKey.fromSeed(randomBytes(32))
  checkKemKey(good)
  for (const at of [0, 1149]) {
    for (const three of ['010d00', 'ffffff', '0010d0']) {
      const key = good.slice()
      key.set(fromHex(three), at)
      await refuses('E7', 'bad-kem-key', () => checkKemKey(key))
    }
  }
  const low = [...[0n, 1n, P - 1n, P, P + 1n].map(littleEndian), ...LOW_ORDER.map(fromHex)]
  for (const half of [...low, ...low.map(flipTop)]) {
    const key = good.slice()
    key.set(half, 1184)
    await refuses('E7', 'bad-kem-key', () => checkKemKey(key))
    await refuses('E7', 'bad-kem-key', () => seal(key, randomBytes(32), new Uint8Array()))
  }
  await refuses('E7', 'bad-kem-key', () => checkKemKey(good.slice(1)))
})

test('E5 another implementation opens what we seal, and we open what it seals', async () => {
  const suite = new hpke.CipherSuite(noble.KEM_MLKEM768_X25519, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES_256_GCM)
  const [seed, secret, info] = [randomBytes(32), randomBytes(32), randomBytes(50)]
  const key = await KemKey.fromSeed(seed)
  const sealed = await seal(key.public, secret, info)
  const theirs = await suite.DeserializePrivateKey(seed, false)
  const opened = await suite.Open(theirs, sealed.slice(0, 1120), sealed.slice(1120), { info })
  assert.equal(toHex(opened), toHex(secret))
  const made = await suite.Seal(await suite.DeserializePublicKey(key.public), secret, { info })
  const joined = Uint8Array.from([...made.encapsulatedSecret, ...made.ciphertext])
  assert.equal(toHex(await key.open(joined, info)), toHex(secret))
})

test('E5 a sealed secret opens with its key, its bytes and its context only', async () => {
  const key = await KemKey.fromSeed(randomBytes(32))
  const info = randomBytes(8)
  const sealed = await seal(key.public, randomBytes(32), info)
  for (const at of [0, 1087, 1088, 1119, 1120, 1167]) {
    await refuses('E5', 'cannot-open', () => key.open(flip(sealed, at), info))
  }
  await refuses('E5', 'cannot-open', () => key.open(sealed, randomBytes(8)))
  await refuses('E5', 'cannot-open', () => key.open(sealed.slice(0, 1100), info))
  const other = await KemKey.fromSeed(randomBytes(32))
  await refuses('E5', 'cannot-open', () => other.open(sealed, info))
})

test('E8 an altered ciphertext, key or context does not open', async () => {
  const [key, text, aad] = [randomBytes(32), randomBytes(100), randomBytes(9)]
  const sealed = await aeadSeal(key, text, aad)
  assert.equal(toHex(await aeadOpen(key, sealed, aad)), toHex(text))
  await refuses('E8', 'cannot-open', () => aeadOpen(flip(key), sealed, aad))
  await refuses('E8', 'cannot-open', () => aeadOpen(key, flip(sealed), aad))
  await refuses('E8', 'cannot-open', () => aeadOpen(key, sealed, flip(aad)))
  await refuses('E8', 'cannot-open', () => aeadOpen(key, new Uint8Array(3), aad))
})

test('device keys survive structured clone; none of their keys can be exported', async () => {
  chooseKemPath('fallback') // a newer Node has the native one, which tests/browser tries
  const keys = structuredClone(await createDeviceKeys())
  chooseKemPath(null)
  assert.equal(keys.path, 'fallback')
  assert.deepEqual([keys.signing.extractable, keys.wrapped?.key.extractable], [false, false])
  const { signing, kem } = await openDeviceKeys(keys)
  const data = randomBytes(10)
  assert.equal(await verifySignature(keys.sig, await signing.sign(data), data), true)
  const [secret, info] = [randomBytes(32), randomBytes(1)]
  assert.equal(toHex(await kem.open(await seal(keys.kem, secret, info), info)), toHex(secret))
})

test('E6 a mistyped recovery kit is refused, a sloppily typed one is read', async () => {
  const printed = await RecoveryKit.create().print(NET)
  assert.match(printed, /^([0-9A-HJKMNP-TV-Z]{5} ){11}[0-9A-HJKMNP-TV-Z]{5}$/)
  const sloppy = printed.toLowerCase().replaceAll(' ', '-').replaceAll('0', 'o').replaceAll('1', 'l')
  assert.equal(await (await RecoveryKit.parse(NET, sloppy)).print(NET), printed)
  const first = printed[0] === '7' ? '8' : '7'
  const wrong = [
    first + printed.slice(1),
    printed.slice(1),
    `${printed}0`,
    `${printed.slice(0, -1)}1`,
    `U${printed.slice(1)}`,
    '',
  ]
  for (const text of wrong) await refuses('E6', 'recovery-kit-mistyped', () => RecoveryKit.parse(NET, text))
  await refuses('E6', 'recovery-kit-mistyped', () => RecoveryKit.parse('another network', printed))
})

test('what people compare is groups of five digits', async () => {
  assert.match(fingerprintDigits('00'.repeat(32)), /^(00000 ){11}00000$/)
  assert.match(await deviceWords(NET, 'ab'.repeat(32)), /^(\d{5} ){5}\d{5}$/)
})
