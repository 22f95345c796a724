// The page as this script meets it: it has no sentence of its own, but clones <template>s and takes its sentences
// from them, so that all text goes through the translators.

export type Values = Record<string, string | number>

// First strong isolate and its end: a name or number keeps its own direction inside the sentence.
const ISOLATE = '\u2068'
const END = '\u2069'

/** The sentence `key` of the page, with `{name}` replaced. A key without a sentence is a mistake in the page. */
export function text(key: string, values: Values = {}): string {
  const found = findText(key)
  if (found === null) throw new Error(`the page has no text ${key}`)
  return found.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? `${ISOLATE}${values[name]}${END}` : whole,
  )
}

export function hasText(key: string): boolean {
  return findText(key) !== null
}

/** In the sentences of every page, and in those a part of a page brings along. */
function findText(key: string): string | null {
  for (const { content } of document.querySelectorAll<HTMLTemplateElement>('#texts, template[data-texts]')) {
    const found = content.querySelector(`[data-text="${CSS.escape(key)}"]`)?.textContent
    if (found) return found
  }
  return null
}

export const hasElement = (id: string): boolean => document.getElementById(id) !== null

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no element ${id}`)
  return element as T
}

/** A fresh copy of the first element in `<template id>`. */
export function clone<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = byId<HTMLTemplateElement>(id).content.firstElementChild
  if (element === null) throw new Error(`the template ${id} is empty`)
  return element.cloneNode(true) as T
}

/** The element with `data-slot` inside `root`, or `root` itself. */
export function slot<T extends HTMLElement = HTMLElement>(root: HTMLElement, name: string): T {
  const found = root.dataset.slot === name ? root : root.querySelector(`[data-slot="${name}"]`)
  if (found === null) throw new Error(`no slot ${name}`)
  return found as T
}

export function fill(root: HTMLElement, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) slot(root, name).textContent = value
}

export function show(element: HTMLElement, visible: boolean): void {
  element.hidden = !visible
}

/** Show exactly one of the elements `ids`. */
export function showOnly(ids: readonly string[], id: string): void {
  for (const each of ids) show(byId(each), each === id)
}

// They show text in another order than it was written in: an account number could be turned round unseen.
const DIRECTION_CONTROLS = /[\u202A-\u202E\u2066-\u2069]/g

export const withoutControls = (written: string): string => written.replace(DIRECTION_CONTROLS, '')

/** User text as paragraphs, each with its own direction. Every line is one. */
export function paragraphs(written: string): HTMLElement[] {
  return splitParagraphs(written).map((part) => {
    const paragraph = document.createElement('p')
    paragraph.dir = 'auto'
    paragraph.textContent = withoutControls(part)
    return paragraph
  })
}

export function splitParagraphs(written: string): string[] {
  const lines = written.replace(/\r\n?/g, '\n').split('\n')
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '')
}

/** Say something to a screen reader without moving anything. */
export function announce(sentence: string): void {
  byId('announcer').textContent = sentence
}
