import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dateTime, day, folded } from '../src/views/format.ts'
import { asGroup, twoPlaces } from '../src/views/kit.ts'
import { splitParagraphs } from '../src/views/page.ts'

declare const REPOSITORY: string
const SOURCES = join(REPOSITORY, 'messaging/client/src')
const PAGES = join(REPOSITORY, 'messaging/templates/messaging')

const FRAMES = join(REPOSITORY, 'network/templates/network')

const read = (folder: string, ending: string): string =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending) && !name.startsWith('sealed'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')

const named = (source: string, pattern: RegExp): Set<string> =>
  new Set([...source.matchAll(pattern)].map((match) => match[1] as string))

test('every sentence that the script asks for stands in the page', () => {
  const asked = named(read(SOURCES, '.ts'), /\btext\(\s*'([a-z-]+)'/g)
  const given = named(read(PAGES, '.html'), /data-text="([a-z-]+)"/g)
  assert.ok(asked.size > 20)
  assert.deepEqual(
    [...asked].filter((key) => !given.has(key)),
    [],
  )
})

test('every element and template that the script asks for stands in a page', () => {
  const asked = named(read(SOURCES, '.ts'), /\b(?:byId|clone)(?:<\w+>)?\(\s*'([a-z0-9-]+)'/g)
  const given = named(read(PAGES, '.html') + read(FRAMES, '.html'), /\bid="([a-z0-9-]+)"/g)
  assert.deepEqual(
    [...asked].filter((id) => !given.has(id)),
    [],
  )
})

test('the script never writes markup', () => {
  assert.doesNotMatch(
    read(SOURCES, '.ts'),
    /innerHTML|outerHTML|insertAdjacentHTML|\.style\b|setAttribute\('on/,
  )
})

test('no subject gets into the history of the browser, no text into its dictionaries', () => {
  assert.doesNotMatch(read(SOURCES, '.ts'), /document\.title|history\.(?:push|replace)State/)
  const fields = [...read(PAGES, '.html').matchAll(/<(?:input|textarea)[^>]*name="(\w+)"[^>]*>/g)]
  const written = fields.filter(([tag]) => !/type="(?:checkbox|radio)"/.test(tag))
  assert.deepEqual(new Set(written.map(([, name]) => name)).size, 8)
  for (const [tag] of written)
    for (const attribute of ['spellcheck="false"', 'translate="no"', 'autocomplete="off"'])
      assert.ok(tag.includes(attribute), `${tag} without ${attribute}`)
})

test('a time that no clock can show does not keep a page from opening', () => {
  Object.defineProperty(globalThis, 'document', {
    value: { documentElement: { lang: 'en' } },
    configurable: true,
  })
  for (const at of [2 ** 53 - 1, Number.NaN]) assert.deepEqual([dateTime(at), day(at)], ['—', '—'])
  assert.match(day(1_800_000_000), /2027/)
})

test('paragraphs part at line breaks, and empty lines are none', () => {
  assert.deepEqual(splitParagraphs('One\r\n\r\nاثنان \n\n\nThree'), ['One', 'اثنان', 'Three'])
})

test('search does not mind case or accents', () => {
  assert.ok(folded('Procédure d’Entraide').includes(folded('procedure')))
})

test('two different groups of the recovery kit are asked for, in order', () => {
  for (const [one, other] of [
    [0, 0],
    [11, 10],
    [4_294_967_295, 7],
  ]) {
    const places = twoPlaces(12, new Uint32Array([one ?? 0, other ?? 0]))
    assert.ok(places[0] < places[1] && places[1] < 12)
  }
})

test('look-alike letters of a typed group are read as Crockford wrote them', () => {
  assert.equal(asGroup(' oil-x7 '), '011X7')
})
