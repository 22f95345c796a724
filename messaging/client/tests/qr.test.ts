import assert from 'node:assert/strict'
import { test } from 'node:test'
import { qrModules } from '../src/views/qr.ts'

// Rows as hexadecimal numbers, made by another implementation (segno 1.6) with version 4, level Q and the same mask;
// ZXing reads them.
const KNOWN: Record<string, string> = {
  '0724N6828GMARF46R8EN5DFW1F10FSRTV8DEZBYCXMWW8B2840WBFCE6G9JG':
    '1fd25e97f 1055e6341 1751ce85d 1750ede5d 175b0db5d 104c37041 1fd55557f 0015ca900 0d6a40c5f 0682fdd4a 117de7dd4 0425fc73d 0e7c37a9a 1eafcf3a5 1ce5dfc97 1f070d43e 1be8ab769 141114f07 19cd96cbc 0c156f3aa 16da75367 0c93daf7a 15fea1865 090ad686b 16ea857fa 00112e511 1fd935554 104b37d11 175bd39f7 174681280 17570f4bd 105c4ba97 1fc48edc1',
  'HELLO WORLD':
    '1fc11e87f 104c69f41 1750f355d 17449f95d 17597715d 105496041 1fd55557f 00086ca00 095a860b4 12a52350f 1c4c89ff7 1e132ca5d 09c397124 028812cc4 165e8e091 1b2e17538 0cd5d17ef 1838968f9 095f72030 113e7b59a 16f32c6cf 1d91bf178 05e045fed 071cb8a46 1e56d21f5 00158771f 1fcbb5f57 104ad0b19 175f9b1f0 1741e2f07 174fbe200 1058776d9 1fca4d6bf',
  ['0'.repeat(60)]:
    '1fd34d57f 105396a41 17526d55d 17567fa5d 1751a555d 104f2ba41 1fd55557f 00107aa00 0d69c555f 18231aaaa 16e935555 0b3f4eaaa 05d135555 12b7d7aaa 16c5bb555 15a9e5aaa 1a4953555 0b0e96aaa 1cc47d555 0bab1aaaa 14ce91555 0e24faaaa 16d5b5555 0d9412aab 16e1955f6 0011a6b1a 1fdb39555 104d4eb1a 1750095f5 17420eaa8 17538d555 1050caaab 1fc0e5555',
}

const asRows = (text: string): string =>
  qrModules(text)
    .map((row) =>
      Number.parseInt(row.map((isDark) => (isDark ? '1' : '0')).join(''), 2)
        .toString(16)
        .padStart(9, '0'),
    )
    .join(' ')

test('a code is drawn as another implementation draws it', () => {
  for (const [text, rows] of Object.entries(KNOWN)) assert.equal(asRows(text), rows)
})

test('what does not fit is not drawn', () => {
  for (const text of ['0'.repeat(68), 'lower', 'é']) assert.throws(() => qrModules(text), RangeError)
})
