// Bundles the TypeScript tests with esbuild (Node 20 strips no types) and hands them to node's own runner.
//   node tests/run.mjs            all *.test.ts
//   node tests/run.mjs vectors    writes tests/vectors/typescript.json
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const isVectors = process.argv[2] === 'vectors'
const pick = isVectors ? /^make_vectors\.ts$/ : /\.test\.ts$/
const found = readdirSync(here, { recursive: true }).map(String).sort()
const entryPoints = found.filter((name) => pick.test(name.split('/').at(-1))).map((name) => join(here, name))
const out = mkdtempSync(join(tmpdir(), 'client-tests-'))
try {
  await build({
    entryPoints,
    outdir: out,
    outbase: here,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
    define: { REPOSITORY: JSON.stringify(join(here, '..', '..', '..')) },
  })
  const built = readdirSync(out, { recursive: true }).map(String).sort()
  const files = built
    .filter((name) => /(\.test|make_vectors)\.mjs$/.test(name))
    .map((name) => join(out, name))
  const flags = ['--enable-source-maps', '--disable-warning=ExperimentalWarning']
  const run = isVectors ? [...flags, ...files] : [...flags, '--test', ...files]
  process.exitCode = spawnSync(process.execPath, run, { stdio: 'inherit' }).status ?? 1
} finally {
  rmSync(out, { recursive: true })
}
