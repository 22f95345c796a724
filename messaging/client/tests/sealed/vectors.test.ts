import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CHECKS, checkRefusal, prepare, type Vectors } from '../vectors.ts'

declare const REPOSITORY: string
const folder = process.env.VECTORS ?? join(REPOSITORY, 'tests', 'vectors')
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

test('there are vectors of the Python implementation', () => assert.ok(files.includes('python.json')))

for (const name of files) {
  const vectors = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vectors
  const prepared = prepare(vectors)
  for (const [part, check] of Object.entries(CHECKS)) {
    if (check !== CHECKS['what is refused']) test(`${name}: ${part}`, async () => check(await prepared))
  }
  for (const row of vectors.refused) {
    test(`${row.rule} ${row.code}: ${row.kind}, ${row.why}`, async () => checkRefusal(await prepared, row))
  }
}

test('every rule of the validators is broken by a vector', () => {
  const rows = files.flatMap(
    (name) => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vectors).refused,
  )
  const broken = new Set(rows.map(({ rule }) => rule))
  const rules =
    'E1 E2 E5 E6 E7 E8 K1 K2 K3 K4 K5 K6 K7 K8 K9 K11 K12 M1 M2 M3 M4 M5 M7 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10'.split(
      ' ',
    )
  assert.deepEqual(
    rules.filter((rule) => !broken.has(rule)),
    [],
  )
})
