// Builds the committed bundle: `client.js`, `start.js` of the start page, `known_keys.js` of the directory, and the
// chunks they share or load later, relative imports only, so that it works under any static prefix. Deterministic:
// same sources and lockfile, same bytes. What is loaded later is asked for with its hash, which stands in the entry;
// the entry's own, and those of what it needs at once, stand in the page (network/scripts.py).
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const target = process.argv[2] ?? join(here, '..', 'static', 'messaging')
const LATER = /\bimport\("\.\/(chunk-[A-Z0-9]+\.js)"\)/g

await mkdir(target, { recursive: true })
for (const name of await readdir(target)) {
  if (/^(client|start|known_keys|chunk-.*)\.js$/.test(name)) await rm(join(target, name))
}
const ENTRIES = { client: 'src/main.ts', start: 'src/views/start.ts', known_keys: 'src/views/known_keys.ts' }
const CORE = 'core-of-the-client'
const OPTIONS = {
  absWorkingDir: here,
  entryPoints: ENTRIES,
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
}

/** The sources that a source needs before it runs, itself among them, and those that it may load later. */
function reach(inputs, from) {
  const [atOnce, later, waiting] = [new Set(), new Set(), [from]]
  while (waiting.length > 0) {
    const path = waiting.pop()
    if (atOnce.has(path)) continue
    atOnce.add(path)
    for (const one of inputs[path].imports)
      if (one.kind === 'dynamic-import') later.add(one.path)
      else if (!one.external) waiting.push(one.path)
  }
  return { atOnce, later }
}

/** All that may be loaded later from a source, and from what that loads. */
function everLater(inputs, from, seen = new Set()) {
  for (const path of reach(inputs, from).later) {
    if (seen.has(path)) continue
    seen.add(path)
    everLater(inputs, path, seen)
  }
  return seen
}

// The bundler makes a chunk for each set of pages that share sources: some thirty small ones to fetch at once. A
// page that is loaded later stands on all that the client has loaded before, so that is one set, and one chunk.
const { inputs } = (await build({ ...OPTIONS, write: false })).metafile
const core = [...reach(inputs, ENTRIES.client).atOnce]
  .filter((path) => path.startsWith('src/') && path !== ENTRIES.client)
  .sort()
const ofStart = everLater(inputs, ENTRIES.start)
const onCore = new Set([...everLater(inputs, ENTRIES.client)].filter((path) => !ofStart.has(path)))
const { metafile } = await build({
  ...OPTIONS,
  plugins: [
    {
      name: CORE,
      setup(within) {
        within.onResolve({ filter: new RegExp(`^${CORE}$`) }, () => ({ path: CORE, namespace: CORE }))
        within.onLoad({ filter: /.*/, namespace: CORE }, () => ({
          contents: core.map((path) => `import ${JSON.stringify(`./${path}`)}\n`).join(''),
          resolveDir: here,
        }))
        within.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
          if (!onCore.has(relative(here, path))) return undefined
          return { contents: `${await readFile(path, 'utf8')}\nimport '${CORE}'\n`, loader: 'ts' }
        })
      },
    },
  ],
})

const outputs = new Map(Object.entries(metafile.outputs).map(([path, facts]) => [basename(path), facts]))
const texts = new Map()
for (const name of outputs.keys()) texts.set(name, await readFile(join(target, name), 'utf8'))

// A chunk in which nothing was left is not fetched.
const empty = new Set([...texts].filter(([, text]) => text.trim() === '').map(([name]) => name))
for (const name of empty) {
  texts.delete(name)
  outputs.delete(name)
  await rm(join(target, name))
}
for (const facts of outputs.values())
  facts.imports = facts.imports.filter(({ path }) => !empty.has(basename(path)))
for (const [name, text] of texts)
  texts.set(
    name,
    text.replace(/\bimport"\.\/([^"]+)";/g, (whole, path) => (empty.has(path) ? '' : whole)),
  )

/** A script and what it needs before it runs. */
function whole(name, found = new Set()) {
  found.add(name)
  for (const { path, kind } of outputs.get(name).imports)
    if (kind === 'import-statement' && !found.has(basename(path))) whole(basename(path), found)
  return found
}

/** What a script, and all that it needs or loads, may load later. */
function laterOf(name, seen = new Set()) {
  for (const one of whole(name)) {
    for (const { path, kind } of outputs.get(one).imports) {
      const later = basename(path)
      if (kind !== 'dynamic-import' || seen.has(later)) continue
      seen.add(later)
      laterOf(later, seen)
    }
  }
  return seen
}

const hashOf = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`

/** Fetches a script and its needs by their hashes; the import after it finds them there. A browser may remember of a
 *  page that a module did not come, so none is asked for as one before its bytes are here. How it is said that they
 *  are not stands in src/transport/failure.ts. */
const loader = (hashes, needs) =>
  `{const h=${JSON.stringify(hashes)},n=${JSON.stringify(needs)},k={};` +
  'const link=(href,integrity)=>new Promise((done)=>{const l=document.createElement("link");' +
  'if(!l.relList.supports("modulepreload"))return done();l.rel="modulepreload";l.integrity=integrity;' +
  'l.href=href;l.onload=l.onerror=()=>done();document.head.append(l)});' +
  'const get=async(f)=>{const a=new URL(f,import.meta.url).href;' +
  'await(await fetch(a,{integrity:h[f]})).arrayBuffer();await link(a,h[f])};' +
  'const once=(f)=>k[f]??=get(f).catch((e)=>{delete k[f];throw e});' +
  'globalThis.scriptOfRelease=(f)=>Promise.all(n[f].map(once))}\n'

for (const [name, text] of texts) {
  const asked = text.replace(
    LATER,
    (_, later) => `scriptOfRelease("${later}").then(()=>import("./${later}")).catch(scriptDidNotCome)`,
  )
  texts.set(name, asked)
}
for (const entry of ['client.js', 'start.js']) {
  const atOnce = whole(entry)
  const [hashes, needs] = [{}, {}]
  for (const later of [...laterOf(entry)].sort()) {
    needs[later] = [...whole(later)].filter((name) => !atOnce.has(name)).sort()
    for (const name of needs[later]) hashes[name] = hashOf(texts.get(name))
  }
  texts.set(entry, loader(hashes, needs) + texts.get(entry))
}
for (const [name, text] of [...texts].sort()) {
  await writeFile(join(target, name), text)
  console.log(`${name}  ${Buffer.byteLength(text)} bytes, ${gzipSync(text, { level: 9 }).length} gzip`)
}
