// Builds the committed bundle: `client.js` and its lazily loaded chunks, relative imports only, so that it
// works under any static prefix. Deterministic: same sources and lockfile, same bytes.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const target = process.argv[2] ?? join(here, '..', 'static', 'messaging')

await mkdir(target, { recursive: true })
for (const name of await readdir(target)) {
  if (/^(client|chunk-.*)\.js$/.test(name)) await rm(join(target, name))
}
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { client: 'src/main.ts' },
  outdir: target,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  minify: true,
  sourcemap: false,
  legalComments: 'none',
  charset: 'utf8',
  chunkNames: 'chunk-[hash]',
  metafile: true,
})
for (const path of Object.keys(metafile.outputs).sort()) {
  const bytes = await readFile(join(here, path))
  console.log(
    `${path.split('/').at(-1)}  ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzip`,
  )
}
