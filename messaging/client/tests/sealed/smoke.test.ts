import {test} from 'node:test'; import assert from 'node:assert/strict'
import * as K from '../../src/sealed/keys.ts'; import {toHex,fromHex,randomBytes} from '../../src/sealed/encoding.ts'
import * as N from '@panva/hpke-noble'; import * as H from 'hpke'
test('kem', async()=>{ const seed=fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'); const k=await K.KemKey.fromSeed(seed)
 const s=await K.seal(k.public, randomBytes(32), fromHex('aa')); assert.equal(s.length,1168); console.log(toHex(await k.open(s,fromHex('aa'))))
 const cs=new H.CipherSuite(N.KEM_MLKEM768_X25519,H.KDF_HKDF_SHA256,H.AEAD_AES_256_GCM); const sk=await cs.DeserializePrivateKey(seed,false); console.log(toHex(await cs.Open(sk,s.slice(0,1120),s.slice(1120),{info:fromHex('aa')})))
 const sg=await K.SigningKey.fromSeed(seed); console.log(toHex(sg.public)); const d=await K.createDeviceKeys(); const o=await K.openDeviceKeys(structuredClone(d)); console.log(o.kem.public.length)
 const kit=K.RecoveryKit.create(); const p=await kit.print('n'); console.log(p); await K.RecoveryKit.parse('n',p.toLowerCase()); console.log(await K.deviceWords('n',seed),K.fingerprintDigits(seed))
})
