// Builds the client with checks that can be switched off, for the tests that lie to it: which of them are off, a page
// says in `withoutDefences` before its scripts run. Nothing of it is ever committed.
//   node tests/undefended.mjs SWITCHES FOLDER    SWITCHES: JSON, {path below src: [[text that stands there once, text
//                                                in its place], …]}; in it, `without(name)` says whether it is off
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const client = dirname(dirname(fileURLToPath(import.meta.url)))
const [switches, outdir] = [JSON.parse(readFileSync(process.argv[2], 'utf8')), process.argv[3]]
const met = new Set()

/** The source with its switches; a check that no longer stands where it did cannot be switched off. */
function switchable(path, text) {
  met.add(path)
  return switches[path].reduce((changed, [stands, instead]) => {
    const parts = changed.split(stands)
    if (parts.length !== 2) throw new Error(`${path} has ${parts.length - 1} times: ${stands}`)
    return parts.join(instead)
  }, text)
}

mkdirSync(outdir, { recursive: true })
await build({
  absWorkingDir: client,
  entryPoints: { client: 'src/main.ts', start: 'src/views/start.ts' },
  outdir,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  charset: 'utf8',
  banner: { js: 'const without = (name) => (globalThis.withoutDefences ?? []).includes(name)' },
  plugins: [
    {
      name: 'switches',
      setup(within) {
        within.onLoad({ filter: /\.ts$/ }, ({ path }) => {
          const name = relative(join(client, 'src'), path)
          if (!Object.hasOwn(switches, name)) return undefined
          return { contents: switchable(name, readFileSync(path, 'utf8')), loader: 'ts' }
        })
      },
    },
  ],
})
const missed = Object.keys(switches).filter((path) => !met.has(path))
if (missed.length > 0) throw new Error(`not part of the client: ${missed}`)
