import type { Applied, OpenedMessage } from '../sealed/client.ts'
import { fingerprintDigits } from '../sealed/keys.ts'
import { chosenMarks } from '../sealed/marks.ts'
import type { NamedAuthority } from '../sealed/record.ts'
import type { Fact, Facts } from '../sealed/steps.ts'
import { aboutText } from './about.ts'
import { closingWords } from './closing_words.ts'
import { splitParagraphs, text } from './page.ts'
import { stageName } from './stage_name.ts'

// The page of a record: a file of its own, outside this site, so it is written as text and never shown here.

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}' +
  'article{border:1px solid #999;border-radius:.4rem;padding:.5rem 1rem;margin:1rem 0;break-inside:avoid}' +
  'header{color:#444;border-block-end:1px solid #ccc}h2{font-size:1.1rem}p{margin:.4rem 0}' +
  'dt{color:#444}dd{margin-inline-start:1rem}.digits{font-family:monospace}.care{font-weight:bold}' +
  '@page{margin:2cm}@media print{body{font-size:11pt;max-width:none;margin:0;padding:0}}'

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (written: string): string =>
  written.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')

/** An element; what stands inside is HTML already, attributes are not. */
function tag(name: string, attributes: Record<string, string>, ...inside: string[]): string {
  const said = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`)
  return `<${name}${said.join('')}>${inside.join('')}</${name}>`
}

/** UTC, the same in every language. */
const moment = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const nameOf = (authority: NamedAuthority | undefined): string => {
  if (authority === undefined) return ''
  return authority.state ? `${authority.name} (${authority.state})` : authority.name
}

/** The bytes of `record.html`. */
export function makePage(
  applied: readonly Applied[],
  authorities: readonly NamedAuthority[],
): Uint8Array<ArrayBuffer> {
  const messages = applied.flatMap((each) => (each.type === 'message' ? [each.message] : []))
  const subject = messages.find((message) => message.subject)?.subject
  const title = escaped(subject ?? text('record-title'))
  const body = tag(
    'body',
    {},
    tag('h1', { dir: 'auto' }, title),
    tag('p', {}, escaped(text('record-hint'))),
    parties(authorities),
    ...messages.map((message) => article(message, authorities)),
  )
  const head = tag('head', {}, '<meta charset="utf-8">', tag('title', {}, title), tag('style', {}, STYLE))
  const { lang, dir } = document.documentElement
  return new TextEncoder().encode(`<!doctype html>${tag('html', { lang, dir: dir || 'ltr' }, head, body)}`)
}

function parties(authorities: readonly NamedAuthority[]): string {
  const rows = authorities.map(
    (row) =>
      tag('dt', {}, tag('bdi', {}, escaped(nameOf(row)))) +
      tag('dd', { class: 'digits', dir: 'ltr' }, fingerprintDigits(row.principal)),
  )
  return tag('h2', {}, escaped(text('record-parties'))) + tag('dl', {}, ...rows)
}

function article(message: OpenedMessage, authorities: readonly NamedAuthority[]): string {
  const authority = nameOf(authorities.find(({ principal }) => principal === message.principal))
  const who = [message.name, message.office, authority]
    .map((name) => tag('bdi', {}, escaped(name)))
    .join(', ')
  const received = escaped(text('record-received', { time: moment(message.receivedAt) }))
  const header = tag('header', {}, `${message.seq} · ${who} · ${received}`)
  const chosen = chosenMarks(message.marks)
  const marks = message.marks.map((mark) =>
    tag('p', chosen.includes(mark) ? {} : { class: 'care' }, escaped(text(`mark-${mark}`))),
  )
  return tag('article', { id: `message-${message.seq}` }, header, ...marks, written(message))
}

/** A step by its name, then what it says, fact by fact. */
function steps({ step, language }: OpenedMessage, facts: Facts): string {
  const name = tag('p', { class: 'care' }, escaped(text('record-step', { stage: stageName(step) })))
  const rows = Object.entries(facts).flatMap(([fact, value]) => {
    const lines = linesOf(fact, value).map((line) => tag('dd', { dir: 'auto' }, escaped(line)))
    return lines.length > 0 ? [tag('dt', {}, escaped(text(`fact-${fact}`))), ...lines] : []
  })
  return name + tag('dl', { lang: language }, ...rows)
}

function linesOf(name: string, fact: Fact): string[] {
  if (typeof fact === 'number') return [moment(fact).slice(0, 10)]
  const lines = typeof fact === 'string' ? splitParagraphs(fact) : fact
  return lines.map((line) => closingWords(name, line) ?? line)
}

function written(message: OpenedMessage): string {
  const { body } = message
  if (body === null) return tag('p', { class: 'care' }, escaped(text('record-sealed-text')))
  if (body.type === 'acknowledgement')
    return tag('p', {}, escaped(text('record-acknowledges', { number: body.seq })))
  if (body.type === 'stage') return steps(message, body.facts)
  if (body.type !== 'note') return tag('p', {}, escaped(text('record-statement')))
  const rows: [string, string | null][] = [
    [text('record-row-subject'), message.subject],
    [text('record-row-own'), message.ownReference],
    [text('record-row-foreign'), message.foreignReference],
    [text('record-row-reason'), body.reason],
    [text('record-row-due'), message.due === null ? null : moment(message.due).slice(0, 10)],
    [text('record-row-moment'), body.moment === null ? null : moment(body.moment)],
  ]
  const facts = rows.flatMap(([name, value]) =>
    value ? [tag('dt', {}, escaped(name)), tag('dd', { dir: 'auto' }, escaped(value))] : [],
  )
  const lines = splitParagraphs(body.text).map((line) => tag('p', { dir: 'auto' }, escaped(line)))
  const files = body.files.map((file) =>
    tag('li', {}, tag('bdi', {}, escaped(file.name)), `, ${file.size}, SHA-256 ${escaped(file.digest)}`),
  )
  const listed =
    files.length > 0 ? tag('h3', {}, escaped(text('record-row-files'))) + tag('ul', {}, ...files) : ''
  const about = body.about ? tag('p', {}, escaped(aboutText(body.about))) : ''
  return about + tag('dl', {}, ...facts) + tag('div', { lang: message.language }, ...lines) + listed
}
