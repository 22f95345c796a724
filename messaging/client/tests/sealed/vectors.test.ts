import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CHECKS, prepare, type Vectors } from '../vectors.ts'

declare const REPOSITORY: string
const folder = process.env.VECTORS ?? join(REPOSITORY, 'tests', 'vectors')
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

test('there are vectors of the Python implementation', () => assert.ok(files.includes('python.json')))

for (const name of files) {
  const vectors = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vectors
  const prepared = prepare(vectors)
  for (const [part, check] of Object.entries(CHECKS)) {
    test(`${name}: ${part}`, async () => check(await prepared))
  }
}
