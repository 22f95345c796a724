// Bundles the TypeScript tests with esbuild (Node 20 strips no types) and hands them to node's own runner.
//   node tests/run.mjs                 all *.test.ts
//   node tests/run.mjs vectors         writes tests/vectors/typescript.json
//   node tests/run.mjs kits            writes tests/vectors/kits/typescript.json
//   node tests/run.mjs cards           writes tests/vectors/cards/typescript.json
//   node tests/run.mjs logs            writes tests/vectors/logs/typescript.json
//   node tests/run.mjs records           writes tests/vectors/records/typescript.json
//   node tests/run.mjs devices           serves devices to a program (serve_devices.ts)
//   node tests/run.mjs page NAME FILE  bundles tests/browser/NAME.page.ts into FILE, for a browser
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const REPOSITORY = join(here, '..', '..', '..')
const [mode, name, file] = process.argv.slice(2)

async function bundlePage(name, outfile) {
  const entry = join(here, 'browser', `${name}.page.ts`)
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
  })
}

async function runInNode(pick) {
  const entryPoints = readdirSync(here, { recursive: true })
    .map(String)
    .filter((name) => pick.test(basename(name)))
    .sort()
    .map((name) => join(here, name))
  const outdir = mkdtempSync(join(tmpdir(), 'client-tests-'))
  try {
    await build({
      entryPoints,
      outdir,
      outbase: here,
      bundle: true,
      splitting: true,
      format: 'esm',
      target: 'node20',
      platform: 'node',
      outExtension: { '.js': '.mjs' },
      sourcemap: 'inline',
      define: { REPOSITORY: JSON.stringify(REPOSITORY) },
    })
    const built = entryPoints.map((name) => join(outdir, name.slice(here.length)).replace(/\.ts$/, '.mjs'))
    const flags = ['--enable-source-maps', '--disable-warning=ExperimentalWarning']
    const how = mode ? built : ['--test', ...built]
    return spawnSync(process.execPath, [...flags, ...how], { stdio: 'inherit' }).status ?? 1
  } finally {
    rmSync(outdir, { recursive: true })
  }
}

if (mode === 'page') await bundlePage(name, file)
else if (mode === 'devices') process.exitCode = await runInNode(/^serve_devices\.ts$/)
else process.exitCode = await runInNode(mode ? new RegExp(`^make_${mode}\\.ts$`) : /\.test\.ts$/)
