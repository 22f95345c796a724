// Writes tests/vectors/files/typescript.json for the Python implementation to check: `node tests/run.mjs files`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFiles } from './files.ts'

declare const REPOSITORY: string
const file = join(REPOSITORY, 'tests', 'vectors', 'files', 'typescript.json')
writeFileSync(file, `${JSON.stringify(await makeFiles(), null, 1)}\n`)
