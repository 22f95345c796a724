// Writes tests/vectors/records/typescript.json for the Python implementation to check: `node tests/run.mjs records`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { joined } from '../src/sealed/container.ts'
import { toBase64, toHex } from '../src/sealed/encoding.ts'
import { makeRecords } from './records.ts'

declare const REPOSITORY: string

const made = await makeRecords()
const document = {
  net: made.net,
  kit: made.kit,
  code: made.code,
  thread: made.thread,
  texts: made.texts,
  open: toBase64(joined(made.open)),
  sealed: toBase64(joined(made.sealed)),
  message: { seq: made.seq, record: toBase64(joined(made.message)), name: made.name },
  report: { statement: toBase64(made.report), cause: 'pressure', device: toHex(made.device) },
}
const file = join(REPOSITORY, 'tests', 'vectors', 'records', 'typescript.json')
writeFileSync(file, `${JSON.stringify(document, null, 1)}\n`)
